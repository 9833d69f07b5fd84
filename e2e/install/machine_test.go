// SPDX-License-Identifier: AGPL-3.0-or-later

package install

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is a fresh Debian in a directory, with a network of its own in which
// only its own loopback exists, and no systemd.
type machine struct {
	t       *testing.T
	root    string
	network string // /proc/PID/ns/net
	running map[string]*service
}

type service struct {
	cmd    *exec.Cmd
	output *bytes.Buffer
	done   chan error
}

// newMachine makes a machine with debootstrap; cache keeps the packages that
// it downloads from one run to the next.
func newMachine(t *testing.T, cache string) *machine {
	t.Helper()
	m := &machine{t: t, root: filepath.Join(t.TempDir(), "root"), running: map[string]*service{}}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	m.command("debootstrap", "--variant=minbase", "--cache-dir="+cache, "bookworm", m.root)
	m.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
	m.write("etc/hosts", "127.0.0.1 localhost brest.example\n", 0o644)
	resolver, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		t.Fatal(err)
	}
	m.write("etc/resolv.conf", string(resolver), 0o644)

	holder := exec.Command("unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 1200")
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for name := range m.running {
			m.stop(name)
		}
		_ = holder.Process.Kill()
		_ = holder.Wait()
	})
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatalf("network namespace: %v", err)
	}
	m.network = fmt.Sprintf("/proc/%d/ns/net", holder.Process.Pid)
	return m
}

func (m *machine) write(name, text string, mode os.FileMode) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.root, name), []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(name string) string {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join(m.root, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

// command runs a command of the test's own machine.
func (m *machine) command(name string, args ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 10*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", name, err, tail(string(out)))
	}
}

// inside is a shell script in the machine. The mounts live as long as it does.
// Only what fetches packages sees the world outside.
func (m *machine) inside(ctx context.Context, script string, outside bool) *exec.Cmd {
	const enter = `mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" /bin/bash -eu -o pipefail -c "$1"`
	args := []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", enter, m.root, script}
	if !outside {
		args = append([]string{"nsenter", "--net=" + m.network}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "HOME=/"}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); outside && strings.HasSuffix(strings.ToLower(name), "_proxy") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	return cmd
}

// run runs a script in the machine and gives what it printed.
func (m *machine) run(script string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 5*time.Minute)
	defer cancel()
	out, err := m.inside(ctx, script, strings.HasPrefix(script, "apt-get ")).CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s\n%v\n%s%s", script, err, tail(string(out)), m.logs())
	}
	return string(out)
}

// unit is what the test reads of a service's file.
type unit struct{ user, exec, kind, environment, capabilities, condition string }

func (m *machine) unit(name string) unit {
	m.t.Helper()
	var u unit
	for line := range strings.Lines(m.read("lib/systemd/system/" + name)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "User":
			u.user = value
		case "ExecStart":
			u.exec = value
		case "Type":
			u.kind = value
		case "EnvironmentFile":
			u.environment = strings.TrimPrefix(value, "-")
		case "ConditionPathExists":
			u.condition = value
		case "AmbientCapabilities":
			u.capabilities = strings.ToLower(strings.TrimPrefix(value, "CAP_"))
		}
	}
	if u.exec == "" || u.user == "" {
		m.t.Fatalf("%s: no ExecStart or User", name)
	}
	return u
}

// start runs a service's own ExecStart as its own user with its own
// environment, as systemd would.
func (m *machine) start(name string) {
	m.t.Helper()
	u := m.unit(name)
	if _, err := os.Stat(filepath.Join(m.root, u.condition)); err != nil {
		m.t.Fatalf("%s would not start: %v", name, err)
	}
	script := "export HOME=$(getent passwd " + u.user + " | cut -d: -f6)\n"
	if u.environment != "" {
		script += "set -a; . " + u.environment + "; set +a\n"
	}
	script += "exec setpriv --reuid=" + u.user + " --regid=" + u.user + " --init-groups"
	if u.capabilities != "" {
		script += " --inh-caps=+" + u.capabilities + " --ambient-caps=+" + u.capabilities
	}
	script += " -- " + u.exec
	if u.kind == "oneshot" {
		m.run(script)
		return
	}
	s := &service{cmd: m.inside(context.WithoutCancel(m.t.Context()), script, false), output: new(bytes.Buffer), done: make(chan error, 1)}
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() { s.done <- s.cmd.Wait() }()
	m.running[name] = s
}

// stop asks a service to end and waits for it.
func (m *machine) stop(name string) {
	s, ok := m.running[name]
	if !ok {
		return
	}
	delete(m.running, name)
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(30 * time.Second):
		m.t.Errorf("%s did not stop within 30 s of being asked to", name)
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// logs is what the running services wrote, read once a test has failed.
func (m *machine) logs() string {
	var b strings.Builder
	for name, s := range m.running {
		_ = s.cmd.Process.Kill()
		<-s.done
		delete(m.running, name)
		fmt.Fprintf(&b, "\n%s:\n%s", name, tail(s.output.String()))
	}
	return b.String()
}

// tail keeps the end of a long text.
func tail(s string) string {
	const most = 4000
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}
