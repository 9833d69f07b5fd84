-- Stamps: which posts elsewhere may quote which records (FEP-044f).
CREATE TABLE quote (
    id     TEXT PRIMARY KEY,
    object TEXT    NOT NULL,
    post   TEXT    NOT NULL,
    actor  TEXT    NOT NULL,
    stamp  BLOB    NOT NULL, -- as signed
    at     INTEGER NOT NULL
);
CREATE INDEX quote_of_object ON quote (object);
CREATE INDEX quote_by_post ON quote (post, actor);
CREATE INDEX quote_of_actor ON quote (actor);
