-- The commons: what stands in it, and its digest tree.

-- name: commons_put
INSERT INTO commons (id, origin, key, sort, digest, number, document) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE
SET sort = excluded.sort, digest = excluded.digest, number = excluded.number, document = excluded.document

-- name: commons_forget
-- Of an actor elsewhere that is gone: its tombstone takes the place once it comes.
UPDATE commons SET sort = 'tombstone', digest = '', document = NULL WHERE id = $1 AND origin <> '' AND sort = 'actor'

-- name: commons_digest
SELECT digest FROM commons WHERE id = $1

-- name: commons_last
SELECT coalesce(max(number), 0) FROM commons WHERE origin = ''

-- name: commons_changed
SELECT key FROM commons WHERE origin = '' AND number > $1 ORDER BY number

-- name: commons_range
SELECT id, digest FROM commons
WHERE origin = $1 AND key >= $2 AND key < $3 AND digest <> ''
ORDER BY key LIMIT $4

-- name: commons_page
SELECT c.number, c.id, c.digest, coalesce(c.document, r.document, t.document)
FROM commons c LEFT JOIN record r ON r.id = c.id LEFT JOIN tombstone t ON t.id = c.id
WHERE c.origin = '' AND c.number > $1 AND c.digest <> ''
ORDER BY c.number LIMIT $2

-- name: commons_unlisted
-- Published before the commons were listed.
SELECT r.rid, r.id, r.origin, r.state, r.copy_digest, r.number FROM record r
WHERE r.rid > $1 AND (r.state = 'published' AND r.reusable = 1 OR r.state = 'withdrawn' AND r.origin = '')
  AND r.copy_digest <> '' AND NOT EXISTS (SELECT 1 FROM commons c WHERE c.id = r.id)
ORDER BY r.rid LIMIT $2

-- name: commons_actors
-- Those that exist: with a choice of their own, an account, or a follower.
SELECT id FROM local_actor WHERE kind IN ('initiative', 'organisation', 'person')
UNION
SELECT DISTINCT local FROM follower WHERE state = 'accepted'

-- name: head_latest
SELECT incarnation, n, at, items, root, document FROM head
WHERE host = $1 ORDER BY incarnation DESC, n DESC, at DESC LIMIT $2

-- name: head_add
INSERT INTO head (host, incarnation, n, at, items, root, document) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING

-- name: head_drop
DELETE FROM head WHERE host = $1 AND incarnation = $2 AND n = $3 AND at = $4

-- name: commons_actor_of
-- The line of a record's actor, if it has one. $2 is what actors' ids begin with.
SELECT c.id FROM name n JOIN commons c ON c.id = $2 || n.name
WHERE n.space = 'actor' AND n.ref = $1

-- name: sync_save
-- What is refused of a page counts once: with the cursor that moves behind it.
INSERT INTO commons_sync (host, incarnation, n, tag, items, total, pages, size, started_at, done_at, checked_at, next_at, reason, claimed_until, refused, refusal)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (host) DO UPDATE
SET incarnation = excluded.incarnation, n = excluded.n, tag = excluded.tag, items = excluded.items, total = excluded.total,
    pages = excluded.pages, size = excluded.size, started_at = excluded.started_at, done_at = excluded.done_at,
    checked_at = excluded.checked_at, next_at = excluded.next_at, reason = excluded.reason, claimed_until = excluded.claimed_until,
    refused = CASE WHEN excluded.incarnation = 0 AND excluded.n = 0 THEN 0
        WHEN excluded.incarnation = commons_sync.incarnation AND excluded.n = commons_sync.n THEN commons_sync.refused
        ELSE commons_sync.refused + excluded.refused END,
    refusal = CASE WHEN excluded.incarnation = 0 AND excluded.n = 0 THEN ''
        WHEN excluded.incarnation = commons_sync.incarnation AND excluded.n = commons_sync.n THEN commons_sync.refusal
        WHEN commons_sync.refusal <> '' THEN commons_sync.refusal
        ELSE excluded.refusal END

-- name: sync_of
SELECT host, incarnation, n, tag, items, total, pages, size, started_at, done_at, checked_at, next_at, reason,
    compare_at, compared_at, differences, mended, kept, refused, refusal
FROM commons_sync WHERE host = $1

-- name: sync_all
SELECT host, incarnation, n, tag, items, total, pages, size, started_at, done_at, checked_at, next_at, reason,
    compare_at, compared_at, differences, mended, kept, refused, refusal
FROM commons_sync ORDER BY host

-- name: sync_due
SELECT p.host FROM peer p LEFT JOIN commons_sync y ON y.host = p.host
WHERE p.state = 'followed' AND coalesce(y.next_at, 0) <= $1 AND coalesce(y.claimed_until, 0) <= $1
ORDER BY coalesce(y.next_at, 0), p.host LIMIT $2

-- name: erasures_due
-- Of those that are followed no more, blocked ones too, of which something is held
-- and whose keys were pinned.
SELECT y.host FROM commons_sync y
WHERE y.next_at <= $1 AND coalesce(y.claimed_until, 0) <= $1
  AND NOT EXISTS (SELECT 1 FROM peer p WHERE p.host = y.host AND p.state IN ('requested', 'followed'))
  AND EXISTS (SELECT 1 FROM peer_key k WHERE k.host = y.host AND k.how IN ('first', 'continued', 'trusted'))
  AND (EXISTS (SELECT 1 FROM commons c WHERE c.origin = y.host AND c.sort IN ('record', 'actor') AND c.digest <> '')
    OR EXISTS (SELECT 1 FROM facet f WHERE f.facet = 'origin' AND f.value = y.host AND f.n > 0))
ORDER BY y.next_at, y.host LIMIT $2

