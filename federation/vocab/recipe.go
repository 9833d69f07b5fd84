// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"html"

	"essaim"
)

// recipeTerms are the properties of an Article of kind recipe, in the shape of
// a schema.org HowTo.
type recipeTerms struct {
	Yields      text         `json:"essaim:yields,omitempty"`
	Duration    text         `json:"essaim:duration,omitempty"`
	Difficulty  text         `json:"essaim:difficulty,omitempty"`
	GroupSize   text         `json:"essaim:groupSize,omitempty"`
	Cost        text         `json:"essaim:cost,omitempty"`
	Readiness   text         `json:"essaim:readiness,omitempty"`
	Ingredients texts        `json:"essaim:ingredients,omitempty"`
	Tools       texts        `json:"essaim:tools,omitempty"`
	Steps       listOf[step] `json:"essaim:steps,omitempty"`
	Methods     texts        `json:"essaim:methods,omitempty"`
	Levers      text         `json:"essaim:levers,omitempty"`
	Obstacles   text         `json:"essaim:obstacles,omitempty"`
	Advice      text         `json:"essaim:advice,omitempty"`
}

type step struct {
	Name    text         `json:"name"`
	Content text         `json:"content,omitempty"`
	Image   one[picture] `json:"image,omitzero"`
	Tip     text         `json:"tip,omitempty"`
	Trap    text         `json:"trap,omitempty"`
}

func (t *recipeTerms) fill(rec *essaim.Record) {
	b := rec.Body.(*essaim.Recipe)
	*t = recipeTerms{
		Yields: text(b.Yields), Duration: text(b.Duration), Difficulty: text(b.Difficulty), GroupSize: text(b.GroupSize),
		Cost: text(b.Cost), Readiness: text(b.Readiness), Ingredients: b.Ingredients, Tools: b.Tools, Methods: b.Methods,
		Levers: text(b.Levers), Obstacles: text(b.Obstacles), Advice: text(b.Advice),
	}
	for _, s := range b.Steps {
		w := step{Name: text(s.Name), Content: text(s.Content), Tip: text(s.Tip), Trap: text(s.Trap)}
		if s.Image != nil {
			w.Image = only(pictureOf(*s.Image))
		}
		t.Steps = append(t.Steps, w)
	}
}

func (t *recipeTerms) body(*head) essaim.Body {
	b := &essaim.Recipe{
		Yields: string(t.Yields), Duration: string(t.Duration), Difficulty: string(t.Difficulty), GroupSize: string(t.GroupSize),
		Cost: string(t.Cost), Readiness: string(t.Readiness), Ingredients: t.Ingredients, Tools: t.Tools, Methods: conceptWords(t.Methods),
		Levers: string(t.Levers), Obstacles: string(t.Obstacles), Advice: string(t.Advice),
	}
	for _, w := range t.Steps {
		s := essaim.Step{Name: string(w.Name), Content: string(w.Content), Tip: string(w.Tip), Trap: string(w.Trap)}
		if w.Image.v != nil {
			img := w.Image.v.image()
			s.Image = &img
		}
		b.Steps = append(b.Steps, s)
	}
	return b
}

func (t *recipeTerms) tell(p *page) {
	p.markup(label{"Ce que cela produit", "What it yields"}, string(t.Yields))
	p.line(label{"Durée", "Duration"}, string(t.Duration))
	p.terms(label{"Difficulté", "Difficulty"}, essaim.ListDifficulty, string(t.Difficulty))
	p.line(label{"Nombre de personnes", "Group size"}, string(t.GroupSize))
	p.line(label{"Coût", "Cost"}, string(t.Cost))
	p.terms(label{"État de la recette", "Readiness"}, essaim.ListReadiness, string(t.Readiness))
	p.list(label{"Ingrédients", "Ingredients"}, t.Ingredients)
	p.list(label{"Outils", "Tools"}, t.Tools)
	p.line(label{"Méthodes", "Methods"}, t.Methods...)
	var steps []string
	for _, s := range t.Steps {
		item := "<p><strong>" + html.EscapeString(string(s.Name)) + "</strong></p>"
		if s.Content != "" {
			item += p.markdown(string(s.Content))
		}
		if s.Tip != "" {
			item += "<p><em>" + label{"Astuce", "Tip"}.in(p.lang) + "</em></p>" + p.markdown(string(s.Tip))
		}
		if s.Trap != "" {
			item += "<p><em>" + label{"Attention", "Beware"}.in(p.lang) + "</em></p>" + p.markdown(string(s.Trap))
		}
		steps = append(steps, item)
	}
	p.items(label{"Étapes", "Steps"}, "ol", steps)
	p.markup(label{"Facilitations", "What helps"}, string(t.Levers))
	p.markup(label{"Freins", "Obstacles"}, string(t.Obstacles))
	p.markup(label{"Conseils", "Advice"}, string(t.Advice))
}
