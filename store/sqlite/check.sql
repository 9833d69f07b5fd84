-- name: check_index
-- A connection that read the full-text index before may remember segments that are
-- merged since, and find them missing: opening it anew makes it look again.
SELECT count(*) FROM search_term WHERE search_term MATCH 'filter : zscrubz'

-- name: check_integrity
PRAGMA integrity_check(1)

-- name: check_terms
INSERT INTO search_term (search_term, rank) VALUES ('integrity-check', 1)

-- name: check_reference
SELECT count(*), coalesce(min("table"), '') FROM pragma_foreign_key_check
