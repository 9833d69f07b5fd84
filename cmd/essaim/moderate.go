// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"essaim"
	"essaim/web/markup"
)

type moderateCommand struct {
	List    moderateList    `cmd:"" help:"List what waits for a decision, or was decided."`
	Show    moderateShow    `cmd:"" help:"Show one item, with what was decided about it."`
	Accept  moderateAccept  `cmd:"" help:"Let an item through: a comment or candidate is shown, a report found right."`
	Hide    moderateHide    `cmd:"" help:"Hide an item; of a report: find it wrong."`
	Restore moderateRestore `cmd:"" help:"Undo a hide, or lift a withdrawal: the item is as it was before."`

	Withdraw moderateWithdraw `cmd:"" help:"Show a record no more, whoever its origin is, on a founded request."`

	Block    moderateBlock    `cmd:"" help:"Refuse everything from a host or an account, and send it nothing."`
	Silence  moderateSilence  `cmd:"" help:"Take what a host or an account sends, and neither show nor count it."`
	Allow    moderateAllow    `cmd:"" help:"Let a host or an account write to a node with an allowlist."`
	Lift     moderateLift     `cmd:"" help:"End a block, a silence or a permission."`
	Measures moderateMeasures `cmd:"" help:"List blocks, silences and permissions."`
	Journal  moderateJournal  `cmd:"" help:"List who decided what, when and why, the newest first."`
}

type moderateList struct {
	listing
	State string `default:"held" enum:"held,accepted,hidden" help:"held, accepted or hidden."`
	Kind  string `default:"" enum:",comment,report,candidate,withdrawal" help:"Only comment, report, candidate or withdrawal."`
	After int64  `help:"Only items numbered above."`
	Limit int    `default:"50" help:"How many, at most 100."`
}

func (moderateList) Help() string {
	return "Items are listed the oldest first.\n\nExample:\n\n    essaim moderate list --data /var/lib/essaim --kind comment"
}

func (c moderateList) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]essaim.Item](ctx, node, "moderate.list", essaim.ItemFilter{
			State: essaim.ItemState(c.State), Kind: essaim.ItemKind(c.Kind), After: c.After, Limit: c.Limit,
		})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"N", "KIND", "STATE", "RECEIVED", "BY", "ABOUT", "EXCERPT"}, lines(rows, func(i essaim.Item) []string {
			return []string{strconv.FormatInt(i.N, 10), string(i.Kind), string(i.State), stamp(i.ReceivedAt), i.Actor, i.About, i.Excerpt}
		}))
	})
}

type moderateShow struct {
	listing
	N int64 `arg:"" help:"The item's number, as moderate list shows it."`
}

func (moderateShow) Help() string {
	return "Example:\n\n    essaim moderate show --data /var/lib/essaim 12"
}

func (c moderateShow) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		d, err := ask[essaim.ItemDetail](ctx, node, "moderate.show", c.N)
		if err != nil {
			return err
		}
		return c.print(a, d, []string{"WHAT", "VALUE"}, lines(itemRows(d), func(l [2]string) []string { return l[:] }))
	})
}

// itemRows are the lines that show an item.
func itemRows(d essaim.ItemDetail) [][2]string {
	rows := [][2]string{
		{"number", strconv.FormatInt(d.N, 10)},
		{"kind", string(d.Kind)},
		{"state", string(d.State)},
		{"received", stamp(d.ReceivedAt)},
		{"by", d.Actor},
		{"about", d.About},
		{"id", d.Ref},
	}
	if c := d.Comment; c != nil {
		rows = append(rows, [2]string{"author", c.Name + " " + c.Handle}, [2]string{"in reply to", c.InReplyTo}, [2]string{"page", c.URL},
			[2]string{"language", c.Language}, [2]string{"warning", c.Warning}, [2]string{"text", markup.Plain(c.Content)})
	}
	if c := d.Candidate; c != nil && c.Content != nil {
		rows = append(rows, [2]string{"brought by", c.BroughtBy}, [2]string{"record", c.Record + " (" + string(c.State) + lacks(c) + ")"},
			[2]string{"title", c.Content.Title}, [2]string{"licence", c.Content.Licence}, [2]string{"text", c.Content.Text})
		for _, s := range c.Content.Sources {
			rows = append(rows, [2]string{"source", s.Name + " " + s.URL})
		}
	}
	if r := d.Report; r != nil {
		rows = append(rows, [2]string{"from server", r.Host}, [2]string{"contact", r.Contact}, [2]string{"objects", strings.Join(r.Objects, " ")}, [2]string{"text", r.Text})
		if r.Withdrawn != "" {
			rows = append(rows, [2]string{"withdrawn there", "the version " + r.Withdrawn + "; accept withdraws it here"})
		}
	}
	for _, x := range d.Decisions {
		rows = append(rows, [2]string{stamp(x.At), fmt.Sprintf("%s: %s → %s by %s: %s", x.Action, x.Before, x.After, decidedBy(x.Account), x.Reason)})
	}
	return rows
}

