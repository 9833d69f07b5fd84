-- A second reading of a node's copies takes the actors that came before their
-- records. Until now its reason said so.
ALTER TABLE recovery_source ADD COLUMN reading INTEGER NOT NULL DEFAULT 0; -- 0 first, 1 first and one more, 2 last
UPDATE recovery_source SET reading = 1, reason = '' WHERE reason = 'once more: its record is not here';
UPDATE recovery_source SET reading = 2, reason = '' WHERE reason = 'its record is not here';

-- Written and never read.
ALTER TABLE copy_check DROP COLUMN items;
