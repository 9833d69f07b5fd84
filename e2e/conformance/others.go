// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// npmDir is where tools/ensure.sh installs what others wrote.
const npmDir = "e2e/fedify"

// node is Node's command, of the version in the lock file, with the suite's
// authority trusted.
func (w *world) node22(args ...string) (*exec.Cmd, error) {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	bin, err := filepath.Abs(filepath.Join(npmDir, "node_modules/node-linux-"+arch+"/bin/node"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(bin); err != nil {
		return nil, fmt.Errorf("npm packages are not installed (tools/ensure.sh test): %w", err)
	}
	cmd := exec.CommandContext(w.ctx, bin, args...)
	cmd.Dir = npmDir
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+w.ca.CAFile)
	return cmd, nil
}

// Of the fifteen cases of activitypub-testing those that speak of an actor whose
// inbox nobody reads; the others need such an inbox, likes of its own or a client.
const (
	testingCases = 15
	applicable   = 5
)

// activityPubTesting runs socialweb.coop's suite on each actor: no case that
// applies fails.
func (w *world) activityPubTesting() error {
	var all []error
	for _, actor := range w.everyActor() {
		cmd, err := w.node22("node_modules/activitypub-testing/src/cli.js", "test", "actor", actor)
		if err != nil {
			return err
		}
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("activitypub-testing: %w", err)
		}
		outcomes := map[string]int{}
		sc := bufio.NewScanner(bytes.NewReader(out))
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			var line struct {
				Result struct {
					Outcome string `json:"outcome"`
					Info    string `json:"info"`
				} `json:"result"`
				Test any `json:"test"`
			}
			if json.Unmarshal(sc.Bytes(), &line) != nil || line.Result.Outcome == "" {
				continue
			}
			outcomes[line.Result.Outcome]++
			if line.Result.Outcome == "failed" {
				all = append(all, fmt.Errorf("%s: %v: %s", actor, line.Test, line.Result.Info))
			}
		}
		if sum := outcomes["passed"] + outcomes["failed"] + outcomes["inapplicable"]; outcomes["passed"] < applicable || sum != testingCases {
			all = append(all, fmt.Errorf("%s: %v, want %d cases, of which %d passed", actor, outcomes, testingCases, applicable))
		}
	}
	return errors.Join(all...)
}
