-- What strangers deleted goes in its time.
CREATE INDEX tombstone_of_stranger ON tombstone (at) WHERE document IS NULL AND origin <> '';
-- Comments are of strangers; their bytes are never served again.
UPDATE tombstone SET document = NULL WHERE kind = 'comment';
