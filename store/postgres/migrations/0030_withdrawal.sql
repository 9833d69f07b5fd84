-- Records of other territories that are withdrawn here: they win over whatever
-- brings the record again.
CREATE TABLE withdrawal (
    id     TEXT COLLATE "C" PRIMARY KEY,
    origin TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL, -- content digest of the version that was held
    at     BIGINT NOT NULL
);
CREATE INDEX withdrawal_of_host ON withdrawal (origin);

-- Of a notice: the content digest of the version that its node withdrew.
ALTER TABLE report ADD COLUMN digest TEXT COLLATE "C" NOT NULL DEFAULT '';
