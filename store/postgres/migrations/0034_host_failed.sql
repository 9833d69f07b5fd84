-- A host that failed is asked gently for an hour, also once it answers again.
ALTER TABLE host ADD COLUMN failed_at BIGINT;
