// SPDX-License-Identifier: AGPL-3.0-or-later

package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// cluster is the suite's PostgreSQL, with the settings of a real one: fsync on.
var cluster struct {
	sync.Mutex
	port int
	bin  string
	data string
	cred *syscall.Credential
}

var notName = regexp.MustCompile(`[^a-z0-9_]+`)

// Postgres makes an empty database in a private cluster of the suite, started at
// the first call and removed at the suite's end, and gives its address.
func Postgres(s *Suite, name string) (string, error) {
	cluster.Lock()
	defer cluster.Unlock()
	if cluster.port == 0 {
		if err := startCluster(s); err != nil {
			return "", err
		}
	}
	name = notName.ReplaceAllString(strings.ToLower(name), "_")
	port := strconv.Itoa(cluster.port)
	if err := asPostgres("createdb", "-h", "127.0.0.1", "-p", port, "-U", "essaim", name); err != nil {
		return "", err
	}
	return fmt.Sprintf("postgres://essaim@127.0.0.1:%s/%s?sslmode=disable", port, name), nil
}

func startCluster(s *Suite) error {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return errors.New("PostgreSQL is not installed (Debian: apt-get install postgresql-15)")
	}
	slices.Sort(found)
	cluster.bin = filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "essaim-pg-")
	if err != nil {
		return err
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) }) // a leftover temporary directory harms nobody
	if os.Getuid() == 0 {                       // PostgreSQL refuses to run as root
		if err := takePostgresUser(dir); err != nil {
			return err
		}
	}
	data := filepath.Join(dir, "data")
	err = asPostgres("initdb", "-D", data, "-U", "essaim", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=fr-FR")
	if err != nil {
		return err
	}
	port, err := FreePort()
	if err != nil {
		return err
	}
	options := fmt.Sprintf("-c listen_addresses=127.0.0.1 -p %d -k %s -c max_connections=200 -c shared_buffers=256MB", port, dir)
	if err := asPostgres("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", options, "start"); err != nil {
		return err
	}
	cluster.port, cluster.data = port, data
	s.Cleanup(func() {
		if err := asPostgres("pg_ctl", "-D", data, "-m", "immediate", "stop"); err != nil {
			fmt.Fprintln(os.Stderr, "PostgreSQL does not stop:", err)
		}
	})
	return nil
}

func takePostgresUser(dir string) error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	cluster.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(dir, int(uid), int(gid))
}

func asPostgres(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(cluster.bin, name), args...)
	cmd.Dir = "/"
	if cluster.cred != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cluster.cred}
	}
	// pg_ctl's server keeps its own output: a pipe here would wait for its end.
	out, err := os.CreateTemp("", "essaim-pg-out-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name()) // for the message only
		return fmt.Errorf("%s: %w: %.400s", name, err, said)
	}
	return nil
}
