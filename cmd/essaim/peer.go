// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"essaim"
)

type peerCommand struct {
	Follow   peerFollow   `cmd:"" help:"Follow another node, whose records will be kept here, or an account, whose publications become candidates."`
	List     peerList     `cmd:"" help:"List the nodes of the network."`
	Accounts peerAccounts `cmd:"" help:"List the accounts elsewhere that the node follows."`
	Show     peerShow     `cmd:"" help:"Tell how a node is doing."`
	Remove   peerRemove   `cmd:"" help:"Follow a node or an account no more; what came from it stays, marked."`
	Block    peerBlock    `cmd:"" help:"Refuse everything from a host, and send it nothing."`
	Requests peerRequests `cmd:"" help:"List who asks to follow the node and waits for an answer."`
	Accept   peerAccept   `cmd:"" help:"Let a node that asks follow this one."`
	Refuse   peerRefuse   `cmd:"" help:"Refuse a node that asks."`
	Unblock  peerUnblock  `cmd:"" help:"End a block."`
	Retry    peerRetry    `cmd:"" help:"Send now what waits for a host."`
	Sync     peerSync     `cmd:"" help:"Compare what is held of a node with what it publishes, and mend it."`
	Trust    peerTrust    `cmd:"" help:"Decide which key of a contested node is believed."`
	Gone     peerGone     `cmd:"" help:"Say that a node that is followed is gone; its records stay, marked."`
	Holders  peerHolders  `cmd:"" help:"Tell who holds a copy of a record, or confirmed its deletion."`
	Back     peerBack     `cmd:"" help:"Take back that a node is gone."`
}

type peerFollow struct {
	Host   string `arg:"" help:"Host of the node, with its port if it has one; or an account: @user@host."`
	Agreed string `placeholder:"LICENCE" help:"Of an account: its author lets whole texts and pictures be kept under this licence."`
	Reason string `help:"How the author agreed, for the journal."`
}

func (peerFollow) Help() string {
	return "What an account publishes, a blog, an agenda or a channel, waits as candidates (essaim moderate list --kind candidate). A territory is followed by its host: by the name of one of its accounts it would bring candidates alone.\n\n" +
		"Example:\n\n    essaim peer follow --data /var/lib/essaim toulouse.example\n" +
		"    essaim peer follow --data /var/lib/essaim @agenda@mobilizon.example"
}

func (c peerFollow) Run(ctx context.Context, a *app) error {
	if isAccount(c.Host) {
		return c.account(ctx, a)
	}
	if c.Agreed != "" {
		return usagef("--agreed is about an account, and %q is none", c.Host)
	}
	return a.onPeer(ctx, "peer.follow", c.Host, func(p peerRow) string {
		if p.State == essaim.PeerFollowed {
			return p.Host + " is followed already."
		}
		return p.Host + " (" + p.Name + ") is asked; its records come once it accepts."
	})
}

type peerList struct{ listing }

func (peerList) Help() string { return "Example:\n\n    essaim peer list --data /var/lib/essaim" }

// peerRow is a peer as the commands show it.
type peerRow struct {
	Host          string           `json:"host"`
	Name          string           `json:"name"`
	State         essaim.PeerState `json:"state"`
	Life          essaim.PeerLife  `json:"life,omitempty"` // of one that is followed
	LifeSince     time.Time        `json:"lifeSince,omitzero"`
	URL           string           `json:"url"`
	Actor         string           `json:"actor"`
	FollowsUs     bool             `json:"followsUs"`
	Records       int              `json:"records"`
	Waiting       int              `json:"waiting"`
	FollowedAt    time.Time        `json:"followedAt,omitzero"`
	LastReceived  time.Time        `json:"lastReceived,omitzero"`
	LastDelivered time.Time        `json:"lastDelivered,omitzero"`
	DownSince     time.Time        `json:"downSince,omitzero"`
	Reason        string           `json:"reason,omitempty"`
	// Key is by which it proves what it publishes; Offered what its host shows
	// instead since ContestedAt.
	Key         string    `json:"key,omitempty"`
	Offered     string    `json:"offeredKey,omitempty"`
	ContestedAt time.Time `json:"contestedAt,omitzero"`
	// Commons is how far what it publishes is read.
	Commons commonsRow `json:"commons"`
}

// status is the state in one word, for people.
func (p peerRow) status() string {
	switch {
	case p.Life != "" && p.Life != essaim.LifeCurrent:
		return string(p.Life)
	case !p.ContestedAt.IsZero():
		return "contested"
	}
	return string(p.State)
}

