-- A part of a transaction that may fail alone.

-- name: savepoint
SAVEPOINT part

-- name: savepoint_undo
ROLLBACK TO SAVEPOINT part

-- name: savepoint_release
RELEASE SAVEPOINT part
