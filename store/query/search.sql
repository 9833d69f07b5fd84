-- Search, where both databases say it alike.

-- name: search_all
SELECT position FROM search WHERE position < $1 ORDER BY position DESC LIMIT $2

-- name: facet_labels
SELECT value, label FROM facet WHERE facet = $1
