// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"
	"github.com/klauspost/compress/gzhttp"

	"essaim"
)

// endpoint is a method and a pattern of this site.
type endpoint struct{ method, pattern string }

// routes is the map of the site: every address that it answers stands here.
func (s *Server) routes() (http.Handler, error) {
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.SuffixETag(""), gzhttp.ContentTypes([]string{
		"text/html", "text/css", "text/javascript", "text/plain", "application/json", "image/svg+xml",
		"application/atom+xml", "application/feed+json", "text/calendar", "text/csv", "application/geo+json", "application/ld+json", "application/xml",
	}))
	if err != nil {
		return nil, fmt.Errorf("web: compression: %w", err)
	}
	r := chi.NewRouter()
	r.Use(s.identify, s.logRequests, func(next http.Handler) http.Handler { return compress(next) }, s.recoverPanic)
	r.NotFound(s.handle(func(http.ResponseWriter, *http.Request) error { return errPageNotFound }))
	r.MethodNotAllowed(s.handle(func(w http.ResponseWriter, req *http.Request) error {
		w.Header().Set("Allow", allowed(r, req.URL.Path))
		return statusError{http.StatusMethodNotAllowed, "method"}
	}))

	get(r, "/healthz", s.handle(s.health))
	get(r, "/readyz", s.handle(s.ready))
	get(r, "/robots.txt", s.handle(s.showRobots))
	get(r, "/sitemap.xml", s.handle(s.showSitemap))
	get(r, "/sitemap/pages.xml", s.handle(s.showSitemapPages))
	get(r, "/sitemap/{from}.xml", s.handle(s.showSitemapPart))
	get(r, "/sitemap/{host}/{from}.xml", s.handle(s.showSitemapPart))
	get(r, "/static/{name}", s.handle(s.showAsset))
	get(r, "/m/{file}", s.handle(s.showPicture))
	get(r, archivePath, s.handle(s.showArchive))

	dumps := r.With(s.limit(120, time.Minute), s.together(4), openData)
	get(dumps, "/export/{file}", s.handle(s.showDump))
	get(dumps, "/export/SHA256SUMS", s.handle(s.showSums))
	get(dumps, "/export/catalogue.jsonld", s.handle(s.showCatalogue))
	get(dumps, "/export/dictionnaire.csv", s.handle(s.showDictionary))

	r.Group(s.apiRoutes)
	r.Group(s.frameRoutes)
	r.Group(s.formatRoutes)
	r.Group(s.pageRoutes)

	err = chi.Walk(r, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		s.endpoints = append(s.endpoints, endpoint{method, pattern})
		return nil
	})
	return r, err
}

