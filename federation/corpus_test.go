// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

var update = flag.Bool("update-corpus", false, "write testdata/corpus.tsv again")

// seen is what the independent reader takes from a document.
type seen struct {
	class, id, author, text string
	object, inbox           string       // the id of what an activity is about; an actor's inbox
	dates                   [4]time.Time // published, updated, startTime, endTime
}

// independent reads a document with encoding/json alone, knowing nothing of this
// package: what any script would do.
func independent(raw []byte) (s seen, ok bool) {
	var d map[string]any
	if !utf8.Valid(raw) || json.Unmarshal(raw, &d) != nil { // RFC 8259 8.1
		return s, false
	}
	var flat func(v any, keys ...string) string
	flat = func(v any, keys ...string) string {
		switch v := v.(type) {
		case string:
			return v
		case []any:
			return flat(append(v, nil)[0], keys...)
		case map[string]any:
			for _, k := range keys {
				if v[k] != nil {
					return flat(v[k], "fr", "de", "en", "id", "@value")
				}
			}
		}
		return ""
	}
	const as = "https://www.w3.org/ns/activitystreams#"
	words := " " + strings.NewReplacer("[", " ", "]", " ", as, "").Replace(fmt.Sprint(d["type"], " ", d["@type"])) + " "
	for class, types := range map[string]string{"3 actor": actorTypes, "2 object": objectTypes, "1 activity": activityTypes} {
		for _, typ := range strings.Fields(types) {
			if strings.Contains(words, " "+typ+" ") {
				s.class = max(s.class, class)
			}
		}
	}
	s.id, s.author = flat(d, "id", "@id"), flat(d, "actor", "attributedTo")
	s.object, s.inbox = flat(d["object"], "id"), flat(d["inbox"])
	s.text = flat(d, "name", "nameMap", "content", "contentMap", as+"name")
	for i, k := range []string{"published", "updated", "startTime", "endTime"} {
		s.dates[i], _ = time.Parse(time.RFC3339, flat(d[k]))
	}
	return s, true
}

const (
	actorTypes    = "Application Group Organization Person Service"
	objectTypes   = "Note Article Event Page Question Video"
	activityTypes = "Accept Activity Add Announce Arrive Block Create Delete Dislike EmojiReact Flag Follow Ignore Invite IntransitiveActivity Join Leave Like Listen Move Offer QuoteRequest Read Reject Remove TentativeAccept TentativeReject Travel Undo Update View"
)

// reread is what this node takes from the same document.
func reread(d *wire.Document) seen {
	f := vocab.ReadForeign(d.Root())
	s := seen{id: f.ID, author: f.Author(), text: f.Name, dates: [4]time.Time{f.Published, f.Updated, f.Start, f.End}}
	if s.text == "" {
		s.text = f.Content
	}
	if slices.Contains(strings.Fields(objectTypes), f.Type) && f.Actor != "" && s.author == "" {
		s.author = f.Actor
	}
	return s
}

// used holds what the inbox and the fetching of actors take of a document, with
// the readers that they use, against the independent reading; an error is why one
// of them refuses it.
func used(t *testing.T, name string, raw []byte, want seen, now time.Time) error {
	t.Helper()
	switch want.class {
	case "1 activity":
		a, err := wire.Decode(raw, wire.Limits{})
		if err != nil {
			return err
		}
		got := seen{id: a.ID.String(), author: a.Actor.String(), object: a.Object.ID.String()}
		if a.Transient { // its id is the node's own
			got.id = ""
		}
		if alike := (seen{id: want.id, author: want.author, object: want.object}); got != alike {
			t.Errorf("%s: as an activity:\ngot  %+v\nwant %+v", name, got, alike)
		}
	case "3 actor":
		d, err := wire.Parse(raw, wire.Limits{})
		if err != nil {
			return err
		}
		a, err := readActor(d.Root(), now)
		if err != nil {
			return err
		}
		got := seen{id: a.ID, text: a.Name, inbox: a.Inbox}
		changed := want.dates[1]
		if changed.IsZero() {
			changed = want.dates[0] // one that was never changed says when it was made
		}
		if alike := (seen{id: want.id, text: want.text, inbox: want.inbox}); got != alike || !a.Updated.Equal(changed) {
			t.Errorf("%s: as an actor:\ngot  %+v, %s\nwant %+v, %s", name, got, a.Updated, alike, changed)
		}
	}
	return nil
}

