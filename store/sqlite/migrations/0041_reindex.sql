-- Up to where what search knows of records was made again, in the way of a version
-- of the program; see Store.Reindex.
CREATE TABLE reindex (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    version  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    ended    INTEGER NOT NULL
);
INSERT INTO reindex (id, version, position, ended) VALUES (1, 0, 0, 0);
-- The most frequent values of facets that have many: communes, publics.
CREATE INDEX facet_top ON facet (facet, n DESC, value);