// pageRoutes are for people. A write must come from a page of this site.
func (s *Server) pageRoutes(r chi.Router) {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(s.handle(func(http.ResponseWriter, *http.Request) error {
		return statusError{http.StatusForbidden, "cross_origin"}
	}))
	r.Use(s.fromSomePage, sameOrigin.Handler, limitBody(maxFormBytes), s.readSession, s.learnThemes)

	get(r, "/", s.handle(s.showHome))
	get(r, "/recherche", s.handle(s.search))
	get(r.With(s.limit(600, time.Minute)), mapPath, s.handle(s.showMap)) // as its cells
	get(r, embedPath, s.handle(s.showEmbed))
	get(r.With(s.limit(120, time.Minute)), "/recherche/suggestions", s.handle(s.suggest))
	get(r, lotPath, s.handle(s.showRandom))
	get(r, "/themes", s.handle(s.showThemes))
	get(r, "/themes/{id}", s.handle(s.showTheme))
	get(r, "/communes", s.handle(s.showCommunes))
	get(r, "/communes/{insee}", s.handle(s.showCommune))
	s.paperRoutes(r)
	get(r.With(s.limit(60, time.Minute)), "/territoires", s.handle(s.showNetwork))
	get(r, "/territoires/{host}", s.handle(s.showTerritory))
	get(r, "/ailleurs/{host}/{slug}", s.handle(s.showElsewhere))
	// A tree and two differences cost more than other pages.
	lineages := r.With(s.limit(60, time.Minute))
	get(lineages, "/ailleurs/{host}/{slug}/lignee", s.handle(s.showLineageElsewhere))
	get(r, "/ailleurs/{host}/{slug}/copies", s.handle(s.showCopiesElsewhere))
	r.With(s.limit(60, time.Minute)).Post("/ailleurs/{host}/{slug}/adapter", s.handle(s.adaptElsewhere))
	get(r, "/ailleurs/{host}/{slug}/retirer", s.handle(s.askWithdrawHere))
	r.With(s.limit(60, time.Minute)).Post("/ailleurs/{host}/{slug}/retirer", s.handle(s.withdrawHere))
	get(r, "/ailleurs/{host}/{slug}/retablir", s.handle(s.askLift))
	r.With(s.limit(60, time.Minute)).Post("/ailleurs/{host}/{slug}/retablir", s.handle(s.lift))
	get(r, "/ns/essaim", s.handle(s.showVocabulary))
	get(r, "/ns/essaim/themes", s.handle(s.showVocabulary)) // of the node's own concepts
	get(r, "/export", s.handle(func(w http.ResponseWriter, r *http.Request) error {
		s.leadTo(w, r, "/export/")
		return nil
	}))
	get(r, "/export/", s.handle(s.showDumps))
	get(r, "/mentions", s.handle(s.showText("legal")))
	get(r, "/accessibilite", s.handle(s.showText("accessibility")))

	signIns := s.limit(10, time.Minute)
	get(r, "/connexion", s.handle(s.showSignIn))
	r.With(signIns).Post("/connexion", s.handle(s.askSignIn))
	get(r, "/connexion/{secret}", s.handle(s.confirmSignIn))
	r.With(signIns).Post("/connexion/{secret}", s.handle(s.signIn))
	r.Post("/deconnexion", s.handle(s.signOut))
	get(r, "/compte", s.handle(s.showAccount))

	get(r, "/personnes", s.handle(s.showPeople))
	get(r, "/personnes/{name}", s.handle(s.showPerson))
	get(r, consentPath+"{object}/{secret}", s.handle(s.askConsent))
	r.With(s.limit(30, time.Minute)).Post(consentPath+"{object}/{secret}", s.handle(s.answerConsent))
	get(r, reportPath, s.handle(s.newReport))
	r.With(s.limit(10, time.Hour)).Post(reportPath, s.handle(s.createReport))
	get(r, reportPath+"/{id}", s.handle(s.showReceipt))
	get(r, "/suivre/{name}", s.handle(s.showFollow))
	r.With(s.limit(10, time.Minute)).Post("/suivre/{name}", s.handle(s.leadToFollow))

	writes := s.limit(60, time.Minute)
	for _, k := range essaim.Kinds() {
		get(r, "/"+k.Path, s.handle(s.listKind(k)))
		get(r, "/"+k.Path+"/{slug}", s.handle(s.showRecord(k)))
		get(r, "/"+k.Path+"/{slug}/copies", s.handle(s.showCopies(k)))
		get(r, "/"+k.Path+"/{slug}/historique", s.handle(s.showHistory(k)))
		get(r, "/"+k.Path+"/{slug}/modifier", s.handle(s.editRecord(k)))
		r.With(writes).Post("/"+k.Path+"/{slug}/modifier", s.handle(s.updateRecord(k)))
		get(r, "/"+k.Path+"/{slug}/retirer", s.handle(s.confirmWithdraw(k)))
		r.With(writes).Post("/"+k.Path+"/{slug}/retirer", s.handle(s.withdrawRecord(k)))
		if k.Kind.MayBeAdapted() {
			get(lineages, "/"+k.Path+"/{slug}/lignee", s.handle(s.showLineage(k)))
			r.With(writes).Post("/"+k.Path+"/{slug}/adapter", s.handle(s.adaptRecord(k)))
		}
		get(r, "/ecrire/"+k.Path, s.handle(s.newRecord(k)))
		r.With(writes).Post("/ecrire/"+k.Path, s.handle(s.createRecord(k)))
	}
}

