// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// asciiHost gives the ASCII form of a host name written with other letters
// ("brеst.example" with a Cyrillic е is "xn--brst-w4d.example"), which names it
// for DNS and cannot be taken for another. Letters are those that all readers
// of names agree on: lower-case Latin, Greek and Cyrillic ones that no mapping
// changes (RFC 5892, UTS 46). Any other is refused.
func asciiHost(name string) (string, error) {
	if len(name) > 4*253 || !utf8.ValidString(name) {
		return "", fmt.Errorf("host: %w", ErrInvalid)
	}
	labels := strings.Split(name, ".")
	for i, label := range labels {
		plain := true
		for _, r := range label {
			if r >= utf8.RuneSelf {
				plain = false
				if !plainLetter(r) {
					return "", fmt.Errorf("host: letter %q: %w", r, ErrInvalid)
				}
			}
		}
		if !plain {
			// "--" in third place marks an encoding; there is one only.
			if len(label) > 3 && label[2:4] == "--" || label[0] == '-' || strings.HasSuffix(label, "-") {
				return "", fmt.Errorf("host: %w", ErrInvalid)
			}
			labels[i] = "xn--" + punycode(label)
		}
	}
	return strings.Join(labels, "."), nil
}

// plainLetter tells whether a letter beyond ASCII stands for itself in a host
// name under every version of IDNA.
func plainLetter(r rune) bool {
	switch {
	case r == '÷' || r == 'ĳ' || r == 'ŀ' || r == 'ŉ' || r == 'ς':
		return false
	case 'à' <= r && r <= 'ÿ', 'ά' <= r && r <= 'ώ', 'а' <= r && r <= 'џ':
		return true
	case 'ā' <= r && r <= 'ž':
		// Capitals and small letters alternate, at even numbers first but here.
		odd := r%2 == 1
		if 'Ĺ' <= r && r <= 'ň' || r >= 'Ź' {
			return !odd
		}
		return odd || r == 'ĸ'
	}
	return false
}

// punycode encodes a label (RFC 3492 6.3).
func punycode(label string) string {
	const base, tmin, tmax, skew, damp = 36, 1, 26, 38, 700
	runes := []rune(label)
	var out strings.Builder
	for _, r := range runes {
		if r < utf8.RuneSelf {
			out.WriteByte(byte(r))
		}
	}
	basic := out.Len()
	if basic > 0 {
		out.WriteByte('-')
	}
	n, delta, bias := rune(128), 0, 72
	for done := basic; done < len(runes); {
		next := rune(utf8.MaxRune)
		for _, r := range runes {
			if r >= n {
				next = min(next, r)
			}
		}
		delta += int(next-n) * (done + 1)
		n = next
		for _, r := range runes {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := base; ; k += base {
				t := min(max(k-bias, tmin), tmax)
				if q < t {
					break
				}
				out.WriteByte(punyDigit(t + (q-t)%(base-t)))
				q = (q - t) / (base - t)
			}
			out.WriteByte(punyDigit(q))
			// RFC 3492 6.1
			if done == basic {
				delta /= damp
			} else {
				delta /= 2
			}
			delta += delta / (done + 1)
			bias = 0
			for delta > (base-tmin)*tmax/2 {
				delta /= base - tmin
				bias += base
			}
			bias += (base - tmin + 1) * delta / (delta + skew)
			delta = 0
			done++
		}
		delta++
		n++
	}
	return out.String()
}

func punyDigit(d int) byte {
	if d < 26 {
		return byte('a' + d)
	}
	return byte('0' + d - 26)
}
