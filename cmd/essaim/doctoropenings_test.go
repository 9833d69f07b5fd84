// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestTheDoctorNamesWhatIsOpen(t *testing.T) {
	t.Parallel()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, c := range []struct {
		cfg         config
		state, what string
	}{
		{config{}, "", "nothing is open"},
		{config{AllowPrivate: loopback}, "warn", "127.0.0.0/8"},
		{config{Dev: true}, "warn", "--dev"},
		{config{Dev: true, AllowPrivate: loopback}, "warn", "plain HTTP. --dev"},
	} {
		f, err := checkOpenings(t.Context(), &Node{cfg: c.cfg})
		if err != nil || f.State != c.state || !strings.Contains(f.What, c.what) || (f.Mend == "") != (c.state == "") {
			t.Errorf("%+v: got %+v, %v", c.cfg, f, err)
		}
	}
}

// What a configuration file or the environment says never opens it.
func TestDevelopmentIsNotASetting(t *testing.T) {
	t.Parallel()
	keys := 0
	for f := range reflect.TypeFor[settings]().Fields() {
		keys++
		if key := f.Tag.Get("toml"); key == "" || strings.HasPrefix(key, "dev") {
			t.Errorf("setting %s has the key %q", f.Name, key)
		}
	}
	if keys < 20 {
		t.Errorf("%d settings read", keys)
	}
	if cfg, err := (settings{URL: "https://brest.example"}).check(); err != nil || cfg.Dev {
		t.Errorf("development %v, %v", cfg.Dev, err)
	}
	if dev, ok := reflect.TypeFor[serveCommand]().FieldByName("Dev"); !ok || dev.Tag.Get("env") != "" || dev.Tag.Get("toml") != "" {
		t.Errorf("--dev (%v) is read from %q", ok, dev.Tag)
	}
}
