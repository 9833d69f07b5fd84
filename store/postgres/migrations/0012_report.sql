-- Reports, of people here and of other servers.
CREATE TABLE report (
    id          TEXT COLLATE "C" PRIMARY KEY,
    n           BIGINT NOT NULL UNIQUE REFERENCES item (n) ON DELETE CASCADE,
    host        TEXT COLLATE "C" NOT NULL, -- that reports; '' for a person here
    contact     TEXT COLLATE "C" NOT NULL, -- to tell of the decision
    objects     TEXT COLLATE "C" NOT NULL, -- JSON, ids
    text        TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX report_contact ON report (received_at) WHERE contact <> '';

-- SHA-256 of what came, which stays when the bytes go.
ALTER TABLE inbox ADD COLUMN digest TEXT COLLATE "C" NOT NULL DEFAULT '';
