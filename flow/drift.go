package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
)

// Drift is what a system shows otherwise than the books have it. It is found where all accounts of a system are read anyway, each
// night and whenever somebody asks, by holding what is seen now against what was seen last: no page reads a system. It is only
// reported. What cannot be read, what moves just now and what a list has never shown of anybody is not known, so it is no drift.

// ReadSystem has all accounts of a system read and compared, soon. ErrUnsupported: nothing lists them. ErrConflict: it is not called now.
func (f *Flow) ReadSystem(ctx context.Context, name, by string) error {
	g := f.Systems[name]
	switch {
	case !slices.Contains(f.systemNames(), name):
		return fmt.Errorf("there is no system %q; there are %s: %w", name, strings.Join(f.systemNames(), ", "), dayone.ErrNotFound)
	case f.Beside:
		return fmt.Errorf("only the server reads systems; ask it with dayone drift compare %s: %w", name, dayone.ErrUnsupported)
	case !readable(g) || g.Manifest.Account == nil:
		return fmt.Errorf("nothing lists the accounts of %s, so they cannot be compared: %w", f.systemTitle(name), dayone.ErrUnsupported)
	}
	if how, is := (*f.retires())[name]; is {
		return fmt.Errorf("%s, so it is not compared: %w", retiredText(f.systemTitle(name), how), dayone.ErrConflict)
	}
	switch stance, err := f.stanceOf(ctx, name); {
	case err != nil:
		return err
	case stance != engine.Free:
		return fmt.Errorf("%s; compare it when that is over, dayone system show %s says when: %w", notCalled(stance), name, dayone.ErrConflict)
	}
	c := &f.counting
	c.mu.Lock()
	_, under := c.under[name]
	begins := !under && !slices.Contains(c.asked, name)
	if begins {
		c.asked = append(c.asked, name)
	}
	c.mu.Unlock()
	if !begins {
		return nil
	}
	f.look()
	return f.Store.Record(ctx, dayone.Record{At: f.Clock.Now(), What: "accounts read and compared, as somebody asked", System: name, By: by})
}

// notCalled says why a system is not read.
func notCalled(s engine.Stance) string { return "it is " + string(s) + ", so it is not called" }

// DriftReading is the last comparison of a system.
type DriftReading struct {
	dayone.DriftReading
	Lists bool      // something lists its accounts
	Asked bool      // it is to be read, soon
	Under time.Time // since when it is being read; zero: it is not
}

// DriftReadings are those of every system in sight, by name.
func (f *Flow) DriftReadings(ctx context.Context) (map[string]DriftReading, error) {
	read, err := f.Store.DriftReadings(ctx)
	if err != nil {
		return nil, err
	}
	f.counting.mu.Lock()
	defer f.counting.mu.Unlock()
	out := map[string]DriftReading{}
	for _, name := range f.systemNames() {
		if !scopeOf(ctx).Runs(name) {
			continue
		}
		g := f.Systems[name]
		out[name] = DriftReading{DriftReading: read[name], Lists: readable(g) && g.Manifest.Account != nil, Asked: slices.Contains(f.counting.asked, name), Under: f.counting.under[name]}
	}
	return out, nil
}

// comparing is one reading of a system that is held against the books as it goes on. Of the books it remembers whose each account
// is, and up to mostLacking things of kinds that the list has shown of nobody so far.
type comparing struct {
	*Flow
	system  string
	in      dayone.System
	off     bool // nothing is compared: the system is being retired, or the books do not read
	reading dayone.DriftReading
	asOf    time.Time // what the system shows is of then
	bound   map[string]dayone.PersonID
	page    []showing
	found   []dayone.Drift
	unsure  []dayone.PersonID
	kinds   map[string]bool           // that the list showed of anybody
	lacks   map[string][]dayone.Drift // by a kind that it has not shown yet
	sure    map[differing]bool        // what it has shown otherwise, where the catalogue says that a decision is not waited for
}

// differing is what differs of whom.
type differing struct {
	person dayone.PersonID
	key    dayone.Key
}

// mostLacking is how many are remembered of a kind. Of whom more is missing it is not known.
const mostLacking = 2000

// showing is an account that is somebody's, as it is shown.
type showing struct {
	person dayone.PersonID
	seen   connector.Seen
}

