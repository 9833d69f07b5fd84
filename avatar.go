// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

const (
	// AvatarAge is how long our copy of an avatar is used before it is fetched anew,
	// or goes when no page shows it any more.
	AvatarAge = 30 * 24 * time.Hour
	// AvatarRetry is when one that could not be had is tried again.
	AvatarRetry = 24 * time.Hour
)

// Avatar is the picture of an actor elsewhere, of which a copy is to be made: a
// reader's browser asks no other server.
type Avatar struct {
	Actor  string
	Source string // where it is; empty when the actor has none
}

// PicturePath is the path under which a kept picture is served; empty for none.
func PicturePath(file string) string {
	if file == "" {
		return ""
	}
	return "/m/" + file
}
