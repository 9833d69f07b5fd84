-- The index of terms knows which part of all records a row stands in: a search looks at
-- the latest parts until it has enough (store/parts.go, ADR 21). A part is a range of
-- positions, of about a second, 34 seconds, 18 minutes, ten hours, 13 days, 407 days and 36 years.
CREATE OR REPLACE FUNCTION search_spans(at BIGINT) RETURNS BIGINT[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[(at >> 20) * 8, (at >> 25) * 8 + 1, (at >> 30) * 8 + 2, (at >> 35) * 8 + 3, (at >> 40) * 8 + 4, (at >> 45) * 8 + 5, (at >> 50) * 8 + 6];
-- What waits to be put in place is read for each part: it is kept short. Whoever
-- searches meanwhile has the old index.
CREATE INDEX search_term_in_parts ON search USING gin (terms, search_spans(position)) WITH (gin_pending_list_limit = 64);
-- One position in a hundred, and in a thousand: how far back so many records stand is
-- read from few of them.
CREATE INDEX search_hundredth ON search (position) WHERE position % 100 = 0;
CREATE INDEX search_thousandth ON search (position) WHERE position % 1000 = 0;
DROP INDEX search_term;
ALTER INDEX search_term_in_parts RENAME TO search_term;
