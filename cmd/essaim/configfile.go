// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// writeConfigFile keeps what serve needs to know. A file that stands is its
// owner's.
func writeConfigFile(dir string, values map[string]string) error {
	for key, v := range values {
		if v == "" {
			delete(values, key)
		}
	}
	b, err := toml.Marshal(values)
	if err != nil {
		return err
	}
	err = createFile(filepath.Join(dir, configFile), []byte(strings.TrimLeft(string(b), "\n")))
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// prefixes writes networks as a setting has them.
func prefixes(list []netip.Prefix) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	return strings.Join(words, ",")
}
