// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"errors"
	"testing"

	"essaim"
	"essaim/store"
)

func TestSealedKeysOpenWithTheirPassphraseAlone(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{"rsa.pem": []byte("secret one"), "ed25519.pem": {0, 255}}
	sealed, err := store.Seal("une phrase", files)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("secret one")) {
		t.Error("the seal shows what it hides")
	}
	got, err := store.Unseal("une phrase", sealed)
	if err != nil || len(got) != 2 || !bytes.Equal(got["rsa.pem"], files["rsa.pem"]) || !bytes.Equal(got["ed25519.pem"], files["ed25519.pem"]) {
		t.Errorf("unsealed %q, %v", got, err)
	}
	if _, err := store.Unseal("une autre", sealed); !errors.Is(err, essaim.ErrForbidden) {
		t.Errorf("wrong passphrase: %v", err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	if _, err := store.Unseal("une phrase", changed); !errors.Is(err, essaim.ErrForbidden) {
		t.Errorf("changed byte: %v", err)
	}
	if _, err := store.Unseal("une phrase", sealed[:20]); !errors.Is(err, essaim.ErrInvalid) {
		t.Errorf("cut file: %v", err)
	}
	if _, err := store.Seal("", files); !errors.Is(err, essaim.ErrInvalid) {
		t.Errorf("empty passphrase: %v", err)
	}
}
