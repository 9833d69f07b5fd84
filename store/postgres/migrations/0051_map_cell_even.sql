-- The counted cells stand at every other level; see store/cellcount.go.
DELETE FROM map_cell;
INSERT INTO map_cell (kind, level, x, y, n, xs, ys)
SELECT k.kind, l.level, k.x >> CAST(12 - l.level AS INTEGER) AS x, k.y >> CAST(12 - l.level AS INTEGER) AS y, count(*) AS n, CAST(sum(k.x) AS BIGINT) AS xs, CAST(sum(k.y) AS BIGINT) AS ys
FROM (SELECT d.x, d.y, '' AS kind FROM (
        SELECT DISTINCT p.rid, CAST(floor((p.lon + 180) / 360 * 4096) AS BIGINT) - CASE WHEN p.lon = 180 THEN 1 ELSE 0 END AS x, CAST(floor((p.lat + 90) / 180 * 4096) AS BIGINT) - CASE WHEN p.lat = 90 THEN 1 ELSE 0 END AS y
        FROM record_place p JOIN record r ON r.rid = p.rid WHERE r.state = 'published' AND p.lat IS NOT NULL) d
    UNION ALL SELECT d.x, d.y, d.kind FROM (
        SELECT DISTINCT p.rid, r.kind, CAST(floor((p.lon + 180) / 360 * 4096) AS BIGINT) - CASE WHEN p.lon = 180 THEN 1 ELSE 0 END AS x, CAST(floor((p.lat + 90) / 180 * 4096) AS BIGINT) - CASE WHEN p.lat = 90 THEN 1 ELSE 0 END AS y
        FROM record_place p JOIN record r ON r.rid = p.rid WHERE r.state = 'published' AND p.lat IS NOT NULL) d) k
    CROSS JOIN (SELECT 4 AS level UNION ALL SELECT 6 UNION ALL SELECT 8 UNION ALL SELECT 10 UNION ALL SELECT 12) l
GROUP BY 1, 2, 3, 4;
