-- Collections about a local record.

-- name: replies_page
SELECT n, id FROM comment WHERE record = $1 AND in_reply_to = $1 AND shown = 1 AND n > $2 ORDER BY n LIMIT $3

-- name: replies_count
SELECT count(*) FROM comment WHERE record = $1 AND in_reply_to = $1 AND shown = 1

-- name: thread_page
SELECT n, id FROM comment WHERE record = $1 AND shown = 1 AND n > $2 ORDER BY n LIMIT $3
