// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"essaim"
)

func meeting(m essaim.Meeting, with ...func(*essaim.Record)) essaim.Record {
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	r := essaim.Record{
		ID: "https://brest.example/objects/1", URL: "https://brest.example/rencontres/forum", State: essaim.StatePublished, Revision: 3, Published: at, Updated: at.Add(time.Hour),
		Content: essaim.Content{Kind: essaim.KindMeeting, Title: "Forum", Licence: "cc-by-sa-4.0", Body: &m},
	}
	for _, f := range with {
		f(&r)
	}
	return r
}

func calendarOf(t *testing.T, r essaim.Record) string {
	t.Helper()
	var b bytes.Buffer
	n, err := Calendar{Name: "Agenda"}.Write(&b, items([]essaim.Record{r}))
	if err != nil || n != 1 {
		t.Fatalf("%d meetings, %v", n, err)
	}
	return b.String()
}

func TestACalendarsLinesAreFoldedAndEscaped(t *testing.T) {
	t.Parallel()
	start := time.Date(2027, 3, 13, 17, 30, 0, 0, time.UTC)
	text := strings.Repeat("Été ; œuvre, \\ligne\nsuite – ", 40)
	got := calendarOf(t, meeting(essaim.Meeting{Start: start}, func(r *essaim.Record) { r.Text, r.Title = text, "Un titre\r\nEND:VCALENDAR" }))
	var unfolded strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(got, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("%d octets: %q", len(line), line)
		}
		if rest, folded := strings.CutPrefix(line, " "); folded {
			unfolded.WriteString(rest)
		} else {
			unfolded.WriteString("\n" + line)
		}
	}
	back := strings.NewReplacer(`\n`, "\n", `\;`, ";", `\,`, ",", `\\`, `\`).Replace(unfolded.String())
	if !strings.Contains(back, strings.TrimSpace(text)) {
		t.Errorf("the text came out as %q", back)
	}
	if n := strings.Count(unfolded.String(), "\nEND:VCALENDAR"); n != 1 {
		t.Errorf("a title ends the calendar: %s", got)
	}
}

func TestAMeetingsTimesAreThoseOfItsPage(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := func(d, h, m int) time.Time { return time.Date(2027, 7, d, h, m, 0, 0, paris) }
	for _, c := range []struct {
		name string
		m    essaim.Meeting
		want []string
	}{
		{"an evening", essaim.Meeting{Start: at(13, 17, 30), End: at(13, 20, 0)}, []string{"DTSTART:20270713T153000Z", "DTEND:20270713T180000Z", "STATUS:CONFIRMED"}},
		{"no end", essaim.Meeting{Start: at(13, 17, 30), Status: "cancelled"}, []string{"DTSTART:20270713T153000Z", "STATUS:CANCELLED"}},
		{"a day", essaim.Meeting{Start: at(13, 0, 0), Status: "tentative"}, []string{"DTSTART;VALUE=DATE:20270713", "DTEND;VALUE=DATE:20270714", "STATUS:TENTATIVE"}},
		{"a day to its last minute", essaim.Meeting{Start: at(13, 0, 0), End: at(13, 23, 59)}, []string{"DTSTART;VALUE=DATE:20270713", "DTEND;VALUE=DATE:20270714"}},
		{"two days", essaim.Meeting{Start: at(13, 0, 0), End: at(14, 0, 0)}, []string{"DTSTART;VALUE=DATE:20270713", "DTEND;VALUE=DATE:20270715"}},
		{"until midnight", essaim.Meeting{Start: at(13, 20, 0), End: at(14, 0, 0)}, []string{"DTSTART:20270713T180000Z", "DTEND:20270713T220000Z"}},
		{"a last day without its hour", essaim.Meeting{Start: at(13, 20, 0), End: at(15, 0, 0)}, []string{"DTSTART:20270713T180000Z", "DTEND:20270715T220000Z"}},
		{"another zone", essaim.Meeting{Start: at(13, 6, 0), Timezone: "America/Montreal"}, []string{"DTSTART;VALUE=DATE:20270713"}},
	} {
		got := calendarOf(t, meeting(c.m))
		for _, line := range append(c.want, "SEQUENCE:3", "UID:https://brest.example/objects/1", "DTSTAMP:20260203T050506Z") {
			if !strings.Contains(got, "\r\n"+line+"\r\n") {
				t.Errorf("%s: no %s in %s", c.name, line, got)
			}
		}
	}
}

func TestACalendarHoldsNoTextThatMayNotBeCopied(t *testing.T) {
	t.Parallel()
	got := calendarOf(t, meeting(essaim.Meeting{Start: time.Now(), Programme: "Le programme"}, func(r *essaim.Record) { r.Licence, r.Text = "tous-droits", "Le texte" }))
	if strings.Contains(got, "Le programme") || strings.Contains(got, "Le texte") || !strings.Contains(got, "SUMMARY:Forum") {
		t.Errorf("got %s", got)
	}
}

// moving is a list of which records change while it is read.
type moving struct {
	list []essaim.Record // the newest last
	read int
}

func (m *moving) Document(context.Context, string) ([]byte, error) { return nil, essaim.ErrNotFound }

func (m *moving) Search(_ context.Context, q essaim.Query) (essaim.Results, error) {
	if m.read++; m.read == 2 { // the one not read yet becomes the newest, and so does one that was
		for _, i := range []int{0, len(m.list) - 2} {
			r := m.list[i]
			r.Updated = m.list[len(m.list)-1].Updated.Add(time.Second)
			m.list = append(m.list, r)
			m.list[i].State = "moved"
		}
	}
	var res essaim.Results
	for i := len(m.list) - 1; i >= 0; i-- {
		r := m.list[i]
		at := r.Updated.Format(time.RFC3339)
		switch {
		case r.State == "moved", q.After != "" && at >= q.After, !r.Updated.After(q.Since):
		case len(res.Records) == q.Limit:
			res.Next = res.Records[len(res.Records)-1].Updated.Format(time.RFC3339)
			return res, nil
		default:
			res.Records = append(res.Records, r)
		}
	}
	return res, nil
}

func TestARecordThatMovesWhileAListIsReadIsGivenOnce(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := &moving{}
	for i := range 150 {
		m.list = append(m.list, essaim.Record{ID: string(rune('A' + i)), State: essaim.StatePublished, Updated: began.Add(time.Duration(i-150) * time.Second)})
	}
	m.list[149].Updated = began
	seen := map[string]int{}
	for item, err := range Walk(t.Context(), m, essaim.Query{}, Walked{Began: began}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[item.Record.ID]++
	}
	if len(seen) != 150 || m.read < 3 {
		t.Errorf("%d of 150 records in %d pages", len(seen), m.read)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is given %d times", id, n)
		}
	}
}
