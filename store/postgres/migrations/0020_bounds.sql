-- Comments that wait, counted by their author and its host; reports by their server.
CREATE INDEX item_held ON item (kind, actor) WHERE state = 'held';
CREATE INDEX report_of_host ON report (host) WHERE host <> '';
-- Set when somebody else than its origin says that the object is deleted.
ALTER TABLE wanted ADD COLUMN deleted BIGINT NOT NULL DEFAULT 0;
