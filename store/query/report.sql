-- name: report_add
INSERT INTO report (id, n, host, contact, objects, text, received_at, digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: report_known
SELECT 1 FROM report WHERE id = $1

-- name: report_waits
-- What a server reports again and again waits once.
SELECT 1 FROM item i JOIN report r ON r.n = i.n
WHERE i.kind = 'report' AND i.state = 'held' AND i.about = $1 AND r.host = $2 AND r.objects = $3
LIMIT 1

-- name: reports_held
-- Those of a server that wait, as far as they are counted.
SELECT count(*) FROM (
    SELECT 1 FROM report r JOIN item i ON i.n = r.n WHERE r.host = $1 AND r.host <> '' AND i.state = 'held' LIMIT $2) w

-- name: report_by_id
SELECT id, host, contact, objects, text, received_at, digest FROM report WHERE id = $1

-- name: receipt
SELECT r.id, i.state, r.received_at FROM report r JOIN item i ON i.n = r.n WHERE r.id = $1

-- name: receipt_decision
SELECT at, reason FROM decision WHERE subject = $1 AND kind = 'report' ORDER BY n DESC LIMIT 1

-- name: tidy_reports
UPDATE report SET contact = '' WHERE contact <> '' AND received_at < $1

-- name: reports_over
-- Came and were decided before $1.
SELECT r.id FROM report r JOIN item i ON i.n = r.n
WHERE r.received_at < $1 AND i.state <> 'held'
  AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.subject = r.id AND d.kind = 'report' AND d.at >= $1)
ORDER BY r.received_at LIMIT $2

-- name: delivery_drop_refused
-- What one local actor has waiting for another's own inbox.
UPDATE delivery SET state = 'dropped', reason = 'it blocks us', done_at = $3, lease_until = 0
WHERE inbox = $1 AND actor = $2 AND state = 'waiting'

-- name: peer_refuses
UPDATE peer SET state = 'refused', followed_at = NULL WHERE host = $1 AND actor = $2 AND state IN ('requested', 'followed')
