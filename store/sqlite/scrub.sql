-- What erased rows left in the file is written over. A page is read and written
-- below the tables: its cells stay as they are.

-- name: scrub_pages
SELECT page_count FROM pragma_page_count

-- name: scrub_page
SELECT data FROM sqlite_dbpage WHERE pgno = $1

-- name: scrub_blank
UPDATE sqlite_dbpage SET data = $2 WHERE pgno = $1

-- name: scrub_log
-- What the log held is in the file, or written over: the log is cut to nothing.
PRAGMA wal_checkpoint(TRUNCATE)

-- name: scrub_log_haste
PRAGMA busy_timeout(0)

-- name: scrub_log_patience
-- As sqlite.go sets it.
PRAGMA busy_timeout(5000)

-- name: scrub_term_left
-- A process that ended half-way may have left the row that makes a segment.
SELECT count(*) FROM search_term WHERE search_term MATCH 'filter : zscrubz' AND rowid = 0

-- name: scrub_term_add
INSERT INTO search_term (rowid, head, body, filter) VALUES (0, '', '', 'zscrubz')

-- name: scrub_term_drop
INSERT INTO search_term (search_term, rowid, head, body, filter) VALUES ('delete', 0, '', '', 'zscrubz')
