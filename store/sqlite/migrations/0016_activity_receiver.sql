-- Whom an activity between two actors is for; null for what is published. It is
-- served to nobody, goes in its time, and with its receiver.
ALTER TABLE activity ADD COLUMN receiver TEXT;
UPDATE activity SET receiver = coalesce(json_extract(CAST(bytes AS TEXT), '$.to[0]'), json_extract(CAST(bytes AS TEXT), '$.to'), '')
WHERE rid IS NULL AND bytes IS NOT NULL AND type IN ('Follow', 'Accept', 'Reject', 'Ignore', 'Undo');
CREATE INDEX activity_direct ON activity (at) WHERE receiver IS NOT NULL;
CREATE INDEX activity_of_receiver ON activity (receiver) WHERE receiver IS NOT NULL;
