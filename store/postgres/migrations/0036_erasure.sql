-- What was erased here, so that no older state of the database brings it back. Each
-- row also stands in a file beside the database, which a restore reads.
CREATE TABLE erasure (
    sort   TEXT   COLLATE "C" NOT NULL,
    ref    TEXT   COLLATE "C" NOT NULL, -- an id; a digest of it where it may name a person
    at     BIGINT NOT NULL,
    detail TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (sort, ref, at)
);
