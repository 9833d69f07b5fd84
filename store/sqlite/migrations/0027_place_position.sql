-- The place of a record's places in every list: a search near a point looks at
-- them in the order in which the index finds them, and at nothing else.
ALTER TABLE record_place ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
UPDATE record_place SET position = (SELECT r.position FROM record r WHERE r.rid = record_place.rid);
CREATE INDEX record_place_at ON record_place (position, lat, lon);
