-- What erased rows left in the files is gone once the tables are written anew. The
-- statistics that the planner keeps hold values, and are made anew first.

-- name: scrub_patience
SET lock_timeout = '3s'

-- name: scrub_statistics
ANALYZE

-- name: scrub_emptied
-- ANALYZE leaves those of a table without rows as they were; a column that takes its
-- own type again loses them.
DO $$
DECLARE renewed text;
BEGIN
    FOR renewed IN
        SELECT format('ALTER TABLE %s %s', t.oid::regclass, string_agg(format('ALTER %I TYPE %s', c.attname,
            concat_ws(' COLLATE ', format_type(c.atttypid, c.atttypmod), quote_ident(o.collname))), ', '))
        FROM pg_class t
        JOIN pg_stats s ON s.schemaname = 'public' AND s.tablename = t.relname
        JOIN pg_attribute c ON c.attrelid = t.oid AND c.attname = s.attname AND c.atttypid <> 'bigint'::regtype
        LEFT JOIN pg_collation o ON o.oid = c.attcollation
        WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' AND t.reltuples = 0
        GROUP BY t.oid
    LOOP
        EXECUTE renewed;
        COMMIT;
    END LOOP;
END
$$

-- name: scrub_mark
SELECT pg_current_xact_id()::xid::text

-- name: scrub_older
-- What a transaction of before may still read is kept, in the new file too. One of
-- another database counts while it writes.
SELECT count(*) FROM (
    SELECT backend_xid AS x FROM pg_stat_activity WHERE pid <> pg_backend_pid()
    UNION ALL SELECT backend_xmin FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
    UNION ALL SELECT xmin FROM pg_replication_slots
    UNION ALL SELECT catalog_xmin FROM pg_replication_slots
    UNION ALL SELECT transaction FROM pg_prepared_xacts
) o WHERE x IS NOT NULL AND age(x) > age($1::text::xid)

-- name: scrub_tables
VACUUM (FULL) account, activity, actor, actor_key, adaptation, announce, avatar, block, candidate, comment, commons, commons_sync,
    copy_check, copy_differs, counter, decision, delivery, dispatch_cursor, erasure, event, facet, follower, followed, gathered, head, host, import, inbox, item, local_actor, map_cell,
    migration, moved, name, node, parent_version, peer, peer_about, peer_key, quote, reaction, record, recovery, recovery_source, record_credit, record_place, record_theme,
    reindex, relation, report, revision, rotation, scrub, search, search_sample, session, signin, theme, token, tombstone, wanted, withdrawal, pg_statistic

-- name: scrub_impatience
RESET lock_timeout
