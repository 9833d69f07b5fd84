// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/go-fed/activity/pub"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/sig"
	"essaim/federation/wire"
)

// weight is how many bytes count as one activity more: what a stranger may have
// us keep is bounded as well as how often it comes.
const weight = 4 << 10

// Inbox receives activities: the shared inbox and every actor's are the same
// (ActivityPub 7.1.3). It answers 202 once an activity that passed the gate,
// the signature and the owner rules is durable, and not before; what it does is
// the Ingester's business.
type Inbox struct {
	origin   essaim.IRI // of this node
	store    InboxStore
	actors   ActorStore
	keys     *Actors
	verifier *sig.Verifier
	now      func() time.Time
	log      *slog.Logger
	recent   *recent
	listed   bool // only who is listed may write
	compare  func(ctx context.Context, header string, actor essaim.IRI)

	caller    func(*http.Request) netip.Prefix
	arrivals  budget
	perMinute float64
}

// InboxConfig is what an Inbox needs; all is required but Allowlist, PerMinute, Compare and Caller.
type InboxConfig struct {
	Base      string // the node's public address
	Store     InboxStore
	Actors    ActorStore
	Keys      *Actors
	Allowlist bool // see Config
	// PerMinute is how many activities the hosts below one domain may send, unless
	// they are followed or allowed; as many may come at once. 3,000 when 0.
	PerMinute int
	// Compare is told what an actor whose activity was taken says of its followers
	// here (FEP-8fcf); may be nil.
	Compare func(ctx context.Context, header string, actor essaim.IRI)
	// Caller is Config's.
	Caller func(*http.Request) netip.Prefix
	Now    func() time.Time
	Logger *slog.Logger
}

// NewInbox makes an Inbox.
func NewInbox(c InboxConfig) (*Inbox, error) {
	origin, err := essaim.ParseIRI(c.Base)
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	verifier, err := sig.New(sig.Config{Base: c.Base, Keys: c.Keys, Now: c.Now})
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	if c.PerMinute <= 0 {
		c.PerMinute = 3000
	}
	if c.Caller == nil {
		c.Caller = func(*http.Request) netip.Prefix { return netip.Prefix{} }
	}
	return &Inbox{origin: origin, caller: c.Caller, arrivals: budget{now: c.Now}, perMinute: float64(c.PerMinute), store: c.Store, actors: c.Actors, keys: c.Keys, verifier: verifier, now: c.Now, log: c.Logger, recent: newRecent(16 << 10), listed: c.Allowlist, compare: c.Compare}, nil
}

// ServeHTTP takes a POST (ActivityPub 7.1).
func (i *Inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, err := i.receive(w, r)
	if err == nil {
		w.WriteHeader(status)
		return
	}
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelWarn
	}
	i.log.LogAttrs(r.Context(), level, "activity refused", slog.Int("status", status), slog.String("reason", err.Error()))
	answerProblem(w, status, reasonFor(status, err))
}

// postInbox is the inbox of one actor, if there is one.
func (s *Server) postInbox(w http.ResponseWriter, r *http.Request) {
	if _, err := s.localActor(r.Context(), s.actorID(r)); err != nil {
		s.fail(w, r, err)
		return
	}
	s.inbox.ServeHTTP(w, r)
}

// receive does one request: the status, and for one that is refused why.
func (i *Inbox) receive(w http.ResponseWriter, r *http.Request) (int, error) {
	if r.Header.Get("Content-Encoding") != "" || !fetch.IsActivity(r.Header.Get("Content-Type")) {
		return http.StatusUnsupportedMediaType, errors.New("not an ActivityPub document")
	}
	raw, err := readAll(w, r)
	if err != nil {
		return statusOf(err), err
	}
	a, err := wire.Decode(raw, wire.Limits{})
	if err != nil {
		return statusOf(err), err
	}
	if i.isFarewell(r.Context(), a) {
		return http.StatusAccepted, nil
	}
	// Before the signature: no key is fetched from who is blocked.
	st, status, err := i.welcome(r.Context(), a.Actor, a.Type == "Delete")
	if err != nil {
		return status, err
	}
	// Whose site spent all costs no check of a signature more.
	if claimed, ok := sig.ClaimedKey(r.Header); ok && !st.Listed && i.arrivals.siteSpent(claimed.Host(), i.perMinute) {
		return http.StatusTooManyRequests, fmt.Errorf("%s sends more than %.0f activities a minute", claimed.Host(), i.perMinute)
	}
	r = r.WithContext(asStranger(r.Context(), i.caller(r)))
	key, err := i.verify(r, raw)
	if err != nil {
		return i.unverified(a, err)
	}
	if key.Owner != a.Actor { // who passes it on
		if st, status, err = i.welcome(r.Context(), key.Owner, false); err != nil {
			return status, err
		}
	}
	speaker, err := i.speaker(r.Context(), a, key.Owner)
	if err != nil {
		return statusOf(err), err
	}
	if err := a.CheckAuthority(speaker); err != nil {
		return statusOf(err), err
	}
	// Only what is signed counts, so that nobody spends what is another's.
	if !st.Listed && !i.arrivals.spendSite(key.Owner.Host(), float64(1+len(raw)/weight), i.perMinute) {
		return http.StatusTooManyRequests, fmt.Errorf("%s sends more than %.0f activities a minute", key.Owner.Host(), i.perMinute)
	}
	if !a.Transient && i.recent.has(a.ID.String()) {
		return http.StatusAccepted, nil // durable before; costs no query
	}
	if err := i.keep(r.Context(), a); err != nil {
		return statusOf(err), err
	}
	i.recent.add(a.ID.String())
	if said := r.Header.Get(sig.Synchronization); said != "" && i.compare != nil && key.Owner == a.Actor {
		i.compare(r.Context(), said, a.Actor)
	}
	return http.StatusAccepted, nil
}

