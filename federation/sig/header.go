// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"essaim"
)

// maxHeader is the longest signature header read, in bytes.
const maxHeader = 8 << 10

// params are the parameters of a draft-cavage Signature header.
type params struct {
	keyID     essaim.IRI
	algorithm string // lower case; empty when absent
	covered   []string
	created   time.Time
	expires   time.Time
	signature string // base64, as written
}

// parseHeader reads a Signature header (draft-cavage-12 4.1). Unlike the
// library's reader it takes ", " between parameters, and refuses a repeated
// one, whose values others read differently.
func parseHeader(s string) (params, error) {
	var p params
	if len(s) > maxHeader {
		return p, refuse("header too long")
	}
	seen := make(map[string]string, 6)
	for rest := strings.TrimSpace(s); ; {
		name, value, tail, ok := cutParam(rest)
		if !ok {
			return p, refuse("malformed header")
		}
		if _, repeated := seen[name]; repeated {
			return p, refuse("repeated parameter")
		}
		seen[name] = value
		if tail == "" {
			break
		}
		if rest = strings.TrimLeft(tail[1:], " "); tail[0] != ',' {
			return p, refuse("malformed header")
		}
	}
	var err error
	if p.keyID, err = essaim.ParseIRI(seen["keyId"]); err != nil {
		return p, refuse("keyId is not an address")
	}
	p.signature = seen["signature"]
	if raw, err := base64.StdEncoding.DecodeString(p.signature); err != nil || len(raw) == 0 || len(raw) > 1024 {
		return p, refuse("signature is not base64")
	}
	p.algorithm = strings.ToLower(seen["algorithm"])
	if p.covered, err = parseCovered(seen["headers"]); err != nil {
		return p, err
	}
	if p.created, err = parseUnix(seen["created"]); err != nil {
		return p, err
	}
	p.expires, err = parseUnix(seen["expires"])
	return p, err
}

// cutParam takes name=value or name="value" off the front.
func cutParam(s string) (name, value, tail string, ok bool) {
	name, s, ok = strings.Cut(s, "=")
	if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return "", "", "", false
	}
	if strings.HasPrefix(s, `"`) {
		value, tail, ok = strings.Cut(s[1:], `"`)
	} else {
		end := strings.IndexAny(s, ", ")
		if end < 0 {
			end = len(s)
		}
		value, tail = s[:end], s[end:]
		ok = value != "" && strings.Trim(value, "0123456789") == ""
	}
	for i := range len(value) {
		// A keyId may name its host in other letters than ASCII.
		if value[i] < ' ' || value[i] == 0x7f || value[i] == '\\' || value[i] >= utf8.RuneSelf && name != "keyId" {
			return "", "", "", false
		}
	}
	return name, value, strings.TrimLeft(tail, " "), ok
}

func parseCovered(s string) ([]string, error) {
	if s == "" {
		return nil, refuse("covers no header")
	}
	list := strings.Split(strings.ToLower(s), " ")
	if len(list) > 32 {
		return nil, refuse("covers too many headers")
	}
	for i, name := range list {
		if name == "" || strings.ContainsAny(name, ":\",") {
			return nil, refuse("malformed list of headers")
		}
		for _, other := range list[:i] {
			if other == name {
				return nil, refuse("covers a header twice")
			}
		}
	}
	return list, nil
}

func parseUnix(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n > 1<<36 {
		return time.Time{}, refuse("malformed time")
	}
	return time.Unix(n, 0), nil
}
