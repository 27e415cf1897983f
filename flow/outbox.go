package flow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/message"
)

// Letters are what goes out beside runs. Each is written before it is sent and marked when it was taken: whatever happens
// between, it is sent again with the same id. Ways out are worked at beside everything else, each by itself: a webhook that
// does not answer holds up no mail, and nobody's first day.

// Ways out.
const (
	viaMail = "mail"
	viaChat = "chat"
	viaHook = "webhook"
)

func (f *Flow) ways() []string {
	var out []string
	if f.Mails() {
		out = append(out, viaPeople)
	}
	if f.Mail != "" && len(f.Deps.Alerts.Mail) > 0 {
		out = append(out, viaMail)
	}
	if f.Deps.Alerts.Chat != "" {
		out = append(out, viaChat)
	}
	if f.Deps.Alerts.Hook != nil {
		out = append(out, viaHook)
	}
	return out
}

const (
	letterPage     = 50
	letterShortest = 10 * time.Second // before it is sent again, doubled each time
	letterLongest  = time.Hour
	letterGiven    = 7 * 24 * time.Hour // then nobody takes it any more
	errandRest     = 5 * time.Second
)

// errands are work beside the looks at people: one of each at a time.
type errands struct {
	sync.WaitGroup

	mu   sync.Mutex
	busy map[string]bool
	rest map[string]time.Time // after an error of the books
}

// errand begins work that is due at an instant, unless it is under way: then its end wakes us. It says when to come back.
func (f *Flow) errand(ctx context.Context, name string, due time.Time, do func(context.Context) error) time.Time {
	e := &f.errands
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rest[name].After(due) {
		due = e.rest[name]
	}
	switch {
	case e.busy[name]:
		return time.Time{}
	case due.After(f.Clock.Now()):
		return due
	}
	if e.busy == nil {
		e.busy, e.rest = map[string]bool{}, map[string]time.Time{}
	}
	e.busy[name] = true
	e.Go(func() {
		err := do(ctx)
		e.mu.Lock()
		delete(e.busy, name)
		delete(e.rest, name)
		if err != nil && ctx.Err() == nil {
			f.Log.Error("working beside the looks at people", "errand", name, "error", err)
			e.rest[name] = f.Clock.Now().Add(errandRest)
		}
		e.mu.Unlock()
		f.look()
	})
	return time.Time{}
}

// runErrands begins what is due beside the looks at people, and says when the next is.
func (f *Flow) runErrands(ctx context.Context) (next time.Time, err error) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	f.watched.mu.Lock()
	due := f.watched.next
	f.watched.mu.Unlock()
	sooner(f.errand(ctx, "alerts", due, f.watch))
	for _, e := range []struct {
		name string
		next func(context.Context) (time.Time, error)
		do   func(context.Context) error
	}{{"digests", f.nextDigestDue, f.sendDigests}, {"words to those who are asked", f.nextSaid, f.sayAll}, {"certificates", f.Store.NextCertificate, f.certifyAll}, {"successions", f.Store.NextSuccession, f.succeedAll}, {"timers of numbers", f.Store.NextNumber, f.freeNumbers}, {"looks ahead", f.nextAhead, f.lookAhead}, {"where people are", f.nextPlacing, f.placeAll}, {"what was done", f.nextUncounted, f.countRuns}} {
		due, err := e.next(ctx)
		if err != nil {
			return next, err
		}
		if !due.IsZero() {
			sooner(f.errand(ctx, e.name, due, e.do))
		}
	}
	for name, due := range f.tilesDue() {
		sooner(f.errand(ctx, "tiles of "+name, due, func(ctx context.Context) error { return f.readTiles(ctx, name) }))
	}
	for name, due := range f.phonesDue() {
		sooner(f.errand(ctx, "telephone system "+name, due, func(ctx context.Context) error { return f.phoneErrand(ctx, name) }))
	}
	for _, via := range f.allWays() {
		due, err := f.Store.NextLetter(ctx, via)
		if err != nil {
			return next, err
		}
		if !due.IsZero() {
			sooner(f.errand(ctx, "letters by "+via, due, func(ctx context.Context) error { return f.sendLetters(ctx, via) }))
		}
	}
	return next, nil
}

// sendLetters sends what is due by one way. An error is one of the books.
func (f *Flow) sendLetters(ctx context.Context, via string) error {
	for {
		list, err := f.Store.DueLetters(ctx, via, f.Clock.Now(), letterPage)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, l := range list {
			err := f.sendLetter(ctx, l)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := f.sentLetter(ctx, l, err); err != nil {
				return err
			}
		}
	}
}

