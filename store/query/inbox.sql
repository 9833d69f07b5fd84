-- name: inbox_known
SELECT 1 FROM inbox WHERE activity_id = $1

-- name: inbox_add
INSERT INTO inbox (activity_id, type, actor, object, raw, state, attempt, next_at, lease_until, reason, received_at, digest)
VALUES ($1, $2, $3, '', $4, 'waiting', 0, 0, 0, '', $5, $6)
ON CONFLICT (activity_id) DO NOTHING

-- name: inbox_said_before
-- What has no id of its own and was dealt with: it may be said again.
DELETE FROM inbox WHERE activity_id = $1 AND state <> 'waiting'

-- name: inbox_finish
-- What a try before named stays, where this one could not tell.
UPDATE inbox
SET state = $3, reason = $4, next_at = $5, done_at = $6, object = COALESCE(NULLIF(CAST($7 AS TEXT), ''), object), lease_until = 0
WHERE id = $1 AND attempt = $2 AND state = 'waiting'
RETURNING actor

-- name: inbox_ignore
UPDATE inbox SET state = 'ignored', reason = $2 WHERE id = $1

-- name: inbox_erase
UPDATE inbox SET raw = NULL WHERE id = $1

-- name: inbox_erase_object
-- What of it still waits comes to nothing.
UPDATE inbox
SET raw = NULL,
    reason = CASE WHEN state = 'waiting' THEN 'what it carries is deleted' ELSE reason END,
    done_at = CASE WHEN state = 'waiting' THEN $2 ELSE done_at END,
    state = CASE WHEN state = 'waiting' THEN 'ignored' ELSE state END
WHERE object = $1 AND object <> '' AND raw IS NOT NULL

-- name: inbox_erase_older
-- A newer version took the place of what these carried.
UPDATE inbox SET raw = NULL WHERE object = $1 AND object <> '' AND raw IS NOT NULL AND id <> $2 AND done_at IS NOT NULL

-- name: inbox_erase_actor
-- What remains is the id, so that nothing of it is applied again.
UPDATE inbox
SET raw = NULL, digest = '', actor = '',
    reason = CASE WHEN state = 'waiting' THEN 'its actor is deleted' ELSE reason END,
    done_at = CASE WHEN state = 'waiting' THEN $2 ELSE done_at END,
    state = CASE WHEN state = 'waiting' THEN 'ignored' ELSE state END
WHERE actor = $1

-- name: inbox_free_leases
UPDATE inbox SET lease_until = 0 WHERE state = 'waiting' AND lease_until > 0

-- name: standing
-- A list of values would make SQLite build a table of them each time. A node or
-- an account that is followed may write.
SELECT level FROM block WHERE scope = 'actor' AND value = $1
UNION ALL SELECT level FROM block WHERE scope = 'host' AND value = $2
UNION ALL SELECT level FROM block WHERE scope = 'host' AND value = $3
UNION ALL SELECT level FROM block WHERE scope = 'host' AND value = $4
UNION ALL SELECT level FROM block WHERE scope = 'host' AND value = $5
UNION ALL SELECT level FROM block WHERE scope = 'host' AND value = $6
UNION ALL SELECT level FROM block WHERE scope = 'host' AND value = $7
UNION ALL SELECT 'allow' FROM peer WHERE host = $2 AND state IN ('requested', 'followed')
    AND NOT EXISTS (SELECT 1 FROM peer_key k WHERE k.host = $2 AND k.how = 'contested')
UNION ALL SELECT 'allow' FROM followed WHERE actor = $1

-- name: inbox_due
SELECT 1 FROM inbox q WHERE q.state = 'waiting' AND q.next_at <= $1 AND q.lease_until <= $1 LIMIT 1

-- name: tidy_inbox
-- What remains is the id, the digest and the outcome.
UPDATE inbox SET raw = NULL, actor = '', object = '' WHERE id IN (
    SELECT id FROM inbox
    WHERE state = $1 AND state <> 'waiting' AND done_at < $2 AND (raw IS NOT NULL OR actor <> '' OR object <> '')
    ORDER BY state, done_at
    LIMIT $3)
