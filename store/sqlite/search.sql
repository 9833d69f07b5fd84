-- Search in the full-text table, whose rows come in the order of positions.

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

-- name: search_count
SELECT count(*) FROM (SELECT 1 FROM search_term WHERE search_term MATCH $1 AND rowid > $2 LIMIT $3)

-- name: search_count_near
SELECT count(*) FROM (SELECT 1 FROM search_term WHERE search_term MATCH $1 AND rowid > $2
  AND EXISTS (
      SELECT 1 FROM record_place p
      WHERE p.position = search_term.rowid AND p.lat BETWEEN $4 AND $5
        AND CASE WHEN CAST($6 AS DOUBLE PRECISION) <= CAST($7 AS DOUBLE PRECISION)
                 THEN p.lon BETWEEN $6 AND $7 ELSE p.lon >= $6 OR p.lon <= $7 END
        AND power(sin(radians(p.lat - $8) / 2), 2)
            + cos(radians($8)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $9) / 2), 2) <= $10)
LIMIT $3)

-- name: search_filters
SELECT (SELECT filter FROM search WHERE position = f.rowid)
FROM search_term f WHERE f.search_term MATCH $1 AND f.rowid > $2 ORDER BY f.rowid DESC LIMIT $3

-- name: search_filters_near
SELECT (SELECT filter FROM search WHERE position = f.rowid)
FROM search_term f WHERE f.search_term MATCH $1 AND f.rowid > $2
  AND EXISTS (
      SELECT 1 FROM record_place p
      WHERE p.position = f.rowid AND p.lat BETWEEN $4 AND $5
        AND CASE WHEN CAST($6 AS DOUBLE PRECISION) <= CAST($7 AS DOUBLE PRECISION)
                 THEN p.lon BETWEEN $6 AND $7 ELSE p.lon >= $6 OR p.lon <= $7 END
        AND power(sin(radians(p.lat - $8) / 2), 2)
            + cos(radians($8)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $9) / 2), 2) <= $10)
ORDER BY f.rowid DESC LIMIT $3
