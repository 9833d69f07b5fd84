-- A backup: every row of every table, in the order of its key, so that the same
-- content gives the same bytes on both databases. Left out are sessions and
-- sign-in links, which end with the node that gave them, and what is counted
-- and indexed of the records, which is made again. The tables that others refer to come first.

-- name: backup_node
SELECT id, base_url, incarnation, territory, key_fingerprint, demo, created_at
FROM node ORDER BY id

-- name: restore_node
INSERT INTO node (id, base_url, incarnation, territory, key_fingerprint, demo, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: backup_counter
SELECT id, n, recovering, recoveries
FROM counter ORDER BY id

-- name: restore_counter
INSERT INTO counter (id, n, recovering, recoveries)
VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET n = excluded.n, recovering = excluded.recovering, recoveries = excluded.recoveries

-- name: backup_name
SELECT space, name, ref, created_at
FROM name ORDER BY space, name

-- name: restore_name
INSERT INTO name (space, name, ref, created_at)
VALUES ($1, $2, $3, $4)

-- name: backup_local_actor
SELECT id, name, kind, subject, profile, gone, created_at, updated_at
FROM local_actor ORDER BY id

-- name: restore_local_actor
INSERT INTO local_actor (id, name, kind, subject, profile, gone, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: backup_announce
SELECT actor, object, state, due_at, created_at, sent_at
FROM announce ORDER BY actor, object

-- name: restore_announce
INSERT INTO announce (actor, object, state, due_at, created_at, sent_at)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: restore_announces_due
UPDATE announce SET state = 'dropped' WHERE state = 'waiting' AND due_at <= $1

-- name: backup_import
SELECT id, started_at, file, kind, licence, attribution, report, undone_at
FROM import ORDER BY id

-- name: restore_import
INSERT INTO import (id, started_at, file, kind, licence, attribution, report, undone_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: backup_record
SELECT rid, id, kind, slug, origin, territory, territory_name, url, state, incarnation, revision, number, title,
    stage, starts_at, ends_at, reusable, content, document, content_digest, copy_digest, activity_id,
    published_at, updated_at, received_at, import_id, source_key, source_digest, position
FROM record ORDER BY rid

-- name: restore_record
INSERT INTO record (rid, id, kind, slug, origin, territory, territory_name, url, state, incarnation, revision, number, title,
    stage, starts_at, ends_at, reusable, content, document, content_digest, copy_digest, activity_id,
    published_at, updated_at, received_at, import_id, source_key, source_digest, position)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
    $24, $25, $26, $27, $28, $29)

-- name: backup_record_place
SELECT pid, rid, lat, lon, insee, epci, departement, region, position
FROM record_place ORDER BY pid

-- name: restore_record_place
INSERT INTO record_place (pid, rid, lat, lon, insee, epci, departement, region, position)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: backup_record_theme
SELECT rid, theme, direct
FROM record_theme ORDER BY theme, rid

-- name: restore_record_theme
INSERT INTO record_theme (rid, theme, direct)
VALUES ($1, $2, $3)

-- name: backup_relation
SELECT rid, type, target, name
FROM relation ORDER BY rid, type, target

-- name: restore_relation
INSERT INTO relation (rid, type, target, name)
VALUES ($1, $2, $3, $4)

-- name: backup_revision
SELECT rid, revision, at, author_id, author_name, state, content
FROM revision ORDER BY rid, revision

-- name: restore_revision
INSERT INTO revision (rid, revision, at, author_id, author_name, state, content)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: backup_tombstone
SELECT id, kind, origin, at, document
FROM tombstone ORDER BY id

-- name: restore_tombstone
INSERT INTO tombstone (id, kind, origin, at, document)
VALUES ($1, $2, $3, $4, $5)

-- name: backup_erasure
SELECT sort, ref, at, detail, reach
FROM erasure ORDER BY sort, ref, at

-- name: restore_erasure
INSERT INTO erasure (sort, ref, at, detail, reach)
VALUES ($1, $2, $3, $4, $5)

-- name: backup_commons
SELECT id, origin, key, sort, digest, number, document
FROM commons ORDER BY id

-- name: restore_commons
INSERT INTO commons (id, origin, key, sort, digest, number, document)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: backup_head
SELECT host, incarnation, n, at, items, root, document
FROM head ORDER BY host, incarnation, n, at

-- name: restore_head
INSERT INTO head (host, incarnation, n, at, items, root, document)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: backup_commons_sync
SELECT host, incarnation, n, tag, items, total, pages, size, started_at, done_at, checked_at, next_at, reason, compare_at, compared_at, differences, mended, kept, claimed_until, refused, refusal, behind_at
FROM commons_sync ORDER BY host

-- name: restore_commons_sync
INSERT INTO commons_sync (host, incarnation, n, tag, items, total, pages, size, started_at, done_at, checked_at, next_at, reason, compare_at, compared_at, differences, mended, kept, claimed_until, refused, refusal, behind_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)

-- name: backup_activity
SELECT id, type, actor, rid, bytes, at, receiver
FROM activity ORDER BY id

-- name: restore_activity
INSERT INTO activity (id, type, actor, rid, bytes, at, receiver)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: backup_event
SELECT n, activity_id, actor, order_key
FROM event ORDER BY n

-- name: restore_event
INSERT INTO event (n, activity_id, actor, order_key)
VALUES ($1, $2, $3, $4)

-- name: backup_dispatch_cursor
SELECT id, n, inbox
FROM dispatch_cursor ORDER BY id

-- name: restore_dispatch_cursor
INSERT INTO dispatch_cursor (id, n, inbox)
VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET n = excluded.n, inbox = excluded.inbox

-- name: backup_delivery
SELECT id, activity_id, actor, host, inbox, order_key, n, state, attempt, next_at, lease_until, status, reason,
    created_at, done_at
FROM delivery ORDER BY id

-- name: restore_delivery
INSERT INTO delivery (id, activity_id, actor, host, inbox, order_key, n, state, attempt, next_at, lease_until, status, reason,
    created_at, done_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: backup_host
SELECT host, next_at, failures, down_since, last_success, last_reason, rfc9421, paused_until, failed_at
FROM host ORDER BY host

-- name: restore_host
INSERT INTO host (host, next_at, failures, down_since, last_success, last_reason, rfc9421, paused_until, failed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: backup_inbox
SELECT id, activity_id, type, actor, object, raw, state, attempt, next_at, lease_until, reason, received_at,
    done_at, digest
FROM inbox ORDER BY id

-- name: restore_inbox
INSERT INTO inbox (id, activity_id, type, actor, object, raw, state, attempt, next_at, lease_until, reason, received_at,
    done_at, digest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: backup_actor
SELECT id, type, username, name, url, icon, inbox, shared_inbox, outbox, document, fetched_at, gone, unindexed, tried_at, updated_at
FROM actor ORDER BY id

-- name: restore_actor
INSERT INTO actor (id, type, username, name, url, icon, inbox, shared_inbox, outbox, document, fetched_at, gone, unindexed, tried_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: backup_actor_key
SELECT id, actor, pem
FROM actor_key ORDER BY id

-- name: restore_actor_key
INSERT INTO actor_key (id, actor, pem)
VALUES ($1, $2, $3)

-- name: backup_follower
SELECT local, remote, follow_id, inbox, host, state, created_at, takes
FROM follower ORDER BY local, remote

-- name: restore_follower
INSERT INTO follower (local, remote, follow_id, inbox, host, state, created_at, takes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: backup_peer
SELECT host, state, actor, territory, territory_name, username, url, inbox, follow_id, followed_at, last_received,
    created_at, gone_at
FROM peer ORDER BY host

-- name: restore_peer
INSERT INTO peer (host, state, actor, territory, territory_name, username, url, inbox, follow_id, followed_at, last_received,
    created_at, gone_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: backup_peer_key
SELECT host, multikey, how, since, until, statement
FROM peer_key ORDER BY host, multikey, how

-- name: restore_peer_key
INSERT INTO peer_key (host, multikey, how, since, until, statement)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: backup_rotation
SELECT n, old_key, new_key, at, statement, reached, done_at
FROM rotation ORDER BY n

-- name: restore_rotation
INSERT INTO rotation (n, old_key, new_key, at, statement, reached, done_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: backup_followed
SELECT actor, handle, name, url, inbox, state, follow_id, agreed, created_at, followed_at
FROM followed ORDER BY actor

-- name: restore_followed
INSERT INTO followed (actor, handle, name, url, inbox, state, follow_id, agreed, created_at, followed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: backup_candidate
SELECT object, record, author, brought_by, announce, updated_at, received_at
FROM candidate ORDER BY object

-- name: restore_candidate
INSERT INTO candidate (object, record, author, brought_by, announce, updated_at, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: backup_wanted
SELECT object, host, brought_by, announce, attempt, next_at, lease_until, deleted
FROM wanted ORDER BY object

-- name: restore_wanted
INSERT INTO wanted (object, host, brought_by, announce, attempt, next_at, lease_until, deleted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: backup_reaction
SELECT kind, object, actor, activity_id, at, muted
FROM reaction ORDER BY object, kind, actor

-- name: restore_reaction
INSERT INTO reaction (kind, object, actor, activity_id, at, muted)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: backup_moved
SELECT actor, target, at
FROM moved ORDER BY actor

-- name: restore_moved
INSERT INTO moved (actor, target, at)
VALUES ($1, $2, $3)

-- name: backup_avatar
-- The files are not in a backup: they are fetched again.
SELECT actor, '' AS source, '' AS file, 0 AS next_at
FROM avatar ORDER BY actor

-- name: restore_avatar
INSERT INTO avatar (actor, source, file, next_at)
VALUES ($1, $2, $3, $4)

-- name: backup_quote
SELECT id, object, post, actor, stamp, at
FROM quote ORDER BY id

-- name: restore_quote
INSERT INTO quote (id, object, post, actor, stamp, at)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: backup_item
SELECT n, kind, ref, state, actor, about, excerpt, received_at
FROM item ORDER BY n

-- name: restore_item
INSERT INTO item (n, kind, ref, state, actor, about, excerpt, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: backup_decision
SELECT n, at, account_id, action, kind, subject, before_state, after_state, reason
FROM decision ORDER BY n

-- name: restore_decision
INSERT INTO decision (n, at, account_id, action, kind, subject, before_state, after_state, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: backup_withdrawal
SELECT id, origin, digest, at
FROM withdrawal ORDER BY id

-- name: restore_withdrawal
INSERT INTO withdrawal (id, origin, digest, at)
VALUES ($1, $2, $3, $4)

-- name: backup_report
SELECT id, n, host, contact, objects, text, received_at, digest
FROM report ORDER BY id

-- name: restore_report
INSERT INTO report (id, n, host, contact, objects, text, received_at, digest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: backup_parent_version
SELECT id, digest, content, at
FROM parent_version ORDER BY id, digest

-- name: restore_parent_version
INSERT INTO parent_version (id, digest, content, at)
VALUES ($1, $2, $3, $4)

-- name: backup_adaptation
SELECT child, parent, actor, offer, state, n, at
FROM adaptation ORDER BY child

-- name: restore_adaptation
INSERT INTO adaptation (child, parent, actor, offer, state, n, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: backup_comment
SELECT id, n, actor, record, in_reply_to, url, content, warning, language, shown, published_at, updated_at
FROM comment ORDER BY id

-- name: restore_comment
INSERT INTO comment (id, n, actor, record, in_reply_to, url, content, warning, language, shown, published_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: backup_block
SELECT scope, value, level, reason, created_at
FROM block ORDER BY scope, value

-- name: restore_block
INSERT INTO block (scope, value, level, reason, created_at)
VALUES ($1, $2, $3, $4, $5)

-- name: backup_account
SELECT id, email, name, role, disabled, created_at
FROM account ORDER BY id

-- name: restore_account
INSERT INTO account (id, email, name, role, disabled, created_at)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: backup_theme
SELECT id, broader, fr, en, at
FROM theme ORDER BY id

-- name: restore_theme
INSERT INTO theme (id, broader, fr, en, at)
VALUES ($1, $2, $3, $4, $5)

-- name: backup_token
SELECT hash, account_id, label, created_at
FROM token ORDER BY hash

-- name: restore_token
INSERT INTO token (hash, account_id, label, created_at)
VALUES ($1, $2, $3, $4)

-- name: restore_node_at
UPDATE node SET incarnation = $1 WHERE id = 1

-- name: restore_empty
-- Rows that an empty database does not have.
SELECT (SELECT count(*) FROM node) + (SELECT count(*) FROM record) + (SELECT count(*) FROM account) + (SELECT count(*) FROM name)

-- name: restore_searched
SELECT rid, id FROM record WHERE rid > $1 AND state = 'published' ORDER BY rid LIMIT $2
