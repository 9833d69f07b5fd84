-- name: peer_list
SELECT p.host, p.state, p.actor, p.territory, p.territory_name, p.username, p.url, p.inbox, p.follow_id, p.followed_at, p.last_received,
    h.last_success, h.down_since, coalesce(h.last_reason, ''),
    coalesce(f.n, 0),
    coalesce(w.n, 0),
    CASE WHEN EXISTS (SELECT 1 FROM follower g WHERE g.local = $1 AND g.remote = p.actor AND g.state = 'accepted') THEN 1 ELSE 0 END,
    coalesce((SELECT k.multikey FROM peer_key k WHERE k.host = p.host AND k.how <> 'contested' AND k.until IS NULL), ''),
    coalesce(c.multikey, ''), c.since, p.gone_at
FROM peer p
LEFT JOIN peer_key c ON c.host = p.host AND c.how = 'contested'
LEFT JOIN host h ON h.host = p.host
LEFT JOIN facet f ON f.facet = 'origin' AND f.value = p.host
LEFT JOIN (SELECT d.host, count(*) AS n FROM delivery d WHERE d.state = 'waiting' GROUP BY d.host) w ON w.host = p.host
ORDER BY p.territory_name, p.host

-- name: peer_by_host
SELECT p.host, p.state, p.actor, p.territory, p.territory_name, p.username, p.url, p.inbox, p.follow_id, p.followed_at, p.last_received,
    h.last_success, h.down_since, coalesce(h.last_reason, ''),
    coalesce(f.n, 0),
    (SELECT count(*) FROM delivery d WHERE d.state = 'waiting' AND d.host = p.host),
    CASE WHEN EXISTS (SELECT 1 FROM follower g WHERE g.local = $1 AND g.remote = p.actor AND g.state = 'accepted') THEN 1 ELSE 0 END,
    coalesce((SELECT k.multikey FROM peer_key k WHERE k.host = p.host AND k.how <> 'contested' AND k.until IS NULL), ''),
    coalesce(c.multikey, ''), c.since, p.gone_at
FROM peer p
LEFT JOIN peer_key c ON c.host = p.host AND c.how = 'contested'
LEFT JOIN host h ON h.host = p.host
LEFT JOIN facet f ON f.facet = 'origin' AND f.value = p.host
WHERE p.host = $2

-- name: peer_unwell
-- And those of which copies are held and that are followed no more.
SELECT p.host, p.state, p.followed_at, p.last_received, h.last_success, h.down_since,
    coalesce(y.reason, ''), y.started_at, y.checked_at, c.since, p.gone_at
FROM peer p
LEFT JOIN peer_key c ON c.host = p.host AND c.how = 'contested'
LEFT JOIN host h ON h.host = p.host
LEFT JOIN commons_sync y ON y.host = p.host
WHERE p.state = 'followed' AND (h.down_since IS NOT NULL OR coalesce(y.reason, '') <> '' OR c.since IS NOT NULL OR p.gone_at IS NOT NULL)
UNION ALL
SELECT f.value, 'known', NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL
FROM facet f
WHERE f.facet = 'origin' AND f.n > 0 AND f.value <> 'here'
  AND NOT EXISTS (SELECT 1 FROM peer p WHERE p.host = f.value AND p.state IN ('requested', 'followed'))

-- name: peer_gone
UPDATE peer SET gone_at = $2 WHERE host = $1 AND state = 'followed'

-- name: copy_received
SELECT received_at FROM record WHERE id = $1

