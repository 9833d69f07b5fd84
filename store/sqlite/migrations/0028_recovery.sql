-- Times when this node lost its latest changes and gets them back from its peers.
ALTER TABLE counter ADD COLUMN recovering INTEGER NOT NULL DEFAULT 0; -- 1: nothing is published
ALTER TABLE counter ADD COLUMN recoveries INTEGER NOT NULL DEFAULT 0; -- so far

CREATE TABLE recovery (
    n           INTEGER PRIMARY KEY, -- as counter.recoveries
    cause       TEXT NOT NULL, -- essaim.RecoveryCause
    began_at    INTEGER NOT NULL,
    ended_at    INTEGER, -- when it was writable again
    incarnation INTEGER NOT NULL DEFAULT 0, -- the latest head that anybody showed of it
    head        INTEGER NOT NULL DEFAULT 0,
    head_at     INTEGER NOT NULL DEFAULT 0,
    items       INTEGER NOT NULL DEFAULT 0,
    root        TEXT NOT NULL DEFAULT '',
    document    BLOB,
    recovered   INTEGER NOT NULL DEFAULT 0,
    withdrawn   INTEGER NOT NULL DEFAULT 0
);

-- Whom it asks, and how far the copies that each holds are read.
CREATE TABLE recovery_source (
    host    TEXT PRIMARY KEY,
    after   TEXT NOT NULL, -- key up to which everything was taken
    seen    INTEGER NOT NULL,
    done_at INTEGER,
    next_at INTEGER NOT NULL,
    reason  TEXT NOT NULL
);

-- Since when a node shows an older head than one that it signed: nothing of it is
-- taken meanwhile.
ALTER TABLE commons_sync ADD COLUMN behind_at INTEGER;
