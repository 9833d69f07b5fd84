// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
)

// Set by the linker (see Makefile).
var (
	version = "unknown"
	commit  = "unknown"
)

type versionCommand struct{}

func (versionCommand) Help() string {
	return "Example: essaim version"
}

func (versionCommand) Run(_ context.Context, a *app) error {
	fmt.Fprintf(a.out, "essaim %s\ncommit %s\n", version, commit)
	return nil
}
