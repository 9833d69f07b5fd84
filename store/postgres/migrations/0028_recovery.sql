-- Times when this node lost its latest changes and gets them back from its peers.
ALTER TABLE counter ADD COLUMN recovering BIGINT NOT NULL DEFAULT 0; -- 1: nothing is published
ALTER TABLE counter ADD COLUMN recoveries BIGINT NOT NULL DEFAULT 0; -- so far

CREATE TABLE recovery (
    n           BIGINT PRIMARY KEY, -- as counter.recoveries
    cause       TEXT COLLATE "C" NOT NULL, -- essaim.RecoveryCause
    began_at    BIGINT NOT NULL,
    ended_at    BIGINT, -- when it was writable again
    incarnation BIGINT NOT NULL DEFAULT 0, -- the latest head that anybody showed of it
    head        BIGINT NOT NULL DEFAULT 0,
    head_at     BIGINT NOT NULL DEFAULT 0,
    items       BIGINT NOT NULL DEFAULT 0,
    root        TEXT COLLATE "C" NOT NULL DEFAULT '',
    document    BYTEA,
    recovered   BIGINT NOT NULL DEFAULT 0,
    withdrawn   BIGINT NOT NULL DEFAULT 0
);

-- Whom it asks, and how far the copies that each holds are read.
CREATE TABLE recovery_source (
    host    TEXT COLLATE "C" PRIMARY KEY,
    after   TEXT COLLATE "C" NOT NULL, -- key up to which everything was taken
    seen    BIGINT NOT NULL,
    done_at BIGINT,
    next_at BIGINT NOT NULL,
    reason  TEXT COLLATE "C" NOT NULL
);

-- Since when a node shows an older head than one that it signed: nothing of it is
-- taken meanwhile.
ALTER TABLE commons_sync ADD COLUMN behind_at BIGINT;
