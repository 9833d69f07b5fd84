// SPDX-License-Identifier: AGPL-3.0-or-later

// Package packaging checks what is distributed: the static binaries, the
// Debian package, the systemd units, the container image, the examples for
// reverse proxies. Of the other architecture than the machine's, the binary runs
// under emulation, the Debian package is read, the image is built and not started.
package packaging

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"debug/elf"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// repository is the root, seen from this package.
const repository = "../.."

// built builds the packages once, unless ESSAIM_PACKAGES says where they are,
// and gives the directory of each architecture.
var built = sync.OnceValues(func() ([]string, error) {
	dir := os.Getenv("ESSAIM_PACKAGES")
	if dir == "" {
		dir = filepath.Join(repository, "bin", "package")
		cmd := exec.Command("tools/package.sh", "amd64")
		cmd.Dir = repository
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("tools/package.sh: %w\n%s", err, out)
		}
		return []string{filepath.Join(dir, "amd64")}, nil
	}
	dirs, err := filepath.Glob(filepath.Join(dir, "a*64"))
	if len(dirs) != 2 {
		return nil, fmt.Errorf("%s holds %d architectures, want 2 (%w)", dir, len(dirs), err)
	}
	return dirs, nil
})

func packages(t *testing.T) []string {
	t.Helper()
	dirs, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// run runs a command and fails the test with its output when it fails.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	// What this run was told is no setting of a node.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ESSAIM_") })
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func deb(t *testing.T, dir string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "*.deb"))
	if len(found) != 1 {
		t.Fatalf("%s: got %d packages, want 1", dir, len(found))
	}
	return found[0]
}

func TestBinaryNeedsNoLoaderNorLibrary(t *testing.T) {
	for _, dir := range packages(t) {
		f, err := elf.Open(filepath.Join(dir, "essaim"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s asks for a loader", dir)
			}
		}
		if libraries, _ := f.ImportedLibraries(); len(libraries) > 0 {
			t.Errorf("%s needs %v", dir, libraries)
		}
		want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[filepath.Base(dir)]
		if f.Machine != want {
			t.Errorf("%s: got %v, want %v", dir, f.Machine, want)
		}
		f.Close()
	}
}