// compares begins a comparison. It is there with an error, too: then nothing is compared.
func (f *Flow) compares(ctx context.Context, name string) (*comparing, error) {
	now := f.Clock.Now()
	c := &comparing{
		Flow: f, system: name, in: f.Active().Systems[name], asOf: now, kinds: map[string]bool{}, lacks: map[string][]dayone.Drift{}, sure: map[differing]bool{},
		reading: dayone.DriftReading{System: name, Began: now},
	}
	if _, c.off = (*f.retires())[name]; c.off {
		return c, f.Store.ForgetDrift(ctx, name) // what is not compared any more is not known
	}
	if _, listed := f.listedAt(name); listed {
		l, err := f.ListOf(ctx, name)
		if err != nil {
			return c, err
		}
		c.asOf = l.At
	}
	var err error
	c.bound, err = f.Store.BoundAccounts(ctx, name)
	return c, err
}

// take holds one account against the books. An error is one of the books.
func (c *comparing) take(ctx context.Context, seen connector.Seen) error {
	account := seen.Account()
	if c.off || account == nil {
		return nil
	}
	c.reading.Accounts++
	for _, it := range seen.Items {
		c.shows(it.Key.Kind)
	}
	person, ok := c.bound[account.Ref]
	if !ok {
		c.reading.Nobodys++
		return nil
	}
	delete(c.bound, account.Ref)
	if c.page = append(c.page, showing{person, seen}); len(c.page) < store.AtOnce {
		return nil
	}
	return c.flush(ctx)
}

// shows notes that lists of the system show a kind: what is missing of it is missing.
func (c *comparing) shows(kind string) {
	c.kinds[kind] = true
	c.found = append(c.found, c.lacks[kind]...)
	delete(c.lacks, kind)
}

// fails gives the comparison up and keeps why: who counts accounts counts on, whatever the books say.
func (c *comparing) fails(ctx context.Context, why error) {
	if why == nil || ctx.Err() != nil {
		return
	}
	c.off = true
	if _, ends := (*c.retires())[c.system]; !ends {
		why = errors.Join(why, c.Store.FailDrift(ctx, c.system, c.Clock.Now(), "it was read, and could not be compared: "+Problem(why)))
	}
	c.Log.Warn("the accounts of a system are counted, and could not be compared with the books", "system", c.system, "error", why)
}

// flush compares a page of accounts, and writes what was found.
func (c *comparing) flush(ctx context.Context) error {
	people := make([]dayone.PersonID, len(c.page))
	for i := range c.page {
		people[i] = c.page[i].person
	}
	held, busy, err := c.books(ctx, people)
	if err != nil {
		return err
	}
	for i := range c.page {
		s := &c.page[i]
		if held.Unread[s.person] || works(busy[s.person]) {
			c.unsure = append(c.unsure, s.person)
			continue
		}
		c.compare(s.person, s.seen, held.Of[s.person], busy[s.person] != "")
	}
	c.page = c.page[:0]
	return c.save(ctx)
}

func (c *comparing) books(ctx context.Context, people []dayone.PersonID) (store.HeldThere, map[dayone.PersonID]dayone.RunState, error) {
	busy, err := c.Store.Busy(ctx, people)
	if err != nil {
		return store.HeldThere{}, nil, err
	}
	held, err := c.Store.HeldThere(ctx, c.system, people)
	for id := range held.Unread {
		c.Log.Warn("what somebody holds does not read, so it is not compared", "person", id, "system", c.system)
	}
	return held, busy, err
}

func (c *comparing) save(ctx context.Context) error {
	if _, c.off = (*c.retires())[c.system]; c.off { // since it began
		return c.Store.ForgetDrift(ctx, c.system)
	}
	if len(c.found)+len(c.unsure) == 0 {
		return nil
	}
	for _, x := range c.found {
		if a := c.in.Authority(x.Key); a != dayone.Additive && !x.Key.IsAccount() {
			c.sure[differing{x.Person, x.Key}] = true
		}
	}
	err := c.Store.SaveDrift(ctx, c.system, c.reading.Began, c.found, c.unsure)
	c.found, c.unsure = c.found[:0], c.unsure[:0]
	return err
}

// moves says that the books of a thing changed about when it was shown, or after that.
func (c *comparing) moves(h dayone.Holding) bool {
	last := h.Since
	if h.Confirmed.After(last) {
		last = h.Confirmed
	}
	return last.After(c.asOf.Add(-settled))
}

// works says that a run of this state calls systems now. One that waits, maybe for days, moves nothing.
func works(s dayone.RunState) bool { return s == dayone.RunRunning || s == dayone.RunUndoing }

