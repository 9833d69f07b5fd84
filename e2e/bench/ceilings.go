// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"os"
	"path/filepath"
	"time"
)

// ceilings are what one core and this disk do at best, measured just before.
type ceilings struct{ signs, verifies, fsyncs float64 }

func measureCeilings(dir string) (c ceilings, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return c, err
	}
	sum := sha256.Sum256([]byte("essaim"))
	var sig []byte
	c.signs, err = rate(600*time.Millisecond, func() (err error) {
		sig, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		return err
	})
	if err != nil {
		return c, err
	}
	if c.verifies, err = rate(300*time.Millisecond, func() error { return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], sig) }); err != nil {
		return c, err
	}
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return c, err
	}
	defer f.Close()
	page := make([]byte, 4096)
	c.fsyncs, err = rate(300*time.Millisecond, func() error {
		if _, err := f.Write(page); err != nil {
			return err
		}
		return f.Sync()
	})
	return c, err
}

// rate is how often f runs in a second.
func rate(during time.Duration, f func() error) (float64, error) {
	start, n := time.Now(), 0
	for time.Since(start) < during {
		if err := f(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(start).Seconds(), nil
}
