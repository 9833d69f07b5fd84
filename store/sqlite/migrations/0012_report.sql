-- Reports, of people here and of other servers.
CREATE TABLE report (
    id          TEXT PRIMARY KEY,
    n           INTEGER NOT NULL UNIQUE REFERENCES item (n) ON DELETE CASCADE,
    host        TEXT    NOT NULL, -- that reports; '' for a person here
    contact     TEXT    NOT NULL, -- to tell of the decision
    objects     TEXT    NOT NULL, -- JSON, ids
    text        TEXT    NOT NULL,
    received_at INTEGER NOT NULL
);
CREATE INDEX report_contact ON report (received_at) WHERE contact <> '';

-- SHA-256 of what came, which stays when the bytes go.
ALTER TABLE inbox ADD COLUMN digest TEXT    NOT NULL DEFAULT '';
