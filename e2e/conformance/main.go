// SPDX-License-Identifier: AGPL-3.0-or-later

// Command conformance holds two real nodes against what other servers of the
// Fediverse expect: the forty checks of the protocol, each numbered, with a
// scripted peer; every document that the nodes serve through the linter; a peer
// and a test suite written by others; and the claims of docs/FEDIVERSE.md. It
// needs bin/essaim and what tools/ensure.sh installs (make build ensure).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
)

func main() {
	var seed uint64
	flag.Uint64Var(&seed, "seed", 0, "seed of every random choice; 0 takes one")
	dbs := flag.String("db", "sqlite,postgres", "databases, comma-separated")
	only := flag.String("only", "", "run only the checks whose name has this text")
	spoil := flag.Bool("spoil", false, "spoil every answer and expect each check to fail: the proof that it can")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	s := rig.NewSuite("conformance", seed)
	var passed []string // on every database so far
	for _, db := range strings.Split(*dbs, ",") {
		if db != "sqlite" && db != "postgres" {
			fmt.Fprintln(os.Stderr, "conformance: -db is sqlite, postgres or both, comma-separated")
			os.Exit(2)
		}
		w, err := newWorld(ctx, s, db)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		s.Must(db+": two nodes and a scripted peer", w.build)
		if *spoil {
			w.spoil()
		}
		w.run(*only, *spoil)
		if !*spoil {
			w.others(*only)
		}
		if passed == nil {
			passed = w.passed
		}
		passed = slices.DeleteFunc(passed, func(name string) bool { return !slices.Contains(w.passed, name) })
		w.a.Stop()
		w.b.Stop()
	}
	if !*spoil && *only == "" {
		s.Check(matrixFile+": each claim has its test, and each test its claim", func() error { return matrix(passed) })
	}
	s.End()
}

// test is one that docs/FEDIVERSE.md refers to by its name.
type test struct {
	name, text string
	run        func(w *world, j *judge)
}

// documentTests look at all that is served.
var documentTests = []test{{"lint", "every document of both nodes passes the linter", (*world).lint}}

// others runs the linter and what others wrote.
func (w *world) others(only string) {
	w.named(documentTests, only)
	w.passed = append(w.passed, w.replay(only)...)
	const testing = "activitypub-testing"
	if strings.Contains(testing, only) {
		w.Check(w.db+" activitypub-testing: fails on no actor", w.activityPubTesting)
	}
	if !slices.ContainsFunc(fedifyTests, func(t test) bool { return strings.Contains(t.name, only) }) {
		return
	}
	var err error
	if !w.Check(w.db+" fedify: a server starts", func() error { w.fedify, err = w.startFedify(); return err }) {
		return
	}
	w.named(fedifyTests, only)
}

// named runs named tests.
func (w *world) named(tests []test, only string) {
	for _, t := range tests {
		if strings.Contains(t.name, only) {
			ok := w.Check(fmt.Sprintf("%s %s: %s", w.db, t.name, t.text), func() error {
				var j judge
				t.run(w, &j)
				return j.verdict()
			})
			if ok {
				w.passed = append(w.passed, t.name)
			}
		}
	}
}

// check is one numbered check: interop's text in short, and what is asserted.
type check struct {
	number int
	text   string
	run    func(w *world, j *judge)
}

// run makes the forty checks. Spoiled, a check passes when it fails.
func (w *world) run(only string, spoiled bool) {
	asserted := 0
	for _, c := range checks {
		name := fmt.Sprintf("%s %d: %s", w.db, c.number, c.text)
		if !strings.Contains(name, only) {
			continue
		}
		w.Check(name, func() error {
			var j judge
			c.run(w, &j)
			asserted += j.made
			err := j.verdict()
			if !spoiled {
				return err
			}
			if err == nil {
				return fmt.Errorf("passed on spoiled answers: it cannot fail")
			}
			return nil
		})
	}
	w.Figure("assertions_"+w.db, asserted, "")
}

// checks are the forty of the reference, in its order.
var checks = []check{
	{1, "WebFinger of a handle: 200, application/jrd+json, its subject, one self link to the actor", (*world).webFinger},
	{2, "WebFinger with the resource percent-encoded: the same body", (*world).webFingerEncoded},
	{3, "WebFinger without a resource: 400", (*world).webFingerNone},
	{4, "WebFinger of a malformed resource: 400", (*world).webFingerMalformed},
	{5, "WebFinger of an unknown user or another domain: 404, never a page", (*world).webFingerUnknown},
	{6, "WebFinger with rel, repeated and in any order: 200 with the self link", (*world).webFingerRel},
	{7, "WebFinger allows every origin", (*world).webFingerCORS},
	{8, "WebFinger of an actor's address and of the node's", (*world).webFingerAddress},
	{9, "host-meta: XRD with the lrdd template", (*world).hostMeta},
	{10, "NodeInfo links 2.1, 2.0 and the Application actor", (*world).nodeInfoLinks},
	{11, "NodeInfo 2.1 and 2.0 hold their schema", (*world).nodeInfo},
	{12, "the Application actor is served without a signature", (*world).application},
	{13, "a document asked for as ld+json with the profile: 200, ActivityStreams", (*world).asLD},
	{14, "a document asked for as activity+json: the same, of a type that Lemmy takes", (*world).asActivity},
	{15, "a browser gets a page, every answer varies by Accept, the page links the document", (*world).asHTML},
	{16, "any other Accept, or none: a documented choice, never 5xx", (*world).asAnything},
	{17, "an actor's id, addresses and keys", (*world).actors},
	{18, "every object of the outbox is served under its id, signed or not", (*world).outboxObjects},
	{19, "a deleted object: 410 with its Tombstone; one that never was: 404", (*world).tombstone},
	{20, "a draft is nowhere", (*world).draft},
	{21, "HEAD, conditional GET and what caches may keep", (*world).conditional},
	{22, "the actors' collections: types, ids, totalItems", (*world).collections},
	{23, "the outbox from first to next: no gaps, no duplicates, newest first, unmoved by a publication", (*world).paging},
	{24, "the outbox from last to prev: the same", (*world).backwards},
	{25, "an inbox tells strangers nothing", (*world).inboxes},
	{26, "featured: addresses of posts of that actor", (*world).featured},
	{27, "unsigned activities: 401", (*world).unsigned},
	{28, "a draft-cavage signature as Mastodon makes it is taken, and has its effect", (*world).cavage},
	{29, "other forms of draft-cavage are taken", (*world).cavageForms},
	{30, "a body that is not the one digested is refused", (*world).digests},
	{31, "a date out of the window is refused, at the window's edges too", (*world).dates},
	{32, "a signature that does not cover target and host, or is for others, is refused", (*world).covered},
	{33, "RFC 9421 with RSA and Ed25519 is taken; without created or digest refused", (*world).rfc9421},
	{34, "a signer who is not the actor needs the actor's proof", (*world).forwarded},
	{35, "a changed key is fetched once; a key whose home is away is asked for again", (*world).rotation},
	{36, "media types, sizes and shapes of what is posted", (*world).bodies},
	{37, "Follow, Accept within 5 s, Follow again, Undo", (*world).follow},
	{38, "the same activity has one effect; order and age of versions count", (*world).once},
	{39, "nobody speaks for another host or actor", (*world).authority},
	{40, "deliveries: one a shared inbox, signed, in order, tried again as answered, never to a private address", (*world).delivered},
}
