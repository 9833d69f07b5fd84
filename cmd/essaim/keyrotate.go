// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"essaim/federation"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/store"
)

// nextDir holds the keys of a rotation until the database knows them.
const nextDir = keysDir + "-next"

type keyRotateCommand struct{}

func (keyRotateCommand) Help() string {
	return "Makes new keys, introduced by a statement that the old ones sign. What is published is signed again in the background once the node runs, and nothing else of it changes; those who follow an actor of the node are told its new keys. " +
		"The node must be stopped, in all its processes. The old keys are set aside in the data directory, with the date.\n\n" +
		"Example:\n\n    essaim key rotate --data /var/lib/essaim"
}

func (keyRotateCommand) Run(ctx context.Context, a *app) error {
	dir, err := a.dataDir()
	if err != nil {
		return err
	}
	if served(ctx, dir) {
		return errRuns
	}
	cfg, err := a.configuration(settings{})
	if err != nil {
		return err
	}
	n, err := openAlone(ctx, cfg, a.options())
	if err != nil {
		return err
	}
	key, err := n.rotate(ctx)
	if err := errors.Join(err, n.Close()); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "The key is %s from now on. Make a new backup of the keys: essaim key backup\n", key)
	return nil
}

var errRuns = errors.New("the node runs: stop it first, in all its processes")

// openAlone opens a node that no other process has open: one that served it from
// another directory, on PostgreSQL, would go on signing with keys that nobody takes any
// more. Another command is waited for.
func openAlone(ctx context.Context, cfg config, opt options) (*Node, error) {
	deadline := time.NewTimer(openTime)
	defer deadline.Stop()
	for {
		n, err := Open(ctx, cfg, opt)
		if err != nil || n.store.Alone() {
			return n, err
		}
		if err := n.Close(); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline.C:
			return nil, errRuns
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// rotate gives the node other keys. The database decides: before it knows the new
// ones nothing has changed, and from then on they are put in place whenever the
// node is opened, were it cut short here.
func (n *Node) rotate(ctx context.Context) (key string, err error) {
	next, err := newKeys()
	if err != nil {
		return "", err
	}
	public := next.Ed25519.Public().(ed25519.PublicKey)
	renderer, err := vocab.New(vocab.Config{Node: n.info, Ed25519: n.keys.Ed25519, RSA: &n.keys.RSA.PublicKey, Now: n.opt.now})
	if err != nil {
		return "", err
	}
	change, err := renderer.Introduce(public, n.now())
	if err != nil {
		return "", err
	}
	is, err := fingerprint(next)
	if err != nil {
		return "", err
	}
	path := filepath.Join(n.cfg.Dir, nextDir)
	if err := os.RemoveAll(path); err != nil { // of a rotation that was cut short before it counted
		return "", err
	}
	if err := writeKeysTo(path, next); err != nil {
		return "", err
	}
	if err := n.store.RotateKeys(ctx, change, n.info.KeyFingerprint, is); err != nil {
		return "", err
	}
	return proof.EncodeMultikey(public), settleKeys(n.cfg.Dir, is, n.now())
}

// settleKeys puts in place the keys of a rotation that the database knows by
// their fingerprint; those before are set aside. It may be cut short anywhere and
// done again.
func settleKeys(dir, mark string, now time.Time) error {
	path := filepath.Join(dir, nextDir)
	next, err := readKeysFrom(path)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if is, err := fingerprint(next); err != nil || is != mark {
		return err // of a rotation that never counted
	}
	if hasKeys(dir) {
		aside := filepath.Join(dir, keysDir+"-retired-"+now.UTC().Format("20060102T150405Z"))
		if err := os.Rename(filepath.Join(dir, keysDir), aside); err != nil {
			return err
		}
	}
	if err := os.Rename(path, filepath.Join(dir, keysDir)); err != nil {
		return err
	}
	return store.SyncDir(dir)
}

// keysOfNode are the keys that the database knows: those in place, else those of
// a rotation that was cut short, which are put in place.
func keysOfNode(dir, mark string, now time.Time) (federation.Keys, error) {
	keys, err := readKeys(dir)
	if err == nil {
		if is, err := fingerprint(keys); err != nil || is == mark {
			return keys, err
		}
	} else if !missing(err) {
		return keys, err
	}
	if err := settleKeys(dir, mark, now); err != nil {
		return federation.Keys{}, err
	}
	return readKeys(dir)
}

// resign signs again what was published by keys before these, if any is left.
func (n *Node) resign(ctx context.Context) {
	if err := n.store.Resign(ctx, n.federation.Renderer().Resign); err != nil && ctx.Err() == nil {
		n.opt.logger.LogAttrs(ctx, slog.LevelError, "not signed again", slog.String("error", err.Error()))
	}
}
