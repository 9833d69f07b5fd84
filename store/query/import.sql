-- Runs that brought rows of files in.

-- name: import_insert
INSERT INTO import (started_at, file, kind, licence, attribution, report) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id

-- name: import_report
UPDATE import SET report = $2 WHERE id = $1

-- name: import_undone
UPDATE import SET undone_at = $2 WHERE id = $1

-- name: imports
SELECT id, started_at, file, kind, licence, attribution, report, undone_at FROM import ORDER BY id DESC

-- name: import_found
-- A row whose record had only a name, as it came back from others.
UPDATE record SET source_key = $2, source_digest = $3 WHERE rid = $1

-- name: revisions_by_people
SELECT count(*) FROM revision WHERE rid = $1 AND author_id <> 0
