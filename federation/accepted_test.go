// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"essaim"
)

var updateAccepted = flag.Bool("update-accepted", false, "write testdata/accepted again")

// accepted are the cases of TestWhatAnActivityComesTo and TestAMoveNeedsBothEnds
// that FEDERATION.md shows, each by the file that holds it.
var accepted = map[string]string{
	"Follow":                              "follow",
	"Undo of a Follow":                    "undo",
	"Accept of our Follow":                "accept",
	"Like":                                "like",
	"EmojiReact":                          "emoji_react",
	"Announce":                            "announce",
	"answer":                              "reply",
	"record":                              "record",
	"event for a group":                   "event",
	"Announce of something elsewhere":     "announce_elsewhere",
	"deletion":                            "delete",
	"Flag":                                "flag",
	"Block":                               "block",
	"Join of a meeting":                   "join",
	"QuoteRequest with its post":          "quote_request",
	"Add to its own pins":                 "add",
	"Remove of a pin":                     "remove",
	"Leave":                               "leave",
	"Move: both say so":                   "move",
	"actor":                               "update_actor",
	"page":                                "update_page",
	"article":                             "article",
	"note about nothing":                  "note",
	"Undo of a Like":                      "undo_like",
	"Offer of an adaptation":              "offer",
	"Reject of our Follow by id":          "reject",
	"video of an account and its channel": "video",
}

// anyKey is a key of a test, which is another one each time.
var anyKey = regexp.MustCompile(`(BEGIN PUBLIC KEY-----\\n)[^"]*(\\n-----END)`)

// shown holds what was sent in a test against the example of FEDERATION.md.
func shown(t *testing.T, name, body string) {
	t.Helper()
	file, ok := accepted[name]
	if !ok {
		return
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(body), "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	pretty = *bytes.NewBuffer(anyKey.ReplaceAll(pretty.Bytes(), []byte("$1…$2")))
	path := filepath.Join("testdata", "accepted", file+".json")
	if *updateAccepted {
		if err := os.WriteFile(path, pretty.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if pretty.String() != string(want) {
		t.Errorf("%s is not what is sent; run go test -run TestWhatAnActivityComesTo ./federation -update-accepted", path)
	}
}

func TestEveryAcceptedExampleIsSentByATest(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "accepted", "*.json"))
	if err != nil || len(files) != len(accepted) {
		t.Errorf("%d examples, %v; %d are sent", len(files), err, len(accepted))
	}
}

// allTypes are the types of activities of ActivityStreams and what else is sent.
const allTypes = "Accept Activity Add Announce Arrive Block Create Delete Dislike EmojiReact Flag Follow Ignore IntransitiveActivity Invite Join Leave Like Listen Move Offer QuoteRequest Read Reject Remove TentativeAccept TentativeReject Travel Undo Update View"

// Every type that the ingester handles has an example, and a line in the table
// of FEDERATION.md; the page shows each example.
func TestFederationDocumentHasAnExampleOfEveryTypeThatIsHandled(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../FEDERATION.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## Activities accepted\n")
	table, _, ends := strings.Cut(section, "\n### ")
	if !found || !ends {
		t.Fatal("FEDERATION.md has no table of what is accepted")
	}
	examples := map[string]int{}
	for name, file := range accepted {
		path := "federation/testdata/accepted/" + file + ".json"
		if !strings.Contains(section, "<!-- "+path+" -->") {
			t.Errorf("FEDERATION.md does not show %s (%s)", path, name)
		}
		b, err := os.ReadFile(filepath.Join("testdata", "accepted", file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var a struct{ Type string }
		if err := json.Unmarshal(b, &a); err != nil {
			t.Fatal(err)
		}
		examples[a.Type]++
	}
	handled := 0
	for _, kind := range strings.Fields(allTypes) {
		row := apply(t, newNode(t), time.Millisecond, activity("https://peer.example/a/1", kind, alice, `{"id":"https://peer.example/x/1","type":"Note","actor":"`+alice+`"}`))
		if row.state == essaim.InboundUnknown {
			if examples[kind] > 0 {
				t.Errorf("%s is shown as accepted and is not handled", kind)
			}
			continue
		}
		handled++
		if examples[kind] == 0 {
			t.Errorf("%s is handled and has no example in testdata/accepted", kind)
		}
		if !regexp.MustCompile(`(?m)^\|[^|]*\b` + kind + `\b`).MatchString(table) {
			t.Errorf("the table of FEDERATION.md does not name %s", kind)
		}
	}
	if handled != 19 {
		t.Errorf("%d types are handled, want 19", handled)
	}
}
