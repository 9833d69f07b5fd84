-- name: item_add
INSERT INTO item (kind, ref, state, actor, about, excerpt, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING n

-- name: item_set_state
UPDATE item SET state = $2 WHERE n = $1 AND state = $3

-- name: item_renew
UPDATE item SET state = $2, excerpt = $3 WHERE n = $1

-- name: item_by_number
SELECT n, kind, ref, state, actor, about, excerpt, received_at FROM item WHERE n = $1

-- name: item_by_ref
SELECT n, kind, ref, state, actor, about, excerpt, received_at FROM item WHERE kind = $1 AND ref = $2

-- name: item_page
SELECT n, kind, ref, state, actor, about, excerpt, received_at FROM item
WHERE state = $1 AND n > $3 AND ($2 = '' OR kind = $2)
ORDER BY n LIMIT $4

-- name: item_remove
DELETE FROM item WHERE kind = $1 AND ref = $2

-- name: items_of_actor
SELECT n, kind, ref, state, actor, about, excerpt, received_at FROM item WHERE actor = $1 AND actor <> ''

-- name: item_known_author
-- One of hers was accepted, and none is hidden.
SELECT 1 FROM item i
WHERE i.actor = $1 AND i.actor <> '' AND i.kind = 'comment' AND i.state = 'accepted'
    AND NOT EXISTS (SELECT 1 FROM item h WHERE h.actor = $1 AND h.actor <> '' AND h.kind = 'comment' AND h.state = 'hidden')
LIMIT 1

-- name: comments_held
-- Those that wait, as far as they are counted.
SELECT count(*) FROM (
    SELECT 1 FROM item i WHERE i.kind = 'comment' AND i.state = 'held' AND i.actor >= $1 AND i.actor < $2 LIMIT $3) w

-- name: decision_add
INSERT INTO decision (at, account_id, action, kind, subject, before_state, after_state, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: decisions_about
SELECT n, at, account_id, action, kind, subject, before_state, after_state, reason
FROM decision WHERE subject = $2 AND kind = $1 ORDER BY n

-- name: decision_page
SELECT n, at, account_id, action, kind, subject, before_state, after_state, reason
FROM decision WHERE n < $1 ORDER BY n DESC LIMIT $2

-- name: decision_hidden_from
-- The state in which the last decision to hide found it.
SELECT before_state FROM decision
WHERE subject = $2 AND kind = $1 AND action = 'hide'
ORDER BY n DESC LIMIT 1

-- name: decision_anonymise
-- The reason may speak of what is erased.
UPDATE decision SET subject = '', reason = '' WHERE subject = $2 AND kind = $1

-- name: comment_add
INSERT INTO comment (id, n, actor, record, in_reply_to, url, content, warning, language, shown, published_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: comment_renew
UPDATE comment SET url = $2, content = $3, warning = $4, language = $5, shown = $6, updated_at = $7
WHERE id = $1

-- name: comment_show
UPDATE comment SET shown = $2 WHERE n = $1

-- name: comment_context
-- What decides about a comment that comes: whether its tombstone stands, whether
-- it is known, and whether what it answers is a record of ours.
SELECT CASE WHEN EXISTS (SELECT 1 FROM tombstone WHERE id = $1) THEN 1 ELSE 0 END,
    CASE WHEN EXISTS (SELECT 1 FROM comment WHERE id = $1) THEN 1 ELSE 0 END,
    CASE WHEN EXISTS (SELECT 1 FROM record WHERE id = $2 AND origin = '' AND state = 'published') THEN 1 ELSE 0 END

-- name: comment_known
SELECT c.n, c.actor, c.updated_at, i.state FROM comment c JOIN item i ON i.n = c.n WHERE c.id = $1

-- name: comment_author
SELECT actor FROM comment WHERE id = $1

-- name: comment_thread
-- The record that a comment's thread is about, as long as it is published.
SELECT c.record FROM comment c JOIN record r ON r.id = c.record
WHERE c.id = $1 AND r.origin = '' AND r.state = 'published'

-- name: comment_by_id
SELECT c.n, c.id, c.record, c.in_reply_to, c.url, c.actor, coalesce(a.name, ''), coalesce(a.username, ''), coalesce(a.url, ''),
    c.content, c.warning, c.language, c.published_at, c.updated_at, coalesce(v.file, '')
FROM comment c LEFT JOIN actor a ON a.id = c.actor LEFT JOIN avatar v ON v.actor = c.actor
WHERE c.id = $1

-- name: comments_shown
SELECT c.n, c.id, c.record, c.in_reply_to, c.url, c.actor, coalesce(a.name, ''), coalesce(a.username, ''), coalesce(a.url, ''),
    c.content, c.warning, c.language, c.published_at, c.updated_at, coalesce(v.file, '')
FROM comment c LEFT JOIN actor a ON a.id = c.actor LEFT JOIN avatar v ON v.actor = c.actor
WHERE c.record = $1 AND c.shown = 1 AND c.n > $2
ORDER BY c.n LIMIT $3

-- name: comments_count
SELECT count(*) FROM comment WHERE record = $1 AND shown = 1

-- name: comment_ids_of_record
SELECT id FROM comment WHERE record = $1