// compare is one account of somebody, and what is on it. Where a run waits, what is there and not in the books may be what somebody
// has just done for it by hand.
func (c *comparing) compare(person dayone.PersonID, seen connector.Seen, held []dayone.Holding, waits bool) {
	is := seen.Account()
	at := slices.IndexFunc(held, func(h dayone.Holding) bool {
		return h.Key.IsAccount() && h.Ref == is.Ref && h.State != dayone.Gone
	})
	if at < 0 || slices.Contains(c.in.Protected, is.Ref) { // it was another's a moment ago, or nobody writes to it
		return
	}
	account := held[at]
	if c.moves(account) {
		c.unsure = append(c.unsure, person)
		return
	}
	switch {
	case account.State == dayone.Active && (is.State == dayone.Disabled || is.State == dayone.Staged):
		c.differs(person, account, *is, dayone.DriftClosed, string(account.State))
	case (account.State == dayone.Disabled || account.State == dayone.Staged) && is.State == dayone.Active:
		c.differs(person, account, *is, dayone.DriftOpen, string(account.State))
	}
	if account.State != dayone.Active { // what hangs on a closed account went with it
		return
	}
	known := map[[2]string]bool{}
	for _, h := range held {
		if h.Key.IsAccount() || h.Key.Account() != account.Key || !c.listed(h.Key.Kind, seen) {
			continue
		}
		if h.State == dayone.Gone && !c.moves(h) {
			continue
		}
		known[[2]string{h.Key.Kind, h.Key.Name}] = true
		if h.State != dayone.Active || c.moves(h) {
			continue
		}
		c.hangs(person, h, seen)
	}
	if waits {
		return
	}
	for _, it := range seen.Items {
		kind := c.in.Kinds[it.Key.Kind]
		if it.Key.IsAccount() || !c.listed(it.Key.Kind, seen) || known[[2]string{it.Key.Kind, it.Key.Name}] || it.State == dayone.Gone || kind.Exclusive && it.Key.Name == kind.Default {
			continue
		}
		it.Key.System, it.Key.As = c.system, account.Key.As
		gone := dayone.Holding{Item: dayone.Item{Key: it.Key}}
		c.differs(person, gone, it, dayone.DriftExtra, "")
	}
}

// hangs compares a thing on an account that is shown.
func (c *comparing) hangs(person dayone.PersonID, h dayone.Holding, seen connector.Seen) {
	at := slices.IndexFunc(seen.Items, func(it dayone.Item) bool { return it.Key.Kind == h.Key.Kind && it.Key.Name == h.Key.Name })
	switch {
	case at < 0:
		c.differs(person, h, dayone.Item{}, dayone.DriftMissing, string(h.State))
	case h.Role != "" && seen.Items[at].Role != "" && h.Role != seen.Items[at].Role:
		c.differs(person, h, seen.Items[at], dayone.DriftRole, h.Role)
	}
}

// listed says that lists of the system show a kind: it hangs on accounts, and was read of this one.
func (c *comparing) listed(kind string, seen connector.Seen) bool {
	return slices.Contains(c.in.Kinds[kind].Needs, dayone.AccountKindName) && !slices.Contains(seen.Unread, kind)
}

func (c *comparing) differs(person dayone.PersonID, h dayone.Holding, is dayone.Item, kind dayone.DriftKind, was string) {
	is.Key = h.Key
	x := dayone.Drift{ID: dayone.DriftID(c.IDs.New("drf")), Person: person, Key: h.Key, Kind: kind, Is: is, Was: was}
	for _, r := range h.Because {
		if r.Policy != dayone.Baseline && !slices.Contains(x.By, r.Policy) {
			x.By = append(x.By, r.Policy)
		}
	}
	if kind == dayone.DriftMissing && !h.Key.IsAccount() && !c.kinds[h.Key.Kind] { // maybe its lists never show such things
		if len(c.lacks[h.Key.Kind]) < mostLacking {
			c.lacks[h.Key.Kind] = append(c.lacks[h.Key.Kind], x)
		} else if n := len(c.unsure); n == 0 || c.unsure[n-1] != person {
			c.unsure = append(c.unsure, person)
		}
		return
	}
	c.found = append(c.found, x)
}

