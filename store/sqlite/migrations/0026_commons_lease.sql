-- Of several processes one reads the commons of a node; and what was refused of
-- them since the reading from the beginning began.
ALTER TABLE commons_sync ADD COLUMN claimed_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE commons_sync ADD COLUMN refused INTEGER NOT NULL DEFAULT 0; -- items
ALTER TABLE commons_sync ADD COLUMN refusal TEXT NOT NULL DEFAULT ''; -- of the first

-- An older document of an actor, sent or read later, does not replace a newer one.
ALTER TABLE actor ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0; -- by its document; 0 unknown