// verify tells by which key a request is signed. Whoever sent it pays for what
// is fetched until that holds.
func (i *Inbox) verify(r *http.Request, body []byte) (sig.Key, error) {
	key, err := i.verifier.Verify(r.WithContext(fetch.Bounded(r.Context(), maxRequests)), body)
	if err == nil {
		i.keys.verified(r.Context())
	}
	return key, err
}

// welcome tells whether an actor may write here. Who is blocked may still erase
// what it sent before: to take back one's words is a right (GDPR 17).
func (i *Inbox) welcome(ctx context.Context, who essaim.IRI, erases bool) (essaim.Standing, int, error) {
	st, err := i.store.Standing(ctx, who.String())
	switch {
	case err != nil:
		return st, http.StatusServiceUnavailable, err
	case erases:
		return st, 0, nil
	case st.Blocked:
		return st, http.StatusForbidden, fmt.Errorf("%s is blocked", who)
	case i.listed && !st.Listed:
		return st, http.StatusForbidden, fmt.Errorf("%s is not among those who may write here", who)
	}
	return st, 0, nil
}

// isFarewell tells whether an actor that was never seen here says that it
// deleted itself. Mastodon tells everyone; there is nothing to check nor to do.
func (i *Inbox) isFarewell(ctx context.Context, a *wire.Activity) bool {
	if a.Type != "Delete" || a.Object.ID != a.Actor {
		return false
	}
	_, err := i.actors.RemoteActor(ctx, a.Actor.String())
	return errors.Is(err, essaim.ErrNotFound)
}

// unverified answers a signature that does not hold. An actor that deletes
// itself has no key any more: nothing is done, and it need not be told again.
func (i *Inbox) unverified(a *wire.Activity, err error) (int, error) {
	gone := errors.Is(err, essaim.ErrGone) || errors.Is(err, essaim.ErrNotFound)
	switch {
	case gone && a.Type == "Delete" && a.Object.ID == a.Actor:
		return http.StatusAccepted, nil
	case errors.Is(err, errTooMany):
		return http.StatusTooManyRequests, err
	case errors.Is(err, essaim.ErrUnavailable) && !errors.Is(err, sig.ErrUnauthorized):
		return http.StatusServiceUnavailable, err
	}
	return http.StatusUnauthorized, err
}

// keep makes the activity durable. Types that go-fed knows go through its
// protocol, with a request of our own making: an envelope as body, a fixed
// address, so that neither Host nor query nor anything else that a sender wrote
// is read twice. Others, which it would refuse, go to the same place.
func (i *Inbox) keep(ctx context.Context, a *wire.Activity) error {
	d := &delegate{inbox: i, in: essaim.Inbound{
		ActivityID: a.ID.String(), Transient: a.Transient, Type: a.Type, Actor: a.Actor.String(), Raw: a.Raw(), ReceivedAt: i.now(),
	}}
	if !speaks(a.Type) {
		return d.store(ctx)
	}
	body, err := json.Marshal(a.Envelope())
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/inbox", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/activity+json")
	handled, err := pub.NewCustomActor(d, false, true, clock(i.now)).PostInbox(ctx, discard{}, r)
	switch {
	case err != nil:
		return err
	case !handled || !d.stored:
		return fmt.Errorf("%s not taken by the protocol: %w", a.Type, wire.ErrUnsupported)
	}
	return nil
}

// readAll reads a body of bounded size, without reading one that says that it
// is too large.
func readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > wire.DefaultSize {
		return nil, wire.ErrTooLarge
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, wire.DefaultSize))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, wire.ErrTooLarge
	case err != nil:
		return nil, fmt.Errorf("body: %w: %w", wire.ErrMalformed, err)
	}
	return buf.Bytes(), nil
}

// statusOf maps an error to the status that tells a sender whether to try again.
func statusOf(err error) int {
	switch {
	case errors.Is(err, wire.ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, wire.ErrMalformed), errors.Is(err, wire.ErrUnsupported):
		return http.StatusBadRequest
	case errors.Is(err, essaim.ErrForbidden):
		return http.StatusForbidden
	}
	return http.StatusServiceUnavailable
}

// reasonFor is what a sender is told: what is wrong with its request, never
// what is wrong here.
func reasonFor(status int, err error) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnsupportedMediaType:
		return cut(err.Error(), 300)
	}
	return ""
}

// answerProblem writes an error as RFC 9457 asks (FEP-c180).
func answerProblem(w http.ResponseWriter, status int, detail string) {
	problem := struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{http.StatusText(status), status, detail}
	body, err := json.Marshal(problem)
	if err != nil {
		body = []byte("{}")
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		h.Set("Retry-After", "30")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
