-- Meetings to come are read in their order, and those that last long by their end.
DROP INDEX record_upcoming;
CREATE INDEX record_upcoming ON record (state, ends_at, starts_at) WHERE ends_at IS NOT NULL;
CREATE INDEX record_by_start ON record (state, starts_at, position) WHERE starts_at IS NOT NULL;
