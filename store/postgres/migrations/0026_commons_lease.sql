-- Of several processes one reads the commons of a node; and what was refused of
-- them since the reading from the beginning began.
ALTER TABLE commons_sync ADD COLUMN claimed_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE commons_sync ADD COLUMN refused BIGINT NOT NULL DEFAULT 0; -- items
ALTER TABLE commons_sync ADD COLUMN refusal TEXT COLLATE "C" NOT NULL DEFAULT ''; -- of the first

-- An older document of an actor, sent or read later, does not replace a newer one.
ALTER TABLE actor ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0; -- by its document; 0 unknown