// unread is how many activities and actors of the corpus the inbox and the
// fetching of actors refuse to read at all, and for what: most are examples of the
// vocabulary, without id, context or inbox, that no server sends or serves
// (ActivityPub 3.1, 4.1). One more is a fault.
var unread = map[string]int{
	"activity: id is not a string: malformed document: invalid":          54,
	"activity: no ActivityStreams context: unsupported document":         12,
	"activity: actor is not one address: malformed document: invalid":    5,
	"activity: no actor: malformed document: invalid":                    2,
	"activity: Create without an object: malformed document: invalid":    2,
	"activity: id is not an http address: malformed document: invalid":   1,
	"activity: object's id is not a string: malformed document: invalid": 1,
	"actor: actor … without an inbox of its own: invalid":                16,
	"actor: document of type … is no actor: invalid":                     14,
}

// differs is what differs in errors of one reason.
var differs = regexp.MustCompile(`(http\S+|"[^"]*")`)

// ofPerson finds files that are named after a person: the table has a digest of their
// bytes in its place.
var ofPerson = regexp.MustCompile(`-(author|u)-[^/]*$`)

// TestEveryRealDocumentIsReadOrKept reads each document of the shared corpus:
// through the gate, by the reader of foreign objects, and by the ingester as what
// a followed account sends or its origin serves. What becomes of each file stands
// in testdata/corpus.tsv.
func TestEveryRealDocumentIsReadOrKept(t *testing.T) {
	t.Parallel()
	root := os.Getenv("ESSAIM_CORPUS")
	if root == "" {
		root = "../../shared"
	}
	files, err := filepath.Glob(filepath.Join(root, "data/fediverse/*/*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no corpus under %s", root)
		}
		t.Logf("left out: no corpus under %s", root)
		return
	}
	if len(files) != 527 {
		t.Errorf("%d documents, want 527", len(files))
	}
	g := corpusIngester(t)
	var table bytes.Buffer
	table.WriteString("# what is read of each document of the corpus: activity, actor, object, or kept as bytes, or refused; and what the ingester makes of it\n")
	var read, ours, kept, rest int
	refused := map[string]int{}
	slices.Sort(files)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		if ofPerson.MatchString(name) {
			name = fmt.Sprintf("%s/%.8x", filepath.Base(filepath.Dir(file)), sha256.Sum256(raw))
		}
		want, isJSON := independent(raw)
		d, err := wire.Parse(raw, wire.Fetched)
		fate := "kept"
		switch {
		case err == nil && !bytes.Equal(d.Raw(), raw):
			t.Errorf("%s: other bytes are kept than came", name)
		case err == nil && want.class != "":
			got := reread(d)
			got.class, got.object, got.inbox = want.class, want.object, want.inbox
			if ours, read = ours+1, read+1; !sameReading(got, want) {
				read--
				t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
			}
			fate = want.class[2:]
			if err := used(t, name, raw, want, g.Now()); err != nil {
				refused[fate+": "+differs.ReplaceAllString(err.Error(), "…")]++
			}
		case err == nil:
			kept, rest = kept+1, rest+1
		case want.class != "":
			ours++
			fate = "refused: " + err.Error()
			t.Errorf("%s: not read: %v", name, err)
		default:
			rest++
			if fate = "refused: " + err.Error(); isJSON {
				t.Logf("%s: %v", name, err)
			}
		}
		fmt.Fprintf(&table, "%s\t%s\t%s\n", name, fate, g.outcome(t, raw, want.class, want.id, want.author))
	}
	t.Logf("%d documents: %d of %d activities, actors and objects read, %d of %d others kept", len(files), read, ours, kept, rest)
	if !maps.Equal(refused, unread) {
		t.Errorf("got refused %v\nwant %v", refused, unread)
	}
	if ours < 290 || read != ours || kept*100 < rest*95 {
		t.Errorf("got %d of %d read, %d of %d kept; want all of ≥ 290, and 95 %%", read, ours, kept, rest)
	}
	const path = "testdata/corpus.tsv"
	if *update {
		if err := os.WriteFile(path, table.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(committed), "\n"), strings.Split(table.String(), "\n")
	for i := range max(len(was), len(is)) {
		if a, b := at(was, i), at(is, i); a != b {
			t.Fatalf("the fate of a document changed (-update-corpus writes the table again):\nwas %s\nis  %s", a, b)
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func sameReading(a, b seen) bool {
	for i := range a.dates {
		if !a.dates[i].Equal(b.dates[i]) {
			return false
		}
	}
	a.dates = b.dates
	return a == b
}

// corpusReader is an ingester without a database: the corpus asks only what an
// activity comes to.
type corpusReader struct {
	*reader
}

// nobody is a store in which nobody of elsewhere follows anybody.
type nobody struct{ *shelf }

func (nobody) FollowsHere(context.Context, string) (bool, error) { return false, nil }

func corpusIngester(t *testing.T) corpusReader {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC) }
	s, err := New(Config{
		Node: essaim.Node{BaseURL: "https://brest.example", Territory: essaim.Territory{Actor: "https://brest.example/actors/brest", Username: "brest", Name: "Brest"}},
		Keys: Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519("brest")}, Store: nobody{newShelf()}, Now: now,
		Logger: slog.New(slog.DiscardHandler), Transport: fedtest.NewNetwork(),
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := newReader(s.ingest)
	if err != nil {
		t.Fatal(err)
	}
	return corpusReader{r}
}

// outcome is what the ingester makes of a document: of an activity as signed by
// its actor, of an object as served by its origin, of an actor as fetched.
func (c corpusReader) outcome(t *testing.T, raw []byte, class, id, author string) string {
	t.Helper()
	var effects []essaim.Effect
	var err error
	switch class {
	case "1 activity":
		c.begin(essaim.Inbound{ActivityID: id, Actor: author, Raw: raw, ReceivedAt: c.Now()})
		effects, err = c.read(t.Context())
	case "2 object":
		var d *wire.Document
		if d, err = wire.Parse(raw, wire.Fetched); err == nil {
			var p essaim.Proposal
			if p, err = readFetched(d.Root(), id, c.Now()); err == nil {
				effects = []essaim.Effect{essaim.Propose{Proposal: p}}
				kept := p.Candidate("A", "", c.Now())
				if problems := kept.Validate(false); len(problems) > 0 {
					t.Errorf("%s: %v", id, problems)
				}
			}
		}
	case "3 actor":
		var d *wire.Document
		if d, err = wire.Parse(raw, wire.Limits{}); err == nil {
			var a essaim.RemoteActor
			if a, err = readActor(d.Root(), c.Now()); err == nil {
				effects = []essaim.Effect{essaim.SaveActor{Actor: a}}
			}
		}
	default:
		return "-"
	}
	var none nothingToDo
	switch {
	case errors.As(err, &none):
		return "ignored: " + none.Error()
	case err != nil:
		return "refused: " + cut(strings.Join(strings.Fields(err.Error()), " "), 120)
	}
	var names []string
	for _, e := range effects {
		names = append(names, strings.TrimPrefix(fmt.Sprintf("%T", e), "essaim."))
	}
	return strings.Join(names, " ")
}
