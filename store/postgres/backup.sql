-- name: restore_sequences
-- Rows came with their numbers: the next ones follow them.
SELECT setval(pg_get_serial_sequence('import', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM import), false)
UNION ALL SELECT setval(pg_get_serial_sequence('record', 'rid'), (SELECT coalesce(max(rid), 0) + 1 FROM record), false)
UNION ALL SELECT setval(pg_get_serial_sequence('record_place', 'pid'), (SELECT coalesce(max(pid), 0) + 1 FROM record_place), false)
UNION ALL SELECT setval(pg_get_serial_sequence('delivery', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM delivery), false)
UNION ALL SELECT setval(pg_get_serial_sequence('inbox', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM inbox), false)
UNION ALL SELECT setval(pg_get_serial_sequence('item', 'n'), (SELECT coalesce(max(n), 0) + 1 FROM item), false)
UNION ALL SELECT setval(pg_get_serial_sequence('decision', 'n'), (SELECT coalesce(max(n), 0) + 1 FROM decision), false)
UNION ALL SELECT setval(pg_get_serial_sequence('account', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM account), false)
