-- Search in the column terms; the parameters are those of SQLite.

-- name: search_page
SELECT position FROM search WHERE terms @@ $1::text::tsquery AND position < $2 AND position > $3 ORDER BY position DESC LIMIT $4

-- name: search_page_near
SELECT position FROM search t WHERE terms @@ $1::text::tsquery AND position < $2 AND position > $3
  AND EXISTS (
      SELECT 1 FROM record_place p
      WHERE p.position = t.position AND p.lat BETWEEN $5 AND $6
        AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
                 THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
        AND power(sin(radians(p.lat - $9) / 2), 2)
            + cos(radians($9)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $10) / 2), 2) <= $11)
ORDER BY position DESC LIMIT $4

-- name: search_count
SELECT count(*) FROM (SELECT 1 FROM search WHERE terms @@ $1::text::tsquery AND position < $2 AND position > $3 LIMIT $4) found

-- name: search_count_near
SELECT count(*) FROM (SELECT 1 FROM search t WHERE terms @@ $1::text::tsquery AND position < $2 AND position > $3
  AND EXISTS (
      SELECT 1 FROM record_place p
      WHERE p.position = t.position AND p.lat BETWEEN $5 AND $6
        AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
                 THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
        AND power(sin(radians(p.lat - $9) / 2), 2)
            + cos(radians($9)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $10) / 2), 2) <= $11)
LIMIT $4) found

-- name: search_filters
SELECT filter FROM search WHERE terms @@ $1::text::tsquery AND position < $2 AND position > $3 ORDER BY position DESC LIMIT $4

-- name: search_filters_near
SELECT filter FROM search t WHERE terms @@ $1::text::tsquery AND position < $2 AND position > $3
  AND EXISTS (
      SELECT 1 FROM record_place p
      WHERE p.position = t.position AND p.lat BETWEEN $5 AND $6
        AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
                 THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
        AND power(sin(radians(p.lat - $9) / 2), 2)
            + cos(radians($9)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $10) / 2), 2) <= $11)
ORDER BY position DESC LIMIT $4

-- name: search_points
-- Places of what matches, for the map.
SELECT t.position, p.lat, p.lon FROM search t JOIN record_place p ON p.position = t.position
WHERE t.terms @@ $1::text::tsquery AND t.position < $2 AND t.position > $3 AND p.lat BETWEEN $5 AND $6
  AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
           THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
ORDER BY t.position DESC LIMIT $4
