-- Search, where both databases say it alike.

-- name: search_all
SELECT position FROM search WHERE position < $1 ORDER BY position DESC LIMIT $2

-- name: facet_top
-- The most frequent values of a facet that has many.
SELECT value, label, n FROM facet WHERE facet = $1 AND n > 0 ORDER BY n DESC, value LIMIT $2

-- name: reindex_state
SELECT version, position, ended FROM reindex WHERE id = 1

-- name: reindex_save
UPDATE reindex SET version = $1, position = $2, ended = $3 WHERE id = 1

-- name: reindex_page
SELECT s.position, r.id FROM search s JOIN record r ON r.rid = s.rid WHERE s.position > $1 ORDER BY s.position LIMIT $2

-- name: cells_extent
-- What the counted cells of a kind and a level hold between two columns and two
-- rows, and how far it reaches. A first column after the last one goes around the world.
SELECT coalesce(CAST(sum(n) AS BIGINT), 0), coalesce(min(x), 0), coalesce(max(x), 0), coalesce(min(y), 0), coalesce(max(y), 0) FROM map_cell
WHERE kind = $1 AND level = $2
  AND CASE WHEN CAST($3 AS BIGINT) <= CAST($4 AS BIGINT) THEN x BETWEEN $3 AND $4 ELSE x >= $3 OR x <= $4 END AND y BETWEEN $5 AND $6

-- name: cells_counted
-- The same in the cells of a coarser level: the count, and the sums from which
-- its middle comes.
SELECT x >> CAST($7 AS INTEGER), y >> CAST($7 AS INTEGER), CAST(sum(n) AS BIGINT), CAST(sum(xs) AS BIGINT), CAST(sum(ys) AS BIGINT) FROM map_cell
WHERE kind = $1 AND level = $2
  AND CASE WHEN CAST($3 AS BIGINT) <= CAST($4 AS BIGINT) THEN x BETWEEN $3 AND $4 ELSE x >= $3 OR x <= $4 END AND y BETWEEN $5 AND $6
GROUP BY 1, 2
