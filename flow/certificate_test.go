package flow_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/google"
	googlesim "github.com/dayone-hq/dayone/connector/google/sim"
	"github.com/dayone-hq/dayone/connector/jamf"
	jamfsim "github.com/dayone-hq/dayone/connector/jamf/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/ledger"
)

// exit is a company with more systems than policies give: an account there is one that nobody remembers.
type exit struct {
	*house
	google *googlesim.Sim
	jamf   *jamfsim.Sim
	person dayone.PersonID
	run    dayone.RunID // of the leaver
}

const leaverMail = "e1001@company.com"

// leaves is somebody who has left, and of whom nothing is open.
func leaves(t *testing.T) exit {
	t.Helper()
	w := newWorld(t)
	opt := sim.Options{Now: w.clock.Now, Page: 50}
	x := exit{google: googlesim.New(opt), jamf: jamfsim.New(opt)}
	w.joined = func(d *flow.Deps) {
		for name, s := range map[string]sim.Simulator{"google": x.google, "jamf": x.jamf} {
			f := map[string]connector.Factory{"google": google.Factory, "jamf": jamf.Factory}[name]
			srv := httptest.NewServer(s)
			t.Cleanup(srv.Close)
			settings := s.Settings(srv.URL)
			if name == "google" {
				settings["mail_forwards"] = "true"
			}
			g, err := connector.Open(f, name, w.clock.Now, connector.Options{Settings: settings})
			if err != nil {
				t.Fatal(err)
			}
			d.Systems[name] = g
		}
	}
	x.house = w.open()
	id, run := x.hires(employee("1001", "start_date", here))
	x.person = id
	x.okta.Issue(leaverMail, "mobile-mail")
	gone := x.fired(id, run.ID)
	same(t, "the leaver's run", gone.State, dayone.RunDone)
	x.run = gone.ID
	if sessions, tokens := x.okta.Sessions(leaverMail); sessions+tokens != 0 {
		t.Fatalf("%d sessions and %d tokens outlive the account at Okta", sessions, tokens)
	}
	return x
}

func (x exit) certified() dayone.Certificate {
	x.t.Helper()
	c, err := x.Certify(ctx, x.person, "auditor@company.com")
	if err != nil {
		x.t.Fatal(err)
	}
	return c
}

func findings(c dayone.Certificate) (out []string) {
	for _, s := range c.Systems {
		for _, f := range s.Findings {
			out = append(out, s.System+": "+string(f.Class))
		}
	}
	for _, f := range c.Others {
		out = append(out, "ours: "+string(f.Class))
	}
	return out
}

func TestACertificateOfSomebodyOfWhomNothingIsLeft(t *testing.T) {
	t.Parallel()
	x := leaves(t)
	c := x.certified()
	if len(findings(c)) > 0 || !c.Clean() || len(c.Systems) != 4 {
		t.Fatalf("%d systems, findings: %v", len(c.Systems), findings(c))
	}
	for _, s := range c.Systems {
		same(t, s.System, s.Verdict, dayone.Closed)
		if s.System == "okta" && !slices.Contains(s.Unchecked, string(dayone.MailForward)) {
			t.Errorf("what Okta does not tell is not said: %v", s.Unchecked)
		}
	}
	if c.Seq == 0 || c.Chain == "" || c.Policy == "" || c.Lines == 0 {
		t.Errorf("it rests upon nothing: %+v", c)
	}
	kept, err := x.Certificates(ctx, x.person)
	if err != nil || len(kept) != 1 || kept[0].ID != c.ID || kept[0].Chain != c.Chain {
		t.Errorf("kept: %+v, %v", kept, err)
	}
	var v ledger.Verifier
	for l, err := range x.Store.Ledger(ctx) {
		if err == nil {
			err = v.Next(l.Seq, l.Leaf, l.Chain)
		}
		if err != nil {
			t.Fatal(err)
		}
		if l.Seq == c.Seq && l.Chain != c.Chain {
			t.Errorf("line %d has the chain %s, not %s", l.Seq, l.Chain, c.Chain)
		}
	}
}

