-- The commons of this node and of those that it keeps copies of: a line for each
-- record under a free licence, each actor and each tombstone, with what the digest
-- tree is made of. An empty digest is one that left the commons. The bytes stand
-- in record and in tombstone, here for actors only.
CREATE TABLE commons (
    id       TEXT COLLATE "C" PRIMARY KEY,
    origin   TEXT COLLATE "C"    NOT NULL, -- '' here, else the host
    key      TEXT COLLATE "C"    NOT NULL, -- SHA-256 of id in hex: its place in the digest tree
    sort     TEXT COLLATE "C"    NOT NULL, -- 'record', 'actor', 'tombstone'
    digest   TEXT COLLATE "C"    NOT NULL, -- copy digest
    number   BIGINT NOT NULL, -- change number of its latest change; 0 for a copy
    document BYTEA
);
CREATE UNIQUE INDEX commons_key ON commons (origin, key);
CREATE INDEX commons_number ON commons (origin, number);

-- Signed heads: the latest of this node and the latest two of each other.
CREATE TABLE head (
    host        TEXT COLLATE "C"    NOT NULL, -- '' here
    incarnation BIGINT NOT NULL,
    n           BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    items       BIGINT NOT NULL,
    root        TEXT COLLATE "C"    NOT NULL,
    document    BYTEA   NOT NULL,
    PRIMARY KEY (host, incarnation, n, at)
);
