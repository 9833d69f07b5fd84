-- name: token_list
SELECT hash, label, created_at FROM token WHERE account_id = $1 ORDER BY created_at, hash

-- name: token_remove
DELETE FROM token WHERE account_id = $1 AND hash LIKE $2
