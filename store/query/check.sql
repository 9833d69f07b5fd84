-- Rules that the database keeps at all times; each statement gives how many
-- rows break one, and the first of them.

-- name: check_published
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.origin = '' AND r.state = 'published' AND (r.document IS NULL OR r.number = 0)

-- name: check_erased
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.state <> 'withdrawn' AND (EXISTS (SELECT 1 FROM tombstone t WHERE t.id = r.id) OR EXISTS (SELECT 1 FROM withdrawal w WHERE w.id = r.id))

-- name: check_slug
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.origin = '' AND NOT EXISTS (SELECT 1 FROM name n WHERE n.space = r.kind AND n.name = r.slug)

-- name: check_counter
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.origin = '' AND r.number > (SELECT c.n FROM counter c)

-- name: check_cursor
SELECT count(*), '' FROM dispatch_cursor d WHERE d.n > (SELECT c.n FROM counter c)

-- name: check_delivery
SELECT count(*), coalesce(min(d.activity_id), '') FROM delivery d
WHERE d.state = 'waiting' AND NOT EXISTS (SELECT 1 FROM activity a WHERE a.id = d.activity_id AND a.bytes IS NOT NULL)

-- name: check_activity
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.origin = '' AND r.state = 'published'
  AND NOT EXISTS (SELECT 1 FROM activity a WHERE a.id = r.activity_id AND a.rid = r.rid AND a.bytes IS NOT NULL)

-- name: check_revision
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.origin = '' AND r.state <> 'withdrawn'
  AND NOT EXISTS (SELECT 1 FROM revision v WHERE v.rid = r.rid AND v.revision = r.revision)

-- name: check_withdrawn
SELECT count(*), coalesce(min(r.id), '') FROM record r
WHERE r.state = 'withdrawn'
  AND (r.title <> '' OR NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.id = r.id) AND NOT EXISTS (SELECT 1 FROM withdrawal w WHERE w.id = r.id)
    OR EXISTS (SELECT 1 FROM revision v WHERE v.rid = r.rid)
    OR EXISTS (SELECT 1 FROM activity a WHERE a.rid = r.rid AND a.type <> 'Delete' AND a.bytes IS NOT NULL))

-- name: check_search
SELECT count(*), coalesce(min(x.id), '') FROM (
    SELECT r.id FROM record r
    WHERE r.state = 'published' AND NOT EXISTS (SELECT 1 FROM search s WHERE s.rid = r.rid AND s.position = r.position)
    UNION ALL
    SELECT r.id FROM search s JOIN record r ON r.rid = s.rid WHERE r.state <> 'published') x

-- name: check_sample
-- Of what was indexed since there is a sample.
SELECT count(*), coalesce(min(r.id), '') FROM search s JOIN record r ON r.rid = s.rid
WHERE s.rid % 1009 = 0 AND NOT EXISTS (SELECT 1 FROM search_sample p WHERE p.position = s.position)
  AND EXISTS (SELECT 1 FROM reindex WHERE version >= 6 AND ended = 1)

-- name: check_event
SELECT count(*), coalesce(min(e.activity_id), '') FROM event e
WHERE e.n > (SELECT c.n FROM counter c) OR NOT EXISTS (SELECT 1 FROM activity a WHERE a.id = e.activity_id)

-- name: check_queue
SELECT count(*), coalesce(min(x.id), '') FROM (
    SELECT d.activity_id AS id FROM delivery d WHERE d.state NOT IN ('waiting', 'done', 'failed', 'dropped') OR (d.state <> 'waiting' AND d.done_at IS NULL)
    UNION ALL
    SELECT i.activity_id FROM inbox i WHERE i.state NOT IN ('waiting', 'applied', 'ignored', 'unknown', 'failed') OR (i.state = 'waiting' AND i.raw IS NULL)) x

-- name: check_host
SELECT count(*), coalesce(min(d.inbox), '') FROM delivery d
WHERE d.state = 'waiting' AND (d.host = '' OR lower(d.inbox) NOT LIKE 'http%://' || d.host || '/%')

