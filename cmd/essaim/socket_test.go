// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"essaim"
)

// serveAdmin serves administration of a node on a directory's socket.
func serveAdmin(t *testing.T, dir string, n *Node) {
	t.Helper()
	l, err := listenAdmin(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: adminHandler(n, slog.New(slog.DiscardHandler))}
	done := make(chan struct{})
	go func() {
		_ = s.Serve(l)
		close(done)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
}

func TestAdministrationReachesTheServingProcess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, below string }{
		{"short path", ""},
		{"path longer than a socket address", strings.Repeat("directory/", 15)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), c.below)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			serveAdmin(t, dir, &Node{info: essaim.Node{BaseURL: "https://brest.example"}})
			remote, ok, err := dialNode(t.Context(), dir)
			if err != nil || !ok {
				t.Fatalf("dial: %v, %v", ok, err)
			}
			got, err := ask[essaim.Node](t.Context(), remote, "node.show", none{})
			if err != nil || got.BaseURL != "https://brest.example" {
				t.Errorf("got %v, %v", got, err)
			}
			info, err := os.Stat(filepath.Join(dir, socketFile))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("socket mode %v, %v; want 0600", info.Mode(), err)
			}
		})
	}
}

func TestAdministrationKeepsTheKindOfAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serveAdmin(t, dir, &Node{})
	remote, _, err := dialNode(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ask[none](t.Context(), remote, "user.role", "neither name nor role")
	if !errors.Is(err, essaim.ErrInvalid) {
		t.Errorf("wrong arguments: got %v, want %v", err, essaim.ErrInvalid)
	}
	_, err = ask[none](t.Context(), remote, "no.such", none{})
	if !errors.Is(err, essaim.ErrNotFound) {
		t.Errorf("unknown operation: got %v, want %v", err, essaim.ErrNotFound)
	}
	// A panic of one operation ends neither the process nor the socket.
	_, err = ask[none](t.Context(), remote, "user.list", none{})
	if err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("panic: got %v", err)
	}
	if _, err := ask[essaim.Node](t.Context(), remote, "node.show", none{}); err != nil {
		t.Errorf("after a panic: %v", err)
	}
}

func TestASocketLeftByADeadProcessIsPassedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, ok, err := dialNode(t.Context(), dir); ok || err != nil {
		t.Errorf("no socket: got %v, %v", ok, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, socketFile), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, ok, err := dialNode(t.Context(), dir); ok || err != nil {
		t.Errorf("dead socket: got %v, %v", ok, err)
	}
	serveAdmin(t, dir, &Node{})
	if _, ok, err := dialNode(context.Background(), dir); !ok || err != nil {
		t.Errorf("new process: got %v, %v", ok, err)
	}
}

func TestNotifyTellsTheServiceManager(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := notify(path, "READY=1"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := l.Read(b)
	if got := string(b[:n]); err != nil || got != "READY=1" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := notify("", "READY=1"); err != nil {
		t.Errorf("without a manager: %v", err)
	}
}
