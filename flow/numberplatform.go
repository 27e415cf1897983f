package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/number/platform"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// Telephone systems. One is read at night, or when somebody asks for it, whole, beside everything else and within its limits, and is
// compared with the books and the people. Both are kept with their age: a page never waits for a cluster. What broke off says
// where, nothing of it is taken, and what was read before stands. Nothing is ever changed on one.

// What pages and the command line read of telephone systems.
type (
	PlatformFinding = platform.Finding
	PlatformKind    = platform.Kind
	PlatformLead    = platform.Lead
)

// PlatformKinds are all kinds of findings, the worst first.
var PlatformKinds = platform.Kinds

// Confidences are the words for how sure it is whose something is, from not at all on.
var Confidences = platform.Confidences

// phoneReads is what flow remembers of telephone systems.
type phoneReads struct {
	mu    sync.Mutex
	of    map[string]*phoneRead
	began time.Time // where nothing is in the books, a day begins here
}

// phoneRead is one of them. What is pointed at is never changed, only replaced.
type phoneRead struct {
	loaded  bool      // what the books have of it is known
	due     time.Time // when it is read by itself; zero: never
	tried   time.Time // when it was last begun to be read
	held    bool      // then it was not called
	asked   bool      // to be read
	anew    bool      // to be compared again
	reading bool      // and compared after that
	began   time.Time
	seen    map[dayone.PlatformKind]int // by now, of the reading under way
	problem string                      // why the last reading broke off; "": it did not
	failed  time.Time
	is      *dayone.Platform
	read    time.Time
	report  *platform.Report
	of      time.Time       // when what the report is made of was read
	has     []PlatformCount // that it is made of
	behind  bool            // what was read last is not compared yet: the report is of the reading before
	against time.Time       // when it was compared
	unread  int             // people who could not be read
	hidden  map[dayone.PersonID]bool
	wrong   string // why it could not be compared
}

const (
	comparedEvery = 15 * time.Minute // a comparison that somebody looks at is made again after it
	adoptWithin   = 24 * time.Hour   // what was read before is too old to be taken over
)

