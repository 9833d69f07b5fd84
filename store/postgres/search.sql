-- Search in the column terms, part by part: the parts, the latest first, each as the
-- spans that cover it and the positions between which it is, are $2, $3 and $5; then come
-- the parameters of the area, as in SQLite. What has the terms in a part is looked up and
-- sorted, and the next part is looked at when there is not enough. The sums keep the
-- planner from reading a part in its order, OFFSET 0 from reading all places first.

-- name: parts_marks
-- Of the positions below one: the last; the least that is above another; and those that
-- so many records stand before, more or less.
SELECT -1, (SELECT position FROM search WHERE position < $1 ORDER BY position DESC LIMIT 1)
UNION ALL SELECT 0, (SELECT position FROM search WHERE position > $2 ORDER BY position LIMIT 1)
UNION ALL SELECT 100 * n, (SELECT position FROM search WHERE position % 100 = 0 AND position < $1 ORDER BY position DESC OFFSET n LIMIT 1)
FROM unnest(ARRAY[5, 10, 20, 40, 80, 160, 320]) AS n
UNION ALL SELECT 1000 * n, (SELECT position FROM search WHERE position % 1000 = 0 AND position < $1 ORDER BY position DESC OFFSET n LIMIT 1)
FROM unnest(ARRAY[64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]) AS n

-- name: search_page
SELECT at.position FROM unnest($2::text[], $3::bigint[], $5::bigint[]) AS part (spans, below, above)
CROSS JOIN LATERAL (
    SELECT position FROM search t
    WHERE terms @@ $1::text::tsquery AND search_spans(position) && part.spans::bigint[] AND position + 0 < part.below AND position + 0 > part.above
    ORDER BY position + 0 DESC LIMIT $4) at
LIMIT $4

-- name: search_page_near
SELECT at.position FROM unnest($2::text[], $3::bigint[], $5::bigint[]) AS part (spans, below, above)
CROSS JOIN LATERAL (
    SELECT position FROM search t
    WHERE terms @@ $1::text::tsquery AND search_spans(position) && part.spans::bigint[] AND position + 0 < part.below AND position + 0 > part.above
      AND EXISTS (
          SELECT 1 FROM record_place p
          WHERE p.position = t.position AND p.lat BETWEEN $6 AND $7
            AND CASE WHEN CAST($8 AS DOUBLE PRECISION) <= CAST($9 AS DOUBLE PRECISION)
                     THEN p.lon BETWEEN $8 AND $9 ELSE p.lon >= $8 OR p.lon <= $9 END
            AND power(sin(radians(p.lat - $10) / 2), 2)
                + cos(radians($10)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $11) / 2), 2) <= $12
          OFFSET 0)
    ORDER BY position + 0 DESC LIMIT $4) at
LIMIT $4

-- name: search_pages
-- As search_page, for each of several queries, which are told by their number.
SELECT asked.n, found.position FROM unnest($1::text[]) WITH ORDINALITY AS asked (terms, n)
CROSS JOIN LATERAL (
    SELECT at.position FROM unnest($2::text[], $3::bigint[], $5::bigint[]) AS part (spans, below, above)
    CROSS JOIN LATERAL (
        SELECT position FROM search t
        WHERE t.terms @@ asked.terms::tsquery AND search_spans(position) && part.spans::bigint[] AND position + 0 < part.below AND position + 0 > part.above
        ORDER BY position + 0 DESC LIMIT $4) at
    LIMIT $4) found

-- name: search_filters
SELECT at.position, at.filter FROM unnest($2::text[], $3::bigint[], $5::bigint[]) AS part (spans, below, above)
CROSS JOIN LATERAL (
    SELECT position, filter FROM search t
    WHERE terms @@ $1::text::tsquery AND search_spans(position) && part.spans::bigint[] AND position + 0 < part.below AND position + 0 > part.above
    ORDER BY position + 0 DESC LIMIT $4) at
LIMIT $4

-- name: search_filters_near
SELECT at.position, at.filter FROM unnest($2::text[], $3::bigint[], $5::bigint[]) AS part (spans, below, above)
CROSS JOIN LATERAL (
    SELECT position, filter FROM search t
    WHERE terms @@ $1::text::tsquery AND search_spans(position) && part.spans::bigint[] AND position + 0 < part.below AND position + 0 > part.above
      AND EXISTS (
          SELECT 1 FROM record_place p
          WHERE p.position = t.position AND p.lat BETWEEN $6 AND $7
            AND CASE WHEN CAST($8 AS DOUBLE PRECISION) <= CAST($9 AS DOUBLE PRECISION)
                     THEN p.lon BETWEEN $8 AND $9 ELSE p.lon >= $8 OR p.lon <= $9 END
            AND power(sin(radians(p.lat - $10) / 2), 2)
                + cos(radians($10)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $11) / 2), 2) <= $12
          OFFSET 0)
    ORDER BY position + 0 DESC LIMIT $4) at
LIMIT $4

-- name: search_points
-- Places of what matches, for the map.
SELECT at.position, at.lat, at.lon FROM unnest($2::text[], $3::bigint[], $5::bigint[]) AS part (spans, below, above)
CROSS JOIN LATERAL (
    SELECT t.position, place.lat, place.lon FROM search t CROSS JOIN LATERAL (
        SELECT p.lat, p.lon FROM record_place p
        WHERE p.position = t.position AND p.lat BETWEEN $6 AND $7
          AND CASE WHEN CAST($8 AS DOUBLE PRECISION) <= CAST($9 AS DOUBLE PRECISION)
                   THEN p.lon BETWEEN $8 AND $9 ELSE p.lon >= $8 OR p.lon <= $9 END
        OFFSET 0) place
    WHERE t.terms @@ $1::text::tsquery AND search_spans(t.position) && part.spans::bigint[] AND t.position + 0 < part.below AND t.position + 0 > part.above
    ORDER BY t.position + 0 DESC LIMIT $4) at
LIMIT $4

-- name: sample_latest
-- Of those in the sample that have a term, the latest, for each of several.
SELECT asked.term, had.position FROM unnest($1::text[]) AS asked (term)
CROSS JOIN LATERAL (
    SELECT position FROM search_sample s WHERE s.term = asked.term AND position < $2 AND position > $3
    ORDER BY position DESC LIMIT $4) had
