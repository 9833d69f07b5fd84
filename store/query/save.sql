-- Records as they are written.

-- name: record_insert
INSERT INTO record (rid, id, kind, slug, origin, territory, territory_name, url, state, incarnation, revision,
                    number, title, stage, starts_at, ends_at, reusable, content, document, content_digest, copy_digest,
                    activity_id, published_at, updated_at, received_at, import_id, source_key, source_digest, position)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)

-- name: record_update
UPDATE record SET territory_name = $2, url = $3, state = $4, incarnation = $5, revision = $6,
                  title = $7, stage = $8, starts_at = $9, ends_at = $10, reusable = $11, content = $12, document = $13,
                  content_digest = $14, copy_digest = $15, activity_id = $16, published_at = $17, updated_at = $18,
                  received_at = $19, source_digest = $20, position = $21, import_id = $22
WHERE rid = $1

-- name: record_ends
UPDATE record SET ends_at = $2 WHERE rid = $1 AND ends_at <> $2

-- name: record_number
UPDATE record SET number = $2 WHERE rid = $1

-- name: record_delete
DELETE FROM record WHERE rid = $1

-- name: revision_insert
INSERT INTO revision (rid, revision, at, author_id, author_name, state, content) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: revisions_delete
DELETE FROM revision WHERE rid = $1

-- name: place_insert
INSERT INTO record_place (rid, position, lat, lon, insee, epci, departement, region) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: places_delete
DELETE FROM record_place WHERE rid = $1

-- name: theme_insert
INSERT INTO record_theme (rid, theme, direct) VALUES ($1, $2, $3)

-- name: themes_delete
DELETE FROM record_theme WHERE rid = $1

-- name: relation_insert
INSERT INTO relation (rid, type, target, name) VALUES ($1, $2, $3, $4) ON CONFLICT (rid, type, target) DO NOTHING

-- name: relations_delete
DELETE FROM relation WHERE rid = $1

-- name: credit_insert
-- Of a person who is on the Fediverse, and no other.
INSERT INTO record_credit (actor, position, rid)
SELECT a.id, CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM local_actor a WHERE a.id = $1 AND a.kind = 'person' AND a.gone = 0
ON CONFLICT (actor, position) DO NOTHING

-- name: credits_delete
DELETE FROM record_credit WHERE rid = $1

-- name: credits_forget
DELETE FROM record_credit WHERE actor = $1

-- name: activity_insert
INSERT INTO activity (id, type, actor, rid, bytes, at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: activities_erase
-- What was published of an erased record keeps its ids only.
UPDATE activity SET bytes = NULL WHERE rid = $1

-- name: events_erase
DELETE FROM event WHERE activity_id IN (SELECT id FROM activity WHERE rid = $1)

-- name: deliveries_erase
DELETE FROM delivery WHERE state = 'waiting' AND activity_id IN (SELECT id FROM activity WHERE rid = $1)

-- name: deliveries_erase_actor
DELETE FROM delivery
WHERE state = 'waiting' AND activity_id IN (SELECT id FROM activity WHERE actor = $1 AND rid IS NULL AND bytes IS NOT NULL AND type <> 'Delete')

-- name: activities_erase_actor
-- What it said of itself, as in the Updates of its document; not that it is gone.
UPDATE activity SET bytes = NULL WHERE actor = $1 AND rid IS NULL AND bytes IS NOT NULL AND type <> 'Delete'

-- name: event_insert
INSERT INTO event (n, activity_id, actor, order_key) VALUES ($1, $2, $3, $4)

-- name: tombstone_insert
INSERT INTO tombstone (id, kind, origin, at, document) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING

-- name: facet_add
INSERT INTO facet (facet, value, label, n) VALUES ($1, $2, $3, $4)
ON CONFLICT (facet, value) DO UPDATE SET n = facet.n + excluded.n, label = CASE WHEN excluded.label = '' THEN facet.label ELSE excluded.label END

-- name: cell_add
INSERT INTO map_cell (kind, level, x, y, n, xs, ys) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (kind, level, x, y) DO UPDATE SET n = map_cell.n + excluded.n, xs = map_cell.xs + excluded.xs, ys = map_cell.ys + excluded.ys

-- name: cell_tidy
DELETE FROM map_cell WHERE kind = $1 AND level = $2 AND x = $3 AND y = $4 AND n = 0

-- name: facets
-- Of the facets that are read whole: their values are this program's.
SELECT facet, value, label, n FROM facet
WHERE facet IN ('all', 'kind', 'licence') AND n > 0 ORDER BY facet, value

-- name: facet_forget
-- A value is kept as long as a record has it: it would tell of one that was erased.
DELETE FROM facet WHERE facet = $1 AND value = $2 AND n <= 0

-- name: search_delete
DELETE FROM search WHERE rid = $1

-- name: search_filter
SELECT filter FROM search WHERE rid = $1

-- name: revision_texts
SELECT revision, author_id, author_name, content FROM revision WHERE rid = $1 ORDER BY revision

-- name: revision_rewrite
UPDATE revision SET content = $3 WHERE rid = $1 AND revision = $2

-- name: deliveries_erase_older
DELETE FROM delivery WHERE state = 'waiting' AND activity_id IN (SELECT id FROM activity WHERE rid = $1 AND id <> $2)

-- name: events_erase_older
DELETE FROM event WHERE activity_id IN (SELECT id FROM activity WHERE rid = $1 AND id <> $2)

-- name: activities_erase_older
-- Of what was published of a record only the latest keeps its bytes.
UPDATE activity SET bytes = NULL WHERE rid = $1 AND id <> $2 AND bytes IS NOT NULL
