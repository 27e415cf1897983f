package flow

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// A token lives for so many days at most, and for so long if nobody says otherwise.
const (
	TokenDays    = 90
	TokenDaysMax = 366
)

// usedEvery is how exactly it is known when a token was used: not every call is a write.
const usedEvery = 10 * time.Minute

// tokenPrefix lets tools that look for secrets in texts know one of ours.
const tokenPrefix = "dayone_"

// tokenName is a name that looks like no other, nor like somebody's address: records hold it.
var tokenName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}[a-z0-9]$`)

func digestOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// MakeToken makes a token for a program. What opens is in the answer and nowhere else.
func (f *Flow) MakeToken(ctx context.Context, name string, role dayone.Role, reach dayone.Reach, days int, by string) (dayone.APIToken, dayone.Secret, error) {
	name = strings.TrimSpace(name)
	switch {
	case !tokenName.MatchString(name) || name == "administrator" || name == "api" || name == "demo":
		return dayone.APIToken{}, dayone.Secret{}, fmt.Errorf("call it by what uses it, in small letters, digits and hyphens, such as ticket-system: %w", dayone.ErrInvalid)
	case !role.In(dayone.Roles):
		return dayone.APIToken{}, dayone.Secret{}, fmt.Errorf("%q is no role of a token; choose %s: %w", role, roleNames(), dayone.ErrInvalid)
	case days < 1 || days > TokenDaysMax:
		return dayone.APIToken{}, dayone.Secret{}, fmt.Errorf("say for how many days: 1 to %d: %w", TokenDaysMax, dayone.ErrInvalid)
	}
	if err := f.judgeReach(role, reach); err != nil {
		return dayone.APIToken{}, dayone.Secret{}, err
	}
	now := f.Clock.Now()
	text := tokenPrefix + rand.Text()
	t := dayone.APIToken{ID: f.IDs.New("tok"), Name: name, Role: role, Reach: reach, Made: now, By: by, Expires: now.AddDate(0, 0, days)}
	err := f.Store.AddToken(ctx, t, digestOf(text), now, dayone.Record{
		At: now, What: "token made", By: by, Detail: &dayone.Detail{Note: fmt.Sprintf("%s, %s, until %s", name, roleText(role, reach), t.Expires.UTC().Format(time.DateOnly))},
	})
	if err != nil {
		return dayone.APIToken{}, dayone.Secret{}, err
	}
	return t, dayone.NewSecret(text), nil
}

// judgeReach says what is wrong with how far a role is to reach: a system that is not there would be no limit to notice.
func (f *Flow) judgeReach(role dayone.Role, reach dayone.Reach) error {
	if err := reach.Judge(role); err != nil {
		return err
	}
	for _, name := range reach.Systems {
		if !f.isSystem(name) {
			return fmt.Errorf("there is no system %q; there are %s: %w", name, strings.Join(f.systemNames(), ", "), dayone.ErrInvalid)
		}
	}
	return nil
}

func roleText(role dayone.Role, reach dayone.Reach) string {
	if reach.Whole() {
		return string(role)
	}
	return string(role) + " for " + reach.String()
}

func roleNames() string {
	var out []string
	for _, r := range dayone.Roles {
		out = append(out, string(r))
	}
	return strings.Join(out, ", ")
}

// Tokens lists them, the newest first.
func (f *Flow) Tokens(ctx context.Context) ([]dayone.APIToken, error) {
	return f.Store.Tokens(ctx, f.Clock.Now())
}

// EndToken takes a token back: its next call is refused.
func (f *Flow) EndToken(ctx context.Context, id, by string) error {
	now := f.Clock.Now()
	return f.Store.EndToken(ctx, id, by, now, dayone.Record{At: now, What: "token ended", By: by, Detail: &dayone.Detail{Note: id}})
}

// Holder is the token that a text is. ErrAuth: none that lets in.
func (f *Flow) Holder(ctx context.Context, text string) (dayone.APIToken, error) {
	if !strings.HasPrefix(text, tokenPrefix) {
		return dayone.APIToken{}, dayone.ErrAuth
	}
	t, err := f.Store.TokenOf(ctx, digestOf(text))
	now := f.Clock.Now()
	switch {
	case errors.Is(err, dayone.ErrNotFound), err == nil && !t.Opens(now):
		return dayone.APIToken{}, fmt.Errorf("the token is not known, has expired or was taken back: %w", dayone.ErrAuth)
	case err != nil:
		return dayone.APIToken{}, err
	}
	if now.Sub(t.Used) >= usedEvery {
		if err := f.Store.TokenUsed(ctx, t.ID, now); err != nil {
			f.Log.Warn("when a token was used is not kept", "token", t.ID, "error", err)
		}
	}
	return t, nil
}
