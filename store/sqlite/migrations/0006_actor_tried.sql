-- When an actor was last fetched or tried, by which it is fetched anew.
ALTER TABLE actor ADD COLUMN tried_at INTEGER NOT NULL DEFAULT 0;
UPDATE actor SET tried_at = fetched_at;
CREATE INDEX actor_tried ON actor (tried_at);
