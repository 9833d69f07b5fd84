-- What was erased here, and must not come back.

-- name: erasure_add
INSERT INTO erasure (sort, ref, at, detail, reach) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (sort, ref, at) DO NOTHING

-- name: erasure_all
SELECT sort, ref, at, detail FROM erasure ORDER BY at, sort, ref

-- name: erasure_latest
SELECT at FROM erasure WHERE reach = $1 ORDER BY at DESC LIMIT 1

-- name: erasure_known
SELECT 1 FROM erasure WHERE sort = $1 AND ref = $2 LIMIT 1

-- What may be what was erased: the ids of which there are only digests.

-- name: erasure_objects
SELECT id FROM comment UNION SELECT object FROM candidate UNION SELECT post FROM quote

-- name: erasure_candidates
SELECT object FROM candidate

-- name: erasure_reactions
SELECT object || ' ' || kind || ' ' || actor FROM reaction

-- name: erasure_actors
SELECT id FROM actor UNION SELECT actor FROM comment UNION SELECT author FROM candidate UNION SELECT brought_by FROM candidate
UNION SELECT actor FROM reaction UNION SELECT actor FROM quote UNION SELECT remote FROM follower UNION SELECT actor FROM followed
UNION SELECT actor FROM moved UNION SELECT actor FROM avatar UNION SELECT actor FROM item UNION SELECT actor FROM inbox

-- name: erasure_people
SELECT id FROM local_actor WHERE kind = 'person' AND gone = 0

-- name: erasure_accounts
SELECT CAST(id AS TEXT) || ' ' || CAST(created_at AS TEXT) FROM account

-- name: erasure_tokens
SELECT CAST(account_id AS TEXT) || ' ' || substr(hash, 1, 12) FROM token

-- name: commons_blank
-- Of an actor here that is gone: its tombstone takes the place once it is signed.
UPDATE commons SET sort = 'tombstone', digest = '', document = NULL WHERE id = $1 AND origin = ''
