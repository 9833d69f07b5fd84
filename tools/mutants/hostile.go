// SPDX-License-Identifier: AGPL-3.0-or-later

package main

// hostileFaults let a hostile server do what others were attacked with, or a node
// stampede one that is in trouble.
func hostileFaults() []fault {
	return []fault{
		{
			name: "check, then resolve: the address that was checked is not the one that is dialled",
			edits: []edit{{
				file: "federation/fetch/fetch.go",
				old:  "\t\tDialContext:            dialer.DialContext,\n",
				new: `		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			found, err := dialer.Resolver.LookupHost(ctx, host)
			if err != nil {
				return nil, err
			}
			for _, a := range found {
				if err := control("tcp4", net.JoinHostPort(a, port), nil); err != nil {
					return nil, err
				}
			}
			return (&net.Dialer{Timeout: dialer.Timeout, Resolver: dialer.Resolver}).DialContext(ctx, network, address)
		},
`,
			}},
			test: []string{"-short", "-run", "TestTheAddressCheckedIsTheOneDialled", "./federation/fetch"},
		},
		{
			name: "the digest is there and not compared",
			edits: []edit{{
				file: "federation/sig/digest.go",
				old:  "subtle.ConstantTimeCompare(got, want) != 1",
				new:  "subtle.ConstantTimeCompare(got, want) < 0",
			}},
			test: []string{"-short", "./federation/sig"},
		},
		{
			name: "the owner of the key is not compared with the actor",
			edits: []edit{{
				file: "federation/wire/authority.go",
				old:  "if signer.IsZero() || signer != a.Actor {",
				new:  "if signer.IsZero() {",
			}},
			test: []string{"-short", "./federation/wire"},
		},
		{
			name: "an actor's document lends keys to others",
			edits: []edit{{
				file: "federation/remote_read.go",
				old:  "!owned || owner != id {",
				new:  "!owned || owner.IsZero() {",
			}},
			test: []string{"-short", "-run", "Key|Actor", "./federation"},
		},
		{
			name: "the object's host is compared with that of the activity's id, which its sender chooses",
			edits: []edit{
				{file: "federation/wire/authority.go", old: "\tif !a.ID.SameOrigin(a.Actor) {", new: "\tif a.ID.IsZero() {"},
				{file: "federation/wire/authority.go", old: "\t\tif !o.ID.SameOrigin(a.Actor) {", new: "\t\tif !o.ID.SameOrigin(a.ID) {"},
			},
			test: []string{"-short", "./federation/wire"},
		},
		{
			name: "what others wrote goes to the page as it came",
			edits: []edit{{
				file: "web/markup/markup.go",
				old:  "template.HTML(Sanitize(fragment))",
				new:  "template.HTML(fragment)",
			}},
			test: []string{"-short", "./web/markup"},
		},
		{
			name: "the sanitizer is passed by when a comment is kept",
			edits: []edit{{
				file: "federation/ingest_comment.go",
				old:  "return markup.Sanitize(content), language",
				new:  "_ = markup.Sanitize(content)\n\treturn content, language",
			}},
			test: []string{"-short", "-run", "TestWhatIsKeptOfAnAnswer", "./federation"},
		},
		{
			name: "delivery: the pace of a host that failed is forgotten with its lane",
			edits: []edit{{
				file: "federation/deliver.go",
				old:  "(l.dry || l.broken) && !l.resting(now)",
				new:  "(l.dry || l.broken)",
			}},
			test: []string{"-run", "TestAHostThatFailedKeepsItsPaceBetweenTwoLooks", "./federation"},
		},
		{
			name:  "delivery: the first 410 to what waited for its host costs every follower there",
			edits: []edit{{file: "federation/backoff.go", old: "v.outcome == gone && !twice", new: "v.outcome == gone && !twice && age < goneAfter"}},
			test:  []string{"-run", "TestAnInboxThatSaysOnceThatItIsGone", "./federation"},
		},
		{
			name:  "delivery: whoever speaks at a host spends the last try of what it refused after days",
			edits: []edit{{file: "store/query/delivery.sql", old: "d.created_at < $4 AND", new: "d.created_at < $4 AND d.id < 0 AND"}},
			test:  []string{"-run", "TestWhatIsRefusedAfterDays", "./store"},
		},
		{
			name:  "delivery: what was under way ends the pause that a host asked for",
			edits: []edit{{file: "federation/hosts.go", old: "l.broken && l.state.PausedUntil.After(now)", new: "l.broken && now.IsZero()"}},
			test:  []string{"-run", "TestAPauseOutlastsWhatWasUnderWay", "./federation"},
		},
		{
			name:  "what this node proved itself is taken from who sends it back",
			edits: []edit{{file: "federation/forward.go", old: " || a.Actor.SameOrigin(i.origin)", new: ""}},
			test:  []string{"-short", "-run", "TestWhatThisNodeSaidIsTakenOfNobody", "./federation"},
		},
	}
}
