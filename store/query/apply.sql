-- name: follower_add
-- An accepted follow stays accepted when it is asked for again.
INSERT INTO follower (local, remote, follow_id, inbox, host, state, created_at, takes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (local, remote) DO UPDATE
SET follow_id = excluded.follow_id, inbox = excluded.inbox, host = excluded.host, takes = excluded.takes,
    state = CASE WHEN follower.state = 'accepted' THEN follower.state ELSE excluded.state END
RETURNING state

-- name: follower_accept
UPDATE follower SET state = 'accepted' WHERE local = $1 AND remote = $2 AND state = 'pending'

-- name: follower_remove
DELETE FROM follower WHERE local = $1 AND remote = $2 AND ($3 = '' OR follow_id = $3)

-- name: follower_remove_by_id
DELETE FROM follower WHERE remote = $1 AND follow_id = $2

-- name: follower_remove_actor
DELETE FROM follower WHERE remote = $1

-- name: follower_replace
-- Who moved here from another account follows once, under the new one.
DELETE FROM follower
WHERE local = $1 AND remote IN (SELECT m.actor FROM moved m WHERE m.target = $2)

-- name: follows_here
SELECT 1 FROM follower WHERE remote = $1 LIMIT 1

-- name: followed_by
SELECT local FROM follower WHERE remote = $1

-- name: moved_lately
SELECT 1 FROM moved WHERE actor = $1 AND at > $2

-- name: moved_save
INSERT INTO moved (actor, target, at) VALUES ($1, $2, $3)
ON CONFLICT (actor) DO UPDATE SET target = excluded.target, at = excluded.at

-- name: moved_remove_actor
DELETE FROM moved WHERE actor = $1

-- name: follower_remove_inbox
DELETE FROM follower WHERE inbox = $1

-- name: follower_remove_host
DELETE FROM follower WHERE host = $1

-- name: follower_page
SELECT remote FROM follower
WHERE local = $1 AND state = 'accepted' AND remote > $2
ORDER BY remote LIMIT $3

-- name: followers_at
SELECT remote FROM follower
WHERE local = $1 AND host = $2 AND state = 'accepted'
ORDER BY remote LIMIT $3

-- name: follower_pending
SELECT local, remote, follow_id, inbox, created_at FROM follower
WHERE state = 'pending' ORDER BY created_at, local, remote LIMIT $1

-- name: follower_inbox_used
SELECT 1 FROM follower WHERE inbox = $1 LIMIT 1

-- name: published_here
SELECT 1 FROM record WHERE id = $1 AND origin = '' AND state = 'published'

-- name: replica_context
-- What decides whether a peer's record is wanted: the state of the peer, and
-- whether its tombstone stands, or one of this node's own.
SELECT coalesce((SELECT p.state FROM peer p WHERE p.host = $1), ''),
    CASE WHEN EXISTS (SELECT 1 FROM tombstone t WHERE t.id = $2) THEN 1 ELSE 0 END,
    CASE WHEN EXISTS (SELECT 1 FROM withdrawal w WHERE w.id = $2) THEN 1 ELSE 0 END

-- name: tombstone_stands
SELECT 1 FROM tombstone WHERE id = $1

-- name: reaction_add
INSERT INTO reaction (kind, object, actor, activity_id, at, muted) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING

-- name: reaction_remove_by_id
DELETE FROM reaction WHERE activity_id = $1 AND actor = $2 RETURNING object || ' ' || kind || ' ' || actor

-- name: reaction_remove
DELETE FROM reaction WHERE object = $1 AND kind = $2 AND actor = $3 RETURNING object || ' ' || kind || ' ' || actor

-- name: reaction_remove_actor
DELETE FROM reaction WHERE actor = $1

-- name: reactions_erase
DELETE FROM reaction WHERE object = $1

-- name: reaction_count
SELECT count(*) FROM reaction WHERE object = $1 AND kind = $2 AND muted = 0

-- name: quote_add
-- A stamp stays as it was signed: others may hold its bytes.
INSERT INTO quote (id, object, post, actor, stamp, at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO NOTHING

-- name: quote_stamp
SELECT stamp FROM quote WHERE id = $1

-- name: quote_revoke
-- The post that quotes is deleted by its author.
DELETE FROM quote WHERE post = $1 AND actor = $2

-- name: quotes_of_post
DELETE FROM quote WHERE post = $1

-- name: quotes_erase
DELETE FROM quote WHERE object = $1

-- name: quote_remove_actor
DELETE FROM quote WHERE actor = $1