func (n *Node) peerRow(p essaim.Peer) peerRow {
	life, since := p.Life(n.now(), n.cfg.PeerSilence)
	return peerRow{
		Life: life, LifeSince: since,
		Host: p.Host, Name: p.TerritoryName, State: p.State, URL: p.URL, Actor: p.Actor, FollowsUs: p.FollowsUs,
		Records: p.Records, Waiting: p.Waiting, FollowedAt: p.FollowedAt, LastReceived: p.LastReceived,
		LastDelivered: p.LastDelivered, DownSince: p.DownSince, Reason: p.LastReason,
		Key: p.Key, Offered: p.OfferedKey, ContestedAt: p.ContestedAt, Commons: newCommonsRow(p.Commons),
	}
}

func (c peerList) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]peerRow](ctx, node, "peer.list", none{})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"HOST", "NAME", "STATE", "FOLLOWS US", "RECORDS", "WAITING", "RECEIVED", "SILENT SINCE", "REASON"},
			lines(rows, func(p peerRow) []string {
				return []string{
					p.Host, p.Name, p.status(), yesNo(p.FollowsUs), strconv.Itoa(p.Records), strconv.Itoa(p.Waiting),
					stamp(p.LastReceived), stamp(p.DownSince), p.Reason,
				}
			}))
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

type peerShow struct {
	listing
	Host string `arg:"" help:"Host of the node."`
}

func (peerShow) Help() string {
	return "Example:\n\n    essaim peer show --data /var/lib/essaim toulouse.example"
}

func (c peerShow) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		host, err := hostName(c.Host)
		if err != nil {
			return err
		}
		p, err := ask[peerRow](ctx, node, "peer.show", host)
		if err != nil {
			return err
		}
		values := [][2]string{
			{"host", p.Host},
			{"name", p.Name},
			{"state", p.status()},
			{"url", p.URL},
			{"actor", p.Actor},
			{"follows us", yesNo(p.FollowsUs)},
			{"records here", strconv.Itoa(p.Records)},
			{"deliveries waiting", strconv.Itoa(p.Waiting)},
			{"followed at", stamp(p.FollowedAt)},
			{"last received", stamp(p.LastReceived)},
			{"last delivered", stamp(p.LastDelivered)},
			{"silent since", stamp(p.DownSince)},
			{"reason", p.Reason},
			{"key", p.Key},
		}
		values = append(values, p.Commons.lines()...)
		if !p.LifeSince.IsZero() {
			values = append(values, [2]string{string(p.Life) + " since", stamp(p.LifeSince)})
		}
		if !p.ContestedAt.IsZero() && p.Life != essaim.LifeContested {
			values = append(values, [2]string{"contested since", stamp(p.ContestedAt)})
		}
		if !p.ContestedAt.IsZero() {
			values = append(values, [2]string{"key that it shows", cmp.Or(p.Offered, "none")})
		}
		return c.print(a, p, []string{"WHAT", "VALUE"}, lines(values, func(l [2]string) []string { return l[:] }))
	})
}

type peerRemove struct {
	Host string `arg:"" help:"Host of the node, or an account: @user@host."`
}

func (peerRemove) Help() string {
	return "What is held of a node stays, as it was; what the node deletes later goes here too, within a day or two.\n\n" +
		"Example:\n\n    essaim peer remove --data /var/lib/essaim toulouse.example"
}

func (c peerRemove) Run(ctx context.Context, a *app) error {
	if isAccount(c.Host) {
		return a.onAccount(ctx, "peer.unaccount", c.Host, c.Host+" is followed no more; its candidates stay.")
	}
	return a.onPeer(ctx, "peer.remove", c.Host, func(p peerRow) string { return p.Host + " is followed no more." })
}

type peerBlock struct {
	Host   string `arg:"" help:"Host."`
	Reason string `help:"For the other administrators."`
}

func (peerBlock) Help() string {
	return "What was copied from it stays, as after peer remove (essaim moderate withdraw takes a record away). Once a day it is still asked for what it deleted, " +
		"which goes here too; nothing else of it is read.\n\n" +
		"Example:\n\n    essaim peer block --data /var/lib/essaim --reason 'unsolicited advertising' spam.example"
}

func (c peerBlock) Run(ctx context.Context, a *app) error {
	host, err := hostName(c.Host)
	if err != nil {
		return err
	}
	return a.measure(ctx, essaim.LevelBlock, measureTarget{Value: host, Reason: c.Reason})
}

type peerUnblock struct {
	Host string `arg:"" help:"Host."`
}

func (peerUnblock) Help() string {
	return "Example:\n\n    essaim peer unblock --data /var/lib/essaim spam.example"
}

func (c peerUnblock) Run(ctx context.Context, a *app) error {
	host, err := hostName(c.Host)
	if err != nil {
		return err
	}
	return a.measure(ctx, "", measureTarget{Value: host})
}

type peerRetry struct {
	Host string `arg:"" help:"Host."`
}

func (peerRetry) Help() string {
	return "Example:\n\n    essaim peer retry --data /var/lib/essaim toulouse.example"
}

