// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim"
)

// What make convergence asks for, and make test leaves at these values: seeds from
// the first on, so many or, when none are said, for so long.
const (
	firstSeed   = 1
	shareOfTest = 3 * time.Minute
	leastSeeds  = 4 // in any time: on a machine that is busy the share takes longer
)

// rounds of a seed, of about an hour each.
const roundsOfSeed = 10

// TestNodesConverge runs seeds. CONVERGENCE_SEEDS says how many, CONVERGENCE_SEED_START from
// which one on, CONVERGENCE_SECONDS for how long; CONVERGENCE_SEED alone runs that one.
func TestNodesConverge(t *testing.T) {
	p := newPlan(t)
	fmt.Printf("convergence: seed %d\n", p.first)
	start := time.Now()
	t.Run("seeds", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for seed, more := p.next(); more; seed, more = p.next() {
					t.Run(fmt.Sprint(seed), func(t *testing.T) { p.run(t, seed) })
				}
			})
		}
	})
	p.report(t, time.Since(start))
}

// plan is which seeds run, and what they came to.
type plan struct {
	first uint64
	count int
	until time.Time

	mu               sync.Mutex
	begun, failed    int
	faults, mended   map[string]int
	reading, resting reading
}

func newPlan(t *testing.T) *plan {
	t.Helper()
	number := func(name string) int {
		v := os.Getenv(name)
		if v == "" {
			return 0
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			t.Fatalf("%s=%s: not a number", name, v)
		}
		return n
	}
	p := &plan{first: uint64(cmp.Or(number("CONVERGENCE_SEED"), number("CONVERGENCE_SEED_START"), firstSeed)), count: number("CONVERGENCE_SEEDS"), faults: map[string]int{}, mended: map[string]int{}}
	share := time.Duration(number("CONVERGENCE_SECONDS")) * time.Second
	switch {
	case p.count == 0 && share == 0 && os.Getenv("CONVERGENCE_SEED") != "":
		p.count = 1
	case p.count == 0 && testing.Short():
		p.count = 1
	case p.count == 0:
		p.until = time.Now().Add(cmp.Or(share, shareOfTest))
	}
	return p
}

// next is the seed to run now.
func (p *plan) next() (seed uint64, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count > 0 && p.begun == p.count || p.count == 0 && p.begun >= leastSeeds && time.Now().After(p.until) {
		return 0, false
	}
	p.begun++
	return p.first + uint64(p.begun) - 1, true
}

// run runs one seed to its end.
func (p *plan) run(t *testing.T, seed uint64) {
	w := newWorld(t, seed)
	defer func() {
		if t.Failed() {
			t.Logf("again: make convergence SEED=%d\n%s", seed, w.told())
		}
		p.take(w, t.Failed())
	}()
	w.stock()
	w.mesh()
	w.rounds(roundsOfSeed)
	w.calm()
	w.judge()
}

func (p *plan) take(w *world, failed bool) {
	all, mended := w.tally()
	p.mu.Lock()
	defer p.mu.Unlock()
	if failed {
		p.failed++
	}
	for kind := range all {
		p.faults[kind] += all[kind]
		p.mended[kind] += mended[kind]
	}
	p.reading = p.reading.plus(w.reading)
	p.resting = p.resting.plus(w.resting)
}

// report prints the figures of docs/RELIABILITY.md.
func (p *plan) report(t *testing.T, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	faults, mended := 0, 0
	for _, kind := range slices.Sorted(maps.Keys(p.faults)) {
		fmt.Printf("%-10s %6d faults, %6d caused a repair\n", kind, p.faults[kind], p.mended[kind])
		faults, mended = faults+p.faults[kind], mended+p.mended[kind]
	}
	fmt.Printf("%-10s %6d faults, %6d caused a repair\n", "all", faults, mended)
	r := p.reading
	if r.repairs > 0 {
		fmt.Printf("reading    %6d differences mended, with %.1f requests and %.0f bytes each\n", r.repairs, float64(r.requests)/float64(r.repairs), float64(r.bytes)/float64(r.repairs))
	}
	if e := p.resting; p.begun > 0 {
		fmt.Printf("at rest    %.0f requests, %.0f bytes for twenty pairs, each read twice and compared once\n", float64(e.requests)/float64(p.begun), float64(e.bytes)/float64(p.begun))
	}
	fmt.Printf("%d passed, %d failed\nconvergence: seeds %d to %d, %s\n", p.begun-p.failed, p.failed, p.first, p.first+uint64(p.begun)-1, took.Round(100*time.Millisecond))
	if p.begun == 0 {
		t.Error("no seed ran")
	}
	if p.begun-p.failed < leastSeeds {
		return // a kind may be missing from few
	}
	if mended*100 < faults*leastMended {
		t.Errorf("%d of %d faults caused a repair, fewer than %d %%", mended, faults, leastMended)
	}
	for kind, least := range leastFaults {
		if p.faults[kind]*10 < least*p.begun {
			t.Errorf("%d faults %q in %d seeds, want %d in ten", p.faults[kind], kind, p.begun, least)
		}
	}
}

// leastFaults is how many of each kind must befall in ten seeds: a kind that no longer
// comes shows nothing. Half of what befalls.
var leastFaults = map[string]int{"lost": 250, "reset": 20, "damage": 60, "death": 14, "partition": 10, "restore": 5}

