package flow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// Brakes: a feed that is wrong must not take everybody's access away. So many terminations a day and so many changes of an
// attribute pass, and what is beyond waits for somebody, as do whole lists that are empty or much shorter. Hires go on, and
// so does what people enter here one by one.

// SourceBrakes are the limits of a source. A zero field is the default.
type SourceBrakes struct {
	Off          string  // why there are none; "": they are on
	Terminations int     // a day, at least
	Percent      float64 // of the people of the source who are managed, if that is more
	Smaller      float64 // percent that a list may be shorter than the last one
	Shift        float64 // percent of people for whom an attribute may change in a day
}

// RemovalBrakes are the limits of what is taken away at one system from people who stay. A zero field is the default.
type RemovalBrakes struct {
	Off         string
	People      int     // a day, at least
	Percent     float64 // of all who are managed, if that is more
	EmptiedFrom int     // members from whom on an entitlement is not left without anybody
	ListsAt     string  // time of day at which the accounts of each system are counted; "": never
	Smaller     float64 // percent that such a list may be shorter than the last one
	SecondFrom  int     // so many held things need a second person, where two have to decide
}

// Defaults of limits. A second person is asked from SecondFrom held things on.
const (
	BrakePeople  = 5
	BrakePercent = 2
	BrakeSmaller = 20
	BrakeShift   = 30
	SecondFrom   = 20
)

func (b SourceBrakes) terminations(managed int) int {
	return atLeast(cmp.Or(b.Terminations, BrakePeople), cmp.Or(b.Percent, BrakePercent), managed)
}

// shift is how many people's attribute may change: less than the share.
func (b SourceBrakes) shift(managed int) int {
	return max(cmp.Or(b.Terminations, BrakePeople), int(math.Ceil(float64(managed)*cmp.Or(b.Shift, BrakeShift)/100))-1)
}

func (b RemovalBrakes) people(managed int) int {
	return atLeast(cmp.Or(b.People, BrakePeople), cmp.Or(b.Percent, BrakePercent), managed)
}

func atLeast(n int, percent float64, of int) int {
	return max(n, int(math.Floor(float64(of)*percent/100)))
}

// shifting are the attributes of which too many must not change in a day: access hangs on them.
var shifting = []string{"manager", "department", "team", "location", "job_title", "cost_center", "company", "country", "employment_type", "email"}

// sizes remembers how many people limits are a part of.
type sizes struct {
	mu sync.Mutex
	of map[string]size
}

type size struct {
	n  int
	at time.Time
}

const sizeAge = 10 * time.Minute

// managedOf is how many people of a source are managed, as of lately; "": of all.
func (f *Flow) managedOf(ctx context.Context, source string) (int, error) {
	now := f.Clock.Now()
	f.sizes.mu.Lock()
	s, ok := f.sizes.of[source]
	f.sizes.mu.Unlock()
	if ok && now.Sub(s.at).Abs() < sizeAge {
		return s.n, nil
	}
	n, err := f.Store.ManagedOf(ctx, source)
	if err != nil {
		return 0, fmt.Errorf("counting people: %w", err)
	}
	f.sizes.mu.Lock()
	defer f.sizes.mu.Unlock()
	if f.sizes.of == nil {
		f.sizes.of = map[string]size{}
	}
	f.sizes.of[source] = size{n, now}
	return n, nil
}

// today is the day in the company's zone.
func (f *Flow) today() string {
	zone, _ := f.Active().Sites[""].Location()
	return f.Clock.Now().In(zone).Format(time.DateOnly)
}

// ends says that an employment comes to its end, or earlier than was known.
func ends(before, p dayone.Person) bool {
	return before.Status != dayone.Left && !p.End.IsZero() && (before.End.IsZero() || p.End.Before(before.End))
}

// shifts are the attributes that change from one value to another, or are lost.
func shifts(before, p dayone.Person) []string {
	var out []string
	for _, a := range shifting {
		if was := before.Attrs.Text(a); was != "" && was != p.Attrs.Text(a) {
			out = append(out, a)
		}
	}
	return out
}

