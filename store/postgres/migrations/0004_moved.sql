-- Where accounts elsewhere moved, as both ends said.
CREATE TABLE moved (
    actor  TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    target TEXT COLLATE "C"    NOT NULL,
    at     BIGINT NOT NULL
);
CREATE INDEX moved_to ON moved (target);
