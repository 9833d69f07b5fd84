-- Our copies of the avatars of actors elsewhere that a page shows.
CREATE TABLE avatar (
    actor   TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    source  TEXT COLLATE "C"    NOT NULL, -- its address when it was copied
    file    TEXT COLLATE "C"    NOT NULL, -- empty until there is one
    next_at BIGINT NOT NULL  -- when it is looked at again
);
CREATE INDEX avatar_due ON avatar (next_at);
CREATE INDEX avatar_file ON avatar (file) WHERE file <> '';
CREATE INDEX comment_author_shown ON comment (actor) WHERE shown = 1;
