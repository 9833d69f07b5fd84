// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"essaim"
)

// memorySink keeps what a database would, to see what the pipeline asks of it.
type memorySink struct {
	digests map[string]string
	chunks  []int
	ended   []essaim.ImportReport
	fail    error
}

func (s *memorySink) BeginImport(context.Context, essaim.Import) (int64, error) { return 7, s.fail }

func (s *memorySink) EndImport(_ context.Context, _ int64, r essaim.ImportReport) error {
	s.ended = append(s.ended, r)
	return nil
}

func (s *memorySink) CompareRows(_ context.Context, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error) {
	out := make([]essaim.ImportOutcome, len(rows))
	for i, r := range rows {
		known, ok := s.digests[r.Key]
		switch {
		case !ok:
			out[i] = essaim.ImportCreated
		case known != r.Digest:
			out[i] = essaim.ImportChanged
		default:
			out[i] = essaim.ImportUnchanged
		}
	}
	return out, s.fail
}

func (s *memorySink) ImportRows(ctx context.Context, id int64, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error) {
	if id != 7 {
		return nil, errors.New("rows of another import")
	}
	s.chunks = append(s.chunks, len(rows))
	out, err := s.CompareRows(ctx, rows)
	for _, r := range rows {
		s.digests[r.Key] = r.Digest
	}
	return out, err
}

