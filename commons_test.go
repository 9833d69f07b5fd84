// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"essaim"
)

var updateVectors = flag.Bool("update-vectors", false, "write federation/testdata/commons.json again")

const vectorFile = "federation/testdata/commons.json"

// vector is a case of the digest tree that other implementations can be held to.
// Items i of 0..n-1 have the id and the digest made by line, in any order.
type vector struct {
	Name  string            `json:"name"`
	Items int               `json:"items"`
	Root  string            `json:"root"`
	Nodes map[string]string `json:"nodes,omitempty"` // by prefix, the larger cases' first level only
}

func line(i int) essaim.CommonsItem {
	sum := sha256.Sum256(fmt.Appendf(nil, "copy %d", i))
	return essaim.CommonsItem{ID: fmt.Sprintf("https://brest.example/objects/%d", i), Digest: hex.EncodeToString(sum[:])}
}

func lines(n int) []essaim.CommonsItem {
	list := make([]essaim.CommonsItem, n)
	for i := range list {
		list[i] = line(i)
	}
	return list
}

func TestDigestTreeIsThatOfTheVectors(t *testing.T) {
	t.Parallel()
	sizes := []int{0, 1, 2, 63, 64, 65, 66, 1000, 5000}
	var made []vector
	for _, n := range sizes {
		nodes := essaim.CommonsTree("", lines(n))
		v := vector{Name: fmt.Sprintf("%d items", n), Items: n, Root: nodes[""].Hash.String()}
		if n > essaim.CommonsLeaf {
			v.Nodes = map[string]string{}
			for prefix, node := range nodes {
				if len(prefix) == 1 {
					v.Nodes[prefix] = node.Hash.String()
				}
			}
		}
		made = append(made, v)
	}
	if *updateVectors {
		b, err := json.MarshalIndent(made, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var want []vector
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) != len(sizes) {
		t.Fatalf("%d vectors, want %d", len(want), len(sizes))
	}
	for i, w := range want {
		if made[i].Root != w.Root || len(made[i].Nodes) != len(w.Nodes) {
			t.Errorf("%s: root %s with %d nodes, want %s with %d", w.Name, made[i].Root, len(made[i].Nodes), w.Root, len(w.Nodes))
		}
		for prefix, hash := range w.Nodes {
			if made[i].Nodes[prefix] != hash {
				t.Errorf("%s: node %s is %s, want %s", w.Name, prefix, made[i].Nodes[prefix], hash)
			}
		}
	}
}

// slowTree is the design's sentences, word for word and without haste.
func slowTree(prefix string, items []essaim.CommonsItem) (sum [32]byte) {
	var in []essaim.CommonsItem
	for _, it := range items {
		if strings.HasPrefix(essaim.CommonsKey(it.ID), prefix) {
			in = append(in, it)
		}
	}
	if len(in) == 0 && prefix != "" {
		return sum
	}
	if len(in) <= 64 {
		slices.SortFunc(in, func(a, b essaim.CommonsItem) int {
			return strings.Compare(essaim.CommonsKey(a.ID), essaim.CommonsKey(b.ID))
		})
		text := "\x00"
		for _, it := range in {
			text += it.ID + "\n" + it.Digest + "\n"
		}
		return sha256.Sum256([]byte(text))
	}
	text := []byte{1}
	for _, c := range "0123456789abcdef" {
		child := slowTree(prefix+string(c), in)
		text = append(text, child[:]...)
	}
	return sha256.Sum256(text)
}

func TestDigestTreeDoesNotDependOnOrderAndIsAsDesigned(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 5, 64, 65, 700, 3000} {
		items := lines(n)
		slices.Reverse(items)
		nodes := essaim.CommonsTree("", items)
		for prefix, node := range nodes {
			if want := slowTree(prefix, items); node.Hash != want {
				t.Errorf("%d items: node %q is %s, want %x", n, prefix, node.Hash, want)
			}
		}
		if nodes[""].Count != n {
			t.Errorf("count %d, want %d", nodes[""].Count, n)
		}
	}
}

func TestEachChangeOfAnItemChangesTheRoot(t *testing.T) {
	t.Parallel()
	items := lines(300)
	root := essaim.CommonsTree("", items)[""].Hash
	for i := range items {
		other := slices.Clone(items)
		other[i].Digest = line(1000 + i).Digest
		missing := slices.Delete(slices.Clone(items), i, i+1)
		if essaim.CommonsTree("", other)[""].Hash == root || essaim.CommonsTree("", missing)[""].Hash == root {
			t.Fatalf("item %d does not count", i)
		}
	}
}

func TestCommonsNumbersCompareAsPairs(t *testing.T) {
	t.Parallel()
	ordered := []essaim.CommonsNumber{{}, {Incarnation: 1, N: 900}, {Incarnation: 2, N: 1}, {Incarnation: 2, N: 10}}
	for i, a := range ordered {
		back, err := essaim.ParseCommonsNumber(a.String())
		if err != nil || back != a {
			t.Errorf("%s reads as %s, %v", a, back, err)
		}
		for j, b := range ordered {
			if got := a.Compare(b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s against %s: %d", a, b, got)
			}
		}
	}
	for _, s := range []string{"", "1", "1.", ".1", "01.2", "1.+2", "1.-2", "1.2.3", " 1.2", "99999999999999999999.1"} {
		if c, err := essaim.ParseCommonsNumber(s); err == nil {
			t.Errorf("%q reads as %s", s, c)
		}
	}
}

func TestDigestsReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	d := essaim.Digest(sha256.Sum256([]byte("a")))
	if back, err := essaim.ParseDigest(d.String()); err != nil || back != d {
		t.Errorf("got %v, %v", back, err)
	}
	if back, err := essaim.ParseDigest(""); err != nil || back != (essaim.Digest{}) {
		t.Errorf("empty: %v, %v", back, err)
	}
	for _, s := range []string{"0", strings.ToUpper(d.String()), d.String() + "0", strings.Repeat("g", 64)} {
		if _, err := essaim.ParseDigest(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}
