-- How long a host asked us to wait (Retry-After): a wake-up does not cut it short.
ALTER TABLE host ADD COLUMN paused_until BIGINT NOT NULL DEFAULT 0;
