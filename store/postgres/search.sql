-- Search in the column terms; the parameters are those of SQLite. Where OFFSET 0
-- stands, the places of each record found are looked at: the planner might read all
-- places first.

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

-- name: search_newest
-- Looks at the newest only: what many records hold is found there, soon.
SELECT position FROM (
    SELECT position, terms FROM search WHERE position < $2 AND position > $3
    ORDER BY position DESC LIMIT greatest(1000, 50 * $4::bigint)) t
WHERE terms @@ $1::text::tsquery ORDER BY position DESC LIMIT $4

-- name: search_newest_near
SELECT position FROM (
    SELECT position, terms FROM search WHERE position < $2 AND position > $3
    ORDER BY position DESC LIMIT greatest(1000, 50 * $4::bigint)) t
WHERE terms @@ $1::text::tsquery
  AND EXISTS (
      SELECT 1 FROM record_place p
      WHERE p.position = t.position AND p.lat BETWEEN $5 AND $6
        AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
                 THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
        AND power(sin(radians(p.lat - $9) / 2), 2)
            + cos(radians($9)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $10) / 2), 2) <= $11
      OFFSET 0)
ORDER BY position DESC LIMIT $4

-- name: search_rare
-- Looks up the terms and sorts what has them: the sum keeps the planner from reading
-- all records in their order until it has as many as it was led to expect.
SELECT position FROM search WHERE terms @@ $1::text::tsquery AND position < $2 AND position > $3 ORDER BY position + 0 DESC LIMIT $4

-- name: search_rare_near
SELECT position FROM search t WHERE terms @@ $1::text::tsquery AND position < $2 AND position > $3
  AND EXISTS (
      SELECT 1 FROM record_place p
      WHERE p.position = t.position AND p.lat BETWEEN $5 AND $6
        AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
                 THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
        AND power(sin(radians(p.lat - $9) / 2), 2)
            + cos(radians($9)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $10) / 2), 2) <= $11)
ORDER BY position + 0 DESC LIMIT $4

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
SELECT t.position, at.lat, at.lon FROM search t CROSS JOIN LATERAL (
    SELECT p.lat, p.lon FROM record_place p
    WHERE p.position = t.position AND p.lat BETWEEN $5 AND $6
      AND CASE WHEN CAST($7 AS DOUBLE PRECISION) <= CAST($8 AS DOUBLE PRECISION)
               THEN p.lon BETWEEN $7 AND $8 ELSE p.lon >= $7 OR p.lon <= $8 END
    OFFSET 0) at
WHERE t.terms @@ $1::text::tsquery AND t.position < $2 AND t.position > $3
ORDER BY t.position DESC LIMIT $4
