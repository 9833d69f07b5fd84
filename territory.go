// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Territory is who a node speaks for (territoire): a city, an association of
// communes, a third place and its surroundings.
type Territory struct {
	// Actor is its ActivityPub id, Username the name in @username@host.
	Actor    string `json:"actor"`
	Username string `json:"username"`
	Name     string `json:"name"`
	Summary  string `json:"summary,omitempty"` // Markdown
	// Perimeter is the union of these.
	Communes     []string `json:"communes,omitempty"`     // INSEE codes
	EPCIs        []string `json:"epcis,omitempty"`        // SIREN
	Departements []string `json:"departements,omitempty"` // codes
	// Lat and Lon are the centre, in degrees; zero when the perimeter is empty.
	Lat float64 `json:"lat,omitempty"`
	Lon float64 `json:"lon,omitempty"`
}

// Node is this installation: its address, its territory, and the incarnation
// under which it counts changes.
type Node struct {
	BaseURL string `json:"baseUrl"` // "https://brest.example", no last slash
	// Incarnation is the Unix time of init or of the last restore.
	Incarnation int64     `json:"incarnation"`
	CreatedAt   time.Time `json:"createdAt,omitzero"`
	Territory   Territory `json:"territory"`
	// KeyFingerprint is the SHA-256 of the public keys: processes that share a
	// database must hold the same keys.
	KeyFingerprint string `json:"keyFingerprint"`
	Demo           bool   `json:"demo,omitempty"`
	// Rotations are the changes of its keys, the oldest first.
	Rotations []Rotation `json:"rotations,omitempty"`
}
