package csv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sheet"
)

// file is the list that another program reads.
type file struct {
	system    string
	now       func() time.Time
	book      *sheet.Book
	catalogue string
	lock      string
	stale     time.Duration
	guard     bool
	words     map[dayone.State]string

	writing sync.Mutex

	mu    sync.Mutex
	count int // accounts when it was last read and believed; 0: never in this life
}

// busy is when a list that somebody else writes is looked at again.
const busy = 5 * time.Second

func (f *file) fault(op string, kind error, format string, args ...any) *dayone.Fault {
	return &dayone.Fault{System: f.system, Op: op, Err: kind, Detail: fmt.Sprintf(format, args...)}
}

// unread says why the file is not believed: then nothing is known of anybody.
func (f *file) unread(err error) error {
	text := err.Error()
	if kind := dayone.KindOf(err); kind != nil {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	return &dayone.Fault{System: f.system, Op: "reading the file", Err: dayone.ErrUnavailable, Detail: text, Next: "whoever writes it has to write a whole one, with a head"}
}

// load is the file as it is now, if it is believed.
func (f *file) load(ctx context.Context) (*sheet.Roster, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, _, err := f.book.Latest()
	if err != nil {
		return nil, f.unread(err)
	}
	return r, f.whole(r)
}

// whole refuses a file that has lost too much since it was last believed, in this life or one before.
func (f *file) whole(r *sheet.Roster) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.count
	if raw, _, err := sheet.Load(f.memory()); err == nil {
		before, _ = strconv.Atoi(strings.TrimSpace(string(raw))) // what is no number is no memory
	} else if errors.Is(err, dayone.ErrNotFound) {
		before = 0 // somebody took it away: the file is right
	}
	n := len(r.Accounts)
	if sheet.MuchSmaller(before-n, before) {
		return f.fault("reading the file", dayone.ErrUnavailable, "it has %d accounts and had %d, so it looks like a part of one; if it is right, remove %s", n, before, f.memory())
	}
	return f.remember(n, before)
}

func (f *file) memory() string { return f.book.File + ".dayone" }

func (f *file) remember(n, before int) error {
	f.count = n
	if n == before {
		return nil
	}
	if err := sheet.Replace(f.memory(), []byte(strconv.Itoa(n)+"\n"), time.Time{}); err != nil {
		return f.unread(err)
	}
	return nil
}

// line changes one line.
func (f *file) line(ctx context.Context, ref string, do func(*sheet.Roster, *sheet.Entry) error) error {
	return f.change(ctx, func(r *sheet.Roster) error {
		e := r.Of(ref)
		if e == nil {
			return f.fault("changing account", dayone.ErrNotFound, "the file has no line with this id")
		}
		return do(r, e)
	})
}

// change writes the file anew while nobody else does. What it holds is read under the lock; if somebody who takes no lock has
// written it meanwhile, nothing is.
func (f *file) change(ctx context.Context, do func(*sheet.Roster) error) error {
	if _, err := f.load(ctx); err != nil {
		return err
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	free, err := sheet.Lock(f.lock, f.now(), f.stale)
	if err != nil {
		out := f.fault("writing the file", dayone.KindOf(err), "%s", strings.TrimSuffix(err.Error(), ": "+dayone.KindOf(err).Error()))
		out.RetryAt = f.now().Add(busy)
		return out
	}
	defer free()
	raw, stamp, err := sheet.Load(f.book.File)
	if err != nil {
		return f.unread(err)
	}
	r, err := f.book.Parse(raw)
	if err == nil {
		err = f.whole(r)
	}
	if err != nil {
		return f.unread(err)
	}
	if err := do(r); err != nil {
		return err
	}
	next, err := r.Sheet.Bytes()
	if err != nil {
		return f.unread(err)
	}
	if string(next) == string(raw) {
		return nil
	}
	after, err := f.book.Parse(next)
	if err != nil { // nobody gets a file from us that we would not read
		return f.fault("writing the file", dayone.ErrInvalid, "it would not read any more: %v", err)
	}
	if now, err := sheet.Look(f.book.File); err != nil || !stamp.Is(now) {
		return f.fault("writing the file", dayone.ErrNotYet, "somebody has written it meanwhile without the lock %s", f.lock)
	}
	return f.replace(next, len(r.Accounts)-len(after.Accounts), len(after.Accounts))
}

// replace puts a file in the place of the one before. That it is smaller is remembered before, that it is larger after: a
// death between the two must not make the file look like a part of one.
func (f *file) replace(raw []byte, fewer, n int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fewer > 0 {
		if err := f.remember(n, n+fewer); err != nil {
			return err
		}
	}
	if err := sheet.Replace(f.book.File, raw, time.Time{}); err != nil {
		return f.unread(err)
	}
	return f.remember(n, min(n, n+fewer))
}

// values are what is written of attributes: those that the file has columns for.
func (f *file) values(r *sheet.Roster, attrs dayone.Attrs) (map[string]string, error) {
	out := map[string]string{}
	for name, v := range attrs {
		switch {
		case !r.Shows(name) || r.Holds(name) || name == sheet.StateColumn:
		case strings.ContainsRune(v.String(), 0):
			return nil, f.fault("writing account", dayone.ErrInvalid, "%s holds a character that no file can", name)
		default:
			out[name] = f.written(strings.TrimSpace(v.String()))
		}
	}
	return out, nil
}

func (f *file) written(v string) string {
	if f.guard {
		return sheet.Guarded(v)
	}
	return v
}

// state is what stands in the column of the state, if there is one. Without one who is in the file is open.
func (f *file) state(r *sheet.Roster, values map[string]string, to dayone.State) error {
	if !r.Shows(sheet.StateColumn) {
		if to == dayone.Active || to == "" {
			return nil
		}
		return f.without(sheet.StateColumn)
	}
	word, ok := f.words[cmp.Or(to, dayone.Active)]
	if !ok {
		return f.fault("changing account", dayone.ErrUnsupported, "the file has no word for %s", to)
	}
	values[sheet.StateColumn] = word
	return nil
}

// offers are those of the catalogue.
func (f *file) offers(ctx context.Context) ([]dayone.Offer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	raw, _, err := sheet.Load(f.catalogue)
	var out []dayone.Offer
	if err == nil {
		out, err = sheet.ParseOffers(raw, f.system, f.book.Layout.Kinds)
	}
	if err != nil {
		return nil, f.unread(err)
	}
	return out, nil
}
