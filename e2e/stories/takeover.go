// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// takeover: whoever gets the address of a territory harms nothing that others keep
// of it, and the true node comes back without anybody's click. Toulouse is on
// SQLite, Tourcoing and Brest are on PostgreSQL.
func (s *story) takeover() {
	t := &takeover{story: s.apart(), copies: map[string]map[string][]byte{}}
	s.Must("takeover: Brest, and Toulouse and Tourcoing that hold its records", t.begin)
	for n, back := range []struct {
		how  string
		come func() error
	}{
		{"with its key", func() error { return nil }},
		{"with a key that the one before introduces", t.rotate},
	} {
		s.Must(fmt.Sprintf("takeover %d: Brest stops, and a new node with other keys stands at its address", n+1), t.replace)
		s.Check("it sends Delete and Update for every record: both are kept, and nothing changes", t.attack)
		s.Check("nor when it is asked", t.asked)
		s.Check("the page of territories says that it is contested, and why", t.explained)
		s.Check("Brest is back "+back.how+": what it publishes is at the others without a click", func() error { return t.back(back.come) })
		s.Check("it is contested no more, and nothing of it changed", t.settled)
	}
	for _, n := range t.nodes {
		n.Stop()
	}
	t.impostor.Stop()
}

// followers keep what Brest publishes.
var followers = [...]string{"toulouse", "tourcoing"}

type takeover struct {
	*story
	impostor *rig.Node
	forger   *rig.Forger
	turn     int
	records  []rig.Listed
	copies   map[string]map[string][]byte // by node and id: the copy's bytes
}

func (t *takeover) begin() error {
	for _, name := range []string{"brest", "toulouse", "tourcoing"} {
		n, err := t.node(name, name, name != "toulouse")
		if err != nil {
			return err
		}
		t.nodes[name] = n
		if err := n.Init(t.ctx, strings.ToUpper(name[:1])+name[1:], perimeters[name]...); err != nil {
			return err
		}
		t.Cleanup(n.Kill)
		if err := n.Start(t.ctx); err != nil {
			return err
		}
	}
	brest := t.nodes["brest"]
	for i := range 8 {
		if err := t.publish(fmt.Sprintf("Une initiative de Brest, %d", i)); err != nil {
			return err
		}
	}
	for _, name := range followers {
		n := t.nodes[name]
		if _, err := n.Run(t.ctx, "peer", "follow", "--data", n.Dir, rig.Host(brest.URL)); err != nil {
			return err
		}
	}
	return t.keep()
}

// perimeters are where the territories are.
var perimeters = map[string][]string{
	"brest": {"--epci", "242900314"}, "toulouse": {"--epci", "243100518"}, "tourcoing": {"--insee", "59599"},
}

// node is one in a directory of its own; at an address of its own, or at that of
// another.
func (t *takeover) node(name, dir string, postgres bool) (*rig.Node, error) {
	n := &rig.Node{Bin: t.bin, Dir: filepath.Join(t.dir, "takeover-"+dir)}
	if known := t.nodes[name]; known != nil {
		n.URL = known.URL
	} else {
		port, err := rig.FreePort()
		if err != nil {
			return nil, err
		}
		n.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	}
	if postgres {
		var err error
		n.Database, err = rig.Postgres(t.Suite, "takeover_"+dir)
		return n, err
	}
	return n, nil
}

func (t *takeover) publish(title string) error {
	var made rig.Listed
	if err := t.nodes["brest"].API(t.ctx, http.MethodPost, "initiatives", initiative(title), &made); err != nil {
		return err
	}
	t.records = append(t.records, made)
	return nil
}

