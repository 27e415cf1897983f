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
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/people"
)

// The leaver certificate is made by reading back, never from our books: every system is asked for what it shows of somebody
// who has left, by the ids that we keep and by what it recognises her by. What cannot be read is said, and is not closed.

const (
	certifyAfter = time.Hour      // after she has left, or after the last run of hers has ended
	certifyAgain = 24 * time.Hour // while anything is open or cannot be read
	certifyMost  = 7              // by itself; on demand as often as somebody likes
)

// Certificates are those of a person, the newest first.
func (f *Flow) Certificates(ctx context.Context, id dayone.PersonID) ([]dayone.Certificate, error) {
	if _, err := f.Store.Person(ctx, id); err != nil {
		return nil, err
	}
	return f.Store.Certificates(ctx, id)
}

// Certify asks every system what it shows of somebody who has left, and keeps the answer. ErrConflict: she has not left.
func (f *Flow) Certify(ctx context.Context, id dayone.PersonID, by string) (dayone.Certificate, error) {
	var c dayone.Certificate
	row, err := f.there(ctx, id)
	if err != nil {
		return c, err
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return c, err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	if p.Status != dayone.Left {
		return c, fmt.Errorf("%s has not left, so there is nothing to certify; dayone people list shows who has: %w", row.Name, dayone.ErrConflict)
	}
	have, err := f.Store.Holdings(ctx, id, true)
	if err != nil {
		return c, err
	}
	tasks, err := f.Store.Tasks(ctx, id, "")
	if err != nil {
		return c, err
	}
	c = dayone.Certificate{ID: dayone.CertificateID(f.IDs.New("crt")), Person: id, By: by, Name: row.Name, Left: p.End}
	doubted, err := f.doubted(ctx)
	if err != nil {
		return c, err
	}
	c.Systems = f.askAll(ctx, p, have, tasks)
	doubt(c.Systems, doubted)
	if ctx.Err() != nil {
		return c, ctx.Err()
	}
	for _, task := range tasks {
		if f.Systems[task.System] == nil {
			c.Others = append(c.Others, taskRemain(task))
		}
	}
	if st, err := f.Policies(ctx); err == nil {
		c.Policy = st.Version
	}
	if c.Seq, c.Chain, c.Lines, err = f.Store.LastLine(ctx, id); err != nil {
		return c, err
	}
	c.Made = f.Clock.Now()
	before, err := f.Store.Certificates(ctx, id)
	if err != nil {
		return c, err
	}
	var again time.Time
	if !c.Clean() && len(before)+1 < certifyMost {
		again = c.Made.Add(certifyAgain)
	}
	owns, err := f.handOvers(ctx, c, tasks)
	if err != nil {
		return c, err
	}
	n := c.Counts()
	return c, f.woken(f.Store.SaveCertificate(ctx, c, again, owns, dayone.Record{
		At: c.Made, Person: id, What: "certificate", By: by,
		Detail: &dayone.Detail{Note: fmt.Sprintf("%s: %d closed, %d open, %d unreadable, %d by hand", c.ID, n[dayone.Closed], n[dayone.StillOpen], n[dayone.Unreadable], n[dayone.ByHand])},
	}))
}

func taskRemain(t dayone.Task) dayone.Remain {
	act := fmt.Sprintf("it waits for %s", t.Assignee)
	if group, of := strings.CutPrefix(t.Assignee, "group:"); of {
		act = fmt.Sprintf("it waits for the group %s", group)
	} else if t.Assignee == "" {
		act = "it waits for whoever takes it"
	}
	return dayone.Remain{Class: dayone.OpenTask, Name: t.Title, Ref: string(t.ID), Act: act}
}

// askAll asks all systems beside each other: one that answers slowly holds up nobody but itself.
func (f *Flow) askAll(ctx context.Context, p dayone.Person, have []dayone.Holding, tasks []dayone.Task) []dayone.ReadBack {
	var names []string
	for name, g := range f.Systems {
		if readable(g) || slices.ContainsFunc(tasks, func(t dayone.Task) bool { return t.System == name }) {
			names = append(names, name)
		}
	}
	for _, h := range have { // where people work by hand nobody is asked
		if f.Systems[h.Key.System] == nil && !slices.Contains(names, h.Key.System) {
			names = append(names, h.Key.System)
		}
	}
	slices.Sort(names)
	out := make([]dayone.ReadBack, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			r := reading{g: f.Systems[name], keys: subjectOf(p), out: dayone.ReadBack{System: name, Title: f.systemTitle(name)}}
			r.sys = f.ActiveFor(p).Systems[name]
			for _, h := range have {
				if h.Key.System == name {
					r.have = append(r.have, h)
				}
			}
			switch {
			case readable(r.g):
				var err error
				if r.since, err = f.since(ctx, p, name); err != nil {
					r.unreadable(err)
				} else if r.dated(ctx, f.Clock.Now()) {
					r.read(ctx)
				}
			case r.g == nil:
				r.find(dayone.Unread, r.out.Title, "", "no connector reads it: our books alone say what became of it there", "whoever works there looks")
			}
			for _, t := range tasks {
				if t.System == name && (!strings.HasPrefix(t.Once, ownsTask) || !r.owns() && !r.whole()) {
					r.out.Findings = append(r.out.Findings, taskRemain(t)) // else it is about what was found, or about nothing any more
				}
			}
			out[i] = r.verdict()
		})
	}
	wg.Wait()
	return out
}

