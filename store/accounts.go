// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"essaim"
)

// secretHash is what is kept of a secret that a person or a program holds. The
// secrets are random and long, so a plain hash tells nothing.
func secretHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// mailbox is the form in which an address is kept and compared.
func mailbox(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func scanUser(scan scanFunc) (essaim.User, error) {
	var u essaim.User
	err := scan(&u.ID, &u.Email, &u.Name, (*string)(&u.Role), bit{&u.Disabled}, moment{&u.CreatedAt})
	return u, err
}

// CreateUser adds an account; essaim.ErrConflict when its address has one.
func (s *Store) CreateUser(ctx context.Context, u essaim.User) (essaim.User, error) {
	u.Email, u.CreatedAt, u.Disabled = mailbox(u.Email), s.now(), false
	if u.Email == "" {
		return essaim.User{}, fmt.Errorf("account without an address: %w", essaim.ErrInvalid)
	}
	err := s.write(ctx, urgent, func(tx *Tx) error {
		ids, err := list(ctx, tx, only[int64], "account_add", u.Email, u.Name, string(u.Role), micros(u.CreatedAt))
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return essaim.ErrConflict
		}
		u.ID = ids[0]
		return nil
	})
	if err != nil {
		return essaim.User{}, fmt.Errorf("create account: %w", err)
	}
	return u, nil
}

// Users lists the accounts, the oldest first.
func (s *Store) Users(ctx context.Context) ([]essaim.User, error) {
	all, err := list(ctx, s.query(), scanUser, "account_list")
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	return all, nil
}

// UserByEmail finds an account by its address, disabled or not.
func (s *Store) UserByEmail(ctx context.Context, email string) (essaim.User, error) {
	u, err := scanUser(s.query().row(ctx, "account_by_email", mailbox(email)).Scan)
	if err != nil {
		return essaim.User{}, err // whose address it is stands with the caller
	}
	return u, nil
}

// SetUserRole changes what an account may do. The last administrator stays one:
// essaim.ErrForbidden.
func (s *Store) SetUserRole(ctx context.Context, user int64, role essaim.Role) error {
	return s.changeUser(ctx, user, role != essaim.RoleAdmin, func(tx *Tx) (int64, error) {
		return tx.exec(ctx, "account_set_role", user, string(role))
	})
}

// DisableUser closes an account, ends its sessions and spends its links and
// tokens; or opens it again. The last administrator stays: essaim.ErrForbidden.
func (s *Store) DisableUser(ctx context.Context, user int64, disabled bool) error {
	return s.changeUser(ctx, user, disabled, func(tx *Tx) (int64, error) {
		n, err := tx.exec(ctx, "account_set_disabled", user, flag(disabled))
		if err != nil || !disabled {
			return n, err
		}
		return n, tx.shutOut(ctx, user)
	})
}

// DeleteUser erases an account with all that opens it, and its actor, whose
// followers are told. What it wrote and decided stays, by
// essaim.AuthorDeleted; revisions keep the name under which it signed them only
// if keepName. The last administrator stays: essaim.ErrForbidden. What is cut
// short leaves an account that is disabled, and can be begun again.
func (s *Store) DeleteUser(ctx context.Context, user int64, keepName bool) error {
	// Who is shut out writes no more: little is left for the last transaction.
	if err := s.DisableUser(ctx, user, true); err != nil {
		return err
	}
	name := credit(keepName)
	for more := true; more; {
		err := s.write(ctx, patient, func(tx *Tx) (err error) {
			more, err = tx.disown(ctx, user, name)
			return err
		})
		if err != nil {
			return fmt.Errorf("account %d: %w", user, err)
		}
	}
	return s.changeUser(ctx, user, true, func(tx *Tx) (int64, error) {
		u, err := scanUser(tx.row(ctx, "account_by_id", user).Scan)
		if err != nil {
			return 0, err
		}
		gone := essaim.Erasure{Sort: essaim.ErasedAccount, Ref: essaim.ErasureRef(essaim.ErasedAccount, accountKey(user, u.CreatedAt))}
		gone.KeepName = keepName
		if err := tx.noteErasure(ctx, gone); err != nil {
			return 0, err
		}
		n, err := tx.removeAccount(ctx, user, name)
		if err != nil {
			return 0, err
		}
		var person string
		err = tx.row(ctx, "local_actor_of", string(essaim.ActorPerson), strconv.FormatInt(user, 10)).Scan(&person)
		if errors.Is(err, essaim.ErrNotFound) {
			return n, nil
		}
		if err == nil {
			err = tx.retire(ctx, person) // takes a number: last
		}
		if err != nil {
			return 0, fmt.Errorf("its actor: %w", err)
		}
		return n, nil
	})
}

