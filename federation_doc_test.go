// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the examples of FEDERATION.md")

// example is a comment that names a golden file, then the file in a fence.
var example = regexp.MustCompile("(?s)<!-- (\\S+\\.json) -->\n```json\n(.*?)```")

func TestFederationDocumentShowsWhatTheTestsProduce(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("FEDERATION.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	found := example.FindAllStringSubmatch(doc, -1)
	if len(found) < 6 {
		t.Fatalf("%d examples in FEDERATION.md", len(found))
	}
	for _, m := range found {
		golden, err := os.ReadFile(m[1])
		if err != nil {
			t.Fatal(err)
		}
		want := strings.TrimRight(string(golden), "\n") + "\n"
		if m[2] == want {
			continue
		}
		if !*update {
			t.Errorf("the example of %s is not the golden file; run go test -run TestFederationDocument . -update", m[1])
		}
		doc = strings.Replace(doc, m[0], "<!-- "+m[1]+" -->\n```json\n"+want+"```", 1)
	}
	if *update {
		if err := os.WriteFile("FEDERATION.md", []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
