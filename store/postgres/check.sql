-- name: check_index
-- The index is a column.
SELECT 0

-- name: check_integrity
SELECT 'ok'

-- name: check_terms
-- The index is in the same table.
SELECT 1

-- name: check_reference
-- PostgreSQL lets no such row be.
SELECT 0, ''
