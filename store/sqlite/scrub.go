// SPDX-License-Identifier: AGPL-3.0-or-later

package sqlite

import "encoding/binary"

// MaxPages is how many pages a database may have for Blank to know a page of a
// tree from one of an overflow chain, whose first byte is zero as long as its
// successor's number is below.
const MaxPages = 1 << 25

// Blank writes zeroes over the bytes of a page that belong to none of its cells,
// and tells whether it changed anything. secure_delete erases a cell where it
// lies; a copy of it that moving to another page left behind stays in the room
// between the pointers and the cells (sqlite.org/fileformat2.html 1.6). A page
// that is not of a tree, or looks wrong, is left alone.
func Blank(page []byte, number int64) bool {
	head := 0
	if number == 1 {
		head = 100 // the file's own header
	}
	if len(page) < 512 || len(page) > 1<<16 {
		return false
	}
	width := 8
	switch page[head] {
	case 0x02, 0x05:
		width = 12
	case 0x0a, 0x0d:
	default:
		return false
	}
	word := func(at int) int { return int(binary.BigEndian.Uint16(page[at:])) }
	free, cells, content := word(head+1), word(head+3), word(head+5)
	if content == 0 {
		content = 1 << 16
	}
	end := head + width + 2*cells
	if content > len(page) || end > content {
		return false
	}
	for i := range cells {
		if at := word(head + width + 2*i); at < content || at+4 > len(page) {
			return false
		}
	}
	changed := zero(page[end:content])
	// Freed cells are a chain: where the next begins, and how long this one is.
	for last := content - 1; free != 0; {
		if free <= last || free+4 > len(page) {
			return changed
		}
		next, size := word(free), word(free+2)
		if size < 4 || free+size > len(page) {
			return changed
		}
		changed = zero(page[free+4:free+size]) || changed
		last, free = free, next
	}
	return changed
}

// zero clears bytes and tells whether any was not clear.
func zero(b []byte) (changed bool) {
	for i := range b {
		if b[i] != 0 {
			clear(b[i:])
			return true
		}
	}
	return false
}
