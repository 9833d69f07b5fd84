// SPDX-License-Identifier: AGPL-3.0-or-later

// Package mail writes the few letters that a node sends and hands them to a
// mail server, one after the other, so that no page waits for it.
package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"essaim"

	gomail "github.com/wneessen/go-mail"
)

// Config is what a Sender needs.
type Config struct {
	// Server is smtp://user:password@host:port or smtps://…; the query "from" is
	// the sender's address. smtp uses STARTTLS, and refuses to go without unless
	// the host is this machine.
	Server *url.URL
	// Host names the node in the sender's address when there is no "from".
	Host   string
	Logger *slog.Logger // discards when nil
	// Print writes letters in place of sending them (development); Server may
	// then be nil.
	Print func(letter string)
}

// pending is how many letters may wait; more are refused.
const pending = 100

// A letter that the server does not take is tried again after these waits, then
// given up: a sign-in link lives half an hour.
var waits = [...]time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute}

// Sender sends letters in the background. Close it.
type Sender struct {
	cfg    Config
	from   string
	client *gomail.Client
	queue  chan *gomail.Msg
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// New checks the configuration and starts the sender.
func New(cfg Config) (*Sender, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sender{cfg: cfg, from: "essaim@" + cfg.Host, queue: make(chan *gomail.Msg, pending)}
	if cfg.Server != nil {
		if from := cfg.Server.Query().Get("from"); from != "" {
			s.from = from
		}
		var err error
		if s.client, err = newClient(cfg.Server); err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
	} else if cfg.Print == nil {
		return nil, errors.New("mail: neither a server nor a printer")
	}
	if err := gomail.NewMsg().From(s.from); err != nil {
		return nil, fmt.Errorf("mail: sender %q: %w", s.from, essaim.ErrInvalid)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.done.Go(func() { s.run(ctx) })
	return s, nil
}

func newClient(u *url.URL) (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithTimeout(30 * time.Second), gomail.WithTLSPolicy(gomail.TLSMandatory)}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	port := 587
	if u.Scheme == "smtps" {
		port = 465
		options = append(options, gomail.WithSSL())
	}
	if u.Port() != "" {
		n, err := strconv.Atoi(u.Port())
		if err != nil {
			return nil, err
		}
		port = n
	}
	options = append(options, gomail.WithPort(port))
	if password, ok := u.User.Password(); ok {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return gomail.NewClient(u.Hostname(), options...)
}

// Send queues a letter in the name of a territory; essaim.ErrUnavailable when too
// many wait.
func (s *Sender) Send(_ context.Context, to, from, subject, body string) error {
	m := gomail.NewMsg()
	if err := errors.Join(m.FromFormat(from, s.from), m.To(to)); err != nil {
		return fmt.Errorf("letter: %w: %w", essaim.ErrInvalid, err)
	}
	m.Subject(subject)
	m.SetDate()
	m.SetMessageID()
	m.SetBodyString(gomail.TypeTextPlain, body)
	if s.cfg.Print != nil {
		s.cfg.Print("To: " + to + "\nSubject: " + subject + "\n\n" + body)
		return nil
	}
	select {
	case s.queue <- m:
		return nil
	default:
		return fmt.Errorf("letters: %w", essaim.ErrUnavailable)
	}
}

// run sends what is queued until ctx ends.
func (s *Sender) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-s.queue:
			s.send(ctx, m)
		}
	}
}

func (s *Sender) send(ctx context.Context, m *gomail.Msg) {
	for try := 0; ; try++ {
		err := s.client.DialAndSendWithContext(ctx, m)
		if err == nil {
			s.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "letter sent", slog.Int("tries", try+1))
			return
		}
		s.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "letter not sent", slog.Int("tries", try+1), slog.String("error", withoutAddresses(err)))
		if try == len(waits) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(waits[try]):
		}
	}
}

// withoutAddresses keeps people's addresses, which servers repeat in their
// answers, out of the log.
func withoutAddresses(err error) string {
	words := strings.Fields(err.Error())
	for i, w := range words {
		if strings.Contains(w, "@") {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}

// Close stops the sender; what still waits is lost, and asked for again by who
// awaits it.
func (s *Sender) Close() error {
	s.stop()
	s.done.Wait()
	return nil
}