-- name: peer_about_save
INSERT INTO peer_about (host, lat, lon, follows, read_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (host) DO UPDATE SET lat = excluded.lat, lon = excluded.lon, follows = excluded.follows, read_at = excluded.read_at

-- name: peer_about_list
SELECT host, lat, lon, follows FROM peer_about

-- name: peer_about_forget
DELETE FROM peer_about WHERE host = $1

-- name: brought_counts
SELECT value, n FROM facet WHERE facet = $1 AND n > 0 ORDER BY value

-- name: brought_latest
SELECT r.position FROM peer p JOIN record r
    ON r.position = (SELECT max(x.position) FROM record x WHERE x.origin = p.host AND x.state = 'published')

-- name: peer_state
SELECT state FROM peer WHERE host = $1

-- name: peer_inbox
SELECT inbox FROM peer WHERE host = $1 AND state <> 'blocked'

-- name: peer_speaks
SELECT 1 FROM peer WHERE host = $1 AND actor = $2

-- name: peer_follow
-- What a follow that stands already had stays; its id is the newest Follow's.
INSERT INTO peer (host, state, actor, territory, territory_name, username, url, inbox, follow_id, created_at)
VALUES ($1, 'requested', $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (host) DO UPDATE
SET actor = excluded.actor, territory = excluded.territory, territory_name = excluded.territory_name,
    username = excluded.username, url = excluded.url, inbox = excluded.inbox, follow_id = excluded.follow_id,
    state = CASE WHEN peer.state = 'followed' AND peer.actor = excluded.actor THEN 'followed' ELSE 'requested' END

-- name: peer_known
INSERT INTO peer (host, state, actor, territory, territory_name, username, url, inbox, follow_id, created_at)
VALUES ($1, 'known', $2, '', '', $3, $4, $5, '', $6)
ON CONFLICT (host) DO NOTHING

-- name: peer_answered
UPDATE peer
SET state = $3, followed_at = CASE WHEN $3 = 'followed' THEN coalesce(followed_at, $4) ELSE NULL END
WHERE follow_id = $1 AND follow_id <> '' AND actor = $2 AND state IN ('requested', 'followed', 'refused')

-- name: peer_ask_again
UPDATE peer SET state = 'requested', follow_id = $3 WHERE host = $1 AND actor = $2 AND state = 'followed'

-- name: followed_ask_again
UPDATE followed SET state = 'requested', follow_id = $2 WHERE actor = $1 AND state = 'followed'

-- name: our_follow
SELECT p.inbox, p.follow_id, p.state FROM peer p WHERE p.host = $2 AND p.actor = $1
UNION ALL
SELECT f.inbox, f.follow_id, f.state FROM followed f WHERE f.actor = $1
LIMIT 1

-- name: peer_received
-- At most once a second: a burst of records does not rewrite the row each time.
UPDATE peer SET last_received = $2 WHERE host = $1 AND (last_received IS NULL OR last_received < $3)

-- name: peer_remove
DELETE FROM peer WHERE host = $1

-- name: peer_set_state
UPDATE peer SET state = $2 WHERE host = $1

-- name: peer_count_followed
SELECT count(*) FROM peer WHERE state = 'followed'

-- name: peer_hosts
SELECT host FROM peer

-- name: peers_followed
SELECT host FROM peer WHERE state IN ('requested', 'followed')

-- name: peer_block
UPDATE peer SET state = 'blocked' WHERE host = $1

-- name: peer_unblock
UPDATE peer SET state = 'known' WHERE host = $1 AND state = 'blocked'

-- name: measure_add
INSERT INTO block (scope, value, level, reason, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (scope, value) DO UPDATE SET level = excluded.level, reason = excluded.reason, created_at = excluded.created_at

-- name: measure_remove
DELETE FROM block WHERE scope = $1 AND value = $2

-- name: measure_level
SELECT level FROM block WHERE scope = $1 AND value = $2

-- name: measure_list
SELECT scope, value, level, reason, created_at FROM block ORDER BY scope, value

-- name: follower_hosts
SELECT DISTINCT host FROM follower

-- name: delivery_hosts
SELECT DISTINCT host FROM delivery WHERE state = 'waiting'

-- name: actors_present
-- Of whom something is counted or shown.
SELECT actor FROM reaction UNION SELECT actor FROM comment UNION SELECT actor FROM quote

-- name: reaction_mute
UPDATE reaction SET muted = $2 WHERE actor = $1 AND muted <> $2

-- name: comment_mute
UPDATE comment
SET shown = CASE WHEN $2 = 0 AND EXISTS (SELECT 1 FROM item i WHERE i.n = comment.n AND i.state = 'accepted') THEN 1 ELSE 0 END
WHERE actor = $1