// decidedBy names who decided, as the journal knows it.
func decidedBy(account int64) string {
	switch account {
	case 0:
		return "command line"
	case essaim.AuthorDeleted:
		return "deleted account"
	}
	return fmt.Sprintf("account %d", account)
}

// decision is what accept, hide and restore have in common.
type decision struct {
	N      []int64 `arg:"" help:"Numbers of items, as moderate list shows them."`
	Reason string  `help:"Why, for the journal and for who asks."`
	By     string  `placeholder:"EMAIL" help:"Account that decides; it must be allowed to moderate."`
}

type moderateAccept struct {
	decision
	As string `placeholder:"KIND" help:"Kind of record that a candidate becomes, when it is not the one proposed."`
}

func (moderateAccept) Help() string {
	return "A candidate that has all its kind requires is published; one that has not is opened as a draft.\n\n" +
		"Example:\n\n    essaim moderate accept --data /var/lib/essaim --by animation@brest.example 12 13"
}

func (c moderateAccept) Run(ctx context.Context, a *app) error {
	return a.decide(ctx, essaim.ItemAccept, c.decision, essaim.Kind(c.As))
}

type moderateHide struct{ decision }

func (moderateHide) Help() string {
	return "Example:\n\n    essaim moderate hide --data /var/lib/essaim --reason 'names a person without her consent' 12"
}

func (c moderateHide) Run(ctx context.Context, a *app) error {
	return a.decide(ctx, essaim.ItemHide, c.decision, "")
}

type moderateRestore struct{ decision }

func (moderateRestore) Help() string {
	return "Example:\n\n    essaim moderate restore --data /var/lib/essaim --reason 'hidden by mistake' 12"
}

func (c moderateRestore) Run(ctx context.Context, a *app) error {
	return a.decide(ctx, essaim.ItemRestore, c.decision, "")
}

// itemDecision is what a node is asked to decide.
type itemDecision struct {
	N      int64
	Action essaim.ItemAction
	Reason string
	By     string
	As     essaim.Kind
}

func (a *app) decide(ctx context.Context, action essaim.ItemAction, c decision, as essaim.Kind) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		for _, n := range c.N {
			d, err := ask[essaim.ItemDetail](ctx, node, "moderate.decide", itemDecision{n, action, c.Reason, c.By, as})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%d %s.\n", n, decided(d.Item))
			if c := d.Candidate; c != nil && c.State != "" {
				fmt.Fprintf(a.out, "Its record %s is %s%s.\n", c.Record, c.State, lacks(c))
			}
		}
		return nil
	})
}

// decided says in what state an item is now. Of a withdrawal it is the record that
// is shown or not.
func decided(i essaim.Item) string {
	switch {
	case i.Kind != essaim.ItemWithdrawal || i.State == essaim.ItemHeld:
		return "is " + string(i.State)
	case i.State == essaim.ItemAccepted:
		return "is applied: the record is withdrawn here"
	default:
		return "is not in force: the record is shown here as its origin publishes it"
	}
}

// lacks says what keeps a candidate from being published.
func lacks(c *essaim.Candidate) string {
	if len(c.Missing) == 0 {
		return ""
	}
	return ", and lacks " + strings.Join(slices.Sorted(maps.Keys(c.Missing)), ", ")
}

func listItems(ctx context.Context, n *Node, f essaim.ItemFilter) ([]essaim.Item, error) {
	items, err := n.store.Items(ctx, f)
	return append([]essaim.Item{}, items...), err
}

func showItem(ctx context.Context, n *Node, number int64) (essaim.ItemDetail, error) {
	d, err := n.store.Item(ctx, number)
	return d, unknownItem(err)
}

func decideItem(ctx context.Context, n *Node, c itemDecision) (essaim.ItemDetail, error) {
	by, err := decider(ctx, n, c.By, essaim.ActionModerate)
	if err != nil {
		return essaim.ItemDetail{}, err
	}
	reason, err := decisionReason(c.Reason)
	if err != nil {
		return essaim.ItemDetail{}, err
	}
	if c.As != "" {
		d, err := n.store.AcceptCandidate(ctx, c.N, c.As, by, reason)
		return d, unknownItem(err)
	}
	d, err := n.store.DecideItem(ctx, c.N, c.Action, by, reason)
	return d, unknownItem(err)
}

func unknownItem(err error) error { return unknown(err, "essaim moderate list gives the numbers") }

// decider is the account that takes a decision at the command line: 0 when none
// is named, for whoever may run the command may read the database too.
func decider(ctx context.Context, n *Node, email string, what essaim.Action) (int64, error) {
	if email == "" {
		return 0, nil
	}
	u, err := n.user(ctx, email)
	if err != nil {
		return 0, err
	}
	if !essaim.May(&u, what) {
		return 0, fmt.Errorf("account %d may not %s: %w", u.ID, what, essaim.ErrForbidden)
	}
	return u.ID, nil
}

func decisionReason(s string) (string, error) {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > essaim.MaxReason {
		return "", fmt.Errorf("a reason of more than %d characters: %w", essaim.MaxReason, essaim.ErrInvalid)
	}
	return s, nil
}
