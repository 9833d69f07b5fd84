-- How far the commons of each node that is followed are read, and when they are
-- read on.
CREATE TABLE commons_sync (
    host        TEXT COLLATE "C" PRIMARY KEY,
    incarnation BIGINT NOT NULL, -- with n: all changes up to there were taken
    n           BIGINT NOT NULL,
    tag         TEXT COLLATE "C"    NOT NULL, -- ETag of the last answer there
    items       BIGINT NOT NULL, -- of the reading under way, or the last
    total       BIGINT NOT NULL,
    pages       BIGINT NOT NULL,
    bytes       BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    done_at     BIGINT,
    checked_at  BIGINT,
    next_at     BIGINT NOT NULL,
    reason      TEXT COLLATE "C"    NOT NULL
);
