// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// output runs a command and gives all that it printed. It takes the command's
// children with it when the time is over.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// copyTree copies the files under version control, as they are now, with what
// is new and not ignored.
func copyTree(dir string) (string, error) {
	list, err := output(context.Background(), dir, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w\n%s", err, list)
	}
	to, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return "", err
	}
	n := 0
	for name := range strings.SplitSeq(strings.Trim(list, "\x00"), "\x00") {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(to, name)); errors.Is(err, fs.ErrNotExist) {
			continue // deleted and not yet committed
		} else if err != nil {
			return "", errors.Join(err, os.RemoveAll(to))
		}
		n++
	}
	if n == 0 {
		return "", errors.Join(fmt.Errorf("%s holds no file", dir), os.RemoveAll(to))
	}
	return to, nil
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm()|0o200)
}

// libraries is where the copies of changed libraries stand, beside the tree. One
// copy serves all faults in a library, so that what they leave alone is
// compiled once.
func libraries(dir string) string { return dir + ".libraries" }

// replaceModule puts a copy of a library, which can be changed, in its place.
func replaceModule(dir, module string) (library string, restore func(), err error) {
	before, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", func() {}, err
	}
	restore = func() { _ = os.WriteFile(filepath.Join(dir, "go.mod"), before, 0o644) }
	library = filepath.Join(libraries(dir), module)
	if _, err := os.Stat(library); errors.Is(err, fs.ErrNotExist) {
		if err := copyModule(dir, module, library); err != nil {
			return "", restore, errors.Join(err, os.RemoveAll(library))
		}
	}
	if out, err := goCommand(dir, "mod", "edit", "-replace="+module+"="+library); err != nil {
		return "", restore, fmt.Errorf("go mod edit: %w\n%s", err, out)
	}
	return library, restore, nil
}

func copyModule(dir, module, to string) error {
	from, err := goCommand(dir, "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", module, err, from)
	}
	from = strings.TrimSpace(from)
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		relative, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		return copyFile(name, filepath.Join(to, relative))
	})
}
