-- The terms of one published record in a thousand: of a word that stands in many it says
-- how far back so many lie, before they are looked for (store/stretch.go, ADR 22). Rows
-- come as records are indexed anew, and go with theirs.
CREATE TABLE search_sample (
    term     TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL REFERENCES search (position) ON DELETE CASCADE,
    PRIMARY KEY (term, position)
);
CREATE INDEX search_sample_of ON search_sample (position);
-- The spans come first in the index of terms: it looks for the next row of a part, and
-- then whether that has the terms. The other way round each part cost a walk through all
-- that have the terms, or have one and not another.
CREATE INDEX search_parts_of_terms ON search USING gin (search_spans(position), terms) WITH (gin_pending_list_limit = 64);
DROP INDEX search_term;
ALTER INDEX search_parts_of_terms RENAME TO search_term;
