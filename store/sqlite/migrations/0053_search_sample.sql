-- The terms of one published record in a thousand: of a word that stands in many it says
-- how far back so many lie, before they are looked for (store/stretch.go, ADR 22). Rows
-- come as records are indexed anew, and go with theirs.
CREATE TABLE search_sample (
    term     TEXT    NOT NULL,
    position INTEGER NOT NULL REFERENCES search (position) ON DELETE CASCADE,
    PRIMARY KEY (term, position)
) WITHOUT ROWID;
CREATE INDEX search_sample_of ON search_sample (position);
