// SPDX-License-Identifier: AGPL-3.0-or-later

package main

// moderationFaults are ways for what must not be shown, taken or sent to be.
func moderationFaults() []fault {
	return []fault{
		{
			name:  "who is blocked may write",
			edits: []edit{{file: "federation/inbox.go", old: "\tcase st.Blocked:\n", new: "\tcase st.Blocked && false:\n"}},
			test:  []string{"-short", "-run", "TestInboxAnswers|TestWhoIsBlocked", "./federation"},
		},
		{
			name:  "who is blocked is asked for documents",
			edits: []edit{{file: "federation/fetch/fetch.go", old: "\tif c.conf.Refuse != nil {\n", new: "\tif c.conf.Refuse != nil && false {\n"}},
			test:  []string{"-short", "-run", "TestWhoIsRefused", "./federation/fetch"},
		},
		{
			name: "a block is evaded by a deep name below its host",
			edits: []edit{{
				file: "store/measures.go", old: "\tcopy(names[1:], all[max(1, len(all)-5):])\n", new: "\tcopy(names[1:], all[1:])\n",
			}},
			test: []string{"-short", "-run", "TestMeasuresHold", "./store"},
		},
		{
			name:  "what a silenced account writes is shown once a moderator accepts it",
			edits: []edit{{file: "store/moderation.go", old: "flag(next == essaim.ItemAccepted && !st.Muted())", new: "flag(next == essaim.ItemAccepted)"}, {file: "store/moderation.go", old: "\t\tst, err := tx.standing(ctx, i.Actor)\n", new: "\t\t_, err := tx.standing(ctx, i.Actor)\n"}},
			test:  []string{"-short", "-run", "TestASilenceHides", "./store"},
		},
		{
			name:  "a letter is kept and may be shown",
			edits: []edit{{file: "federation/ingest_object.go", old: "\tif !isPublicNote(r.a) {\n\t\treturn r.refuseLetter(o) // of whatever type: a ChatMessage is one too\n\t}\n", new: ""}},
			test:  []string{"-short", "-run", "TestALetterIsKept", "./federation"},
		},
		{
			name:  "a page shows stored HTML as it is",
			edits: []edit{{file: "web/markup/markup.go", old: "return template.HTML(Sanitize(fragment))", new: "return template.HTML(fragment)"}},
			test:  []string{"-short", "-run", "TestCommentsThatAreShown", "./web"},
		},
		{
			name:  "a person is named without her agreement",
			edits: []edit{{file: "person.go", old: "return !c.Person || c.Consent != nil && c.Consent.On != \"\"", new: "return !c.Person || c.Name != \"\""}},
			test:  []string{"-short", "-run", "TestPersonAppearsOnlyByConsent", "."},
		},
		{
			name:  "a program agrees for a person",
			edits: []edit{{file: "web/api_input.go", old: "before.Themes), s.keepConsents(r, before.Credits, &in.content))", new: "before.Themes))"}},
			test:  []string{"-short", "-run", "TestNobodyAgreesForAnother", "./web"},
		},
		{
			name:  "the link of one person serves for another",
			edits: []edit{{file: "web/consent.go", old: "[]string{\"consent\", record, cr.Role, cr.Name}", new: "[]string{\"consent\", record}"}},
			test:  []string{"-short", "-run", "TestAPersonIsNamedOnce", "./web"},
		},
	}
}
