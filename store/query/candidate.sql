-- Accounts elsewhere that the node follows, and what they bring.

-- name: followed_follow
-- What a follow that stands already had stays; its id is the newest Follow's.
INSERT INTO followed (actor, handle, name, url, inbox, state, follow_id, agreed, created_at)
VALUES ($1, $2, $3, $4, $5, 'requested', $6, $7, $8)
ON CONFLICT (actor) DO UPDATE
SET handle = excluded.handle, name = excluded.name, url = excluded.url, inbox = excluded.inbox, follow_id = excluded.follow_id,
    agreed = excluded.agreed, state = CASE WHEN followed.state = 'followed' THEN 'followed' ELSE 'requested' END

-- name: followed_moved
INSERT INTO followed (actor, handle, name, url, inbox, state, follow_id, agreed, created_at)
VALUES ($1, $2, $3, $4, $5, 'requested', $6, '', $7)
ON CONFLICT (actor) DO NOTHING

-- name: followed_list
SELECT actor, handle, name, url, inbox, state, follow_id, agreed, followed_at,
    (SELECT count(*) FROM candidate c WHERE c.brought_by = followed.actor)
FROM followed ORDER BY handle

-- name: followed_by_actor
SELECT actor, handle, name, url, inbox, state, follow_id, agreed, followed_at,
    (SELECT count(*) FROM candidate c WHERE c.brought_by = followed.actor)
FROM followed WHERE actor = $1

-- name: followed_answered
UPDATE followed
SET state = $3, followed_at = CASE WHEN $3 = 'followed' THEN coalesce(followed_at, $4) ELSE NULL END
WHERE follow_id = $1 AND follow_id <> '' AND actor = $2

-- name: followed_actors
SELECT actor FROM followed

-- name: followed_remove
DELETE FROM followed WHERE actor = $1

-- name: candidate_context
-- What decides about an object: whether the account or the node that brought it
-- is followed, what its author agreed to and is called, whether it refuses to be
-- indexed, and whether the object is deleted.
SELECT
    CASE WHEN EXISTS (SELECT 1 FROM followed f WHERE f.actor = $2 AND f.state IN ('followed', 'requested'))
        OR EXISTS (SELECT 1 FROM peer p WHERE p.host = $4 AND p.state IN ('followed', 'requested')) THEN 1 ELSE 0 END,
    coalesce((SELECT f.agreed FROM followed f WHERE f.actor = $3), ''),
    coalesce((SELECT a.name FROM actor a WHERE a.id = $3), ''),
    coalesce((SELECT a.unindexed FROM actor a WHERE a.id = $3), 0),
    CASE WHEN EXISTS (SELECT 1 FROM tombstone t WHERE t.id = $1) OR EXISTS (SELECT 1 FROM withdrawal w WHERE w.id = $1) THEN 1 ELSE 0 END

-- name: candidate_by_object
SELECT object, record, author, brought_by, announce, updated_at FROM candidate WHERE object = $1

-- name: candidates_of_record
SELECT object, record, author, brought_by, announce, updated_at FROM candidate WHERE record = $1

-- name: candidates_of_author
SELECT object, record, author, brought_by, announce, updated_at FROM candidate WHERE author = $1

-- name: candidate_announced
SELECT object, record, author, brought_by, announce, updated_at FROM candidate
WHERE announce <> '' AND announce = $1 AND brought_by = $2
UNION ALL
SELECT object, record, author, brought_by, announce, updated_at FROM candidate
WHERE brought_by = $2 AND object = $3 AND announce <> '' AND announce <> $1

-- name: candidates_brought
-- Those that wait, as far as they are counted.
SELECT count(*) FROM (
    SELECT 1 FROM candidate c JOIN record r ON r.id = c.record
    WHERE c.brought_by = $1 AND r.state = 'candidate' LIMIT $2) w

