// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"essaim"
)

// admin carries an administrator's operations to a node: to one opened by this
// process or, through its socket, to the process that serves it and holds its
// data directory.
type admin interface {
	// do runs one operation of the table. args is its JSON-able argument, nil for
	// none; what it answers is written to w.
	do(ctx context.Context, operation string, args any, w io.Writer) error
}

// operation is one thing that can be asked of a node. See answering and
// streaming, which make them.
type operation func(ctx context.Context, n *Node, args json.RawMessage, w io.Writer) error

// none is the argument, or the answer, of an operation without one.
type none struct{}

// answering makes an operation of a function; its answer travels as JSON.
func answering[A, R any](f func(context.Context, *Node, A) (R, error)) operation {
	return func(ctx context.Context, n *Node, raw json.RawMessage, w io.Writer) error {
		args, err := readArgs[A](raw)
		if err != nil {
			return err
		}
		r, err := f(ctx, n, args)
		if err != nil {
			return err
		}
		return json.NewEncoder(w).Encode(r)
	}
}

// streaming makes an operation of a function that writes bytes.
func streaming[A any](f func(context.Context, *Node, A, io.Writer) error) operation {
	return func(ctx context.Context, n *Node, raw json.RawMessage, w io.Writer) error {
		args, err := readArgs[A](raw)
		if err != nil {
			return err
		}
		return f(ctx, n, args, w)
	}
}

func readArgs[A any](raw json.RawMessage) (A, error) {
	var args A
	if len(raw) == 0 {
		return args, nil
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return args, fmt.Errorf("arguments: %w: %w", essaim.ErrInvalid, err)
	}
	return args, nil
}

// ask runs an answering operation and reads its answer.
func ask[R any](ctx context.Context, to admin, operation string, args any) (R, error) {
	var r R
	var answer bytes.Buffer
	if err := to.do(ctx, operation, args, &answer); err != nil {
		return r, err
	}
	if err := json.Unmarshal(answer.Bytes(), &r); err != nil {
		return r, fmt.Errorf("%s: %w", operation, err)
	}
	return r, nil
}

// direct is the admin of a node that this process opened.
type direct struct{ node *Node }

func (d direct) do(ctx context.Context, name string, args any, w io.Writer) error {
	op, ok := operations()[name]
	if !ok {
		return fmt.Errorf("operation %s: %w", name, essaim.ErrNotFound)
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	return op(ctx, d.node, raw, w)
}

// administer gives f the node of the data directory, served by another process
// or not.
func (a *app) administer(ctx context.Context, f func(context.Context, admin) error) (err error) {
	cfg, err := a.configuration(settings{})
	if err != nil {
		return err
	}
	remote, ok, err := dialNode(ctx, cfg.Dir)
	if err != nil {
		return err
	}
	if ok {
		return f(ctx, remote)
	}
	n, err := Open(ctx, cfg, a.options())
	if errors.Is(err, essaim.ErrConflict) { // a process began to serve it meanwhile
		if remote, ok, dialErr := dialNode(ctx, cfg.Dir); ok && dialErr == nil {
			return f(ctx, remote)
		}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	return f(ctx, direct{n})
}
