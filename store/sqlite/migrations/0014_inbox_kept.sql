-- What is kept of an activity beyond its id, digest and outcome, by age: small
-- once it is tidied, however long ago that was.
CREATE INDEX inbox_kept ON inbox (state, done_at) WHERE state <> 'waiting' AND (raw IS NOT NULL OR actor <> '' OR object <> '');
