// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"

	"essaim/store"
)

// Set by the linker (see Makefile).
var (
	version = "unknown"
	commit  = "unknown"
)

type versionCommand struct{}

func (versionCommand) Help() string {
	return "Example:\n\n    essaim version"
}

func (versionCommand) Run(_ context.Context, a *app) error {
	schema, err := store.LatestSchema()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "essaim %s\ncommit %s\nschema %d\n", version, commit, schema)
	return nil
}
