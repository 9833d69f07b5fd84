// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// maxQR bounds the addresses that get a code, in bytes: a longer one would have
// modules too fine for a telephone on paper.
const maxQR = 400

// QR is an address as a square of dark and light modules (ISO/IEC 18004).
type QR struct{ code *qr.Code }

// newQR makes the code of an address; nil for one too long for it.
func newQR(address string) *QR {
	if address == "" || len(address) > maxQR {
		return nil
	}
	code, err := qr.Encode(address, qr.M)
	if err != nil { // longer than any code holds: never at this bound
		return nil
	}
	return &QR{code}
}

// quiet is the light margin that readers need around a code, in modules.
const quiet = 4

// View is the code's viewBox, its quiet zone included.
func (q *QR) View() string {
	return fmt.Sprintf("%d %d %d %d", -quiet, -quiet, q.code.Size+2*quiet, q.code.Size+2*quiet)
}

// runs calls draw for each horizontal run of dark modules.
func (q *QR) runs(draw func(x, y, length int)) {
	for y := range q.code.Size {
		for x := 0; x < q.code.Size; x++ {
			from := x
			for q.code.Black(x, y) { // light beyond the edge
				x++
			}
			if x > from {
				draw(from, y, x-from)
			}
		}
	}
}

// Path is the dark modules as the data of an SVG path.
func (q *QR) Path() string {
	var b strings.Builder
	q.runs(func(x, y, n int) { fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x, y, n, n) })
	return b.String()
}
