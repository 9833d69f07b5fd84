-- name: activity_direct
INSERT INTO activity (id, type, actor, receiver, bytes, at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO NOTHING

-- name: activity_by_id
-- What is between two actors is nobody else's to read (ActivityPub 3.2).
SELECT bytes, at FROM activity WHERE id = $1 AND receiver IS NULL

-- name: activity_to_send
SELECT type, bytes FROM activity WHERE id = $1

-- name: delivery_add
INSERT INTO delivery (activity_id, actor, host, inbox, order_key, n, state, attempt, next_at, lease_until, status, reason, created_at)
VALUES ($1, $2, $3, $4, $5, 0, 'waiting', 0,
    coalesce((SELECT max(e.next_at) FROM delivery e WHERE e.state = 'waiting' AND e.inbox = $4 AND e.order_key = $5), $6),
    0, 0, '', $6)

-- name: mention_inbox
SELECT CASE WHEN shared_inbox = '' THEN inbox ELSE shared_inbox END FROM actor WHERE id = $1 AND gone = 0

-- name: delivery_mention
INSERT INTO delivery (activity_id, actor, host, inbox, order_key, n, state, attempt, next_at, lease_until, status, reason, created_at)
SELECT $1, $2, $3, $4, $5, CAST($6 AS BIGINT), 'waiting', 0,
    coalesce((SELECT max(e.next_at) FROM delivery e WHERE e.state = 'waiting' AND e.inbox = $4 AND e.order_key = $5), CAST($7 AS BIGINT)),
    0, 0, '', CAST($7 AS BIGINT)
WHERE NOT EXISTS (SELECT 1 FROM follower f WHERE f.local IN ($2, $8) AND f.state = 'accepted' AND f.inbox = $4)
  AND NOT EXISTS (
    SELECT 1 FROM announce x CROSS JOIN follower f
    WHERE x.object = $5 AND x.state = 'sent' AND f.local = x.actor AND f.state = 'accepted' AND f.inbox = $4)

-- name: delivery_finish
UPDATE delivery
SET state = $3, next_at = $4, status = $5, reason = $6, done_at = $7, lease_until = 0
WHERE id = $1 AND attempt = $2 AND state = 'waiting'

-- name: delivery_give_back
-- Not tried, so the attempt is not counted. The lease tells the claim apart from
-- a later one with the same attempt.
UPDATE delivery
SET attempt = attempt - 1, next_at = $4, reason = CASE WHEN $5 = '' THEN reason ELSE $5 END, lease_until = 0
WHERE id = $1 AND attempt = $2 AND lease_until = $3 AND state = 'waiting'

-- name: delivery_behind
-- What waits behind a delivery that will be tried again is not due before it.
UPDATE delivery
SET next_at = $2
WHERE state = 'waiting' AND next_at < $2 AND id > $1
  AND inbox = (SELECT inbox FROM delivery WHERE id = $1)
  AND order_key = (SELECT order_key FROM delivery WHERE id = $1)

-- name: delivery_overtake
-- $1 is a claimed Update that waited long: when a newer version waits behind it,
-- it and the versions between are dropped.
UPDATE delivery
SET state = 'dropped', reason = 'overtaken by a newer version', done_at = $2, lease_until = 0
WHERE state = 'waiting' AND inbox = $3 AND order_key = $4 AND id >= $1
  AND activity_id IN (SELECT a.id FROM activity a WHERE a.id = delivery.activity_id AND a.type = 'Update')
  AND EXISTS (
    SELECT 1 FROM delivery l JOIN activity b ON b.id = l.activity_id
    WHERE l.state = 'waiting' AND l.inbox = $3 AND l.order_key = $4 AND l.id > delivery.id AND b.type IN ('Update', 'Delete'))

-- name: delivery_erased
UPDATE delivery
SET state = 'dropped', reason = 'its content is erased', done_at = $2, lease_until = 0
WHERE id = $1

-- name: delivery_drop_inbox
UPDATE delivery
SET state = 'dropped', reason = 'its receiver is deleted', done_at = $2, lease_until = 0
WHERE state = 'waiting' AND inbox = $1

-- name: delivery_drop_host
UPDATE delivery
SET state = 'dropped', reason = 'its host is blocked', done_at = $2, lease_until = 0
WHERE id IN (SELECT d.id FROM delivery d WHERE d.state = 'waiting' AND d.host = $1 LIMIT $3)

-- name: delivery_free_leases
UPDATE delivery SET lease_until = 0 WHERE state = 'waiting' AND lease_until > 0

-- name: delivery_wake
-- Not what an inbox answered 410 to, nor what was made before $4 and last refused as
-- misplaced (federation/backoff.go): such have one more try, at its time, whoever speaks.
UPDATE delivery
SET next_at = $2
WHERE id IN (
    SELECT d.id FROM delivery d
    WHERE d.state = 'waiting' AND d.host = $1 AND d.next_at > $2 AND d.status <> 410
      AND NOT (d.created_at < $4 AND (d.status BETWEEN 300 AND 399 OR d.status IN (401, 403, 404, 405)))
    ORDER BY d.next_at, d.id LIMIT $3)

-- name: host_due
-- A loose index scan: from one waiting host to the next, never over all rows, also
-- by a plan of PostgreSQL that was made while there were none (see delivery_claim).
WITH RECURSIVE h (host) AS (
    SELECT (SELECT d.host FROM delivery d WHERE d.state = 'waiting' AND d.host > '' ORDER BY d.host LIMIT 1)
    UNION ALL
    SELECT (SELECT d.host FROM delivery d WHERE d.state = 'waiting' AND d.host > h.host ORDER BY d.host LIMIT 1)
    FROM h WHERE h.host IS NOT NULL
), due AS (
    SELECT h.host, (
        SELECT d.next_at FROM delivery d
        WHERE d.state = 'waiting' AND d.host = h.host AND d.next_at <= $1 AND d.lease_until <= $1
          AND d.id = (SELECT e.id FROM delivery e WHERE e.state = 'waiting' AND e.inbox = d.inbox AND e.order_key = d.order_key ORDER BY e.id LIMIT 1)
        ORDER BY d.next_at, d.id LIMIT 1) AS at,
        s.next_at, s.failures, s.down_since, s.last_success, s.last_reason, s.rfc9421, s.paused_until, s.failed_at
    FROM h LEFT JOIN host s ON s.host = h.host
    WHERE h.host IS NOT NULL AND (s.next_at IS NULL OR s.next_at <= $1)
)
SELECT host, coalesce(next_at, 0), coalesce(failures, 0), down_since, last_success, coalesce(last_reason, ''), coalesce(rfc9421, 0), coalesce(paused_until, 0), failed_at
FROM due WHERE at IS NOT NULL
ORDER BY at, host LIMIT $2

-- name: host_waiting
WITH RECURSIVE h (host) AS (
    SELECT (SELECT d.host FROM delivery d WHERE d.state = 'waiting' AND d.host > '' ORDER BY d.host LIMIT 1)
    UNION ALL
    SELECT (SELECT d.host FROM delivery d WHERE d.state = 'waiting' AND d.host > h.host ORDER BY d.host LIMIT 1)
    FROM h WHERE h.host IS NOT NULL
)
SELECT h.host FROM h WHERE h.host IS NOT NULL

-- name: host_save
-- Another process may have heard that the host asks for a pause: the later one holds,
-- and nothing is due before it.
INSERT INTO host (host, next_at, failures, down_since, last_success, last_reason, rfc9421, paused_until, failed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (host) DO UPDATE
SET next_at = CASE WHEN excluded.next_at < host.paused_until THEN host.paused_until ELSE excluded.next_at END,
    failures = excluded.failures, down_since = excluded.down_since,
    last_success = coalesce(excluded.last_success, host.last_success),
    last_reason = excluded.last_reason, rfc9421 = excluded.rfc9421,
    paused_until = CASE WHEN excluded.paused_until < host.paused_until THEN host.paused_until ELSE excluded.paused_until END,
    failed_at = coalesce(excluded.failed_at, host.failed_at)

-- name: host_wake
UPDATE host SET next_at = paused_until WHERE host = $1 AND next_at > $2

-- name: host_wake_for
-- By hand, which ends a pause too.
UPDATE host SET next_at = 0, paused_until = 0 WHERE host = (SELECT d.host FROM delivery d WHERE d.id = $1) AND next_at > $2

-- name: dispatch_next
SELECT e.n, e.activity_id, e.actor, e.order_key, coalesce(a.type, '')
FROM event e LEFT JOIN activity a ON a.id = e.activity_id
WHERE e.n > $1 ORDER BY e.n LIMIT $2

-- name: dispatch_move
UPDATE dispatch_cursor SET n = $1, inbox = $2 WHERE id = 1

-- name: dispatch_fan
-- One row for each distinct inbox after $5, unless the content is erased: of the
-- followers of $3 and, but for those that take $7, of $4; none that a follower of
-- $8 has; and of the followers of those that announced $9. Behind a delivery that waits for another try, the new one is not due
-- before it.
INSERT INTO delivery (activity_id, actor, host, inbox, order_key, n, state, attempt, next_at, lease_until, status, reason, created_at)
SELECT a.id, e.actor, f.host, f.inbox, e.order_key, e.n, 'waiting', 0,
    coalesce((SELECT max(d.next_at) FROM delivery d WHERE d.state = 'waiting' AND d.inbox = f.inbox AND d.order_key = e.order_key), $2),
    0, 0, '', CAST($2 AS BIGINT)
FROM event e
JOIN activity a ON a.id = e.activity_id AND a.bytes IS NOT NULL
CROSS JOIN (
    SELECT t.inbox AS inbox, min(t.host) AS host FROM (
        SELECT w.inbox, w.host FROM follower w
        WHERE w.local IN ($3, $4) AND w.state = 'accepted' AND w.inbox > $5
          AND (w.takes <> $7 OR w.local = $3 AND $3 <> $4)
          AND NOT EXISTS (SELECT 1 FROM follower x WHERE x.local = $8 AND x.state = 'accepted' AND x.inbox = w.inbox)
        UNION ALL
        SELECT v.inbox, v.host FROM announce y CROSS JOIN follower v
        WHERE y.object = $9 AND y.state = 'sent' AND v.local = y.actor AND v.state = 'accepted' AND v.inbox > $5) t
    GROUP BY t.inbox ORDER BY t.inbox LIMIT $6) f
WHERE e.n = $1

-- name: dispatch_reached
SELECT max(f.inbox) FROM (
    SELECT t.inbox FROM (
        SELECT w.inbox FROM follower w
        WHERE w.local IN ($1, $2) AND w.state = 'accepted' AND w.inbox > $3
          AND (w.takes <> $5 OR w.local = $1 AND $1 <> $2)
          AND NOT EXISTS (SELECT 1 FROM follower x WHERE x.local = $6 AND x.state = 'accepted' AND x.inbox = w.inbox)
        UNION ALL
        SELECT v.inbox FROM announce y CROSS JOIN follower v
        WHERE y.object = $7 AND y.state = 'sent' AND v.local = y.actor AND v.state = 'accepted' AND v.inbox > $3) t
    GROUP BY t.inbox ORDER BY t.inbox LIMIT $4) f

-- name: dispatch_due
SELECT 1 FROM event e WHERE e.n > (SELECT c.n FROM dispatch_cursor c WHERE c.id = 1) LIMIT 1
