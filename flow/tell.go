package flow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// Who is told of what, beside the runs that do something: that somebody moved, leaves or has left, that a first day is at
// risk; and what is gathered for a day.

// toldOf is a person as others are told of changes of her.
func (f *Flow) toldOf(p dayone.Person) *dayone.Told {
	t := dayone.Told{At: p.At, Status: p.Status, Ends: p.End, Attrs: map[string]string{}}
	for _, name := range f.Active().Watched() {
		if v, ok := p.Attrs[name]; ok {
			t.Attrs[name] = v.Text
		}
	}
	return &t
}

// occasions are what happened to a person since she was last planned for. An attribute that was not watched then, or whose
// last word was bad, did not change as far as anybody knows.
func (f *Flow) occasions(told dayone.Told, p dayone.Person) []dayone.Occasion {
	if told.At.IsZero() || !p.Managed {
		return nil
	}
	id := strconv.FormatInt(told.At.UnixMicro(), 36)
	now := f.toldOf(p)
	var moved, changed []dayone.AttrChange
	for _, name := range slices.Sorted(maps.Keys(now.Attrs)) {
		was, known := told.Attrs[name]
		if !known || was == now.Attrs[name] || slices.Contains(p.Unknown, name) {
			continue
		}
		c := dayone.AttrChange{Attr: name, Was: was, Is: now.Attrs[name]}
		changed = append(changed, c)
		if policy.Moves(name) {
			moved = append(moved, c)
		}
	}
	var out []dayone.Occasion
	if len(moved) > 0 && p.Status != dayone.Left {
		out = append(out, dayone.Occasion{ID: id, Moment: dayone.OnMoved, Changes: moved})
	}
	if len(changed) > 0 {
		out = append(out, dayone.Occasion{ID: id, Moment: dayone.OnChanged, Changes: changed})
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		zone, _ := p.Location()
		return t.Add(-time.Second).In(zone).Format(time.DateOnly)
	}
	switch {
	case p.Status == dayone.Left && told.Status != dayone.Left:
		out = append(out, dayone.Occasion{ID: id, Moment: dayone.OnLeft})
	case p.Status != dayone.Left && !p.End.IsZero() && !p.End.Equal(told.Ends):
		out = append(out, dayone.Occasion{ID: id, Moment: dayone.OnLeaving, Changes: []dayone.AttrChange{{Attr: "last_day", Was: day(told.Ends), Is: day(p.End)}}})
	}
	return out
}

// unsaidRuns is how far back is looked for a run that was given up before it told.
const unsaidRuns = 10

// unsaid are occasions that runs were to tell of which were given up before they did: superseded, cancelled, or given up for
// an undo. What was told since is known by its message.
func (f *Flow) unsaid(ctx context.Context, id dayone.PersonID) ([]dayone.Occasion, error) {
	runs, err := f.Store.Runs(ctx, store.RunFilter{Person: id, Limit: unsaidRuns})
	var out []dayone.Occasion
	for _, head := range runs {
		givenUp := head.State == dayone.RunSuperseded || head.State == dayone.RunCancelled
		if err != nil || !givenUp && head.Of == "" {
			break
		}
		var r dayone.Run
		if r, err = f.Store.Run(ctx, head.ID); err != nil || !givenUp {
			continue
		}
		for _, o := range r.Plan.Occasions {
			if slices.ContainsFunc(r.Steps, func(s dayone.StepRun) bool { return s.State != dayone.StepDone && tells(s.Step, o.ID) }) {
				out = append(out, o)
			}
		}
	}
	return out, err
}

// untold says that a run that goes on does not tell of what happened meanwhile: the undo of another one.
func (f *Flow) untold(ctx context.Context, run dayone.RunID, l Look) bool {
	r, err := f.Engine.Snapshot(ctx, run)
	return err == nil && slices.ContainsFunc(l.Plan.Steps, func(s dayone.Step) bool { return tells(s, "") && r.Step(s.ID) == nil })
}

// tells says whether a step is the message about an occasion; without an id, about any.
func tells(s dayone.Step, id string) bool {
	return s.Action == dayone.MessageSend && len(s.On) == 0 && (id == "" || strings.Contains(s.Key.Name, "."+id))
}

// riskHour of the last working day before a first day is when what is not there yet is told.
const riskHour = 9

// risk is that instant for somebody who has not begun; zero: she has.
func risk(p dayone.Person) time.Time {
	if p.Status != dayone.PreHire || p.Start.IsZero() {
		return time.Time{}
	}
	zone, _ := p.Location()
	day := policy.Offset{WorkingDays: -1}.From(p.Start, p.Site.Holidays).In(zone)
	return time.Date(day.Year(), day.Month(), day.Day(), riskHour, 0, 0, 0, zone)
}

