// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net"
	"testing"
)

func TestDemoSaysWhichPortIsInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // the test is over
	port := l.Addr().(*net.TCPAddr).Port
	want := fmt.Sprintf("port %d is in use: give --port the first of three free ports", port)
	if got := free(port); got == nil || got.Error() != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
