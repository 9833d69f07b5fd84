-- How a host or an account elsewhere is treated: 'block', 'silence' or 'allow'.
ALTER TABLE block ADD COLUMN level TEXT NOT NULL DEFAULT 'block';
-- Of an account that is silenced: kept, not counted.
ALTER TABLE reaction ADD COLUMN muted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX follower_host ON follower (host);
