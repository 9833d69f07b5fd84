-- name: peer_key_list
-- Keys that are pinned, oldest first, among those that were refused; the one that
-- is contested last.
SELECT multikey, how, since, until, statement FROM peer_key
WHERE host = $1
ORDER BY CASE WHEN how = 'contested' THEN 1 ELSE 0 END, since, CASE WHEN until IS NULL THEN 1 ELSE 0 END, until

-- name: peer_key_pin
INSERT INTO peer_key (host, multikey, how, since, until, statement) VALUES ($1, $2, $3, $4, NULL, $5)

-- name: peer_key_retire
UPDATE peer_key SET until = $2 WHERE host = $1 AND until IS NULL AND how <> 'contested'

-- name: peer_key_again
-- Trusted once more by an administrator: one that was retired or refused.
DELETE FROM peer_key WHERE host = $1 AND multikey = $2 AND how <> 'contested'

-- name: peer_key_contest
INSERT INTO peer_key (host, multikey, how, since, until, statement) VALUES ($1, $2, 'contested', $3, NULL, NULL)

-- name: peer_key_refuse
-- It never held: its end is its beginning.
INSERT INTO peer_key (host, multikey, how, since, until, statement) VALUES ($1, $2, 'refused', $3, $3, NULL)
ON CONFLICT DO NOTHING

-- name: peer_key_forget
DELETE FROM peer_key WHERE host = $1

-- name: copy_kept
SELECT 1 WHERE EXISTS (SELECT 1 FROM record r WHERE r.id = $1 AND r.origin <> '')
    OR EXISTS (SELECT 1 FROM commons c WHERE c.id = $1 AND c.origin <> '')

-- name: peer_key_settle
DELETE FROM peer_key WHERE host = $1 AND how = 'contested'

-- name: peer_key_replicated
SELECT p.actor, y.behind_at, p.gone_at FROM peer p LEFT JOIN commons_sync y ON y.host = p.host
WHERE p.host = $1 AND p.state IN ('requested', 'followed')

-- name: inbox_settle
-- What was kept while nothing of its host was taken, for a reason like $3.
UPDATE inbox SET state = 'waiting', next_at = $2, attempt = 0, done_at = NULL
WHERE state = 'failed' AND raw IS NOT NULL AND reason LIKE $3
  AND (actor LIKE 'https://' || $1 || '/%' OR actor LIKE 'http://' || $1 || '/%')
