-- The keys by which nodes that are replicated prove what they publish. At most
-- one of a host is contested: shown by it, and introduced by none of the others.
CREATE TABLE peer_key (
    host      TEXT    NOT NULL,
    multikey  TEXT    NOT NULL,
    how       TEXT    NOT NULL, -- first, continued, trusted, contested
    since     INTEGER NOT NULL,
    until     INTEGER,
    statement BLOB,
    PRIMARY KEY (host, multikey, how)
);