// keep waits until the followers hold all records, and notes the copies.
func (t *takeover) keep() error {
	for _, name := range followers {
		err := rig.Eventually(60*time.Second, func() error {
			held, err := t.held(name)
			if err == nil && len(held) != len(t.records) {
				err = fmt.Errorf("%s holds %d of %d records", name, len(held), len(t.records))
			}
			t.copies[name] = held
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// held are the copies of Brest's records at a node.
func (t *takeover) held(name string) (map[string][]byte, error) {
	rows, err := t.nodes[name].Records(t.ctx, "")
	if err != nil {
		return nil, err
	}
	copies := map[string][]byte{}
	for _, r := range rows {
		if r.Origin != rig.Host(t.nodes["brest"].URL) {
			continue
		}
		status, body, err := rig.Get(t.ctx, t.pageOf(name, r), rig.ActivityJSON)
		if err != nil {
			return nil, err
		}
		if status != http.StatusOK || !bytes.Contains(body, []byte(`"`+r.Title+`"`)) {
			return nil, fmt.Errorf("%s at %s: %d, titled %q in the list: %.200s", r.ID, name, status, r.Title, body)
		}
		copies[r.ID] = body
	}
	return copies, nil
}

// same asserts that the copies are what they were.
func (t *takeover) same() error {
	for _, name := range followers {
		now, err := t.held(name)
		if err != nil {
			return err
		}
		for id, was := range t.copies[name] {
			if !bytes.Equal(now[id], was) {
				return fmt.Errorf("%s at %s is not what it was: %.300s", id, name, now[id])
			}
		}
		if len(now) != len(t.copies[name]) {
			return fmt.Errorf("%s holds %d copies, had %d", name, len(now), len(t.copies[name]))
		}
	}
	return nil
}

func (t *takeover) replace() error {
	t.nodes["brest"].Stop()
	t.turn++
	n, err := t.node("brest", fmt.Sprintf("impostor-%d", t.turn), false)
	if err != nil {
		return err
	}
	t.impostor = n
	t.Cleanup(n.Kill)
	if err := n.Init(t.ctx, "Brest", perimeters["brest"]...); err != nil {
		return err
	}
	if t.forger, err = rig.NewForger(n.Dir); err != nil {
		return err
	}
	return n.Start(t.ctx)
}

// attack sends for each record, to each follower, its Delete and an Update, by the
// new node's keys.
func (t *takeover) attack() error {
	sent := 0
	for _, name := range followers {
		for _, r := range t.records {
			var doc map[string]any
			if err := json.Unmarshal(t.copies[name][r.ID], &doc); err != nil {
				return err
			}
			author, _ := doc["attributedTo"].(string)
			now := time.Now().UTC().Format(time.RFC3339)
			tombstone := map[string]any{"@context": doc["@context"], "id": r.ID, "type": "Tombstone", "attributedTo": author, "formerType": doc["type"], "deleted": now}
			revision, _ := doc["essaim:revision"].(float64)
			doc["name"], doc["updated"], doc["essaim:revision"] = "Détournée", now, revision+1000
			delete(doc, "nameMap")
			for verb, object := range map[string]map[string]any{"Delete": tombstone, "Update": doc} {
				signed, err := t.forger.Prove(object, author)
				if err != nil {
					return err
				}
				activity, err := t.forger.Prove(map[string]any{
					"@context": doc["@context"], "id": fmt.Sprintf("%s/activities/%s%d-%d", t.impostor.URL, verb, t.turn, sent), "type": verb,
					"actor": author, "to": []string{rig.Public}, "object": signed,
				}, author)
				if err != nil {
					return err
				}
				status, err := t.forger.Post(t.ctx, t.nodes[name].URL+"/inbox", author, activity)
				if err != nil || status != http.StatusAccepted {
					return fmt.Errorf("%s to %s: %d, %w", verb, name, status, err)
				}
				sent++
			}
		}
	}
	t.Figure("takeover_sent", sent, "")
	for _, name := range followers {
		err := rig.Eventually(time.Minute, func() error {
			p, err := t.peer(name)
			if err != nil {
				return err
			}
			if p.ContestedAt.IsZero() || p.Offered == p.Key || p.Key == "" {
				return fmt.Errorf("at %s it is not contested: %+v", name, p)
			}
			waits, err := t.waiting(name)
			if err == nil && waits > 0 {
				err = fmt.Errorf("%d activities wait at %s", waits, name)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return t.same()
}

// waiting is how many activities of Brest a node has to apply yet.
func (t *takeover) waiting(name string) (n int, err error) {
	node := t.nodes[name]
	out, err := node.Run(t.ctx, "queue", "list", "--data", node.Dir, "--json", "--state", "waiting", "--host", rig.Host(t.nodes["brest"].URL))
	if err != nil {
		return 0, err
	}
	var rows []struct{ ID string }
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		return 0, err
	}
	for _, r := range rows {
		if strings.HasPrefix(r.ID, "in:") {
			n++
		}
	}
	return n, nil
}

// asked makes the followers read from the new node and compare: it fails, and
// what they hold stays.
func (t *takeover) asked() error {
	if status, _, err := rig.Get(t.ctx, t.records[0].ID, rig.ActivityJSON); err != nil || status != http.StatusNotFound {
		return fmt.Errorf("the new node answers %d to what it does not have, %w", status, err)
	}
	for _, name := range followers {
		node := t.nodes[name]
		if out, err := node.Run(t.ctx, "peer", "sync", "--data", node.Dir, rig.Host(t.nodes["brest"].URL)); err == nil {
			return fmt.Errorf("%s takes the new node for Brest: %s", name, out)
		}
	}
	return t.same()
}

// known is a peer as the command line shows it.
type known struct {
	Host, Key   string
	Offered     string `json:"offeredKey"`
	ContestedAt time.Time
}

func (t *takeover) peer(name string) (known, error) {
	node := t.nodes[name]
	out, err := node.Run(t.ctx, "peer", "list", "--data", node.Dir, "--json")
	if err != nil {
		return known{}, err
	}
	var rows []known
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		return known{}, err
	}
	host := rig.Host(t.nodes["brest"].URL)
	i := slices.IndexFunc(rows, func(k known) bool { return k.Host == host })
	if i < 0 {
		return known{}, fmt.Errorf("%s does not know %s: %s", name, host, out)
	}
	return rows[i], nil
}

func (t *takeover) explained() error {
	for _, name := range followers {
		p, err := t.peer(name)
		if err != nil {
			return err
		}
		err = t.reads(t.nodes[name].URL+"/territoires", "Contesté", "présente une clé que la clé connue ici n'a pas annoncée", "Rien de ce qu'elle envoie n'est appliqué", p.Key, p.Offered)
		if err != nil {
			return err
		}
		if p.Offered != t.forger.Multikey {
			return fmt.Errorf("%s is said to show %s, it is %s", name, p.Offered, t.forger.Multikey)
		}
	}
	return nil
}
