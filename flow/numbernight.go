package flow

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Telephone systems are read at night, each at a minute of its own where its numbers are. What was read is kept: a restart does
// not forget it, and begins a reading again that it interrupted. What breaks off at night is tried again until the morning.

const (
	phonesSpread  = time.Hour        // telephone systems do not begin all at once
	phonesNight   = 6 * time.Hour    // so long a reading that broke off is begun again
	phonesAgain   = time.Hour        // after it broke off
	phonesHeldFor = 15 * time.Minute // a system that is held is looked at again
)

// phonesDue says of each telephone system when there is something to do with it.
func (f *Flow) phonesDue() map[string]time.Time {
	out := map[string]time.Time{}
	if f.Beside {
		return out // a command that ends soon
	}
	now := f.Clock.Now()
	f.phones.mu.Lock()
	defer f.phones.mu.Unlock()
	if f.phones.began.IsZero() {
		f.phones.began = now
	}
	for _, name := range f.PhoneSystems() {
		switch p := f.phones.at(name); {
		case !p.loaded, p.asked, p.anew && p.is != nil:
			out[name] = now
		case !p.due.IsZero():
			out[name] = p.due
		}
	}
	return out
}

// loadPhones takes what was kept of a telephone system, once after a start: whoever asks for it sets loaded when it is planned, too.
// An error is one of the books.
func (f *Flow) loadPhones(ctx context.Context, name string, p *phoneRead) error {
	all, err := f.Store.PhoneSystems(ctx)
	if err != nil {
		return err
	}
	row, problem := all[name], ""
	var is dayone.Platform
	var at time.Time
	if !row.Read.IsZero() {
		switch is, at, err = f.Store.Phones(ctx, name); {
		case errors.Is(err, dayone.ErrInvalid):
			f.Log.Error("what is kept of a telephone system cannot be read", "system", name, "error", err)
			problem = "what is kept of it cannot be read; read it again"
		case err != nil && !errors.Is(err, dayone.ErrNotFound): // it was thrown away meanwhile
			return err
		}
	}
	f.phones.mu.Lock()
	defer f.phones.mu.Unlock()
	p.tried = row.Tried
	p.problem, p.failed = cmp.Or(problem, row.Note), row.Failed
	if !at.IsZero() {
		p.is, p.read, p.behind, p.anew = &is, at, true, true
	}
	p.asked = p.asked || !row.Began.IsZero() // it was interrupted
	return nil
}

// plansPhones says when a telephone system is read next.
func (f *Flow) plansPhones(ctx context.Context, name string, p *phoneRead) error {
	at, planned := f.PhonesAt[name]
	if !planned {
		return nil
	}
	zone, err := f.phoneZone(ctx, name)
	if err != nil {
		return err
	}
	f.phones.mu.Lock()
	defer f.phones.mu.Unlock()
	last := p.tried
	if last.IsZero() {
		last = f.phones.began
	}
	late := spreadOf(name)
	p.due = timeOfDayAfter(last.Add(-late), at, zone).Add(late)
	if p.problem == "" || p.failed.Before(p.tried) || p.asked {
		return nil
	}
	night := timeOfDayAfter(p.failed.Add(-late-24*time.Hour), at, zone).Add(late)
	again := p.failed.Add(phonesAgain)
	if p.held {
		again = p.failed.Add(phonesHeldFor)
	}
	morning := night.Add(phonesNight)
	if again.Before(morning) && f.Clock.Now().Before(morning) && again.Before(p.due) {
		p.due = again
	}
	return nil
}

// spreadOf is how much later than others a system is read: always the same.
func spreadOf(name string) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return time.Duration(h.Sum32()%uint32(phonesSpread/time.Minute)) * time.Minute
}

// phoneZone is where the numbers of a telephone system are: the zone of the first site of a pool of its, else the company's.
func (f *Flow) phoneZone(ctx context.Context, name string) (*time.Location, error) {
	plan, _, err := f.numberBook(f.Store.ReadNumbers(ctx))
	if err != nil {
		return nil, err
	}
	sites := f.Active().Sites
	for i := range plan.Pools {
		if p := &plan.Pools[i]; p.Platform == name && p.Site != "" {
			if zone, ok := sites[p.Site].Location(); ok {
				return zone, nil
			}
		}
	}
	zone, _ := sites[""].Location()
	return zone, nil
}

// forgetPhones forgets what telephone systems showed, and what was found wrong with numbers: somebody was erased whom they may name.
func (f *Flow) forgetPhones() {
	f.audited.all.forget()
	f.audited.open.forget()
	f.phones.mu.Lock()
	defer f.phones.mu.Unlock()
	for _, p := range f.phones.of {
		p.is, p.report, p.read, p.of, p.against, p.has, p.behind = nil, nil, time.Time{}, time.Time{}, time.Time{}, nil, false
	}
}

// keptRow is what the books say of a system that was not loaded yet.
func (f *Flow) keptRow(ctx context.Context, name string) (store.PhoneSystem, error) {
	all, err := f.Store.PhoneSystems(ctx)
	return all[name], err
}
