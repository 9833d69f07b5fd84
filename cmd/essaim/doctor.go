// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"essaim"
)

type doctorCommand struct{ listing }

func (doctorCommand) Help() string {
	return "Checks what must always hold, says what is wrong and how to mend it. Exit code 1 if anything is; warnings are not.\n\n" +
		"Example:\n\n    essaim doctor --data /var/lib/essaim"
}

// finding is what one check came to.
type finding struct {
	Check string `json:"check"`
	State string `json:"state"` // ok, warn, wrong
	What  string `json:"what"`
	Mend  string `json:"mend,omitempty"`
}

func (c doctorCommand) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]finding](ctx, node, "doctor", none{})
		if err != nil {
			return err
		}
		wrong := 0
		for _, f := range rows {
			if f.State == "wrong" {
				wrong++
			}
		}
		err = c.print(a, rows, []string{"STATE", "CHECK", "WHAT"}, lines(rows, func(f finding) []string {
			what := f.What
			if f.Mend != "" {
				what += " Mend: " + f.Mend
			}
			return []string{f.State, f.Check, what}
		}))
		switch {
		case err != nil:
			return err
		case wrong == 1:
			return fmt.Errorf("1 check of %d is wrong", len(rows))
		case wrong > 1:
			return fmt.Errorf("%d checks of %d are wrong", wrong, len(rows))
		}
		return nil
	})
}

// examine runs every check. One that can't be made is wrong too.
func examine(ctx context.Context, n *Node, _ none) ([]finding, error) {
	checks := []struct {
		name  string
		check func(context.Context, *Node) (finding, error)
	}{
		{"keys", checkKeys},
		{"directory", checkDirectory},
		{"database", checkDatabase},
		{"rules", checkRules},
		{"documents", checkDocuments},
		{"queue", checkQueue},
		{"peers", checkPeers},
		{"recovery", checkRecovery},
		{"openings", checkOpenings},
	}
	all := make([]finding, 0, len(checks))
	for _, c := range checks {
		f, err := c.check(ctx, n)
		if err != nil {
			f = finding{State: "wrong", What: oneLine(err)}
		}
		if f.State == "" {
			f.State = "ok"
		}
		f.Check = c.name
		all = append(all, f)
	}
	return all, ctx.Err()
}

// othersMay lists files that accounts besides the node's and its group may read.
func othersMay(paths ...string) (open []string, err error) {
	for _, p := range paths {
		info, err := os.Stat(p)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().Perm()&0o007 != 0 {
			open = append(open, p)
		}
	}
	return open, nil
}

func checkKeys(_ context.Context, n *Node) (finding, error) {
	open, err := othersMay(filepath.Join(n.cfg.Dir, keysDir, rsaFile), filepath.Join(n.cfg.Dir, keysDir, ed25519Pem))
	if err != nil {
		return finding{}, err
	}
	if len(open) > 0 {
		list := strings.Join(open, " ")
		return finding{State: "wrong", What: list + ": others may read it, and speak for the territory.", Mend: "chmod 600 " + list}, nil
	}
	onDisk, err := readKeys(n.cfg.Dir)
	if err != nil {
		return finding{}, err
	}
	mark, err := fingerprint(onDisk)
	if err != nil {
		return finding{}, err
	}
	if mark != n.info.KeyFingerprint {
		return finding{State: "wrong", What: "The keys on disk are not those of the database.", Mend: "essaim key restore"}, nil
	}
	return finding{What: fmt.Sprintf("%.16s…, those of the database.", mark)}, nil
}