// PhoneSystems are the systems with telephone lines, devices or mailboxes, by name.
func (f *Flow) PhoneSystems() []string {
	var out []string
	for name, g := range f.Systems {
		if g != nil && g.Phones() {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (f *Flow) phoneSystem(name string) error {
	there := "none is configured: dayone system add cucm, or unity"
	if all := f.PhoneSystems(); len(all) > 0 {
		there = "configured: " + strings.Join(all, ", ")
		if near := dayone.Meant(name, all); near != "" {
			there += "; " + near
		}
	}
	switch g := f.Systems[name]; {
	case g == nil:
		return fmt.Errorf("there is no telephone system %q (%s): %w", name, there, dayone.ErrNotFound)
	case !g.Phones():
		return fmt.Errorf("%s has no telephone lines, devices or mailboxes that could be read (telephone systems %s): %w", name, there, dayone.ErrNotFound)
	}
	return nil
}

// at is what is remembered of a system. Whoever asks holds mu.
func (p *phoneReads) at(name string) *phoneRead {
	if p.of == nil {
		p.of = map[string]*phoneRead{}
	}
	if p.of[name] == nil {
		p.of[name] = &phoneRead{}
	}
	return p.of[name]
}

// ReadPlatform begins to read a telephone system. It does not wait for its end; where one is under way it is that one.
func (f *Flow) ReadPlatform(ctx context.Context, name, by string) error {
	if err := f.phoneSystem(name); err != nil {
		return err
	}
	f.phones.mu.Lock()
	p := f.phones.at(name)
	begins := !p.asked && !p.reading
	p.asked = p.asked || begins
	f.phones.mu.Unlock()
	if !begins {
		return nil
	}
	f.look()
	return f.Store.Record(ctx, dayone.Record{At: f.Clock.Now(), What: "telephone system read", System: name, By: by})
}

// phoneErrand reads a telephone system if somebody asked for it, and compares it.
func (f *Flow) phoneErrand(ctx context.Context, name string) (err error) {
	f.phones.mu.Lock()
	p := f.phones.at(name)
	loaded := p.loaded
	f.phones.mu.Unlock()
	if !loaded {
		if err := f.loadPhones(ctx, name, p); err != nil {
			return err
		}
		if err := f.plansPhones(ctx, name, p); err != nil { // it is loaded again: what is not planned would never be due
			return err
		}
	}
	f.phones.mu.Lock()
	p.loaded = true
	first := p.anew && p.report == nil && p.is != nil // what was kept is shown before it is read again, which may take an hour
	due := !p.due.IsZero() && !p.due.After(f.Clock.Now())
	asked := (p.asked || due) && !first
	p.asked, p.anew = p.asked && first, false
	if asked {
		p.reading, p.began, p.seen = true, f.Clock.Now(), map[dayone.PlatformKind]int{}
	}
	f.phones.mu.Unlock()
	defer func() { // what is read, and not compared, is still under way: the report is not of it
		f.phones.mu.Lock()
		p.reading = false
		f.phones.mu.Unlock()
		if again := f.plansPhones(ctx, name, p); err == nil && ctx.Err() == nil {
			err = again
		}
	}()
	if asked {
		if err := f.readPlatform(ctx, name, p); err != nil {
			return err
		}
	}
	f.phones.mu.Lock()
	is := p.is
	f.phones.mu.Unlock()
	if is == nil {
		return nil
	}
	return f.comparePlatform(ctx, name, p, is)
}

// readPlatform reads it, unless it is held: then it is not called. An error is one of the books.
func (f *Flow) readPlatform(ctx context.Context, name string, p *phoneRead) (err error) {
	var read dayone.Platform
	problem, held := "it could not be looked up whether it may be called", false
	var now time.Time
	defer func() {
		if now.IsZero() {
			now = f.Clock.Now()
		}
		if problem != "" && ctx.Err() == nil { // whoever ends in the middle begins again
			err = errors.Join(err, f.Store.BrokePhones(ctx, name, problem, now))
		}
		f.phones.mu.Lock()
		defer f.phones.mu.Unlock()
		p.tried, p.held = p.began, held
		if problem != "" {
			p.problem, p.failed = problem, now
			return
		}
		p.problem, p.is, p.read, p.behind = "", &read, now, true
	}()
	stance, err := f.stanceOf(ctx, name)
	if err != nil {
		return err
	}
	if stance != engine.Free {
		problem, held = "it is "+string(stance)+", so it is not called", true
		return nil
	}
	if err := f.Store.BeginPhones(ctx, name, p.began); err != nil {
		problem = "it could not be written down that it is read"
		return err
	}
	read, failed := f.Systems[name].Discover(ctx, func(kind dayone.PlatformKind, n int) {
		f.phones.mu.Lock()
		p.seen[kind] = n
		f.phones.mu.Unlock()
	})
	if failed == nil {
		problem, now = "it was read, and that could not be kept", f.Clock.Now()
		if err := f.Store.KeepPhones(ctx, name, f.IDs.New("pho"), &read, now); err != nil {
			return err
		}
		problem = ""
		return nil
	}
	f.phones.mu.Lock()
	problem = brokenOff(failed, p.seen)
	f.phones.mu.Unlock()
	if ctx.Err() == nil {
		f.Log.Warn("a telephone system could not be read; nothing of it is taken", "system", name, "error", failed)
	}
	return nil
}

// stanceOf says whether a system may be called.
func (f *Flow) stanceOf(ctx context.Context, name string) (engine.Stance, error) {
	now := f.Clock.Now()
	st, err := f.Store.Standing(ctx, now)
	if err != nil {
		return "", err
	}
	var circuit dayone.Circuit
	for _, c := range st.Circuits {
		if c.System == name {
			circuit = c
		}
	}
	stance, _ := engine.StanceOf(name, f.Engine.Care[name], st.Orders, circuit, now)
	return stance, nil
}

// brokenOff says where a reading broke off and why, and nothing of the answer.
func brokenOff(err error, seen map[dayone.PlatformKind]int) string {
	text := cmp.Or(unreadable(err), "it cannot be read")
	var fault *dayone.Fault
	if errors.As(err, &fault) && fault.Op != "" {
		text += " (while " + fault.Op + ")"
	}
	var had []string
	for _, kind := range slices.Sorted(maps.Keys(seen)) {
		had = append(had, fmt.Sprintf("%d %s", seen[kind], kind))
	}
	if len(had) == 0 {
		return text + "; nothing was read before that"
	}
	return text + "; it broke off after " + strings.Join(had, ", ") + ", and nothing of them is taken"
}

// comparePlatform compares what was read with the books and the people as they stand.
func (f *Flow) comparePlatform(ctx context.Context, name string, p *phoneRead, is *dayone.Platform) error {
	b, err := f.platformBooks(ctx, name)
	if ctx.Err() != nil {
		return nil // we end, and nothing was found out
	}
	var report *platform.Report
	if err == nil {
		report = platform.Compare(b, is)
	}
	f.phones.mu.Lock()
	defer f.phones.mu.Unlock()
	switch {
	case err != nil:
		p.wrong = "it could not be compared with the books"
		if p.behind {
			p.failed = f.Clock.Now()
		}
	case p.is == is: // it was not read anew meanwhile
		p.report, p.against, p.hidden, p.unread, p.wrong = report, b.Now, b.Hidden, b.Unread, ""
		p.of, p.has, p.behind = p.read, has(is), false
	}
	return err
}

// platformBooks gathers what a telephone system is compared with.
func (f *Flow) platformBooks(ctx context.Context, name string) (platform.Books, error) {
	n := f.Store.ReadNumbers(ctx)
	plan, _, err := f.numberBook(n)
	if err != nil {
		return platform.Books{}, err
	}
	b := platform.Books{System: name, Plan: plan, Now: f.Clock.Now()}
	for o, err := range n.Each() {
		if err != nil {
			return b, fmt.Errorf("reading numbers: %w", err)
		}
		b.Numbers = append(b.Numbers, o.Number)
	}
	if b.Bound, err = f.Store.BoundAccounts(ctx, name); err != nil {
		return b, err
	}
	if err := f.platformPeople(ctx, plan, &b); err != nil {
		return b, err
	}
	b.Hidden, err = f.hiddenPeople(ctx, plan, &b)
	return b, err
}

// platformPeople are all who may be known, those who left among them.
func (f *Flow) platformPeople(ctx context.Context, plan *number.Plan, b *platform.Books) error {
	var page []dayone.PersonID
	logins := f.loginAttributes()
	look := func() error {
		list, err := f.peopleAt(ctx, page, func(int) time.Time { return b.Now })
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].ID == "" {
				b.Unread++
				continue
			}
			b.People = append(b.People, platformPerson(plan, logins, &list[i]))
		}
		page = page[:0]
		return ctx.Err()
	}
	err := f.Store.EachPerson(ctx, func(id dayone.PersonID, _ bool) error {
		if page = append(page, id); len(page) < store.AtOnce {
			return nil
		}
		return look()
	})
	if err == nil && len(page) > 0 {
		err = look()
	}
	return err
}

// hiddenPeople are those of whom only few may know: what is theirs is nobody's else, and never a leaver's.
func (f *Flow) hiddenPeople(ctx context.Context, plan *number.Plan, b *platform.Books) (map[dayone.PersonID]bool, error) {
	rows, err := f.Store.Veiled(ctx)
	if err != nil {
		return nil, err
	}
	out := map[dayone.PersonID]bool{}
	logins := f.loginAttributes()
	for _, r := range rows {
		if r.Veil != dayone.WholeVeiled {
			continue
		}
		out[r.ID] = true
		t, err := f.Store.Timeline(ctx, r.ID)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			b.Unread++
			continue
		}
		p := people.Whole(&t, b.Now, b.Now, f.Active())
		x := platformPerson(plan, logins, &p)
		x.Left = false
		b.People = append(b.People, x)
	}
	return out, nil
}

