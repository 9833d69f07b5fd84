// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"strconv"

	"essaim"
)

// measureTarget is what block, silence, allow and lift have in common.
type measureTarget struct {
	Value  string `arg:"" name:"host-or-actor" help:"A host, or the id of an account elsewhere (https://…)."`
	Reason string `help:"Why, for the journal and the other administrators."`
	By     string `placeholder:"EMAIL" help:"Account that decides; it must be an administrator's."`
}

type moderateBlock struct{ measureTarget }

func (moderateBlock) Help() string {
	return "A block holds for the domains below a host too. What waits to be sent is dropped, follows and thanks go, comments are no longer shown. " +
		"Who is blocked may still delete what it sent.\n\nExample:\n\n    essaim moderate block --data /var/lib/essaim --reason 'unsolicited advertising' spam.example"
}

func (c moderateBlock) Run(ctx context.Context, a *app) error {
	return a.measure(ctx, essaim.LevelBlock, c.measureTarget)
}

type moderateSilence struct{ measureTarget }

func (moderateSilence) Help() string {
	return "Example:\n\n    essaim moderate silence --data /var/lib/essaim --reason 'insults' https://social.example/users/troll"
}

func (c moderateSilence) Run(ctx context.Context, a *app) error {
	return a.measure(ctx, essaim.LevelSilence, c.measureTarget)
}

type moderateAllow struct{ measureTarget }

func (moderateAllow) Help() string {
	return "Counts with ESSAIM_WRITERS=allowlist. The nodes followed here are allowed without it.\n\nExample:\n\n    essaim moderate allow --data /var/lib/essaim social.example"
}

func (c moderateAllow) Run(ctx context.Context, a *app) error {
	return a.measure(ctx, essaim.LevelAllow, c.measureTarget)
}

type moderateLift struct{ measureTarget }

func (moderateLift) Help() string {
	return "What a silence hid is shown again; follows that a block ended do not come back.\n\nExample:\n\n    essaim moderate lift --data /var/lib/essaim spam.example"
}

func (c moderateLift) Run(ctx context.Context, a *app) error {
	return a.measure(ctx, "", c.measureTarget)
}

type moderateMeasures struct{ listing }

func (moderateMeasures) Help() string {
	return "Example:\n\n    essaim moderate measures --data /var/lib/essaim"
}

func (c moderateMeasures) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]essaim.Measure](ctx, node, "moderate.measures", none{})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"LEVEL", "OF", "VALUE", "SINCE", "REASON"}, lines(rows, func(m essaim.Measure) []string {
			return []string{string(m.Level), string(m.Scope), m.Value, stamp(m.At), m.Reason}
		}))
	})
}

type moderateJournal struct {
	listing
	Before int64 `help:"Only lines numbered below."`
	Limit  int   `default:"50" help:"How many, at most 100."`
}

func (moderateJournal) Help() string {
	return "Example:\n\n    essaim moderate journal --data /var/lib/essaim"
}

func (c moderateJournal) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]essaim.Decision](ctx, node, "moderate.journal", journalPage{c.Before, c.Limit})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"N", "AT", "ACCOUNT", "ACTION", "KIND", "SUBJECT", "BEFORE", "AFTER", "REASON"}, lines(rows, func(d essaim.Decision) []string {
			return []string{
				strconv.FormatInt(d.N, 10), stamp(d.At), strconv.FormatInt(d.Account, 10), d.Action, d.Kind, d.Subject, d.Before, d.After, d.Reason,
			}
		}))
	})
}

// journalPage chooses lines of the journal.
type journalPage struct {
	Before int64
	Limit  int
}

// measureTaken is what a node is asked to do: an empty level lifts.
type measureTaken struct {
	Measure essaim.Measure
	By      string
}

// measure takes a measure, or lifts the one that stands.
func (a *app) measure(ctx context.Context, level essaim.MeasureLevel, c measureTarget) error {
	scope, value, err := essaim.MeasureSubject(c.Value)
	if err != nil {
		return usagef("%q is neither a host nor an account's id", c.Value)
	}
	m := essaim.Measure{Scope: scope, Value: value, Level: level, Reason: c.Reason}
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		before, err := ask[essaim.MeasureLevel](ctx, node, "moderate.measure", measureTaken{m, c.By})
		if err != nil {
			return err
		}
		done := map[essaim.MeasureLevel]string{essaim.LevelBlock: "blocked", essaim.LevelSilence: "silenced", essaim.LevelAllow: "allowed"}
		if level == "" {
			fmt.Fprintf(a.out, "%s is %s no more.\n", printable(value), done[before])
		} else {
			fmt.Fprintf(a.out, "%s is %s.\n", printable(value), done[level])
		}
		return nil
	})
}

// takeMeasure answers with the level that stood before.
func takeMeasure(ctx context.Context, n *Node, c measureTaken) (essaim.MeasureLevel, error) {
	by, err := decider(ctx, n, c.By, essaim.ActionAdminister)
	if err != nil {
		return "", err
	}
	if c.Measure.Reason, err = decisionReason(c.Measure.Reason); err != nil {
		return "", err
	}
	if c.Measure.Level == "" {
		return n.store.LiftMeasure(ctx, c.Measure, by)
	}
	return n.store.AddMeasure(ctx, c.Measure, by)
}

func listMeasures(ctx context.Context, n *Node, _ none) ([]essaim.Measure, error) {
	all, err := n.store.Measures(ctx)
	return append([]essaim.Measure{}, all...), err
}

func listDecisions(ctx context.Context, n *Node, p journalPage) ([]essaim.Decision, error) {
	all, err := n.store.Decisions(ctx, p.Before, p.Limit)
	return append([]essaim.Decision{}, all...), err
}
