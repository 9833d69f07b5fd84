-- Who this node is, and the names that it gave.

-- name: node
SELECT base_url, incarnation, territory, key_fingerprint, demo, created_at, (SELECT c.recoveries FROM counter c WHERE c.id = 1)
FROM node WHERE id = 1

-- name: node_insert
INSERT INTO node (id, base_url, incarnation, territory, key_fingerprint, demo, created_at)
VALUES (1, $1, $2, $3, $4, $5, $6)

-- name: node_update
UPDATE node SET incarnation = $1, territory = $2, key_fingerprint = $3, demo = $4 WHERE id = 1

-- name: name_allot
INSERT INTO name (space, name, ref, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (space, name) DO NOTHING RETURNING name

-- name: name_insert
INSERT INTO name (space, name, ref, created_at) VALUES ($1, $2, $3, $4)

-- name: name_count
SELECT count(*) FROM name WHERE space = $1 AND name > $2 AND name < $3
