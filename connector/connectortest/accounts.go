package connectortest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

// joinAndLeave walks an account through its life: staged, opened, changed, closed, opened again, deleted.
func joinAndLeave(t *testing.T, s Suite) {
	b := s.setup(t)
	r := b.join(b.opening())
	if r.Before != nil {
		t.Errorf("a new account has a state from before: %+v", r.Before)
	}
	if r.Now == nil || r.Now.Ref == "" {
		t.Fatal("the answer names no account")
	}
	ref := r.Now.Ref
	b.shows(b.opening())
	seen, err := b.guard.Observe(b.ctx, dayone.Subject{Ref: ref})
	if err != nil {
		t.Fatal(err)
	}
	if a := seen.Account(); a == nil || a.Ref != ref {
		t.Fatalf("Observe shows %+v", seen.Items)
	}
	for name, v := range b.s.Person {
		if at := b.man.Account.Attributes[name]; at.Secret != "" {
			continue
		}
		if got, shown := seen.Account().Attrs[name]; shown && got != v && !strings.EqualFold(got.Text, v.Text) {
			t.Errorf("%s reads back as %q, want %q", name, got, v)
		}
	}
	step := func(action dayone.Action, to dayone.State) {
		t.Helper()
		a := b.act(action, &dayone.Item{State: to, Ref: ref}, ref)
		if got := b.apply(a); got.Now == nil || !(got.Now.State == to || to == dayone.Active && got.Now.State == dayone.Pending) {
			t.Fatalf("after %s it is %+v", action, got.Now)
		}
		b.shows(to)
		if again := b.apply(a); again.Changed() {
			t.Errorf("%s twice changes twice: %+v -> %+v", action, again.Before, again.Now)
		}
	}
	if b.opening() != dayone.Active && b.has("enable") {
		step(dayone.AccountEnable, dayone.Active)
	}
	if b.has("update") {
		changed := dayone.Attrs{}
		for _, name := range []string{"title", "department", "last_name"} {
			if at, ok := b.man.Account.Attributes[name]; ok && !at.ReadOnly && b.s.Person.Text(name) != "" {
				changed[name] = dayone.Text("Zweite Ärztin")
				break
			}
		}
		if len(changed) > 0 {
			r := b.apply(b.act(dayone.AccountUpdate, &dayone.Item{Ref: ref, Attrs: changed}, ref))
			if len(r.Now.Attrs.Differ(changed)) > 0 {
				t.Errorf("after the update it shows %v, want %v", r.Now.Attrs, changed)
			}
			if r.Before == nil || len(r.Before.Attrs.Differ(changed)) == 0 {
				t.Error("the update does not tell the state from before")
			}
		}
	}
	if off := b.system().As(dayone.Disabled); b.has("disable") && off != dayone.Gone {
		step(dayone.AccountDisable, off)
		if b.has("enable") {
			step(dayone.AccountEnable, dayone.Active)
			step(dayone.AccountDisable, off)
		}
	}
	if b.has("delete") {
		r := b.apply(b.act(dayone.AccountDelete, nil, ref))
		if r.Now != nil {
			t.Errorf("after the delete there is %+v", r.Now)
		}
		if m := b.mine(); m != nil && m.State != dayone.Disabled {
			t.Errorf("after the delete the simulator has %+v", m)
		}
		b.apply(b.act(dayone.AccountDelete, nil, ref)) // gone is gone
	}
}

func (b *bench) shows(want dayone.State) {
	b.t.Helper()
	m := b.mine()
	switch {
	case m == nil:
		b.t.Fatalf("the simulator has no such account; it has %v", b.sim.Accounts())
	case m.State != want && !(want == dayone.Active && m.State == dayone.Pending):
		b.t.Errorf("the simulator shows it as %s, want %s", m.State, want)
	}
}

func twiceIsOnce(t *testing.T, s Suite) {
	b := s.setup(t)
	first := b.join(b.opening())
	before := len(b.sim.Accounts())
	again := b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, "")
	if !slices.Contains(b.man.Account.Match, "employee_number") {
		again.Subject.Recorded = first.Now.Created.Add(-time.Second) // else nothing tells that it is hers
	}
	second := b.apply(again)
	if first.Now.Ref != second.Now.Ref {
		t.Errorf("the second create made %s beside %s", second.Now.Ref, first.Now.Ref)
	}
	if got := len(b.sim.Accounts()); got != before {
		t.Errorf("the second create left %d accounts, want %d", got, before)
	}
	if second.Before == nil {
		t.Error("the second create claims that nothing was there before")
	}
}