// passing is what an event asks of the brakes of its source; nil: nothing. behind is the brake that held it before.
func (f *Flow) passing(ctx context.Context, h people.Heard, behind dayone.BrakeID, before, p dayone.Person, j people.Judgement, known, veiled bool) (*store.Passing, error) {
	src, _ := f.source(h.Source)
	now := f.Clock.Now()
	out := &store.Passing{Scope: "source:" + h.Source, Day: f.today(), Now: now, Open: dayone.BrakeID(f.IDs.New("brk")), Two: f.TwoPersons, Veiled: veiled}
	if known && before.Managed && h.Source != dayone.Portal && src.Brakes.Off == "" {
		gone, moved := ends(before, p), shifts(before, p)
		if gone || len(moved) > 0 {
			n, err := f.managedOf(ctx, h.Source)
			if err != nil {
				return nil, err
			}
			if gone {
				limit := src.Brakes.terminations(n)
				out.Rules = append(out.Rules, store.PassRule{Name: dayone.BrakeTerminations, Limit: limit, Note: fmt.Sprintf("more than %s of %s on %s", counted(limit, "1 termination", "%d terminations"), h.Source, out.Day)})
			}
			for _, a := range moved {
				limit := src.Brakes.shift(n)
				out.Rules = append(out.Rules, store.PassRule{Name: dayone.BrakeShift + a, Limit: limit, Note: fmt.Sprintf("%v changed for more than %s of %s on %s", saidAs(a), counted(limit, "1 person", "%d people"), h.Source, out.Day)})
			}
		}
	}
	for i := range out.Rules {
		out.Rules[i].Name += apart(veiled)
	}
	if behind == "" && len(out.Rules) == 0 {
		return nil, nil
	}
	out.Held = heldOfEvent(h, before, p, j, known)
	if behind == "" {
		return out, nil
	}
	was, err := f.Store.HeldItem(ctx, string(h.ID))
	switch {
	case errors.Is(err, dayone.ErrNotFound): // it passed, and we fell before it was marked
	case err != nil:
		return nil, err
	case was.Mark == out.Held.Mark:
		out.Free = true
	default:
		out.Force = dayone.BrakeChanged + apart(veiled)
	}
	return out, nil
}

// apart is what the rules for what is confidential end in: it has counters and brakes of its own, so that those for everybody
// tell nothing of it.
func apart(veiled bool) string {
	if veiled {
		return dayone.BrakeVeiled
	}
	return ""
}

// braked is a person before and after an event as brakes see her, and whether only few may know of it. An end that is said in
// confidence is one, whatever else the event says.
func (f *Flow) braked(was, is *dayone.Timeline, now time.Time, before, p dayone.Person, j people.Judgement) (dayone.Person, dayone.Person, bool) {
	if before.Veil == dayone.Unveiled && p.Veil == dayone.Unveiled {
		return before, p, j.Veiled
	}
	set := f.Active()
	wholeBefore, whole := people.Whole(was, now, now, set), people.Whole(is, now, now, set)
	if j.Veiled || ends(wholeBefore, whole) && !ends(before, p) {
		return wholeBefore, whole, true
	}
	return before, p, false
}

