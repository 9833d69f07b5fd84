-- How this node gets back what it lost, and which others have yet to.

-- name: recovery_counter
SELECT recoveries, recovering FROM counter WHERE id = 1

-- name: recovery_hold
-- Who takes a number after the commit sees it; see take_numbers.
UPDATE counter SET recovering = 1, recoveries = recoveries + 1 WHERE id = 1 AND recovering = 0

-- name: recovery_release
UPDATE counter SET recovering = 0 WHERE id = 1 AND recovering = 1

-- name: recovery_add
INSERT INTO recovery (n, cause, began_at) VALUES ($1, $2, $3)

-- name: recovery_last
SELECT cause, began_at, ended_at, incarnation, head, head_at, items, root, document, recovered, withdrawn
FROM recovery ORDER BY n DESC LIMIT 1

-- name: recovery_head
UPDATE recovery SET incarnation = $2, head = $3, head_at = $4, items = $5, root = $6, document = $7 WHERE n = $1

-- name: recovery_count
UPDATE recovery SET recovered = recovered + $1, withdrawn = withdrawn + $2
WHERE n = (SELECT c.recoveries FROM counter c WHERE c.id = 1)

-- name: recovery_end
UPDATE recovery SET ended_at = $1 WHERE n = (SELECT c.recoveries FROM counter c WHERE c.id = 1) AND ended_at IS NULL

-- name: recovery_sources
SELECT s.host, s.after, s.seen, s.done_at, s.next_at, s.reading, s.reason, CASE WHEN p.gone_at IS NULL THEN 0 ELSE 1 END
FROM recovery_source s LEFT JOIN peer p ON p.host = s.host ORDER BY s.host

-- name: recovery_sources_clear
DELETE FROM recovery_source

-- name: recovery_source_add
-- Whoever holds a later head may name one more: they are bounded.
INSERT INTO recovery_source (host, after, seen, done_at, next_at, reason)
SELECT CAST($1 AS TEXT), '', 0, NULL, CAST($2 AS BIGINT), '' WHERE (SELECT count(*) FROM recovery_source) < 200
ON CONFLICT (host) DO NOTHING

-- name: recovery_source_claim
UPDATE recovery_source SET next_at = $2 WHERE host = $1 AND done_at IS NULL AND next_at <= $3

-- name: recovery_free_leases
-- Who did not answer is asked again at once, too.
UPDATE recovery_source SET next_at = 0 WHERE done_at IS NULL AND next_at > 0

-- name: recovery_hosts
SELECT host FROM peer WHERE state IN ('followed', 'known', 'requested') ORDER BY host

-- name: recovery_source_save
UPDATE recovery_source SET after = $2, seen = $3, done_at = $4, next_at = $5, reading = $6, reason = $7 WHERE host = $1

-- name: recovery_revision
-- What was written here under the same number, before it was known to be lost, stays.
INSERT INTO revision (rid, revision, at, author_id, author_name, state, content) VALUES ($1, $2, $3, 0, $4, $5, $6)
ON CONFLICT (rid, revision) DO NOTHING

-- name: recovery_quiet
-- It was announced when it was published.
INSERT INTO announce (actor, object, state, due_at, created_at) VALUES ($1, $2, 'quiet', $3, $3)
ON CONFLICT (actor, object) DO NOTHING

-- name: sync_behind
UPDATE commons_sync SET behind_at = $2 WHERE host = $1 AND behind_at IS NULL

-- name: sync_ahead
UPDATE commons_sync SET behind_at = NULL WHERE host = $1 AND behind_at IS NOT NULL

-- name: follower_kept
SELECT local, remote, follow_id, inbox, takes FROM follower WHERE state = 'accepted' ORDER BY local, remote

-- name: follower_bring
INSERT INTO follower (local, remote, follow_id, inbox, host, state, created_at, takes)
VALUES ($1, $2, $3, $4, $5, 'accepted', $6, $7)
ON CONFLICT (local, remote) DO NOTHING
