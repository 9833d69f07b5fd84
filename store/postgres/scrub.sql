-- What erased rows left in the files is gone once the tables are written anew. The
-- statistics that the planner keeps hold values, and are made anew first.

-- name: scrub_patience
SET lock_timeout = '3s'

-- name: scrub_statistics
ANALYZE

-- name: scrub_tables
VACUUM (FULL) account, activity, actor, actor_key, adaptation, announce, avatar, block, candidate, comment, commons, commons_sync,
    copy_check, copy_differs, counter, decision, delivery, dispatch_cursor, event, facet, follower, followed, head, host, import, inbox, item, local_actor,
    migration, moved, name, node, parent_version, peer, peer_key, quote, reaction, record, recovery, recovery_source, record_credit, record_place, record_theme,
    relation, report, revision, rotation, scrub, search, session, signin, token, tombstone, wanted, withdrawal, pg_statistic

-- name: scrub_impatience
RESET lock_timeout