// heldOfEvent is what an event would change, with a digest of it.
func heldOfEvent(h people.Heard, before, p dayone.Person, j people.Judgement, known bool) dayone.Held {
	out := dayone.Held{Item: string(h.ID), Subject: h.Subject, What: people.Intent(before, p, !known)}
	if known {
		out.Person = p.ID
	}
	line := func(what, was, is string) {
		if was != is {
			out.Lines = append(out.Lines, dayone.HeldLine{What: wordOf(what), Was: was, Is: is})
		}
	}
	line("last_day", dayOf(before.End), dayOf(p.End))
	line("first_day", startDay(before.Start), startDay(p.Start))
	var names []string
	for _, attrs := range []dayone.Attrs{before.Attrs, p.Attrs} {
		for name := range attrs {
			if name != "id" && name != "status" && name != "buddy" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		line(name, before.Attrs.Text(name), p.Attrs.Text(name))
	}
	own := map[string]bool{} // what we choose ourselves may be another choice by then
	for _, x := range j.Facts {
		if x.Source == maker {
			own[wordOf(x.Attr)] = true
		}
	}
	sum := sha256.New()
	fmt.Fprintln(sum, h.Subject)
	for _, l := range out.Lines {
		if !own[l.What] {
			fmt.Fprintf(sum, "%q\n", l)
		}
	}
	for _, x := range j.Facts {
		if x.Source == maker {
			continue
		}
		from := ""
		if !x.Effective.IsZero() && !x.Effective.Equal(x.Said) { // a date that came with it
			from = x.Effective.UTC().Format(time.DateOnly)
		}
		fmt.Fprintf(sum, "%s %q %t %s\n", x.Attr, x.Value.Text, x.Bad, from)
	}
	out.Mark = hex.EncodeToString(sum.Sum(nil))[:16]
	return out
}

// dayOf is the last day of which an instant is the end.
func dayOf(end time.Time) string {
	if end.IsZero() {
		return ""
	}
	return startDay(end.Add(-time.Second))
}

func startDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func wordOf(attr string) string { return strings.ReplaceAll(attr, "_", " ") }

// saidAs is how a note calls an attribute: as pages do, so that it is known in every language.
func saidAs(attr string) string {
	switch attr {
	case "cost_center":
		return "cost centre"
	case "email":
		return "work mail"
	}
	return wordOf(attr)
}

// room is how many terminations of a source may still pass today. Announced lay-offs are for everybody to see, and how much
// of them is used: what is confidential takes nothing of them.
func (f *Flow) room(ctx context.Context, source string, veiled bool) (room, limit int, err error) {
	n, err := f.managedOf(ctx, source)
	if err != nil {
		return 0, 0, err
	}
	limit = f.Sources[source].Brakes.terminations(n)
	passed, err := f.Store.PassedToday(ctx, "source:"+source, f.today(), dayone.BrakeTerminations+apart(veiled))
	if err != nil {
		return 0, 0, err
	}
	if room = max(0, limit-passed); veiled {
		return room, limit, nil
	}
	now := f.Clock.Now()
	list, err := f.Store.Announced(ctx, now)
	for _, a := range list {
		if left := a.Count - a.Used; a.Source == source && a.LetsPass(now, f.TwoPersons) && !a.From.After(now) && left > 0 {
			room, limit = room+left, limit+left
		}
	}
	return room, limit, err
}

// bodyBrake says why a body is held whole: it ends more employments than may end today. "": it is not. What is confidential
// of a body is one of its own.
func (f *Flow) bodyBrake(ctx context.Context, source string, events []dayone.Event, veiled bool) (string, error) {
	if f.Sources[source].Brakes.Off != "" || len(events) < 2 {
		return "", nil
	}
	subjects := map[string]bool{}
	for _, ev := range events {
		if people.Ends(ev) {
			subjects[ev.Subject] = true
		}
	}
	if len(subjects) < 2 {
		return "", nil
	}
	n := 0
	for subject := range subjects {
		id, known, err := f.Store.PersonOf(ctx, source, subject)
		if err != nil {
			return "", err
		}
		if !known {
			continue
		}
		row, err := f.Store.Person(ctx, id)
		if err == nil && veiled && row.Veil != dayone.Unveiled {
			row, err = f.rowFor(As(ctx, dayone.Viewer{Confidential: true}), row)
		}
		if err != nil {
			return "", err
		}
		if row.Managed && row.Status != dayone.Left && row.Ends.IsZero() {
			n++
		}
	}
	room, limit, err := f.room(ctx, source, veiled)
	if err != nil || n <= room {
		return "", err
	}
	return fmt.Sprintf("one body of %s ends %s, and %d a day are the limit", source, counted(n, "1 employment", "%d employments"), limit), nil
}

// holdBody keeps a body behind a brake of its own.
func (f *Flow) holdBody(ctx context.Context, source, why string, events []dayone.Event, body []byte, veiled bool) ([]Receipt, error) {
	now := f.Clock.Now()
	b := dayone.Brake{ID: dayone.BrakeID(f.IDs.New("brk")), Scope: "source:" + source, Note: why, Opened: now}
	b.Rule = dayone.BrakeBody + string(b.ID) + apart(veiled)
	all := make([]store.HeldEvent, 0, len(events))
	for _, ev := range events {
		person, _, err := f.Store.PersonOf(ctx, source, ev.Subject)
		if err != nil {
			return nil, fmt.Errorf("keeping what %s said: %v: %w", source, err, dayone.ErrUnavailable)
		}
		all = append(all, store.HeldEvent{Event: ev, Body: body, Held: dayone.Held{Item: string(ev.ID), Subject: ev.Subject, Person: person}})
	}
	kept, err := f.Store.HoldAll(context.WithoutCancel(ctx), b, all) // all of it, though whoever sent it hangs up
	if err != nil {
		return nil, fmt.Errorf("keeping what %s said: %v: %w", source, err, dayone.ErrUnavailable)
	}
	out := make([]Receipt, 0, len(kept))
	for i, in := range kept {
		r := Receipt{ID: in.ID, State: in.State, Note: in.Note, Again: in.ID != all[i].Event.ID}
		out = append(out, r)
	}
	return out, nil
}

// unseenAgain is when what could not be looked at is looked at again.
const unseenAgain = time.Minute

// seeHeld says of events that were held unseen what they would change, so that somebody can decide about them.
func (f *Flow) seeHeld(ctx context.Context) (again time.Time, err error) {
	list, err := f.Store.Unseen(ctx, pageOf)
	if err != nil {
		return again, err
	}
	for _, h := range list {
		in, err := f.Store.Event(ctx, dayone.EventID(h.Item))
		if err != nil {
			return again, err
		}
		seen, err := f.wouldChange(ctx, in)
		switch {
		case errors.Is(err, dayone.ErrNotFound), errors.Is(err, dayone.ErrInvalid):
			seen = dayone.Held{Item: h.Item, Subject: h.Subject, Mark: "unreadable", What: "cannot be used: " + err.Error()}
		case err != nil:
			if ctx.Err() != nil {
				return again, ctx.Err()
			}
			f.Log.Warn("what is held cannot be looked at yet", "event", h.Item, "error", err)
			again = f.Clock.Now().Add(unseenAgain)
			continue
		}
		seen.Brake = h.Brake
		if err := f.Store.SeeHeld(ctx, seen); err != nil {
			return again, err
		}
	}
	if len(list) == pageOf && again.IsZero() {
		again = f.Clock.Now()
	}
	return again, nil
}

// wouldChange is what an event would change now.
func (f *Flow) wouldChange(ctx context.Context, in dayone.Intake) (dayone.Held, error) {
	body, err := f.Store.Body(ctx, in.ID)
	if err != nil {
		return dayone.Held{}, err
	}
	h, err := f.hear(ctx, in.Event, body, f.reader(in.Source))
	if err != nil {
		return dayone.Held{}, err
	}
	id, known, err := f.whose(ctx, h)
	if err != nil {
		return dayone.Held{}, err
	}
	t := dayone.Timeline{Person: id}
	if known {
		if t, err = f.Store.Timeline(ctx, id); err != nil {
			return dayone.Held{}, err
		}
	}
	now, was := f.Clock.Now(), t
	before, p, j, err := f.extend(ctx, &t, h, now, "eng_new")
	if err != nil {
		return dayone.Held{}, err
	}
	before, p, _ = f.braked(&was, &t, now, before, p, j)
	out := heldOfEvent(h, before, p, j, known)
	switch j.State {
	case dayone.EventQuarantined:
		out.What = "cannot be used: " + j.Note
	case dayone.EventUnchanged:
		out.What = "nothing new"
	}
	return out, nil
}
