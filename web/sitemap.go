// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// sitemapPart is how many addresses one part may hold (sitemaps.org).
const sitemapPart = 50_000

const sitemapNamespace = "http://www.sitemaps.org/schemas/sitemap/0.9"

// showSitemap lists the parts: the pages of the site, its records, and those of
// origins that answer no more, which are to be found nowhere else. Others are
// found at their origin, to which their page here points.
func (s *Server) showSitemap(w http.ResponseWriter, r *http.Request) error {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<sitemapindex xmlns="` + sitemapNamespace + `">` + "\n")
	writeSite(&b, "sitemap", s.abs("/sitemap/pages.xml"), time.Time{})
	hosts, err := s.orphaned(r.Context())
	if err != nil {
		return err
	}
	var changed time.Time
	for _, host := range append([]string{""}, hosts...) {
		parts, err := s.store.AddressParts(r.Context(), host, s.sitemapPart)
		if err != nil {
			return fmt.Errorf("sitemap: %w", err)
		}
		at := "/sitemap/"
		if host != "" {
			at += url.PathEscape(host) + "/"
		}
		for _, p := range parts {
			writeSite(&b, "sitemap", s.abs(at+strconv.FormatInt(p.From, 10)+".xml"), p.Updated)
			if p.Updated.After(changed) {
				changed = p.Updated
			}
		}
	}
	b.WriteString("</sitemapindex>\n")
	w.Header().Set("Cache-Control", "public, no-cache")
	answerFormat(w, r, "application/xml; charset=utf-8", b.Bytes(), time.Time{})
	return nil
}

// orphaned are the hosts whose records are to be found here alone.
func (s *Server) orphaned(ctx context.Context) ([]string, error) {
	by, err := s.origins(ctx)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(by, func(_ string, o Origin) bool { return o.Reachable() })
	return slices.Sorted(maps.Keys(by)), nil
}

// showSitemapPages lists the pages that are no records.
func (s *Server) showSitemapPages(w http.ResponseWriter, r *http.Request) error {
	paths := []string{"/"}
	for _, k := range essaim.Kinds() {
		paths = append(paths, "/"+k.Path)
	}
	for _, p := range []string{mapPath, "/themes", "/communes", "/personnes", "/territoires", "/export/", "/ns/essaim", "/mentions", "/accessibilite"} {
		if s.answers(p) {
			paths = append(paths, p)
		}
	}
	found, err := s.store.Search(r.Context(), essaim.Query{Facets: true, Limit: 1})
	if err != nil {
		return fmt.Errorf("sitemap: %w", err)
	}
	for _, of := range []struct {
		path, pattern string
		list          []essaim.Count
	}{{"/themes/", "{id}", found.Facets.Themes}, {"/communes/", "{insee}", found.Facets.Communes}} {
		if s.answers(of.path + of.pattern) {
			for _, c := range of.list {
				paths = append(paths, of.path+url.PathEscape(c.Value))
			}
		}
	}
	territories, err := s.territoryPages(r.Context())
	if err != nil {
		return fmt.Errorf("sitemap: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + `<urlset xmlns="` + sitemapNamespace + `">` + "\n")
	for _, p := range append(paths, territories...) {
		writeSite(&b, "url", s.abs(p), time.Time{})
	}
	b.WriteString("</urlset>\n")
	w.Header().Set("Cache-Control", "public, no-cache")
	answerFormat(w, r, "application/xml; charset=utf-8", b.Bytes(), time.Time{})
	return nil
}

// answers tells whether the site has a page.
func (s *Server) answers(pattern string) bool {
	return slices.Contains(s.endpoints, endpoint{http.MethodGet, pattern})
}

// showSitemapPart lists records from a position on.
func (s *Server) showSitemapPart(w http.ResponseWriter, r *http.Request) error {
	from, err := strconv.ParseInt(chi.URLParam(r, "from"), 10, 64)
	if err != nil {
		return errPageNotFound
	}
	host, err := url.PathUnescape(chi.URLParam(r, "host"))
	if err != nil {
		return errPageNotFound
	}
	if host != "" {
		hosts, err := s.orphaned(r.Context())
		if err != nil {
			return err
		}
		if !slices.Contains(hosts, host) {
			return errPageNotFound
		}
	}
	w.Header().Set("Cache-Control", "public, no-cache")
	return s.sendFile(w, r, "application/xml; charset=utf-8", func(ctx context.Context, out io.Writer) error {
		if _, err := io.WriteString(out, xml.Header+`<urlset xmlns="`+sitemapNamespace+`">`+"\n"); err != nil {
			return err
		}
		if err := s.writeAddresses(ctx, out, host, from); err != nil {
			return err
		}
		_, err := io.WriteString(out, "</urlset>\n")
		return err
	})
}

// addressPage is how many records of a part are read at once.
const addressPage = 1000

func (s *Server) writeAddresses(ctx context.Context, out io.Writer, host string, from int64) error {
	source := patientSource{s.store}
	for left := s.sitemapPart; left > 0; {
		list, err := source.Addresses(ctx, host, from, min(left, addressPage))
		if err != nil {
			return err
		}
		var b bytes.Buffer
		for _, l := range list {
			writeSite(&b, "url", s.abs(recordPath(essaim.Record{Origin: l.Origin, Slug: l.Slug, Content: essaim.Content{Kind: l.Kind}})), l.Updated)
		}
		if _, err := out.Write(b.Bytes()); err != nil {
			return err
		}
		if left -= len(list); len(list) < addressPage || list[len(list)-1].Position == math.MaxInt64 {
			return nil
		}
		from = list[len(list)-1].Position + 1
	}
	return nil
}

func writeSite(b *bytes.Buffer, element, address string, changed time.Time) {
	b.WriteString("<" + element + "><loc>")
	_ = xml.EscapeText(b, []byte(address)) // a buffer takes all
	b.WriteString("</loc>")
	if !changed.IsZero() {
		b.WriteString("<lastmod>" + feedTime(changed) + "</lastmod>")
	}
	b.WriteString("</" + element + ">\n")
}

// showRobots lets everything be indexed but what is only for people at work,
// searches, which have no end, and what pages give in other formats.
func (s *Server) showRobots(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = fmt.Fprint(w, "User-agent: *\nDisallow: /recherche\nDisallow: /carte?\nDisallow: /carte/\nDisallow: /connexion\nDisallow: /compte\nDisallow: /ecrire/\nDisallow: /api/\n")
	for _, f := range formats {
		// The longest that fits counts (RFC 9309 2.2.2): what is made for harvesters is theirs.
		_, _ = fmt.Fprintf(w, "Disallow: /*.%s$\nDisallow: /*.%s?\nAllow: /export/*.%s$\n", f.ext, f.ext, f.ext)
	}
	_, _ = fmt.Fprintf(w, "\nSitemap: %s\n", s.abs("/sitemap.xml"))
	return nil
}