// loginAttributes are the attributes of people.yaml that name somebody to systems.
func (f *Flow) loginAttributes() []string {
	var out []string
	for _, name := range f.Active().Schema.Names() {
		if f.Active().Schema.Attributes[name].Made != nil || name == "login" || name == "username" {
			out = append(out, name)
		}
	}
	return out
}

func platformPerson(plan *number.Plan, logins []string, p *dayone.Person) platform.Person {
	out := platform.Person{
		ID: p.ID, Name: p.Name(), Email: p.Attrs.Text("email"), EmployeeNumber: p.Attrs.Text("employee_number"), Country: p.Site.Country,
		Left: p.Status == dayone.Left,
	}
	for _, name := range logins {
		if text := p.Attrs.Text(name); text != "" {
			out.Logins = append(out.Logins, text)
		}
	}
	for _, attr := range plan.Stated {
		if text := p.Attrs.Text(attr); text != "" {
			if e, err := number.Parse(text, p.Site.Country); err == nil { // what is no number the audit of the books names
				out.Numbers = append(out.Numbers, platform.Stated{Attribute: attr, E164: e})
			}
		}
	}
	return out
}

// PlatformCount is how many of a kind a telephone system has.
type PlatformCount struct {
	Kind dayone.PlatformKind
	N    int
}

// PlatformFilter narrows findings. After is how many were on the pages before.
type PlatformFilter struct {
	Kind  PlatformKind
	Text  string // in what it is called, or says
	After int
	Limit int // 0: all
}

// PlatformAudit is a telephone system as it was read last, and what differs.
type PlatformAudit struct {
	System, Title string
	Reading       bool // or about to be
	Began         time.Time
	Seen          []PlatformCount // of the reading under way
	Problem       string          // why the last reading broke off, or why it could not be compared
	Failed        time.Time
	Read          time.Time // zero: never, or it was thrown away
	Next          time.Time // when it is read by itself; zero: it is not known yet, or never
	Compared      time.Time // zero: not yet
	Has           []PlatformCount
	Users, Lines  [5]int // by Confidences
	Mailboxes     [5]int
	Unread        int // people who could not be read
	Counts        map[PlatformKind]int
	Total         int // that the filter lets through
	Findings      []PlatformFindingView
	Leads         []PlatformLead
	Takes         int // numbers of which whoever asks may take something over
}

