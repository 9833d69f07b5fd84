// SPDX-License-Identifier: AGPL-3.0-or-later

package rig

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Loopback is the range that the suites' nodes may reach.
const Loopback = "127.0.0.0/8"

// AdminEmail is the first administrator of every node of the suites.
const AdminEmail = "admin@essaim.example"

// Node is one process, or several of the same node, of the real binary.
type Node struct {
	Bin      string
	Dir      string // data directory
	URL      string // public address, no last slash
	Listen   string // where this process listens; the URL's host when empty
	Database string // postgres://…; empty for SQLite
	Env      []string
	Dev      bool           // serve --dev
	Token    string         // an API token of the administrator, once Init ran
	Metrics  string         // address of its metrics, when it has them
	Pool     *x509.CertPool // authorities to trust when URL is https

	cmd  *exec.Cmd
	done chan struct{}
	tls  *http.Client
}

// FreePort finds a port that nobody listens on.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Binary is ESSAIM_BIN or bin/essaim, built by make before a suite runs.
func Binary() (string, error) {
	bin := os.Getenv("ESSAIM_BIN")
	if bin == "" {
		bin = "bin/essaim"
	}
	abs, err := filepath.Abs(bin)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(abs); err != nil {
		return "", fmt.Errorf("%s: build it first (make build): %w", bin, err)
	}
	return abs, nil
}

func (n *Node) env() []string {
	env := append(os.Environ(),
		"ESSAIM_DATA="+n.Dir, "ESSAIM_URL="+n.URL, "ESSAIM_ALLOW_PRIVATE="+Loopback, "ESSAIM_DATABASE_URL="+n.Database)
	listen := n.Listen
	if listen == "" {
		listen = Host(n.URL)
	}
	return append(append(env, "ESSAIM_LISTEN="+listen), n.Env...)
}

// Run runs one command of the binary on this node's data and returns what it
// printed; an error carries what it wrote to stderr.
func (n *Node) Run(ctx context.Context, args ...string) (string, error) {
	cmd := n.Command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("essaim %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// Command is a command of the node, not run yet.
func (n *Node) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, n.Bin, args...)
	cmd.Env = n.env()
	return cmd
}

// Init creates the node and an API token of its administrator.
func (n *Node) Init(ctx context.Context, name string, perimeter ...string) error {
	args := append([]string{"init", "--data", n.Dir, "--url", n.URL, "--name", name, "--admin-email", AdminEmail}, perimeter...)
	if _, err := n.Run(ctx, args...); err != nil {
		return err
	}
	return n.AdminToken(ctx)
}

// Start runs serve and waits until the node is ready. What it logs goes to
// serve.log beside its data.
func (n *Node) Start(ctx context.Context) error {
	log, err := os.OpenFile(strings.TrimSuffix(n.Dir, "/")+n.logSuffix(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	n.cmd = exec.Command(n.Bin, "serve", "--data", n.Dir)
	if n.Dev {
		n.cmd.Args = append(n.cmd.Args, "--dev")
	}
	n.cmd.Env, n.cmd.Stdout, n.cmd.Stderr = n.env(), log, log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		return err
	}
	n.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // how it ended shows in the checks
		close(done)
	}(n.cmd, n.done)
	return Eventually(30*time.Second, func() error {
		select {
		case <-n.done:
			return fmt.Errorf("serve ended: %s", n.LastLog())
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.base()+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := n.client().Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("readyz: %s", resp.Status)
		}
		return nil
	})
}

func (n *Node) logSuffix() string {
	if n.Listen != "" {
		return "." + strings.ReplaceAll(n.Listen, ":", "_") + ".log"
	}
	return ".log"
}

func (n *Node) address() string {
	if n.Listen != "" {
		return n.Listen
	}
	return Host(n.URL)
}

// base is where this process answers.
func (n *Node) base() string {
	if n.Pool != nil {
		return "https://" + n.address()
	}
	return "http://" + n.address()
}

// client trusts the node's authorities.
func (n *Node) client() *http.Client {
	if n.Pool == nil {
		return client
	}
	if n.tls == nil {
		n.tls = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: n.Pool}, MaxIdleConnsPerHost: 32,
		}}
	}
	return n.tls
}

// LastLog is the end of what the node logged.
func (n *Node) LastLog() string {
	b, err := os.ReadFile(strings.TrimSuffix(n.Dir, "/") + n.logSuffix())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-800):])
}

// Pid is the process's id, 0 when it does not run.
func (n *Node) Pid() int {
	if n.cmd == nil || n.cmd.Process == nil {
		return 0
	}
	return n.cmd.Process.Pid
}

// Kill ends the process with SIGKILL and waits for its end.
func (n *Node) Kill() { n.end(syscall.SIGKILL) }

// Stop ends the process with SIGTERM and waits for its end.
func (n *Node) Stop() { n.end(syscall.SIGTERM) }

func (n *Node) end(sig syscall.Signal) {
	if n.cmd == nil || n.cmd.Process == nil {
		return
	}
	_ = n.cmd.Process.Signal(sig) // it may have ended by itself
	select {
	case <-n.done:
	case <-time.After(20 * time.Second):
		_ = n.cmd.Process.Kill()
		<-n.done
	}
	n.cmd = nil
}

// FreePorts finds the first of n ports in a row that nobody listens on.
func FreePorts(n int) (int, error) {
	for range 50 {
		first, err := FreePort()
		if err != nil {
			return 0, err
		}
		free := true
		for p := first; p < first+n && free; p++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
			if free = err == nil; free {
				l.Close()
			}
		}
		if free {
			return first, nil
		}
	}
	return 0, errors.New("no ports in a row are free")
}

// AdminToken makes an API token of the node's first administrator.
func (n *Node) AdminToken(ctx context.Context) error {
	email, err := n.admin(ctx)
	if err != nil {
		return err
	}
	n.Token, err = n.TokenOf(ctx, email)
	return err
}

// TokenOf makes an API token of an account.
func (n *Node) TokenOf(ctx context.Context, email string) (string, error) {
	return n.lastWord(ctx, "token", "create", "--data", n.Dir, "--user", email)
}

// SignInLink makes an address that signs the first administrator in, once.
func (n *Node) SignInLink(ctx context.Context) (string, error) {
	email, err := n.admin(ctx)
	if err != nil {
		return "", err
	}
	return n.lastWord(ctx, "user", "link", "--data", n.Dir, email)
}

// admin is the address of the node's first administrator.
func (n *Node) admin(ctx context.Context) (string, error) {
	out, err := n.Run(ctx, "user", "list", "--data", n.Dir, "--json")
	if err != nil {
		return "", err
	}
	var users []struct {
		Email string `json:"email"`
		Role  string `json:"role"`
	}
	if err := json.Unmarshal([]byte(out), &users); err != nil {
		return "", fmt.Errorf("user list: %w", err)
	}
	for _, u := range users {
		if u.Role == "admin" {
			return u.Email, nil
		}
	}
	return "", errors.New("the node has no administrator")
}

// lastWord runs a command and returns the last word that it prints.
func (n *Node) lastWord(ctx context.Context, args ...string) (string, error) {
	out, err := n.Run(ctx, args...)
	if err != nil {
		return "", err
	}
	words := strings.Fields(out)
	if len(words) == 0 {
		return "", fmt.Errorf("%s %s printed nothing", args[0], args[1])
	}
	return words[len(words)-1], nil
}
