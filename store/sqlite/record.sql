-- What is written in another way than on PostgreSQL.

-- name: record_locked
-- There is one writer: nobody else changes the record meanwhile.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE id = $1

-- name: upcoming_at
-- When those at positions start that have not ended.
SELECT starts_at, position FROM record WHERE position IN (SELECT value FROM json_each($1)) AND +ends_at > $2

-- name: records_at
-- The records of the positions in a JSON array.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE position IN (SELECT value FROM json_each($1)) ORDER BY position DESC

-- name: record_heads_at
SELECT position, id, kind, slug, origin, title, territory_name FROM record WHERE position IN (SELECT value FROM json_each($1))

-- name: search_insert
INSERT INTO search (position, rid, filter, head, body) VALUES ($1, $2, $3, $4, $5)

-- name: search_index
-- A statement that writes more than this row, as a trigger would, makes the
-- full-text table write out what it has gathered each time.
INSERT INTO search_term (rowid, head, body, filter) VALUES ($1, $2, $3, $4)

-- name: sample_insert
-- The terms in a JSON array.
INSERT INTO search_sample (term, position) SELECT value, $1 FROM json_each($2)

-- name: search_compact
-- A negative number of pages begins a merge of all parts of the index into one,
-- a positive one goes on with it.
INSERT INTO search_term (search_term, rank) VALUES ('merge', $1)

-- name: changes_total
SELECT total_changes()

-- name: search_unindex
INSERT INTO search_term (search_term, rowid, head, body, filter)
SELECT 'delete', position, head, body, filter FROM search WHERE rid = $1

-- name: next_rids
WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < $1)
SELECT n + (SELECT coalesce(max(rid), 0) FROM record) FROM more

-- name: records_by_sources
-- The records of the source keys in a JSON array.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE source_key IN (SELECT value FROM json_each($1))

-- name: branches
-- The adaptations of the ids in a JSON array.
SELECT l.target, r.id, r.kind, r.slug, r.origin, r.title, r.territory_name, r.published_at, coalesce(a.state, '')
FROM relation l JOIN record r ON r.rid = l.rid LEFT JOIN adaptation a ON a.child = r.id AND a.parent = l.target
WHERE l.target IN (SELECT value FROM json_each($1)) AND l.type = 'adapts' AND r.state = 'published'
ORDER BY r.position DESC LIMIT $2

-- name: facet_labels
-- The labels of the values in a JSON array.
SELECT value, label FROM facet WHERE facet = $1 AND value IN (SELECT value FROM json_each($2))

-- name: facet_known
-- Those of the values in a JSON array that some record has.
SELECT value FROM facet WHERE facet = $1 AND n > 0 AND value IN (SELECT value FROM json_each($2))

-- name: facet_sum
-- How many records have one of the values in a JSON array, each one at most.
SELECT coalesce(sum(n), 0) FROM facet WHERE facet = $1 AND value IN (SELECT value FROM json_each($2))
