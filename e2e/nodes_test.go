// SPDX-License-Identifier: AGPL-3.0-or-later

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim/e2e/rig"
)

// binary builds the program once for the package's tests.
var binary = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("ESSAIM_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	dir, err := os.MkdirTemp("", "essaim-e2e-")
	if err != nil {
		return "", err
	}
	built = dir
	bin := filepath.Join(dir, "essaim")
	out, err := exec.Command("go", "build", "-o", bin, "essaim/cmd/essaim").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return bin, nil
})

// built is the directory of the binary made here; empty for one that was given.
var built string

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built) // a leftover temporary directory harms nobody
	}
	os.Exit(code)
}

// startNode makes a node and runs it until the test ends.
func startNode(t *testing.T, name string, perimeter ...string) *rig.Node {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	port, err := rig.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	n := &rig.Node{Bin: bin, Dir: filepath.Join(t.TempDir(), "node"), URL: fmt.Sprintf("http://127.0.0.1:%d", port)}
	if err := n.Init(t.Context(), name, perimeter...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

// eventually waits for what two nodes settle between them.
func eventually(t *testing.T, what string, f func() error) {
	t.Helper()
	if err := rig.Eventually(20*time.Second, f); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func find(t *testing.T, n *rig.Node, id string) (rig.Listed, bool) {
	t.Helper()
	rows, err := n.Records(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.ID == id {
			return r, true
		}
	}
	return rig.Listed{}, false
}

func document(t *testing.T, address string) (int, []byte) {
	t.Helper()
	status, body, err := rig.Get(t.Context(), address, rig.ActivityJSON)
	if err != nil {
		t.Fatal(err)
	}
	return status, body
}

func TestARecordLivesAtItsPeerAsAtItsOrigin(t *testing.T) {
	t.Parallel()
	brest := startNode(t, "Brest", "--epci", "242900314")
	toulouse := startNode(t, "Toulouse", "--epci", "243100518")
	ctx := t.Context()

	if _, err := toulouse.Run(ctx, "peer", "follow", "--data", toulouse.Dir, rig.Host(brest.URL)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Toulouse follows Brest", func() error {
		out, err := toulouse.Run(ctx, "peer", "list", "--data", toulouse.Dir)
		if err == nil && !strings.Contains(out, " followed ") {
			err = errors.New(out)
		}
		return err
	})

	content := map[string]any{
		"title": "Jardin partagé de la Penfeld", "tagline": "On y cultive ensemble.", "description": "Deux phrases. Pas plus.",
		"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019", "label": "Brest"}},
	}
	var made rig.Listed
	if err := brest.API(ctx, http.MethodPost, "initiatives", content, &made); err != nil {
		t.Fatal(err)
	}
	var copied rig.Listed
	eventually(t, "the copy", func() error {
		var ok bool
		if copied, ok = find(t, toulouse, made.ID); !ok {
			return errors.New("Toulouse does not list it")
		}
		return nil
	})
	if copied.Origin != rig.Host(brest.URL) || copied.Title != "Jardin partagé de la Penfeld" {
		t.Errorf("copy %+v", copied)
	}
	page := toulouse.URL + "/ailleurs/" + copied.Origin + "/" + copied.Slug
	_, want := document(t, made.ID)
	if status, got := document(t, page); status != http.StatusOK || !bytes.Equal(got, want) {
		t.Errorf("the copy (%d) is not its origin's bytes:\n%s\n%s", status, got, want)
	}

	content["title"] = "Jardin partagé de la rive droite"
	if err := brest.API(ctx, http.MethodPut, "initiatives/"+made.Slug, content, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the change", func() error {
		if r, _ := find(t, toulouse, made.ID); r.Title != "Jardin partagé de la rive droite" {
			return fmt.Errorf("Toulouse has %q", r.Title)
		}
		return nil
	})

	if err := brest.API(ctx, http.MethodDelete, "initiatives/"+made.Slug, nil, nil); err != nil {
		t.Fatal(err)
	}
	if status, body := document(t, made.ID); status != http.StatusGone || !bytes.Contains(body, []byte(`"Tombstone"`)) {
		t.Errorf("the origin answers %d after the deletion: %s", status, body)
	}
	eventually(t, "the deletion", func() error {
		if _, ok := find(t, toulouse, made.ID); ok {
			return errors.New("Toulouse still lists it")
		}
		if status, _ := document(t, page); status != http.StatusGone {
			return fmt.Errorf("the copy's page answers %d", status)
		}
		return nil
	})
}

