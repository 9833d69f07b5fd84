// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite generated files")

func TestConfigurationLayersFlagOverEnvironmentOverFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := "listen = '127.0.0.1:1'\nlog_level = 'warn'\npeer_policy = 'approve'\nacme = true\nallow_private = ['127.0.0.0/8', '::1']\n"
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{dir: dir, environ: []string{"ESSAIM_LISTEN=127.0.0.1:2", "ESSAIM_LOG_LEVEL=error"}}
	c, err := a.configuration(settings{Listen: "127.0.0.1:3"})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Listen, " ", c.LogLevel, " ", c.PeerPolicy, " ", c.ACME, " ", c.AllowPrivate)
	if want := "127.0.0.1:3 ERROR approve true [127.0.0.0/8 ::1/128]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConfigurationRefusesWithOneClearLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, env, want string }{
		{"unknown key", "listn = 'x:1'", "", "unknown key listn (did you mean listen?)"},
		{"unknown variable", "", "ESSAIM_LISTN=x", "environment: unknown variable ESSAIM_LISTN (did you mean ESSAIM_LISTEN?)"},
		{"broken file", "url = ", "", "line 1"},
		{"number", "listen = 8080", "", "listen: a text is wanted, in quotes"},
		{"no port", "", "ESSAIM_LISTEN=8080", `listen (ESSAIM_LISTEN): "8080" is no HOST:PORT`},
		{"other database", "", "ESSAIM_DATABASE_URL=mysql://u:secret@h/d", "database_url (ESSAIM_DATABASE_URL): only postgres://… is known"},
		{"certificate without key", "tls_cert = 'c.pem'", "", "tls_cert and tls_key go together"},
		{"network", "", "ESSAIM_ALLOW_PRIVATE=localhost", `"localhost" is no network`},
		{"policy", "", "ESSAIM_PEER_POLICY=closed", "none of open, approve, allowlist"},
		{"level", "", "ESSAIM_LOG_LEVEL=loud", "none of debug, info, warn, error"},
		{"files elsewhere", "", "ESSAIM_BLOB_URL=s3://key:secret@files.example/essaim", "blob_url (ESSAIM_BLOB_URL): this version keeps files in the data directory only, not at s3:; leave it empty"},
		{"plain http", "", "ESSAIM_URL=http://brest.example", "https is wanted"},
		{"path", "", "ESSAIM_URL=https://brest.example/essaim", "no address such as"},
		{"upper case", "", "ESSAIM_URL=https://Brest.example", "lower case"},
		{"acme", "", "ESSAIM_ACME=yes", "neither on nor off"},
		{"mail", "", "ESSAIM_SMTP_URL=mail.example", "smtp://HOST:PORT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, configFile), []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := (&app{dir: dir, environ: []string{c.env}}).configuration(settings{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%v shows a password", err)
			}
		})
	}
}

// The reference is made from the comments of settings, so that it can't tell
// otherwise than the code.
func TestConfigurationReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "configuration.md")
	want := configurationReference(t)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/configuration.md is not current; run go generate ./cmd/essaim\n%s", diff)
	}
}

func configurationReference(t *testing.T) []byte {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "settings.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("<!-- Made from cmd/essaim/settings.go by go generate; edit there. -->\n# Configuration\n\n" +
		"Each option may be given as a flag of `essaim serve`, as an environment variable, or as a key of `essaim.toml` in the data\n" +
		"directory; the first found counts. An unknown key, a bad value or a missing secret stops the start with one clear line.\n\n" +
		"```toml\n# /var/lib/essaim/essaim.toml\nurl = \"https://brest.example\"\nlisten = \"127.0.0.1:8080\"\ntrusted_proxies = [\"127.0.0.1/32\"]\n```\n\n" +
		"Beside these: `ESSAIM_DATA` is the data directory (`--data`), `ESSAIM_PASSPHRASE` the passphrase of key backups where no\n" +
		"terminal can ask for it, and `SSL_CERT_FILE` adds certificate authorities to those of the system.\n")
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "settings" {
			return true
		}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
			fmt.Fprintf(&b, "\n## %s\n\n`--%s` · `%s`\n\n%s", tag.Get("toml"), tag.Get("name"), variable(tag.Get("toml")), f.Doc.Text())
		}
		return false
	})
	return b.Bytes()
}
