-- What a node says of itself: where its territory is, both NULL when it does not say,
-- and whom it follows, a JSON list of actors. It is read again daily.
CREATE TABLE peer_about (
    host    TEXT COLLATE "C" PRIMARY KEY,
    lat     DOUBLE PRECISION,
    lon     DOUBLE PRECISION,
    follows TEXT   COLLATE "C" NOT NULL,
    read_at BIGINT NOT NULL
);
-- How many records of each kind each node brought. Without the state: an index that has
-- it could be taken for any question about published records.
CREATE INDEX record_brought ON record (origin, kind);
