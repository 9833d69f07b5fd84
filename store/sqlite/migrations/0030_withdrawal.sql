-- Records of other territories that are withdrawn here: they win over whatever
-- brings the record again.
CREATE TABLE withdrawal (
    id     TEXT PRIMARY KEY,
    origin TEXT   NOT NULL,
    digest TEXT   NOT NULL, -- content digest of the version that was held
    at     INTEGER NOT NULL
);
CREATE INDEX withdrawal_of_host ON withdrawal (origin);

-- Of a notice: the content digest of the version that its node withdrew.
ALTER TABLE report ADD COLUMN digest TEXT NOT NULL DEFAULT '';
