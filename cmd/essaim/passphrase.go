// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// minPassphrase keeps a stolen backup out of reach of guesses, in characters.
const minPassphrase = 12

// passphrase is ESSAIM_PASSPHRASE or what is typed, unseen, at the terminal.
// A new one is asked for twice.
func (a *app) passphrase(forNew bool) (string, error) {
	if p := a.env("ESSAIM_PASSPHRASE"); p != "" {
		return p, longEnough(p, forNew)
	}
	terminal, ok := a.in.(*os.File)
	if !ok || !isTerminal(terminal) {
		return "", usagef("no passphrase: set ESSAIM_PASSPHRASE where no terminal can ask for it")
	}
	p, err := a.typed(terminal, "Passphrase: ")
	if err != nil || !forNew {
		return p, err
	}
	if err := longEnough(p, forNew); err != nil {
		return "", err
	}
	again, err := a.typed(terminal, "The same again: ")
	if err == nil && again != p {
		err = errors.New("the two passphrases differ")
	}
	return p, err
}

func longEnough(p string, forNew bool) error {
	if forNew && utf8.RuneCountInString(p) < minPassphrase {
		return fmt.Errorf("the passphrase is shorter than %d characters", minPassphrase)
	}
	return nil
}

func (a *app) typed(terminal *os.File, prompt string) (string, error) {
	fmt.Fprint(a.errs, prompt)
	restore, err := hideTyping(terminal)
	if err != nil {
		return "", err
	}
	line, err := bufio.NewReader(terminal).ReadString('\n')
	restore()
	fmt.Fprintln(a.errs)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}
