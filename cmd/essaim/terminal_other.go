// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !linux

package main

import (
	"errors"
	"os"
)

// Elsewhere than on Linux the passphrase comes from ESSAIM_PASSPHRASE.
func isTerminal(*os.File) bool { return false }

func hideTyping(*os.File) (func(), error) { return nil, errors.ErrUnsupported }
