// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/store"
)

// rescue begins a node anew: its keys from their backup, what it published from
// the nodes that keep copies of it.
func (c restoreCommand) rescue(ctx context.Context, a *app, cfg config) error {
	if c.Key == "" {
		return usagef("--from-peers wants the backup of the keys: --key FILE")
	}
	admin := newUser{Email: c.AdminEmail, Role: essaim.RoleAdmin}
	if !c.DryRun {
		if c.AdminEmail == "" {
			return usagef("--from-peers wants the first administrator, for accounts do not come back: --admin-email EMAIL")
		}
		if err := admin.check(); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(c.Key)
	if err != nil {
		return err
	}
	b, err := a.openKeys(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Key, err)
	}
	keys, err := b.keys()
	if err != nil {
		return err
	}
	if mark, err := fingerprint(keys); err != nil || mark != b.Node.KeyFingerprint {
		return errors.Join(err, fmt.Errorf("%s: the keys are not those of its node", c.Key))
	}
	rescuer, err := federation.NewRescuer(federation.Config{Node: b.Node, Keys: keys, AllowPrivate: cfg.AllowPrivate, Version: version, Now: a.options().clock})
	if err != nil {
		return err
	}
	survey := rescuer.Survey(ctx, c.From)
	if err := ctx.Err(); err != nil {
		return err
	}
	a.report(b.Node, survey)
	switch {
	case survey.Records+survey.Actors+survey.Tombstones == 0:
		return fmt.Errorf("none of them holds anything of %s", b.Node.BaseURL)
	case c.DryRun:
		fmt.Fprintln(a.out, "Nothing was written: do it without --dry-run.")
		return nil
	}
	return c.begin(ctx, a, cfg, b, keys, survey, admin)
}

// report says what can be got back, before anything is written.
func (a *app) report(node essaim.Node, s essaim.RecoverySurvey) {
	fmt.Fprintf(a.out, "What other nodes hold of %s:\n", node.BaseURL)
	for _, h := range s.Hosts {
		switch {
		case h.Reason != "":
			fmt.Fprintf(a.out, "  %s: %d documents, not read to the end: %s\n", h.Host, h.Seen, h.Reason)
		default:
			fmt.Fprintf(a.out, "  %s: %d documents\n", h.Host, h.Seen)
		}
	}
	if s.Refused > 0 {
		fmt.Fprintf(a.out, "  %d are not proven by its key, and not taken; the first: %s\n", s.Refused, s.Refusal)
	}
	fmt.Fprintf(a.out, "Together: %d records, %d actors, %d deletions.\n", s.Records, s.Actors, s.Tombstones)
	switch {
	case s.Head.Document == nil:
		fmt.Fprintln(a.out, "Nobody holds a signed head of it: what is missing cannot be told.")
	case s.Whole:
		fmt.Fprintf(a.out, "Nothing is missing: this is all that its head %s of %s counts, to the byte.\n", s.Head.Number, stamp(s.Head.At))
	default:
		fmt.Fprintf(a.out, "Its latest head, %s of %s, counts %d documents: %d are missing, or in an older version.\n",
			s.Head.Number, stamp(s.Head.At), s.Head.Count, max(s.Missing, 1))
	}
}

// begin makes the node and gets back what there is.
func (c restoreCommand) begin(ctx context.Context, a *app, cfg config, b keyBackup, keys federation.Keys, survey essaim.RecoverySurvey, admin newUser) error {
	if hasKeys(cfg.Dir) {
		return fmt.Errorf("%s is not empty: a node begins anew in an empty directory", cfg.Dir)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return err
	}
	// Before anything comes back.
	if err := store.BringErasures(cfg.Dir, b.Erased); err != nil {
		return err
	}
	if err := c.makeNode(ctx, a, cfg, b.Node, survey.Head, admin); err != nil {
		return err
	}
	if err := writeKeys(cfg.Dir, keys); err != nil {
		return err
	}
	if err := writeConfigFile(cfg.Dir, map[string]string{
		"url": b.Node.BaseURL, "database_url": c.DatabaseURL, "allow_private": prefixes(cfg.AllowPrivate),
	}); err != nil {
		return err
	}
	cfg.URL = b.Node.BaseURL
	n, err := Open(ctx, cfg, a.options())
	if err != nil {
		return err
	}
	link, err := n.getBack(ctx, a, b, survey, admin)
	if err := errors.Join(err, n.Close()); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Start it:   essaim serve --data %s\nSign in within %d h:\n%s\n", cfg.Dir, int(linkLife.Hours()), link)
	return nil
}

