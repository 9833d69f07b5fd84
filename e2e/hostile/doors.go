// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// doorSpecials are items that knock at another door here: a reader's own server is
// named in the form of /suivre, and what moderators and administrators do goes
// through the API and the commands.
func doorSpecials() map[string]special {
	return map[string]special{
		"SSRF-048": {send: ledInside, after: nothingInside},
		"WEB-017":  {send: ledToScript},
		"WEB-027":  {send: unauthorized},
	}
}

// leads asks the node to lead a reader to the server that she typed.
func (t *trial) leads(typed string) (*answer, error) {
	body := url.Values{"compte": {typed}}.Encode()
	return t.world.send(t.ctx, &request{
		method: http.MethodPost, target: "/suivre" + t.names["ALICE"][strings.LastIndexByte(t.names["ALICE"], '/'):], body: strings.NewReader(body), size: int64(len(body)),
		header: [][2]string{{"Host", "node.test"}, {"Content-Type", "application/x-www-form-urlencoded"}, {"Origin", t.node.URL}},
	})
}

// ledInside names addresses of this machine until the node has enough of it.
func ledInside(t *trial) (int, error) {
	inside := []string{"http://127.0.0.1:5432/", "https://127.0.0.1:5432/", "@x@127.0.0.1:5432", "127.0.0.1:5432", "x@[::1]:5432", "@x@localhost:5432", "https://internal.test:5432/u/x", "x@metadata.test"}
	for i := range 20 {
		typed := inside[i%len(inside)]
		got, err := t.leads(typed)
		switch {
		case err != nil:
			return 0, err
		case got.status == http.StatusTooManyRequests && i >= len(inside):
			return 0, nil
		case !t.item.expects(got.status) || got.header.Get("Location") != "":
			return 0, fmt.Errorf("%s: %d, to %q", typed, got.status, got.header.Get("Location"))
		}
	}
	return 0, errors.New("a reader asks as often as she likes")
}

// script is an address that runs what it holds, where a page would follow it.
var script = regexp.MustCompile(`(?i)(href|src|action|content|url)\s*=\s*["']?[^"'>]*(javascript|data|vbscript):`)

func ledToScript(t *trial) (int, error) {
	for _, typed := range []string{"javascript:alert(1)", "JaVaScRiPt://evil.test/%0aalert(1)", "data:text/html,<script>alert(1)</script>", "x@javascript:alert(1)", "vbscript:x"} {
		got, err := t.leads(typed)
		switch {
		case err != nil:
			return 0, err
		case !t.item.expects(got.status):
			return got.status, nil
		case got.header.Get("Location") != "" || script.Match(got.body):
			return 0, fmt.Errorf("%s is followed: %q, %.300s", typed, got.header.Get("Location"), script.Find(got.body))
		}
	}
	return 0, nil
}

// unauthorized walks the API as nobody, as who may write and not moderate, and as
// one whose account is shut: nobody reads or decides what is for moderators, and
// only a token writes, save a report.
func unauthorized(t *trial) (int, error) {
	account := func(email, role string) (string, error) {
		if _, err := t.node.Run(t.ctx, "user", "add", "--data", t.node.Dir, "--email", email, "--role", role); err != nil {
			return "", err
		}
		token, err := t.node.TokenOf(t.ctx, email)
		if err != nil {
			return "", err
		}
		t.mail.secrets = append(t.mail.secrets, token)
		return "Bearer " + token, nil
	}
	writer, err := account("writer@node.test", "contributeur")
	if err != nil {
		return 0, err
	}
	shut, err := account("shut@node.test", "admin")
	if err != nil {
		return 0, err
	}
	if err := t.command("user", "disable", "shut@node.test"); err != nil {
		return 0, err
	}
	described, err := t.asked("/api/v1/openapi.json")
	if err != nil {
		return 0, err
	}
	var api struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(described.body, &api); err != nil {
		return 0, err
	}
	tried := 0
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		moderation := strings.HasPrefix(path, "/api/v1/moderation")
		for method := range api.Paths[path] {
			method = strings.ToUpper(method)
			if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}, method) ||
				method == http.MethodGet && !moderation || path == "/api/v1/reports" {
				continue
			}
			for who, authorization := range map[string]string{"nobody": "", "a writer": writer, "an account that is shut": shut} {
				if who == "a writer" && !moderation {
					continue // may write
				}
				tried++
				q := &request{method: method, target: regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "1"), header: [][2]string{{"Host", "node.test"}, {"Content-Type", "application/json"}}}
				if authorization != "" {
					q.set("Authorization", authorization)
				}
				if method != http.MethodGet {
					q.body, q.size = strings.NewReader("{}"), 2
				}
				got, err := t.world.send(t.ctx, q)
				if err != nil {
					return 0, err
				}
				if !t.item.expects(got.status) {
					return 0, fmt.Errorf("%s %s by %s: %d %.200s", method, q.target, who, got.status, got.body)
				}
			}
		}
	}
	if tried < 30 {
		return 0, fmt.Errorf("only %d requests: is the API described?", tried)
	}
	return 0, nil
}
