// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"essaim/e2e/rig"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// Addresses within the namespace, which are public ones outside.
var (
	nodeAddr = netip.MustParseAddr("45.0.0.1")
	fakeAddr = netip.MustParseAddr("45.0.0.2")
	evilAddr = netip.MustParseAddr("45.0.0.3") // subdomains of evil.test, which honest servers share nothing with
)

// isolate makes every address of the world lead to this namespace and its
// names to the suite's own server.
func isolate(dir string) error {
	for _, args := range []string{
		"link set lo up",
		"route add local 0.0.0.0/0 dev lo",
		"-6 route add local ::/0 dev lo",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	for name, text := range map[string]string{
		"/etc/resolv.conf":   "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n",
		"/etc/nsswitch.conf": "hosts: files dns\n",
	} {
		file := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
		if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
			continue
		}
		at, err := filepath.EvalSymlinks(name)
		if err != nil {
			return err
		}
		if err := unix.Mount(file, at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// dialer calls the node from an address of the item alone: strangers pay by
// their address for what they make the node fetch.
func (w *world) dialer() *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(46, 0, byte(w.caller>>8), byte(w.caller))}}
}

// nameServer answers for the names of the suite: all of .test.
type nameServer struct {
	conn net.PacketConn
	mu   sync.Mutex
	// rebinds counts the questions for rebind.test.
	rebinds int
}

func newNameServer() (*nameServer, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		return nil, err
	}
	n := &nameServer{conn: conn}
	go n.serve()
	return n, nil
}

func (n *nameServer) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		m.Response, m.Authoritative, m.RecursionAvailable = true, true, true
		m.Additionals = nil
		name := strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")
		if !strings.HasSuffix(name, ".test") {
			m.RCode = dnsmessage.RCodeNameError
		} else if q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0},
				Body:   &dnsmessage.AResource{A: n.address(name).As4()},
			}}
		}
		if out, err := m.Pack(); err == nil {
			_, _ = n.conn.WriteTo(out, from) // who asked asks again
		}
	}
}

func (n *nameServer) address(name string) netip.Addr {
	switch {
	case name == "node.test":
		return nodeAddr
	case name == "internal.test":
		return netip.MustParseAddr("10.0.0.5")
	case name == "metadata.test":
		return netip.MustParseAddr("169.254.169.254")
	case name == "rebind.test":
		n.mu.Lock()
		defer n.mu.Unlock()
		n.rebinds++
		if n.rebinds%2 == 1 {
			return fakeAddr
		}
		return netip.MustParseAddr("127.0.0.1")
	case strings.HasSuffix(name, ".evil.test"):
		return evilAddr
	}
	return fakeAddr
}

// watch counts connections begun, by destination: every TCP segment with SYN
// alone that leaves on the one interface there is.
type watch struct {
	fd      int
	mu      sync.Mutex
	ours    map[uint16]bool // ports of the suite's own machinery
	private map[string]int
	total   int // with what was told and forgotten
}

func newWatch() (*watch, error) {
	const allProtocols = 0x0300 // ETH_P_ALL in network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, allProtocols)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	w := &watch{fd: fd, ours: map[uint16]bool{}, private: map[string]int{}}
	go w.read()
	return w, nil
}

func (w *watch) read() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := unix.Recvfrom(w.fd, buf, 0)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype != unix.PACKET_OUTGOING {
			continue // seen once when it leaves
		}
		if to, ok := connects(buf[:n]); ok {
			w.note(to)
		}
	}
}

// connects reads the destination of a packet that opens a TCP connection.
func connects(b []byte) (netip.AddrPort, bool) {
	var to netip.Addr
	var tcp []byte
	switch {
	case len(b) >= 20 && b[0]>>4 == 4 && b[9] == unix.IPPROTO_TCP:
		to, _ = netip.AddrFromSlice(b[16:20])
		tcp = b[min(int(b[0]&15)*4, len(b)):]
	case len(b) >= 40 && b[0]>>4 == 6 && b[6] == unix.IPPROTO_TCP:
		to, _ = netip.AddrFromSlice(b[24:40])
		tcp = b[40:]
	}
	const syn, ack = 2, 16
	if len(tcp) < 14 || tcp[13]&(syn|ack) != syn {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(to, binary.BigEndian.Uint16(tcp[2:4])), true
}

func (w *watch) note(to netip.AddrPort) {
	public := to.Addr() == nodeAddr || to.Addr() == fakeAddr || to.Addr() == evilAddr
	w.mu.Lock()
	defer w.mu.Unlock()
	if public && (to.Port() == 443 || to.Port() >= 1024) || to.Addr().IsLoopback() && w.ours[to.Port()] {
		return
	}
	w.private[to.String()]++
	w.total++
}

// allow names a port of 127.0.0.1 that the suite itself uses: the database, the
// metrics, the browser.
func (w *watch) allow(port int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ours[uint16(port)] = true
}

// seen is how many connections were begun to where none should be since it was
// last asked.
func (w *watch) seen() (int, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	total, text := 0, ""
	for to, n := range w.private {
		total += n
		text += fmt.Sprintf(" %s ×%d", to, n)
	}
	clear(w.private)
	return total, text
}

// control connects to where nobody should, sees that this is noticed, and
// begins to count.
func (w *watch) control() error {
	w.seen() // what the suite itself began until here
	for i, to := range []string{"10.0.0.5:80", "169.254.169.254:80", "127.0.0.1:9", "[::1]:443", "[fd00::1]:80", "[64:ff9b::7f00:1]:80", fakeAddr.String() + ":25"} {
		if conn, err := net.Dial("tcp", to); err == nil {
			conn.Close()
		}
		err := rig.Eventually(2*time.Second, func() error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.private) != i+1 {
				return fmt.Errorf("a connection to %s goes unseen", to)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.private)
	w.total = 0
	return nil
}

// ever is how many connections there were where none should be.
func (w *watch) ever() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.total
}
