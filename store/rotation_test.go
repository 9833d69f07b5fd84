// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// again marks a document as signed anew; the content digest stays.
type again struct {
	digests map[string]string // of documents, by their bytes
	signed  int
	stop    int // fails from this one on
}

func (a *again) sign(doc []byte) (essaim.Rendered, error) {
	if a.signed++; a.stop > 0 && a.signed > a.stop {
		return essaim.Rendered{}, fmt.Errorf("killed: %w", essaim.ErrUnavailable)
	}
	out := append(bytes.TrimSuffix(doc, []byte(" again")), " again"...)
	return essaim.Rendered{Document: out, ContentDigest: a.digests[string(bytes.TrimSuffix(doc, []byte(" again")))], CopyDigest: "copy of " + string(out)}, nil
}

func TestWhatWasPublishedIsSignedAgainAfterAChangeOfKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		n.follow(t, nodeActor, ana, anaInbox)
		n.follow(t, territory, ana, anaInbox)
		a := &again{digests: map[string]string{}}
		var recs []essaim.Record
		for i := range 60 { // more than one transaction
			r := storetest.Publish(t, n.Store, storetest.Initiative(fmt.Sprintf("Initiative %d", i)))
			recs = append(recs, r)
			doc, err := n.Document(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			a.digests[string(doc)] = r.ContentDigest
		}
		gone := recs[7]
		if err := n.WithdrawRecord(t.Context(), gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		draft, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Brouillon"), State: essaim.StateDraft, Author: storetest.Author})
		if err != nil {
			t.Fatal(err)
		}
		n.apply(t, toulouseTerritory, version("potager", 10, 1))
		n.dispatch(t)
		deliveries, events := one[int](t, n, "SELECT count(*) FROM delivery"), one[int](t, n, "SELECT count(*) FROM event")
		before, err := n.Number(t.Context())
		if err != nil {
			t.Fatal(err)
		}

		if err := n.Resign(t.Context(), a.sign); err != nil || a.signed != 0 {
			t.Errorf("without a change of keys %d were signed, %v", a.signed, err)
		}
		info, err := n.Node(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		change := essaim.Rotation{Old: "zA", New: "zB", At: n.clock.now().Truncate(time.Second), Statement: []byte("statement")}
		if err := n.RotateKeys(t.Context(), change, "another", "new"); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("keys of another: %v", err)
		}
		if err := n.RotateKeys(t.Context(), change, info.KeyFingerprint, "new"); err != nil {
			t.Fatal(err)
		}
		info, err = n.Node(t.Context())
		if err != nil || info.KeyFingerprint != "new" || len(info.Rotations) != 1 || info.Rotations[0].New != "zB" || !info.Rotations[0].At.Equal(change.At) {
			t.Errorf("node = %+v, %v", info, err)
		}

		// It is killed in the middle, and goes on from there.
		a.stop = one[int](t, n, "SELECT count(DISTINCT d.activity_id) FROM delivery d WHERE d.state = 'waiting'") + 110
		if err := n.Resign(t.Context(), a.sign); !errors.Is(err, essaim.ErrUnavailable) {
			t.Fatalf("killed: %v", err)
		}
		first := a.signed
		a.stop = 0
		if err := n.Resign(t.Context(), a.sign); err != nil {
			t.Fatal(err)
		}
		if left := one[int](t, n, "SELECT count(*) FROM rotation WHERE done_at IS NULL"); left != 0 {
			t.Errorf("%d changes are left", left)
		}
		a.signed = 0
		if err := n.Resign(t.Context(), a.sign); err != nil || a.signed != 0 {
			t.Errorf("once done, %d were signed again, %v", a.signed, err)
		}
		if first == 0 {
			t.Error("nothing was signed before the end")
		}

		seen := map[int64]bool{}
		for _, r := range recs {
			if r.ID == gone.ID {
				continue
			}
			doc, err := n.Document(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			is, err := n.Record(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(string(doc), "} again") || is.ContentDigest != r.ContentDigest || is.CopyDigest != "copy of "+string(doc) || is.Revision != r.Revision || !is.Updated.Equal(r.Updated) {
				t.Errorf("%s: %s, %+v", r.Title, doc, is)
			}
			if is.Number <= before || seen[is.Number] {
				t.Errorf("%s has number %d, want one of its own after %d", r.Title, is.Number, before)
			}
			seen[is.Number] = true
		}
		stored, err := n.Object(t.Context(), gone.ID)
		if err != nil || !stored.Gone || !strings.HasSuffix(string(stored.Bytes), " again") {
			t.Errorf("tombstone is %s, %v", stored.Bytes, err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM activity WHERE rid IS NOT NULL AND bytes IS NOT NULL AND CAST(substr(bytes, length(bytes) - 4) AS TEXT) <> 'again'"); db.Name == "sqlite" && got != 0 {
			t.Errorf("%d activities are not signed again", got)
		}
		// Of no document, and of the keys once.
		for what, want := range map[string]int{"delivery": deliveries, "event": events + 1} {
			if got := one[int](t, n, "SELECT count(*) FROM "+what); got != want {
				t.Errorf("%d rows of %s, want %d", got, what, want)
			}
		}
		if got := one[int](t, n, "SELECT count(*) FROM event e JOIN activity a ON a.id = e.activity_id WHERE a.type = 'Update' AND a.actor = '"+territory+"' AND a.rid IS NULL"); got != 1 {
			t.Errorf("its followers are told %d times of the territory's keys", got)
		}
		copied, err := n.Document(t.Context(), "https://toulouse.example/objects/potager")
		if err != nil || string(copied) != "potager 10.1" {
			t.Errorf("the copy is %s, %v", copied, err)
		}
		if r, err := n.Record(t.Context(), draft.ID); err != nil || r.Number != 0 {
			t.Errorf("the draft is %+v, %v", r, err)
		}
		// Who reads on from before finds each once.
		list, _, more, err := n.CommonsAfter(t.Context(), before, 1000, 1<<20)
		if err != nil || more || len(list) != len(recs) {
			t.Errorf("%d documents after %d, %v", len(list), before, err)
		}
		if broken, err := n.Check(t.Context()); err != nil || len(broken) != 0 {
			t.Errorf("broken: %+v, %v", broken, err)
		}
	})
}
