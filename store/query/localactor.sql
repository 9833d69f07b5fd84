-- Actors of this node, and what they announce.

-- name: name_ref
SELECT ref FROM name WHERE space = $1 AND name = $2

-- name: name_forget
-- The name stays allotted, to nobody.
UPDATE name SET ref = '' WHERE space = 'actor' AND name = $1

-- name: name_keep
-- Of an actor that is gone: nobody's.
INSERT INTO name (space, name, ref, created_at) VALUES ($1, $2, '', $3)
ON CONFLICT (space, name) DO NOTHING

-- name: actor_name
SELECT name FROM name WHERE space = 'actor' AND ref = $1

-- name: local_actor
SELECT kind, subject, profile, gone, created_at, updated_at FROM local_actor WHERE id = $1

-- name: local_actor_of
SELECT id FROM local_actor WHERE kind = $1 AND subject = $2

-- name: local_actor_ids
SELECT id FROM local_actor WHERE gone = 0 ORDER BY kind, name

-- name: people_page
SELECT id, name, profile FROM local_actor WHERE kind = 'person' AND gone = 0 AND name > $1 ORDER BY name LIMIT $2

-- name: follower_locals
SELECT DISTINCT local FROM follower WHERE state = 'accepted' ORDER BY local

-- name: local_actor_add
INSERT INTO local_actor (id, name, kind, subject, profile, gone, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, 0, $6, $6)
ON CONFLICT DO NOTHING

-- name: local_actor_save
INSERT INTO local_actor (id, name, kind, subject, profile, gone, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, 0, $6, $7)
ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, updated_at = excluded.updated_at WHERE local_actor.gone = 0

-- name: local_actor_retire
-- Nothing of it stays but its name and address.
UPDATE local_actor SET subject = id, profile = '{}', gone = 1, updated_at = $2 WHERE id = $1 AND gone = 0

-- name: local_actor_blank
UPDATE local_actor SET profile = '{}', updated_at = $2 WHERE id = $1

-- name: records_unnamed
-- Published before actors of records were, and so without a name for theirs.
SELECT r.rid, r.id, r.kind, r.slug, r.content FROM record r
WHERE r.origin = '' AND r.state = 'published' AND r.rid > $1
  AND r.kind IN ('initiative', 'organisation') AND NOT EXISTS (SELECT 1 FROM name n WHERE n.space = 'actor' AND n.ref = r.id)
ORDER BY r.rid LIMIT $2

-- name: follower_totals
SELECT local, count(*) FROM follower WHERE state = 'accepted' GROUP BY local ORDER BY local

-- name: follower_any
SELECT 1 FROM follower WHERE local = $1 AND state = 'accepted' AND (takes = $2 OR $2 = '') LIMIT 1

-- name: follower_remove_local
DELETE FROM follower WHERE local = $1

-- name: announce_add
-- $5 is what the followers take that wait for it, empty for any. One that
-- nobody follows has announced the object for ever, to nobody.
INSERT INTO announce (actor, object, state, due_at, created_at)
VALUES ($1, $2, CASE WHEN EXISTS (SELECT 1 FROM follower f WHERE f.local = $1 AND f.state = 'accepted' AND (f.takes = $5 OR $5 = '')) THEN 'waiting' ELSE 'quiet' END, $3, $4)
ON CONFLICT (actor, object) DO NOTHING

-- name: announce_drop
UPDATE announce SET state = 'dropped' WHERE object = $1 AND state = 'waiting'

-- name: announce_waiting
SELECT 1 FROM announce WHERE state = 'waiting' AND due_at <= $1 LIMIT 1

-- name: announce_actors
SELECT DISTINCT first.actor FROM (
    SELECT actor FROM announce WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, actor LIMIT $2) first

-- name: announce_next
SELECT object, created_at FROM announce
WHERE state = 'waiting' AND actor = $1 AND due_at <= $2
ORDER BY created_at, object LIMIT $3

-- name: announce_last
SELECT coalesce(max(sent_at), 0) FROM announce WHERE actor = $1 AND sent_at IS NOT NULL

-- name: announce_lately
SELECT count(*) FROM (SELECT 1 FROM announce WHERE actor = $1 AND created_at > $2 LIMIT $3) lately

-- name: announce_put_off
UPDATE announce SET due_at = $2 WHERE state = 'waiting' AND actor = $1 AND due_at < $2

-- name: announce_bring_forward
UPDATE announce SET due_at = $2 WHERE state = 'waiting' AND actor = $1 AND due_at > $2

-- name: announce_end
UPDATE announce SET state = $3, sent_at = $4 WHERE actor = $1 AND object = $2

-- name: announce_record
SELECT rid, territory, published_at FROM record WHERE id = $1 AND origin = '' AND state = 'published'

-- name: announce_activity
SELECT a.bytes, a.at, a.rid, r.id FROM activity a JOIN record r ON r.rid = a.rid WHERE a.id = $1 AND a.bytes IS NOT NULL

-- name: listed_all
SELECT r.id, r.number, r.published_at FROM record r
WHERE r.origin = '' AND r.number < $1 AND r.number > 0 AND r.state = 'published'
ORDER BY r.number DESC LIMIT $2

-- name: listed_all_after
SELECT r.id, r.number, r.published_at FROM record r
WHERE r.origin = '' AND r.number > $1 AND r.state = 'published'
ORDER BY r.number LIMIT $2

-- name: listed_theme
SELECT r.id, r.number, r.published_at FROM record r
WHERE r.origin = '' AND r.number < $1 AND r.number > 0 AND r.state = 'published'
  AND r.rid IN (SELECT t.rid FROM record_theme t WHERE t.theme = $3 AND t.direct = 1)
ORDER BY r.number DESC LIMIT $2

-- name: listed_theme_after
SELECT r.id, r.number, r.published_at FROM record r
WHERE r.origin = '' AND r.number > $1 AND r.state = 'published'
  AND r.rid IN (SELECT t.rid FROM record_theme t WHERE t.theme = $3 AND t.direct = 1)
ORDER BY r.number LIMIT $2

-- name: listed_commune
SELECT r.id, r.number, r.published_at FROM record r
WHERE r.origin = '' AND r.number < $1 AND r.number > 0 AND r.state = 'published'
  AND r.rid IN (SELECT p.rid FROM record_place p WHERE p.insee = $3)
ORDER BY r.number DESC LIMIT $2

-- name: listed_commune_after
SELECT r.id, r.number, r.published_at FROM record r
WHERE r.origin = '' AND r.number > $1 AND r.state = 'published'
  AND r.rid IN (SELECT p.rid FROM record_place p WHERE p.insee = $3)
ORDER BY r.number LIMIT $2

-- name: count_theme
SELECT count(*) FROM record_theme t JOIN record r ON r.rid = t.rid
WHERE t.theme = $1 AND t.direct = 1 AND r.origin = '' AND r.state = 'published'

-- name: count_commune
SELECT count(DISTINCT p.rid) FROM record_place p JOIN record r ON r.rid = p.rid
WHERE p.insee = $1 AND r.origin = '' AND r.state = 'published'
