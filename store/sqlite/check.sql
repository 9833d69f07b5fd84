-- name: check_integrity
PRAGMA quick_check(1)
