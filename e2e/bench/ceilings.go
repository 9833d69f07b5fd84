// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// ceilings are what one core, this disk and Go's own server do at best, measured
// just before.
type ceilings struct {
	signs, verifies, fsyncs float64 // a second
	seals                   float64 // Ed25519 signatures a second
	gets                    float64 // answers of 3 kB that a bare handler gives in a second
	exec                    float64 // ms until a program that says its version has ended
	resident                float64 // MB of this program, which holds next to nothing
}

func measureCeilings(dir, bin string) (c ceilings, err error) {
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
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return c, err
	}
	if c.seals, err = cpuRate(100*time.Millisecond, func() error { ed25519.Sign(ed, sum[:]); return nil }); err != nil {
		return c, err
	}
	if c.gets, err = bareGets(); err != nil {
		return c, err
	}
	if c.exec, err = bareExec(bin); err != nil {
		return c, err
	}
	if c.resident, err = ownMemory(); err != nil {
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

// bareGets is how often the load of get is answered by a handler that does nothing.
func bareGets() (float64, error) {
	body := bytes.Repeat([]byte("commun "), 430)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	defer server.Close()
	n, err := hammer(server.URL, "*/*")
	return float64(n) / getDuring.Seconds(), err
}

// bareExec is the median time of seven runs of the binary that do nothing.
func bareExec(bin string) (float64, error) {
	var times []float64
	for range 7 {
		start := time.Now()
		if err := exec.Command(bin, "version").Run(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start).Seconds()*1000)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// ownMemory is what this program holds in memory, in MB.
func ownMemory() (float64, error) {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var total, resident int
	if _, err := fmt.Sscan(string(statm), &total, &resident); err != nil {
		return 0, err
	}
	return float64(resident*os.Getpagesize()) / 1e6, nil
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