-- name: check_facet
-- Of kinds, territories, origins and what these brought, kept and counted again.
SELECT count(*), coalesce(min(w.value), '') FROM (
    SELECT x.facet, x.value FROM (
        SELECT f.facet, f.value, f.n FROM facet f WHERE f.facet IN ('kind', 'territory', 'origin', 'brought')
        UNION ALL SELECT 'brought', r.origin || ' ' || r.kind, -count(*) FROM record r WHERE r.state = 'published' AND r.origin <> '' GROUP BY r.origin, r.kind
        UNION ALL SELECT 'kind', r.kind, -count(*) FROM record r WHERE r.state = 'published' GROUP BY r.kind
        UNION ALL SELECT 'territory', r.territory, -count(*) FROM record r WHERE r.state = 'published' GROUP BY r.territory
        UNION ALL SELECT 'origin', CASE WHEN r.origin = '' THEN 'here' ELSE r.origin END, -count(*)
            FROM record r WHERE r.state = 'published' GROUP BY CASE WHEN r.origin = '' THEN 'here' ELSE r.origin END) x
    GROUP BY x.facet, x.value HAVING sum(x.n) <> 0) w

-- name: check_themes
SELECT count(*), coalesce(min(w.value), '') FROM (
    SELECT x.value FROM (
        SELECT f.value, f.n FROM facet f WHERE f.facet = 'theme'
        UNION ALL SELECT t.theme, -count(*) FROM record_theme t JOIN record r ON r.rid = t.rid WHERE r.state = 'published' GROUP BY t.theme) x
    GROUP BY x.value HAVING sum(x.n) <> 0) w

-- name: check_cells
-- Of the map, kept and counted again; see store/cellcount.go.
SELECT count(*), '' FROM (
    SELECT z.kind, z.level, z.x, z.y FROM (
        SELECT c.kind, c.level, c.x, c.y, c.n, c.xs, c.ys FROM map_cell c
        UNION ALL SELECT a.kind, a.level, a.x, a.y, -a.n, -a.xs, -a.ys FROM (
            SELECT k.kind, l.level, k.x >> CAST(12 - l.level AS INTEGER) AS x, k.y >> CAST(12 - l.level AS INTEGER) AS y, count(*) AS n, CAST(sum(k.x) AS BIGINT) AS xs, CAST(sum(k.y) AS BIGINT) AS ys
            FROM (SELECT d.x, d.y, '' AS kind FROM (
                    SELECT DISTINCT p.rid, CAST(floor((p.lon + 180) / 360 * 4096) AS BIGINT) - CASE WHEN p.lon = 180 THEN 1 ELSE 0 END AS x, CAST(floor((p.lat + 90) / 180 * 4096) AS BIGINT) - CASE WHEN p.lat = 90 THEN 1 ELSE 0 END AS y
                    FROM record_place p JOIN record r ON r.rid = p.rid WHERE r.state = 'published' AND p.lat IS NOT NULL) d
                UNION ALL SELECT d.x, d.y, d.kind FROM (
                    SELECT DISTINCT p.rid, r.kind, CAST(floor((p.lon + 180) / 360 * 4096) AS BIGINT) - CASE WHEN p.lon = 180 THEN 1 ELSE 0 END AS x, CAST(floor((p.lat + 90) / 180 * 4096) AS BIGINT) - CASE WHEN p.lat = 90 THEN 1 ELSE 0 END AS y
                    FROM record_place p JOIN record r ON r.rid = p.rid WHERE r.state = 'published' AND p.lat IS NOT NULL) d) k
                CROSS JOIN (SELECT 4 AS level UNION ALL SELECT 6 UNION ALL SELECT 8 UNION ALL SELECT 10 UNION ALL SELECT 12) l
            GROUP BY 1, 2, 3, 4) a) z
    GROUP BY z.kind, z.level, z.x, z.y HAVING sum(z.n) <> 0 OR sum(z.xs) <> 0 OR sum(z.ys) <> 0) w

-- name: check_documents
SELECT r.rid, r.id, r.origin, r.document, r.content_digest, r.copy_digest FROM record r
WHERE r.rid > $1 AND r.state = 'published' AND r.document IS NOT NULL
ORDER BY r.rid LIMIT $2

-- name: check_commons
SELECT count(*), coalesce(min(x.id), '') FROM (
    SELECT r.id FROM record r LEFT JOIN commons c ON c.id = r.id
    WHERE r.state = 'published' AND r.reusable = 1 AND r.copy_digest <> ''
      AND (c.id IS NULL OR c.digest <> r.copy_digest OR r.origin = '' AND c.number <> r.number)
    UNION ALL
    SELECT c.id FROM commons c LEFT JOIN record r ON r.id = c.id
    WHERE c.sort = 'record' AND c.digest <> '' AND (r.id IS NULL OR r.state <> 'published' OR r.reusable = 0)) x

-- name: check_credit
SELECT count(*), coalesce(min(c.actor), '') FROM record_credit c
WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.rid = c.rid AND r.position = c.position AND r.state = 'published')
   OR NOT EXISTS (SELECT 1 FROM local_actor a WHERE a.id = c.actor AND a.kind = 'person' AND a.gone = 0)
