-- Records as they are read. The columns are always these, in this order; see
-- scanEntry.

-- name: record_by_id
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE id = $1

-- name: record_by_slug
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE kind = $1 AND origin = $2 AND slug = $3

-- name: record_by_origin_slug
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE origin = $1 AND slug = $2 ORDER BY rid LIMIT 1

-- name: records_of_import
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE import_id = $1 AND rid > $2 ORDER BY rid LIMIT $3

-- name: records_listed
-- Drafts, candidates and withdrawn records, latest change first.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE state = $1 AND position < $2 AND position > $3 ORDER BY position DESC LIMIT $4

-- name: records_upcoming
-- In the order of an index on when they start.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE +ends_at > $1 AND state = 'published' AND (starts_at, position) > ($2, $3) AND starts_at < $4
ORDER BY starts_at, position LIMIT $5

-- name: records_lasting
-- Those that started long ago, by when they end.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE ends_at > $1 AND state = 'published' AND (starts_at + 0, position) > ($2, $3) AND starts_at + 0 < $4
ORDER BY starts_at + 0, position LIMIT $5

-- name: related_to
-- With what became of the claim of those that adapt it.
SELECT r.rid, r.id, r.slug, r.origin, r.territory, r.territory_name, r.url, r.state, r.incarnation, r.revision,
       r.number, r.published_at, r.updated_at, r.content_digest, r.copy_digest, r.content,
       r.position, r.activity_id, r.received_at, r.import_id, r.source_key, r.source_digest, l.type, coalesce(a.state, '')
FROM relation l JOIN record r ON r.rid = l.rid LEFT JOIN adaptation a ON a.child = r.id AND a.parent = l.target
WHERE l.target = $1 AND r.state = 'published'
ORDER BY r.position DESC LIMIT 200

-- name: revisions
SELECT v.revision, v.at, v.author_id, v.author_name, v.state, v.content
FROM revision v JOIN record r ON r.rid = v.rid
WHERE r.id = $1 ORDER BY v.revision DESC

-- name: thanks
SELECT kind, count(*) FROM reaction WHERE object = $1 AND muted = 0 GROUP BY kind

-- name: positions_taken
-- A list of values would make SQLite build a table of them each time.
SELECT position FROM record WHERE position = $1
UNION ALL SELECT position FROM record WHERE position = $2
UNION ALL SELECT position FROM record WHERE position = $3
UNION ALL SELECT position FROM record WHERE position = $4
UNION ALL SELECT position FROM record WHERE position = $5
UNION ALL SELECT position FROM record WHERE position = $6
UNION ALL SELECT position FROM record WHERE position = $7
UNION ALL SELECT position FROM record WHERE position = $8

-- name: credited_page
SELECT position FROM record_credit WHERE actor = $1 AND position < $2 ORDER BY position DESC LIMIT $3

-- name: credited_count
SELECT count(*) FROM record_credit WHERE actor = $1

-- name: records_crediting
-- Local records of which a version may name somebody, as a part of its JSON: few
-- people ask for it, and it holds nobody up.
SELECT r.rid, r.id FROM record r
WHERE r.rid > $1 AND r.origin = '' AND (r.content LIKE $2 ESCAPE '\'
    OR EXISTS (SELECT 1 FROM revision v WHERE v.rid = r.rid AND v.content LIKE $2 ESCAPE '\'))
ORDER BY r.rid LIMIT $3

-- name: record_from_digest
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE kind = $1 AND content_digest >= $2 AND state = 'published' ORDER BY content_digest LIMIT 1
