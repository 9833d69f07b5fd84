-- Of PostgreSQL only, whose index of terms has no order: SQLite's gives the latest first.
SELECT 1;
