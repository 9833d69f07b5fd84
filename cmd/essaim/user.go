// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"essaim"
	"essaim/web"
)

// linkLife is how long a sign-in link made by a command may be used.
const linkLife = 24 * time.Hour

type userCommand struct {
	Add     userAdd     `cmd:"" help:"Create an account and print its sign-in link."`
	List    userList    `cmd:"" help:"List accounts."`
	Role    userRole    `cmd:"" help:"Change what an account may do."`
	Disable userDisable `cmd:"" help:"Close an account: its sessions and tokens end."`
	Delete  userDelete  `cmd:"" help:"Erase an account, and its person on the Fediverse."`
	Link    userLink    `cmd:"" help:"Print a new sign-in link for an account."`

	Publish   userPublish   `cmd:"" help:"Put a person who asked for it on the Fediverse, under a name of her own."`
	Unpublish userUnpublish `cmd:"" help:"Take a person off the Fediverse: her profile goes, her followers are told."`
}

type userAdd struct {
	Email string      `required:"" help:"Where letters reach the person."`
	Name  string      `help:"How contributions are signed; the address before the @ when empty."`
	Role  essaim.Role `default:"contributeur" enum:"admin,animateur,contributeur" help:"admin; animateur, who writes and moderates; or contributeur, who may not write yet."`
}

func (userAdd) Help() string {
	return "Example:\n\n    essaim user add --data /var/lib/essaim --email animation@brest.example --name 'Équipe animation' --role animateur"
}

func (c userAdd) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		link, err := ask[string](ctx, node, "user.add", newUser(c))
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s may sign in within %d h at:\n%s\n", c.Email, int(linkLife.Hours()), link)
		return nil
	})
}

type userList struct{ listing }

func (userList) Help() string {
	return "Example:\n\n    essaim user list --data /var/lib/essaim --json"
}

// account is a user as the commands show it.
type account struct {
	Email     string      `json:"email"`
	Name      string      `json:"name"`
	Role      essaim.Role `json:"role"`
	Disabled  bool        `json:"disabled"`
	CreatedAt time.Time   `json:"createdAt"`
}

func (c userList) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]account](ctx, node, "user.list", none{})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"EMAIL", "NAME", "ROLE", "STATE", "SINCE"}, lines(rows, func(u account) []string {
			state := "active"
			if u.Disabled {
				state = "disabled"
			}
			return []string{u.Email, u.Name, string(u.Role), state, stamp(u.CreatedAt)}
		}))
	})
}

type userRole struct {
	Email string      `arg:"" help:"Address of the account."`
	Role  essaim.Role `arg:"" enum:"admin,animateur,contributeur" help:"admin; animateur, who writes and moderates; or contributeur, who may not write yet."`
}

func (userRole) Help() string {
	return "Example:\n\n    essaim user role --data /var/lib/essaim animation@brest.example admin"
}

func (c userRole) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		_, err := ask[none](ctx, node, "user.role", c)
		return err
	})
}

type userDisable struct {
	Email string `arg:"" help:"Address of the account."`
}

func (userDisable) Help() string {
	return "Example:\n\n    essaim user disable --data /var/lib/essaim animation@brest.example"
}

func (c userDisable) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		_, err := ask[none](ctx, node, "user.disable", c)
		return err
	})
}

type userDelete struct {
	Email    string `arg:"" help:"Address of the account."`
	KeepName bool   `help:"Revisions stay signed by the name that the person chose, and records credit her, if she agrees."`
}

func (userDelete) Help() string {
	return "Erases the address, the name, sessions, links and tokens, the Fediverse profile, whose followers are told, and the credits that lead to it, in every version. What the account wrote stays in the commons, without its name unless --keep-name. There is no way back. A backup taken before still holds the account.\n\n" +
		"Example:\n\n    essaim user delete --data /var/lib/essaim animation@brest.example"
}

func (c userDelete) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		if _, err := ask[none](ctx, node, "user.delete", c); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s is deleted.\n", c.Email)
		return nil
	})
}

