// SPDX-License-Identifier: AGPL-3.0-or-later

package fedtest

import (
	"testing"
	"time"

	"essaim"
)

// FullRecord has every field of a kind set.
func FullRecord(t testing.TB, info essaim.KindInfo) essaim.Record {
	t.Helper()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := fullContent()
	c.Kind, c.Body = info.Kind, fullBody(t, info.Kind)
	slug := "atelier-de-reparation-" + string(info.Kind)
	return essaim.Record{
		ID: "https://brest.example/objects/01JREC" + string(info.Kind), Slug: slug,
		Territory: "https://brest.example/actors/brest", TerritoryName: "Brest métropole",
		URL: "https://brest.example/" + info.Path + "/" + slug, State: essaim.StatePublished,
		Incarnation: 1_767_225_600, Revision: 3,
		Published: noon, Updated: noon.Add(24 * time.Hour),
		Content: c,
	}
}

func fullContent() essaim.Content {
	lat, lon := essaim.Point(48.3828, -4.5032)
	lat2, lon2 := essaim.Point(48.4, -4.48)
	return essaim.Content{
		Title: "Brest: réparer <ensemble> & durer", Tagline: "Réparer ensemble, chaque samedi à Recouvrance",
		Text: "Chaque samedi, on **répare** avec @atelier@m.example.\n\n- vélos\n- radios", Language: "fr",
		Mentions: []essaim.Mention{{Handle: "@atelier@m.example", Actor: "https://m.example/users/atelier"}},
		Places: []essaim.Place{
			{
				Label: "Maison pour tous", Street: "2 rue de l’Exemple", Postcode: "29200", City: "Brest", Country: "FR", INSEE: "29019",
				EPCI: "242900314", Departement: "29", Region: "53", Lat: lat, Lon: lon, Approximate: true, Level: "quartier",
			},
			{Label: "Atelier des Capucins", City: "Brest", Country: "FR", Lat: lat2, Lon: lon2},
			{Departement: "29", Level: "departement"},
		},
		Everywhere: true, Themes: []string{"alimentation", "brest.example:algues"}, Keywords: []string{"repair café", "vélo"},
		Networks: []string{"https://reseau.example/repair"}, Licence: "cc-by-sa-4.0", Holder: "Brest métropole",
		Images: []essaim.Image{
			{URL: "https://brest.example/m/1.jpg", MediaType: "image/jpeg", Alt: "Trois personnes autour d’un vélo", Author: "Atelier de Recouvrance", Licence: "cc-by-4.0", Width: 1200, Height: 800},
			{URL: "https://brest.example/m/2.png", MediaType: "image/png", Alt: "L’établi"},
		},
		Links:   []essaim.Link{{URL: "https://atelier.example/", Name: "Le site de l’atelier"}},
		Sources: []essaim.Source{{URL: "https://source.example/1", Name: "Journal local", Fetched: "2026-02-01", Key: "row-17"}},
		Credits: []essaim.Credit{
			{Name: "Atelier de Recouvrance", Actor: "https://brest.example/actors/structure_atelier", Kind: "association", Role: "porteur", FromStage: "ideation", ToStage: "deploiement", Since: "2019", Person: true, Consent: &essaim.Consent{On: "2026-01-05", How: "link", Fields: []string{"name"}}},
			{Name: "Réseau des ateliers", Role: "animateur"},
			{Name: "Ambassade de Toulouse", Role: "ambassadeur"},
			{Name: "Lycée de l’Exemple", Role: "partenaire"},
			{Name: "Fondation de l’Exemple", Kind: "fondation", Role: "financeur"},
		},
		Relations: []essaim.Relation{
			{Type: essaim.RelationAdapts, Target: "https://toulouse.example/objects/1", Name: "L’atelier d’origine"},
			{Type: essaim.RelationDocuments, Target: "https://brest.example/objects/2", Name: "Une initiative"},
			{Type: essaim.RelationRemakes, Target: "https://brest.example/objects/3", Name: "Une reprise"},
			{Type: essaim.RelationAbout, Target: "https://brest.example/objects/4", Name: "Un sujet"},
			{Type: essaim.RelationAnswers, Target: "https://brest.example/objects/5", Name: "Un appel"},
			{Type: essaim.RelationHosts, Target: "https://brest.example/objects/6", Name: "Un hôte"},
			{Type: essaim.RelationWithin, Target: "https://brest.example/objects/7", Name: "Un lieu"},
			{Type: essaim.RelationMember, Target: "https://brest.example/objects/8", Name: "Un réseau"},
			{Type: essaim.RelationCites, Target: "https://brest.example/objects/9", Name: "Une fiche citée"},
		},
		DerivedFrom:   &essaim.Derivation{ID: "https://toulouse.example/objects/1", Digest: "ab12", Name: "L’atelier d’origine", AttributedTo: "https://toulouse.example/actors/toulouse", Licence: "cc-by-4.0"},
		TranslationOf: "https://tourcoing.example/objects/4",
		HelpWanted:    []essaim.HelpNotice{{Kind: "benevolat", Text: "Deux personnes le samedi", Until: "2026-06-30"}},
		HelpOffered:   []essaim.HelpNotice{{Kind: "materiel", Text: "Une perceuse", Until: "2026-07"}},
		CollectedBy:   "Animatrice du territoire", CollectedOn: "2026-02-02", ReviewedOn: "2026-02-28",
		Contacts: []essaim.Contact{{Kind: "email", Value: "contact@atelier.example"}},
	}
}

