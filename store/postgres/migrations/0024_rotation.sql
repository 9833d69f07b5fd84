-- Changes of this node's keys, and how far what it signed is signed again.
CREATE TABLE rotation (
    n         BIGINT PRIMARY KEY,
    old_key   TEXT COLLATE "C" NOT NULL,
    new_key   TEXT COLLATE "C" NOT NULL,
    at        BIGINT NOT NULL,
    statement BYTEA NOT NULL,
    reached   BIGINT NOT NULL, -- rid of the last record signed again
    done_at   BIGINT
);
