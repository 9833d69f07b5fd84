// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import "slices"

// faults are those that the tests are known to catch, and must go on catching.
func faults() []fault {
	return slices.Concat(houseFaults(), queueFaults(), hostileFaults(), moderationFaults(), inwardFaults(), erasureFaults(), forgerFaults(), recoveryFaults(), libraryFaults())
}

func houseFaults() []fault {
	return []fault{
		{
			name:  "the root package imports net/http",
			edits: []edit{{file: "doc.go", old: "package essaim\n", new: "package essaim\n\nimport _ \"net/http\"\n"}},
			test:  []string{"-short", "-run", "TestRootPackageImports", "."},
		},
		{
			name:  "web imports federation",
			edits: []edit{{file: "web/stores.go", old: "package web\n", new: "package web\n\nimport _ \"essaim/federation\"\n"}},
			test:  []string{"-short", "-run", "TestAdaptersNeverImportEachOther", "."},
		},
		{
			name: "a second path around the gate: an actor's own inbox stores what comes",
			edits: []edit{
				{
					file: "federation/inbox.go",
					old:  "\ts.inbox.ServeHTTP(w, r)\n}",
					new: `	raw, _ := readAll(w, r)
	var a struct{ ID, Type, Actor string }
	_ = json.Unmarshal(raw, &a)
	in := essaim.Inbound{ActivityID: a.ID, Type: a.Type, Actor: a.Actor, Raw: raw, ReceivedAt: s.inbox.now()}
	if _, err := s.inbox.store.ReceiveActivity(r.Context(), in); err == nil {
		w.WriteHeader(http.StatusAccepted)
	}
}`,
				},
			},
			test: []string{"-short", "-run", "TestEveryInboxIsBehindTheGate", "./federation"},
		},
	}
}

func queueFaults() []fault {
	return []fault{
		{
			name: "acknowledge before commit: the inbox answers while the row is on its way",
			edits: []edit{
				{
					file: "federation/inbox.go",
					old:  "\tif err := i.keep(r.Context(), a); err != nil {\n\t\treturn statusOf(err), err\n\t}\n",
					new:  "\tgo func() { _ = i.keep(context.WithoutCancel(r.Context()), a) }()\n",
				},
			},
			test: []string{"-short", "-run", "TestAcceptedMeansDurable|TestInboxAnswers", "./federation"},
		},
		{
			name: "acknowledge before commit: SQLite's writer answers its jobs, then commits",
			edits: []edit{
				{
					file: "store/write_sqlite.go",
					old:  "\terr := l.commit(ctx, jobs)\n",
					new:  "\tvar err error\n",
				},
				{
					file: "store/write_sqlite.go",
					old:  "\t\tj.answer <- j.err\n\t}\n",
					new:  "\t\tj.answer <- j.err\n\t}\n\t_ = l.commit(ctx, jobs)\n",
				},
			},
			test: []string{"-short", "-run", "TestACommitThatFailsIsNoSuccess", "./store"},
		},
		{
			name: "id greater than last: numbers from a clock, without waiting for one's turn",
			edits: []edit{
				{
					file: "store/postgres/numbers.sql",
					old:  "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(712140472))\nUPDATE counter SET n = n + $1 FROM turn WHERE id = 1 RETURNING n",
					new:  "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) + 0 * CAST($1 AS BIGINT) AS n",
				},
			},
			test: []string{"-short", "-run", "TestNobodyTakesANumber", "./store"},
		},
	}
}

func libraryFaults() []fault {
	// nothing makes a library's function return before it does anything.
	nothing := func(module, file, function, values string) []edit {
		return []edit{{module: module, file: file, old: function, new: function + "\n\tif true {\n\t\treturn " + values + "\n\t}"}}
	}
	const activity, httpsig, chi, pgx = "github.com/go-fed/activity", "github.com/go-fed/httpsig", "github.com/go-chi/chi/v5", "github.com/jackc/pgx/v5"
	return []fault{
		{
			name: "go-fed's pub handles nothing",
			edits: nothing(activity, "pub/base_actor.go",
				"func (b *baseActor) PostInbox(c context.Context, w http.ResponseWriter, r *http.Request) (bool, error) {", "true, nil"),
			test: []string{"-short", "-run", "TestInbox", "./federation"},
		},
		{
			name: "go-fed's streams resolves nothing",
			edits: nothing(activity, "streams/gen_type_resolver.go",
				"func (this TypeResolver) Resolve(ctx context.Context, o ActivityStreamsInterface) error {", "nil"),
			test: []string{"-short", "-run", "TestWhatAnActivityComesTo", "./federation"},
		},
		{
			name: "go-fed's streams writes nothing",
			edits: []edit{{
				module: activity, file: "streams/util.go",
				old: "func Serialize(a vocab.Type) (m map[string]interface{}, e error) {", new: "func Serialize(a vocab.Type) (m map[string]interface{}, e error) {\n\tif true {\n\t\treturn map[string]interface{}{}, nil\n\t}",
			}},
			test: []string{"-short", "./federation/vocab"},
		},
		{
			name: "go-fed/httpsig believes every signature",
			edits: nothing(httpsig, "verifying.go",
				"func (v *verifier) Verify(pKey crypto.PublicKey, algo Algorithm) error {", "nil"),
			test: []string{"-short", "./federation/sig"},
		},
		{
			name: "go-fed/httpsig signs nothing",
			edits: nothing(httpsig, "signing.go",
				"func (a *asymmSigner) SignRequest(pKey crypto.PrivateKey, pubKeyId string, r *http.Request, body []byte) error {", "nil"),
			test: []string{"-short", "./federation/sig"},
		},
		{
			name: "chi routes nothing: federation",
			edits: nothing(chi, "mux.go",
				"func (mx *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {", ""),
			test: []string{"-short", "-run", "TestWebFinger|TestActorsAreServed", "./federation"},
		},
		{
			name: "chi routes nothing: pages",
			edits: nothing(chi, "mux.go",
				"func (mx *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {", ""),
			test: []string{"-short", "./web"},
		},
		{
			name: "pgx executes nothing",
			edits: nothing(pgx, "stdlib/sql.go",
				"func (c *Conn) ExecContext(ctx context.Context, query string, argsV []driver.NamedValue) (driver.Result, error) {", "driver.RowsAffected(1), nil"),
			test: []string{"-short", "-run", "TestAnActivityIsReceivedOnce", "./store"},
		},
	}
}
