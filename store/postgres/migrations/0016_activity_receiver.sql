-- Whom an activity between two actors is for; null for what is published. It is
-- served to nobody, goes in its time, and with its receiver.
ALTER TABLE activity ADD COLUMN receiver TEXT COLLATE "C";
UPDATE activity SET receiver = coalesce(convert_from(bytes, 'UTF8')::json #>> '{to,0}', convert_from(bytes, 'UTF8')::json ->> 'to', '')
WHERE rid IS NULL AND bytes IS NOT NULL AND type IN ('Follow', 'Accept', 'Reject', 'Ignore', 'Undo');
CREATE INDEX activity_direct ON activity (at) WHERE receiver IS NOT NULL;
CREATE INDEX activity_of_receiver ON activity (receiver) WHERE receiver IS NOT NULL;
