// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var updateAccepted = flag.Bool("update-accepted", false, "write testdata/accepted again")

// accepted are the cases of TestWhatAnActivityComesTo that FEDERATION.md shows,
// each by the file that holds it.
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
	"Reject of our Follow by id":          "reject",
	"video of an account and its channel": "video",
}

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
