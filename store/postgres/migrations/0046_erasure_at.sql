-- The latest erasure is asked for whenever a dump is given.
CREATE INDEX erasure_at ON erasure (at);
