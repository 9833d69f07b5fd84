// SPDX-License-Identifier: AGPL-3.0-or-later

package main

// forgerFaults take away, one at a time, what a forger with keys of his own runs
// into.
func forgerFaults() []fault {
	test := []string{"-short", "-run", "TestAForgerChangesNothingThatIsNotHis/sqlite", "./cmd/essaim"}
	return []fault{
		{
			name: "a forger: who signed is not compared with the actor",
			edits: []edit{{
				file: "federation/wire/authority.go",
				old:  "if signer.IsZero() || signer != a.Actor {",
				new:  "if signer.IsZero() {",
			}},
			test: test,
		},
		{
			name: "a forger: a node of a digest tree is not held to the hash above it",
			edits: []edit{{
				file: "federation/compare.go",
				old:  "if n.hash() != want {",
				new:  "if n.hash() == (essaim.Digest{}) {",
			}},
			test: test,
		},
		{
			name: "a forger: a cursor is not held to the signed head",
			edits: []edit{{
				file: "federation/crawl.go",
				old:  "\t\tif cursor.Compare(c.last) > 0 {\n\t\t\treturn nil,",
				new:  "\t\tif c.last.N < 0 {\n\t\t\treturn nil,",
			}},
			test: test,
		},
		{
			name: "a forger: nothing is held to the key that is pinned",
			edits: []edit{{
				file: "federation/trust.go",
				old:  "\t\tif err != nil || !bound {\n\t\t\treturn err\n\t\t}\n\t\t_, wrong",
				new:  "\t\tif err != nil || !bound || try == 0 {\n\t\t\treturn err\n\t\t}\n\t\t_, wrong",
			}},
			test: test,
		},
		{
			name: "a forger: a copy at another node is believed without its proof",
			edits: []edit{{
				file: "federation/copies_read.go",
				old:  "if _, wrong = doc.VerifyWhole(r.keys[i]); wrong == nil {",
				new:  "if _, wrong = doc.VerifyWhole(r.keys[i]); wrong == nil || len(doc.Bytes()) > 0 {",
			}},
			test: test,
		},
		{
			name: "a forger: what no proof covers is handed on with a copy",
			edits: []edit{{
				file: "federation/proof/document.go",
				old:  `if whole && find(d.by.list, "signature") != nil {`,
				new:  `if whole && d.by == nil && find(d.by.list, "signature") != nil {`,
			}},
			test: []string{"-run", "TestCopiesAreTakenAsTheVectorsSay", "./federation"},
		},
	}
}
