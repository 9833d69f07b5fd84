// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"essaim/e2e/rig"
)

const (
	costlyEach = 10                     // inputs of a kind
	costlyCPU  = 100 * time.Millisecond // of the node, for one of 100 kB at most
)

// costly is a kind of input that is made to take time: the rest of a reply, in
// JSON, or headers.
type costly struct {
	name, rest string
	header     func(http.Header)
}

func costlies() []costly {
	times := strings.Repeat
	content := func(s string) string { return `"content":"` + s + `"` }
	all := []costly{
		{name: "a number of 100,000 digits", rest: `"essaim:revision":` + times("9", 100_000)},
		{name: "a fraction of 100,000 digits", rest: `"latitude":0.` + times("3", 100_000)},
		{name: "6,000 numbers with huge exponents", rest: `"x":[` + times("1e999999999,-7e-99999999,", 3000) + "0]"},
		{name: "50,000 arrays in each other", rest: `"x":` + times("[", 50_000) + times("]", 50_000)},
		{name: "15,000 objects in each other", rest: `"x":` + times(`{"a":`, 15_000) + "1" + times("}", 15_000)},
		{name: "the same key 10,000 times", rest: times(`"name":"x",`, 10_000) + `"summary":""`},
		{name: "an escaped text of 15,000 letters", rest: content(times(`\u003c`, 15_000))},
		{name: "20,000 open elements", rest: content(times("<b>", 20_000))},
		{name: "10,000 quotes in each other", rest: content(times("<blockquote>", 8_000) + times("</blockquote>", 8_000))},
		{name: "100,000 signs that open an element", rest: content(times("<", 100_000))},
		{name: "attributes without end", rest: content("<a " + times("href=x ", 14_000))},
		{name: "100,000 signs that open an entity", rest: content(times("&", 100_000))},
		{name: "10,000 mentions", rest: content(times("@a@b.example ", 8_000))},
		{name: "100,000 signs that begin a mention", rest: content(times("@", 100_000))},
		{name: "what is nearly an e-mail address", rest: content(times("a.", 25_000) + "@" + times("a-", 25_000))},
		{name: "what is nearly a telephone number", rest: content(times("06 06.06-", 11_000))},
		{name: "50,000 combining marks", rest: content("e" + times("\u0301", 50_000))},
		{name: "a date with 100,000 digits", rest: `"updated":"2026-01-01T00:00:00.` + times("1", 100_000) + `Z"`},
		{name: "an address with 50,000 dots", rest: `"url":"https://` + times("a.", 50_000) + `example/"`},
		{name: "an address with 30,000 escapes", rest: `"url":"https://a.example/` + times("%2e", 30_000) + `"`},
		{name: "100 signatures", header: func(h http.Header) {
			for range 100 {
				h.Add("Signature", h.Get("Signature"))
			}
		}},
		{name: "a signature with 2,000 parameters", header: func(h http.Header) {
			h.Set("Signature", h.Get("Signature")+times(`,x="y"`, 2000))
		}},
		{name: "a signature over 5,000 headers", header: func(h http.Header) {
			h.Set("Signature", strings.Replace(h.Get("Signature"), `headers="`, `headers="`+times("x-a ", 5000), 1))
		}},
		{name: "500 signatures of the other kind", header: func(h http.Header) {
			var input, sig []string
			for i := range 500 {
				input = append(input, fmt.Sprintf(`s%d=("@method" "@target-uri");keyid="x"`, i))
				sig = append(sig, fmt.Sprintf("s%d=:AAAA:", i))
			}
			h.Set("Signature-Input", strings.Join(input, ", "))
			h.Set("Signature", strings.Join(sig, ", "))
		}},
	}
	var many, tags []string
	for i := range 3000 {
		many = append(many, fmt.Sprintf(`"https://a.example/u/%d"`, i))
		tags = append(tags, fmt.Sprintf(`{"type":"Mention","href":"https://a.example/%d"}`, i))
	}
	keys := make([]string, 8000)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"k%d":0`, i)
	}
	return append(all,
		costly{name: "3,000 receivers", rest: `"cc":[` + strings.Join(many, ",") + "]"},
		costly{name: "3,000 tags", rest: `"tag":[` + strings.Join(tags, ",") + "]"},
		costly{name: "8,000 keys", rest: strings.Join(keys, ",")})
}

// reply is a reply to a record, with more in it.
func (c costly) reply(p *rig.Peer, actor, target string, i int) []byte {
	id := fmt.Sprintf("%s/activities/costly-%d", p.URL, i)
	rest := c.rest
	if rest == "" {
		rest = `"content":"<p>Bonjour</p>"`
	}
	return fmt.Appendf(nil, `{"@context":"%s","id":"%s","type":"Create","actor":"%s","to":["%s"],"object":{"id":"%s/note","type":"Note","attributedTo":"%s","inReplyTo":"%s","to":["%s"],"published":"2026-01-01T00:00:00Z",%s}}`,
		rig.ASContext, id, actor, rig.Public, id, actor, target, rig.Public, rest)
}

// spend sends inputs that are made to take time, and then the same among honest
// ones (P8).
func (r *run) spend(node *rig.Node, honest *asker, alone time.Duration) error {
	var worst time.Duration
	var of string
	before, err := node.Metric(r.ctx, "essaim_inbox_waiting") // for another try
	if err != nil {
		return err
	}
	kinds := append([]costly{{name: "a plain reply"}}, costlies()...)
	peers := make([]*rig.Peer, len(kinds))
	for k, c := range kinds {
		// Each from a host of its own: none is told to wait for what others sent.
		p, err := rig.NewPeer(nil)
		if err != nil {
			return err
		}
		defer p.Close()
		peers[k] = p
		began, err := node.CPU()
		if err != nil {
			return err
		}
		for i := range costlyEach {
			if err := r.shootCostly(node, p, c, honest.target, i); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		ended, err := r.settled(node, before)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		took := (ended - began) / costlyEach
		switch {
		case k == 0:
			r.Figure(r.db+"_cpu_of_a_plain_reply", ms(took), "ms")
		case took > worst:
			worst, of = took, c.name
		}
	}
	r.Figure(r.db+"_cpu_of_the_costliest_input", ms(worst), "ms: "+of)
	for k, c := range kinds {
		if err := r.shootCostly(node, peers[k], c, honest.target, costlyEach); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		for range neighbours {
			if err := honest.ask(); err != nil {
				return fmt.Errorf("honest, beside %s: %w", c.name, err)
			}
		}
	}
	took, err := honest.answers()
	if err != nil {
		return err
	}
	p99 := percentile(took, 0.99)
	r.Figure(r.db+"_follow_to_accept_beside_costly_p99", ms(p99), "ms")
	switch {
	case worst > costlyCPU:
		return fmt.Errorf("%s took %s of CPU each", of, worst)
	case p99 > alone+addedDelay:
		return fmt.Errorf("neighbours wait %s at the 99th percentile, %s alone", p99, alone)
	}
	return nil
}

// shootCostly sends one input of a kind, which must be looked at: 429 says that it
// was not.
func (r *run) shootCostly(node *rig.Node, p *rig.Peer, c costly, target string, i int) error {
	actor := p.Actor("h1")
	body := c.reply(p, actor, target, i)
	req, err := http.NewRequestWithContext(r.ctx, http.MethodPost, node.URL+"/inbox", bytes.NewReader(body))
	if err != nil {
		return err
	}
	if err := p.Sign(req, actor, body); err != nil {
		return err
	}
	if c.header != nil {
		c.header(req.Header)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	switch {
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("answered %d", resp.StatusCode)
	case c.rest == "" && c.header == nil && resp.StatusCode/100 != 2:
		return fmt.Errorf("what is plain is answered %d", resp.StatusCode)
	}
	return nil
}

// settled waits until the node has nothing to do but what waited before, and gives
// what it used until then.
func (r *run) settled(node *rig.Node, before float64) (time.Duration, error) {
	var last time.Duration
	err := rig.Eventually(30*time.Second, func() error {
		waiting, err := node.Metric(r.ctx, "essaim_inbox_waiting")
		if err != nil {
			return err
		}
		now, err := node.CPU()
		was := last
		last = now
		switch {
		case err != nil:
			return err
		case waiting > before:
			return fmt.Errorf("%v activities wait", waiting)
		case now-was > 20*time.Millisecond:
			return errors.New("the node is busy")
		}
		return nil
	})
	return last, err
}