func fullBody(t testing.TB, kind essaim.Kind) essaim.Body {
	t.Helper()
	switch kind {
	case essaim.KindInitiative:
		return &essaim.Initiative{
			Stage: "deploiement", Activity: "active", Since: "2019-05", Until: "2030", Purposes: []string{"lien-social", "economiser-ressources"},
			Forms: []string{"service"}, Publics: []string{"habitants du quartier"}, Methods: []string{"entraide"}, Scope: "quartier",
			Need: "Trop d’objets **jetés**.", Participation: "Les habitants décident.", Trigger: "Une panne.", Novelty: "Le prêt d’outils.",
			SocialValue: "Du lien.", EconomicModel: "Prix libre.", Transferability: "Partout.", Levers: "Le local.", Obstacles: "Les pièces.", Advice: "Commencer petit.",
			Indicators: []essaim.Indicator{{Label: "Objets réparés", Value: "412", Unit: "objets", Source: "registre de l’atelier", Date: "2025"}},
		}
	case essaim.KindRecipe:
		return &essaim.Recipe{
			Yields: "Un atelier.", Duration: "une demi-journée", Difficulty: "facile", GroupSize: "4 à 12", Cost: "50 €", Readiness: "tested",
			Ingredients: []string{"une table", "du thé"}, Tools: []string{"tournevis"},
			Steps: []essaim.Step{
				{Name: "Accueillir", Content: "Dire *bonjour*.", Tip: "Du thé.", Trap: "La file.", Image: &essaim.Image{URL: "https://brest.example/m/3.webp", MediaType: "image/webp", Alt: "L’accueil", Author: "Atelier", Licence: "cc0-1.0", Width: 10, Height: 20}},
				{Name: "Réparer"},
			},
			Methods: []string{"entraide"}, Levers: "Le local.", Obstacles: "Le bruit.", Advice: "Prévenir.",
		}
	case essaim.KindVenue:
		return &essaim.Venue{Services: []string{"outillage", "café"}, OpeningHours: []string{"Mo,Tu 09:00-12:00", "Sa"}, Access: "Tram A, de plain-pied."}
	case essaim.KindOrganisation:
		return &essaim.Organisation{LegalForm: "association", AddressSince: "2020-01", Founded: "1998", RNA: "W291000000", SIREN: "123456789", Services: []string{"conseil"}}
	case essaim.KindRemake:
		return &essaim.Remake{Outcome: "adapted", On: "2026-02", Changes: "Le *samedi* plutôt que le soir.", Advice: "Prévoir du thé."}
	case essaim.KindMeeting:
		return &essaim.Meeting{
			Start: time.Date(2026, 3, 14, 13, 30, 0, 0, time.UTC), End: time.Date(2026, 3, 14, 16, 0, 0, 0, time.UTC), Timezone: "Europe/Paris",
			Form: "atelier", Status: "tentative", Series: "Samedis réparation", Edition: "12", Registration: "https://billets.example/12",
			Online: "https://visio.example/12", Programme: "- accueil\n- ateliers", Account: "Quarante personnes.",
		}
	}
	t.Fatalf("no sample of kind %s: add one", kind)
	return nil
}