func (c peerRetry) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		host, err := hostName(c.Host)
		if err != nil {
			return err
		}
		if _, err := ask[none](ctx, node, "peer.retry", host); err != nil {
			return err
		}
		fmt.Fprintln(a.out, "What waits for "+host+" is due now.")
		return nil
	})
}

type peerTrust struct {
	Host        string `arg:"" help:"Host of the node."`
	Fingerprint string `placeholder:"KEY" help:"The key to believe, as peer show tells it: z6Mk…"`
	Forget      bool   `help:"Of a node that is followed no more: its domain is another's, who is held to no key."`
}

func (peerTrust) Help() string {
	return "A node is contested when its host shows a key that the key known here did not introduce: it was rebuilt without its keys, or somebody else has its address now. " +
		"Nothing that it sends is applied meanwhile. Compare both keys with its administrator, by telephone rather than by mail. " +
		"The key that is not believed is refused from then on, until it is believed in turn.\n\n" +
		"The keys of a node that is followed no more still protect the copies kept here: nobody else deletes them. With --forget, whoever has its domain does.\n\n" +
		"Example:\n\n    essaim peer trust --data /var/lib/essaim --fingerprint z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2 toulouse.example\n" +
		"    essaim peer trust --data /var/lib/essaim --forget toulouse.example"
}

func (c peerTrust) Run(ctx context.Context, a *app) error {
	key := strings.TrimSpace(c.Fingerprint)
	if c.Forget == (key != "") {
		return usagef("either --fingerprint or --forget is needed")
	}
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		host, err := hostName(c.Host)
		if err != nil {
			return err
		}
		if c.Forget {
			if _, err := ask[none](ctx, node, "peer.forget", host); err != nil {
				return err
			}
			fmt.Fprintln(a.out, printable("The keys of "+host+" are forgotten; what was kept because of them is read again."))
			return nil
		}
		p, err := ask[peerRow](ctx, node, "peer.trust", trusted{Host: host, Key: key})
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, printable("What "+p.Host+" proves by "+p.Key+" is believed; what was kept meanwhile is read again."))
		return nil
	})
}

// trusted is which key of a host an administrator believes.
type trusted struct{ Host, Key string }

// onPeer runs an operation on a host and says what came of it.
func (a *app) onPeer(ctx context.Context, operation, host string, say func(peerRow) string) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		host, err := hostName(host)
		if err != nil {
			return err
		}
		p, err := ask[peerRow](ctx, node, operation, host)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, printable(say(p)))
		return nil
	})
}

// hostName takes the host out of what people paste: a host or an address.
func hostName(s string) (string, error) {
	host := strings.ToLower(strings.TrimSpace(s))
	if strings.Contains(host, "://") {
		u, err := url.Parse(host)
		if err != nil {
			return "", usagef("%q is no host", s)
		}
		host = u.Host
	}
	host = strings.TrimSuffix(host, "/")
	if host == "" || strings.ContainsAny(host, "/?#@ \t") {
		return "", usagef("%q is no host", s)
	}
	return host, nil
}

func followPeer(ctx context.Context, n *Node, host string) (peerRow, error) {
	st, err := n.store.Standing(ctx, "https://"+host+"/actor")
	if err != nil {
		return peerRow{}, err
	}
	if st.Blocked {
		return peerRow{}, fmt.Errorf("%s is blocked: %w", host, essaim.ErrForbidden)
	}
	if p, err := n.store.Peer(ctx, host); err == nil && p.State == essaim.PeerFollowed {
		return n.peerRow(p), nil
	}
	p, err := n.federation.FollowPeer(ctx, host)
	return n.peerRow(p), err
}

func listPeers(ctx context.Context, n *Node, _ none) ([]peerRow, error) {
	peers, err := n.store.Peers(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]peerRow, 0, len(peers))
	for _, p := range peers {
		rows = append(rows, n.peerRow(p))
	}
	return rows, nil
}

func showPeer(ctx context.Context, n *Node, host string) (peerRow, error) {
	p, err := n.store.Peer(ctx, host)
	return n.peerRow(p), unknownPeer(err)
}

func trustPeer(ctx context.Context, n *Node, t trusted) (peerRow, error) {
	if err := n.store.TrustPeer(ctx, t.Host, t.Key); err != nil {
		return peerRow{}, err
	}
	return showPeer(ctx, n, t.Host)
}

func forgetPeer(ctx context.Context, n *Node, host string) (none, error) {
	return none{}, n.store.ForgetPeerKeys(ctx, host)
}

func removePeer(ctx context.Context, n *Node, host string) (peerRow, error) {
	p, err := n.store.Peer(ctx, host)
	if err != nil {
		return peerRow{}, unknownPeer(err)
	}
	return n.peerRow(p), n.federation.UnfollowPeer(ctx, host)
}

func retryPeer(ctx context.Context, n *Node, host string) (none, error) {
	return none{}, n.store.WakeHost(ctx, host)
}
