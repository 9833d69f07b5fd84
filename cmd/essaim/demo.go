// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"essaim"
)

type demoCommand struct {
	Dir  string `placeholder:"DIR" default:"demo" help:"Where the three nodes keep their data; taken up again when it stands."`
	Port int    `default:"8080" help:"Port of Brest; Toulouse and Tourcoing take the two next."`
	Once bool   `help:"End, with exit code 0, as soon as all three hold all records of all; with 1 after a minute."`
	Dev  bool   `help:"For developers: templates read at each request, letters printed, /api/v1/routes."`
}

func (demoCommand) Help() string {
	return "Three nodes, Brest, Toulouse and Tourcoing, on this machine alone: each has its own records, follows the two others and receives theirs. " +
		"Their records are written from public sources, or invented, and say so; the sites are not those of the territories. " +
		"Meetings and calls for help are dated from the day of the first start.\n\n" +
		"Example:\n\n    essaim demo --dir demo --port 8080"
}

// Patience of the demonstration.
const (
	demoTime  = time.Minute
	demoPause = 100 * time.Millisecond
)

// demoAuthor signs the demonstration's records: a role, nobody's name.
var demoAuthor = essaim.Author{Name: "Contributrice de démonstration"}

// demoAdmin is the administrator of each of its nodes.
var demoAdmin = newUser{Email: "admin@essaim.example", Name: "Animation de démonstration", Role: essaim.RoleAdmin}

