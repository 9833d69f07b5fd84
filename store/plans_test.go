// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"essaim/store/storetest"
)

// The statements of the queues run thousands of times a second over tables that
// grow: each must find its rows by an index, and by the one meant for it. With
// few rows PostgreSQL would rather read the table, so that is switched off.
func TestTheQueuesAreReadByTheirIndexes(t *testing.T) {
	t.Parallel()
	const at, key = 5, "x"
	plans := []struct {
		statement string
		args      []any
		indexes   []string // on both databases, by the index's or its table's name
	}{
		{"records_upcoming", []any{at, at, at, 1 << 40, 20}, []string{"record_by_start"}},
		{"brought_counts", []any{key}, []string{"facet"}},
		{"facet_top", []any{key, 30}, []string{"facet_top"}},
		{"facet_forget", []any{key, key}, []string{"facet"}},
		{"brought_latest", nil, []string{"record_by_origin"}},
		{"erasure_latest", []any{2}, []string{"erasure_reach"}},
		{"inbox_known", []any{key}, []string{"inbox"}},
		{"inbox_due", []any{at}, []string{"inbox_due"}},
		{"inbox_claim", []any{at, at, 100}, []string{"inbox_due", "inbox_leased"}},
		{"inbox_erase_object", []any{key, at}, []string{"inbox_of_object"}},
		{"inbox_erase_older", []any{key, 7}, []string{"inbox_of_object"}},
		{"inbox_erase_actor", []any{key, at}, []string{"inbox_of_actor"}},
		{"tidy_inbox", []any{"applied", at, 500}, []string{"inbox_kept"}},
		{"inbox_free_leases", nil, []string{"inbox_leased"}},
		{"delivery_claim", []any{key, at, at, 8}, []string{"delivery_due", "delivery_order", "host"}},
		{"delivery_behind", []any{7, at}, []string{"delivery_order"}},
		{"delivery_overtake", []any{7, at, key, key}, []string{"delivery_order"}},
		{"delivery_wake", []any{key, at, 500, at}, []string{"delivery_due"}},
		{"delivery_free_leases", nil, []string{"delivery_leased"}},
		{"deliveries_erase", []any{7}, []string{"activity_of_record", "delivery_of_activity"}},
		{"deliveries_erase_actor", []any{key}, []string{"activity_of_actor", "delivery_of_activity"}},
		{"activities_erase_actor", []any{key}, []string{"activity_of_actor"}},
		{"deliveries_forget", []any{key}, []string{"activity_of_receiver", "delivery_of_activity"}},
		{"direct_forget", []any{key}, []string{"activity_of_receiver"}},
		{"tidy_tombstones", []any{at, 500}, []string{"tombstone_of_stranger"}},
		{"tidy_adaptations", []any{at, 500}, []string{"adaptation_waiting"}},
		{"tidy_direct", []any{at, 500}, []string{"activity_direct", "delivery_of_activity"}},
		{"comments_held", []any{key, "y", 20}, []string{"item_held"}},
		{"host_due", []any{at, 100}, []string{"delivery_due", "delivery_order"}},
		{"dispatch_fan", []any{7, at, "l2", "l4", "https://h5", 500, "", "", "o7"}, []string{"follower_inbox", "delivery_order", "announce_of"}},
		{"dispatch_reached", []any{"l2", "l4", "https://h5", 500, "", "", "o7"}, []string{"follower_inbox", "announce_of"}},
		{"delivery_mention", []any{key, "l2", "h5", "https://h5/inbox", "o7", 7, at, "l4"}, []string{"follower_inbox", "delivery_order", "announce_of"}},
		{"announce_waiting", []any{at}, []string{"announce_"}},
		{"announce_actors", []any{at, 16}, []string{"announce_due"}},
		{"announce_next", []any{"a3", at, 16}, []string{"announce_next"}},
		{"announce_last", []any{"a3"}, []string{"announce_sent"}},
		{"announce_lately", []any{key, at, 21}, []string{"announce_made"}},
		{"announce_put_off", []any{"a3", at}, []string{"announce_next"}},
		{"announce_drop", []any{key}, []string{"announce_of"}},
		{"listed_all", []any{at, 20}, []string{"record_by_number"}},
		{"listed_all_after", []any{at, 20}, []string{"record_by_number"}},
		{"listed_theme", []any{at, 20, key}, []string{"record_by_number"}},
		{"listed_commune_after", []any{at, 20, "29019"}, []string{"record_"}},
		{"actor_name", []any{key}, []string{"name_of"}},
		{"follower_page", []any{key, key, 10}, []string{"follower"}},
		{"peer_by_host", []any{key, key}, []string{"delivery_due"}},
		{"outbox_page", []any{key, 100, 10}, []string{"record_by_number"}},
		{"outbox_page_after", []any{key, 100, 10}, []string{"record_by_number"}},
		{"count_published_by", []any{key}, []string{"record_by_territory"}},
		{"actor_by_key", []any{key}, []string{"actor_key"}},
		{"account_by_session", []any{key, at}, []string{"session"}},
		{"queue_deliveries", []any{key, at, 7, "", 100}, []string{"delivery_due"}},
		{"queue_deliveries_ended", []any{"failed", at, 7, "", 100}, []string{"delivery_ended"}},
		{"queue_inbound", []any{at, 7, 100}, []string{"inbox_due"}},
		{"queue_inbound_ended", []any{"failed", at, 7, 100}, []string{"inbox_ended"}},
		{"candidate_by_object", []any{key}, []string{"candidate"}},
		{"candidates_of_author", []any{key}, []string{"candidate_of_author"}},
		{"followed_answered", []any{key, key, "followed", at}, []string{"followed"}},
		{"wanted_due", []any{at}, []string{"wanted_due", "wanted_leased", "gathered"}},
		{"wanted_of_host", []any{key, "y", 100}, []string{"wanted_brought"}},
		{"tidy_gathered", []any{at, 500}, []string{"gathered_spent"}},
		{"wanted_claim", []any{key, at, at}, []string{"wanted"}},
		{"reaction_count", []any{key, key}, []string{"reaction"}},
		{"replies_page", []any{key, 7, 40}, []string{"comment_"}},
		{"replies_count", []any{key}, []string{"comment_"}},
		{"thread_page", []any{key, 7, 40}, []string{"comment_"}},
		{"adaptations_page", []any{key, 7, 40}, []string{"adaptation_of"}},
		{"adaptations_count", []any{key}, []string{"adaptation_of"}},
		{"adaptation_answered", []any{key, key, key}, []string{"adaptation_offer"}},
		{"branches", []any{`["x","y"]`, 200}, []string{"relation_", "adaptation"}},
		{"adaptations_open", []any{7, at, 50}, []string{"relation_", "delivery_of_activity"}},
		{"adaptations_of_host", []any{key, 200, at}, []string{"relation_"}},
		{"adaptations_held", []any{key}, []string{"relation_"}},
		{"adaptations_acknowledged", []any{key}, []string{"adaptation_of"}},
		{"adaptation_claim", []any{key}, []string{"adaptation"}},
		{"adaptations_erase_host", []any{key, key}, []string{"adaptation"}},
		{"adaptations_erase_parent", []any{key}, []string{"adaptation_of"}},
		{"parent_version", []any{key, key}, []string{"parent_version"}},
		{"parent_version_drop", []any{key, key, 7}, []string{"parent_version", "relation_"}},
		{"parent_versions_erase", []any{key}, []string{"parent_version"}},
		{"reactions_erase", []any{key}, []string{"reaction"}},
		{"quote_revoke", []any{key, key}, []string{"quote"}},
		{"follower_replace", []any{key, key}, []string{"follower", "moved"}},
		{"follows_here", []any{key}, []string{"follower_remote"}},
		{"moved_lately", []any{key, at}, []string{"moved"}},
		{"actors_stale", []any{at, at, 10}, []string{"actor_tried"}},
		{"follower_inbox", []any{key, key, key}, []string{"follower_remote"}},
		{"avatars_due", []any{at, at, 10}, []string{"avatar_due"}},
		{"avatar_named", []any{key}, []string{"avatar_file"}},
		{"avatars_want", []any{10}, []string{"comment_author_shown"}},
		{"followers_at", []any{key, key, 10}, []string{"follower_at"}},
		{"quotes_erase", []any{key}, []string{"quote_of_object"}},
		{"revisions_detach", []any{7, -1, 200}, []string{"revision_of_author"}},
		{"revisions_disown", []any{7, -1, 200}, []string{"revision_of_author"}},
		{"decisions_detach", []any{7, -1, 200}, []string{"decision_of_account"}},
		{"tidy_reports", []any{at}, []string{"report_"}},
		{"reports_over", []any{at, 500}, []string{"report_received"}},
		{"credited_page", []any{key, 7, 20}, []string{"record_credit"}},
		{"credits_delete", []any{7}, []string{"record_credit_of"}},
		{"credits_forget", []any{key}, []string{"record_credit"}},
		{"quote_remove_actor", []any{key}, []string{"quote_of_actor"}},
		{"withdrawals_of", []any{key}, []string{"withdrawal_of_host"}},
	}
	// What a plan may read whole, besides results of its own parts: tables of one row.
	whole := []string{"CONSTANT", "h", "due", "dispatch_cursor", "lately", "first"}
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for _, fill := range []string{
			`INSERT INTO delivery (activity_id, actor, host, inbox, order_key, n, state, attempt, next_at, lease_until, status, reason, created_at)
			WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3000)
			SELECT 'a' || n, 'x', 'h' || (n % 100), 'https://h' || (n % 100) || '/inbox', 'o' || n, n, 'waiting', 0, n, 0, 0, '', 1 FROM i`,
			`INSERT INTO activity (id, type, actor, rid, at)
			WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3000)
			SELECT 'a' || n, 'Create', 'x', n, 1 FROM i`,
			`INSERT INTO activity (id, type, actor, receiver, at)
			WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3000)
			SELECT 'd' || n, 'Accept', 'x', 'r' || n, n FROM i`,
			`INSERT INTO follower (local, remote, follow_id, inbox, host, state, created_at)
			WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3000)
			SELECT 'l' || (n % 30), 'r' || n, 'f', 'https://h' || (n % 100) || '/inbox', 'h' || (n % 100), CASE WHEN n % 2 = 0 THEN 'accepted' ELSE 'pending' END, 1 FROM i`,
			`INSERT INTO announce (actor, object, state, due_at, created_at, sent_at)
			WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3000)
			SELECT 'a' || (n % 30), 'o' || n, CASE WHEN n % 3 = 0 THEN 'waiting' ELSE 'sent' END, n, n, CASE WHEN n % 3 = 0 THEN NULL ELSE n END FROM i`,
		} {
			n.raw(t, fill)
		}
		conn, err := n.DB().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		explain := "EXPLAIN QUERY PLAN "
		if db.Name == "postgres" {
			explain = "EXPLAIN "
			for _, first := range []string{"ANALYZE", "SET enable_seqscan = off", "SET enable_bitmapscan = off"} {
				if _, err := conn.ExecContext(t.Context(), first); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, p := range plans {
			text, ok := n.Statements().Text(p.statement)
			if !ok {
				t.Errorf("no statement %s", p.statement)
				continue
			}
			rows, err := conn.QueryContext(t.Context(), explain+text, p.args...)
			if err != nil {
				t.Errorf("%s: %v", p.statement, err)
				continue
			}
			plan := readPlan(t, rows)
			for _, index := range p.indexes {
				if !strings.Contains(plan, "INDEX "+index) && !strings.Contains(plan, "sqlite_autoindex_"+index) &&
					!strings.Contains(plan, "using "+index) && !strings.Contains(plan, "on "+index+" ") {
					t.Errorf("%s does not use %s:\n%s", p.statement, index, plan)
				}
			}
			for line := range strings.Lines(plan) {
				table, scans := strings.CutPrefix(strings.TrimSpace(line), "SCAN ")
				if _, seq, found := strings.Cut(line, "Seq Scan on "); found {
					table, scans = seq, true
				}
				table, _, _ = strings.Cut(strings.TrimSpace(table), " ")
				if scans && !strings.Contains(line, "INDEX") && !slices.Contains(whole, table) &&
					!strings.Contains(plan, "CO-ROUTINE "+table+"\n") && !strings.Contains(plan, "MATERIALIZE "+table+"\n") {
					t.Errorf("%s reads the whole of %s:\n%s", p.statement, table, plan)
				}
			}
		}
	})
}

// readPlan gives the last column of each row.
func readPlan(t *testing.T, rows *sql.Rows) string {
	t.Helper()
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		into := make([]any, len(cols))
		var line string
		for i := range into {
			into[i] = new(any)
		}
		into[len(cols)-1] = &line
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