// namesake: an account of the same login or mail that is somebody else's, or nobody's, is never taken over.
func namesake(t *testing.T, s Suite) {
	for name, number := range map[string]string{"of another employee": "E-other", "of nobody": ""} {
		t.Run(name, func(t *testing.T) {
			b := s.setup(t)
			b.sim.Seed(sim.Account{Login: b.login(), Email: b.s.Person.Text("email"), EmployeeNumber: number, State: dayone.Active, Created: time.Now().Add(-48 * time.Hour)})
			before := fmt.Sprint(b.sim.Accounts())
			_, err := b.try(b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, ""))
			if !errors.Is(err, dayone.ErrConflict) {
				t.Fatalf("create says %v, want a conflict", err)
			}
			var f *dayone.Fault
			if errors.As(err, &f) && f.Found == nil {
				t.Error("the conflict does not show the account that is in the way")
			}
			if after := fmt.Sprint(b.sim.Accounts()); after != before {
				t.Errorf("the other account was changed:\n%s\n%s", before, after)
			}
		})
	}
}

// employeeNumberBinds: an account that carries the employee number is taken up, whatever its name. The connector only shows
// it; that it is nobody else's in the books is for the engine to say.
func employeeNumberBinds(t *testing.T, s Suite) {
	b := s.setup(t)
	ref := b.sim.Seed(sim.Account{Login: "older." + b.login(), Email: "older." + b.s.Person.Text("email"), EmployeeNumber: b.s.Person.Text("employee_number"), State: dayone.Active})
	a := b.act(dayone.AccountCreate, &dayone.Item{State: dayone.Active, Attrs: dayone.Attrs{"employee_number": b.s.Person["employee_number"]}}, "")
	before := fmt.Sprint(b.sim.Accounts())
	_, err := b.guard.Apply(b.ctx, a)
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrConflict) || !errors.As(err, &f) || f.Found == nil || f.Found.Ref != ref {
		t.Errorf("create says %v, want a conflict that shows %s", err, ref)
	}
	if after := fmt.Sprint(b.sim.Accounts()); after != before {
		t.Errorf("before anybody said whose it is it was changed:\n%s\n%s", before, after)
	}
	r := b.apply(a)
	if r.Now.Ref != ref {
		t.Errorf("the account %s was not taken up; there is %s", ref, r.Now.Ref)
	}
	if r.Before == nil {
		t.Error("an adopted account claims that nothing was there before")
	}
}

// list streams every account over several pages.
func list(t *testing.T, s Suite) {
	b := s.setup(t)
	want := map[string]bool{}
	for i := range 7 {
		want[b.sim.Seed(sim.Account{Login: fmt.Sprintf("p%d.%s", i, b.login()), Email: fmt.Sprintf("p%d.%s", i, b.s.Person.Text("email")), EmployeeNumber: fmt.Sprintf("E-%d", i), State: dayone.Active})] = true
	}
	for seen, err := range b.guard.List(b.ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if a := seen.Account(); a != nil {
			delete(want, a.Ref)
		}
	}
	if len(want) > 0 {
		t.Errorf("List misses %v", want)
	}
	n := 0
	for range b.guard.List(b.ctx) { // a reader may stop early
		if n++; n == 2 {
			break
		}
	}
}

// names: letters of every script, and a name far longer than you like.
func names(t *testing.T, s Suite) {
	for i, c := range []struct{ first, last string }{
		{"Zoë", "Łukasiewicz-Ørsted"},
		{"美咲", "山田"},
		{"نور", "الزهراني"},
		{`Ann "Bob" \O'Neil`, "${okta.account.ref} & <b>Sons</b>"},
		{strings.Repeat("Maximiliane", 2), strings.Repeat("Wolfeschlegelstein", 2)},
	} {
		b := s.setup(t)
		p := b.s.Person.Clone()
		for name, v := range p {
			switch name {
			case "first_name":
				p[name] = dayone.Text(c.first)
			case "last_name":
				p[name] = dayone.Text(c.last)
			case "name", "display_name":
				p[name] = dayone.Text(c.first + " " + c.last)
			default:
				_ = v
			}
		}
		r, err := b.try(b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: p}, ""))
		if err != nil {
			t.Errorf("%s %s: %v", c.first, c.last, err)
			continue
		}
		seen, err := b.guard.Observe(b.ctx, dayone.Subject{Ref: r.Now.Ref})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"first_name", "last_name", "name", "display_name"} {
			got, shown := seen.Account().Attrs[name]
			if w, asked := p[name]; shown && asked && got != w {
				t.Errorf("case %d: %s reads back as %q, want %q", i, name, got, w)
			}
		}
	}
}

func observeNothing(t *testing.T, s Suite) {
	b := s.setup(t)
	keys := map[string]string{}
	for _, k := range b.man.Account.Match {
		keys[k] = b.s.Person.Text(k)
	}
	seen, err := b.guard.Observe(b.ctx, dayone.Subject{Keys: keys})
	if err != nil || len(seen.Items) > 0 {
		t.Errorf("nothing is seen as %+v, %v", seen, err)
	}
	b.sim.Door().Validate(nil)
	b.sim.Door().Inject(sim.Fault{Path: cmp.Or(s.ReadPath, s.CreatePath), Status: 503, Times: -1})
	if _, err := b.guard.Observe(b.ctx, dayone.Subject{Keys: keys}); err == nil {
		t.Error("what cannot be read is seen as nothing")
	}
}
