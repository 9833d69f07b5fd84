-- Search, where both databases say it alike.

-- name: search_all
SELECT position FROM search WHERE position < $1 ORDER BY position DESC LIMIT $2

-- name: facet_top
-- The most frequent values of a facet that has many.
SELECT value, label, n FROM facet WHERE facet = $1 AND n > 0 ORDER BY n DESC, value LIMIT $2

-- name: reindex_state
SELECT version, position, ended FROM reindex WHERE id = 1

-- name: reindex_save
UPDATE reindex SET version = $1, position = $2, ended = $3 WHERE id = 1

-- name: reindex_page
SELECT s.position, r.id FROM search s JOIN record r ON r.rid = s.rid WHERE s.position > $1 ORDER BY s.position LIMIT $2
