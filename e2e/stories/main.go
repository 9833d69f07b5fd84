// SPDX-License-Identifier: AGPL-3.0-or-later

// Command stories tells from outside, by HTTP alone, what the three territories
// of the demonstration do for each other. It needs bin/essaim (make build).
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"essaim/e2e/rig"
)

// territories are the demonstration's, in the order of their ports.
var territories = [...]string{"brest", "toulouse", "tourcoing"}

type story struct {
	*rig.Suite
	ctx   context.Context
	bin   string
	dir   string
	port  int
	nodes map[string]*rig.Node
}

// apart is the same suite, with nodes of its own.
func (s *story) apart() *story {
	own := *s
	own.nodes = map[string]*rig.Node{}
	return &own
}

func main() {
	var seed uint64
	flag.Uint64Var(&seed, "seed", 0, "seed of every random choice; 0 takes one")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Minute)
	defer cancel()
	s := &story{Suite: rig.NewSuite("stories", seed), ctx: ctx, nodes: map[string]*rig.Node{}}
	s.Must("the binary and three ports that are free", s.prepare)
	s.demonstration()
	s.lineage()
	s.rescue()
	s.takeover()
	s.swarm()
	s.erasures()
	s.End()
}

func (s *story) prepare() (err error) {
	if s.bin, err = rig.Binary(); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "essaim-stories-"); err != nil {
		return err
	}
	s.Cleanup(func() { _ = os.RemoveAll(s.dir) }) // a leftover temporary directory harms nobody
	s.port, err = rig.FreePorts(len(territories))
	return err
}

// demo runs the demonstration until it ends or ctx does.
func (s *story) demo(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(s.bin, append([]string{"demo", "--dir", dir, "--port", strconv.Itoa(s.port)}, args...)...)
	cmd.Env = append(os.Environ(), "ESSAIM_DATA=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// demonstration: the three nodes come to hold the records of all three, also
// when the program is killed on the way.
func (s *story) demonstration() {
	rng := rand.New(rand.NewPCG(s.Seed(), 1))
	dir := filepath.Join(s.dir, "demo")
	s.Check("demo --once, killed at a random moment", func() error {
		cmd := s.demo(dir, "--once")
		if err := cmd.Start(); err != nil {
			return err
		}
		pause := 200*time.Millisecond + time.Duration(rng.IntN(4000))*time.Millisecond
		time.Sleep(pause)
		_ = cmd.Process.Kill() // it may be done already
		_ = cmd.Wait()
		s.Figure("killed_after_ms", pause.Milliseconds(), "ms")
		return nil
	})
	s.Must("demo --once on the same directory exits 0 in under 60 s", func() error {
		start := time.Now()
		out, err := s.demo(dir, "--once").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %.600s", err, out)
		}
		s.Figure("demo_once_seconds", time.Since(start).Seconds(), "s")
		if took := time.Since(start); took > time.Minute {
			return fmt.Errorf("it took %s", took)
		}
		return nil
	})
	for i, name := range territories {
		s.nodes[name] = &rig.Node{
			Bin: s.bin, Dir: filepath.Join(dir, name), URL: fmt.Sprintf("http://127.0.0.1:%d", s.port+i),
		}
		s.Cleanup(s.nodes[name].Kill)
	}
	s.Must("each territory's directory is a node that serve runs", func() error {
		for _, name := range territories {
			if err := s.nodes[name].Start(s.ctx); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := s.nodes[name].AdminToken(s.ctx); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
}
