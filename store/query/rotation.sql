-- name: rotation_list
SELECT old_key, new_key, at, statement FROM rotation ORDER BY n

-- name: rotation_add
INSERT INTO rotation (n, old_key, new_key, at, statement, reached)
SELECT coalesce(max(n), 0) + 1, $1, $2, $3, $4, 0 FROM rotation

-- name: rotation_fingerprint
UPDATE node SET key_fingerprint = $2 WHERE id = 1 AND key_fingerprint = $1

-- name: rotation_left
SELECT 1 FROM rotation WHERE done_at IS NULL LIMIT 1

-- name: rotation_open
SELECT n, reached FROM rotation WHERE done_at IS NULL ORDER BY n DESC LIMIT 1

-- name: rotation_records
SELECT rid, id FROM record
WHERE rid > $1 AND origin = '' AND state IN ('published', 'withdrawn')
ORDER BY rid LIMIT $2

-- name: rotation_document
SELECT coalesce(r.document, t.document), a.bytes
FROM record r LEFT JOIN tombstone t ON t.id = r.id LEFT JOIN activity a ON a.id = r.activity_id
WHERE r.rid = $1

-- name: rotation_record
UPDATE record SET document = $2, copy_digest = $3 WHERE rid = $1

-- name: rotation_withdrawn
UPDATE record SET copy_digest = $2 WHERE rid = $1

-- name: rotation_tombstone
UPDATE tombstone SET document = $2 WHERE id = $1

-- name: rotation_activity
UPDATE activity SET bytes = $2 WHERE id = $1 AND bytes IS NOT NULL

-- name: rotation_reached
UPDATE rotation SET reached = $2 WHERE n = $1

-- name: rotation_done
-- Those before are done with it: it signed everything.
UPDATE rotation SET done_at = $2 WHERE n <= $1 AND done_at IS NULL

-- name: rotation_waiting
SELECT DISTINCT a.id, a.bytes FROM delivery d JOIN activity a ON a.id = d.activity_id
WHERE d.state = 'waiting' AND a.bytes IS NOT NULL AND a.id > $1
ORDER BY a.id LIMIT $2

-- name: rotation_tombstones
-- Of this node, those that are not of a record or an actor known here.
SELECT c.key, c.id, c.digest, coalesce(c.document, t.document), CASE WHEN c.document IS NULL THEN 0 ELSE 1 END
FROM commons c LEFT JOIN tombstone t ON t.id = c.id
WHERE c.origin = '' AND c.key > $1 AND c.sort = 'tombstone' AND c.digest <> ''
  AND NOT EXISTS (SELECT 1 FROM record r WHERE r.id = c.id) AND NOT EXISTS (SELECT 1 FROM local_actor a WHERE a.id = c.id)
ORDER BY c.key LIMIT $2
