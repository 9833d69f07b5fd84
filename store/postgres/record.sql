-- What is written in another way than on SQLite.

-- name: record_locked
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE id = $1 FOR UPDATE

-- name: upcoming_at
-- When those at positions start that have not ended.
SELECT starts_at, position FROM record WHERE position = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($1::json))) AND +ends_at > $2

-- name: records_at
-- The records of the positions in a JSON array.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE position = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($1::json))) ORDER BY position DESC

-- name: record_heads_at
SELECT position, id, kind, slug, origin, title, territory_name FROM record WHERE position = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($1::json)))

-- name: search_insert
INSERT INTO search (position, rid, filter, terms) VALUES ($1, $2, $3, $4::text::tsvector)

-- name: sample_insert
-- The terms in a JSON array.
INSERT INTO search_sample (term, position) SELECT value, $1 FROM json_array_elements_text($2::json)

-- name: search_compact
SELECT gin_clean_pending_list('search_term')

-- name: next_rids
SELECT nextval(pg_get_serial_sequence('record', 'rid')) FROM generate_series(1, $1::int)

-- name: records_by_sources
-- The records of the source keys in a JSON array.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE source_key = ANY (ARRAY(SELECT value FROM json_array_elements_text($1::json)))

-- name: branches
-- The adaptations of the ids in a JSON array.
SELECT l.target, r.id, r.kind, r.slug, r.origin, r.title, r.territory_name, r.published_at, coalesce(a.state, '')
FROM relation l JOIN record r ON r.rid = l.rid LEFT JOIN adaptation a ON a.child = r.id AND a.parent = l.target
WHERE l.target = ANY (ARRAY(SELECT value FROM json_array_elements_text($1::json))) AND l.type = 'adapts' AND r.state = 'published'
ORDER BY r.position DESC LIMIT $2

-- name: facet_labels
-- The labels of the values in a JSON array.
SELECT value, label FROM facet WHERE facet = $1 AND value = ANY (ARRAY(SELECT value FROM json_array_elements_text($2::json)))

-- name: facet_known
-- Those of the values in a JSON array that some record has.
SELECT value FROM facet WHERE facet = $1 AND n > 0 AND value = ANY (ARRAY(SELECT value FROM json_array_elements_text($2::json)))

-- name: facet_sum
-- How many records have one of the values in a JSON array, each one at most.
SELECT coalesce(sum(n), 0) FROM facet WHERE facet = $1 AND value = ANY (ARRAY(SELECT value FROM json_array_elements_text($2::json)))