func checkDirectory(_ context.Context, n *Node) (finding, error) {
	open, err := othersMay(n.cfg.Dir, filepath.Join(n.cfg.Dir, "essaim.db"))
	if err != nil {
		return finding{}, err
	}
	if len(open) > 0 {
		return finding{
			State: "wrong", What: strings.Join(open, " ") + ": others may read it, accounts and contacts included.",
			Mend: "chmod o-rwx " + strings.Join(open, " "),
		}, nil
	}
	left, err := filepath.Glob(filepath.Join(n.cfg.Dir, keysDir+"-new-*"))
	if err != nil {
		return finding{}, err
	}
	if len(left) > 0 {
		return finding{State: "warn", What: "Left by an init that was cut short: " + strings.Join(left, " "), Mend: "rm -r " + strings.Join(left, " ")}, nil
	}
	if _, err := os.Stat(filepath.Join(n.cfg.Dir, configFile)); err != nil && !missing(err) {
		return finding{}, err
	}
	return finding{What: n.cfg.Dir + ": the node's account and its group alone may enter."}, nil
}

func checkDatabase(ctx context.Context, n *Node) (finding, error) {
	if err := n.store.Ready(ctx); err != nil {
		return finding{}, err
	}
	schema, err := n.store.Schema(ctx)
	if err != nil {
		return finding{}, err
	}
	sort := "SQLite"
	if n.cfg.DatabaseURL != "" {
		sort = "PostgreSQL"
	}
	return finding{What: fmt.Sprintf("%s answers, schema %d.", sort, schema)}, nil
}

func checkRules(ctx context.Context, n *Node) (finding, error) {
	broken, err := n.store.Check(ctx)
	if err != nil {
		return finding{}, err
	}
	if len(broken) == 0 {
		return finding{What: "Every rule of the database holds."}, nil
	}
	var words []string
	for _, b := range broken {
		words = append(words, fmt.Sprintf("%q is broken %d times, first by %s.", b.Rule, b.Rows, b.Example))
	}
	return finding{State: "wrong", What: strings.Join(words, " "), Mend: "restore a backup from before (essaim restore)"}, nil
}

func checkQueue(ctx context.Context, n *Node) (finding, error) {
	q, err := n.store.QueueSize(ctx)
	if err != nil {
		return finding{}, err
	}
	what := fmt.Sprintf("%d deliveries and %d received activities wait; %d and %d failed.", q.DeliveriesWaiting, q.InboundWaiting, q.DeliveriesFailed, q.InboundFailed)
	if q.DeliveriesFailed+q.InboundFailed > 0 {
		return finding{State: "warn", What: what, Mend: "essaim queue list --state failed, then queue retry or drop"}, nil
	}
	return finding{What: what}, nil
}

func checkPeers(ctx context.Context, n *Node) (finding, error) {
	peers, err := n.store.Peers(ctx)
	if err != nil {
		return finding{}, err
	}
	var quiet, contested, kept failing
	followed := 0
	for _, p := range peers {
		for _, id := range p.Commons.Kept {
			kept.add(id)
		}
		if p.State == essaim.PeerFollowed {
			followed++
		}
		switch life, _ := p.Life(n.now(), n.cfg.PeerSilence); life {
		case essaim.LifeContested:
			contested.add(p.Host)
		case essaim.LifeSilent:
			quiet.add(p.Host)
		}
	}
	var what, mend []string
	warn := func(which *failing, words, remedy string) {
		if which.n > 0 {
			what, mend = append(what, words+": "+which.list()+"."), append(mend, remedy)
		}
	}
	warn(&contested, "Shows a key that does not continue the one known here, and changes nothing", "essaim peer show HOST, then essaim peer trust HOST --fingerprint KEY")
	warn(&quiet, "Silent", "essaim peer show HOST; if it is gone for good, essaim peer gone HOST")
	warn(&kept, "Held here, not listed by its node any more, and not shown to be deleted", "essaim peer sync HOST; to show it no more, essaim moderate withdraw ID")
	if len(what) > 0 {
		return finding{State: "warn", What: strings.Join(what, " "), Mend: strings.Join(mend, "; ")}, nil
	}
	return finding{What: fmt.Sprintf("%d followed.", followed)}, nil
}
