// SPDX-License-Identifier: AGPL-3.0-or-later

package main

// inwardFaults take away what holds those who write here to what is theirs, and to
// what they may cost.
func inwardFaults() []fault {
	return append(signatureFaults(), append(ownerFaults(), boundFaults()...)...)
}

// signatureFaults are holes in the one signature policy.
func signatureFaults() []fault {
	signatures := []string{"-short", "./federation/sig"}
	return []fault{
		{
			name:  "a signature need not cover the request target: it serves for any address",
			edits: []edit{{file: "federation/sig/cavage.go", old: `[]string{"(request-target)", "host"}`, new: `[]string{"host"}`}},
			test:  signatures,
		},
		{
			name:  "an RFC 9421 signature need not cover the address",
			edits: []edit{{file: "federation/sig/rfc9421.go", old: `need := []string{"@method", "@target-uri"}`, new: `need := []string{"@method"}`}},
			test:  signatures,
		},
		{
			name:  "the host that was signed is the one of the request, not ours: what was signed for others serves here",
			edits: []edit{{file: "federation/sig/sig.go", old: "return []string{v.base.Host}, nil", new: "return []string{r.Host}, nil"}},
			test:  signatures,
		},
		{
			name:  "a signature holds for ever",
			edits: []edit{{file: "federation/sig/sig.go", old: "\tif now.After(last) {\n", new: "\tif last.IsZero() {\n"}},
			test:  signatures,
		},
		{
			name:  "a digest by an algorithm that is not known here counts as one that matches",
			edits: []edit{{file: "federation/sig/digest.go", old: "\tif known == 0 {\n", new: "\tif known < 0 {\n"}},
			test:  signatures,
		},
		{
			name:  "a key of one host speaks for an actor of another",
			edits: []edit{{file: "federation/sig/sig.go", old: "case !key.Owner.SameOrigin(id):", new: "case key.Owner.IsZero():"}},
			test:  signatures,
		},
	}
}

