// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"strconv"
	"strings"
	"time"
)

// AuthorDeleted stands in place of the number of an account that is deleted: its
// number leads to nobody, and never to another account.
const AuthorDeleted int64 = -1

// Author is who wrote a revision: an account of this node, or a process such as
// an import, named.
type Author struct {
	User int64  // account id; 0 for a process, AuthorDeleted
	Name string // the name the person chose, or the process's
}

// importName begins the name of the process that an import is.
const importName = "import "

// ImportAuthor is who writes what an import brings.
func ImportAuthor(id int64) Author {
	return Author{Name: importName + strconv.FormatInt(id, 10)}
}

// IsImport tells whether an import wrote it, and no person who chose such a name.
func (a Author) IsImport() bool { return a.User == 0 && strings.HasPrefix(a.Name, importName) }

// Revision is one kept state of a record's content.
type Revision struct {
	Number  int // as in Record.Revision
	At      time.Time
	Author  Author
	State   State
	Content Content
}

// NewRecord asks for a record to be created.
type NewRecord struct {
	Content Content
	State   State // draft, candidate or published
	Author  Author
	// Import is the import the record belongs to; such a record is published
	// without being announced. 0 for none.
	Import int64
}
