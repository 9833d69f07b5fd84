-- How many records have a place in a cell of the map's grid, at the level of
-- store/cellcount.go: the map of all records is read from them.
CREATE TABLE map_cell (
    x BIGINT NOT NULL,
    y BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (x, y)
);
INSERT INTO map_cell (x, y, n)
SELECT d.x, d.y, count(*) FROM (
    SELECT DISTINCT p.rid,
           CAST(floor((p.lon + 180) / 360 * 4096) AS BIGINT) - CASE WHEN p.lon = 180 THEN 1 ELSE 0 END AS x,
           CAST(floor((p.lat + 90) / 180 * 4096) AS BIGINT) - CASE WHEN p.lat = 90 THEN 1 ELSE 0 END AS y
    FROM record_place p JOIN record r ON r.rid = p.rid WHERE r.state = 'published' AND p.lat IS NOT NULL) d
GROUP BY d.x, d.y;
