// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net"
	"strings"
)

// notify tells the service manager a state such as "READY=1" (sd_notify(3)).
// socket is NOTIFY_SOCKET; empty where no manager asked.
func notify(socket, state string) error {
	if socket == "" {
		return nil
	}
	if strings.HasPrefix(socket, "@") {
		socket = "\x00" + socket[1:] // Linux's abstract namespace
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}
