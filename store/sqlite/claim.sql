-- name: lock_inbox
-- One writer needs no locks.
SELECT 1

-- name: lock_objects
SELECT 1 WHERE $1 IS NOT NULL

-- name: lock_alone
SELECT 1

-- name: lock_peer
SELECT state FROM peer WHERE host = $1

-- name: inbox_claim
-- An actor with a row under lease is left alone, so that its activities are
-- applied in the order in which they came.
UPDATE inbox
SET lease_until = $2, attempt = attempt + 1
WHERE id IN (
    SELECT q.id FROM inbox q
    WHERE q.state = 'waiting' AND q.next_at <= $1 AND q.lease_until <= $1
      AND q.actor NOT IN (SELECT l.actor FROM inbox l WHERE l.state = 'waiting' AND l.lease_until > 0 AND l.lease_until > $1)
    ORDER BY q.next_at, q.id
    LIMIT $3)
RETURNING id, activity_id, type, actor, raw, received_at, attempt

-- name: delivery_claim
UPDATE delivery
SET lease_until = $3, attempt = attempt + 1
WHERE id IN (
    SELECT d.id FROM delivery d
    WHERE d.state = 'waiting' AND d.host = $1 AND d.next_at <= $2 AND d.lease_until <= $2
      AND NOT EXISTS (
        SELECT 1 FROM delivery e
        WHERE e.state = 'waiting' AND e.inbox = d.inbox AND e.order_key = d.order_key AND e.id < d.id)
      AND NOT EXISTS (SELECT 1 FROM host s WHERE s.host = $1 AND s.paused_until > $2)
    ORDER BY d.next_at, d.id
    LIMIT $4)
RETURNING id, host, inbox, order_key, actor, activity_id, attempt, created_at, status

-- name: dispatch_cursor
SELECT n, inbox FROM dispatch_cursor WHERE id = 1
