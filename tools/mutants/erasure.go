// SPDX-License-Identifier: AGPL-3.0-or-later

package main

// erasureFaults leave something of what was erased, or let it come back.
func erasureFaults() []fault {
	return append(leftoverFaults(), withdrawalFaults()...)
}

func leftoverFaults() []fault {
	store := func(run string) []string { return []string{"-short", "-run", run, "./store"} }
	return []fault{
		{
			name:  "what failed keeps the bytes of what its origin deletes",
			edits: []edit{{file: "store/apply.go", old: "\tobject := in.Object\n", new: "\tobject := \"\"\n"}},
			test:  store("TestADeletionByTheOriginLeavesNothing"),
		},
		{
			name:  "a newer version leaves the bytes of the one before",
			edits: []edit{{file: "store/apply_record.go", old: "out := outcome{newer: ok}", new: "out := outcome{newer: false}"}},
			test:  store("TestANewerVersionErases"),
		},
		{
			name: "comments of a withdrawn record leave the bytes that brought them",
			edits: []edit{{
				file: "store/comments.go", old: "\t\tif err := tx.eraseRaw(ctx, id); err != nil {\n\t\t\treturn err\n\t\t}\n", new: "",
			}},
			test: store("TestAWithdrawnRecordTakes"),
		},
		{
			name:  "a person stays credited in the history",
			edits: []edit{{file: "store/credit_erase.go", old: `"revision_rewrite", rid, t.revision, string`, new: `"revision_rewrite", rid, -t.revision, string`}},
			test:  store("TestAPersonIsTakenOut"),
		},
		{
			name:  "copies of rows that moved stay in SQLite's pages",
			edits: []edit{{file: "store/sqlite/scrub.go", old: "changed := zero(page[end:content])", new: "changed := false"}},
			test:  []string{"-short", "-run", "TestBlankClears", "./store/sqlite"},
		},
		{
			name:  "SQLite's log keeps what was erased",
			edits: []edit{{file: "store/sqlite/scrub.sql", old: "PRAGMA wal_checkpoint(TRUNCATE)", new: "PRAGMA wal_checkpoint(PASSIVE)"}},
			test:  store("TestScrubbingLeavesNothing"),
		},
		{
			name:  "PostgreSQL's files keep what was erased",
			edits: []edit{{file: "store/postgres/scrub.sql", old: "VACUUM (FULL) account", new: "VACUUM account"}},
			test:  store("TestScrubbingLeavesNothing"),
		},
	}
}

func withdrawalFaults() []fault {
	store := []string{"-short", "-run", "TestARecordOfAnotherTerritoryIsWithdrawnHere", "./store"}
	return []fault{
		{
			name:  "what is withdrawn here comes back by a push",
			edits: []edit{{file: "store/apply_record.go", old: "\tif withdrawn {\n", new: "\tif withdrawn && gone {\n"}},
			test:  store,
		},
		{
			name:  "what is withdrawn here comes back by whoever has a copy",
			edits: []edit{{file: "store/query/commons.sql", old: "t.id IS NULL AND NOT EXISTS (SELECT 1 FROM withdrawal w WHERE w.id = k.id)", new: "t.id IS NULL"}},
			test:  store,
		},
		{
			name:  "what is withdrawn here is served again as a copy",
			edits: []edit{{file: "store/query/commons.sql", old: "c.digest <> '' AND c.sort <> 'withdrawn'", new: "c.digest <> ''"}},
			test:  store,
		},
		{
			name:  "a comparison fetches what is withdrawn here, day after day",
			edits: []edit{{file: "federation/compare_mend.go", old: "\tif err := w.leaveWithdrawn(ctx); err != nil {\n\t\treturn err\n\t}\n", new: ""}},
			test:  []string{"-short", "-run", "TestWhatIsWithdrawnHereIsNoDifference", "./cmd/essaim"},
		},
		{
			name:  "anybody's report passes for the notice of a node that is followed",
			edits: []edit{{file: "federation/ingest_report.go", old: "peer.State != essaim.PeerFollowed || peer.Actor != r.a.Actor.String()", new: "peer.State == essaim.PeerBlocked"}},
			test:  []string{"-short", "-run", "TestANoticeIsBelieved", "./federation"},
		},
		{
			name:  "a page says of a local withdrawal that it is the origin's",
			edits: []edit{{file: "web/record.go", old: "\tif here != nil {\n\t\tgone.here", new: "\tif here != nil && gone.here != \"\" {\n\t\tgone.here"}},
			test:  []string{"-short", "-run", "TestAModeratorWithdraws", "./web"},
		},
	}
}
