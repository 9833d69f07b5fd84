// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"essaim/e2e/rig"
)

// feedRounds is how often a feed is asked for.
const feedRounds = 50

// formats reads feeds of a loaded node many times and each file of everything once,
// with what the process grew by meanwhile: a file is written while it is read.
func (b *bench) formats(n *rig.Node) error {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: n.Pool, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	get := func(path string) (int64, error) {
		req, err := http.NewRequestWithContext(b.ctx, http.MethodGet, n.URL+path, nil)
		if err != nil {
			return 0, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("%s: %s", path, resp.Status)
		}
		return io.Copy(io.Discard, resp.Body)
	}
	for name, path := range map[string]string{"feed_all": "/recherche.atom", "feed_search": "/lieux.json?q=lieu&near=Brest&radius=50"} {
		var all []float64
		for range feedRounds {
			start := time.Now()
			if _, err := get(path); err != nil {
				return err
			}
			all = append(all, time.Since(start).Seconds()*1000)
		}
		slices.Sort(all)
		b.line(name+"_p95", all[(len(all)-1)*95/100], fmt.Sprintf("ms at %d records", b.records), "bare GET (ms)", 1000/b.ceilings.gets)
	}
	for _, path := range []string{"/recherche.csv", "/recherche.geojson", "/recherche.jsonld", "/sitemap.xml"} {
		before, _, err := n.RSS()
		if err != nil {
			return err
		}
		start := time.Now()
		size, err := get(path)
		if err != nil {
			return err
		}
		took := time.Since(start)
		_, peak, err := n.RSS()
		if err != nil {
			return err
		}
		name := "file_" + path[len("/"):]
		b.line(name, took.Seconds(), fmt.Sprintf("s for %d records, %.0f MB", b.records, float64(size)/1e6), "", 0)
		b.line(name+"_rss", float64(max(peak-before, 0))/1e6, "MB above before, at most", "", 0)
	}
	return nil
}
