// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"essaim/e2e/rig"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// suggested types the beginning of a word on the home page. Without scripts what was
// typed is searched for.
func suggested(r *reader) error {
	if err := r.open("/"); err != nil {
		return err
	}
	if err := r.write(".hero input[name=q]", "jardin"); err != nil {
		return err
	}
	if !r.scripts {
		resp, err := chromedp.RunResponse(r.ctx, chromedp.KeyEvent("\r"))
		if err := r.arrived(resp, err); err != nil {
			return err
		}
		_, err = r.results()
		return err
	}
	const option = ".hero .suggestions:not([hidden]) [role=option]"
	err := rig.Eventually(10*time.Second, func() error {
		n, err := r.count(option)
		if err == nil && n == 0 {
			err = errors.New("nothing is offered")
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := chromedp.Do(r.ctx, chromedp.KeyEvent(kb.ArrowDown)); err != nil {
		return err
	}
	// Who listens is told what is chosen, and stays in the field.
	const chosen = `(f => document.getElementById(f.getAttribute('aria-activedescendant'))?.matches('[aria-selected=true]') && f === document.activeElement && f.getAttribute('aria-expanded') === 'true')(document.querySelector('.hero input[name=q]'))`
	if ok, err := evaluate[bool](r, "!!"+chosen); err != nil || !ok {
		return errors.Join(err, errors.New("the key down chooses nothing"))
	}
	label, err := evaluate[string](r, fmt.Sprintf("document.querySelector(%q).firstChild.textContent", option))
	if err != nil {
		return err
	}
	resp, err := chromedp.RunResponse(r.ctx, chromedp.KeyEvent("\r"))
	if err := r.arrived(resp, err); err != nil {
		return err
	}
	if got, err := r.text("h1"); err != nil || got != plain(label) {
		return errors.Join(err, fmt.Errorf("%q opens %q", label, got))
	}
	return nil
}

// aroundHer presses the button that asks the phone where it is: once it refuses, once
// it tells. Without scripts there is no such button.
func aroundHer(r *reader) error {
	if err := r.open("/recherche?q=jardin"); err != nil {
		return err
	}
	if err := r.unfold(); err != nil {
		return err
	}
	const button = "button[data-near]"
	if there, err := r.shown(button); err != nil || there != r.scripts {
		return errors.Join(err, fmt.Errorf("the button is there: %t", there))
	}
	if !r.scripts {
		return nil
	}
	answer := func(script string) error {
		_, err := evaluate[int](r, "(navigator.geolocation.getCurrentPosition = "+script+", 0)")
		return err
	}
	if err := answer("(ok, no) => no(new Error('refused'))"); err != nil {
		return err
	}
	if err := chromedp.Do(r.ctx, chromedp.Click(chromedp.CSS(button))); err != nil {
		return err
	}
	if said, err := r.text(button + " + [role=alert]"); err != nil || !strings.Contains(said, "commune") {
		return errors.Join(err, fmt.Errorf("a phone that refuses is told as %q", said))
	}
	if err := answer("ok => ok({coords: {latitude: 48.3905, longitude: -4.4861}})"); err != nil {
		return err
	}
	if err := r.press(button); err != nil {
		return err
	}
	at, err := evaluate[string](r, "new URL(location).searchParams.get('near')")
	if err != nil || at != "48.39,-4.49" {
		return errors.Join(err, fmt.Errorf("it looks around %q: a kilometre is near enough to be told", at))
	}
	if _, err := r.results(); err != nil {
		return err
	}
	return r.says(" km")
}
