// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// writeCertificate writes a self-signed certificate of a serial number.
func writeCertificate(t *testing.T, certFile, keyFile string, serial int64, modified time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "brest.example"},
		NotBefore: modified, NotAfter: modified.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARenewedCertificateIsServedWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := config{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
	clock := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	writeCertificate(t, cfg.TLSCert, cfg.TLSKey, 1, clock)
	c, err := tlsConfig(t.Context(), cfg, now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		served, err := c.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return served.Leaf.SerialNumber.Int64()
	}
	writeCertificate(t, cfg.TLSCert, cfg.TLSKey, 2, clock.Add(10*time.Second))
	clock = clock.Add(30 * time.Second)
	if got := serial(); got != 1 {
		t.Errorf("within a minute: serial %d, want 1", got)
	}
	clock = clock.Add(time.Minute)
	if got := serial(); got != 2 {
		t.Errorf("after a minute: serial %d, want 2", got)
	}
	// Half of a renewal: the certificate is another, its key not yet.
	if err := os.WriteFile(cfg.TLSKey, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(cfg.TLSCert, clock, clock); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(2 * time.Minute)
	if got := serial(); got != 2 {
		t.Errorf("during a renewal: serial %d, want 2", got)
	}
}

func TestACMEAnswersItsChallengeBesideTheSite(t *testing.T) {
	t.Parallel()
	// Nobody listens at the authority: the node starts all the same, and asks again.
	cfg := config{Dir: dirOfALibrary(t), URL: "https://brest.example", ACME: true, ACMEDirectory: "https://127.0.0.1:1/directory"}
	c, err := tlsConfig(t.Context(), cfg, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"h2", "http/1.1", "acme-tls/1"} {
		if !slices.Contains(c.NextProtos, want) {
			t.Errorf("protocols %v, want %s among them", c.NextProtos, want)
		}
	}
}

// dirOfALibrary is a directory that a library may still write to for a moment
// after the test's context ended, and that says nothing of when it is done:
// what t.TempDir removes once is removed again until nothing comes back.
func dirOfALibrary(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "essaim-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 100 {
			if err = os.RemoveAll(dir); err == nil {
				<-time.After(20 * time.Millisecond)
				if _, stat := os.Stat(dir); os.IsNotExist(stat) {
					return
				}
			}
			<-time.After(20 * time.Millisecond)
		}
		t.Errorf("%s is still written to: %v", dir, err)
	})
	return dir
}
