// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

// Quote is the permission for one post elsewhere to quote one record of ours
// (FEP-044f). Its id is the address of the stamp, by which others check it.
type Quote struct {
	ID     string // IRI of the stamp, the same for each request about this pair
	Object string // the record quoted
	Post   string // the post that quotes
	Actor  string // who quotes; the post is of its origin
	Stamp  []byte // the document, as signed
}

// AllowQuote writes a stamp with the answer that names it. A stamp that stands
// stays as it was signed, and the answer is sent again.
type AllowQuote struct {
	Quote  Quote
	Accept Outgoing
}

// Reply queues an activity of ours that answers one, when what it is about is
// published here.
type Reply struct {
	Type   string // of the answer: Ignore, Reject
	Object string // a local record
	Answer Outgoing
}

func (AllowQuote) effect() {}
func (Reply) effect()      {}
