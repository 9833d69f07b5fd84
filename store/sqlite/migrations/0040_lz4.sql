-- What PostgreSQL compresses is kept as it is here.
SELECT 1;