// deliver says which system carries a notice to whom. Mail before the start, and after the last day, goes to the personal
// address; in between to the work address.
func (f *Flow) deliver(p dayone.Person, n dayone.Notice) []dayone.Notice {
	if n.Key.Kind == "invitation" && begun(p) {
		return nil // nobody is invited to what is over
	}
	var mail []string
	out := map[string]*dayone.Notice{}
	for _, to := range n.To {
		address := to
		switch to {
		case "new-hire", "person":
			address = p.Attrs.Text("email")
			if personal := p.Attrs.Text("personal_email"); (p.Status == dayone.PreHire || p.Status == dayone.Left) && personal != "" && n.Key.Kind != "invitation" {
				address = personal
			}
		case "manager":
			address = p.Attrs.Text("manager")
		case "buddy": // without one, the manager takes the first questions
			address = cmp.Or(p.Attrs.Text("buddy"), p.Attrs.Text("manager"))
		}
		switch key, err := dayone.ParseKey(address); {
		case address == "":
		case err == nil && !strings.Contains(address, "@"):
			one := n
			one.Key.System, one.Key.Name, one.To = key.System, n.Key.Name+"@"+key.Name, []string{key.Name}
			out[key.System+" "+key.Name] = &one
		default:
			if !slices.Contains(mail, address) {
				mail = append(mail, address)
			}
		}
	}
	via := map[string]string{"message": f.Mail, "invitation": f.Calendar}[n.Key.Kind]
	if via != "" && n.Digest {
		via = DigestSystem
	}
	if len(mail) > 0 && via != "" {
		one := n
		one.Key.System, one.To = via, mail
		out[via] = &one
	}
	var list []dayone.Notice
	for _, k := range slices.Sorted(maps.Keys(out)) {
		list = append(list, *out[k])
	}
	return list
}

// begun says that a first day is over: its meetings are, too.
func begun(p dayone.Person) bool {
	zone, _ := p.Location()
	return !p.Start.IsZero() && !p.At.Before(p.Start.In(zone).AddDate(0, 0, 1))
}

// DigestSystem carries messages that are gathered for a day. No system may be called so.
const DigestSystem = "digest"

// digestHour is when a day's messages go out, where the company is.
const digestHour = 8

// digests is the target of messages that are gathered: a line is kept for each recipient.
type digests struct{ *Flow }

func (digests) Open() time.Time { return time.Time{} }
func (digests) Width() int      { return 4 }

// Apply keeps lines. Said again, they are the same lines.
func (d digests) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	now := d.Clock.Now()
	due := d.nextDigest(now)
	var lines []store.DigestLine
	for _, to := range a.Want.Attrs["to"].Items() {
		lines = append(lines, store.DigestLine{
			Once: a.Once, Recipient: strings.ToLower(to), Person: dayone.PersonID(a.Subject.Ref), At: now, Due: due,
			Subject: a.Want.Attrs.Text("subject"), Text: a.Want.Attrs.Text("text"),
		})
	}
	if err := d.Store.Gather(ctx, lines); err != nil {
		return dayone.Result{}, fmt.Errorf("gathering a message: %w: %w", err, dayone.ErrUnavailable)
	}
	return dayone.Result{Now: &dayone.Item{Key: a.Key, Ref: a.Once, State: dayone.Active}}, nil
}

func (f *Flow) nextDigest(now time.Time) time.Time {
	zone, _ := f.Active().Sites[""].Location()
	at := now.In(zone)
	due := time.Date(at.Year(), at.Month(), at.Day(), digestHour, 0, 0, 0, zone)
	if !due.After(now) {
		due = due.AddDate(0, 0, 1)
	}
	return due
}

// digestAgain is when a digest that could not be sent is tried again.
const digestAgain = 10 * time.Minute

// sendDigests sends what is due, beside everything else: a day's lines of one recipient are one message, whose id is of the
// recipient and the hour. When one cannot be sent all of them wait: it is the mail system that does not take them. An error
// is one of the books.
func (f *Flow) sendDigests(ctx context.Context) error {
	for {
		now := f.Clock.Now()
		lines, err := f.Store.Digest(ctx, now)
		if err != nil || len(lines) == 0 {
			return err
		}
		if err := f.sendDigest(ctx, lines); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f.Log.Warn("digests wait", "until", now.Add(digestAgain), "error", err)
			return f.Store.PutOff(ctx, now, now.Add(digestAgain))
		}
		if err := f.Store.Gathered(ctx, lines, now); err != nil {
			return err
		}
	}
}