// sentLetter marks a letter, or says when it is sent again.
func (f *Flow) sentLetter(ctx context.Context, l dayone.Letter, failed error) error {
	now := f.Clock.Now()
	switch {
	case failed == nil:
		return f.Store.SentLetter(ctx, l.Once, "", now)
	case errors.Is(failed, dayone.ErrDryRun):
		return f.Store.SentLetter(ctx, l.Once, failed.Error(), now)
	case now.Sub(l.Made) > letterGiven:
		f.Log.Error("a letter is given up", "letter", l.Once, "via", l.Via, "kind", l.Kind, "error", failed)
		return f.Store.SentLetter(ctx, l.Once, failed.Error(), now)
	}
	pause := letterLongest
	if l.Tries < 16 {
		pause = min(letterLongest, letterShortest<<l.Tries)
	}
	next := now.Add(pause)
	var fault *dayone.Fault
	if errors.As(failed, &fault) && fault.RetryAt.After(next) {
		next = fault.RetryAt
	}
	f.Log.Warn("a letter waits", "letter", l.Once, "via", l.Via, "kind", l.Kind, "until", next, "error", failed)
	return f.Store.LetterWaits(ctx, l.Once, failed.Error(), next)
}

func (f *Flow) sendLetter(ctx context.Context, l dayone.Letter) error {
	if l.Via == viaPeople {
		return f.sendPersonal(ctx, l)
	}
	if name, ok := strings.CutPrefix(l.Via, viaRuns); ok {
		w, err := f.webhook(name)
		if err != nil {
			return err
		}
		return w.Hook.Post(ctx, l.Once, l.Kind, []byte(l.Body))
	}
	var b LetterBody
	if err := json.Unmarshal([]byte(l.Body), &b); err != nil {
		return fmt.Errorf("a letter does not read: %w: %w", err, dayone.ErrInvalid)
	}
	names := f.Deps.Alerts.Names || l.Via == viaMail
	if names {
		for i := range b.Alerts {
			b.Alerts[i].Name = f.nameOf(ctx, b.Alerts[i].Person)
		}
		if b.Run != nil {
			b.Run.Name = f.nameOf(ctx, b.Run.Person)
		}
	}
	switch l.Via {
	case viaHook:
		body := []byte(l.Body)
		if names {
			var err error
			if body, err = json.Marshal(b); err != nil {
				return err
			}
		}
		return f.Deps.Alerts.Hook.Post(ctx, l.Once, l.Kind, body)
	case viaChat:
		to, err := dayone.ParseKey(f.Deps.Alerts.Chat)
		if err != nil {
			return err
		}
		return f.sendWords(ctx, to.System, []string{to.Name}, l, b)
	default:
		return f.sendWords(ctx, f.Mail, f.Deps.Alerts.Mail, l, b)
	}
}

// sendWords puts a letter into words and has a system carry it.
func (f *Flow) sendWords(ctx context.Context, system string, to []string, l dayone.Letter, b LetterBody) error {
	reads := "" // a channel has one language: the company's
	if l.Via == viaMail {
		var err error
		if reads, err = f.reads(ctx, to, dayone.Person{}); err != nil {
			return err
		}
	}
	v := message.View{Company: f.CompanyName(ctx), Now: f.Clock.Now(), Language: reads, Links: message.Links{Portal: f.Base}, Alert: &message.Alert{
		Title: b.Title, Count: b.Count, Again: l.Kind == alertReminder, Resolved: l.Kind == alertResolved, More: b.Count - len(b.Alerts),
	}}
	for _, a := range b.Alerts {
		about, err := f.thingOf(ctx, b.Rule, a.Subject)
		if err != nil {
			return err
		}
		about = cmp.Or(a.Name, about)
		if about == "" && a.Person != "" { // whoever may not read names has the id
			about = a.Subject
		}
		v.Alert.Items = append(v.Alert.Items, message.AlertItem{About: about, Note: a.Note, Since: a.Opened, Link: a.URL})
	}
	r, err := f.templates(dayone.Person{}).Render("alert", v)
	if err != nil {
		return err
	}
	text := r.Text
	if l.Via == viaChat { // a channel has no line for a subject
		text = r.Subject() + "\n" + text
	}
	return f.send(ctx, parcel{
		system: system, name: "alert." + l.Once, to: to, subject: r.Subject(), text: text, since: l.Made,
		attempt: l.Tries + 2, // we may have died after an earlier one: who can look for it does
	})
}
