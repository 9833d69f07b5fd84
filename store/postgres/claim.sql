-- name: lock_inbox
-- Claims of the inbox come one after the other, over all processes: each sees
-- the leases of the one before, which SKIP LOCKED alone would not show it.
SELECT pg_advisory_xact_lock(712140473)

-- name: lock_objects
-- A Create and the Delete of the same object never pass each other. All of a
-- batch are locked at once and in order, so that two batches never wait for one
-- another.
SELECT count(pg_advisory_xact_lock(o.k)) FROM (SELECT k FROM unnest(string_to_array($1, ',')::bigint[]) AS k ORDER BY k) o

-- name: lock_alone
-- Each process that listens shares this lock for as long as its connection stands,
-- which ends with the process, however that ends (store/notify.go).
SELECT CASE WHEN pg_try_advisory_xact_lock(712140474) THEN 1 ELSE 0 END

-- name: lock_peer
-- Whoever removes the peer waits, and then finds what was noted of it meanwhile.
SELECT state FROM peer WHERE host = $1 FOR KEY SHARE

-- name: inbox_claim
-- An actor with a row under lease is left alone, so that its activities are
-- applied in the order in which they came.
WITH due AS MATERIALIZED (
    SELECT q.id FROM inbox q
    WHERE q.state = 'waiting' AND q.next_at <= $1 AND q.lease_until <= $1
      AND q.actor NOT IN (SELECT l.actor FROM inbox l WHERE l.state = 'waiting' AND l.lease_until > 0 AND l.lease_until > $1)
    ORDER BY q.next_at, q.id
    LIMIT $3
    FOR UPDATE SKIP LOCKED)
UPDATE inbox
SET lease_until = $2, attempt = attempt + 1
WHERE id IN (SELECT id FROM due)
RETURNING id, activity_id, type, actor, raw, received_at, attempt

-- name: delivery_claim
-- The earliest of its object is asked for, and not that no earlier one exists: as a
-- join, a plan made while the queue was empty reads the whole of it for each row
-- once it is full.
WITH due AS MATERIALIZED (
    SELECT d.id FROM delivery d
    WHERE d.state = 'waiting' AND d.host = $1 AND d.next_at <= $2 AND d.lease_until <= $2
      AND d.id = (SELECT e.id FROM delivery e WHERE e.state = 'waiting' AND e.inbox = d.inbox AND e.order_key = d.order_key ORDER BY e.id LIMIT 1)
      AND NOT EXISTS (SELECT 1 FROM host s WHERE s.host = $1 AND s.paused_until > $2)
    ORDER BY d.next_at, d.id
    LIMIT $4
    FOR UPDATE SKIP LOCKED)
UPDATE delivery
SET lease_until = $3, attempt = attempt + 1
WHERE id IN (SELECT id FROM due)
RETURNING id, host, inbox, order_key, actor, activity_id, attempt, created_at, status

-- name: dispatch_cursor
SELECT n, inbox FROM dispatch_cursor WHERE id = 1 FOR UPDATE
