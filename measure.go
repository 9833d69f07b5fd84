// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"strings"
	"time"
)

// MeasureScope says what a measure is of.
type MeasureScope string

// The scopes of a measure. That of a host holds for the domains below it too.
const (
	MeasureHost  MeasureScope = "host"
	MeasureActor MeasureScope = "actor"
)

// MeasureLevel is how a host or an account elsewhere is treated.
type MeasureLevel string

// The levels of a measure. Of several that concern an account, the strictest
// counts.
const (
	// LevelBlock: what it sends is refused, nothing is sent to it nor fetched from
	// it; its follows and thanks are gone, its comments not shown.
	LevelBlock MeasureLevel = "block"
	// LevelSilence: what it sends is taken, and neither shown nor counted.
	LevelSilence MeasureLevel = "silence"
	// LevelAllow: it may write to a node that takes nothing from others.
	LevelAllow MeasureLevel = "allow"
)

// Measure is what administrators decided about a host or an account elsewhere.
type Measure struct {
	Scope  MeasureScope `json:"scope"`
	Value  string       `json:"value"` // a host, or an actor's id
	Level  MeasureLevel `json:"level"`
	Reason string       `json:"reason"`
	At     time.Time    `json:"at"`
}

// Standing is what the measures come to for an account elsewhere.
type Standing struct {
	Blocked  bool
	Silenced bool
	Listed   bool // allowed by a measure, or of a node that is followed
}

// Muted tells whether nothing of it is shown.
func (s Standing) Muted() bool { return s.Blocked || s.Silenced }

// MeasureSubject reads what people write for a host or an account elsewhere: a
// host, the address of a site, or the id of an actor. An error wraps ErrInvalid.
func MeasureSubject(s string) (MeasureScope, string, error) {
	bad := fmt.Errorf("%q is neither a host nor an actor's id: %w", s, ErrInvalid)
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "://") {
		if strings.ContainsAny(s, "/?#@") {
			return "", "", bad
		}
		s = "https://" + strings.TrimSuffix(strings.TrimPrefix(s, "*."), ".")
	}
	// The one reading of addresses: a block must be of the host that sends.
	iri, err := ParseIRI(s)
	if err != nil {
		return "", "", bad
	}
	if tail := strings.TrimPrefix(iri.String(), iri.Origin()); tail != "" && tail != "/" {
		return MeasureActor, iri.String(), nil
	}
	return MeasureHost, iri.Host(), nil
}