-- name: candidate_insert
INSERT INTO candidate (object, record, author, brought_by, announce, updated_at, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: candidate_changed
UPDATE candidate SET updated_at = $2, received_at = $3 WHERE object = $1

-- name: candidate_author
UPDATE candidate SET author = $2 WHERE object = $1

-- name: candidate_moved
UPDATE candidate SET record = $2 WHERE object = $1

-- name: candidate_remove
DELETE FROM candidate WHERE object = $1

-- name: wanted_add
-- What is wanted for itself is not wanted less because it is said to be deleted.
INSERT INTO wanted (object, host, brought_by, announce, attempt, next_at, lease_until, deleted)
VALUES ($1, $2, $3, $4, 0, $5, 0, $6)
ON CONFLICT (object) DO UPDATE SET deleted = 0 WHERE wanted.deleted = 1 AND excluded.deleted = 0

-- name: wanted_of_host
-- What accounts of one host named and waits, as far as it is counted.
SELECT count(*) FROM (SELECT 1 FROM wanted WHERE brought_by >= $1 AND brought_by < $2 LIMIT $3) w

-- name: gathered_name
-- A host's accounts name one object more: when it is due. $3 is how far each counts,
-- $4 the time between two at least, $5 how far what was named before may reach.
INSERT INTO gathered (host, due_at, spent_at, rest_until)
VALUES ($1, CAST($2 AS BIGINT), CAST($2 AS BIGINT) + CAST($3 AS BIGINT), 0)
ON CONFLICT (host) DO UPDATE
SET due_at = (SELECT max(t.at) FROM (
        SELECT CAST($2 AS BIGINT) AS at UNION ALL SELECT gathered.due_at + CAST($4 AS BIGINT) UNION ALL SELECT gathered.spent_at - CAST($5 AS BIGINT)) t),
    spent_at = CASE WHEN gathered.spent_at > CAST($2 AS BIGINT) THEN gathered.spent_at ELSE CAST($2 AS BIGINT) END + CAST($3 AS BIGINT)
RETURNING due_at

-- name: gathered_rest
INSERT INTO gathered (host, due_at, spent_at, rest_until) VALUES ($1, 0, 0, $2)
ON CONFLICT (host) DO UPDATE SET rest_until = excluded.rest_until

-- name: tidy_gathered
DELETE FROM gathered WHERE host IN (SELECT g.host FROM gathered g WHERE g.spent_at < $1 AND g.rest_until < $1 LIMIT $2)

-- name: wanted_due
SELECT object FROM wanted w
WHERE w.next_at <= $1 AND w.lease_until <= $1
    AND NOT EXISTS (SELECT 1 FROM wanted o WHERE o.host = w.host AND o.lease_until > 0 AND o.lease_until > $1)
    AND NOT EXISTS (SELECT 1 FROM gathered g WHERE g.host = w.host AND g.rest_until > $1)
ORDER BY w.next_at, w.object LIMIT 1

-- name: wanted_claim
-- One of a host at a time: a host that hangs holds up nobody but itself.
UPDATE wanted SET lease_until = $3, attempt = attempt + 1
WHERE object = $1 AND lease_until <= $2
RETURNING object, brought_by, announce, attempt, deleted

-- name: wanted_free_leases
UPDATE wanted SET lease_until = 0 WHERE lease_until > 0

-- name: wanted_later
UPDATE wanted SET lease_until = 0, next_at = $3 WHERE object = $1 AND attempt = $2

-- name: wanted_remove
DELETE FROM wanted WHERE object = $1

-- name: wanted_remove_brought
DELETE FROM wanted WHERE brought_by = $1

-- name: wanted_remove_announced
DELETE FROM wanted WHERE announce <> '' AND brought_by = $2 AND (announce = $1 OR object = $3)

-- name: candidate_item
UPDATE item SET excerpt = $2 WHERE kind = 'candidate' AND ref = $1

-- name: item_moved
UPDATE item SET about = $3 WHERE kind = $1 AND ref = $2

-- name: item_opened
UPDATE item SET state = $2
WHERE kind = 'candidate' AND ref IN (SELECT object FROM candidate WHERE record = $1) AND state = 'held'
