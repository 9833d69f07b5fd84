-- name: object_published
-- The digest is that of its line, if it has one: what the node signs in its head.
SELECT r.document, coalesce(nullif(c.digest, ''), r.copy_digest), r.copy_digest, r.url, r.updated_at
FROM record r LEFT JOIN commons c ON c.id = r.id
WHERE r.id = $1 AND r.origin = '' AND r.state = 'published'

-- name: document_published
SELECT document FROM record WHERE id = $1 AND state = 'published'

-- name: object_gone
SELECT t.document, coalesce(c.digest, ''), t.at FROM tombstone t LEFT JOIN commons c ON c.id = t.id
WHERE t.id = $1 AND t.origin = ''

-- name: outbox_page
SELECT r.number, a.bytes
FROM record r JOIN activity a ON a.id = r.activity_id
WHERE r.origin = '' AND r.number < $2 AND r.number > 0 AND r.territory = $1 AND r.state = 'published' AND a.bytes IS NOT NULL
ORDER BY r.number DESC LIMIT $3

-- name: outbox_page_after
SELECT r.number, a.bytes
FROM record r JOIN activity a ON a.id = r.activity_id
WHERE r.origin = '' AND r.number > $2 AND r.territory = $1 AND r.state = 'published' AND a.bytes IS NOT NULL
ORDER BY r.number LIMIT $3

-- name: count_published
SELECT count(*) FROM record WHERE origin = '' AND state = 'published'

-- name: count_published_by
SELECT count(*) FROM record WHERE territory = $1 AND state = 'published'

-- name: count_followers
SELECT count(*) FROM follower WHERE local = $1 AND state = 'accepted'

-- name: count_accounts
SELECT count(*) FROM account WHERE disabled = 0

-- name: count_comments
SELECT count(*) FROM comment WHERE shown = 1

-- name: last_number
SELECT n FROM counter WHERE id = 1
