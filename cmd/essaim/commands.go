// SPDX-License-Identifier: AGPL-3.0-or-later

package main

// commands is the whole command line. Each command has a Run(ctx, *app) and a
// Help with an example.
type commands struct {
	Data string `placeholder:"DIR" help:"The node's directory (ESSAIM_DATA)."`

	Init     initCommand     `cmd:"" help:"Create a node: keys, database, territory, first administrator."`
	Serve    serveCommand    `cmd:"" help:"Run the node."`
	Demo     demoCommand     `cmd:"" help:"Three territories on this machine, with records to look at."`
	Import   importCommand   `cmd:"" help:"Bring records in from a file."`
	Export   exportCommand   `cmd:"" help:"Write the records out."`
	Dump     dumpCommand     `cmd:"" help:"Make the dated files of /export/ now."`
	User     userCommand     `cmd:"" help:"Accounts."`
	Person   personCommand   `cmd:"" help:"People whom records credit."`
	Actor    actorCommand    `cmd:"" help:"What can be followed here, and how it shows."`
	Token    tokenCommand    `cmd:"" help:"Tokens of the JSON API."`
	Theme    themeCommand    `cmd:"" help:"Themes of this territory, beside the common ones."`
	Peer     peerCommand     `cmd:"" help:"The nodes of the network."`
	Moderate moderateCommand `cmd:"" help:"Comments, reports and candidates: decide what is shown."`
	Queue    queueCommand    `cmd:"" help:"Deliveries and received activities."`
	Geo      geoCommand      `cmd:"" help:"Gazetteer and outlines."`
	Key      keyCommand      `cmd:"" help:"The node's keys."`
	Backup   backupCommand   `cmd:"" help:"Write everything that the node knows to a file, while it runs."`
	Restore  restoreCommand  `cmd:"" help:"Bring a node back from a backup."`
	Scrub    scrubCommand    `cmd:"" help:"Write over what erased rows left in the database's files."`
	Doctor   doctorCommand   `cmd:"" help:"Check that all is well, and say how to mend what is not."`
	Version  versionCommand  `cmd:"" help:"Print version, commit and schema."`
}

// listing is embedded by the commands that list.
type listing struct {
	JSON bool `name:"json" help:"One JSON array in place of columns."`
}
