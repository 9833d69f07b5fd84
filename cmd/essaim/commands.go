// SPDX-License-Identifier: AGPL-3.0-or-later

package main

// commands is the whole command line. Each command has a Run(ctx, *app) and a
// Help with an example.
type commands struct {
	Data string `placeholder:"DIR" help:"The node's directory (ESSAIM_DATA)."`

	Version versionCommand `cmd:"" help:"Print version, commit and schema."`
}

// listing is embedded by the commands that list.
type listing struct {
	JSON bool `name:"json" help:"One JSON array in place of columns."`
}
