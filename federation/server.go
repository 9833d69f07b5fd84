// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/vocab"
)

// Server is the node as the Fediverse sees it.
type Server struct {
	node     essaim.Node
	base     string // no last slash
	host     string // with port when there is one
	keys     Keys
	store    Store
	policy   PeerPolicy
	comments essaim.CommentPolicy
	listed   bool // only who is listed may write
	version  string
	source   string
	now      func() time.Time
	newID    func() string
	log      *slog.Logger
	renderer *vocab.Renderer
	cache    *documentCache
	client   *fetch.Client
	pictures Pictures
	digests  digests // said of our followers
	remote   *Actors
	visitors budget // what readers of the pages may make us ask
	handles  handles
	inbox    *Inbox
	ingest   *Ingester
	gather   *Gatherer
	replicas *Replicator
	rescuer  *Rescuer
	deliver  *Deliverer
	dispatch *Dispatcher
	hearing  chan struct{} // places for greetings being checked
	signing  sync.Mutex    // one head at a time
	tasks    tasks
}

// New checks the configuration and builds the two halves.
func New(c Config) (*Server, error) {
	u, err := url.Parse(c.Node.BaseURL)
	if err != nil || u.Host == "" || c.Store == nil || c.Keys.RSA == nil {
		return nil, fmt.Errorf("federation: node, keys and store are required: %w", essaim.ErrInvalid)
	}
	s := &Server{
		node: c.Node, base: strings.TrimSuffix(c.Node.BaseURL, "/"), host: u.Host, keys: c.Keys, store: c.Store,
		policy: cmp.Or(c.PeerPolicy, PeerPolicyOpen), comments: cmp.Or(c.Comments, essaim.CommentsHeld), listed: c.Allowlist,
		version: cmp.Or(c.Version, "dev"), source: c.SourceURL,
		now: c.Now, newID: c.NewID, log: c.Logger, pictures: c.Pictures,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newID == nil {
		s.newID = func() string { return strings.ToLower(ulid.MustNew(ulid.Timestamp(s.now()), rand.Reader).String()) }
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.renderer, err = vocab.New(vocab.Config{Node: c.Node, Ed25519: c.Keys.Ed25519, RSA: &c.Keys.RSA.PublicKey, Now: s.now})
	if err != nil {
		return nil, fmt.Errorf("federation: %w", err)
	}
	s.visitors.now = s.now
	s.hearing = make(chan struct{}, greetTogether)
	s.cache = newDocumentCache(c.Store.Changes, c.Store.Number)
	s.client, err = s.newClient(c)
	if err != nil {
		return nil, fmt.Errorf("federation: %w", err)
	}
	if err := s.receiving(c); err != nil {
		return nil, fmt.Errorf("federation: %w", err)
	}
	s.dispatch = &Dispatcher{Store: c.Store, NodeActor: s.nodeActor(), Logger: s.log}
	s.deliver, err = NewDeliverer(DelivererConfig{
		Store: c.Store, Client: s.client, Key: c.Keys.RSA, Now: c.Now, Logger: s.log, Workers: c.Workers, Sync: s.synchronization,
		Continues: s.remote.Continues,
	})
	if err != nil {
		return nil, fmt.Errorf("federation: %w", err)
	}
	return s, nil
}

// receiving builds the half that takes what comes.
func (s *Server) receiving(c Config) (err error) {
	s.remote = NewActors(s.store, s.client, s.now)
	s.inbox, err = NewInbox(InboxConfig{Base: s.base, Store: s.store, Actors: s.store, Keys: s.remote, Compare: s.compare, Allowlist: s.listed, Caller: c.Caller, Now: s.now, Logger: s.log})
	if err != nil {
		return err
	}
	s.ingest, err = NewIngester(IngesterConfig{
		Store: s.store, Actors: s.remote, Renderer: s.renderer, Base: s.base, PeerPolicy: s.policy, Comments: s.comments,
		Local: s.isLocal,
		Now:   s.now, ActivityID: s.activityID, Logger: s.log, PanicName: c.PanicName,
	})
	if err != nil {
		return err
	}
	s.gather = &Gatherer{Store: s.store, Client: s.client, Actors: s.remote, Base: s.ingest.origin, Now: s.now, Logger: s.log}
	s.replicas = &Replicator{Store: s.store, Client: s.client, Poster: s.client, Ingester: s.ingest, Now: s.now, Logger: s.log}
	if s.rescuer, err = newRescuer(c, s.base, s.client); err != nil {
		return err
	}
	s.rescuer.Store, s.rescuer.Renderer, s.rescuer.Now, s.rescuer.Logger = s.store, s.renderer, s.now, s.log
	return nil
}

// Rescuer gets back what this node lost.
func (s *Server) Rescuer() *Rescuer { return s.rescuer }

// Replicator reads the commons of the nodes that are followed.
func (s *Server) Replicator() *Replicator { return s.replicas }

// Renderer makes the node's documents.
func (s *Server) Renderer() *vocab.Renderer { return s.renderer }

func (s *Server) nodeActor() string { return s.base + "/actor" }

// activityID makes the id of a new activity of ours.
func (s *Server) activityID() string { return s.base + "/activities/" + s.newID() }

// Run applies what came and sends what is published until ctx ends, then waits
// for what is under way.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 4)
	go func() { done <- s.rescuer.Run(ctx) }()
	go func() { done <- s.ingest.Run(ctx) }()
	go func() { done <- s.gather.Run(ctx) }()
	go func() { done <- s.replicas.Run(ctx) }()
	s.tasks.Go(func() { s.greet(ctx) })
	s.tasks.Go(func() { s.keepActors(ctx) })
	err := s.RunOutward(ctx)
	s.tasks.Wait()
	return errors.Join(err, <-done, <-done, <-done, <-done)
}

// RunOutward fans out and delivers until ctx ends, then waits for what is
// under way.
func (s *Server) RunOutward(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.dispatch.Run(ctx) }()
	err := s.deliver.Run(ctx)
	return errors.Join(err, <-done)
}
