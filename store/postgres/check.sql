-- name: check_integrity
SELECT 'ok'
