-- How a host or an account elsewhere is treated: 'block', 'silence' or 'allow'.
ALTER TABLE block ADD COLUMN level TEXT COLLATE "C" NOT NULL DEFAULT 'block';
-- Of an account that is silenced: kept, not counted.
ALTER TABLE reaction ADD COLUMN muted BIGINT NOT NULL DEFAULT 0;
CREATE INDEX follower_host ON follower (host);
