// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"essaim"
	"essaim/store"
)

type keyCommand struct {
	Backup  keyBackupCommand  `cmd:"" help:"Write the node's keys to a file under a passphrase."`
	Rotate  keyRotateCommand  `cmd:"" help:"Make new keys, which the old ones introduce to other nodes."`
	Restore keyRestoreCommand `cmd:"" help:"Bring the keys of a backup to a data directory."`
}

type keyBackupCommand struct {
	File string `arg:"" type:"path" help:"New file."`
}

func (keyBackupCommand) Help() string {
	return "Whoever holds the keys speaks for the territory: keep this file, and its passphrase elsewhere. " +
		"It also holds who follows the node, whom it follows and what it erased: with it, and what other nodes hold, a node begins anew (essaim restore --from-peers). " +
		"The passphrase is asked for, or read from ESSAIM_PASSPHRASE.\n\n" +
		"Example:\n\n    essaim key backup --data /var/lib/essaim /media/safe/brest.keys"
}

func (c keyBackupCommand) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		// The keys do not come from the node: they are beside it.
		owner, err := ask[keyOwner](ctx, node, "node.owner", none{})
		if err != nil {
			return err
		}
		sealed, err := a.sealKeys(owner)
		if err != nil {
			return err
		}
		if err := createFile(c.File, sealed); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "Keys of %s (%.16s…) written to %s, with its %d followers, the %d nodes that it follows and %d erasures: renew it when they change.\n",
			owner.Node.BaseURL, owner.Node.KeyFingerprint, c.File, len(owner.Followers), len(owner.Peers), len(owner.Erased))
		return nil
	})
}

// sealKeys encrypts the keys of the data directory.
func (a *app) sealKeys(owner keyOwner) ([]byte, error) {
	keys, err := readKeys(a.dir)
	if err != nil {
		return nil, err
	}
	passphrase, err := a.passphrase(true)
	if err != nil {
		return nil, err
	}
	b, err := newKeyBackup(owner, keys)
	if err != nil {
		return nil, err
	}
	return b.seal(passphrase)
}

type keyRestoreCommand struct {
	File string `arg:"" type:"existingfile" help:"Key backup."`
}

func (keyRestoreCommand) Help() string {
	return "The directory must hold no keys: those that stand are never replaced.\n\n" +
		"Example:\n\n    essaim key restore --data /var/lib/essaim /media/safe/brest.keys"
}

func (c keyRestoreCommand) Run(_ context.Context, a *app) error {
	dir, err := a.dataDir()
	if err != nil {
		return err
	}
	if hasKeys(dir) {
		return fmt.Errorf("%s holds keys already: move them away first", filepath.Join(dir, keysDir))
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	b, err := a.openKeys(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	keys, err := b.keys()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := store.BringErasures(dir, b.Erased); err != nil {
		return err
	}
	if err := writeKeys(dir, keys); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Keys of %s (%.16s…) are in %s.\n", b.Node.BaseURL, b.Node.KeyFingerprint, filepath.Join(dir, keysDir))
	return nil
}

func (a *app) openKeys(sealed []byte) (keyBackup, error) {
	passphrase, err := a.passphrase(false)
	if err != nil {
		return keyBackup{}, err
	}
	return openKeyBackup(sealed, passphrase)
}

// missing tells whether an error says that a file is not there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func showNode(_ context.Context, n *Node, _ none) (essaim.Node, error) { return n.info, nil }
