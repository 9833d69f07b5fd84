// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"essaim"
)

func TestKeysComeBackAsWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	if err := writeKeys(dir, k); err != nil {
		t.Fatal(err)
	}
	again, err := readKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := fingerprint(k)
	if got, _ := fingerprint(again); got != want || len(got) != 64 {
		t.Errorf("fingerprint %q, want %q", got, want)
	}
	for _, f := range []string{rsaFile, ed25519Pem} {
		info, err := os.Stat(filepath.Join(dir, keysDir, f))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", f, info.Mode(), err)
		}
	}
	if err := writeKeys(dir, k); !errors.Is(err, os.ErrExist) {
		t.Errorf("writing over keys: got %v, want %v", err, os.ErrExist)
	}
}

func TestKeyBackupOpensWithItsPassphraseOnly(t *testing.T) {
	t.Parallel()
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	b, err := newKeyBackup(keyOwner{Node: essaim.Node{BaseURL: "https://brest.example", Incarnation: 1}}, k)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := b.seal("correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("brest")) {
		t.Error("the backup shows whose it is")
	}
	got, err := openKeyBackup(sealed, "correct horse battery")
	if err != nil || got.RSA != b.RSA || got.Ed25519 != b.Ed25519 || got.Node.BaseURL != b.Node.BaseURL {
		t.Errorf("opened %v, %v; want what was sealed", got.Node, err)
	}
	if _, err := openKeyBackup(sealed, "correct horse batterx"); !errors.Is(err, errPassphrase) {
		t.Errorf("wrong passphrase: got %v, want %v", err, errPassphrase)
	}
	changed := bytes.Replace(sealed, []byte("\n"), []byte("\nAAAA"), 1)
	if _, err := openKeyBackup(changed, "correct horse battery"); err == nil {
		t.Error("a changed backup opened")
	}
}

func FuzzOpenKeyBackup(f *testing.F) {
	f.Add([]byte("-----BEGIN ESSAIM KEY BACKUP V1-----\nAAAA\n-----END ESSAIM KEY BACKUP V1-----\n"))
	f.Add([]byte("not a backup"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Nothing that was not sealed with the passphrase opens.
		if len(b) < 150 {
			if _, err := openKeyBackup(b, "a passphrase"); err == nil {
				t.Error("opened")
			}
		}
	})
}
