// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"os"
	"path/filepath"
	"syscall"
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
	c.signs, err = cpuRate(600*time.Millisecond, func() (err error) {
		sig, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		return err
	})
	if err != nil {
		return c, err
	}
	if c.verifies, err = cpuRate(300*time.Millisecond, func() error { return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], sig) }); err != nil {
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
	start := time.Now()
	n, err := repeat(during, f)
	return float64(n) / time.Since(start).Seconds(), err
}

// cpuRate is how often f runs in a second of a processor: a machine busy with
// other things measures the same.
func cpuRate(during time.Duration, f func() error) (float64, error) {
	before, err := cpuTime()
	if err != nil {
		return 0, err
	}
	n, err := repeat(during, f)
	if err != nil {
		return 0, err
	}
	after, err := cpuTime()
	return float64(n) / (after - before).Seconds(), err
}

func repeat(during time.Duration, f func() error) (n int, err error) {
	for start := time.Now(); time.Since(start) < during; n++ {
		if err := f(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// cpuTime is what this process has used.
func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}