-- name: sync_claim
INSERT INTO commons_sync (host, incarnation, n, tag, items, total, pages, size, started_at, next_at, reason, claimed_until)
VALUES ($1, 0, 0, '', 0, 0, 0, 0, 0, 0, '', $2)
ON CONFLICT (host) DO UPDATE SET claimed_until = excluded.claimed_until WHERE commons_sync.claimed_until <= $3

-- name: sync_free_leases
UPDATE commons_sync SET claimed_until = 0 WHERE claimed_until > 0

-- name: sync_wake
UPDATE commons_sync SET next_at = $1 WHERE next_at > $1

-- name: sync_soon
-- Of a node whose commons were read, which pushed a change: once for all that it
-- pushes meanwhile.
UPDATE commons_sync SET next_at = $2
WHERE host = $1 AND next_at > $2 AND incarnation > 0
  AND EXISTS (SELECT 1 FROM peer p WHERE p.host = $1 AND p.state = 'followed')

-- name: sync_return
-- Of a host that speaks again: what it published meanwhile came by no other way.
UPDATE commons_sync SET next_at = $2
WHERE host = $1 AND next_at > $2
  AND (reason <> '' OR EXISTS (SELECT 1 FROM host h WHERE h.host = $1 AND h.down_since IS NOT NULL))

-- name: sync_again
-- Followed anew: what was published meanwhile came by no other way.
-- What came while it was not followed was read for its deletions alone.
UPDATE commons_sync SET next_at = 0, compare_at = 0 WHERE host = $1

-- name: tombstone_renew
INSERT INTO tombstone (id, kind, origin, at, document) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET document = excluded.document

-- name: compare_due
-- Of one that stopped answering before it was read whole, others may hold the rest.
SELECT p.host FROM commons_sync y JOIN peer p ON p.host = y.host
WHERE p.state = 'followed' AND (y.done_at IS NOT NULL OR y.reason <> '') AND y.compare_at <= $1
ORDER BY y.compare_at, p.host LIMIT $2

-- name: compare_claim
UPDATE commons_sync SET compare_at = $2 WHERE host = $1 AND compare_at <= $3

-- name: compare_save
UPDATE commons_sync SET compare_at = $2, compared_at = $3, differences = $4, mended = $5, kept = $6 WHERE host = $1

-- name: compare_put_off
UPDATE commons_sync SET compare_at = $2 WHERE host = $1

-- name: commons_copies
SELECT c.key, c.id, c.digest,
    CASE c.sort WHEN 'record' THEN r.document WHEN 'tombstone' THEN coalesce(c.document, t.document) ELSE c.document END,
    CASE c.sort WHEN 'record' THEN r.content END, coalesce(r.title, ''), coalesce(r.incarnation, 0), coalesce(r.revision, 0), r.published_at, r.updated_at
FROM commons c LEFT JOIN record r ON r.id = c.id LEFT JOIN tombstone t ON t.id = c.id
WHERE c.origin = $1 AND c.key > $2 AND c.sort <> 'withdrawn'
ORDER BY c.key LIMIT $3

-- name: commons_copies_page
SELECT c.key, c.id, c.digest,
    CASE c.sort WHEN 'record' THEN r.document WHEN 'tombstone' THEN coalesce(c.document, t.document) ELSE c.document END
FROM commons c LEFT JOIN record r ON r.id = c.id LEFT JOIN tombstone t ON t.id = c.id
WHERE c.origin = $1 AND c.origin <> '' AND c.key > $2 AND c.key >= $3 AND c.key < $4 AND c.digest <> '' AND c.sort <> 'withdrawn'
ORDER BY c.key LIMIT $5

-- name: commons_hosts
SELECT DISTINCT origin FROM commons WHERE origin <> '' ORDER BY origin

-- name: commons_note
UPDATE commons SET digest = $2 WHERE id = $1 AND origin <> ''

-- name: copy_held
-- What is damaged is not held: its bytes have another digest than was noted. Nor is
-- a copy that has no line. What is withdrawn here is gone, whoever has it.
SELECT CASE WHEN t.id IS NULL AND NOT EXISTS (SELECT 1 FROM withdrawal w WHERE w.id = k.id) THEN 0 ELSE 1 END,
    CASE WHEN c.digest IS NULL THEN CASE WHEN r.origin = '' THEN r.copy_digest ELSE '' END WHEN c.sort = 'record' AND r.copy_digest <> c.digest THEN '' ELSE c.digest END,
    coalesce(r.incarnation, 0), coalesce(r.revision, 0)
FROM (SELECT CAST($1 AS TEXT) AS id) k LEFT JOIN commons c ON c.id = k.id LEFT JOIN record r ON r.id = k.id LEFT JOIN tombstone t ON t.id = k.id

-- name: mend_line
-- Of an actor of this node: the same bytes as before they were damaged.
UPDATE commons SET document = $2 WHERE id = $1 AND origin = ''

-- name: record_columns
SELECT kind, title, stage, coalesce(starts_at, 0), coalesce(ends_at, 0), reusable FROM record WHERE rid = $1

-- name: record_beside
-- 1000 is no coordinate.
SELECT 'place', insee, epci, departement || ' ' || region, coalesce(lat, 1000), coalesce(lon, 1000) FROM record_place WHERE rid = $1
UNION ALL SELECT 'theme', theme, CAST(direct AS TEXT), '', 0, 0 FROM record_theme WHERE rid = $1
UNION ALL SELECT 'relation', type, target, '', 0, 0 FROM relation WHERE rid = $1

-- name: record_content
UPDATE record SET content = $2 WHERE id = $1

-- name: mend_record
UPDATE record SET document = $2, content_digest = $3, copy_digest = $4 WHERE rid = $1
