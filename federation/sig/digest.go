// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
)

// checkDigest compares the Digest headers (RFC 3230 4.3.2) with the body. Of
// the algorithms it knows, SHA-256 and SHA-512, there must be one and every one
// must match.
func checkDigest(h http.Header, body []byte) error {
	known := 0
	for _, line := range h.Values("Digest") {
		if len(line) > maxHeader {
			return refuse("header too long")
		}
		for item := range strings.SplitSeq(line, ",") {
			algorithm, value, ok := strings.Cut(strings.TrimSpace(item), "=")
			if !ok {
				return refuse("malformed Digest")
			}
			var want []byte
			switch strings.ToUpper(algorithm) {
			case "SHA-256":
				sum := sha256.Sum256(body)
				want = sum[:]
			case "SHA-512":
				sum := sha512.Sum512(body)
				want = sum[:]
			default:
				continue
			}
			known++
			got, err := base64.StdEncoding.DecodeString(value)
			if err != nil || subtle.ConstantTimeCompare(got, want) != 1 {
				return refuse("body is not the one digested")
			}
		}
	}
	if known == 0 {
		return refuse("no SHA-256 digest")
	}
	return nil
}
