-- name: actor_by_id
SELECT id, type, username, name, url, icon, inbox, shared_inbox, outbox, document, fetched_at, gone, unindexed
FROM actor WHERE id = $1

-- name: actor_by_key
SELECT a.id, a.type, a.username, a.name, a.url, a.icon, a.inbox, a.shared_inbox, a.outbox, a.document, a.fetched_at, a.gone, a.unindexed
FROM actor_key k JOIN actor a ON a.id = k.actor
WHERE k.id = $1

-- name: actor_keys
SELECT id, pem FROM actor_key WHERE actor = $1 ORDER BY id

-- name: actor_save
-- An older copy never replaces a newer one.
INSERT INTO actor (id, type, username, name, url, icon, inbox, shared_inbox, outbox, document, fetched_at, gone, unindexed, tried_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $11, $14)
ON CONFLICT (id) DO UPDATE
SET type = excluded.type, username = excluded.username, name = excluded.name, url = excluded.url, icon = excluded.icon,
    inbox = excluded.inbox, shared_inbox = excluded.shared_inbox, outbox = excluded.outbox,
    document = excluded.document, fetched_at = excluded.fetched_at, gone = excluded.gone,
    unindexed = excluded.unindexed, tried_at = excluded.tried_at, updated_at = excluded.updated_at
WHERE actor.fetched_at <= excluded.fetched_at

-- name: actor_fetched_at
SELECT fetched_at FROM actor WHERE id = $1

-- name: actor_version
SELECT updated_at, document FROM actor WHERE id = $1

-- name: actor_key_save
-- A key id that another actor published first stays that actor's.
INSERT INTO actor_key (id, actor, pem) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET pem = excluded.pem WHERE actor_key.actor = excluded.actor

-- name: actor_key_remove
DELETE FROM actor_key WHERE id = $1 AND actor = $2

-- name: actor_remove
DELETE FROM actor WHERE id = $1

-- name: actor_inbox
SELECT inbox FROM actor WHERE id = $1

-- name: actors_stale
-- Whoever claims them tries them; the next does so later.
UPDATE actor SET tried_at = $2
WHERE id IN (SELECT a.id FROM actor a WHERE a.tried_at < $1 ORDER BY a.tried_at LIMIT $3)
RETURNING id, fetched_at

-- name: actor_linked
-- Whether an actor elsewhere has anything here for which its document is needed:
-- one that is unknown when it deletes itself is not looked for any more.
SELECT 1
WHERE EXISTS (SELECT 1 FROM follower f WHERE f.remote = $1)
   OR EXISTS (SELECT 1 FROM item i WHERE i.actor = $1 AND i.actor <> '')
   OR EXISTS (SELECT 1 FROM reaction r WHERE r.actor = $1)
   OR EXISTS (SELECT 1 FROM inbox b WHERE b.actor = $1 AND b.raw IS NOT NULL)
   OR EXISTS (SELECT 1 FROM quote q WHERE q.actor = $1)
   OR EXISTS (SELECT 1 FROM followed d WHERE d.actor = $1)
   OR EXISTS (SELECT 1 FROM peer p WHERE p.host = $2 AND (p.actor = $1 OR p.territory = $1))

-- name: actor_of_peer
SELECT 1 FROM peer WHERE host = $2 AND (actor = $1 OR territory = $1)

-- name: actor_gone
-- Asked again a day later; then it is forgotten.
UPDATE actor SET gone = 1, tried_at = $2 WHERE id = $1 AND gone = 0

-- name: follower_inbox
UPDATE follower SET inbox = $2, host = $3 WHERE remote = $1 AND inbox <> $2

-- name: avatars_want
-- Only of those whom a page shows.
INSERT INTO avatar (actor, source, file, next_at)
SELECT DISTINCT c.actor, '', '', 0 FROM comment c
WHERE c.shown = 1 AND NOT EXISTS (SELECT 1 FROM avatar v WHERE v.actor = c.actor)
LIMIT $1

-- name: avatars_due
-- Whoever claims them tries them; the next does so later.
UPDATE avatar SET next_at = $2
WHERE actor IN (SELECT v.actor FROM avatar v WHERE v.next_at <= $1 ORDER BY v.next_at LIMIT $3)
RETURNING actor

-- name: avatar_source
-- Where the avatar of an actor that a page shows is; none for others.
SELECT a.icon FROM actor a
WHERE a.id = $1 AND EXISTS (SELECT 1 FROM comment c WHERE c.actor = a.id AND c.shown = 1)

-- name: avatar_save
UPDATE avatar SET source = $2, file = $3, next_at = $4 WHERE actor = $1

-- name: avatar_changed
UPDATE avatar SET next_at = 0 WHERE actor = $1 AND source <> $2 AND source <> ''

-- name: avatar_remove
DELETE FROM avatar WHERE actor = $1

-- name: avatar_named
SELECT 1 FROM avatar WHERE file = $1 AND file <> '' LIMIT 1
