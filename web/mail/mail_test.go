// SPDX-License-Identifier: AGPL-3.0-or-later

package mail

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"essaim"
)

// takeLetter answers one SMTP conversation on a port and hands its data over.
func takeLetter(t *testing.T) (address string, letter <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		fmt.Fprint(c, "220 mail.example\r\n")
		var data strings.Builder
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(verb) {
			case "EHLO":
				fmt.Fprint(c, "250-mail.example\r\n250 8BITMIME\r\n")
			case "DATA":
				fmt.Fprint(c, "354 go on\r\n")
				for {
					line, err := in.ReadString('\n')
					if err != nil || line == ".\r\n" {
						break
					}
					data.WriteString(line)
				}
				fmt.Fprint(c, "250 taken\r\n")
			case "QUIT":
				fmt.Fprint(c, "221 bye\r\n")
				got <- data.String()
				return
			default:
				fmt.Fprint(c, "250 ok\r\n")
			}
		}
	}()
	return l.Addr().String(), got
}

func TestALetterReachesTheServerWithItsLink(t *testing.T) {
	t.Parallel()
	address, letter := takeLetter(t)
	u, err := url.Parse("smtp://" + address + "?from=essaim@brest.example")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Server: u, Host: "brest.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	link := "https://brest.example/connexion/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
	if err := s.Send(t.Context(), "animation@brest.example", "Brest métropole", "Votre lien", "À Brest métropole :\n\n"+link+"\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case raw := <-letter:
		head, body, _ := strings.Cut(raw, "\r\n\r\n")
		if !strings.Contains(head, "<essaim@brest.example>") || !strings.Contains(head, "To: <animation@brest.example>") {
			t.Errorf("head:\n%s", head)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
		if err != nil || !strings.Contains(string(text), link) || !strings.Contains(string(text), "Brest métropole") {
			t.Errorf("body: %s, %v", text, err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no letter came")
	}
}

func TestALetterIsPrintedInDevelopment(t *testing.T) {
	t.Parallel()
	var got string
	s, err := New(Config{Host: "brest.example", Print: func(l string) { got = l }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Send(t.Context(), "animation@brest.example", "Brest", "Your link", "https://brest.example/connexion/x"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got, "To: animation@brest.example") || !strings.Contains(got, "/connexion/x") {
		t.Errorf("printed %q", got)
	}
}

func TestALetterToNobodyIsRefused(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Host: "brest.example", Print: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Send(t.Context(), "nobody\r\nBcc: all@brest.example", "Brest", "Votre lien", "https://brest.example/connexion/x")
	if !errors.Is(err, essaim.ErrInvalid) {
		t.Errorf("got %v, want %v", err, essaim.ErrInvalid)
	}
}

func TestTheLogKeepsNoAddress(t *testing.T) {
	t.Parallel()
	got := withoutAddresses(errors.New("550 <animation@brest.example>: unknown user"))
	if want := "550 … unknown user"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
