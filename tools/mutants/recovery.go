// SPDX-License-Identifier: AGPL-3.0-or-later

package main

// recoveryFaults take away, one at a time, what keeps a node that forgot, and those
// that hold copies of it, from taking what is older.
func recoveryFaults() []fault {
	return []fault{
		{
			name: "recovery: an older version takes the place of one whose row is lost",
			edits: []edit{{
				file: "store/recover.go",
				old:  "return tx.recoverRecord(ctx, it, listed && at != essaim.ReadingLast)",
				new:  "return tx.recoverRecord(ctx, it, listed && at < essaim.ReadingFirst)",
			}},
			test: []string{"-run", "TestAnOlderVersionTakesNoPlaceOfOneWhoseRowIsLost", "./store"},
		},
		{
			name: "recovery: a comparison puts back what a node lost of its own",
			edits: []edit{{
				file: "federation/compare_mend.go",
				old:  "return held.Version().Compare(shown.Version()) > 0, nil",
				new:  "return held.Version().Compare(shown.Version()) > 9, nil",
			}},
			test: []string{"-run", "TestWhatARestoredNodeLostStaysWhereItIsHeld", "./cmd/essaim"},
		},
		{
			name: "recovery: another history of the same number is taken",
			edits: []edit{{
				file: "federation/crawl.go",
				old:  "return older(h, held) || h.Number == held.Number && h.Root != held.Root",
				new:  "return older(h, held)",
			}},
			test: []string{"-run", "TestAnotherHistoryOfTheSameNumberIsFoundToo", "./cmd/essaim"},
		},
		{
			name: "recovery: a dead process keeps what it claimed",
			edits: []edit{{
				file: "store/locks.go",
				old:  "err != nil || !s.alone {",
				new:  "err != nil || s.alone {",
			}},
			test: []string{"-run", "TestARecoveryGoesOnAtTheNextStart", "./store"},
		},
		{
			name: "recovery: an actor's first document is as good as a later one",
			edits: []edit{{
				file: "federation/remote_read.go",
				old:  `[...]string{"updated", "published"}`,
				new:  `[...]string{"updated"}`,
			}},
			test: []string{"-run", "TestWhatARestoredNodeLostStaysWhereItIsHeld", "./cmd/essaim"},
		},
		{
			name: "recovery: tasks are waited for as a WaitGroup does",
			edits: []edit{{
				file: "federation/server.go",
				old:  "\ttasks    tasks\n",
				new:  "\ttasks    sync.WaitGroup\n",
			}, {
				file: "federation/tasks_test.go",
				old:  "\tvar all tasks\n",
				new:  "\tvar all sync.WaitGroup\n",
			}},
			test: []string{"-run", "TestTasksMayBeginWhileOthersAreWaitedFor", "./federation"},
		},
		{
			name: "lineage: an adaptation is listed under any licence",
			edits: []edit{{
				file: "store/lineage.go",
				old:  "return essaim.MayAdaptUnder(under, child.Licence)",
				new:  "return under == \"\" || essaim.MayAdaptUnder(under, child.Licence) || child.Licence != \"\"",
			}},
			test: []string{"-run", "TestAnAdaptationIsListedUnderALicenceThatItsParentAllows", "./store"},
		},
	}
}