// ownerFaults let one actor dispose of what is another's.
func ownerFaults() []fault {
	return []fault{
		{
			name:  "anyone of a host undoes what another of it did",
			edits: []edit{{file: "federation/wire/authority.go", old: "!o.Actor.IsZero() && o.Actor != a.Actor {\n\t\t\treturn forbidden(\"undoes", new: "!o.Actor.IsZero() && !o.Actor.SameOrigin(a.Actor) {\n\t\t\treturn forbidden(\"undoes"}},
			test:  []string{"-short", "-run", "TestCheckAuthority", "./federation/wire"},
		},
		{
			name: "a reaction is taken back by its id, whoever asks",
			edits: []edit{{
				file: "store/query/apply.sql",
				old:  "DELETE FROM reaction WHERE activity_id = $1 AND actor = $2", new: "DELETE FROM reaction WHERE activity_id = $1 AND $2 <> ''",
			}},
			test: []string{"-short", "-run", "TestReactionsCountOncePerActor", "./store"},
		},
		{
			name:  "anyone of a host deletes another's comment",
			edits: []edit{{file: "store/apply_record.go", old: "\t\tif author != e.Actor {\n", new: "\t\tif authority(author) != authority(e.Actor) {\n"}},
			test:  []string{"-short", "-run", "Comment", "./store"},
		},
		{
			name:  "anyone withdraws the records of a peer",
			edits: []edit{{file: "store/apply_record.go", old: "\t\tspeaks := e.Actor == h.Territory\n", new: "\t\tspeaks := e.Actor != \"\"\n"}},
			test:  []string{"-short", "-run", "TestErasure|TestARecordIsTaken", "./store"},
		},
		{
			name:  "anyone rewrites another's comment",
			edits: []edit{{file: "store/comments.go", old: "k.actor != e.Actor || !updated.After(k.updated)", new: "!updated.After(k.updated)"}},
			test:  []string{"-short", "-run", "TestCommentsAreHeld|TestThePolicyDecides|TestAModerator", "./store"},
		},
		{
			name:  "anyone of a host rewrites the candidate made of another's post",
			edits: []edit{{file: "store/candidate.go", old: "\tcase held.author != p.Author:\n", new: "\tcase held.author == \"\":\n"}},
			test:  []string{"-short", "-run", "Candidate", "./store"},
		},
		{
			name:  "an answer to our Follow counts from whoever sends it",
			edits: []edit{{file: "store/query/peer.sql", old: "follow_id <> '' AND actor = $2 AND state IN", new: "follow_id <> '' AND $2 <> '' AND state IN"}},
			test:  []string{"-short", "-run", "TestAPeerIsFollowed", "./store"},
		},
		{
			name:  "a stamp is given for a post of somebody else",
			edits: []edit{{file: "federation/ingest_answer.go", old: "if !ok || !post.SameOrigin(r.a.Actor) {", new: "if !ok {"}},
			test:  []string{"-short", "-run", "TestWhatAnActivityComesTo", "./federation"},
		},
		{
			name:  "an account moves to one that does not say so",
			edits: []edit{{file: "federation/ingest_move.go", old: "to.ID == r.in.Actor || !names(doc.Get(\"alsoKnownAs\"), old)", new: "to.ID == r.in.Actor"}},
			test:  []string{"-short", "-run", "TestAMoveNeedsBothEnds", "./federation"},
		},
		{
			name:  "what a node without its pinned key sends is applied",
			edits: []edit{{file: "federation/ingest_read.go", old: "\tif err := r.vouched(ctx); err != nil {\n", new: "\tif err := r.vouched(ctx); err != nil && false {\n"}},
			test:  []string{"-short", "-run", "TestAReplicatedNodeProvesWhatItSends", "./federation"},
		},
		{
			name:  "what another passes on counts without a proof by its author's key",
			edits: []edit{{file: "federation/forward.go", old: "if !ok || key.Owner != a.Actor {", new: "if !ok {"}},
			test:  []string{"-short", "-run", "TestWhatAnotherPassesOn", "./federation"},
		},
		{
			name:  "a document at another address than its id is taken for what it says it is",
			edits: []edit{{file: "federation/fetch/get.go", old: "\t\tcase claimed == final:\n\t\t\tanswer.URL", new: "\t\tcase claimed.SameOrigin(final):\n\t\t\tanswer.URL"}},
			test:  []string{"-short", "-run", "TestDocumentIsHeldToItsID", "./federation/fetch"},
		},
		{
			name:  "a host names an actor elsewhere as the one that stands for it",
			edits: []edit{{file: "federation/fetch/discover.go", old: "\t\t\tif id.Origin() == origin {\n\t\t\t\treturn id.String(), true", new: "\t\t\tif origin != \"\" {\n\t\t\t\treturn id.String(), true"}},
			test:  []string{"-short", "-run", "TestNodeActor", "./federation/fetch"},
		},
		{
			name:  "a host gives a name to an actor elsewhere whose own host does not say so",
			edits: []edit{{file: "federation/accounts.go", old: "\tcase back != iri:\n", new: "\tcase back.IsZero():\n"}},
			test:  []string{"-short", "-run", "TestAnAccountIsNamed", "./federation"},
		},
	}
}

