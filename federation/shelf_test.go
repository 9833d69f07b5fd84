// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation/fedtest"
)

// shelf is what a node has published, in memory: the part of Store that
// serving needs.
type shelf struct {
	Store
	*queue

	mu            sync.Mutex
	objects       map[string]Stored
	outbox        [][]byte
	peers         []essaim.Peer
	number        int64
	owned         bool
	reads         int
	err           error
	followers     int
	blocked       map[string]bool
	members       int // of each collection about a record
	followed      []essaim.Outgoing
	actors        map[string]essaim.RemoteActor
	locals        []essaim.LocalActor
	listed        []essaim.ListEntry
	records       map[string]essaim.Record
	stamps        map[string][]byte
	stale         []string // actors to refresh
	gone, holders []string // holders of copies of this node
	due           []essaim.Avatar
	at            map[string][]string // followers by local actor and host
	follows       map[string]essaim.OurFollow
	sent          []string          // type and actor of each
	avatars       map[string]string // files
	trust         map[string]essaim.PeerTrust
}

func newShelf() *shelf {
	return &shelf{queue: newQueue(), objects: map[string]Stored{}, actors: map[string]essaim.RemoteActor{}, stamps: map[string][]byte{}, avatars: map[string]string{}}
}

func (s *shelf) Dispatch(ctx context.Context, a string, n int) (int, error) {
	return s.queue.Dispatch(ctx, a, n)
}

func (s *shelf) Announce(ctx context.Context) (int, error) { return s.queue.Announce(ctx) }

func (s *shelf) DueHosts(ctx context.Context, n int) ([]essaim.HostState, error) {
	return s.queue.DueHosts(ctx, n)
}

func (s *shelf) ClaimDeliveries(ctx context.Context, host string, n int, lease time.Duration) ([]essaim.Delivery, error) {
	return s.queue.ClaimDeliveries(ctx, host, n, lease)
}

func (s *shelf) FinishDeliveries(ctx context.Context, r []essaim.DeliveryResult) error {
	return s.queue.FinishDeliveries(ctx, r)
}

func (s *shelf) SaveHost(ctx context.Context, h essaim.HostState) error {
	return s.queue.SaveHost(ctx, h)
}

func (s *shelf) WakeHost(ctx context.Context, host string) error { return s.queue.WakeHost(ctx, host) }

func (s *shelf) WakeHosts(ctx context.Context) error { return s.queue.WakeHosts(ctx) }

func (s *shelf) LoseInbox(ctx context.Context, i string) error { return s.queue.LoseInbox(ctx, i) }

func (s *shelf) Notify() <-chan struct{} { return s.queue.Notify() }

func (s *shelf) Object(_ context.Context, id string) (Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	d, ok := s.objects[id]
	if s.err != nil {
		return Stored{}, s.err
	}
	if !ok {
		return Stored{}, essaim.ErrNotFound
	}
	return d, nil
}

func (s *shelf) Activity(ctx context.Context, id string) (Stored, error) { return s.Object(ctx, id) }

func (s *shelf) Stamp(_ context.Context, id string) ([]byte, error) {
	if b, ok := s.stamps[id]; ok {
		return b, nil
	}
	return nil, essaim.ErrNotFound
}

func (s *shelf) Outbox(_ context.Context, _ string, before int64, n int) ([][]byte, []int64, error) {
	var list [][]byte
	var numbers []int64
	for i := len(s.outbox) - 1; i >= 0 && len(list) < n; i-- {
		if number := int64(i + 1); before == 0 || number < before {
			list, numbers = append(list, s.outbox[i]), append(numbers, number)
		}
	}
	return list, numbers, nil
}

func (s *shelf) OutboxAfter(_ context.Context, _ string, after int64, n int) ([][]byte, []int64, error) {
	var list [][]byte
	var numbers []int64
	for i := int(after); i < len(s.outbox) && len(list) < n; i++ {
		list, numbers = append([][]byte{s.outbox[i]}, list...), append([]int64{int64(i + 1)}, numbers...)
	}
	return list, numbers, nil
}

func (s *shelf) Members(_ context.Context, record string, c essaim.CollectionKind, after int64, n int) (essaim.Members, error) {
	m := essaim.Members{Total: s.members}
	for i := after; i < int64(s.members) && len(m.IDs) < n; i++ {
		m.IDs, m.Last = append(m.IDs, fmt.Sprintf("https://m.example/%s/%d", c, i+1)), i+1
	}
	return m, nil
}

func (s *shelf) Counts(context.Context, string) (Counts, error) {
	return Counts{Published: len(s.outbox), Followers: s.followers, Users: 3}, nil
}

// LocalActor knows the territory, and what the test added.
func (s *shelf) LocalActor(_ context.Context, name string) (essaim.LocalActor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "brest" {
		return essaim.LocalActor{ID: "https://brest.example/actors/brest", Username: name, Kind: essaim.ActorTerritory}, s.err
	}
	for _, a := range s.locals {
		if a.Username == name {
			return a, s.err
		}
	}
	return essaim.LocalActor{}, essaim.ErrNotFound
}

func (s *shelf) Feed(_ context.Context, k essaim.ActorKind, subject string) (essaim.LocalActor, error) {
	for _, a := range s.locals {
		if a.Kind == k && a.Subject == subject {
			return a, nil
		}
	}
	return essaim.LocalActor{}, essaim.ErrNotFound
}

func (s *shelf) RecordBySlug(_ context.Context, k essaim.Kind, _, slug string) (essaim.Record, error) {
	for _, a := range s.locals {
		if a.Record.Kind == k && a.Record.Slug == slug {
			return a.Record, nil
		}
	}
	return essaim.Record{}, essaim.ErrNotFound
}

