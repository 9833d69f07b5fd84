-- name: restore_sequences
-- SQLite takes the next number from the rows themselves.
SELECT 1