// readable systems show what somebody has: accounts, or things such as devices. What only carries messages shows nothing.
func readable(g *connector.Guard) bool {
	if g == nil || g.Manifest == nil || !g.Manifest.Can("target") {
		return false
	}
	return g.Manifest.Account != nil || len(g.Manifest.Kinds) > 0
}

// reading is what becomes of asking one system.
type reading struct {
	g    *connector.Guard
	sys  dayone.System
	keys map[string]string
	have []dayone.Holding
	out  dayone.ReadBack

	since time.Time // a list that is read has to be as young
}

func (r *reading) find(class dayone.RemainClass, name, ref, note, act string) {
	r.out.Findings = append(r.out.Findings, dayone.Remain{Class: class, Name: name, Ref: ref, Note: note, Act: act})
}

// read asks for every account that we know by its id, then for one that is recognised otherwise.
func (r *reading) read(ctx context.Context) {
	refs := map[string]dayone.Holding{}
	keys := maps.Clone(r.keys)
	for _, h := range r.have {
		if !h.Key.IsAccount() {
			continue
		}
		if h.Ref != "" {
			refs[h.Ref] = h
		}
		if login := h.Attrs.Text("login"); login != "" && h.Key.As == dayone.Personal {
			keys["login"] = login
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		seen, err := r.g.Observe(ctx, dayone.Subject{Ref: ref, Keys: keys})
		if err != nil {
			r.unreadable(err)
			return
		}
		r.judge(ctx, seen, refs[ref], true)
	}
	if len(keys) == 0 {
		if len(refs) == 0 {
			r.find(dayone.Unread, "match keys", "", "no mail address and no employee number are known by which an account could be found", "an administrator looks there")
		}
		return
	}
	seen, err := r.g.Observe(ctx, dayone.Subject{Keys: keys})
	if err != nil {
		r.unreadable(err)
		return
	}
	if a := seen.Account(); a != nil {
		if _, known := refs[a.Ref]; known {
			return // read by its id already
		}
		r.judge(ctx, seen, dayone.Holding{}, false)
		return
	}
	if len(refs) == 0 {
		r.judge(ctx, seen, dayone.Holding{}, true) // things that hang on no account
	}
}

func (r *reading) unreadable(err error) {
	r.find(dayone.Unread, r.out.Title, "", Problem(err), "an administrator looks there by hand, or makes the certificate again when it answers")
}

// judge says what is open of what a system shows. ours: we know the account by its id.
func (r *reading) judge(ctx context.Context, seen connector.Seen, h dayone.Holding, ours bool) {
	account := seen.Account()
	if account != nil {
		r.out.Accounts = append(r.out.Accounts, account.Ref)
		r.account(*account, h, ours)
		r.remains(ctx, *account)
	}
	for _, it := range seen.Items {
		owned := slices.ContainsFunc(r.out.Findings, func(m dayone.Remain) bool { return m.Class == dayone.KeptOwnership && m.Ref == it.Ref && it.Ref != "" })
		if !it.Key.IsAccount() && !owned {
			r.item(it)
		}
	}
	for _, kind := range seen.Unread {
		r.find(dayone.Unread, kind, "", "could not be read", "an administrator looks there by hand, or makes the certificate again")
	}
}

func (r *reading) account(a dayone.Item, h dayone.Holding, ours bool) {
	name := cmp.Or(a.Attrs.Text("login"), a.Attrs.Text("user_name"), a.Attrs.Text("email"), a.Ref)
	closes := "an administrator closes it"
	switch {
	case h.Key.As != dayone.Personal && h.Key.As != dayone.Admin:
		if a.State == dayone.Active {
			r.find(dayone.KeptOwnership, name, a.Ref, fmt.Sprintf("a %s account of theirs goes on working", h.Key.As), "somebody takes it over")
		}
	case a.State == dayone.Disabled:
		if r.sys.As(dayone.Disabled) == dayone.Gone {
			r.find(dayone.KeptAccount, name, a.Ref, "it is still there, and this system has no closed accounts", closes)
		}
	case !ours:
		r.find(dayone.KeptAccount, name, a.Ref, fmt.Sprintf("an account that our books do not know is %s", cmp.Or(a.State, inList)), "somebody says whose it is, and closes it")
	default:
		r.find(dayone.KeptAccount, name, a.Ref, fmt.Sprintf("it is %s", cmp.Or(a.State, inList)), closes)
	}
}

// item is something that a system still shows on an account, or of a person.
func (r *reading) item(it dayone.Item) {
	kind := r.sys.Kinds[it.Key.Kind]
	man := r.g.Manifest.Kinds[it.Key.Kind]
	name := strings.TrimSpace(cmp.Or(man.Title, it.Key.Kind) + " " + cmp.Or(it.Key.Name, it.Attrs.Text("serial"), it.Ref))
	switch {
	case it.State == dayone.Gone, it.Key.Kind == "message", it.Key.Kind == "invitation", kind.OneWay || man.OneWay:
	case kind.Exclusive || man.Exclusive: // a slot that is never empty, on an account that has been judged by itself
	case it.Key.Kind == "device":
		r.find(dayone.Unreturned, name, it.Ref, "it is still assigned to them", "somebody takes it back and clears it there")
	case it.Role == "owner":
		r.find(dayone.KeptOwnership, name, it.Ref, "they are still its owner", "somebody else becomes its owner")
	default:
		r.find(dayone.KeptAccess, name, it.Ref, strings.TrimSpace("it is still there "+it.Role), "an administrator takes it away")
	}
}

// classes are what a certificate asks of every account.
var classes = []dayone.RemainClass{dayone.KeptToken, dayone.KeptOwnership, dayone.MailForward, dayone.NestedGroup}

func (r *reading) remains(ctx context.Context, a dayone.Item) {
	found, checked, unread, err := r.g.Remains(ctx, a)
	switch {
	case errors.Is(err, dayone.ErrUnsupported):
	case err != nil:
		r.unreadable(err)
		return
	}
	for _, m := range found {
		m.Act = cmp.Or(m.Act, "an administrator ends it there")
		r.out.Findings = append(r.out.Findings, m)
	}
	for _, class := range unread {
		r.find(dayone.Unread, string(class), "", "could not be read", "an administrator looks there by hand, or lets Dayone read it")
	}
	for _, class := range classes {
		if text := string(class); !slices.Contains(checked, class) && !slices.Contains(r.out.Unchecked, text) {
			r.out.Unchecked = append(r.out.Unchecked, text)
		}
	}
}

// verdict: whatever could not be read outweighs what was.
func (r *reading) verdict() dayone.ReadBack {
	out := r.out
	out.Verdict = dayone.Closed
	for _, m := range out.Findings {
		switch {
		case m.Class == dayone.Unread:
			out.Verdict = dayone.Unreadable
		case m.Class == dayone.OpenTask && out.Verdict == dayone.Closed:
			out.Verdict = dayone.ByHand
		case m.Class != dayone.OpenTask && out.Verdict != dayone.Unreadable:
			out.Verdict = dayone.StillOpen
		}
	}
	return out
}

// certifyLater sees to it that a leaver is read back once all has been tried, and again after each run that came later.
func (f *Flow) certifyLater(ctx context.Context, l Look) error {
	if l.Person.Status != dayone.Left || !l.Person.Managed {
		return nil
	}
	due, err := f.Store.CertifiesAt(ctx, l.Person.ID)
	if err != nil || !due.IsZero() {
		return err
	}
	since := l.Person.End
	runs, err := f.Store.Runs(ctx, RunFilter{Person: l.Person.ID, Limit: 1})
	if err != nil {
		return err
	}
	if len(runs) > 0 && runs[0].Ended.After(since) {
		since = runs[0].Ended
	}
	made, err := f.Store.Certificates(ctx, l.Person.ID)
	if err != nil || len(made) >= certifyMost || len(made) > 0 && !made[0].Made.Before(since) {
		return err
	}
	return f.Store.CertifyAt(ctx, l.Person.ID, f.Clock.Now().Add(certifyAfter))
}

// certifyAll reads back those who are due. One who came back, or was erased, is not.
func (f *Flow) certifyAll(ctx context.Context) error {
	for {
		due, err := f.Store.DueCertificates(ctx, f.Clock.Now(), 20)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, id := range due {
			_, err := f.Certify(ctx, id, "")
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, dayone.ErrConflict), errors.Is(err, dayone.ErrNotFound):
				err = f.Store.CertifyAt(ctx, id, time.Time{})
			case err != nil: // she is in nobody's way
				f.Log.Error("reading a leaver back", "person", id, "error", err)
				err = f.Store.CertifyAt(ctx, id, f.Clock.Now().Add(certifyAgain))
			}
			if err != nil {
				return err
			}
		}
	}
}