func (c demoCommand) Run(ctx context.Context, a *app) error {
	if c.Port < 1 || c.Port+len(demoTerritories)-1 > 65535 {
		return usagef("--port %d: three ports are wanted from there", c.Port)
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &demo{cancel: cancel}
	err := d.run(ctx, a, c)
	cancel()
	d.serving.Wait()
	for _, n := range d.nodes {
		err = errors.Join(err, n.Close())
	}
	return errors.Join(err, d.failure())
}

// demo is the three nodes in one process.
type demo struct {
	nodes   []*Node
	links   []string
	serving sync.WaitGroup
	cancel  context.CancelFunc

	mu     sync.Mutex
	failed error
}

func (d *demo) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

func (d *demo) run(ctx context.Context, a *app, c demoCommand) error {
	for i := range demoTerritories {
		if err := free(c.Port + i); err != nil {
			return err
		}
	}
	for i, t := range demoTerritories {
		if err := d.open(ctx, a, c, t, c.Port+i); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	if err := d.serve(ctx); err != nil {
		return err
	}
	for i, n := range d.nodes {
		fmt.Fprintf(a.out, "%-10s %s\n", demoTerritories[i].Name, n.info.BaseURL)
	}
	started, stop := context.WithTimeoutCause(ctx, demoTime, errors.New("a minute has passed"))
	err := d.fill(started)
	stop()
	switch {
	case err != nil && ctx.Err() != nil: // stopped by who started it, or by a node that failed
		return nil
	case err != nil:
		return err
	case c.Once:
		fmt.Fprintln(a.out, "all three hold all records of all")
		return nil
	}
	for _, n := range d.nodes {
		if err := n.dumps.Renew(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.out, "\nAll three hold the records of all. To write there, open a link:")
	for i, link := range d.links {
		fmt.Fprintf(a.out, "%-10s %s\n", demoTerritories[i].Name, link)
	}
	fmt.Fprintln(a.out, "\nCtrl+C ends the demonstration; what was written stays in", c.Dir+".")
	<-ctx.Done()
	return nil
}

// free says that nothing listens at a port, before anything is made for it.
func free(port int) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is in use: give --port the first of three free ports", port)
	}
	if err != nil {
		return fmt.Errorf("port %d: %w", port, err)
	}
	return l.Close()
}

// open makes a node or takes up the one that stands, however far it came.
func (d *demo) open(ctx context.Context, a *app, c demoCommand, t demoTerritory, port int) error {
	listen := fmt.Sprintf("127.0.0.1:%d", port)
	kept := map[string]string{"url": "http://" + listen, "listen": listen, "allow_private": "127.0.0.0/8"}
	cfg, err := settings{URL: kept["url"], Listen: listen, AllowPrivate: kept["allow_private"]}.check()
	if err != nil {
		return err
	}
	cfg.Dir, cfg.Dev = filepath.Join(c.Dir, t.Username), c.Dev
	opt := a.options()
	opt.logger = slog.New(slog.NewTextHandler(a.errs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if whole, err := d.initialised(ctx, cfg, opt); err != nil {
		return err
	} else if !whole {
		_, err := initialise(ctx, cfg, opt, newNode{Name: t.Name, EPCIs: t.EPCIs, Admin: demoAdmin, Demo: true})
		if err != nil {
			return err
		}
	}
	if err := writeConfigFile(cfg.Dir, kept); err != nil {
		return err
	}
	n, err := Open(ctx, cfg, opt)
	if err != nil {
		return err
	}
	d.nodes = append(d.nodes, n)
	if c.Once {
		return nil
	}
	admin, err := n.user(ctx, demoAdmin.Email)
	if err != nil {
		return err
	}
	link, err := signInLink(ctx, n, admin)
	d.links = append(d.links, link)
	return err
}

// initialised tells whether init went to its end, which is the administrator.
func (d *demo) initialised(ctx context.Context, cfg config, opt options) (_ bool, err error) {
	if !hasKeys(cfg.Dir) {
		return false, nil
	}
	st, err := openStore(ctx, cfg, opt, makers{})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if _, err := st.Node(ctx); err != nil {
		if errors.Is(err, essaim.ErrNotFound) {
			err = nil
		}
		return false, err
	}
	users, err := st.Users(ctx)
	return len(users) > 0, err
}

// serve starts the three and returns once they listen.
func (d *demo) serve(ctx context.Context) error {
	ready := make(chan struct{}, len(d.nodes))
	for i, n := range d.nodes {
		d.serving.Go(func() {
			err := n.Serve(ctx, func(net.Addr) { ready <- struct{}{} })
			if err == nil || ctx.Err() != nil {
				return
			}
			d.mu.Lock()
			d.failed = errors.Join(d.failed, fmt.Errorf("%s: %w", demoTerritories[i].Name, err))
			d.mu.Unlock()
			d.cancel()
		})
	}
	for range d.nodes {
		select {
		case <-ready:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// fill makes the nodes follow each other, then publish, and waits until each
// holds everything.
func (d *demo) fill(ctx context.Context) error {
	if err := d.await(ctx, "the nodes do not follow each other yet", d.followEachOther); err != nil {
		return err
	}
	total, err := d.publish(ctx, demoRecords)
	if err != nil {
		return err
	}
	err = d.await(ctx, "what is adapted has not arrived", func(ctx context.Context) (bool, error) {
		echoes, err := d.publish(ctx, demoEchoes)
		if errors.Is(err, essaim.ErrNotFound) {
			return false, nil
		}
		total += echoes
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return d.await(ctx, "some records have not arrived", func(ctx context.Context) (bool, error) {
		for _, n := range d.nodes {
			found, err := n.store.Search(ctx, essaim.Query{Limit: 1})
			if err != nil || found.Total < total {
				return false, err
			}
		}
		return true, nil
	})
}

// publish has the nodes publish their records, and counts those that are published:
// in turn, and all ending together, so that what is latest is of all three.
func (d *demo) publish(ctx context.Context, records func(string, *essaim.Gazetteer, time.Time) ([]essaim.Content, error)) (int, error) {
	hosts, lists, longest := demoHosts{}, make([][]essaim.Content, len(d.nodes)), 0
	for i, n := range d.nodes {
		hosts[demoTerritories[i].Username] = strings.TrimPrefix(n.info.BaseURL, "http://")
		g, err := gazetteer(n.cfg.Dir)
		if err != nil {
			return 0, err
		}
		if lists[i], err = records(demoTerritories[i].Username, g, n.now()); err != nil {
			return 0, err
		}
		longest = max(longest, len(lists[i]))
	}
	total := 0
	for turn := range longest {
		for i, n := range d.nodes {
			at := turn - longest + len(lists[i])
			if at < 0 {
				continue
			}
			r, err := hosts.publish(ctx, n, lists[i][at])
			if err != nil {
				return total, fmt.Errorf("%s: %s: %w", demoTerritories[i].Name, lists[i][at].Title, err)
			}
			if r.State == essaim.StatePublished { // visitors may have withdrawn some
				total++
			}
		}
	}
	return total, nil
}

// await asks again until what is asked is so.
func (d *demo) await(ctx context.Context, lacking string, asked func(context.Context) (bool, error)) error {
	tick := time.NewTicker(demoPause)
	defer tick.Stop()
	for {
		done, err := asked(ctx)
		if done {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", lacking, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// followEachOther asks each node to follow those that it does not yet, and
// tells whether all follow all and know it.
func (d *demo) followEachOther(ctx context.Context) (bool, error) {
	all := true
	for i, n := range d.nodes {
		for j, other := range d.nodes {
			if i == j {
				continue
			}
			host := strings.TrimPrefix(other.info.BaseURL, "http://")
			p, err := n.store.Peer(ctx, host)
			if errors.Is(err, essaim.ErrNotFound) || err == nil && p.State == essaim.PeerKnown {
				p, err = n.federation.FollowPeer(ctx, host)
			}
			if err != nil {
				return false, err
			}
			all = all && p.State == essaim.PeerFollowed && p.FollowsUs
		}
	}
	return all, nil
}
