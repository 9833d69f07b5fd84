// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"essaim"
)

// Relations by which a host names the actor that stands for it.
const (
	relApplication = "https://www.w3.org/ns/activitystreams#Application" // FEP-2677
	relService     = "https://www.w3.org/ns/activitystreams#Service"     // FEP-d556
)

// ErrNoNode means that a host has a NodeInfo that names no actor which stands for it,
// and does not by WebFinger either: its software answers, and is no node of ours.
var ErrNoNode = fmt.Errorf("names no actor that stands for it: %w", essaim.ErrNotFound)

// JRD is a JSON resource descriptor (RFC 7033 4.4), as far as it is of use.
type JRD struct {
	Subject string `json:"subject"`
	Links   []Link `json:"links"`
}

// Link is a link of a JRD.
type Link struct {
	Rel      string `json:"rel"`
	Type     string `json:"type"`
	Href     string `json:"href"`
	Template string `json:"template"`
}

// Self is the address of the actor that a JRD is about: the self link with the
// type of an ActivityPub document.
func (j JRD) Self() (string, bool) {
	for _, l := range j.Links {
		if l.Rel == "self" && IsActivity(l.Type) {
			return l.Href, true
		}
	}
	return "", false
}

// WebFinger asks a host about a resource ("acct:brest@brest.example"). host may
// be given with a scheme. Whether the subject is the one asked for, and whether
// the actor agrees, is for the caller to check.
func (c *Client) WebFinger(ctx context.Context, host, resource string) (JRD, error) {
	var jrd JRD
	err := c.discover(ctx, host, "/.well-known/webfinger?resource="+url.QueryEscape(resource), "application/jrd+json, application/json", &jrd)
	return jrd, err
}

// NodeActor finds the id of the actor that stands for a host: by the link of its
// NodeInfo (FEP-2677), else by WebFinger about the host itself (FEP-d556). The
// id is of the host's own origin. host may be given with a scheme. Where there is none
// the error is ErrNoNode if that is certain; any other essaim.ErrNotFound may be its
// proxy's word.
func (c *Client) NodeActor(ctx context.Context, host string) (string, error) {
	if len(c.origins(host)) == 0 {
		return "", fmt.Errorf("host %q: %w", host, essaim.ErrInvalid)
	}
	var info JRD
	err := c.discover(ctx, host, "/.well-known/nodeinfo", "application/json", &info)
	answers := err == nil
	if answers {
		if id, ok := c.ownLink(host, info, relApplication); ok {
			return id, nil
		}
	} else if errors.Is(err, essaim.ErrUnavailable) || errors.Is(err, ErrAddress) {
		return "", err
	}
	var last error
	for _, origin := range c.origins(host) {
		jrd, err := c.WebFinger(ctx, origin, origin+"/")
		if err == nil {
			if id, ok := c.ownLink(host, jrd, relService); ok {
				return id, nil
			}
			err = fmt.Errorf("%s names no actor that stands for it: %w", host, essaim.ErrNotFound)
		}
		if last = err; !errors.Is(err, essaim.ErrUnavailable) {
			break
		}
	}
	if answers && !errors.Is(last, essaim.ErrUnavailable) {
		return "", fmt.Errorf("%s: %w", host, ErrNoNode)
	}
	return "", last
}

// nodeInfoSchema starts the relation of each version of NodeInfo.
const nodeInfoSchema = "http://nodeinfo.diaspora.software/ns/schema/"

// NodeInfo fetches the newest NodeInfo document (2.1, else 2.0) that a host
// links to on its own origin, as bytes.
func (c *Client) NodeInfo(ctx context.Context, host string) ([]byte, error) {
	var links JRD
	if err := c.discover(ctx, host, "/.well-known/nodeinfo", "application/json", &links); err != nil {
		return nil, err
	}
	for _, version := range []string{"2.1", "2.0"} {
		if at, ok := c.ownLink(host, links, nodeInfoSchema+version); ok {
			answer, err := c.Get(ctx, at, "application/json", false)
			return answer.Body, err
		}
	}
	return nil, fmt.Errorf("%s links to no NodeInfo: %w", host, essaim.ErrNotFound)
}

// ownLink picks the link of a relation to one of the host's own origins.
func (c *Client) ownLink(host string, jrd JRD, rel string) (string, bool) {
	for _, l := range jrd.Links {
		id, err := essaim.ParseIRI(l.Href)
		if l.Rel != rel || err != nil {
			continue
		}
		for _, origin := range c.origins(host) {
			if id.Origin() == origin {
				return id.String(), true
			}
		}
	}
	return "", false
}

// discover fetches a JSON document of a host's well-known addresses.
func (c *Client) discover(ctx context.Context, host, path, accept string, into *JRD) error {
	origins := c.origins(host)
	if len(origins) == 0 {
		return fmt.Errorf("host %q: %w", host, essaim.ErrInvalid)
	}
	var answer Answer
	var err error
	for _, origin := range origins {
		if answer, err = c.Get(ctx, origin+path, accept, true); !errors.Is(err, essaim.ErrUnavailable) {
			break
		}
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer.Body, into); err != nil {
		return fmt.Errorf("%s: not a resource descriptor: %w", answer.URL, essaim.ErrInvalid)
	}
	into.Links = into.Links[:min(len(into.Links), 256)]
	return nil
}

// origins are the addresses under which a host may answer: over https, and for
// one that may be reached in plain, over http after that.
func (c *Client) origins(host string) []string {
	if strings.Contains(host, "://") {
		iri, err := essaim.ParseIRI(host)
		if err != nil {
			return nil
		}
		return []string{iri.Origin()}
	}
	var list []string
	for _, scheme := range []string{"https://", "http://"} {
		iri, err := essaim.ParseIRI(scheme + host)
		if err != nil || iri.Host() != iri.String()[len(scheme):] {
			return nil
		}
		if scheme == "https://" || c.mayBePlain(host) {
			list = append(list, iri.Origin())
		}
	}
	return list
}

func (c *Client) mayBePlain(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if name == "localhost" {
		return len(c.conf.AllowPrivate) > 0
	}
	addr, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && c.allowed(addr)
}

// Template picks, of the relations in their order, the first link template that
// leads to the host, or to a name under it, over https: a server may send its
// own people elsewhere, and nobody else's.
func (c *Client) Template(host string, jrd JRD, rels ...string) (string, bool) {
	for _, rel := range rels {
		for _, l := range jrd.Links {
			if l.Rel == rel && c.leadsTo(host, l.Template) {
				return l.Template, true
			}
		}
	}
	return "", false
}

func (c *Client) leadsTo(host, template string) bool {
	at, err := essaim.ParseIRI(strings.NewReplacer("{", "", "}", "").Replace(template))
	if err != nil || !strings.HasPrefix(template, at.Origin()+"/") {
		return false
	}
	for _, origin := range c.origins(host) {
		if at.Origin() == origin {
			return true
		}
	}
	return strings.HasPrefix(at.Origin(), "https://") && strings.HasSuffix(at.Host(), "."+host)
}
