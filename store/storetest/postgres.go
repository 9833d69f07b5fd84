// SPDX-License-Identifier: AGPL-3.0-or-later

package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"essaim/store"

	"github.com/jackc/pgx/v5"
)

// server is the PostgreSQL server of this test process: one that the
// environment names (ESSAIM_TEST_POSTGRES, a postgres:// URL whose user may
// make databases), or a private one that lives as long as the process.
var server = sync.OnceValues(start)

type cluster struct {
	url  url.URL // without a database
	last atomic.Int64
	// holder keeps the server alive: it ends when this pipe is closed, which the
	// kernel does however this process ends.
	holder io.Closer
	// dir, args and attr are those of a private one.
	dir  string
	args []string
	attr *syscall.SysProcAttr
}

func start() (*cluster, error) {
	c := &cluster{}
	if given := os.Getenv("ESSAIM_TEST_POSTGRES"); given != "" {
		u, err := url.Parse(given)
		if err != nil {
			return nil, err
		}
		c.url = *u
	} else if err := c.startPrivate(); err != nil {
		return nil, err
	}
	return c, c.template()
}

// binaries finds the directory of initdb and postgres, which Debian does not
// put in the PATH.
func binaries() (string, error) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Sort(dirs)
	slices.Reverse(dirs)
	if path, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("PostgreSQL is not installed: run \"apt-get install postgresql-15\" (make test does), or name a server in ESSAIM_TEST_POSTGRES")
}

// startPrivate makes a cluster in a temporary directory and starts it. Nothing
// of it is to survive, so nothing waits for the disk.
func (c *cluster) startPrivate() error {
	bin, err := binaries()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "essaim-pg-")
	if err != nil {
		return err
	}
	attr, err := asPostgres(dir)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=fr-FR", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	c.args = []string{filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-p", strconv.Itoa(port)}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"max_connections=300", "shared_buffers=128MB", "autovacuum_naptime=10", "max_wal_size=2GB",
	} {
		c.args = append(c.args, "-c", setting)
	}
	c.dir, c.attr = dir, attr
	c.url = url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/", RawQuery: url.Values{"host": {dir}, "port": {strconv.Itoa(port)}}.Encode()}
	c.holder, err = c.hold(`; rm -rf "$HOME"`)
	return err
}

// hold starts the server and gives what keeps it alive; then is done at its end.
// One that a test froze ends too.
func (c *cluster) hold(then string) (io.Closer, error) {
	script := `"$0" "$@" >>"$HOME/log" 2>&1 & pid=$!; cat >/dev/null; kill -QUIT $pid; kill -CONT $pid; wait $pid` + then
	holder := exec.Command("/bin/sh", append([]string{"-c", script}, c.args...)...)
	holder.Env = append(os.Environ(), "HOME="+c.dir)
	holder.Dir, holder.SysProcAttr = c.dir, c.attr
	alive, err := holder.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := holder.Start(); err != nil {
		return nil, err
	}
	if err := c.awake(); err != nil {
		log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
		alive.Close()
		return nil, fmt.Errorf("PostgreSQL does not start: %w\n%s", err, log)
	}
	return alive, nil
}

// asPostgres lets root start the server as the user postgres, as it must: it
// refuses to run as root. The group is its own so that an interrupt at the
// terminal does not reach it before its cleaning up.
func asPostgres(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, uid, gid)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// awake waits until the server answers.
func (c *cluster) awake() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var conn *pgx.Conn
		if conn, err = pgx.Connect(ctx, c.database("postgres")); err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

func (c *cluster) database(name string) string {
	u := c.url
	u.Path = "/" + name
	return u.String()
}

// exec runs a statement outside any transaction in the maintenance database.
func (c *cluster) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, c.database("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// templateName is per process: packages under test may share a server.
func templateName() string { return "essaim_template_" + strconv.Itoa(os.Getpid()) }

// template makes the database with the migrated schema that tests get copies of.
func (c *cluster) template() error {
	ctx := context.Background()
	if err := c.exec(ctx, "CREATE DATABASE "+templateName()); err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{URL: c.database(templateName())})
	if err != nil {
		return err
	}
	return s.Close()
}

// fresh makes a database of its own for a test, a copy of the template that is
// gone with it.
func (c *cluster) fresh(t testing.TB) string {
	t.Helper()
	name := "essaim_test_" + strconv.Itoa(os.Getpid()) + "_" + strconv.FormatInt(c.last.Add(1), 10)
	if err := c.exec(context.Background(), "CREATE DATABASE "+name+" TEMPLATE "+templateName()); err != nil {
		t.Fatalf("new test database: %v", err)
	}
	t.Cleanup(func() {
		if err := c.exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop of the test database: %v", err)
		}
	})
	return c.database(name)
}

// Alone waits until no process has the database open: PostgreSQL sees that one ended
// after a moment. On SQLite its lock is free at once.
func (db DB) Alone(t testing.TB) {
	t.Helper()
	if db.URL == "" {
		return
	}
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	// That of store/postgres/claim.sql, lock_alone.
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_lock(712140474); SELECT pg_advisory_unlock(712140474)"); err != nil {
		t.Fatal(err)
	}
}
