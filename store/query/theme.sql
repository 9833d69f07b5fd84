-- name: themes
SELECT id, broader, fr, en FROM theme ORDER BY id

-- name: theme_save
INSERT INTO theme (id, broader, fr, en, at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET fr = excluded.fr, en = excluded.en, at = excluded.at WHERE theme.broader = excluded.broader

-- name: theme_remove
DELETE FROM theme WHERE id = $1

-- name: theme_used
SELECT rid FROM record_theme WHERE theme = $1 LIMIT 1
