package connector

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Words are the members of a setting that is a list: separated by commas, without what is empty.
func Words(list string) []string {
	var out []string
	for _, word := range strings.Split(list, ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}

// Listed is a connector whose system cannot be asked: people bring a list of its accounts from time to time, and all that is
// read is read from the latest one.
type Listed interface {
	// Listed says of when the list is. ErrNotFound: none was brought yet. A list that is too old to be believed is told as
	// any other; Observe and List refuse it.
	Listed(ctx context.Context) (ListState, error)
	// Bring judges a list, and unless it is only to be judged keeps it in the place of the one before, whole or not at all.
	// ErrInvalid says where it is wrong. ErrConflict: it is much smaller than the one before.
	Bring(ctx context.Context, raw []byte, b Brought) (ListChange, error)
}

// ListState is what is known of a system's list.
type ListState struct {
	At       time.Time // of when it is
	Accounts int
	Good     time.Duration // for how long it is believed
}

// Stale says that a list is too old to be believed.
func (l ListState) Stale(now time.Time) bool { return now.Sub(l.At) > l.Good }

// GoodFor is for how long it is believed, as people say it.
func (l ListState) GoodFor() string {
	if days := l.Good / (24 * time.Hour); days > 1 && l.Good%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", days)
	}
	return l.Good.String()
}

// Brought is how a list is brought.
type Brought struct {
	At        time.Time // of when it is; zero: now
	Catalogue bool      // it is one of what the system offers, not one of accounts
	Dry       bool      // it is only judged
	Smaller   bool      // somebody has seen that it is much smaller
}

// ListChange is what a list is beside the one before.
type ListChange struct {
	Rows, Were            int
	New, Changed, Missing []string // ids of accounts, or keys of offers
}

// Listed is the connector as one whose system is known by a list, if it is one.
func (g *Guard) Listed() (Listed, bool) {
	l, ok := g.inner.(Listed)
	if !ok {
		return nil, false
	}
	return guardedList{g, l}, true
}

type guardedList struct {
	*Guard
	inner Listed
}

func (g guardedList) Listed(ctx context.Context) (ListState, error) {
	st, err := g.inner.Listed(ctx)
	return st, g.redact(err, nil)
}

func (g guardedList) Bring(ctx context.Context, raw []byte, b Brought) (ListChange, error) {
	if g.dryRun && !b.Dry {
		return ListChange{}, &dayone.Fault{System: g.System, Op: "taking a list", Err: dayone.ErrDryRun, Detail: "the system is set to dry_run"}
	}
	began := time.Now()
	c, err := g.inner.Bring(ctx, raw, b)
	err = g.redact(err, nil)
	g.tell("list", began, err)
	return c, err
}
