-- Which dumps of the commons may hold what was erased: 0 none, 1 those of all records,
-- 2 those of this node's own too. Of what was erased before nothing says, so all may.
DROP INDEX erasure_at;
ALTER TABLE erasure ADD COLUMN reach BIGINT NOT NULL DEFAULT 0;
UPDATE erasure SET reach = 2 WHERE sort NOT IN ('reaction', 'candidate', 'token', 'lifted');
CREATE INDEX erasure_reach ON erasure (reach, at);
