-- name: queue_deliveries
-- Waiting ones by host, then by when they are due.
SELECT d.id, d.host, d.inbox, d.actor, d.activity_id, coalesce(a.type, ''), d.order_key, d.state, d.attempt, d.next_at, d.status, d.reason, d.created_at, d.done_at
FROM delivery d LEFT JOIN activity a ON a.id = d.activity_id
WHERE d.state = 'waiting' AND (d.host, d.next_at, d.id) > ($1, $2, $3) AND ($4 = '' OR d.host = $4)
ORDER BY d.host, d.next_at, d.id LIMIT $5

-- name: queue_deliveries_ended
SELECT d.id, d.host, d.inbox, d.actor, d.activity_id, coalesce(a.type, ''), d.order_key, d.state, d.attempt, d.next_at, d.status, d.reason, d.created_at, d.done_at
FROM delivery d LEFT JOIN activity a ON a.id = d.activity_id
WHERE d.state <> 'waiting' AND d.state = $1 AND (d.done_at, d.id) > ($2, $3) AND ($4 = '' OR d.host = $4)
ORDER BY d.done_at, d.id LIMIT $5

-- name: queue_delivery
SELECT d.id, d.host, d.inbox, d.actor, d.activity_id, coalesce(a.type, ''), d.order_key, d.state, d.attempt, d.next_at, d.status, d.reason, d.created_at, d.done_at
FROM delivery d LEFT JOIN activity a ON a.id = d.activity_id
WHERE d.id = $1

-- name: queue_delivery_retry
-- What a try before its time is answered is no second answer.
UPDATE delivery
SET state = 'waiting', next_at = $2, done_at = NULL, status = CASE WHEN state = 'waiting' THEN 0 ELSE status END
WHERE id = $1 AND state IN ('waiting', 'failed')
  AND EXISTS (SELECT 1 FROM activity a WHERE a.id = delivery.activity_id AND a.bytes IS NOT NULL)

-- name: queue_delivery_drop
UPDATE delivery SET state = 'dropped', reason = CASE WHEN reason = '' THEN 'dropped' ELSE 'dropped; ' || reason END, done_at = $2, lease_until = 0
WHERE id = $1 AND state IN ('waiting', 'failed')

-- name: queue_inbound
SELECT i.id, i.activity_id, i.type, i.actor, i.state, i.attempt, i.next_at, i.reason, i.received_at, i.done_at
FROM inbox i
WHERE i.state = 'waiting' AND (i.next_at, i.id) > ($1, $2)
ORDER BY i.next_at, i.id LIMIT $3

-- name: queue_inbound_ended
SELECT i.id, i.activity_id, i.type, i.actor, i.state, i.attempt, i.next_at, i.reason, i.received_at, i.done_at
FROM inbox i
WHERE i.state <> 'waiting' AND i.state = $1 AND (i.done_at, i.id) > ($2, $3)
ORDER BY i.done_at, i.id LIMIT $4

-- name: queue_inbound_retry
UPDATE inbox SET state = 'waiting', next_at = $2, done_at = NULL
WHERE id = $1 AND state IN ('waiting', 'failed') AND raw IS NOT NULL

-- name: queue_inbound_drop
UPDATE inbox SET state = 'ignored', reason = CASE WHEN reason = '' THEN 'dropped' ELSE 'dropped; ' || reason END, done_at = $2, lease_until = 0
WHERE id = $1 AND state IN ('waiting', 'failed')

-- name: queue_size
SELECT
    (SELECT count(*) FROM delivery d WHERE d.state = 'waiting'),
    (SELECT count(*) FROM delivery d WHERE d.state <> 'waiting' AND d.state = 'failed'),
    (SELECT count(*) FROM inbox i WHERE i.state = 'waiting'),
    (SELECT count(*) FROM inbox i WHERE i.state <> 'waiting' AND i.state = 'failed')

-- name: tidy_direct
-- Nothing of a record's has a receiver. What waits keeps its bytes, and what
-- failed: an administrator may send it again.
DELETE FROM activity WHERE id IN (
    SELECT a.id FROM activity a
    WHERE a.receiver IS NOT NULL AND a.at < $1
      AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.activity_id = a.id AND d.state IN ('waiting', 'failed'))
    ORDER BY a.at LIMIT $2)

-- name: tidy_tombstones
-- Of strangers: not of what is a record here, nor of nodes that we follow.
DELETE FROM tombstone WHERE id IN (
    SELECT t.id FROM tombstone t
    WHERE t.document IS NULL AND t.origin <> '' AND t.at < $1
      AND NOT EXISTS (SELECT 1 FROM record r WHERE r.id = t.id)
      AND NOT EXISTS (SELECT 1 FROM peer p WHERE p.host = t.origin AND p.state IN ('requested', 'followed'))
    ORDER BY t.at LIMIT $2)

-- name: deliveries_forget
DELETE FROM delivery WHERE activity_id IN (SELECT a.id FROM activity a WHERE a.receiver IS NOT NULL AND a.receiver = $1)

-- name: direct_forget
DELETE FROM activity WHERE receiver IS NOT NULL AND receiver = $1

-- name: tidy_deliveries
DELETE FROM delivery WHERE id IN (
    SELECT d.id FROM delivery d WHERE d.state <> 'waiting' AND d.state IN ('done', 'dropped') AND d.done_at < $1 LIMIT $2)