// credit names the statement that takes what it wrote from an account.
func credit(keepName bool) string {
	if keepName {
		return "revisions_detach"
	}
	return "revisions_disown"
}

// removeAccount erases an account with all that opens it.
func (tx *Tx) removeAccount(ctx context.Context, user int64, credit string) (int64, error) {
	for more := true; more; {
		var err error
		if more, err = tx.disown(ctx, user, credit); err != nil {
			return 0, err
		}
	}
	if err := tx.shutOut(ctx, user); err != nil {
		return 0, err
	}
	n, err := tx.exec(ctx, "account_remove", user)
	return n, errors.Join(err, tx.noteErased(ctx))
}

// disownTogether is how many revisions, and decisions, one transaction takes
// from an account that goes.
const disownTogether = 200

// disown takes some of what it wrote and decided from an account, and tells
// whether there may be more.
func (tx *Tx) disown(ctx context.Context, user int64, credit string) (more bool, err error) {
	for _, name := range []string{credit, "decisions_detach"} {
		n, err := tx.exec(ctx, name, user, essaim.AuthorDeleted, disownTogether)
		if err != nil {
			return false, err
		}
		more = more || n > 0
	}
	return more, nil
}

// shutOut ends an account's sessions and spends its links and tokens.
func (tx *Tx) shutOut(ctx context.Context, user int64) error {
	for _, name := range []string{"session_remove_of", "signin_remove_of", "token_remove_of"} {
		if _, err := tx.exec(ctx, name, user); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) changeUser(ctx context.Context, user int64, lessens bool, change func(*Tx) (int64, error)) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		u, err := scanUser(tx.row(ctx, "account_by_id", user).Scan)
		if err != nil {
			return err
		}
		if lessens && u.Role == essaim.RoleAdmin && !u.Disabled {
			others, err := list(ctx, tx, only[int64], "account_admins", user)
			if err != nil {
				return err
			}
			if len(others) == 0 || others[0] == 0 {
				return fmt.Errorf("the last administrator stays until another account has the role: %w", essaim.ErrForbidden)
			}
		}
		_, err = change(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("account %d: %w", user, err)
	}
	return nil
}

// NewSignIn stores a sign-in link for an account.
func (s *Store) NewSignIn(ctx context.Context, user int64, secret string, until time.Time) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		_, err := tx.exec(ctx, "signin_add", secretHash(secret), user, micros(until))
		return err
	})
	if err != nil {
		return fmt.Errorf("sign-in link of account %d: %w", user, err)
	}
	return nil
}

// UseSignIn spends a sign-in link and opens a session. A link that is unknown,
// spent or too old is essaim.ErrNotFound, one of a disabled account
// essaim.ErrForbidden.
func (s *Store) UseSignIn(ctx context.Context, secret, session string, until time.Time) (essaim.User, error) {
	var u essaim.User
	err := s.write(ctx, urgent, func(tx *Tx) error {
		now := micros(s.now())
		ids, err := list(ctx, tx, only[int64], "signin_use", secretHash(secret), now)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return essaim.ErrNotFound
		}
		if u, err = scanUser(tx.row(ctx, "account_by_id", ids[0]).Scan); err != nil {
			return err
		}
		if u.Disabled {
			return essaim.ErrForbidden
		}
		_, err = tx.exec(ctx, "session_add", secretHash(session), u.ID, now, micros(until))
		return err
	})
	if err != nil {
		return essaim.User{}, fmt.Errorf("sign in: %w", err)
	}
	return u, nil
}

// UserBySession finds who holds a session; essaim.ErrNotFound when it ended or
// its account is disabled.
func (s *Store) UserBySession(ctx context.Context, session string) (essaim.User, error) {
	u, err := scanUser(s.query().row(ctx, "account_by_session", secretHash(session), micros(s.now())).Scan)
	if err != nil {
		return essaim.User{}, fmt.Errorf("session: %w", err)
	}
	return u, nil
}

// EndSession closes a session; one that ended already is no error.
func (s *Store) EndSession(ctx context.Context, session string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		_, err := tx.exec(ctx, "session_remove", secretHash(session))
		return err
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// UserByToken finds whose API token it is; essaim.ErrNotFound when there is no
// such token or its account is disabled.
func (s *Store) UserByToken(ctx context.Context, token string) (essaim.User, error) {
	u, err := scanUser(s.query().row(ctx, "account_by_token", secretHash(token)).Scan)
	if err != nil {
		return essaim.User{}, fmt.Errorf("token: %w", err)
	}
	return u, nil
}

// NewToken stores an API token of an account under a label.
func (s *Store) NewToken(ctx context.Context, user int64, label, token string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		_, err := tx.exec(ctx, "token_add", secretHash(token), user, label, micros(s.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("token of account %d: %w", user, err)
	}
	return nil
}