// end is the end of a whole list. doubted says why it is not believed: then nothing is missing, and what was known stays known.
func (c *comparing) end(ctx context.Context, doubted string) error {
	if c.off {
		return nil
	}
	if err := c.flush(ctx); err != nil || c.off {
		return err
	}
	if doubted != "" {
		return c.Store.FailDrift(ctx, c.system, c.Clock.Now(), doubted)
	}
	refs := slices.Sorted(maps.Keys(c.bound))
	for some := range slices.Chunk(refs, store.AtOnce) {
		if err := c.unseen(ctx, some); err != nil {
			return err
		}
	}
	if err := c.save(ctx); err != nil || c.off {
		return err
	}
	c.reading.At = c.Clock.Now()
	return c.Store.EndDrift(ctx, c.reading)
}

// unseen are bound accounts that the whole list did not show.
func (c *comparing) unseen(ctx context.Context, refs []string) error {
	people := make([]dayone.PersonID, len(refs))
	for i, ref := range refs {
		people[i] = c.bound[ref]
	}
	held, busy, err := c.books(ctx, people)
	if err != nil {
		return err
	}
	for i, ref := range refs {
		if held.Unread[people[i]] {
			c.unsure = append(c.unsure, people[i])
			continue
		}
		for _, h := range held.Of[people[i]] {
			if !h.Key.IsAccount() || h.Ref != ref || h.State != dayone.Active { // some list no closed ones
				continue
			}
			switch {
			case slices.Contains(c.in.Protected, ref):
			case works(busy[people[i]]) || c.moves(h):
				c.unsure = append(c.unsure, people[i])
			default:
				c.differs(people[i], h, dayone.Item{}, dayone.DriftMissing, string(h.State))
			}
		}
	}
	return c.save(ctx)
}

// broke keeps why a reading broke off. What it found until then stays, and nothing is taken for mended.
func (c *comparing) broke(ctx context.Context, why error) error {
	if ctx.Err() != nil || c.off {
		return nil
	}
	if err := c.flush(ctx); err != nil || c.off {
		return err
	}
	return c.Store.FailDrift(ctx, c.system, c.Clock.Now(), Problem(why))
}

// ---- what is shown ----

// DriftFilter narrows a list of drift.
type DriftFilter = store.DriftFilter

// DriftRow is drift with the name of whom it is about.
type DriftRow = store.DriftRow

// MostDrift is up to how many are counted of one system.
const MostDrift = 200

// Drift lists what differs at systems from the books, what was found last first.
func (f *Flow) Drift(ctx context.Context, q DriftFilter) ([]DriftRow, error) {
	q.Within = scopeOf(ctx)
	if q.Limit <= 0 {
		q.Limit = 50
	}
	return f.Store.Drift(ctx, q)
}

// CountDrift is how much differs at each system, MostDrift at most.
func (f *Flow) CountDrift(ctx context.Context) (map[string]int, error) {
	return f.Store.CountDrift(ctx, f.systemNames(), scopeOf(ctx), MostDrift)
}

// Lacks are the things that somebody has by the books, and that their systems did not show so when they were read last: what
// more is shown there keeps nobody from working.
func (f *Flow) Lacks(ctx context.Context, id dayone.PersonID) (map[dayone.Key]bool, error) {
	of, err := f.LacksOf(ctx, []dayone.PersonID{id})
	return of[id], err
}

// LacksOf is that of several people.
func (f *Flow) LacksOf(ctx context.Context, ids []dayone.PersonID) (map[dayone.PersonID]map[dayone.Key]bool, error) {
	lists, err := f.Store.DriftOf(ctx, ids)
	if err != nil || len(lists) == 0 {
		return nil, err
	}
	out := map[dayone.PersonID]map[dayone.Key]bool{}
	for id, list := range lists {
		out[id] = map[dayone.Key]bool{}
		for _, x := range list {
			if x.Kind == dayone.DriftMissing || x.Kind == dayone.DriftClosed || x.Kind == dayone.DriftRole {
				out[id][x.Key] = true
			}
		}
	}
	return out, nil
}

// driftOf is one of them. ErrNotFound: it is no more, or not in sight.
func (f *Flow) driftOf(ctx context.Context, id dayone.DriftID) (DriftRow, error) {
	list, err := f.Store.Drift(ctx, DriftFilter{ID: id, Limit: 1, Within: scopeOf(ctx)})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("drift: %w", dayone.ErrNotFound)
	}
	if err != nil {
		return DriftRow{}, err
	}
	return list[0], nil
}
