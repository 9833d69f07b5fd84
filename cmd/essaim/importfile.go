// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"essaim"
	"essaim/web/transfer"
)

// importOptions say what a file is and how its columns are read.
type importOptions struct {
	Licence     string   `placeholder:"ID" help:"Licence of the data, an SPDX identifier: etalab-2.0, ODbL-1.0, CC-BY-SA-4.0, CC-PDDC… Required."`
	Attribution string   `placeholder:"NAME" help:"Who made the data and holds its rights. Required."`
	Kind        string   `placeholder:"KIND" help:"initiative, recipe, venue, organisation, meeting or remake; guessed when not given."`
	Map         []string `sep:"none" placeholder:"FIELD=COLUMN" help:"Column of a field, in place of the guess; FIELD= leaves the field out. Repeatable."`
	Format      string   `enum:"auto,csv,geojson" default:"auto" help:"auto, csv or geojson."`
	Source      string   `placeholder:"URL" help:"Address of the data set, shown as its source."`
	Language    string   `placeholder:"TAG" help:"Language of texts that do not say theirs (fr)."`
	Contacts    bool     `help:"Keep e-mail and telephone, in this node only: never published nor exported."`
	DryRun      bool     `help:"Say what would be done, and change nothing."`
}

// importFile reads a file into a sink and reports, the counts last. name is the
// file as the report and the provenance name it.
func (o importOptions) importFile(ctx context.Context, a *app, g *essaim.Gazetteer, themes essaim.Thesaurus, name string, r io.Reader, sink transfer.Sink) error {
	f, err := transfer.Open(r, transfer.Format(o.Format))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := o.require(f); err != nil {
		return err
	}
	m, err := o.mapping(f)
	if err != nil {
		return err
	}
	kind, why := m.GuessKind(f)
	if o.Kind != "" {
		kind, why = essaim.Kind(strings.ToLower(o.Kind)), "as asked"
	}
	source := o.Source
	if source == "" && strings.HasPrefix(f.Declared.Source, "http") {
		source = f.Declared.Source
	}
	c, err := transfer.NewConverter(f, m, transfer.ConvertConfig{
		Kind: kind, Licence: o.Licence, Attribution: o.Attribution, SourceURL: source,
		Language: o.Language, Contacts: o.Contacts, Gazetteer: g, Thesaurus: themes, Now: a.now,
	})
	if err != nil {
		return usageError{err.Error()}
	}
	a.describeFile(f, m.Describe(o.Contacts), kind, why)
	res, err := transfer.Import(ctx, transfer.Options{
		Import: essaim.Import{
			StartedAt: a.now(), File: name, Kind: kind, Licence: strings.ToLower(o.Licence), Attribution: o.Attribution,
		},
		DryRun: o.DryRun,
	}, f, c, sink)
	a.describeResult(res, o.DryRun)
	return err
}

// require asks for licence and attribution, and proposes what the file declares.
func (o importOptions) require(f *transfer.File) error {
	proposal := func(flag, declared string) string {
		if declared == "" {
			return ""
		}
		return fmt.Sprintf("; the file declares %q: if that is right, add %s %q", declared, flag, declared)
	}
	if o.Licence == "" {
		declared := f.Declared.Licence
		if id, ok := transfer.MatchLicence(declared); ok {
			declared = id
		}
		return usagef("--licence is required: the licence under which the data was published%s", proposal("--licence", declared))
	}
	if o.Attribution == "" {
		declared := f.Declared.Attribution
		if declared == "" {
			declared = f.Declared.Source
		}
		return usagef("--attribution is required: who made the data%s", proposal("--attribution", declared))
	}
	return nil
}

func (o importOptions) mapping(f *transfer.File) (*transfer.Mapping, error) {
	override := map[string]string{}
	for _, s := range o.Map {
		field, column, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usagef("--map %s: write FIELD=COLUMN", s)
		}
		override[field] = column
	}
	m, err := transfer.Guess(f, override)
	if errors.Is(err, essaim.ErrInvalid) {
		return nil, usageError{strings.TrimSuffix(err.Error(), ": "+essaim.ErrInvalid.Error())}
	}
	return m, err
}

// describeFile says what was recognised, before anything is written.
func (a *app) describeFile(f *transfer.File, mapping []string, kind essaim.Kind, why string) {
	if f.Own {
		fmt.Fprintf(a.out, "a file of Essaim: licence, holder and source are those of each row\n")
		return
	}
	fmt.Fprintf(a.out, "kind %s (%s)\n", kind, why)
	for _, line := range mapping {
		fmt.Fprintln(a.out, line)
	}
}

func (a *app) describeResult(res transfer.Result, dry bool) {
	for _, r := range res.Refusals {
		fmt.Fprintf(a.out, "line %d refused: %s\n", r.Line, r.Reason)
	}
	if more := res.Report.Refused - len(res.Refusals); more > 0 {
		fmt.Fprintf(a.out, "and %d more refused\n", more)
	}
	if n := res.Report.Candidates; n > 0 {
		fmt.Fprintf(a.out, "%d unpublished candidates; they lack: %s\n", n, strings.Join(res.MissingFields(), ", "))
	}
	if n := res.Report.Contacts; n > 0 {
		fmt.Fprintf(a.out, "%d e-mail addresses and telephone numbers cut out of texts\n", n)
	}
	if dry {
		fmt.Fprintln(a.out, "dry run: nothing was changed")
	} else if res.ID != 0 {
		fmt.Fprintf(a.out, "import %d (to undo it: essaim import undo %d)\n", res.ID, res.ID)
	}
	fmt.Fprintln(a.out, transfer.Line(res.Report))
}