func (c restoreCommand) makeNode(ctx context.Context, a *app, cfg config, node essaim.Node, head essaim.CommonsHead, admin newUser) (err error) {
	st, err := openStore(ctx, cfg, a.options(), makers{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if node.CreatedAt.IsZero() { // of a backup from before it was kept
		node.CreatedAt = time.Unix(node.Incarnation, 0).UTC()
	}
	if err := st.RescueNode(ctx, node, head, c.From...); err != nil {
		return err
	}
	_, err = st.CreateUser(ctx, essaim.User{Email: admin.Email, Name: admin.Name, Role: admin.Role})
	return err
}

// A node that does not answer is asked so often, and after so long; then it is left
// to the node once that is served.
const (
	rescueTries = 3
	rescueWait  = 25 * time.Second
)

// getBack reads what the nodes hold, and follows again whom the node followed.
func (n *Node) getBack(ctx context.Context, a *app, b keyBackup, survey essaim.RecoverySurvey, admin newUser) (link string, err error) {
	if err := n.store.BringFollowers(ctx, b.Followers); err != nil {
		return "", err
	}
	rec, err := n.recoverFor(ctx)
	if err != nil {
		return "", err
	}
	n.refreshCommons(ctx)
	is, err := n.store.CommonsState(ctx)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(a.out, "%d records and actors came back, and %d deletions.\n", rec.Recovered, rec.Withdrawn)
	switch {
	case rec.UnderWay():
		fmt.Fprintln(a.out, "Not all have answered: the node goes on asking once it is served, and publishes nothing for a quarter of an hour at most.")
	case is.Root == survey.Head.Root:
		fmt.Fprintln(a.out, "The node is what its latest head says, to the byte.")
	}
	n.followAgain(ctx, a, b.Peers, survey)
	user, err := n.user(ctx, admin.Email)
	if err != nil {
		return "", err
	}
	return signInLink(ctx, n, user)
}

func (n *Node) recoverFor(ctx context.Context) (rec essaim.Recovery, err error) {
	for try := 1; ; try++ {
		if err := n.federation.Rescuer().Step(ctx); err != nil {
			return rec, err
		}
		rec, err = n.store.Recovery(ctx)
		if err != nil || !rec.UnderWay() || try == rescueTries {
			return rec, err
		}
		select {
		case <-ctx.Done():
			return rec, ctx.Err()
		case <-time.After(rescueWait):
		}
	}
}

// followAgain follows those that the node followed, and those that keep copies of
// it, which follow it and are told what it publishes.
func (n *Node) followAgain(ctx context.Context, a *app, peers []string, survey essaim.RecoverySurvey) {
	keeps := map[string]bool{}
	for _, h := range survey.Hosts {
		keeps[h.Host] = h.Seen > 0
		if h.Seen > 0 && !slices.Contains(peers, h.Host) {
			peers = append(peers, h.Host)
		}
	}
	for _, host := range peers {
		p, err := n.federation.FollowPeer(ctx, host)
		if err == nil && keeps[host] {
			err = n.store.BringFollowers(ctx, []essaim.KeptFollower{{Local: strings.TrimSuffix(n.info.BaseURL, "/") + "/actor", Actor: p.Actor, Inbox: p.Inbox}})
		}
		if err != nil {
			fmt.Fprintf(a.out, "%s is not followed yet (%s): essaim peer follow %s\n", host, oneLine(err), host)
			continue
		}
		fmt.Fprintf(a.out, "%s will be asked to be followed again.\n", host)
	}
}
