// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"essaim"
	"essaim/store/blob"
	"essaim/store/storetest"
)

func TestAvatarsComeFromThisSiteWhileTheirActorHasSomethingOnIt(t *testing.T) {
	t.Parallel()
	files, err := blob.New(blob.Config{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := png.Encode(&raw, image.NewGray(image.Rect(0, 0, 9, 9))); err != nil {
		t.Fatal(err)
	}
	p, err := blob.Portrait(raw.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	file, err := files.Put(p)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, storetest.SQLite(t), func(c *Config) { c.Pictures = files })
	status := func(path string) *http.Response {
		t.Helper()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Result()
	}
	// A file that nothing names is not served: it is about to go.
	if got := status("/m/" + file).StatusCode; got != http.StatusNotFound {
		t.Errorf("a file that nothing names: %d", got)
	}
	rec := storetest.Publish(t, s.store, storetest.Initiative("Jardin"))
	err = s.store.SaveRemoteActor(t.Context(), essaim.RemoteActor{ID: commenter, Type: "Person", Username: "ana", Icon: "https://toulouse.example/ana.png", Inbox: commenter + "/inbox", FetchedAt: s.clock.Now(), Document: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	s.comment(t, "1", rec.ID, essaim.CommentsShown)
	due, err := s.store.DueAvatars(t.Context(), 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("due %v, %v", due, err)
	}
	if d := s.get(t, recordPath(rec), http.StatusOK); strings.Contains(d.raw, "face") || strings.Contains(d.raw, "ana.png") {
		t.Error("a picture before there is a copy")
	}
	if err := s.store.SaveAvatar(t.Context(), due[0], file); err != nil {
		t.Fatal(err)
	}
	if d := s.get(t, recordPath(rec), http.StatusOK); !strings.Contains(d.raw, `src="/m/`+file+`" alt=""`) {
		t.Error("the page shows no portrait")
	}
	r := status("/m/" + file)
	h := r.Header
	if r.StatusCode != http.StatusOK || h.Get("Content-Type") != "image/jpeg" || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Errorf("got %d, %v", r.StatusCode, h)
	}
	for _, path := range []string{"/m/", "/m/x.svg", "/m/..%2f..%2fetc%2fpasswd", "/m/" + strings.Repeat("0", 64) + ".png"} {
		if got := status(path).StatusCode; got != http.StatusNotFound {
			t.Errorf("%s: %d", path, got)
		}
	}
	s.apply(t, commenter, essaim.ForgetActor{Actor: commenter})
	if got := status("/m/" + file).StatusCode; got != http.StatusNotFound {
		t.Errorf("after its actor is gone: %d", got)
	}
}
