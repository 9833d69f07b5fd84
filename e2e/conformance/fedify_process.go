// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"essaim/e2e/rig"
)

// fedify is a running e2e/fedify/peer.js.
type fedify struct {
	w   *world
	URL string

	mu       sync.Mutex
	in       io.Writer
	serial   int
	answers  map[int]chan commanded
	received []inspected
}

// commanded is an answer of the peer.
type commanded struct {
	ID       int             `json:"id"`
	Result   json.RawMessage `json:"result"`
	Error    string          `json:"error"`
	Received *inspected      `json:"received"`
}

// inspected is what the peer says of a delivery: what Fedify's verification
// found, and, on another line, what its inbox made of it.
type inspected struct {
	ID        string `json:"id"`
	Signed    bool   `json:"signed"`
	Signature string `json:"signature"`
	Reason    any    `json:"reason"`
	Proved    any    `json:"proved"` // true, false or why not
	Signing   string `json:"signedType"`

	Type    string `json:"type"`
	Actor   string `json:"actor"`
	Object  string `json:"object"`
	Name    string `json:"name"`
	Summary string `json:"summary"`
	Error   string `json:"error"`
}

// startFedify runs the peer on a loopback address of its own.
func (w *world) startFedify() (*fedify, error) {
	cmd, err := w.node22("peer.js", w.ca.CertFile, w.ca.KeyFile, "127.0.0.20")
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() }) // it ends with its input
	f := &fedify{w: w, in: in, answers: map[int]chan commanded{0: make(chan commanded, 1)}}
	go f.read(out)
	select {
	case a := <-f.answers[0]:
		return f, json.Unmarshal(a.Result, &f.URL)
	case <-time.After(30 * time.Second):
		return nil, errors.New("the Fedify peer does not start")
	}
}

func (f *fedify) read(out io.Reader) {
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 4<<20)
	for sc.Scan() {
		var line commanded
		if json.Unmarshal(sc.Bytes(), &line) != nil {
			fmt.Fprintf(os.Stderr, "fedify: %s\n", sc.Bytes())
			continue
		}
		f.mu.Lock()
		if line.Received != nil {
			f.received = append(f.received, *line.Received)
		} else if c := f.answers[line.ID]; c != nil {
			c <- line
		}
		f.mu.Unlock()
	}
}

// args are what a command is told.
type args map[string]any

// do runs a command and reads its result into out, unless nil.
func (f *fedify) do(command string, a args, out any) error {
	f.mu.Lock()
	f.serial++
	c := make(chan commanded, 1)
	f.answers[f.serial] = c
	line := args{"id": f.serial, "do": command}
	for k, v := range a {
		line[k] = v
	}
	_, err := f.in.Write(append(encode(line), '\n'))
	f.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case got := <-c:
		switch {
		case got.Error != "":
			return fmt.Errorf("fedify %s: %.400s", command, got.Error)
		case out == nil:
			return nil
		}
		return json.Unmarshal(got.Result, out)
	case <-time.After(30 * time.Second):
		return fmt.Errorf("fedify %s: no answer", command)
	}
}

// must runs a command whose result is an id, and asserts that it worked.
func (f *fedify) must(j *judge, command string, a args) (id string) {
	j.no(f.do(command, a, &id))
	return id
}

// got waits for what satisfies a condition among what was received.
func (f *fedify) got(j *judge, what string, want func(i inspected) bool) inspected {
	var found inspected
	j.soon(f.w.patience, func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		i := slices.IndexFunc(f.received, want)
		if i < 0 {
			return fmt.Errorf("%s never came to Fedify: %d lines, the last %+v", what, len(f.received), f.received[max(0, len(f.received)-1):])
		}
		found = f.received[i]
		return nil
	})
	return found
}

// verified waits for a delivery and asserts that Fedify verified its signature,
// of the kind given, and its proof, and took it.
func (f *fedify) verified(j *judge, kind, object, signature string) inspected {
	taken := f.got(j, kind+" of "+object, func(i inspected) bool { return i.Type == kind && i.Object == object })
	signed := f.got(j, "the signature of "+taken.ID, func(i inspected) bool { return i.Signing == kind && i.ID == taken.ID && i.Signed })
	same(j, kind+": signature", signed.Signature, signature)
	j.that(signed.Proved == true, "%s: Fedify's verdict on the proof: %v", kind, signed.Proved)
	return taken
}

// read is an object or actor as Fedify reads it.
type read struct {
	ID, Kind, Name, Username, Summary, Content, URL, Author string
	Published, Updated                                      string
	Outbox                                                  int
	Pictures                                                []struct{ URL, Alt string }
	Hashtags                                                []string
}

// lookup pastes a handle or an address into the peer's search.
func (f *fedify) lookup(j *judge, what string) (r read) {
	j.no(f.do("lookup", args{"what": what}, &r))
	return r
}

// followedBy is why the territory's followers are not so many.
func (w *world) followedBy(n int) error {
	return w.errTotal(text(w.document(w.territory), "followers"), n)
}

// item is a line of what is to be decided.
type item struct {
	N       int    `json:"n"`
	Kind    string `json:"kind"`
	Ref     string `json:"ref"`
	Actor   string `json:"actor"`
	Excerpt string `json:"excerpt"`
}

// items lists what is to be decided, or in another state.
func (w *world) items(state string) (rows []item, err error) {
	out, err := w.a.Run(w.ctx, "moderate", "list", "--data", w.a.Dir, "--json", "--state", state, "--limit", "100")
	if err != nil {
		return nil, err
	}
	return rows, json.Unmarshal([]byte(out), &rows)
}

// moderated waits for a comment among what is to be decided and decides.
func (w *world) moderated(comment, decision string) error {
	return rig.Eventually(w.patience, func() error {
		rows, err := w.items("held")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(r item) bool { return r.Ref == comment })
		if i < 0 {
			return fmt.Errorf("%s is not among the %d that wait", comment, len(rows))
		}
		_, err = w.a.Run(w.ctx, "moderate", decision, "--data", w.a.Dir, fmt.Sprint(rows[i].N))
		return err
	})
}
