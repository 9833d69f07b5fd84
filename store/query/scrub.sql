-- When something was erased whose bytes may still be in the database's files.

-- name: erased_note
-- Since the last time that this began, when it is under way, by whichever clock.
UPDATE scrub SET erased_at = CASE WHEN begun_at >= $1 THEN begun_at + 1 ELSE $1 END
WHERE id = 1 AND (erased_at IS NULL OR erased_at <= begun_at)

-- name: erased_since
SELECT erased_at, done_at FROM scrub WHERE id = 1

-- name: erased_begin
-- One at a time; $2 is when one that has not ended yet was begun too long ago.
UPDATE scrub SET begun_at = $1 WHERE id = 1 AND (begun_at IS NULL OR begun_at < $2)

-- name: erased_left
UPDATE scrub SET begun_at = NULL WHERE id = 1 AND begun_at = $1

-- name: erased_done
-- What was erased meanwhile is for the next time.
UPDATE scrub SET done_at = $1, erased_at = CASE WHEN erased_at <= begun_at THEN NULL ELSE erased_at END, begun_at = NULL
WHERE id = 1 AND begun_at = $2
