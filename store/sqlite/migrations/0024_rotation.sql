-- Changes of this node's keys, and how far what it signed is signed again.
CREATE TABLE rotation (
    n         INTEGER PRIMARY KEY,
    old_key   TEXT    NOT NULL,
    new_key   TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    statement BLOB NOT NULL,
    reached   INTEGER NOT NULL, -- rid of the last record signed again
    done_at   INTEGER
);
