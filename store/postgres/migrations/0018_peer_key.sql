-- The keys by which nodes that are replicated prove what they publish. At most
-- one of a host is contested: shown by it, and introduced by none of the others.
CREATE TABLE peer_key (
    host      TEXT COLLATE "C" NOT NULL,
    multikey  TEXT COLLATE "C" NOT NULL,
    how       TEXT COLLATE "C" NOT NULL, -- first, continued, trusted, contested
    since     BIGINT NOT NULL,
    until     BIGINT,
    statement BYTEA,
    PRIMARY KEY (host, multikey, how)
);
