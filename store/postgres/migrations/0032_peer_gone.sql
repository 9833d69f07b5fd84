-- An administrator said that the node is gone.
ALTER TABLE peer ADD COLUMN gone_at BIGINT;
