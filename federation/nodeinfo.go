// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"net/http"
	"strings"

	"essaim/federation/vocab"
)

const nodeInfoSchema = "http://nodeinfo.diaspora.software/ns/schema/"

// nodeInfoLinks names the versions served and the node's own actor (FEP-f1d5,
// FEP-0151, FEP-2677).
func (s *Server) nodeInfoLinks(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	s.serveJSON(w, r, "application/json", map[string][]jrd{"links": {
		{Rel: nodeInfoSchema + "2.1", Href: s.base + "/nodeinfo/2.1"},
		{Rel: nodeInfoSchema + "2.0", Href: s.base + "/nodeinfo/2.0"},
		{Rel: relApplication, Type: vocab.ContentType, Href: s.nodeActor()},
	}})
}

type nodeInfo struct {
	Version           string           `json:"version"`
	Software          nodeSoftware     `json:"software"`
	Protocols         []string         `json:"protocols"`
	Services          nodeServices     `json:"services"`
	OpenRegistrations bool             `json:"openRegistrations"`
	Usage             nodeUsage        `json:"usage"`
	Metadata          nodeInfoMetadata `json:"metadata"`
}

type nodeSoftware struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	Repository string `json:"repository,omitempty"` // 2.1 only
}

type nodeServices struct {
	Inbound  []string `json:"inbound"`
	Outbound []string `json:"outbound"`
}

type nodeUsage struct {
	Users struct {
		Total int `json:"total"`
	} `json:"users"`
	LocalPosts    int `json:"localPosts"`
	LocalComments int `json:"localComments"`
}

// nodeInfoMetadata says which territory this is, for other nodes' maps.
type nodeInfoMetadata struct {
	Name         string    `json:"nodeName"`
	Description  string    `json:"nodeDescription,omitempty"`
	Territory    string    `json:"territory"`
	Centre       []float64 `json:"centre,omitempty"` // latitude, longitude
	Communes     []string  `json:"communes,omitempty"`
	EPCIs        []string  `json:"epcis,omitempty"`
	Departements []string  `json:"departements,omitempty"`
}

// nodeInfo serves NodeInfo 2.1 or 2.0 with true figures (FEP-0151: never false
// usage).
func (s *Server) nodeInfo(w http.ResponseWriter, r *http.Request) {
	n, err := s.store.Counts(r.Context(), s.node.Territory.Actor)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	t := s.node.Territory
	doc := nodeInfo{
		Version: "2.1", Software: nodeSoftware{Name: "essaim", Version: s.version},
		Protocols: []string{"activitypub"}, Services: nodeServices{Inbound: []string{}, Outbound: []string{}},
		Metadata: nodeInfoMetadata{
			Name: t.Name, Description: s.renderer.PlainSummary(), Territory: t.Actor,
			Communes: t.Communes, EPCIs: t.EPCIs, Departements: t.Departements,
		},
	}
	if t.Lat != 0 || t.Lon != 0 {
		doc.Metadata.Centre = []float64{t.Lat, t.Lon}
	}
	doc.Usage.Users.Total, doc.Usage.LocalPosts, doc.Usage.LocalComments = n.Users, n.Published, n.Comments
	if strings.HasSuffix(r.URL.Path, "2.0") {
		doc.Version = "2.0"
	} else {
		doc.Software.Repository = s.source
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	s.serveJSON(w, r, `application/json; profile="`+nodeInfoSchema+doc.Version+`#"`, doc)
}
