-- What other nodes were found to hold (federation/copies_check.go).

-- name: copy_check_due
SELECT p.host FROM peer p LEFT JOIN copy_check k ON k.host = p.host AND k.origin = ''
WHERE p.state IN ('followed', 'known') AND p.gone_at IS NULL AND coalesce(k.next_at, 0) <= $1
ORDER BY coalesce(k.next_at, 0), p.host LIMIT $2

-- name: copy_check_save
INSERT INTO copy_check (host, origin, checked_at, number, state, next_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (host, origin) DO UPDATE
SET checked_at = excluded.checked_at, number = excluded.number, state = excluded.state, next_at = excluded.next_at

-- name: copy_check_put_off
INSERT INTO copy_check (host, origin, checked_at, number, state, next_at) VALUES ($1, '', NULL, 0, '', $2)
ON CONFLICT (host, origin) DO UPDATE SET next_at = excluded.next_at

-- name: copy_differs_list
SELECT id, digest FROM copy_differs WHERE host = $1 AND origin = $2

-- name: copy_differs_put
INSERT INTO copy_differs (host, origin, id, digest) VALUES ($1, $2, $3, $4)
ON CONFLICT (host, origin, id) DO UPDATE SET digest = excluded.digest

-- name: copy_differs_drop
DELETE FROM copy_differs WHERE host = $1 AND origin = $2 AND id = $3

-- name: copy_holders
-- Of a line: who is asked, when it was the last time, and what it holds instead. Who
-- never answered did not confirm a deletion either.
SELECT p.host, p.territory_name, k.checked_at, coalesce(k.state, ''), d.digest,
    CASE WHEN c.origin = '' AND c.number > k.number OR c.origin <> '' AND coalesce(r.received_at, 0) > k.checked_at THEN 1 ELSE 0 END
FROM commons c JOIN peer p ON p.state IN ('followed', 'known') AND p.gone_at IS NULL
LEFT JOIN copy_check k ON k.host = p.host AND k.origin = c.origin
LEFT JOIN copy_differs d ON d.host = p.host AND d.origin = c.origin AND d.id = c.id
LEFT JOIN record r ON r.id = c.id
WHERE c.id = $1 AND (k.checked_at IS NOT NULL OR c.sort = 'tombstone' AND c.origin = '')
ORDER BY p.host

-- name: copy_checks_forget
DELETE FROM copy_check WHERE host = $1

-- name: copy_differs_forget
DELETE FROM copy_differs WHERE host = $1
