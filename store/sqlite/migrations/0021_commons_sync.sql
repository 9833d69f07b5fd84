-- How far the commons of each node that is followed are read, and when they are
-- read on.
CREATE TABLE commons_sync (
    host        TEXT PRIMARY KEY,
    incarnation INTEGER NOT NULL, -- with n: all changes up to there were taken
    n           INTEGER NOT NULL,
    tag         TEXT    NOT NULL, -- ETag of the last answer there
    items       INTEGER NOT NULL, -- of the reading under way, or the last
    total       INTEGER NOT NULL,
    pages       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    done_at     INTEGER,
    checked_at  INTEGER,
    next_at     INTEGER NOT NULL,
    reason      TEXT    NOT NULL
);