func TestWithoutAFollowNothingIsCopied(t *testing.T) {
	t.Parallel()
	brest := startNode(t, "Brest", "--epci", "242900314")
	tourcoing := startNode(t, "Tourcoing", "--epci", "200093201")
	content := map[string]any{
		"title": "Atelier vélo", "tagline": "On y répare.", "description": "Deux phrases. Pas plus.",
		"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019", "label": "Brest"}},
	}
	var made rig.Listed
	if err := brest.API(t.Context(), http.MethodPost, "initiatives", content, &made); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing waits at Brest", func() error {
		out, err := brest.Run(t.Context(), "queue", "list", "--data", brest.Dir, "--json")
		if err == nil && strings.TrimSpace(out) != "[]" {
			err = errors.New(out)
		}
		return err
	})
	if r, ok := find(t, tourcoing, made.ID); ok {
		t.Errorf("Tourcoing holds %+v", r)
	}
}

func TestANodeStopsInTimeWhateverHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	asked := make(chan struct{}, 1)
	peer, err := rig.NewPeer(func(http.ResponseWriter, *http.Request, []byte) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-release
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(peer.Close)
	t.Cleanup(func() { close(release) })
	n := startNode(t, "Brest", "--epci", "242900314")
	actor := peer.Actor("follower")
	follow := peer.Activity("Follow", "follow-1", actor, n.URL+"/actor", nil)
	if status, err := peer.Post(t.Context(), n.URL+"/inbox", actor, follow); err != nil {
		t.Fatalf("%d: %v", status, err)
	}
	select {
	case <-asked: // the Accept is on its way, and gets no answer
	case <-time.After(20 * time.Second):
		t.Fatal("no Accept came")
	}
	slow, err := net.Dial("tcp", rig.Host(n.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprint(slow, "GET / HTTP/1.1\r\nHost: brest.example\r\n") // and no end
	start := time.Now()
	n.Stop()
	if took := time.Since(start); took > 11*time.Second {
		t.Errorf("stopped after %s", took)
	}
	if log := n.LastLog(); !strings.Contains(log, "msg=stopped") {
		t.Errorf("killed: %s", log)
	}
	// What was under way is waiting again.
	out, err := n.Run(t.Context(), "queue", "list", "--data", n.Dir)
	if err != nil || !strings.Contains(out, "Accept") || !strings.Contains(out, "waiting") {
		t.Errorf("queue after the stop: %s, %v", out, err)
	}
}

func TestWhoAsksToFollowWaitsForAnAnswerWhereThePolicySaysSo(t *testing.T) {
	t.Parallel()
	answers := make(chan string, 10)
	peer, err := rig.NewPeer(func(w http.ResponseWriter, _ *http.Request, body []byte) {
		var a struct{ Type string }
		if err := json.Unmarshal(body, &a); err != nil {
			a.Type = err.Error()
		}
		answers <- a.Type
		w.WriteHeader(http.StatusAccepted)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(peer.Close)
	n := startNode(t, "Brest", "--epci", "242900314")
	n.Stop()
	n.Env = append(n.Env, "ESSAIM_PEER_POLICY=approve")
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	actor, host := peer.Actor("follower"), rig.Host(peer.URL)
	if status, err := peer.Post(t.Context(), n.URL+"/inbox", actor, peer.Activity("Follow", "follow-1", actor, n.URL+"/actor", nil)); err != nil {
		t.Fatalf("%d: %v", status, err)
	}
	eventually(t, "the request", func() error {
		out, err := n.Run(t.Context(), "peer", "requests", "--data", n.Dir)
		if err == nil && !strings.Contains(out, host+" ") {
			err = errors.New(out)
		}
		return err
	})
	if _, err := n.Run(t.Context(), "peer", "accept", "--data", n.Dir, host); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-answers:
		if got != "Accept" {
			t.Errorf("got %s", got)
		}
	case <-time.After(20 * time.Second):
		t.Error("no answer came")
	}
}