func importText(t *testing.T, sink Sink, text string, dry bool) (Result, error) {
	t.Helper()
	f, err := Open(strings.NewReader(text), FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Guess(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConverter(f, m, ConvertConfig{Kind: essaim.KindVenue, Licence: "etalab-2.0", Attribution: "A"})
	if err != nil {
		t.Fatal(err)
	}
	return Import(t.Context(), Options{Import: essaim.Import{File: "f.csv"}, DryRun: dry}, f, c, sink)
}

func TestImportIsIdempotentByKeyAndDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("id;nom;code insee\n")
	for i := range 450 {
		b.WriteString(strconv.Itoa(i) + ";Lieu;29019\n")
	}
	b.WriteString("450;;29019\n7;Encore;29019\n")
	text := b.String()
	sink := &memorySink{digests: map[string]string{}}
	for _, step := range []struct {
		name, text string
		dry        bool
		want       string
	}{
		{"dry run", text, true, "rows 452 created 450 changed 0 unchanged 0 refused 2"},
		{"first", text, false, "rows 452 created 450 changed 0 unchanged 0 refused 2"},
		{"second", text, false, "rows 452 created 0 changed 0 unchanged 450 refused 2"},
		{"one row changed", strings.Replace(text, "9;Lieu", "9;Maison", 1), false, "rows 452 created 0 changed 1 unchanged 449 refused 2"},
	} {
		res, err := importText(t, sink, step.text, step.dry)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := Line(res.Report); got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
		if step.dry && (len(sink.chunks) > 0 || len(sink.ended) > 0 || res.ID != 0) {
			t.Errorf("a dry run wrote: %v %v", sink.chunks, sink.ended)
		}
	}
	if got, want := sink.chunks[:3], []int{200, 200, 50}; !cmp.Equal(got, want) {
		t.Errorf("chunks: got %v, want %v", got, want)
	}
	if got, want := len(sink.ended), 3; got != want {
		t.Errorf("reports kept: got %d, want %d", got, want)
	}
}

func TestImportReportsWhatCandidatesLack(t *testing.T) {
	t.Parallel()
	sink := &memorySink{digests: map[string]string{}}
	res, err := importText(t, sink, "kind,nom,ville\ninitiative,Jardin,Brest\nvenue,Salle,Brest\n", false)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := res.Report.Candidates, 1; got != want {
		t.Errorf("candidates: got %d, want %d", got, want)
	}
	if got, want := res.MissingFields(), []string{"tagline", "themes"}; !cmp.Equal(got, want) {
		t.Errorf("missing: got %v, want %v", got, want)
	}
}

// What a column is called says nothing of what people wrote in it.
func TestContactsInTextsAreCutOrKeptAside(t *testing.T) {
	t.Parallel()
	const text = "id;nom;code insee;description;telephone\n1;Lieu, 02 98 00 00 00;29019;Écrire à a@mairie.example.;02 98 00 00 01\na@mairie.example;Salle;29019;Ouvert;\n2;06 00 00 00 00;29019;Ouvert;\n"
	for _, keep := range []bool{false, true} {
		f, err := Open(strings.NewReader(text), FormatAuto)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Guess(f, nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewConverter(f, m, ConvertConfig{Kind: essaim.KindVenue, Licence: "etalab-2.0", Attribution: "A", Contacts: keep})
		if err != nil {
			t.Fatal(err)
		}
		sink := &rowSink{}
		res, err := Import(t.Context(), Options{}, f, c, sink)
		if err != nil || res.Report.Refused != 1 || res.Report.Contacts != 2 || len(sink.rows) != 2 {
			t.Fatalf("%+v, %v", res, err)
		}
		got := sink.rows[0].Content
		if got.Title != "Lieu, …" || got.Text != "Écrire à …" {
			t.Errorf("got %q and %q", got.Title, got.Text)
		}
		if want := map[bool]int{true: 3}[keep]; len(got.Contacts) != want {
			t.Errorf("kept %v, want %d", got.Contacts, want)
		}
		if key := sink.rows[1].Content.Sources[0].Key; key != "" {
			t.Errorf("the key that is published is %q", key)
		}
	}
}

// rowSink keeps the rows.
type rowSink struct {
	memorySink
	rows []essaim.ImportRow
}

func (s *rowSink) ImportRows(_ context.Context, _ int64, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error) {
	s.rows = append(s.rows, rows...)
	return make([]essaim.ImportOutcome, len(rows)), nil
}

func TestAFileThatBreaksKeepsWhatWasRead(t *testing.T) {
	t.Parallel()
	sink := &memorySink{digests: map[string]string{}}
	f, err := Open(io.MultiReader(strings.NewReader(`{"type":"FeatureCollection","features":[`+
		strings.Repeat(`{"type":"Feature","id":1,"properties":{"name":"A"},"geometry":{"type":"Point","coordinates":[1,47]}},`, 1)+`{"type`)), FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Guess(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConverter(f, m, ConvertConfig{Kind: essaim.KindVenue, Licence: "etalab-2.0", Attribution: "A"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := Import(t.Context(), Options{}, f, c, sink)
	if !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
	if res.Report.Rows != 1 || len(sink.ended) != 1 {
		t.Errorf("got %+v, reports %v", res.Report, sink.ended)
	}
}

// codeSink counts the rows whose place has an official code, and keeps what
// looks like a way to reach people.
type codeSink struct {
	memorySink
	coded int
	reach []string
}

// reachable is looser than what is cut: whatever has the shape of an address or
// of a number of France.
var reachable = regexp.MustCompile(`[^ "@]+@[^ "@]+\.\pL\pL|(?:[^\d.,]|^)(?:\(0\) ?|0|33 ?|33 ?0)[1-9](?:[ ./\x{A0}-]{0,3}\d\d){4}(?:\D|$)|\+\d[\d ().-]{8}`)

func (s *codeSink) ImportRows(ctx context.Context, id int64, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error) {
	for _, r := range rows {
		if pl := r.Content.Places[0]; pl.INSEE+pl.EPCI+pl.Departement+pl.Region != "" {
			s.coded++
		}
		said := r.Content
		said.Links, said.Sources = nil, nil
		b, err := json.Marshal(said)
		if err != nil {
			return nil, err
		}
		if m := reachable.Find(b); m != nil {
			s.reach = append(s.reach, string(m))
		}
	}
	return s.memorySink.ImportRows(ctx, id, rows)
}

func BenchmarkConvert(b *testing.B) {
	var text strings.Builder
	text.WriteString("id,name,description,latitude,longitude,themes,url\n")
	for i := range b.N {
		n := strconv.Itoa(i)
		text.WriteString(n + ",Lieu " + n + "," + strings.Repeat("partage quartier ", 24) + "," +
			strconv.FormatFloat(42+float64(i%800)/100, 'f', 4, 64) + "," + strconv.FormatFloat(-4+float64(i%1100)/100, 'f', 4, 64) +
			",alimentation,https://places.example/" + n + "\n")
	}
	f, err := Open(strings.NewReader(text.String()), FormatCSV)
	if err != nil {
		b.Fatal(err)
	}
	m, err := Guess(f, nil)
	if err != nil {
		b.Fatal(err)
	}
	c, err := NewConverter(f, m, ConvertConfig{Kind: essaim.KindVenue, Licence: "cc-by-4.0", Attribution: "A"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for r := range f.Rows() {
		if _, err := c.Convert(r); err != nil {
			b.Fatal(err)
		}
	}
}
