// SPDX-License-Identifier: AGPL-3.0-or-later

// Command essaim runs a territory's node: it reads the configuration, wires
// the store, the federation and the pages together, and offers a command for
// each thing that an administrator does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"essaim"
)

// Exit codes of every command.
const (
	exitDone     = 0
	exitFailed   = 1
	exitWrongUse = 2
)

// app is what every command is given: where it reads and writes, the
// environment and the clock.
type app struct {
	in      io.Reader
	out     io.Writer
	errs    io.Writer
	environ []string // "KEY=value"
	now     func() time.Time
	dir     string // of --data or ESSAIM_DATA; empty when neither is given
}

// usageError is a wrong use of a command that only its run discovers.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := &app{in: os.Stdin, out: os.Stdout, errs: os.Stderr, environ: os.Environ(), now: time.Now}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run parses the command line, runs the command and says in one line what
// went wrong.
func (a *app) run(ctx context.Context, args []string) int {
	var c commands
	parser, err := kong.New(&c,
		kong.Name("essaim"),
		kong.Description("The node of a territory: it publishes its initiatives, is followed, and keeps those of its peers."),
		kong.Writers(a.out, a.errs),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}))
	if err != nil {
		return a.fail("", exitFailed, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		return a.fail(helpFor(err), exitWrongUse, err)
	}
	a.dir = c.Data
	if a.dir == "" {
		a.dir = a.env("ESSAIM_DATA")
	}
	k.BindTo(ctx, (*context.Context)(nil))
	told := *a
	out := &faithful{w: a.out}
	told.out = out
	if err = k.Run(&told); err == nil {
		err = out.err
	}
	if err != nil {
		if _, ok := errors.AsType[usageError](err); ok {
			return a.fail("essaim "+commandPath(k)+" --help", exitWrongUse, err)
		}
		return a.fail("", exitFailed, err)
	}
	return exitDone
}

// faithful remembers that something could not be written: a command whose answer
// nobody can read, a token or a sign-in link among them, did not do what it was for.
type faithful struct {
	w   io.Writer
	err error
}

func (f *faithful) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	if f.err == nil {
		f.err = err
	}
	return n, err
}

// fail writes one line, whatever the error holds, and hands the code back.
func (a *app) fail(hint string, code int, err error) int {
	// Which sentinel a reason wraps is for programs: the reason stands before it.
	line := strings.TrimSuffix(strings.Join(strings.Fields(err.Error()), " "), ": "+essaim.ErrInvalid.Error())
	if hint != "" {
		line += " (see " + hint + ")"
	}
	fmt.Fprintln(a.errs, "essaim: "+line)
	return code
}

func helpFor(err error) string {
	if e, ok := errors.AsType[*kong.ParseError](err); ok {
		if path := commandPath(e.Context); path != "" {
			return "essaim " + path + " --help"
		}
	}
	return "essaim --help"
}

// commandPath is the words of the chosen command, without its arguments.
func commandPath(k *kong.Context) string {
	var words []string
	for _, p := range k.Path {
		if p.Command != nil {
			words = append(words, p.Command.Name)
		}
	}
	return strings.Join(words, " ")
}

// env is the value of an environment variable; empty when it is not set.
func (a *app) env(key string) string {
	for i := len(a.environ) - 1; i >= 0; i-- {
		if k, v, _ := strings.Cut(a.environ[i], "="); k == key {
			return v
		}
	}
	return ""
}

// dataDir is the node's directory, which nearly every command needs.
func (a *app) dataDir() (string, error) {
	if a.dir == "" {
		return "", usagef("no data directory: give --data DIR or set ESSAIM_DATA")
	}
	return a.dir, nil
}