func (s *shelf) RecordActor(_ context.Context, record string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.locals {
		if a.Record.ID == record {
			return a.Username, nil
		}
	}
	return "", essaim.ErrNotFound
}

func (s *shelf) Listed(_ context.Context, _ essaim.LocalActor, before int64, n int) (list []essaim.ListEntry, err error) {
	for i := len(s.listed) - 1; i >= 0 && len(list) < n; i-- {
		if before == 0 || s.listed[i].Number < before {
			list = append(list, s.listed[i])
		}
	}
	return list, nil
}

func (s *shelf) CountListed(context.Context, essaim.LocalActor) (int, error) {
	return len(s.listed), nil
}

func (s *shelf) Record(_ context.Context, id string) (essaim.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, ok := s.records[id]
	if !ok {
		return rec, essaim.ErrNotFound
	}
	return rec, nil
}

func (s *shelf) Reactions(context.Context, string, essaim.ReactionKind) (int, error) { return 4, nil }

// Changes answers as a store that knows of every commit when owned is set.
func (s *shelf) Changes() (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number, s.owned
}

func (s *shelf) Number(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number, s.err
}

func (s *shelf) Peers(context.Context) ([]essaim.Peer, error) { return s.peers, nil }

func (s *shelf) Peer(_ context.Context, host string) (essaim.Peer, error) {
	for _, p := range s.peers {
		if p.Host == host {
			return p, nil
		}
	}
	return essaim.Peer{}, essaim.ErrNotFound
}

func (s *shelf) FollowPeer(_ context.Context, p essaim.Peer, follow essaim.Outgoing) error {
	s.peers, s.followed = append(s.peers, p), append(s.followed, follow)
	return nil
}

func (s *shelf) UnfollowPeer(_ context.Context, host string, undo essaim.Outgoing) error {
	s.peers = slices.DeleteFunc(s.peers, func(p essaim.Peer) bool { return p.Host == host })
	s.followed = append(s.followed, undo)
	return nil
}

func (s *shelf) StaleActors(context.Context, time.Duration, int) ([]string, error) {
	return s.stale, nil
}

func (s *shelf) LoseActor(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = append(s.gone, id)
	return nil
}

func (s *shelf) Blocked(_ context.Context, actor string) (bool, error) {
	return s.blocked[actor], s.err
}

func (s *shelf) RemoteActor(_ context.Context, id string) (essaim.RemoteActor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.actors[id]; ok {
		return a, nil
	}
	return essaim.RemoteActor{}, essaim.ErrNotFound
}

func (s *shelf) RemoteActorByKey(context.Context, string) (essaim.RemoteActor, error) {
	return essaim.RemoteActor{}, essaim.ErrNotFound
}

func (s *shelf) FollowersAt(_ context.Context, local, host string, _ int) ([]string, error) {
	return s.at[local+" "+host], nil
}

func (s *shelf) OurFollow(_ context.Context, actor string) (essaim.OurFollow, error) {
	if f, ok := s.follows[actor]; ok {
		return f, nil
	}
	return essaim.OurFollow{}, essaim.ErrNotFound
}

func (s *shelf) FollowLost(_ context.Context, _ essaim.OurFollow, follow essaim.Outgoing) error {
	s.sent = append(s.sent, "Follow", follow.Actor)
	return nil
}

func (s *shelf) Send(_ context.Context, typ string, out essaim.Outgoing) error {
	s.sent = append(s.sent, typ, out.Actor)
	return nil
}

func (s *shelf) DueAvatars(context.Context, int) ([]essaim.Avatar, error) { return s.due, nil }

func (s *shelf) SaveAvatar(_ context.Context, a essaim.Avatar, file string) error {
	s.avatars[a.Actor] = file
	return nil
}

func (s *shelf) DueCommons(context.Context, int) ([]string, error) { return nil, nil }

func (s *shelf) DueComparisons(context.Context, int) ([]string, error) { return nil, nil }

func (s *shelf) WakeCommons(context.Context, time.Time) error { return nil }

func (s *shelf) CommonsState(context.Context) (essaim.CommonsHead, error) {
	return essaim.CommonsHead{}, essaim.ErrNotFound // no head is signed of it
}

func (s *shelf) Recovering(context.Context) (bool, error) { return false, nil }

func (s *shelf) Recovery(context.Context) (essaim.Recovery, error) { return essaim.Recovery{}, nil }

func (s *shelf) RecoveryHosts(context.Context) ([]string, error) { return s.holders, nil }

func (s *shelf) ClaimRecoverySource(context.Context, time.Duration, bool) (essaim.RecoverySource, error) {
	return essaim.RecoverySource{}, nil
}

func (s *shelf) ClaimWanted(context.Context, time.Duration) (essaim.Wanted, error) {
	return essaim.Wanted{}, essaim.ErrNotFound
}

func (s *shelf) SaveRemoteActor(_ context.Context, a essaim.RemoteActor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actors[a.ID] = a
	return nil
}

// publish puts a document at an id, as one commit does.
func (s *shelf) publish(id string, d Stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[id] = d
	s.number++
}

func testServer(t testing.TB, store *shelf, network *fedtest.Network) (*Server, http.Handler) {
	t.Helper()
	c := Config{
		Node: essaim.Node{
			BaseURL: "https://brest.example", Incarnation: 1_767_225_600,
			Territory: essaim.Territory{Actor: "https://brest.example/actors/brest", Username: "brest", Name: "Brest", EPCIs: []string{"242900314"}, Lat: 48.4, Lon: -4.5},
		},
		Keys: Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519("brest")}, Store: store,
	}
	if network != nil {
		c.Transport = network
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	s.Mount(r)
	return s, r
}

// get asks a handler for a path.
func get(h http.Handler, path string, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const activityJSON = "application/activity+json"
