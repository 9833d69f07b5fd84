-- What is about the database itself.

-- name: schema_version
SELECT coalesce(max(n), 0) FROM migration