// Each thing that may be left is one finding of its class, and makes its system open; every other one stays closed.
func TestACertificateFindsWhatIsLeft(t *testing.T) {
	t.Parallel()
	at := func(x exit) string {
		return x.google.Seed(sim.Account{Login: leaverMail, Email: leaverMail, EmployeeNumber: "1001", State: dayone.Disabled})
	}
	down := sim.Fault{Times: -1, Status: 503}
	for _, c := range []struct {
		name    string
		leave   func(x exit)
		system  string
		class   dayone.RemainClass
		verdict dayone.SystemVerdict
	}{
		{"an account that somebody opened again", func(x exit) { x.okta.Reopen(leaverMail) }, "okta", dayone.KeptAccount, dayone.StillOpen},
		{"an account that no book knows", func(x exit) {
			x.google.Seed(sim.Account{Login: leaverMail, Email: leaverMail, EmployeeNumber: "1001", State: dayone.Active})
		}, "google", dayone.KeptAccount, dayone.StillOpen},
		{"a token", func(x exit) { x.okta.Issue(leaverMail, "mobile-mail") }, "okta", dayone.KeptToken, dayone.StillOpen},
		{"an application password", func(x exit) { x.google.AppPassword(at(x), "old mail") }, "google", dayone.KeptToken, dayone.StillOpen},
		{"a group that she owns", func(x exit) { x.google.Own(at(x), "sales@company.com") }, "google", dayone.KeptOwnership, dayone.StillOpen},
		{"a group that she is in", func(x exit) {
			x.google.Seed(sim.Account{Login: leaverMail, Email: leaverMail, EmployeeNumber: "1001", State: dayone.Disabled, Entitlements: []string{"group:sales@company.com"}})
		}, "google", dayone.KeptAccess, dayone.StillOpen},
		{"a group through another group", func(x exit) { x.gitlab.Invite("platform", leaverMail, 30) }, "gitlab", dayone.NestedGroup, dayone.StillOpen},
		{"a laptop", func(x exit) {
			x.jamf.Seed(sim.Account{Login: leaverMail, Email: leaverMail, Entitlements: []string{"device=C02XK1ABCD"}})
		}, "jamf", dayone.Unreturned, dayone.StillOpen},
		{"mail that is forwarded", func(x exit) { x.google.Forward(at(x), "she@elsewhere.example") }, "google", dayone.MailForward, dayone.StillOpen},
		{"a filter that forwards", func(x exit) { x.google.Filter(at(x), "she@elsewhere.example") }, "google", dayone.MailForward, dayone.StillOpen},
		{"somebody who reads her mail", func(x exit) { x.google.Delegate(at(x), "john.doe@company.com") }, "google", dayone.MailForward, dayone.StillOpen},
		{"a mailbox that is not shown", func(x exit) { at(x); x.google.RefuseSuspended() }, "google", dayone.Unread, dayone.Unreadable},
		{"a system that does not answer", func(x exit) { x.gitlab.Door().Inject(down) }, "gitlab", dayone.Unread, dayone.Unreadable},
		{"a scope that nobody gave", func(x exit) {
			at(x)
			x.google.Withdraw("https://www.googleapis.com/auth/admin.directory.user.security")
		}, "google", dayone.Unread, dayone.Unreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := leaves(t)
			c.leave(x)
			got := x.certified()
			if f := findings(got); len(f) != 1 || f[0] != c.system+": "+string(c.class) {
				t.Errorf("findings: %v", f)
			}
			for _, s := range got.Systems {
				want := dayone.Closed
				if s.System == c.system {
					want = c.verdict
				}
				same(t, s.System, s.Verdict, want)
				for _, f := range s.Findings {
					if f.Act == "" {
						t.Errorf("nobody is told what to do about %+v", f)
					}
				}
			}
			if got.Clean() {
				t.Error("it is called clean")
			}
		})
	}
}

// What she owns is handed over by a task, which the certificate closes that finds nothing of it any more.
func TestWhatALeaverOwnsAtASystemIsATask(t *testing.T) {
	t.Parallel()
	x := leaves(t)
	ref := x.google.Seed(sim.Account{Login: leaverMail, Email: leaverMail, EmployeeNumber: "1001", State: dayone.Disabled})
	x.google.Own(ref, "sales@company.com")
	open := func() []dayone.Task {
		tasks, err := x.Store.Tasks(ctx, x.person, "")
		if err != nil {
			t.Fatal(err)
		}
		return tasks
	}
	for range 2 { // one task, however often it is found, and one finding
		same(t, "findings", strings.Join(findings(x.certified()), ", "), "google: kept ownership")
		if got := open(); len(got) != 1 || got[0].System != "google" || !strings.Contains(got[0].Note, "sales@company.com") {
			t.Fatalf("tasks: %+v", got)
		}
	}
	task := open()[0]
	x.google.Disown(ref, "sales@company.com")
	if c := x.certified(); !c.Clean() || len(open()) != 0 {
		t.Errorf("findings: %v, tasks: %+v", findings(c), open())
	}
	if done, err := x.Store.Task(ctx, string(task.ID)); err != nil || done.Left == "" {
		t.Errorf("nobody is told why it was closed: %+v, %v", done, err)
	}
}

func TestALeaverIsReadBackByItself(t *testing.T) {
	t.Parallel()
	x := leaves(t)
	x.okta.Reopen(leaverMail)
	count := func(n int) []dayone.Certificate {
		return until(x.house, "certificates", func() ([]dayone.Certificate, bool) {
			list, err := x.Certificates(ctx, x.person)
			if err != nil {
				t.Fatal(err)
			}
			return list, len(list) >= n
		})
	}
	due := until(x.house, "it is due", func() (time.Time, bool) {
		at, err := x.Store.NextCertificate(ctx)
		return at, err == nil && !at.IsZero()
	})
	if due.Before(x.Now()) {
		t.Errorf("due at %v, before the run's effects are there", due)
	}
	x.later(2 * time.Hour)
	first := count(1)[0]
	same(t, "made by itself", first.By, "")
	same(t, "what is left", strings.Join(findings(first), ", "), "okta: kept account")
	x.later(25 * time.Hour) // it is not given up while anything is open
	same(t, "again", len(count(2)), 2)
}

func TestOnlySomebodyWhoHasLeftIsCertified(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, _ := h.hires(employee("1001", "start_date", here))
	if _, err := h.Certify(ctx, id, "x"); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("somebody at work: %v", err)
	}
}
