// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/store/blob"
)

func TestStaleActorsAreFetchedAnewAndOnlyA410LosesOne(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	store := newShelf()
	s, _ := testServer(t, store, network)
	peer := fedtest.NewPeer(t, network, "well.example", "Person")
	for host, status := range map[string]int{"gone.example": 410, "missing.example": 404, "mending.example": 503} {
		network.Serve(host, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	}
	store.stale = []string{
		peer.Actor, "https://gone.example/users/a", "https://missing.example/users/a", "https://mending.example/users/a",
		"https://away.example/users/a", "not an address",
	}
	s.refreshActors(t.Context())
	if len(store.actors) != 1 || store.actors[peer.Actor].Inbox != peer.Actor+"/inbox" {
		t.Errorf("refreshed %v", store.actors)
	}
	if want := []string{"https://gone.example/users/a"}; !slices.Equal(store.gone, want) {
		t.Errorf("lost %v, want %v", store.gone, want)
	}
}

func TestAvatarsAreCopiedAndNothingElse(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	store := newShelf()
	s, _ := testServer(t, store, network)
	files, err := blob.New(blob.Config{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.pictures = files
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 300, 300))); err != nil {
		t.Fatal(err)
	}
	network.Serve("cdn.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "https://cdn.example/good", http.StatusFound)
		case "/good":
			// What it is called does not count.
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(picture.Bytes())
		case "/page":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("<script>alert(1)</script>"))
		case "/large":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(append(picture.Bytes(), make([]byte, blob.MaxPicture)...))
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			http.NotFound(w, r)
		}
	}))
	for _, path := range []string{"good", "moved", "page", "large", "busy", "none"} {
		store.due = append(store.due, essaim.Avatar{Actor: path, Source: "https://cdn.example/" + path})
	}
	store.due = append(store.due, essaim.Avatar{Actor: "file", Source: "file:///etc/passwd"})
	s.copyAvatars(t.Context())
	for actor, file := range store.avatars {
		if kept := actor == "good" || actor == "moved"; kept != strings.HasSuffix(file, ".jpg") {
			t.Errorf("%s kept as %q", actor, file)
		}
	}
	if _, noted := store.avatars["busy"]; noted || len(store.avatars) != 6 {
		t.Errorf("noted %v; what may come later is not", store.avatars)
	}
	if b, err := files.Read(store.avatars["good"]); err != nil || bytes.Equal(b, picture.Bytes()) {
		t.Errorf("the copy is what came: %v", err)
	}
}

// The host of a picture that never answers does not hold up what is due of
// actors.
func TestASlowPictureHoldsUpNoActor(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	store := newShelf()
	s, _ := testServer(t, store, network)
	peer := fedtest.NewPeer(t, network, "well.example", "Person")
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Bool
		network.Serve("cdn.example", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked.Store(true)
			<-r.Context().Done()
		}))
		files, err := blob.New(blob.Config{Root: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		s.pictures = files
		// More than what hangs can end before actors are due.
		for i := range 200 {
			store.due = append(store.due, essaim.Avatar{Actor: "a" + strconv.Itoa(i), Source: "https://cdn.example/a"})
		}
		store.stale = []string{peer.Actor}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.keepActors(ctx) }()
		<-time.After(keepEvery + time.Second)
		synctest.Wait()
		if !asked.Load() || len(store.actors) == 0 {
			t.Errorf("the picture was asked for: %t; %d actors were refreshed meanwhile", asked.Load(), len(store.actors))
		}
		cancel()
		<-done
	})
}
