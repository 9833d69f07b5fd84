// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"essaim"
)

// socketFile stands in the data directory while a process serves the node:
// HTTP over a Unix socket, mode 0600, one POST an operation. Whoever may open
// it may read the database beside it too, so nothing else is asked.
const socketFile = "essaim.sock"

// maxSocketPath is what sockaddr_un holds, less one for its end.
const maxSocketPath = 107

// errorTrailer tells of an error after the first byte of an answer.
const errorTrailer = "Essaim-Error"

// socketPath is a path that fits in a Unix address. A directory too deep for
// one is reached through a descriptor, which release closes.
func socketPath(dir string) (path string, release func(), err error) {
	path = filepath.Join(dir, socketFile)
	if len(path) <= maxSocketPath || runtime.GOOS != "linux" {
		return path, func() {}, nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return "/proc/self/fd/" + strconv.Itoa(int(d.Fd())) + "/" + socketFile, func() { d.Close() }, nil
}

// listenAdmin opens the socket of a data directory whose lock the caller
// holds; one left by a process that died is replaced.
func listenAdmin(dir string) (net.Listener, error) {
	path, release, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil { // until then the directory's 0700 keeps others out
		l.Close()
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the path may be of a descriptor closed by then
	return l, nil
}

// adminHandler answers operations on a node.
func adminHandler(n *Node, log *slog.Logger) http.Handler {
	table := operations()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		op, ok := table[name]
		if !ok || r.Method != http.MethodPost {
			refuse(w, fmt.Errorf("operation %s: %w (is the running process of another version?)", name, essaim.ErrNotFound))
			return
		}
		args, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<20))
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Trailer", errorTrailer)
		out := &countingWriter{w: w}
		err = runOperation(r.Context(), op, n, args, out)
		switch {
		case err == nil:
		case out.n == 0:
			refuse(w, err)
		default:
			w.Header().Set(errorTrailer, oneLine(err))
		}
		log.LogAttrs(r.Context(), slog.LevelDebug, "administration", slog.String("operation", name), slog.Bool("ok", err == nil))
	})
}

func runOperation(ctx context.Context, op operation, n *Node, args []byte, w io.Writer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return op(ctx, n, args, w)
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// kinds of error that keep their meaning through the socket.
var errorStatus = []struct {
	err    error
	status int
}{
	{essaim.ErrNotFound, http.StatusNotFound},
	{essaim.ErrInvalid, http.StatusUnprocessableEntity},
	{essaim.ErrForbidden, http.StatusForbidden},
	{essaim.ErrConflict, http.StatusConflict},
	{essaim.ErrGone, http.StatusGone},
	{essaim.ErrUnavailable, http.StatusServiceUnavailable},
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	for _, k := range errorStatus {
		if errors.Is(err, k.err) {
			status = k.status
			break
		}
	}
	http.Error(w, oneLine(err), status)
}

// socketError is an error that another process told.
type socketError struct {
	message string
	kind    error // one of the sentinels, or nil
}

func (e socketError) Error() string { return e.message }
func (e socketError) Unwrap() error { return e.kind }

// remoteNode is the admin of a node served by another process.
type remoteNode struct{ client *http.Client }

// dialNode reaches the process that serves a data directory; not ok when none
// does.
func dialNode(ctx context.Context, dir string) (remoteNode, bool, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		path, release, err := socketPath(dir)
		if err != nil {
			return nil, err
		}
		defer release()
		d := net.Dialer{Timeout: 5 * time.Second}
		return d.DialContext(ctx, "unix", path)
	}
	c, err := dial(ctx)
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return remoteNode{}, false, nil
	case err != nil:
		return remoteNode{}, false, err
	}
	c.Close()
	t := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableKeepAlives: true,
	}
	return remoteNode{&http.Client{Transport: t}}, true, nil
}

// served tells whether a process serves the directory.
func served(ctx context.Context, dir string) bool {
	_, ok, err := dialNode(ctx, dir)
	return ok && err == nil
}

func (r remoteNode) do(ctx context.Context, name string, args any, w io.Writer) error {
	body, err := json.Marshal(args)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://essaim/"+name, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("the running node: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		if err != nil {
			return err
		}
		told := socketError{message: strings.TrimSpace(string(text))}
		for _, k := range errorStatus {
			if k.status == resp.StatusCode {
				told.kind = k.err
			}
		}
		return told
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return err
	}
	if message := resp.Trailer.Get(errorTrailer); message != "" {
		return socketError{message: message}
	}
	return nil
}
