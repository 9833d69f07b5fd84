// SPDX-License-Identifier: AGPL-3.0-or-later

// Package install follows the installation guide as it is written, on a fresh
// Debian without Go.
package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	repository = "../.."
	guide      = repository + "/docs/fr/installer.md"
)

// step is one command of the guide, and the section that it stands in.
type step struct{ section, command string }

// steps reads the commands of the guide: the lines of its sh blocks, with the
// lines that a backslash continues.
func steps(t *testing.T) []step {
	t.Helper()
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	var list []step
	var section, command string
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "## "):
			section = strings.TrimPrefix(line, "## ")
		case line == "```sh":
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			command += line
			if strings.HasSuffix(line, `\`) {
				command += "\n"
				continue
			}
			list = append(list, step{section, command})
			command = ""
		}
	}
	if len(list) < 20 {
		t.Fatalf("read %d commands of the guide", len(list))
	}
	return list
}

func TestInstallationGuideWorksAsWritten(t *testing.T) {
	if testing.Short() {
		return // a fresh Debian takes a minute
	}
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("a fresh Debian needs root")
		}
		t.Log("left out: a fresh Debian needs root")
		return
	}
	build := exec.Command("tools/package.sh", "amd64")
	build.Dir = repository
	build.Env = append(os.Environ(), "PACKAGE_DIR=bin/package-install") // another test may be building its own
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("tools/package.sh: %v\n%s", err, out)
	}
	packages, _ := filepath.Glob(repository + "/bin/package-install/amd64/*.deb")
	if len(packages) != 1 {
		t.Fatalf("got %d packages, want 1", len(packages))
	}
	cache, err := filepath.Abs(repository + "/bin/debian")
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, cache)
	m.run("! command -v go")
	text, err := os.ReadFile(packages[0])
	if err != nil {
		t.Fatal(err)
	}
	m.write("tmp/essaim.deb", string(text), 0o644)

	section := ""
	for _, s := range steps(t) {
		if s.section != section {
			if strings.HasPrefix(s.section, "6.") {
				m.publish("Jardin du premier jour")
			}
			if strings.HasPrefix(s.section, "7.") {
				m.publish("Jardin du lendemain")
			}
			section = s.section
			t.Log(section)
		}
		if arguments, ok := strings.CutPrefix(s.command, "systemctl "); ok {
			m.systemctl(strings.Fields(arguments))
			continue
		}
		m.run(s.command)
	}

	// What was backed up is back, what came after the backup is not, and the
	// node still speaks under its own keys.
	list := m.run("curl -fsS https://brest.example/initiatives")
	if !strings.Contains(list, "Jardin du premier jour") {
		t.Error("the restored node has lost the record that was backed up")
	}
	if strings.Contains(list, "Jardin du lendemain") {
		t.Error("the restored node has a record made after its backup: was anything restored?")
	}
	m.publish("Jardin d’après")
	if got := m.run("curl -fsS -H 'Accept: application/activity+json' https://brest.example/actor"); !strings.Contains(got, "publicKeyPem") {
		t.Errorf("actor: got %s", got)
	}
	// The guide says how Mastodon finds the territory.
	m.run("curl -fsS 'https://brest.example/.well-known/webfinger?resource=acct:brest_metropole@brest.example'")
	if out := m.run("runuser -u essaim -- essaim doctor --data /var/lib/essaim"); out == "" {
		t.Error("doctor says nothing")
	}
}

// publish writes a record by the API, as the administrator.
func (m *machine) publish(title string) {
	m.t.Helper()
	token := strings.TrimSpace(m.run("runuser -u essaim -- essaim token create --data /var/lib/essaim --user animatrice@brest.example"))
	if lines := strings.Fields(token); len(lines) > 0 {
		token = lines[len(lines)-1]
	}
	m.run(`curl -fsS -X POST https://brest.example/api/v1/initiatives -H 'Authorization: Bearer ` + token + `' -H 'Content-Type: application/json' ` +
		`-d '{"title":"` + title + `","tagline":"Un jardin partagé.","themes":["alimentation"],"places":[{"insee":"29019"}]}'`)
}

// systemctl does what a line of the guide asks of systemd, with the unit's own
// ExecStart.
func (m *machine) systemctl(arguments []string) {
	m.t.Helper()
	var verb string
	var now bool
	var units []string
	for _, a := range arguments {
		switch {
		case a == "--now":
			now = true
		case verb == "":
			verb = a
		default:
			units = append(units, a)
		}
	}
	for _, name := range units {
		if !regexp.MustCompile(`\.(service|timer)$`).MatchString(name) {
			name += ".service"
		}
		if strings.HasSuffix(name, ".timer") {
			if text := m.read("lib/systemd/system/" + name); !strings.Contains(text, "OnCalendar=") {
				m.t.Errorf("%s is no timer", name)
			}
			continue
		}
		switch {
		case verb == "stop":
			m.stop(name)
		case verb == "start" || verb == "restart" || verb == "enable" && now:
			m.stop(name)
			if name == "caddy.service" {
				m.trustCaddy(name)
				continue
			}
			m.start(name)
		case verb == "enable":
			m.unit(name)
		default:
			m.t.Fatalf("systemctl %v: the test does not know it", arguments)
		}
	}
}

// trustCaddy starts Caddy with an authority of its own in the place of the
// public one, and makes the machine trust it.
func (m *machine) trustCaddy(name string) {
	m.t.Helper()
	m.write("etc/caddy/Caddyfile", "{\n\tlocal_certs\n\tskip_install_trust\n}\n"+m.read("etc/caddy/Caddyfile"), 0o644)
	m.start(name)
	m.run(`root=/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt
for i in $(seq 100); do [ -s "$root" ] && break; sleep 0.1; done
cp "$root" /usr/local/share/ca-certificates/essai.crt
update-ca-certificates`)
}
