-- name: check_integrity
PRAGMA integrity_check(1)

-- name: check_terms
INSERT INTO search_term (search_term, rank) VALUES ('integrity-check', 1)

-- name: check_reference
SELECT count(*), coalesce(min("table"), '') FROM pragma_foreign_key_check