// PlatformFindingView is a finding with the names of whom it is about.
type PlatformFindingView struct {
	PlatformFinding
	PersonName, OtherName string
}

// PlatformAudit is what is known of a telephone system. It never waits for it.
func (f *Flow) PlatformAudit(ctx context.Context, name string, q PlatformFilter) (PlatformAudit, error) {
	if err := f.phoneSystem(name); err != nil {
		return PlatformAudit{}, err
	}
	out := PlatformAudit{System: name, Title: f.systemTitle(name), Counts: map[PlatformKind]int{}}
	f.phones.mu.Lock()
	p := f.phones.at(name)
	out.Reading, out.Began, out.Problem, out.Failed, out.Read, out.Compared, out.Unread = p.reading || p.asked, p.began, cmp.Or(p.problem, p.wrong), p.failed, p.read, p.against, p.unread
	for _, kind := range slices.Sorted(maps.Keys(p.seen)) {
		out.Seen = append(out.Seen, PlatformCount{kind, p.seen[kind]})
	}
	out.Next = p.due
	loaded, is, report, hidden, counted := p.loaded, p.is, p.report, p.hidden, p.has
	if report != nil { // with what was read when it was made, and not with what was read since
		out.Read = p.of
	}
	again := is != nil && !p.reading && !p.anew && f.Clock.Now().Sub(p.against) >= comparedEvery
	p.anew = p.anew || again
	f.phones.mu.Unlock()
	if again {
		f.look()
	}
	if report == nil {
		if is != nil {
			out.Has = has(is)
		}
		if !loaded {
			row, err := f.keptRow(ctx, name)
			out.Read = row.Read
			return out, err
		}
		return out, nil
	}
	out.Has, out.Users, out.Lines, out.Leads, out.Takes = counted, report.Open.Users, report.Open.Lines, report.Leads, len(takesFor(ctx, report, hidden))
	out.Mailboxes = report.Open.Mailboxes
	if mayKnow(ctx) {
		out.Users, out.Lines, out.Mailboxes = report.All.Users, report.All.Lines, report.All.Mailboxes
	}
	return out, f.platformFindings(ctx, report, hidden, q, &out)
}

// takesFor are the numbers that whoever asks may take over: not those of people of whom only few may know.
func takesFor(ctx context.Context, report *platform.Report, hidden map[dayone.PersonID]bool) []platform.Take {
	if mayKnow(ctx) || len(hidden) == 0 {
		return report.Takes
	}
	return slices.DeleteFunc(slices.Clone(report.Takes), func(t platform.Take) bool {
		return hidden[t.Owner] || slices.ContainsFunc(t.Shown, func(s dayone.Appearance) bool { return hidden[s.Person] })
	})
}

func has(is *dayone.Platform) []PlatformCount {
	count := map[dayone.PlatformKind]int{
		dayone.PlatformLines: len(is.Lines), dayone.PlatformPatterns: len(is.Patterns), dayone.PlatformUsers: len(is.Users), dayone.PlatformDevices: len(is.Devices),
		dayone.PlatformMailboxes: len(is.Mailboxes), dayone.PlatformReaches: len(is.Reaches),
	}
	var out []PlatformCount
	for _, kind := range is.Of {
		out = append(out, PlatformCount{kind, count[kind]})
	}
	return out
}

// platformFindings are those that a filter lets through and whoever asks may know of.
func (f *Flow) platformFindings(ctx context.Context, report *platform.Report, hidden map[dayone.PersonID]bool, q PlatformFilter, out *PlatformAudit) error {
	text, cache := strings.ToLower(strings.TrimSpace(q.Text)), map[dayone.PersonID]string{}
	for _, x := range report.Findings {
		if (hidden[x.Person] || hidden[x.Other]) && !mayKnow(ctx) {
			continue
		}
		out.Counts[x.Kind]++
		if q.Kind != "" && x.Kind != q.Kind || !strings.Contains(strings.ToLower(x.Name+" "+string(x.Number)+" "+x.Text), text) {
			continue
		}
		if out.Total++; out.Total <= q.After || q.Limit > 0 && len(out.Findings) >= q.Limit {
			continue
		}
		v := PlatformFindingView{PlatformFinding: x}
		var veiled, alsoVeiled bool
		var err error
		if v.PersonName, veiled, err = f.whoHas(ctx, x.Person, cache); err == nil {
			v.OtherName, alsoVeiled, err = f.whoHas(ctx, x.Other, cache)
		}
		if err != nil {
			return err
		}
		if veiled || alsoVeiled { // since it was compared
			out.Counts[x.Kind]--
			out.Total--
			continue
		}
		out.Findings = append(out.Findings, v)
	}
	return nil
}
