// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-fed/activity/pub"
	"github.com/go-fed/activity/streams/vocab"

	"essaim"
)

// delegate stands behind go-fed's protocol for one activity that came in
// (pub.NewCustomActor). The stock delegate would deadlock on one signed
// activity, lose what fails half-way and believe the activity's own id about
// its origin; here, whatever decides was decided before, and the one thing left
// to do is to make the activity durable.
type delegate struct {
	inbox  *Inbox
	in     essaim.Inbound
	stored bool
}

var _ pub.DelegateActor = (*delegate)(nil)

func (d *delegate) store(ctx context.Context) error {
	if _, err := d.inbox.store.ReceiveActivity(ctx, d.in); err != nil {
		return err
	}
	d.stored = true
	return nil
}

// AuthenticatePostInbox lets pass: the signature was checked over the bytes
// that came, which this request no longer has.
func (d *delegate) AuthenticatePostInbox(c context.Context, _ http.ResponseWriter, _ *http.Request) (context.Context, bool, error) {
	return c, true, nil
}

// PostInboxRequestBodyHook has nothing to add.
func (d *delegate) PostInboxRequestBodyHook(c context.Context, _ *http.Request, _ pub.Activity) (context.Context, error) {
	return c, nil
}

// AuthorizePostInbox holds go-fed's reading against the gate's: both see the
// same activity, or it is not taken. Blocks were checked before.
func (d *delegate) AuthorizePostInbox(_ context.Context, _ http.ResponseWriter, a pub.Activity) (bool, error) {
	id, err := pub.GetId(a)
	if err != nil || id == nil || id.String() != d.in.ActivityID && !sameAddress(id, d.in.ActivityID) {
		return false, fmt.Errorf("activity %s reads as another: %w", d.in.ActivityID, essaim.ErrForbidden)
	}
	return a.GetTypeName() == d.in.Type, nil
}

// sameAddress compares addresses that the two readers may escape differently.
func sameAddress(u *url.URL, s string) bool {
	v, err := url.Parse(s)
	return err == nil && u.String() == v.String()
}

// PostInbox makes the activity durable; its effects come later, all in one
// transaction.
func (d *delegate) PostInbox(c context.Context, _ *url.URL, _ pub.Activity) error { return d.store(c) }

// InboxForwarding forwards nothing: who is addressed is delivered to by the
// origin (ActivityPub 7.1.2 is for origins that cannot).
func (d *delegate) InboxForwarding(context.Context, *url.URL, pub.Activity) error { return nil }

// The rest is what go-fed would do for a client of its own. The node has none:
// what it publishes goes through the store's queue.

var errNoClient = fmt.Errorf("no client to server protocol: %w", essaim.ErrForbidden)

// AuthenticateGetInbox refuses: an inbox is read by nobody.
func (d *delegate) AuthenticateGetInbox(c context.Context, _ http.ResponseWriter, _ *http.Request) (context.Context, bool, error) {
	return c, false, errNoClient
}

// AuthenticateGetOutbox refuses: outboxes are served as bytes.
func (d *delegate) AuthenticateGetOutbox(c context.Context, _ http.ResponseWriter, _ *http.Request) (context.Context, bool, error) {
	return c, false, errNoClient
}

// AuthenticatePostOutbox refuses.
func (d *delegate) AuthenticatePostOutbox(c context.Context, _ http.ResponseWriter, _ *http.Request) (context.Context, bool, error) {
	return c, false, errNoClient
}

// PostOutboxRequestBodyHook refuses.
func (d *delegate) PostOutboxRequestBodyHook(c context.Context, _ *http.Request, _ vocab.Type) (context.Context, error) {
	return c, errNoClient
}

// PostOutbox refuses.
func (d *delegate) PostOutbox(context.Context, pub.Activity, *url.URL, map[string]interface{}) (bool, error) {
	return false, errNoClient
}

// AddNewIDs refuses.
func (d *delegate) AddNewIDs(context.Context, pub.Activity) error { return errNoClient }

// Deliver refuses.
func (d *delegate) Deliver(context.Context, *url.URL, pub.Activity) error { return errNoClient }

// WrapInCreate refuses.
func (d *delegate) WrapInCreate(context.Context, vocab.Type, *url.URL) (vocab.ActivityStreamsCreate, error) {
	return nil, errNoClient
}

// GetOutbox refuses.
func (d *delegate) GetOutbox(context.Context, *http.Request) (vocab.ActivityStreamsOrderedCollectionPage, error) {
	return nil, errNoClient
}

// GetInbox refuses.
func (d *delegate) GetInbox(context.Context, *http.Request) (vocab.ActivityStreamsOrderedCollectionPage, error) {
	return nil, errNoClient
}

// speaks tells whether go-fed's protocol takes an activity of this type.
func speaks(typ string) bool {
	switch typ {
	case "Accept", "Add", "Announce", "Arrive", "Block", "Create", "Delete", "Dislike", "Flag", "Follow", "Ignore", "Invite",
		"Join", "Leave", "Like", "Listen", "Move", "Offer", "Read", "Reject", "Remove", "TentativeAccept", "TentativeReject",
		"Travel", "Undo", "Update", "View":
		return true
	}
	return false
}

// clock is the node's, as go-fed asks for it.
type clock func() time.Time

// Now implements pub.Clock.
func (c clock) Now() time.Time { return c() }

// discard takes the answer that go-fed writes: 200, where ours is 202.
type discard struct{}

// Header implements http.ResponseWriter.
func (discard) Header() http.Header { return http.Header{} }

// Write implements http.ResponseWriter.
func (discard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (discard) WriteHeader(int) {}
