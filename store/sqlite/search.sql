-- Search in the full-text table, whose rows come in the order of positions. Each
-- statement takes the expression, the position below which and the one above
-- which it looks, how many rows it reads, and the area.

-- name: search_page
SELECT rowid FROM search_term WHERE search_term MATCH $1 AND rowid < $2 AND rowid > $3 ORDER BY rowid DESC LIMIT $4

-- name: search_page_near
SELECT rowid FROM search_term WHERE search_term MATCH $1 AND rowid < $2 AND rowid > $3
  AND EXISTS (
      SELECT 1 FROM record_place p
      WHERE p.position = search_term.rowid AND p.lat BETWEEN $5 AND $6
        AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
                 THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
        AND power(sin(radians(p.lat - $9) / 2), 2)
            + cos(radians($9)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $10) / 2), 2) <= $11)
ORDER BY rowid DESC LIMIT $4

-- name: search_filters
SELECT f.rowid, (SELECT filter FROM search WHERE position = f.rowid)
FROM search_term f WHERE f.search_term MATCH $1 AND f.rowid < $2 AND f.rowid > $3 ORDER BY f.rowid DESC LIMIT $4

-- name: search_filters_near
SELECT f.rowid, (SELECT filter FROM search WHERE position = f.rowid)
FROM search_term f WHERE f.search_term MATCH $1 AND f.rowid < $2 AND f.rowid > $3
  AND EXISTS (
      SELECT 1 FROM record_place p
      WHERE p.position = f.rowid AND p.lat BETWEEN $5 AND $6
        AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
                 THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
        AND power(sin(radians(p.lat - $9) / 2), 2)
            + cos(radians($9)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $10) / 2), 2) <= $11)
ORDER BY f.rowid DESC LIMIT $4

-- name: search_points
-- Places of what matches, for the map. CROSS JOIN keeps the order of the index.
SELECT f.rowid, p.lat, p.lon FROM search_term f CROSS JOIN record_place p
WHERE f.search_term MATCH $1 AND f.rowid < $2 AND f.rowid > $3 AND p.position = f.rowid AND p.lat BETWEEN $5 AND $6
  AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
           THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
ORDER BY f.rowid DESC LIMIT $4

-- name: sample_latest
-- Of those in the sample that have a term, the latest.
SELECT $1, position FROM search_sample WHERE term = $1 AND position < $2 AND position > $3 ORDER BY position DESC LIMIT $4
