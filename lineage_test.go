// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"slices"
	"strings"
	"testing"

	"essaim"
)

// terms are what each licence's own text says of an adaptation, and what
// follows from it for the licences of our table.
var terms = []struct{ licence, clause, allowed string }{
	{
		"cc-by-sa-4.0",
		`3(b)(1): "The Adapter's License You apply must be a Creative Commons license with the same License Elements, this version or later, or a BY-SA Compatible License." Listed as compatible: Free Art License 1.3, GNU GPL 3.`,
		"cc-by-sa-4.0 fal-1.3",
	},
	{
		"cc-by-4.0",
		`3(a)(4): "the Adapter's License You apply must not prevent recipients of the Adapted Material from complying with this Public License." CC BY-SA 4.0 repeats its conditions; the Free Art License is declared to keep those of BY-SA 4.0.`,
		"cc-by-4.0 cc-by-sa-4.0 fal-1.3",
	},
	{
		"cc0-1.0",
		`2: "Affirmer hereby overtly, fully, permanently, irrevocably and unconditionally waives [...] Copyright and Related Rights".`,
		"cc-by-sa-4.0 cc-by-4.0 cc0-1.0 cc-by-sa-3.0 cc-by-sa-2.0-fr fal-1.3 etalab-2.0 odbl-1.0 cc-pddc",
	},
	{
		"cc-by-sa-3.0",
		`4(b): "only under the terms of: (i) this License; (ii) a later version of this License with the same License Elements as this License; (iii) a Creative Commons jurisdiction license (either this or a later license version) [...]; (iv) a Creative Commons Compatible License." None was declared for 3.0.`,
		"cc-by-sa-3.0 cc-by-sa-4.0",
	},
	{
		"cc-by-sa-2.0-fr",
		`4(b): une Œuvre dérivée, « uniquement sous les termes du présent Contrat, ou d’une version ultérieure de ce Contrat comprenant les mêmes Options », ou d’un contrat iCommons comprenant les mêmes Options.`,
		"cc-by-sa-2.0-fr cc-by-sa-3.0 cc-by-sa-4.0",
	},
	{
		"fal-1.3",
		`5: a licence is compatible that grants the same rights, credits, and recognises the Free Art License in return; CC BY-SA 4.0 does, and was declared so by both.`,
		"fal-1.3 cc-by-sa-4.0",
	},
	{
		"etalab-2.0",
		`« conçue pour être compatible avec toute licence libre qui exige au moins la mention de paternité ».`,
		"etalab-2.0 cc-by-4.0 cc-by-sa-4.0 cc-by-sa-3.0 cc-by-sa-2.0-fr fal-1.3 odbl-1.0",
	},
	{
		"odbl-1.0",
		`4.4(a): "Any Derivative Database that You Publicly Use must be only under the terms of: i. This License; ii. A later version of this License similar in spirit to this License; or iii. A compatible license." None was declared.`,
		"odbl-1.0",
	},
	{
		"cc-pddc",
		`"dedicates whatever copyright [...] to the public domain": no condition.`,
		"cc-by-sa-4.0 cc-by-4.0 cc0-1.0 cc-by-sa-3.0 cc-by-sa-2.0-fr fal-1.3 etalab-2.0 odbl-1.0 cc-pddc",
	},
	{"cc-by-nc-nd", `2(a)(1)(B): "produce and reproduce, but not Share, Adapted Material".`, ""},
	{"tous-droits", `No right but those of the law.`, ""},
}

func TestAnAdaptationCarriesWhatTheTermsOfItsParentAllow(t *testing.T) {
	t.Parallel()
	if got, want := len(terms), len(essaim.Licences()); got != want {
		t.Fatalf("terms of %d licences, the table has %d", got, want)
	}
	for _, tt := range terms {
		allowed := strings.Fields(tt.allowed)
		for _, l := range essaim.Licences() {
			want := slices.Contains(allowed, l.ID)
			if got := essaim.MayAdaptUnder(tt.licence, l.ID); got != want {
				t.Errorf("%s adapted under %s: got %v, want %v; its terms: %s", tt.licence, l.ID, got, want, tt.clause)
			}
		}
		rule := essaim.AdaptationRule(strings.ToUpper(tt.licence))
		if rule.Reason("fr") == "" || rule.Reason("en") == "" || rule.Reason("fr") == rule.Reason("en") {
			t.Errorf("%s: why is not said in both languages: %+v", tt.licence, rule)
		}
	}
}

func TestAnAdaptationStaysFree(t *testing.T) {
	t.Parallel()
	for _, l := range essaim.Licences() {
		rule := essaim.AdaptationRule(l.ID)
		if (len(rule.To) > 0) != l.Free {
			t.Errorf("%s may be adapted: %v, is free: %v", l.ID, len(rule.To) > 0, l.Free)
		}
		for _, to := range rule.To {
			if !essaim.Reusable(to) {
				t.Errorf("%s adapted under %s, which is not free", l.ID, to)
			}
		}
		if l.Free && !slices.Contains(rule.To, l.ID) {
			t.Errorf("%s does not allow itself", l.ID)
		}
	}
	for _, unknown := range []string{"", "mit"} {
		if r := essaim.AdaptationRule(unknown); len(r.To) != 0 || r.Reason("en") == "" || essaim.MayAdaptUnder(unknown, essaim.DefaultLicence) {
			t.Errorf("licence %q: %+v", unknown, r)
		}
	}
}
