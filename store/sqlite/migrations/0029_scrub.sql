-- Since when something is erased whose bytes may still be in the files, when they
-- began to be written over, if they are being, and when they last were.
CREATE TABLE scrub (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    erased_at INTEGER,
    begun_at  INTEGER,
    done_at   INTEGER
);
INSERT INTO scrub (id, erased_at) SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM tombstone) THEN CAST(strftime('%s', 'now') AS INTEGER) * 1000000 END;