type userLink struct {
	Email string `arg:"" help:"Address of the account."`
}

func (userLink) Help() string {
	return "Example:\n\n    essaim user link --data /var/lib/essaim animation@brest.example"
}

func (c userLink) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		link, err := ask[string](ctx, node, "user.link", c)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, link)
		return nil
	})
}

// newUser is the argument of user.add.
type newUser struct {
	Email string
	Name  string
	Role  essaim.Role
}

// check completes a new account and refuses what is no address.
func (u *newUser) check() error {
	u.Email = strings.ToLower(strings.TrimSpace(u.Email))
	before, after, ok := strings.Cut(u.Email, "@")
	if !ok || before == "" || after == "" || len(u.Email) > 254 || strings.ContainsAny(u.Email, " \t\r\n<>\"") || strings.Contains(after, "@") {
		return fmt.Errorf("%q is no e-mail address: %w", u.Email, essaim.ErrInvalid)
	}
	if u.Name = strings.TrimSpace(u.Name); u.Name == "" {
		u.Name = before
	}
	if u.Role == "" {
		u.Role = essaim.RoleContributor
	}
	if !slices.Contains(essaim.Roles(), u.Role) {
		return fmt.Errorf("role %q: %w", u.Role, essaim.ErrInvalid)
	}
	return nil
}

// addUser creates the account and its first sign-in link.
func addUser(ctx context.Context, n *Node, u newUser) (string, error) {
	if err := u.check(); err != nil {
		return "", err
	}
	created, err := n.store.CreateUser(ctx, essaim.User{Email: u.Email, Name: u.Name, Role: u.Role})
	if err != nil {
		return "", fmt.Errorf("account %s: %w", u.Email, err)
	}
	return signInLink(ctx, n, created)
}

func signInLink(ctx context.Context, n *Node, u essaim.User) (string, error) {
	secret, err := newSecret()
	if err != nil {
		return "", err
	}
	if err := n.store.NewSignIn(ctx, u.ID, secret, n.now().Add(linkLife)); err != nil {
		return "", err
	}
	return n.info.BaseURL + web.SignInPath(secret), nil
}

// newSecret is 256 random bits for a link or a token.
func newSecret() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func listUsers(ctx context.Context, n *Node, _ none) ([]account, error) {
	users, err := n.store.Users(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]account, 0, len(users))
	for _, u := range users {
		rows = append(rows, account{u.Email, u.Name, u.Role, u.Disabled, u.CreatedAt})
	}
	return rows, nil
}

func (n *Node) user(ctx context.Context, email string) (essaim.User, error) {
	u, err := n.store.UserByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
	if err != nil {
		return u, unknown(fmt.Errorf("account %s: %w", email, err), "essaim user list names the accounts")
	}
	return u, nil
}

func setRole(ctx context.Context, n *Node, c userRole) (none, error) {
	u, err := n.user(ctx, c.Email)
	if err != nil {
		return none{}, err
	}
	return none{}, n.store.SetUserRole(ctx, u.ID, c.Role)
}

func disableUser(ctx context.Context, n *Node, c userDisable) (none, error) {
	u, err := n.user(ctx, c.Email)
	if err != nil {
		return none{}, err
	}
	return none{}, n.store.DisableUser(ctx, u.ID, true)
}

func deleteUser(ctx context.Context, n *Node, c userDelete) (none, error) {
	u, err := n.user(ctx, c.Email)
	if err != nil {
		return none{}, err
	}
	if !c.KeepName {
		if err := eraseCreditsOf(ctx, n, u.ID); err != nil {
			return none{}, err
		}
	}
	return none{}, n.store.DeleteUser(ctx, u.ID, c.KeepName)
}

func linkUser(ctx context.Context, n *Node, c userLink) (string, error) {
	u, err := n.user(ctx, c.Email)
	if err != nil {
		return "", err
	}
	if u.Disabled {
		return "", fmt.Errorf("account %s is disabled: %w", c.Email, essaim.ErrForbidden)
	}
	return signInLink(ctx, n, u)
}