// paperRoutes are what is printed or kept, and the pictures of links.
func (s *Server) paperRoutes(r chi.Router) {
	booklets, pictures := r.With(s.limit(120, time.Minute)), r.With(s.limit(120, time.Minute))
	get(booklets, bookletPath, s.handle(s.showBooklet))
	get(booklets, bookletPath+".pdf", s.handle(s.showBookletPDF))
	get(pictures, previewHome, s.handle(s.showHomePreview))
	get(pictures, previewPath+"ailleurs/{host}/{slug}.png", s.handle(s.showPreview("")))
	for _, k := range essaim.Kinds() {
		get(pictures, previewPath+k.Path+"/{slug}.png", s.handle(s.showPreview(k.Kind)))
	}
}

// apiRoutes are for programs. They read no cookie, so no other site can write
// through a reader's browser.
func (s *Server) apiRoutes(r chi.Router) {
	r.Use(cors, limitBody(maxFormBytes), s.bearer)
	writes := s.limit(3000, time.Minute)
	get(r, "/api/v1/openapi.json", s.handle(s.showOpenAPI))
	if s.cfg.Dev {
		get(r, "/api/v1/routes", s.handle(s.routeMap))
	}
	get(r, "/api/v1/comments", s.handle(s.apiComments))
	r.With(s.limit(10, time.Hour)).Post("/api/v1/reports", s.handle(s.apiReport))
	get(r.With(noStore), "/api/v1/reports/{id}", s.handle(s.apiReceipt))
	s.moderationRoutes(r, writes)
	get(r, "/api/v1/similar", s.handle(s.apiSimilarTo))
	for _, k := range essaim.Kinds() {
		list, one := "/api/v1/"+k.API, "/api/v1/"+k.API+"/{slug}"
		get(r, list, s.handle(s.apiList(k)))
		get(r, one, s.handle(s.apiShow(k)))
		get(r, one+"/similar", s.handle(s.apiSimilar(k)))
		r.Options(list, func(http.ResponseWriter, *http.Request) {})
		r.Options(one, func(http.ResponseWriter, *http.Request) {})
		w := r.With(writes)
		w.Post(list, s.handle(s.apiCreate(k)))
		w.Put(list, s.handle(s.apiUpdate(k)))
		w.Delete(list, s.handle(s.apiDelete(k)))
		w.Put(one, s.handle(s.apiUpdate(k)))
		w.Delete(one, s.handle(s.apiDelete(k)))
	}
}

// moderationRoutes are for moderators' programs.
func (s *Server) moderationRoutes(r chi.Router, writes func(http.Handler) http.Handler) {
	r = r.With(noStore)
	get(r, "/api/v1/moderation", s.handle(s.apiItems))
	get(r, "/api/v1/moderation/journal", s.handle(s.apiJournal))
	get(r, "/api/v1/moderation/measures", s.handle(s.apiMeasures))
	r.With(writes).Post("/api/v1/moderation/measures", s.handle(s.apiMeasure))
	r.With(writes).Post("/api/v1/moderation/withdrawals", s.handle(s.apiWithdraw))
	get(r, "/api/v1/moderation/{n}", s.handle(s.apiItem))
	r.With(writes).Post("/api/v1/moderation/{n}", s.handle(s.apiDecide))
}

// allowed lists the methods that an address answers (RFC 9110 15.5.6).
func allowed(routes chi.Routes, path string) string {
	var list []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		if routes.Match(chi.NewRouteContext(), method, path) {
			list = append(list, method)
		}
	}
	return strings.Join(list, ", ")
}

// get answers HEAD too.
func get(r chi.Router, pattern string, h http.HandlerFunc) {
	r.Get(pattern, h)
	r.Head(pattern, h)
}

// limit lets one reader make so many requests in a time.
func (s *Server) limit(requests int, window time.Duration) func(http.Handler) http.Handler {
	return httprate.LimitBy(requests, window, s.limitKey, httprate.WithLimitHandler(s.tooMany))
}