func (f *Flow) sendDigest(ctx context.Context, lines []store.DigestLine) error {
	v := message.View{Company: f.CompanyName(ctx), Now: f.Clock.Now(), Links: message.Links{Portal: f.Base}}
	for _, l := range lines {
		if l.Text != "" { // she was erased meanwhile
			v.Lines = append(v.Lines, message.Line{Subject: l.Subject, Text: l.Text})
		}
	}
	if len(v.Lines) == 0 {
		return nil
	}
	var err error
	if v.Language, err = f.reads(ctx, []string{lines[0].Recipient}, dayone.Person{}); err != nil {
		return err
	}
	r, err := f.templates(dayone.Person{}).Render("digest", v)
	if err != nil {
		return err
	}
	due := lines[0].Due
	return f.send(ctx, parcel{system: f.Mail, name: "digest." + strconv.FormatInt(due.Unix(), 36), to: []string{lines[0].Recipient}, subject: r.Subject(), text: r.Text, since: due})
}

// fell marks what hung on an account that is not there any more: it went with it.
func fell(systems map[string]dayone.System, have []dayone.Holding) (keys []dayone.Key) {
	accounts := map[dayone.Key]bool{}
	for i := range have {
		if h := &have[i]; h.Key.IsAccount() && h.State != dayone.Gone {
			accounts[h.Key] = true
		}
	}
	for i := range have {
		h := &have[i]
		if h.State == dayone.Gone || h.Key.IsAccount() || !slices.Contains(systems[h.Key.System].Kinds[h.Key.Kind].Needs, dayone.AccountKindName) {
			continue
		}
		if !accounts[h.Key.Account()] {
			h.State, h.Lost = dayone.Gone, time.Time{}
			h.Generation++
			keys = append(keys, h.Key)
		}
	}
	return keys
}

// planned keeps what a look found out about holdings whose loss is put off.
func (f *Flow) planned(ctx context.Context, l Look) error {
	keep := l.losses()
	if len(keep) == 0 {
		return nil
	}
	return f.Store.KeepHoldings(ctx, l.Person.ID, keep)
}

// losses are holdings of which a look found out that nothing justifies them, since when, or that something does again.
func (l Look) losses() (keep []dayone.Holding) {
	for _, h := range l.Have {
		if slices.ContainsFunc(l.Plan.Steps, func(s dayone.Step) bool { return s.Key == h.Key }) {
			continue // its run keeps it
		}
		_, wanted := slices.BinarySearchFunc(l.Want.Grants, h.Key, func(g dayone.Grant, k dayone.Key) int {
			switch {
			case g.Key == k:
				return 0
			case g.Key.Less(k):
				return -1
			}
			return 1
		})
		switch {
		case slices.Contains(l.fell, h.Key):
			keep = append(keep, h)
		case slices.Contains(l.Plan.Lost, h.Key), !wanted && l.brakedLoss(h):
			h.Lost = l.Person.At
			keep = append(keep, h)
		case wanted && !h.Lost.IsZero():
			h.Lost = time.Time{}
			keep = append(keep, h)
		}
	}
	return keep
}

// brakedLoss says that something is lost from now on and only a brake keeps it: what had been agreed to is spent.
func (l Look) brakedLoss(h dayone.Holding) bool {
	pending := func(g dayone.Grant) bool { return g.Key == h.Key }
	return h.State == dayone.Active && h.Lost.IsZero() && slices.ContainsFunc(braking(l.Holds), func(b dayone.Hold) bool { return b.Covers(h.Key) }) &&
		!slices.ContainsFunc(l.Want.Pending, pending) && !slices.Contains(l.Want.Keep, h.Key)
}

// tellOf is what there is to tell of a person: since she was last planned for, and what runs before could not.
func (f *Flow) tellOf(unsaid []dayone.Occasion, t *dayone.Timeline, p dayone.Person) []dayone.Occasion {
	out := unsaid
	for _, o := range f.occasions(t.Told, p) {
		if !slices.ContainsFunc(out, func(x dayone.Occasion) bool { return x.ID == o.ID && x.Moment == o.Moment }) {
			out = append(out, o)
		}
	}
	return out
}

// afterwards is the person's row after a look that came to its end.
func (f *Flow) afterwards(l Look) store.Row {
	row := rowOf(l.Person)
	row.Wake = l.Want.Next
	if slices.ContainsFunc(l.Holds, func(h dayone.Hold) bool { return h.Until.After(l.began) && !h.Until.After(l.Person.At) }) {
		row.Wake = l.Person.At // one came to its end while she was looked at
	}
	now := f.toldOf(l.Person)
	if l.quiet || l.Person.Veil == dayone.WholeVeiled {
		return row
	}
	if was := l.told; was.At.IsZero() || was.Status != now.Status || !was.Ends.Equal(now.Ends) || !maps.Equal(was.Attrs, now.Attrs) {
		row.Told = now
	}
	return row
}

// nextDigestDue is when the next digest goes; zero: none, or nothing carries it.
func (f *Flow) nextDigestDue(ctx context.Context) (time.Time, error) {
	if _, ok := f.Systems[f.Mail]; !ok {
		return time.Time{}, nil
	}
	return f.Store.NextDigest(ctx)
}
