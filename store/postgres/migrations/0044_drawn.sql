-- Without the state: an index that has it could be taken for any question about
-- published records.
DROP INDEX record_by_digest;
CREATE INDEX record_drawn ON record (kind, content_digest);
