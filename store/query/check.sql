-- Rules that the database keeps at all times; each statement gives how many
-- rows break one, and the first of them.

-- name: check_published
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.origin = '' AND r.state = 'published' AND (r.document IS NULL OR r.number = 0)

-- name: check_erased
SELECT count(*), coalesce(min(r.id), '') FROM record r JOIN tombstone t ON t.id = r.id
WHERE r.state <> 'withdrawn'

-- name: check_slug
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.origin = '' AND NOT EXISTS (SELECT 1 FROM name n WHERE n.space = r.kind AND n.name = r.slug)

-- name: check_counter
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.origin = '' AND r.number > (SELECT c.n FROM counter c)

-- name: check_cursor
SELECT count(*), '' FROM dispatch_cursor d WHERE d.n > (SELECT c.n FROM counter c)

-- name: check_delivery
SELECT count(*), coalesce(min(d.activity_id), '') FROM delivery d
WHERE d.state = 'waiting' AND NOT EXISTS (SELECT 1 FROM activity a WHERE a.id = d.activity_id AND a.bytes IS NOT NULL)

-- name: check_facet
SELECT count(*), coalesce(min(k.kind), '')
FROM (SELECT r.kind, count(*) AS n FROM record r WHERE r.state = 'published' GROUP BY r.kind) k
LEFT JOIN facet f ON f.facet = 'kind' AND f.value = k.kind
WHERE coalesce(f.n, 0) <> k.n

-- name: check_documents
SELECT r.rid, r.id, r.origin, r.document, r.content_digest, r.copy_digest FROM record r
WHERE r.rid > $1 AND r.state = 'published' AND r.document IS NOT NULL
ORDER BY r.rid LIMIT $2
