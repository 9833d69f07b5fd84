// SPDX-License-Identifier: AGPL-3.0-or-later

package storetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Cluster is a PostgreSQL server of one test, which it may freeze and stop.
type Cluster struct {
	t *testing.T
	c cluster
	// frozen are the processes that Freeze stopped.
	frozen []int
}

// NewCluster starts one until the test ends.
func NewCluster(t *testing.T) *Cluster {
	t.Helper()
	k := &Cluster{t: t}
	if err := k.c.startPrivate(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.Thaw()
		if err := k.c.holder.Close(); err != nil {
			t.Errorf("end of PostgreSQL: %v", err)
		}
	})
	return k
}

// Database makes an empty one.
func (k *Cluster) Database(name string) DB {
	k.t.Helper()
	if err := k.c.exec(k.t.Context(), "CREATE DATABASE "+name); err != nil {
		k.t.Fatal(err)
	}
	return DB{Name: "postgres", URL: k.c.database(name)}
}

// Freeze suspends the server: connections stand, new ones are taken by the
// kernel, and nothing is ever answered, as behind a network that loses packets.
func (k *Cluster) Freeze() {
	k.t.Helper()
	main, err := k.main()
	if err != nil {
		k.t.Fatal(err)
	}
	k.signal(syscall.SIGSTOP, main) // first: it makes no more children
	k.frozen = []int{main}
	children, err := childrenOf(main)
	if err != nil {
		k.t.Fatal(err)
	}
	k.signal(syscall.SIGSTOP, children...)
	k.frozen = append(k.frozen, children...)
}

// Thaw lets it go on.
func (k *Cluster) Thaw() {
	k.t.Helper()
	k.signal(syscall.SIGCONT, k.frozen...)
	k.frozen = nil
}

// Stop ends the server at once, frozen or not: every connection is closed
// without a word.
func (k *Cluster) Stop() {
	k.t.Helper()
	main, err := k.main()
	if err != nil {
		k.t.Fatal(err)
	}
	children, err := childrenOf(main)
	if err != nil {
		k.t.Fatal(err)
	}
	all := slices.Concat(children, []int{main})
	k.signal(syscall.SIGKILL, all...)
	k.frozen = nil
	tick, end := time.NewTicker(10*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for _, pid := range all {
		for running(pid) {
			select {
			case <-tick.C:
			case <-end:
				k.t.Fatalf("process %d of PostgreSQL does not end", pid)
			}
		}
	}
	// Its holder has not seen yet that it ended, so that the next would believe
	// that it runs.
	if err := os.Remove(k.pidFile()); err != nil {
		k.t.Fatal(err)
	}
}

// Start runs it again.
func (k *Cluster) Start() {
	k.t.Helper()
	holder, err := k.c.hold("")
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() {
		if err := holder.Close(); err != nil {
			k.t.Errorf("end of PostgreSQL: %v", err)
		}
	})
}

// main is the server's first process.
func (k *Cluster) main() (int, error) {
	b, err := os.ReadFile(k.pidFile())
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strconv.Atoi(strings.TrimSpace(line))
}

func (k *Cluster) pidFile() string { return filepath.Join(k.c.dir, "data", "postmaster.pid") }

func (k *Cluster) signal(s syscall.Signal, pids ...int) {
	k.t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			k.t.Errorf("signal to a process of PostgreSQL: %v", err)
		}
	}
}

// status is the state of a process and its parent (proc(5)).
func status(pid int) (state byte, parent int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	_, err = fmt.Sscanf(rest, "%c %d", &state, &parent)
	return state, parent, err
}

func running(pid int) bool {
	state, _, err := status(pid)
	return err == nil && state != 'Z'
}

func childrenOf(parent int) (children []int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if _, p, err := status(pid); err == nil && p == parent {
			children = append(children, pid)
		}
	}
	if len(children) == 0 {
		return nil, fmt.Errorf("process %d has no children", parent)
	}
	return children, nil
}
