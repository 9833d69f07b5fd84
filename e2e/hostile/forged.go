// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"essaim/e2e/rig"
)

// forged are documents that are not what they are fetched as: neither kept nor
// shown, whoever announces them.
func forged() map[string]special {
	serve := func(path, mediaType string, doc map[string]any) special {
		return special{
			before: func(t *trial) error {
				t.victim().put(path, document(mediaType, doc))
				return nil
			},
			after: (*trial).disbelieves,
		}
	}
	x := note("https://victim.test/media/x", "https://victim.test/u/v")
	return map[string]special{
		"ORG-042": serve("/media/u.json", rig.ActivityJSON, note("https://victim.test/n/forged", "https://victim.test/u/v")),
		"ORG-045": serve("/media/x", "application/json", x),
		"ORG-043": serve("/media/x", "text/plain", x),
		"ORG-047": serve("/media/x", "application/octet-stream", x),
		"ORG-049": serve("/media/x", `application/ld+json; profile="https://example.org/other"`, x),
		"ORG-051": {
			before: func(t *trial) error {
				t.victim().put("/redirect", func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, "https://evil.test/fake", http.StatusFound)
				})
				t.evil().put("/fake", document(rig.ActivityJSON, note("https://victim.test/n/9", "https://victim.test/u/v")))
				return nil
			},
			after: (*trial).disbelieves,
		},
		"ORG-053": {
			before: func(t *trial) error {
				doc := note("", "https://evil.test/u/evil")
				delete(doc, "id")
				t.evil().put("/noid", document(rig.ActivityJSON, doc))
				return nil
			},
			after: (*trial).disbelieves,
		},
	}
}

// sinkSpecials are addresses inside that stand where a followed host's activity
// names something: what the node asks for, it asks for through one client, and the
// rest it does not ask for at all.
func sinkSpecials() map[string]special {
	return map[string]special{
		"SSRF-038": {after: func(t *trial) error {
			return errors.Join(announcedInside(t), nothingInside(t))
		}},
		"SSRF-040": {after: func(t *trial) error {
			err := t.brought(func(_, object map[string]any) {
				picture := func(address string) map[string]any {
					return map[string]any{"type": "Image", "mediaType": "image/png", "url": address, "name": "Une affiche"}
				}
				// Under a licence that lets pictures be kept.
				object["dcterms:license"] = "https://creativecommons.org/licenses/by-sa/4.0/"
				object["attachment"] = []any{picture("http://127.0.0.1:9/a.png"), picture("https://internal.test/a.png"), picture("https://victim.test/a.png")}
			})
			return errors.Join(err, facesInside(t), nothingInside(t))
		}},
		"SSRF-044": {after: func(t *trial) error {
			err := t.brought(func(doc, _ map[string]any) {
				doc["@context"] = []string{rig.ASContext, "http://127.0.0.1:9/ctx", "https://internal.test/ctx", "https://victim.test/ctx"}
			})
			return errors.Join(err, nothingInside(t))
		}},
		"SSRF-046": {after: func(t *trial) error {
			for _, address := range []string{"http://127.0.0.1/", "https://internal.test/place", "https://victim.test/place"} {
				err := t.brought(func(_, object map[string]any) {
					object["startTime"], object["content"] = time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339), "<p>Un atelier.</p>"
					object["location"] = []any{map[string]any{"type": "Place", "id": address, "name": "p", "url": address}}
				})
				if err != nil {
					return err
				}
			}
			return nothingInside(t)
		}},
	}
}

// announcedInside has the peer announce what stands inside: each is refused for its
// address, and one outside is asked for, so that the others would be.
func announcedInside(t *trial) error {
	const refusal = "address not to be reached"
	for address, reason := range map[string]string{
		"http://169.254.169.254/x": refusal, "https://169.254.169.254/x": refusal, "https://internal.test/x": refusal, "https://metadata.test/x": refusal,
		"https://127.0.0.1/x": refusal, "https://[::1]/x": refusal, "https://[fd00::1]/x": refusal, "https://internal.test:8443/x": refusal,
		"https://victim.test:25/x": refusal, "https://victim.test/sink": "status 404",
	} {
		takeBack, err := t.announce(address)
		if err != nil {
			return err
		}
		if err := rig.Eventually(10*time.Second, func() error {
			_, err := t.heard("no candidate", address, reason)
			return err
		}); err != nil {
			return err
		}
		if err := takeBack(); err != nil {
			return err
		}
	}
	if t.victim().asked("/sink") != 1 {
		return errors.New("what stands outside is not asked for either")
	}
	return nil
}

// facesInside has answers shown whose authors' pictures stand inside: they are not
// asked for, and one that stands outside is.
func facesInside(t *trial) error {
	var answers []string
	faces := map[string]string{"in": "https://internal.test/face.png", "here": "https://127.0.0.1/face.png", "out": "https://victim.test/face.png"}
	for where, icon := range faces {
		actor := t.evil().putActor("/u/face-"+where, "Person", map[string]any{"icon": map[string]string{"type": "Image", "url": icon}})
		answer := note("https://evil.test/n/face-"+where, actor)
		answer["inReplyTo"] = t.object
		if err := t.post(t.ctx, t.evil(), actor, "Create", answer, nil); err != nil {
			return err
		}
		if err := t.showComment(answer["id"].(string)); err != nil {
			return err
		}
		answers = append(answers, where)
	}
	// A round of avatars goes out every 20 seconds.
	err := rig.Eventually(45*time.Second, func() error {
		if t.victim().asked("/face.png") == 0 {
			return errors.New("no picture is asked for, not even outside")
		}
		for _, where := range []string{"in", "here"} {
			if _, err := t.heard("avatar not kept", "/u/face-"+where, "address not to be reached"); err != nil {
				return err
			}
		}
		return nil
	})
	for _, where := range answers {
		err = errors.Join(err, t.post(t.ctx, t.evil(), "https://evil.test/u/face-"+where, "Delete", "https://evil.test/n/face-"+where, nil))
	}
	return errors.Join(err, t.applied(t.ctx))
}

// spent tells how much was asked of evil.test and all below it since the item, or
// the count, began.
func (t *trial) spent() int { return t.evil().asked("") + int(t.swarmed.Load()) }

// settled waits until nothing is under way at evil.test and below, and none is
// begun any more, and gives what was asked.
func (t *trial) settled(within time.Duration) (int, error) {
	err := rig.Eventually(within, func() error {
		if n := t.evil().underWay() + int(t.swarming.Load()); n != 0 {
			return fmt.Errorf("%d requests are still under way", n)
		}
		return nil
	})
	last, since := t.spent(), time.Now()
	for time.Since(since) < 400*time.Millisecond && t.ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
		if n := t.spent(); n != last {
			last, since = n, time.Now()
		}
	}
	return last, err
}
