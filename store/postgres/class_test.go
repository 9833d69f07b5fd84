// SPDX-License-Identifier: AGPL-3.0-or-later

package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"essaim"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestErrorsHaveTheirKind(t *testing.T) {
	t.Parallel()
	kinds := []error{essaim.ErrUnavailable, essaim.ErrConflict, essaim.ErrInvalid}
	for _, tt := range []struct {
		name string
		err  error
		want error // of kinds; nil for none
	}{
		{"none", nil, nil},
		{"another", errors.New("x"), nil},
		{"the reader left", context.Canceled, nil},
		{"a syntax error", &pgconn.PgError{Code: "42601"}, nil},
		{"a unique column", &pgconn.PgError{Code: "23505"}, essaim.ErrConflict},
		{"another constraint", &pgconn.PgError{Code: "23502"}, essaim.ErrInvalid},
		{"a value out of range", &pgconn.PgError{Code: "22003"}, essaim.ErrInvalid},
		{"a shutdown", &pgconn.PgError{Code: "57P01"}, essaim.ErrUnavailable},
		{"a full disk", &pgconn.PgError{Code: "53100"}, essaim.ErrUnavailable},
		{"a deadlock", &pgconn.PgError{Code: "40P01"}, essaim.ErrUnavailable},
		{"closed under a statement", fmt.Errorf("x: %w", io.ErrUnexpectedEOF), essaim.ErrUnavailable},
		{"closed before one", io.EOF, essaim.ErrUnavailable},
		{"closed by us", net.ErrClosed, essaim.ErrUnavailable},
		{"bad", driver.ErrBadConn, essaim.ErrUnavailable},
		{"reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, essaim.ErrUnavailable},
		{"silent", fmt.Errorf("x: %w", context.DeadlineExceeded), essaim.ErrUnavailable},
	} {
		got := Class(tt.err)
		for _, kind := range kinds {
			if is, want := errors.Is(got, kind), errors.Is(tt.want, kind); is != want {
				t.Errorf("%s: %v is %v: %t", tt.name, got, kind, is)
			}
		}
		if tt.err != nil && !errors.Is(got, tt.err) {
			t.Errorf("%s: %v lost %v", tt.name, got, tt.err)
		}
	}
}
