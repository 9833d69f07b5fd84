-- When what is held of a node was compared with its digest tree, and what came of
-- it.
ALTER TABLE commons_sync ADD COLUMN compare_at INTEGER NOT NULL DEFAULT 0; -- next
ALTER TABLE commons_sync ADD COLUMN compared_at INTEGER;
ALTER TABLE commons_sync ADD COLUMN differences INTEGER NOT NULL DEFAULT 0; -- found then
ALTER TABLE commons_sync ADD COLUMN mended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE commons_sync ADD COLUMN kept TEXT NOT NULL DEFAULT ''; -- held here, unknown there, and no deletion shown: ids, one a line
ALTER TABLE commons_sync RENAME COLUMN bytes TO size;
