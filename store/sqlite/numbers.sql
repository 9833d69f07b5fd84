-- The one counter. There is one writer, so taking a number needs no lock.

-- name: take_numbers
UPDATE counter SET n = n + $1 WHERE id = 1 RETURNING n, recovering, recoveries
