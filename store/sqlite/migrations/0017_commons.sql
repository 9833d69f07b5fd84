-- The commons of this node and of those that it keeps copies of: a line for each
-- record under a free licence, each actor and each tombstone, with what the digest
-- tree is made of. An empty digest is one that left the commons. The bytes stand
-- in record and in tombstone, here for actors only.
CREATE TABLE commons (
    id       TEXT PRIMARY KEY,
    origin   TEXT    NOT NULL, -- '' here, else the host
    key      TEXT    NOT NULL, -- SHA-256 of id in hex: its place in the digest tree
    sort     TEXT    NOT NULL, -- 'record', 'actor', 'tombstone'
    digest   TEXT    NOT NULL, -- copy digest
    number   INTEGER NOT NULL, -- change number of its latest change; 0 for a copy
    document BLOB
);
CREATE UNIQUE INDEX commons_key ON commons (origin, key);
CREATE INDEX commons_number ON commons (origin, number);

-- Signed heads: the latest of this node and the latest two of each other.
CREATE TABLE head (
    host        TEXT    NOT NULL, -- '' here
    incarnation INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    items       INTEGER NOT NULL,
    root        TEXT    NOT NULL,
    document    BLOB    NOT NULL,
    PRIMARY KEY (host, incarnation, n, at)
);
