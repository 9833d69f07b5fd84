-- What is written in another way than on PostgreSQL.

-- name: record_locked
-- There is one writer: nobody else changes the record meanwhile.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE id = $1

-- name: records_at
-- The records of the positions in a JSON array.
SELECT rid, id, slug, origin, territory, territory_name, url, state, incarnation, revision,
       number, published_at, updated_at, content_digest, copy_digest, content,
       position, activity_id, received_at, import_id, source_key, source_digest
FROM record WHERE position IN (SELECT value FROM json_each($1)) ORDER BY position DESC

-- name: search_insert
INSERT INTO search (position, rid, filter, head, body) VALUES ($1, $2, $3, $4, $5)
