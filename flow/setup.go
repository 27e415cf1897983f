package flow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
)

// The first start: nobody can sign in yet, so a link makes the administrator who signs in by a password. It is made of the master
// key, so that whoever has the machine makes another, and nothing of it lies in the database. It works for an hour, and once: then
// there is an administrator who is younger than it.

const (
	setupFor   = time.Hour
	setupAhead = time.Minute // by which clocks of one machine may differ
)

// SetupPath is the address that sets up the local administrator, made now, and until when it works.
func SetupPath(k *secret.Keeper, now time.Time) (path string, until time.Time) {
	issued := strconv.FormatInt(now.UnixMicro(), 36)
	return "/setup/" + issued + "." + k.Token("set up "+issued), now.Add(setupFor)
}

var errSetup = fmt.Errorf("this link has expired, was used, or is not whole; dayone login setup-link makes another: %w", dayone.ErrNotFound)

// SetupOpen says when a link was made that still works. ErrNotFound: it does not.
func (f *Flow) SetupOpen(ctx context.Context, token string) (time.Time, error) {
	text, mac, _ := strings.Cut(token, ".")
	us, err := strconv.ParseInt(text, 36, 64)
	if !f.Keeper.Verify("set up "+text, mac) || err != nil {
		return time.Time{}, errSetup
	}
	issued, now := time.UnixMicro(us), f.Clock.Now()
	if !now.Before(issued.Add(setupFor)) || issued.After(now.Add(setupAhead)) {
		return time.Time{}, errSetup
	}
	switch l, err := f.Store.LocalLogin(ctx); {
	case errors.Is(err, dayone.ErrNotFound):
		return issued, nil
	case err != nil:
		return time.Time{}, err
	case !l.Made.Before(issued):
		return time.Time{}, errSetup
	}
	return issued, nil
}

// SetUp makes the local administrator, in the place of whoever was before.
func (f *Flow) SetUp(ctx context.Context, token, name string, password dayone.Secret) error {
	issued, err := f.SetupOpen(ctx, token)
	if err != nil {
		return err
	}
	name = strings.TrimSpace(name)
	if !isMail(name) || len(name) > 200 {
		return Faulty{"name": "write your mail address: records name you by it"}
	}
	if why := secret.WeakPassword(password, name); why != "" {
		return Faulty{"password": why}
	}
	f.hashing.Lock()
	hash := secret.HashPassword(password)
	f.hashing.Unlock()
	now := f.Clock.Now()
	if !now.After(issued) { // the clock of whoever made the link is ahead: it has to be older than what it makes
		now = issued
	}
	err = f.Store.SetUp(ctx, store.LocalLogin{Name: name, Hash: hash, Made: now}, issued, dayone.Record{At: now, What: "local administrator set up", By: name})
	if errors.Is(err, dayone.ErrConflict) {
		return errSetup
	}
	return err
}

// Local says whether somebody signs in by a password.
func (f *Flow) Local(ctx context.Context) (bool, error) {
	_, err := f.Store.LocalLogin(ctx)
	return err == nil, notOf(err)
}

// SignIn is the local administrator, by name and password. ErrAuth: neither is said to be wrong, and both take as long.
func (f *Flow) SignIn(ctx context.Context, name string, password dayone.Secret) (string, error) {
	l, err := f.Store.LocalLogin(ctx)
	if err != nil && !errors.Is(err, dayone.ErrNotFound) {
		return "", err
	}
	hash := l.Hash
	if !strings.EqualFold(strings.TrimSpace(name), l.Name) {
		hash = ""
	}
	f.hashing.Lock() // one at a time: each takes its memory
	defer f.hashing.Unlock()
	if !secret.SamePassword(hash, password) {
		return "", fmt.Errorf("name or password is not right: %w", dayone.ErrAuth)
	}
	return l.Name, nil
}
