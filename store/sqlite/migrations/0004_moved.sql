-- Where accounts elsewhere moved, as both ends said.
CREATE TABLE moved (
    actor  TEXT    NOT NULL PRIMARY KEY,
    target TEXT    NOT NULL,
    at     INTEGER NOT NULL
);
CREATE INDEX moved_to ON moved (target);
