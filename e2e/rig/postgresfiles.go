// SPDX-License-Identifier: AGPL-3.0-or-later

package rig

import (
	"context"
	"os"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// PostgresDump writes what a database of the suite's cluster holds, as SQL, and
// has the server write its pages to the files below the directory that it returns.
func PostgresDump(database string) (dump []byte, files string, err error) {
	cluster.Lock()
	defer cluster.Unlock()
	dir, err := os.MkdirTemp("", "essaim-dump-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(dir)
	if cluster.cred != nil {
		if err := os.Chown(dir, int(cluster.cred.Uid), int(cluster.cred.Gid)); err != nil {
			return nil, "", err
		}
	}
	file := filepath.Join(dir, "dump.sql")
	if err := asPostgres("pg_dump", "-h", "127.0.0.1", "-p", strconv.Itoa(cluster.port), "-U", "essaim", "-f", file, database); err != nil {
		return nil, "", err
	}
	if err := asPostgres("psql", "-h", "127.0.0.1", "-p", strconv.Itoa(cluster.port), "-U", "essaim", "-c", "CHECKPOINT", "postgres"); err != nil {
		return nil, "", err
	}
	dump, err = os.ReadFile(file)
	return dump, filepath.Join(cluster.data, "base"), err
}

// PostgresFiles is the directory, below base, of the files of one database.
func PostgresFiles(ctx context.Context, address, base string) (string, error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var oid uint32
	err = conn.QueryRow(ctx, "SELECT oid FROM pg_database WHERE datname = current_database()").Scan(&oid)
	return filepath.Join(base, strconv.FormatUint(uint64(oid), 10)), err
}
