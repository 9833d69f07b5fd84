// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"essaim"
	"essaim/store"
)

type backupCommand struct {
	File     string `arg:"" type:"path" help:"New file."`
	WithKeys bool   `help:"Put the node's keys in it, under a passphrase."`
}

func (backupCommand) Help() string {
	return "Writes everything that the node knows, as it is at one moment, while it runs. The same file restores to SQLite and to PostgreSQL. " +
		"Without --with-keys the keys are kept apart (essaim key backup).\n\n" +
		"Example:\n\n    essaim backup --data /var/lib/essaim /var/backups/essaim/today.backup"
}

func (c backupCommand) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		info, err := ask[essaim.Node](ctx, node, "node.show", none{})
		if err != nil {
			return err
		}
		var sealed []byte
		if c.WithKeys {
			if sealed, err = a.sealKeys(keyOwner{Node: info}); err != nil {
				return err
			}
		}
		size, err := writeNew(c.File, func(w io.Writer) error { return node.do(ctx, "backup", sealed, w) })
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s written to %s: %d bytes.\n", info.BaseURL, c.File, size)
		return nil
	})
}

func backupNode(ctx context.Context, n *Node, sealed []byte, w io.Writer) error {
	_, err := n.store.Backup(ctx, w, sealed)
	return err
}

type restoreCommand struct {
	From        []string `arg:"" name:"file|host" help:"Backup; with --from-peers, the nodes that keep copies."`
	FromPeers   bool     `help:"Begin anew from the copies that other nodes keep."`
	Key         string   `type:"existingfile" placeholder:"FILE" help:"With --from-peers: the backup of the keys."`
	DryRun      bool     `help:"With --from-peers: say what would come back, and write nothing."`
	AdminEmail  string   `placeholder:"EMAIL" help:"With --from-peers: first administrator, for accounts do not come back."`
	DatabaseURL string   `name:"database-url" placeholder:"URL" help:"postgres://…, an empty database; SQLite when empty."`
}

func (restoreCommand) Help() string {
	return "Restores a backup into an empty data directory (or database), reads it back to compare, and gives the node a new incarnation. A backup that an older version made is brought forward. " +
		"A node that has peers asks them, when it is served, for what it published after the backup, and publishes nothing until then. " +
		"Keys come from the backup if it was made --with-keys, else from essaim key restore, before or after.\n\n" +
		"With --from-peers there is no backup but that of the keys: what the node published comes back from the nodes that keep copies, proven by its own key. " +
		"Drafts, accounts, comments and what is not under a free licence do not. What nobody can supply is told first.\n\n" +
		"Example:\n\n    essaim restore /var/backups/essaim/today.backup --data /var/lib/essaim\n" +
		"    essaim restore --from-peers toulouse.example tourcoing.example --key /media/safe/brest.keys --admin-email animation@brest.example --data /var/lib/essaim"
}

func (c restoreCommand) Run(ctx context.Context, a *app) error {
	cfg, err := a.configuration(settings{DatabaseURL: c.DatabaseURL})
	if err != nil {
		return err
	}
	if c.FromPeers {
		return c.rescue(ctx, a, cfg)
	}
	if len(c.From) != 1 || c.Key != "" || c.DryRun || c.AdminEmail != "" {
		return usagef("one backup is wanted, or --from-peers")
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return err
	}
	restored, err := restoreFile(ctx, cfg, a.options(), c.From[0])
	if errors.Is(err, essaim.ErrInvalid) {
		return fmt.Errorf("%s: nothing was restored, %s is as it was; give a file that essaim backup wrote: %w", c.From[0], cfg.Dir, err)
	}
	if err != nil {
		return err
	}
	var rows int64
	for _, t := range restored.Manifest.Tables {
		rows += t.Rows
	}
	fmt.Fprintf(a.out, "%s as of %s is in %s: %d rows in %d tables, read back and compared.\n",
		restored.Node.BaseURL, stamp(restored.Manifest.MadeAt), cfg.Dir, rows, len(restored.Manifest.Tables))
	if restored.Erased > 0 {
		fmt.Fprintf(a.out, "Erased since, and erased again: %d.\n", restored.Erased)
	}
	if err := writeConfigFile(cfg.Dir, map[string]string{"url": restored.Node.BaseURL, "database_url": c.DatabaseURL}); err != nil {
		return err
	}
	return a.restoreKeys(cfg.Dir, restored)
}

func restoreFile(ctx context.Context, cfg config, opt options, file string) (_ store.Restored, err error) {
	f, err := os.Open(file)
	if err != nil {
		return store.Restored{}, err
	}
	defer f.Close()
	st, err := openStore(ctx, cfg, opt, makers{})
	if err != nil {
		return store.Restored{}, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return st.Restore(ctx, bufio.NewReaderSize(f, 256<<10))
}

// restoreKeys unseals the keys that a backup holds. Those that it can't unseal
// are kept sealed in the directory: the rest is restored and stays so.
func (a *app) restoreKeys(dir string, restored store.Restored) error {
	switch {
	case hasKeys(dir):
		return a.tellKeys(dir, restored.Node)
	case restored.Sealed == nil:
		fmt.Fprintln(a.out, "Its keys are not in the backup: bring them with essaim key restore.")
		return nil
	}
	b, err := a.openKeys(restored.Sealed)
	if err == nil {
		keys, keysErr := b.keys()
		if err = keysErr; err == nil {
			err = writeKeys(dir, keys)
		}
	}
	if err == nil {
		return a.tellKeys(dir, restored.Node)
	}
	kept := filepath.Join(dir, "keys.sealed")
	return errors.Join(fmt.Errorf("all but the keys is restored; try essaim key restore --data %s %s: %w", dir, kept, err),
		createFile(kept, restored.Sealed))
}

// tellKeys says whether the keys in place are the node's.
func (a *app) tellKeys(dir string, info essaim.Node) error {
	keys, err := readKeys(dir)
	if err != nil {
		return err
	}
	mark, err := fingerprint(keys)
	if err != nil {
		return err
	}
	if mark != info.KeyFingerprint {
		return fmt.Errorf("restored, but the keys in %s (%.16s…) are not the node's (%.16s…): move them away and run essaim key restore",
			filepath.Join(dir, keysDir), mark, info.KeyFingerprint)
	}
	fmt.Fprintf(a.out, "Its keys (%.16s…) are in place.\n", mark)
	return nil
}
