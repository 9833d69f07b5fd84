-- Stamps: which posts elsewhere may quote which records (FEP-044f).
CREATE TABLE quote (
    id     TEXT COLLATE "C" PRIMARY KEY,
    object TEXT COLLATE "C"    NOT NULL,
    post   TEXT COLLATE "C"    NOT NULL,
    actor  TEXT COLLATE "C"    NOT NULL,
    stamp  BYTEA    NOT NULL, -- as signed
    at     BIGINT NOT NULL
);
CREATE INDEX quote_of_object ON quote (object);
CREATE INDEX quote_by_post ON quote (post, actor);
CREATE INDEX quote_of_actor ON quote (actor);
