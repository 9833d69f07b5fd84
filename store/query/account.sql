-- name: account_add
INSERT INTO account (email, name, role, disabled, created_at) VALUES ($1, $2, $3, 0, $4)
ON CONFLICT (email) DO NOTHING
RETURNING id

-- name: account_by_email
SELECT id, email, name, role, disabled, created_at FROM account WHERE email = $1

-- name: account_by_id
SELECT id, email, name, role, disabled, created_at FROM account WHERE id = $1

-- name: account_by_session
SELECT a.id, a.email, a.name, a.role, a.disabled, a.created_at
FROM session s JOIN account a ON a.id = s.account_id
WHERE s.hash = $1 AND s.expires_at > $2 AND a.disabled = 0

-- name: account_by_token
SELECT a.id, a.email, a.name, a.role, a.disabled, a.created_at
FROM token t JOIN account a ON a.id = t.account_id
WHERE t.hash = $1 AND a.disabled = 0

-- name: account_list
SELECT id, email, name, role, disabled, created_at FROM account ORDER BY id

-- name: account_set_role
UPDATE account SET role = $2 WHERE id = $1

-- name: account_set_disabled
UPDATE account SET disabled = $2 WHERE id = $1

-- name: account_remove
DELETE FROM account WHERE id = $1

-- name: revisions_detach
-- What an account wrote stays signed, by an account that is deleted. Its number
-- may be given anew.
UPDATE revision SET author_id = $2 WHERE (rid, revision) IN (
    SELECT v.rid, v.revision FROM revision v WHERE v.author_id = $1 AND v.author_id > 0 LIMIT $3)

-- name: revisions_disown
UPDATE revision SET author_id = $2, author_name = '' WHERE (rid, revision) IN (
    SELECT v.rid, v.revision FROM revision v WHERE v.author_id = $1 AND v.author_id > 0 LIMIT $3)

-- name: decisions_detach
UPDATE decision SET account_id = $2 WHERE n IN (
    SELECT d.n FROM decision d WHERE d.account_id = $1 AND d.account_id > 0 LIMIT $3)

-- name: account_admins
SELECT count(*) FROM account WHERE role = 'admin' AND disabled = 0 AND id <> $1

-- name: signin_add
INSERT INTO signin (hash, account_id, expires_at) VALUES ($1, $2, $3)

-- name: signin_use
DELETE FROM signin WHERE hash = $1 AND expires_at > $2 RETURNING account_id

-- name: signin_remove_of
DELETE FROM signin WHERE account_id = $1

-- name: signin_expire
DELETE FROM signin WHERE expires_at <= $1

-- name: session_add
INSERT INTO session (hash, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)

-- name: session_remove
DELETE FROM session WHERE hash = $1

-- name: session_remove_of
DELETE FROM session WHERE account_id = $1

-- name: session_expire
DELETE FROM session WHERE expires_at <= $1

-- name: token_add
INSERT INTO token (hash, account_id, label, created_at) VALUES ($1, $2, $3, $4)

-- name: token_remove_of
DELETE FROM token WHERE account_id = $1
