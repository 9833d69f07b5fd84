-- Local tombstones.

-- name: withdrawal_add
INSERT INTO withdrawal (id, origin, digest, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, at = excluded.at

-- name: withdrawal_of
SELECT w.origin, w.digest, w.at, coalesce(i.n, 0)
FROM withdrawal w LEFT JOIN item i ON i.kind = 'withdrawal' AND i.ref = w.id WHERE w.id = $1

-- name: withdrawals_of
SELECT id FROM withdrawal WHERE origin = $1

-- name: withdrawal_remove
DELETE FROM withdrawal WHERE id = $1

-- name: commons_withdraw
-- The digest stays: it is what the origin lists.
UPDATE commons SET sort = 'withdrawn', document = NULL WHERE id = $1 AND origin <> ''

-- name: commons_withdrawn
UPDATE commons SET digest = $2 WHERE id = $1 AND sort = 'withdrawn'

-- name: commons_lift
DELETE FROM commons WHERE id = $1 AND sort = 'withdrawn'

-- name: peer_actors
SELECT actor FROM peer WHERE state = 'followed' ORDER BY host

-- name: published_anywhere
SELECT 1 FROM record WHERE id = $1 AND state = 'published'
