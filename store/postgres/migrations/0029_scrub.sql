-- Since when something is erased whose bytes may still be in the files, when they
-- began to be written over, if they are being, and when they last were.
CREATE TABLE scrub (
    id        BIGINT PRIMARY KEY CHECK (id = 1),
    erased_at BIGINT,
    begun_at  BIGINT,
    done_at   BIGINT
);
INSERT INTO scrub (id, erased_at) SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM tombstone) THEN (extract(epoch FROM now()) * 1000000)::bigint END;
