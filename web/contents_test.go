// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"time"

	"essaim"
)

// fullContents has a record of each kind with every field that a form asks for.
func fullContents() []essaim.Content {
	lat, lon := essaim.Point(48.3871, -4.4883)
	head := func(k essaim.Kind, title string) essaim.Content {
		return essaim.Content{
			Kind: k, Title: title, Language: "fr",
			Tagline:  "Des voisines et des voisins réparent, cuisinent et jardinent ensemble, chaque semaine, au pied des immeubles.",
			Text:     "Tout a commencé par *une table* sortie sur le trottoir. Depuis, **quarante foyers** s’y retrouvent : on répare, on cuisine, on jardine.\n\n- le mardi, l’atelier vélo ;\n- le jeudi, la soupe ;\n- le samedi, le jardin.\n\nVoir [le carnet](https://carnet.example/table).",
			Places:   []essaim.Place{{Label: "Place de la Liberté", Street: "12 rue de la Table", City: "Brest", INSEE: "29019", Lat: lat, Lon: lon}},
			Themes:   []string{"lien-social", "reemploi", "alimentation"},
			Keywords: []string{"voisinage", "réparation"}, Networks: []string{"https://reseau.example/"},
			Licence: "cc-by-sa-4.0", Holder: "Association La Table",
			Links:         []essaim.Link{{URL: "https://latable.example/", Name: "Le site de La Table"}, {URL: "https://video.example/w/1"}},
			Sources:       []essaim.Source{{URL: "https://journal.example/article1", Name: "Journal de quartier", Fetched: "2026-03-02", Key: "row-1"}},
			Credits:       []essaim.Credit{{Name: "Association La Table", Role: "porteur", Kind: "association", Since: "2019-05"}, {Name: "Ville de Brest", Role: "financeur", Kind: "collectivite"}, {Name: "Voisine", Role: "innovateur", Person: true}},
			HelpWanted:    []essaim.HelpNotice{{Kind: "benevolat", Text: "Deux personnes le samedi matin", Until: "2026-12"}},
			HelpOffered:   []essaim.HelpNotice{{Kind: "temoignage", Text: "Nous recevons volontiers d’autres quartiers"}},
			CollectedBy:   "Animatrice de démonstration",
			CollectedOn:   "2026-02",
			ReviewedOn:    "2026-03-03",
			TranslationOf: "https://autre.example/objects/1",
			DerivedFrom:   &essaim.Derivation{ID: "https://toulouse.example/objects/2", Digest: "00", Name: "La table de Toulouse", AttributedTo: "https://toulouse.example/actors/toulouse", Licence: "cc-by-sa-4.0"},
			Relations:     []essaim.Relation{{Type: essaim.RelationCites, Target: "https://autre.example/objects/9", Name: "Une fiche d’ailleurs"}},
		}
	}
	i := head(essaim.KindInitiative, "Complet initiative")
	i.Body = &essaim.Initiative{
		Stage: "essaimage", Activity: "active", Since: "2019-05", Until: "2026-11", Purposes: []string{"lien-social", "estime-de-soi"}, Forms: []string{"pratique", "service"},
		Publics: []string{"habitantes et habitants", "jeunes"}, Methods: []string{"chantier ouvert"}, Scope: "quartier",
		Need: "Se croiser sans se connaître : il manquait un prétexte.", Participation: "Qui veut, quand elle ou il veut.", Trigger: "Une panne de machine à laver.", Novelty: "Aucune inscription.",
		SocialValue: "Des liens, et moins de déchets.", EconomicModel: "Prix libre et une aide de la ville.", Transferability: "Une table, un trottoir, deux personnes.",
		Levers: "La régularité.", Obstacles: "L’hiver.", Advice: "Commencer petit.",
		Indicators: []essaim.Indicator{{Label: "Objets réparés", Value: "312", Unit: "par an", Source: "bilan 2025", Date: "2025"}},
	}
	r := head(essaim.KindRecipe, "Complet recipe")
	r.Body = &essaim.Recipe{
		Yields: "une table de quartier qui tient dans la durée", Duration: "deux mois pour lancer", Difficulty: "facile", GroupSize: "3 à 8", Cost: "moins de 200 €", Readiness: "tested",
		Ingredients: []string{"trois voisins décidés", "un trottoir large"}, Tools: []string{"une table pliante", "une affiche"},
		Steps: []essaim.Step{
			{Name: "Choisir le lieu", Content: "Un passage, à l’abri du vent.", Tip: "Demander à la gardienne.", Trap: "Les jours de marché."},
			{Name: "Sortir la table", Content: "Et **du café**.", Image: &essaim.Image{URL: "https://brest.example/media/1.jpg", Alt: "Une table sur un trottoir", Author: "La Table", Licence: "cc-by-4.0"}},
		},
		Methods: []string{"porte à porte"}, Levers: "Un horaire fixe.", Obstacles: "La pluie.", Advice: "Tenir trois mois.",
	}
	v := head(essaim.KindVenue, "Complet venue")
	v.Body = &essaim.Venue{Services: []string{"atelier vélo", "cuisine partagée"}, OpeningHours: []string{"Mo-Fr 09:00-12:00", "Mo-Fr 14:00-18:30", "Sa 10:00-12:00"}, Access: "Tram A, arrêt Liberté. De plain-pied."}
	v.Relations = append(v.Relations, essaim.Relation{Type: essaim.RelationHosts, Target: "https://brest.example/objects/1", Name: "La table"}, essaim.Relation{Type: essaim.RelationWithin, Target: "https://brest.example/objects/2", Name: "La halle"})
	o := head(essaim.KindOrganisation, "Complet organisation")
	o.Body = &essaim.Organisation{LegalForm: "association", AddressSince: "2021", Founded: "2003-06", RNA: "W291000000", SIREN: "123456789", Services: []string{"formations", "accompagnement"}}
	o.Relations = append(o.Relations, essaim.Relation{Type: essaim.RelationMember, Target: "https://brest.example/objects/3", Name: "Le réseau"})
	m := head(essaim.KindMeeting, "Complet meeting")
	paris, _ := time.LoadLocation("Europe/Paris")
	m.Body = &essaim.Meeting{
		Start: time.Date(2027, 3, 13, 17, 30, 0, 0, paris), End: time.Date(2027, 3, 13, 20, 0, 0, 0, paris), Timezone: "Europe/Paris", Form: "cafe-projets", Status: "tentative",
		Series: "Cafés projets", Edition: "9", Registration: "https://inscription.example/", Online: "https://salle.example/", Programme: "17 h 30 : accueil\n\n18 h : tour de table", Account: "Quatre projets présentés.",
	}
	m.Relations = append(m.Relations, essaim.Relation{Type: essaim.RelationAbout, Target: "https://brest.example/objects/4", Name: "Une initiative"})
	re := head(essaim.KindRemake, "Complet remake")
	re.Body = &essaim.Remake{Outcome: "adapted", On: "2026-02", Changes: "Le **samedi** plutôt que le soir.", Advice: "Prévoir du thé."}
	re.Relations = append(re.Relations, essaim.Relation{Type: essaim.RelationRemakes, Target: "https://brest.example/objects/5", Name: "Une recette"})
	return []essaim.Content{i, r, v, o, m, re}
}
