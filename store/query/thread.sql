-- Collections about a local record.

-- name: replies_page
SELECT n, id FROM comment WHERE record = $1 AND in_reply_to = $1 AND shown = 1 AND n > $2 ORDER BY n LIMIT $3

-- name: replies_count
SELECT count(*) FROM comment WHERE record = $1 AND in_reply_to = $1 AND shown = 1

-- name: thread_page
SELECT n, id FROM comment WHERE record = $1 AND shown = 1 AND n > $2 ORDER BY n LIMIT $3

-- name: adaptations_page
SELECT r.rid, r.id FROM relation l JOIN record r ON r.rid = l.rid
WHERE l.target = $1 AND l.type = 'adapts' AND r.state = 'published' AND r.rid > $2
ORDER BY r.rid LIMIT $3

-- name: adaptations_count
SELECT count(*) FROM relation l JOIN record r ON r.rid = l.rid
WHERE l.target = $1 AND l.type = 'adapts' AND r.state = 'published'