// boundFaults lift what bounds the cost of strangers and the words of others.
func boundFaults() []fault {
	return []fault{
		{
			name:  "strangers make us ask a host for keys as often as they like",
			edits: []edit{{file: "federation/remote.go", old: "\t\tif !a.budget.spend(at.Host()) {\n", new: "\t\tif !a.budget.spend(at.Host()) && false {\n"}},
			test:  []string{"-short", "-run", "TestKeysOfAnActor", "./federation"},
		},
		{
			name:  "one client uses up what a host is asked for all",
			edits: []edit{{file: "federation/remote.go", old: "\tif !a.addresses.paidBy(who) {\n", new: "\tif !a.addresses.paidBy(who) && false {\n"}},
			test:  []string{"-short", "-run", "TestKeysOfAnActor", "./federation"},
		},
		{
			name:  "an input leads to as many requests as it likes",
			edits: []edit{{file: "federation/fetch/get.go", old: "ok && left.Add(-1) < 0 {", new: "ok && left.Add(-1) < -1000 {"}},
			test:  []string{"-short", "-run", "TestOneInputMakes", "./federation/fetch"},
		},
		{
			name:  "a host is asked without a rest for what others name",
			edits: []edit{{file: "store/query/candidate.sql", old: "g.host = w.host AND g.rest_until > $1", new: "g.host = w.host AND g.rest_until > $1 + $1"}},
			test:  []string{"-short", "-run", "TestWhoeverNamesIt", "./store"},
		},
		{
			name:  "a followed host names as much as it likes",
			edits: []edit{{file: "store/followed.go", old: "err == nil && due.After(now)", new: "err == nil && due.Before(now)"}},
			test:  []string{"-short", "-run", "TestWhoeverNamesIt", "./store"},
		},
		{
			name:  "a host is not left alone after a fetch",
			edits: []edit{{file: "federation/gather.go", old: "maxRequests-fetch.Left(bounded)", new: "fetch.Left(bounded)-maxRequests"}},
			test:  []string{"-short", "-run", "TestAHostRests", "./federation"},
		},
		{
			name:  "a claim reads all that waits",
			edits: []edit{{file: "store/postgres/claim.sql", old: "AND e.order_key = d.order_key ORDER BY e.id LIMIT 1)", new: "AND e.order_key = d.order_key ORDER BY e.id + 0 LIMIT 1)"}},
			test:  []string{"-short", "-run", "TestAPlanMadeWhile", "./store"},
		},
		{
			name:  "one account fills the list of the moderators",
			edits: []edit{{file: "store/comments.go", old: "err != nil || waiting >= c.most {", new: "err != nil {"}},
			test:  []string{"-short", "-run", "TestOneStrangerFills", "./store"},
		},
		{
			name:  "a candidate keeps a whole text without a licence",
			edits: []edit{{file: "candidate.go", old: "\tif Reusable(c.Licence) {\n", new: "\tif c.Licence == \"\" || Reusable(c.Licence) {\n"}},
			test:  []string{"-short", "-run", "Candidate|Quotation", "./federation/vocab"},
		},
		{
			name:  "more is quoted than may be",
			edits: []edit{{file: "candidate.go", old: "const QuoteLimit = 300", new: "const QuoteLimit = 3000"}},
			test:  []string{"-short", "-run", "Candidate|Quotation", "./federation/vocab"},
		},
		{
			name:  "who refuses to be indexed becomes a candidate",
			edits: []edit{{file: "store/candidate.go", old: "\tcase about.refuses:\n", new: "\tcase about.refuses && false:\n"}},
			test:  []string{"-short", "-run", "TestNoCandidateOfWhoRefuses", "./store"},
		},
		{
			name:  "the refusal to be indexed is not read",
			edits: []edit{{file: "federation/remote_read.go", old: "\ta.Unindexed = refusesIndexing(v)\n", new: "\t_ = refusesIndexing(v)\n"}},
			test:  []string{"-short", "-run", "TestWhoRefusesToBeIndexed", "./federation"},
		},
		{
			name:  "what was only quoted outlives its author's Delete",
			edits: []edit{{file: "store/takeback.go", old: "\t\tcontent = e.WithoutQuotation(object, made)\n", new: "\t\t_ = made\n"}},
			test:  []string{"-short", "-run", "TestOfWhatItsAuthorTakesBack", "./store"},
		},
		{
			name:  "the versions before go on saying what its author took back",
			edits: []edit{{file: "store/takeback.go", old: "\t\t*c = c.WithoutQuotation(object, made)\n", new: ""}},
			test:  []string{"-short", "-run", "TestOfWhatItsAuthorTakesBack", "./store"},
		},
		{
			name:  "a node never forgets what it received",
			edits: []edit{{file: "cmd/essaim/node.go", old: "errors.Join(n.store.Tidy(ctx), n.sweep(ctx))", new: "n.sweep(ctx)"}},
			test:  []string{"-short", "-run", "TestARunningNodeForgets", "./cmd/essaim"},
		},
		{
			name:  "a list of followers is believed that is not the one announced",
			edits: []edit{{file: "federation/followsync.go", old: "if followerDigest(listed) != v.digest {", new: "if v.digest == \"\" {"}},
			test:  []string{"-short", "-run", "TestADifferenceIsMended|TestWhoShows", "./federation"},
		},
		{
			name:  "search: on PostgreSQL the first record of each part is passed over",
			edits: []edit{{file: "store/parts.go", old: "add(m.position, m.position-1)", new: "add(m.position, m.position)"}},
			test:  []string{"-run", "TestEachPositionIsInOnePart|TestASearchGoesBackPartByPart", "./store"},
		},
		{
			name:  "search: on PostgreSQL nothing is looked for behind the latest parts",
			edits: []edit{{file: "store/parts.go", old: "\tadd(r.first, r.since)\n", new: "\tif len(spans) == 0 {\n\t\tadd(r.first, r.since)\n\t}\n"}},
			test:  []string{"-run", "TestAWordOfOldTitlesComesFirst|TestASearchGoesBackPartByPart", "./store"},
		},
		{
			name:  "search: on PostgreSQL the parts that are not needed are read",
			edits: []edit{{file: "store/postgres/search.sql", old: "ORDER BY t.position + 0 DESC LIMIT $4) at\nLIMIT $4", new: "ORDER BY t.position + 0 DESC LIMIT $4) at\nORDER BY at.position DESC LIMIT $4"}},
			test:  []string{"-run", "TestPartsThatAreNotNeededAreNotRead", "./store"},
		},
		{
			name:  "search: on PostgreSQL a part is looked up with all that its spans hold beside it",
			edits: []edit{{file: "store/parts.go", old: "case level == 0 || begins >= lowest && ends <= highest:", new: "case level < spanLevels-2 || begins >= lowest && ends <= highest:"}},
			test:  []string{"-run", "TestEachPositionIsInOnePart", "./store"},
		},
		{
			name:  "search: a page looks at all that there is",
			edits: []edit{{file: "store/stretch.go", old: "since[i] = max(since[i], furthest(", new: "_ = max(since[i], furthest("}},
			test:  []string{"-run", "TestASearchGoesBackByStretches", "./store"},
		},
		{
			name:  "search: a page that ends after a stretch leads no further",
			edits: []edit{{file: "store/search.go", old: "if found.Next == \"\" && l.since > m.since {", new: "if found.Next == \"\" && l.since > l.below {"}},
			test:  []string{"-run", "TestASearchGoesBackByStretches", "./store"},
		},
		{
			name:  "search: a page that none led to has no bound",
			edits: []edit{{file: "store/search.go", old: "if after.set || t != inHead {", new: "if t != inHead {"}},
			test:  []string{"-run", "TestACursorMadeByHandLooksNoFurther", "./store"},
		},
		{
			name:  "search: what few have is not known to be rare",
			edits: []edit{{file: "store/stretch.go", old: "len(latest) < most {\n\t\t\treturn oldest", new: "len(latest) == 0 {\n\t\t\treturn oldest"}, {file: "store/stretch.go", old: "latest[most-1]-1", new: "latest[min(most, len(latest))-1]-1"}},
			test:  []string{"-run", "TestAStretchIsForMuchThatYieldsLittle", "./store"},
		},
		{
			name:  "search: a corner of a circle's box is looked for everywhere",
			edits: []edit{{file: "store/area.go", old: "\t\tif len(cells) == 0 {\n", new: "\t\tif len(cells) == 0 {\n\t\t\treturn nil\n\t\t}\n\t\tif len(cells) == 0 {\n"}},
			test:  []string{"-run", "TestAnAreaIsInTheCellsThatCoverIt", "./store"},
		},
		{
			name:  "search: a circle is not looked for in the cells that it only touches",
			edits: []edit{{file: "store/area.go", old: "return d <= a.nearness+1e-12", new: "return d <= a.nearness/2"}},
			test:  []string{"-run", "TestAnAreaIsInTheCellsThatCoverIt", "./store"},
		},
	}
}
