// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Role is what an account may do.
type Role string

// The roles. An animatrice or animateur writes and publishes for the territory;
// a contributor proposes.
const (
	RoleAdmin       Role = "admin"
	RoleFacilitator Role = "animateur"
	RoleContributor Role = "contributeur"
)

// Roles lists them, the most powerful first.
func Roles() []Role { return []Role{RoleAdmin, RoleFacilitator, RoleContributor} }

// User is an account of this node.
type User struct {
	ID        int64
	Email     string
	Name      string // as she chose to sign
	Role      Role
	Disabled  bool
	CreatedAt time.Time
}

// Action is something that an account may or may not do.
type Action string

// The actions that the one authorization function decides about.
const (
	ActionWrite      Action = "write"      // create and edit records, publish them
	ActionWithdraw   Action = "withdraw"   // withdraw a record
	ActionModerate   Action = "moderate"   // comments, reports, candidates
	ActionAdminister Action = "administer" // peers, queue, accounts, blocks
)

// May is the one authorization function. A nil or disabled user may nothing.
func May(u *User, a Action) bool {
	if u == nil || u.Disabled {
		return false
	}
	switch a {
	case ActionAdminister:
		return u.Role == RoleAdmin
	case ActionWrite, ActionWithdraw, ActionModerate:
		return u.Role == RoleAdmin || u.Role == RoleFacilitator
	}
	return false
}
