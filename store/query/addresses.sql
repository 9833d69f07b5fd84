-- Where published records stand, without what they say.

-- name: address_page
SELECT kind, slug, updated_at, position FROM record
WHERE origin = $1 AND state = 'published' AND position >= $2 ORDER BY position LIMIT $3

-- name: address_parts
-- The first and the last record of each run of a size, in their order.
SELECT position, updated_at, n FROM (
    SELECT position, updated_at, row_number() OVER (ORDER BY position) AS n, count(*) OVER () AS total
    FROM record WHERE origin = $1 AND state = 'published'
) AS numbered
WHERE (n - 1) % $2 = 0 OR n % $2 = 0 OR n = total ORDER BY n