// emulators run a program of another architecture; the machine's own needs none.
var emulators = map[string]string{"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}

// Each binary makes a node, which takes its keys, its database and all that is
// embedded: that of the other architecture under emulation, where time says nothing.
func TestEachBinaryMakesANode(t *testing.T) {
	for _, dir := range packages(t) {
		command := []string{filepath.Join(dir, "essaim")}
		if arch := filepath.Base(dir); arch != runtime.GOARCH {
			command = append([]string{emulators[arch]}, command...)
		}
		essaim := func(args ...string) string {
			return run(t, command[0], append(command[1:len(command):len(command)], args...)...)
		}
		if got := essaim("version"); !strings.HasPrefix(got, "essaim ") {
			t.Errorf("%s: version: got %q", dir, got)
		}
		data := filepath.Join(t.TempDir(), "data")
		if got := essaim("init", "--data", data, "--url", "https://brest.example", "--name", "Brest métropole", "--epci", "242900314", "--admin-email", "animatrice@brest.example"); !strings.Contains(got, "https://brest.example/") {
			t.Errorf("%s: init gave no sign-in link: %q", dir, got)
		}
		if got := essaim("doctor", "--data", data); strings.Contains(got, "wrong") || !strings.Contains(got, "database") {
			t.Errorf("%s: doctor: %s", dir, got)
		}
	}
}

func TestDebianPackageHoldsTheService(t *testing.T) {
	for _, dir := range packages(t) {
		list := run(t, "dpkg-deb", "-c", deb(t, dir))
		for _, want := range []string{
			"./usr/bin/essaim\n", "./lib/systemd/system/essaim.service\n", "./lib/systemd/system/essaim-backup.timer\n",
			"./etc/essaim/essaim.env\n", "./usr/lib/essaim/backup\n", "./usr/share/doc/essaim/copyright\n", "./usr/share/doc/essaim/installer.md\n",
			"./usr/share/doc/essaim/importer.md\n", "./usr/share/doc/essaim/suivre.md\n", "./usr/share/doc/essaim/carte.md\n", "./usr/share/doc/essaim/reprendre.md\n",
			"./usr/share/doc/essaim/donnees.md\n", "./usr/share/doc/essaim/restaurer.md\n", "./usr/share/doc/essaim/configuration.md\n",
		} {
			if !strings.Contains(list, want) {
				t.Errorf("%s lacks %s", dir, want)
			}
		}
		if m := regexp.MustCompile(`(?m)^.......w.*$`).FindString(list); m != "" {
			t.Errorf("%s: anyone may write %s", dir, m)
		}
		control := t.TempDir()
		run(t, "dpkg-deb", "-e", deb(t, dir), control)
		for _, script := range []string{"postinst", "prerm", "postrm"} {
			run(t, "sh", "-n", filepath.Join(control, script))
		}
		if got, _ := os.ReadFile(filepath.Join(control, "conffiles")); string(got) != "/etc/essaim/essaim.env\n" {
			t.Errorf("conffiles: got %q", got)
		}
	}
}

func TestUnitsAreValidAndConfined(t *testing.T) {
	root := t.TempDir()
	run(t, "dpkg-deb", "-x", deb(t, packages(t)[0]), root)
	// The units that ours stand on.
	run(t, "cp", "-rn", "/lib/systemd/system", filepath.Join(root, "lib/systemd/"))
	if out := run(t, "systemd-analyze", "verify", "--man=no", "--root="+root, "essaim.service", "essaim-backup.service", "essaim-backup.timer"); strings.TrimSpace(out) != "" {
		t.Errorf("systemd-analyze verify: %s", out)
	}
	for unit, limit := range map[string]string{"essaim.service": "15", "essaim-backup.service": "20"} { // tenths of systemd's exposure level, 0 to 100
		run(t, "systemd-analyze", "security", "--offline=true", "--threshold="+limit, filepath.Join(repository, "deploy", unit))
	}
}

func TestProxyExamplesAreValid(t *testing.T) {
	dir := t.TempDir()
	key, certificate := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	selfSigned(t, key, certificate)

	caddy := filepath.Join(dir, "Caddyfile")
	copyFile(t, filepath.Join(repository, "deploy/Caddyfile"), caddy, nil)
	t.Setenv("HOME", dir)
	run(t, "caddy", "validate", "--adapter", "caddyfile", "--config", caddy)

	site := filepath.Join(dir, "essaim.conf")
	copyFile(t, filepath.Join(repository, "deploy/nginx.conf"), site, strings.NewReplacer(
		"/etc/letsencrypt/live/brest.example/fullchain.pem", certificate,
		"/etc/letsencrypt/live/brest.example/privkey.pem", key))
	whole := filepath.Join(dir, "nginx.conf")
	text := "pid " + dir + "/pid;\nerror_log stderr;\nevents {}\nhttp { access_log off; include " + site + "; }\n"
	if err := os.WriteFile(whole, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, "nginx", "-t", "-p", dir, "-c", whole)
	if strings.Contains(out, "[warn]") {
		t.Errorf("nginx: %s", out)
	}
}

func TestImageStartsFromScratch(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("building an image needs root")
		}
		t.Log("left out: building an image needs root")
		return
	}
	store := t.TempDir()
	buildah := func(args ...string) string {
		return strings.TrimSpace(run(t, "buildah", append([]string{"--root", store + "/root", "--runroot", store + "/run", "--storage-driver", "vfs"}, args...)...))
	}
	for _, dir := range packages(t) {
		dir, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		arch := filepath.Base(dir)
		buildah("build", "--arch", arch, "--isolation", "chroot", "-f", filepath.Join(repository, "deploy/Containerfile"), "-t", "essaim-"+arch, dir)
		if got := buildah("inspect", "--type", "image", "--format", "{{.OCIv1.Architecture}}", "localhost/essaim-"+arch); got != arch {
			t.Errorf("the image of %s says that it is for %s", arch, got)
		}
	}
	// Only the machine's own is started: in an image from scratch no emulator is.
	lines := strings.Fields(buildah("from", "--quiet", "localhost/essaim-"+runtime.GOARCH))
	container := lines[len(lines)-1]
	defer buildah("rm", container)
	if got := buildah("run", "--isolation", "chroot", container, "--", "/usr/bin/essaim", "version"); !strings.HasPrefix(got, "essaim ") {
		t.Errorf("version: got %q", got)
	}
	// The authorities are there, the data can be written, and not by root.
	got := buildah("run", "--isolation", "chroot", container, "--", "/usr/bin/essaim", "init",
		"--url", "https://brest.example", "--name", "Brest métropole", "--epci", "242900314", "--admin-email", "animatrice@brest.example")
	if !strings.Contains(got, "https://brest.example/") {
		t.Errorf("init gave no sign-in link: %q", got)
	}
}

func copyFile(t *testing.T, from, to string, replace *strings.Replacer) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if replace != nil {
		text = replace.Replace(text)
	}
	if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func selfSigned(t *testing.T, keyFile, certificateFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"brest.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{keyFile: {Type: "PRIVATE KEY", Bytes: secret}, certificateFile: {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
