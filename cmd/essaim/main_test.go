// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"essaim/store/storetest"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"essaim": main})
}

// Each command is tried from outside, as an administrator types it.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scripts("testdata/script", nil))
}

func TestScriptsOnPostgreSQL(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return // the SQLite scripts alone
	}
	databases := map[string]string{}
	for _, name := range []string{"DB1", "DB2"} {
		databases[name] = storetest.Postgres(t).URL
	}
	testscript.Run(t, scripts("testdata/postgres", databases))
}

func scripts(dir string, with map[string]string) testscript.Params {
	return testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"LISTEN", "LISTEN2"} {
				port, err := freePort()
				if err != nil {
					return err
				}
				env.Setenv(name, fmt.Sprintf("127.0.0.1:%d", port))
			}
			env.Setenv("URL", "http://"+env.Getenv("LISTEN"))
			three, err := threePorts()
			if err != nil {
				return err
			}
			env.Setenv("PORT", strconv.Itoa(three))
			env.Setenv("ESSAIM_ALLOW_PRIVATE", "127.0.0.0/8")
			env.Setenv("ESSAIM_PASSPHRASE", "a passphrase for tests")
			for k, v := range with {
				env.Setenv(k, v)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"waitfor": waitFor, "setfrom": setFrom},
	}
}

// waitFor waits until an address answers 200: waitfor URL
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfor URL")
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		resp, err := http.Get(args[0])
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			err = errors.New(resp.Status)
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: %v", args[0], err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// setFrom keeps what a file says in a variable: setfrom NAME FILE PATTERN, whose
// first group is the value.
func setFrom(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: setfrom NAME FILE PATTERN")
	}
	m := regexp.MustCompile(args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if len(m) != 2 {
		ts.Fatalf("%s has no %s", args[1], args[2])
	}
	ts.Setenv(args[0], m[1])
}

// threePorts finds a port that is free, and so are the two after it.
func threePorts() (int, error) {
	for {
		first, err := freePort()
		if err != nil || first > 65533 {
			return first, err
		}
		free := 0
		for port := first; port < first+3; port++ {
			if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
				free++
				l.Close()
			}
		}
		if free == 3 {
			return first, nil
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// full is where nothing can be written.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestACommandWhoseAnswerIsLostFails(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	a := &app{in: strings.NewReader(""), out: full{}, errs: &said, now: time.Now}
	if code := a.run(t.Context(), []string{"version"}); code != exitFailed || strings.Count(said.String(), "no space left") != 1 {
		t.Errorf("exit %d, said %q", code, said.String())
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{}, kong.Name("essaim"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, leaf := range parser.Model.Leaves(false) {
		seen++
		if leaf.Help == "" {
			t.Errorf("%s has no line of help", leaf.FullPath())
		}
		if !strings.Contains(leaf.Detail, "Example:\n\n    essaim "+leaf.Path()) {
			t.Errorf("%s shows no example", leaf.FullPath())
		}
		if _, err := os.Stat("testdata/script/" + strings.Fields(leaf.Path())[0] + ".txt"); err != nil {
			t.Errorf("%s has no script: %v", leaf.FullPath(), err)
		}
	}
	if seen < 20 {
		t.Errorf("%d commands", seen)
	}
}
