// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "strconv"

// Recipe tells how an initiative is done (recette), in the shape of schema.org
// HowTo: supplies (ingredients), tools, steps.
type Recipe struct {
	Yields     string `json:"yields,omitempty"`     // what it produces
	Duration   string `json:"duration,omitempty"`   // in words: "une demi-journée"
	Difficulty string `json:"difficulty,omitempty"` // ListDifficulty
	GroupSize  string `json:"groupSize,omitempty"`  // in words: "13 à 30"
	Cost       string `json:"cost,omitempty"`
	Readiness  string `json:"readiness,omitempty"` // ListReadiness

	Ingredients []string `json:"ingredients,omitempty"`
	Tools       []string `json:"tools,omitempty"`
	Steps       []Step   `json:"steps,omitempty"`

	Methods   []string `json:"methods,omitempty"`
	Levers    string   `json:"levers,omitempty"`
	Obstacles string   `json:"obstacles,omitempty"`
	Advice    string   `json:"advice,omitempty"`
}

// Step is one step of a recipe; Content, Tip and Trap are Markdown.
type Step struct {
	Name    string `json:"name"`
	Content string `json:"content,omitempty"`
	Image   *Image `json:"image,omitempty"`
	Tip     string `json:"tip,omitempty"`
	Trap    string `json:"trap,omitempty"`
}

// Kind implements Body.
func (*Recipe) Kind() Kind { return KindRecipe }

// Validate implements Body.
func (b *Recipe) Validate(p Problems, _ bool) {
	for field, s := range map[string]string{"yields": b.Yields, "duration": b.Duration, "groupSize": b.GroupSize, "cost": b.Cost} {
		p.within("body."+field, s, 500)
	}
	p.oneOf("body.difficulty", ListDifficulty, b.Difficulty)
	p.oneOf("body.readiness", ListReadiness, b.Readiness)
	p.atMost("body.ingredients", len(b.Ingredients), 100)
	for i, s := range b.Ingredients {
		p.required("body.ingredients."+strconv.Itoa(i), s, 300)
	}
	p.atMost("body.tools", len(b.Tools), 100)
	for i, s := range b.Tools {
		p.required("body.tools."+strconv.Itoa(i), s, 300)
	}
	p.words("body.methods", b.Methods)
	p.atMost("body.steps", len(b.Steps), 60)
	for i, s := range b.Steps {
		at := "body.steps." + strconv.Itoa(i)
		p.required(at+".name", s.Name, 200)
		p.within(at+".content", s.Content, 10_000)
		p.within(at+".tip", s.Tip, 2_000)
		p.within(at+".trap", s.Trap, 2_000)
		if s.Image != nil {
			p.required(at+".image.url", s.Image.URL, 2000)
			p.webAddress(at+".image.url", s.Image.URL)
			p.required(at+".image.alt", s.Image.Alt, 1500)
		}
	}
	for field, s := range map[string]string{"levers": b.Levers, "obstacles": b.Obstacles, "advice": b.Advice} {
		p.within("body."+field, s, 20_000)
	}
}
