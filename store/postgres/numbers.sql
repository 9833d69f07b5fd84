-- The one counter. It is taken last in a transaction: from then on to the
-- commit nobody else has a number, so that numbers become visible in their
-- order and "greater than the last one seen" passes over none.

-- name: take_numbers
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(712140472))
UPDATE counter SET n = n + $1 FROM turn WHERE id = 1 RETURNING n, recovering, recoveries
