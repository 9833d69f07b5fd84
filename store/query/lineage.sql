-- Adaptations: what they come from, and who acknowledged them.

-- name: parent_version_keep
INSERT INTO parent_version (id, digest, content, at) VALUES ($1, $2, $3, $4) ON CONFLICT (id, digest) DO NOTHING

-- name: parent_version
SELECT content FROM parent_version WHERE id = $1 AND digest = $2

-- name: parent_versions_erase
DELETE FROM parent_version WHERE id = $1

-- name: parent_version_drop
-- A digest is hexadecimal: it stands in no content but where it is the version adapted.
DELETE FROM parent_version WHERE id = $1 AND digest = $2 AND NOT EXISTS (
    SELECT 1 FROM relation l JOIN record r ON r.rid = l.rid
    WHERE l.target = $1 AND l.type = 'adapts' AND l.rid <> $3 AND r.origin = '' AND r.content LIKE '%"' || $2 || '"%')

-- name: adaptation_offer
-- What is acknowledged stays so; a new Offer takes the place of an older one.
INSERT INTO adaptation (child, parent, actor, offer, state, n, at)
VALUES ($1, $2, $3, $4, $5, (SELECT coalesce(max(n), 0) + 1 FROM adaptation WHERE parent = $2), $6)
ON CONFLICT (child) DO UPDATE SET offer = excluded.offer, state = excluded.state, at = excluded.at
WHERE adaptation.state <> 'acknowledged' AND adaptation.parent = excluded.parent AND adaptation.actor = excluded.actor

-- name: adaptations_open
-- Made here and neither acknowledged nor refused, since before a time; not those
-- whose Offer is still on its way.
SELECT r.rid, r.id FROM relation l CROSS JOIN record r LEFT JOIN adaptation a ON a.child = r.id
WHERE l.type = 'adapts' AND r.rid = l.rid AND l.rid > $1 AND r.origin = '' AND r.state = 'published'
  AND (a.child IS NULL OR a.state = 'offered' AND a.at < $2)
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.activity_id = a.offer AND d.state = 'waiting')
ORDER BY l.rid LIMIT $3

-- name: adaptations_of_host
-- The records of a host that others held here adapt: those first of which not all
-- are known to be acknowledged, and of more than are asked for others each time ($3).
SELECT p.id, p.document FROM record p JOIN (
    SELECT l.target AS id, max(CASE WHEN coalesce(a.state, '') = 'acknowledged' THEN 0 ELSE 1 END) AS open
    FROM relation l CROSS JOIN record r LEFT JOIN adaptation a ON a.child = r.id AND a.parent = l.target
    WHERE l.type = 'adapts' AND r.rid = l.rid AND r.state = 'published' GROUP BY l.target) x ON x.id = p.id
WHERE p.origin = $1 AND p.state = 'published' AND p.document IS NOT NULL
ORDER BY x.open DESC, p.rid * $3 % 1000003, p.rid LIMIT $2

-- name: adaptations_held
-- Those of which it is not known yet that they are acknowledged.
SELECT r.id FROM relation l JOIN record r ON r.rid = l.rid
WHERE l.type = 'adapts' AND l.target = $1 AND r.state = 'published'
  AND NOT EXISTS (SELECT 1 FROM adaptation a WHERE a.child = r.id AND a.parent = l.target AND a.state = 'acknowledged')
ORDER BY r.id

-- name: adaptations_acknowledged
SELECT child FROM adaptation WHERE parent = $1 AND state = 'acknowledged'

-- name: adaptation_list
-- What is listed keeps its place.
INSERT INTO adaptation (child, parent, actor, offer, state, n, at)
VALUES ($1, $2, $3, $4, 'acknowledged', (SELECT coalesce(max(n), 0) + 1 FROM adaptation WHERE parent = $2), $5)
ON CONFLICT (child) DO UPDATE SET parent = excluded.parent, actor = excluded.actor, offer = excluded.offer, state = excluded.state,
    n = CASE WHEN adaptation.parent = excluded.parent AND adaptation.state = 'acknowledged' THEN adaptation.n ELSE excluded.n END

-- name: adaptation_claim
SELECT parent, actor, offer, state FROM adaptation WHERE child = $1

-- name: adaptation_answered
UPDATE adaptation SET state = $3 WHERE offer = $1 AND actor = $2 AND state = 'offered'

-- name: adaptation_state
SELECT state FROM adaptation WHERE child = $1

-- name: adaptations_erase_child
DELETE FROM adaptation WHERE child = $1

-- name: adaptations_erase_host
-- Between the first and the last id that a host may have.
DELETE FROM adaptation WHERE child > $1 AND child < $2

-- name: adaptations_erase_parent
DELETE FROM adaptation WHERE parent = $1

-- name: adaptation_drafts_erase
-- What an adaptation made here was before it was published repeats its parent.
DELETE FROM revision WHERE state <> 'published' AND rid IN (
    SELECT l.rid FROM relation l JOIN record r ON r.rid = l.rid WHERE l.target = $1 AND l.type = 'adapts' AND r.origin = '')
  AND revision < (SELECT max(v.revision) FROM revision v WHERE v.rid = revision.rid)

-- name: adaptations_page
SELECT n, child FROM adaptation WHERE parent = $1 AND state = 'acknowledged' AND n > $2 ORDER BY n LIMIT $3

-- name: adaptations_count
SELECT count(*) FROM adaptation WHERE parent = $1 AND state = 'acknowledged'

-- name: tidy_adaptations
-- What waited for a record that never came, or of which nothing came of it.
DELETE FROM adaptation WHERE child IN (
    SELECT a.child FROM adaptation a WHERE a.state = 'waiting' AND a.at < $1 ORDER BY a.at LIMIT $2)