// judge compares what all nodes hold with each other and with the model, and asks
// what the faults were good for.
func (w *world) judge() {
	if wrong := w.wrong(); len(wrong) > 0 {
		w.t.Errorf("%d are wrong:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 8)], "\n"))
	}
	if err := w.harmless(); err != nil {
		w.t.Error(err)
	}
}

// wrong lists where a node does not hold what an origin does, or acknowledged.
func (w *world) wrong() (list []string) {
	for _, of := range w.nodes {
		want := w.model.wants(of)
		own, err := of.dump(w.ctx, of.host)
		w.must(err)
		for _, n := range w.nodes {
			d, err := n.dump(w.ctx, of.host)
			w.must(err)
			for _, it := range disagrees(d, want) {
				list = append(list, fmt.Sprintf("at %s: %s", n.host, it))
			}
			for _, id := range differences(own, d) {
				list = append(list, fmt.Sprintf("%s and %s differ in %s: %s", of.host, n.host, id, own[id].against(d[id])))
			}
		}
	}
	return list
}

// harmless says so when too few of a seed's faults caused a repair, or none befell.
func (w *world) harmless() error {
	all, mended := w.tally()
	faults, repaired := 0, 0
	for kind := range all {
		faults, repaired = faults+all[kind], repaired+mended[kind]
	}
	switch {
	case w.made == 0 || faults == 0:
		return fmt.Errorf("%d records, %d faults: nothing is shown", w.made, faults)
	case repaired*100 < faults*leastOfSeed:
		return fmt.Errorf("%d of %d faults caused a repair, fewer than %d %%: %v of %v\n%s", repaired, faults, leastOfSeed, mended, all, w.idle())
	}
	return nil
}

// How many of a hundred faults must have caused a repair: a rig whose faults harm
// nothing shows nothing. A seed whose history edits what was lost again and again
// has its later pushes make good as much as a fifth, so that each is held to less
// than all of them together.
const (
	leastMended = 80 // of all seeds together
	leastOfSeed = 65
)

// The rig itself is to be believed: what differs is seen, and faults without
// effect are.
func TestTheRigSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	w.mesh()
	brest, toulouse := w.node("brest.example"), w.node("toulouse.example")
	id, kept := w.create(brest), w.create(brest)
	w.edit(brest, id) // an older version may take its place
	w.exchange()
	w.pass(30 * time.Hour)
	if wrong := w.wrong(); len(wrong) > 0 {
		t.Fatalf("before anything: %v", wrong)
	}
	if w.harmless() == nil {
		t.Error("a history without faults is taken for one")
	}
	w.befell("damage", "nothing", &watch{at: toulouse.host, of: brest.host, id: id, over: true})
	if w.harmless() == nil {
		t.Error("a fault without effect is taken for one with")
	}
	done := 0
	harm := func() {
		for _, at := range []*node{toulouse, brest} {
			for _, h := range harms {
				do := h.do(id, w.model.of(brest.host).records[id])
				if len(do) == 0 || at == brest && !h.own {
					continue
				}
				done++
				w.must(at.damage(w.ctx, do...))
				if len(w.wrong()) == 0 {
					t.Errorf("at %s %s, and nothing is wrong", at.host, h.name)
				}
				w.pass(30 * time.Hour)
				if wrong := w.wrong(); len(wrong) > 0 {
					t.Fatalf("at %s %s, and it is not mended: %v", at.host, h.name, wrong)
				}
			}
		}
	}
	harm()
	w.withdraw(brest, id)
	w.pass(30 * time.Hour)
	harm()
	// What befalls records, then tombstones; one befalls both, six origins too.
	if want := len(harms) + 1 + 6; done != want {
		t.Errorf("%d harms done, want %d", done, want)
	}
	fact := w.model.of(brest.host).records[kept]
	acknowledged := fact.content
	for name, otherwise := range map[string]func(c *essaim.Content){
		"title":   func(c *essaim.Content) { c.Title = "Autre" },
		"text":    func(c *essaim.Content) { c.Text += " Encore." },
		"themes":  func(c *essaim.Content) { c.Themes = []string{"jardins"} },
		"places":  func(c *essaim.Content) { c.Places = []essaim.Place{{Label: "Ailleurs", INSEE: "29232"}} },
		"licence": func(c *essaim.Content) { c.Licence = "cc0-1.0" },
		"body":    func(c *essaim.Content) { c.Body = &essaim.Initiative{Need: "autre chose"} },
		"links":   func(c *essaim.Content) { c.Links = []essaim.Link{{URL: "https://ailleurs.example/"}} },
	} {
		fact.content = acknowledged
		otherwise(&fact.content)
		if len(w.wrong()) != len(w.nodes) {
			t.Errorf("%s: the model says something else, and what is wrong is %v", name, w.wrong())
		}
	}
	fact.content = acknowledged
	if wrong := w.wrong(); len(wrong) > 0 {
		t.Errorf("the model says again what was acknowledged, and wrong is %v", wrong)
	}
}

// A seed that failed fails again: history, faults and what is held in the end
// follow from it.
func TestASeedIsReplayed(t *testing.T) {
	t.Parallel()
	var told [2]string
	for i := range told {
		t.Run("", func(t *testing.T) {
			w := newWorld(t, 3)
			w.mesh()
			w.rounds(3)
			w.calm()
			slices.Sort(w.history)
			told[i] = w.told()
			for _, n := range w.nodes {
				d, err := n.dump(w.ctx, n.host)
				w.must(err)
				told[i] += d.text()
			}
		})
	}
	if told[0] != told[1] {
		t.Errorf("the same seed told\n%s\nand then\n%s", told[0], told[1])
	}
}
