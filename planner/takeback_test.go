package planner_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// past is a run that made an account at Okta and put it into two groups; have is what is there now.
type past struct {
	planner.Past
	t *testing.T
}

var (
	oktaAccount = dayone.Key{System: "okta", Kind: "account"}
	oktaBase    = dayone.Key{System: "okta", Kind: "group", Name: "base"}
	oktaSales   = dayone.Key{System: "okta", Kind: "group", Name: "sales"}
)

func newPast(t *testing.T) *past {
	p := &past{t: t}
	at := time.Date(2024, 11, 25, 9, 0, 0, 0, time.UTC)
	p.At, p.Run.ID, p.Run.Person, p.Run.State = at, "run_1", "per_1", dayone.RunDone
	p.Systems = map[string]dayone.System{"okta": {
		Name: "okta", CanDelete: true, Kinds: map[string]dayone.Kind{"account": {}, "group": {Needs: []string{"account"}}},
	}}
	p.Want.Status = dayone.Working
	for _, k := range []dayone.Key{oktaAccount, oktaBase, oktaSales} {
		it := dayone.Item{Key: k, Ref: "ref " + k.Name, State: dayone.Active}
		s := dayone.Step{ID: dayone.StepID(k.String()), Action: dayone.EntitlementAdd, Key: k, Want: &it, Undo: dayone.UndoRestore, Because: []dayone.Reason{{Policy: "sales"}}, Account: dayone.Text("ref ")}
		if k.IsAccount() {
			s.Action, s.Undo, s.Account = dayone.AccountCreate, dayone.UndoDelete, dayone.Value{}
		} else {
			s.Needs = []dayone.Need{{Step: dayone.StepID(oktaAccount.String())}}
		}
		p.Run.Steps = append(p.Run.Steps, dayone.StepRun{Step: s, State: dayone.StepDone, Result: dayone.Result{Now: &it}})
		p.Have = append(p.Have, dayone.Holding{Item: it, Ours: true, Run: "run_1", Because: s.Because})
		p.Want.Grants = append(p.Want.Grants, dayone.Grant{Key: k, Because: s.Because})
	}
	account := p.Have[0].Item
	account.Attrs = dayone.Attrs{planner.LastLogin: dayone.Text("")}
	p.Seen = map[dayone.Key]planner.Sighting{oktaAccount: {Account: &account, Items: []dayone.Item{account, {Key: oktaBase}, {Key: oktaSales}}}}
	return p
}

// back is the plan in words: key action, and what was found.
func (p *past) back() (string, string, planner.Back) {
	p.t.Helper()
	b, err := planner.TakeBack(p.Past)
	if err != nil {
		p.t.Fatal(err)
	}
	var does, found []string
	for _, s := range b.Plan.Steps {
		does = append(does, s.Key.String()+" "+string(s.Action))
	}
	for _, f := range b.Plan.Findings {
		found = append(found, f.Kind+" "+f.Key.String()+": "+f.Text)
	}
	return strings.Join(does, ", "), strings.Join(found, "\n"), b
}

func (p *past) is(does string, found ...string) planner.Back {
	p.t.Helper()
	d, f, b := p.back()
	if d != does {
		p.t.Errorf("it does\n%s\nnot\n%s", d, does)
	}
	for _, want := range found {
		if !strings.Contains(f, want) {
			p.t.Errorf("nothing says %q in\n%s", want, f)
		}
	}
	return b
}

func TestTakeBack(t *testing.T) {
	t.Parallel()
	const groups = "okta/group:base entitlement.remove, okta/group:sales entitlement.remove, "
	for name, c := range map[string]struct {
		change func(*past)
		does   string
		found  []string
	}{
		"everything": {func(*past) {}, groups + "okta/account account.delete", []string{"nobody ever signed in"}},
		"used": {func(p *past) {
			p.Seen[oktaAccount].Account.Attrs[planner.LastLogin] = dayone.Text("2024-11-25T08:00:00Z")
		}, "okta/account account.disable, okta/group:base entitlement.remove, okta/group:sales entitlement.remove", []string{"somebody signed in on 25 November 2024"}},
		"not told": {func(p *past) { delete(p.Seen[oktaAccount].Account.Attrs, planner.LastLogin) }, "okta/account account.disable, okta/group:base entitlement.remove, okta/group:sales entitlement.remove", []string{"does not tell whether anybody signed in"}},
		"never open": {func(p *past) {
			delete(p.Seen[oktaAccount].Account.Attrs, planner.LastLogin)
			p.Seen[oktaAccount].Account.State = dayone.Staged
		}, groups + "okta/account account.delete", nil},
		"not read": {func(p *past) { p.Seen = nil }, "okta/account account.disable, okta/group:base entitlement.remove, okta/group:sales entitlement.remove", []string{"could not be asked"}},
		"unread":   {func(p *past) { s := p.Seen[oktaAccount]; s.Unread = []string{"app"}; p.Seen[oktaAccount] = s }, "okta/account account.disable, okta/group:base entitlement.remove, okta/group:sales entitlement.remove", []string{"could not be read: okta/app"}},
		"not empty": {func(p *past) {
			s := p.Seen[oktaAccount]
			s.Items = append(s.Items, dayone.Item{Key: dayone.Key{System: "okta", Kind: "group", Name: "admins"}})
			p.Seen[oktaAccount] = s
		}, "okta/account account.disable, okta/group:base entitlement.remove, okta/group:sales entitlement.remove", []string{"okta/group:admins is on it"}},
		"not ours":    {func(p *past) { p.Have[0].Ours = false }, "okta/account account.disable, okta/group:base entitlement.remove, okta/group:sales entitlement.remove", []string{"it was there before"}},
		"protected":   {func(p *past) { s := p.Systems["okta"]; s.Protected = []string{"ref "}; p.Systems["okta"] = s }, "", []string{"protected and never written"}},
		"role":        {func(p *past) { p.Have[1].Role, p.Have[1].Run = "owner", "run_2" }, "okta/group:sales entitlement.remove", []string{"its role was changed from none to owner since, by run run_2", "what hangs on it stays: okta/group:base"}},
		"gone":        {func(p *past) { p.Have[1].State = dayone.Gone }, "okta/account account.disable, okta/group:sales entitlement.remove", []string{"it is not there any more", "okta/group:base is on it"}},
		"another":     {func(p *past) { p.Have[0].Ref = "ref of somebody" }, groups[:len(groups)-2], []string{"another account has taken its place"}},
		"two reasons": {func(p *past) { p.Want.Grants[2].Because = []dayone.Reason{{Policy: "sales"}, {Policy: "on-call"}} }, "okta/group:base entitlement.remove", []string{"policy on-call gives it now, for another reason", "what hangs on it stays: okta/group:sales"}},
		"later grant": {func(p *past) {
			k := dayone.Key{System: "okta", Kind: "group", Name: "later"}
			p.Have = append(p.Have, dayone.Holding{Item: dayone.Item{Key: k, State: dayone.Active}, Run: "run_2"})
			p.Want.Grants = append(p.Want.Grants, dayone.Grant{Key: k})
		}, groups[:len(groups)-2], []string{"what hangs on it stays: okta/group:later"}},
		"chosen":      {func(p *past) { p.Steps = map[dayone.StepID]bool{"okta/group:sales": true} }, "okta/group:sales entitlement.remove", nil},
		"undone":      {func(p *past) { p.Run.Steps[1].State = dayone.StepUndone }, "okta/group:sales entitlement.remove", []string{"okta/group:base is on it"}},
		"never given": {func(p *past) { p.Run.Steps[1].Result, p.Run.Steps[1].State = dayone.Result{}, dayone.StepFailed }, "okta/group:sales entitlement.remove", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			c.change(p)
			if name == "undone" || name == "never given" {
				d, f, _ := p.back()
				if !strings.Contains(d, c.does) || strings.Contains(d, "group:base") || strings.Contains(d, "delete") {
					t.Errorf("it does %s\n%s", d, f)
				}
				return
			}
			p.is(c.does, c.found...)
		})
	}
}

// The hold covers what was taken back and what was never given; not what stays for a reason of its own.
func TestTakeBackCoversWhatItUndid(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.Run.Steps[1].Result, p.Run.Steps[1].State = dayone.Result{}, dayone.StepBlocked
	p.Have = append(p.Have[:1], p.Have[2:]...)
	p.Want.Grants[2].Because = []dayone.Reason{{Policy: "on-call"}}
	_, _, b := p.back()
	if !slices.Equal(b.Keys, []dayone.Key{oktaBase}) {
		t.Errorf("it covers %v", b.Keys)
	}
	if b.Keep {
		t.Error("it keeps somebody who has not left")
	}
}

// Equal pasts give equal ways back: what was shown can be compared with what is done.
func TestTakeBackIsRepeatable(t *testing.T) {
	t.Parallel()
	_, first, a := newPast(t).back()
	for range 20 {
		_, found, b := newPast(t).back()
		if found != first || a.Plan.Hash() != b.Plan.Hash() {
			t.Fatalf("another time it is\n%s\nnot\n%s", found, first)
		}
	}
}

// While a hold stands nothing of it is given or taken, nor what hangs on it; whoever has left is cut all the same.
func TestHolds(t *testing.T) {
	t.Parallel()
	salesforce := dayone.Key{System: "salesforce", Kind: "account"}
	base := planner.Input{
		Person: "per_1", At: time.Date(2024, 11, 25, 9, 0, 0, 0, time.UTC), Want: dayone.Want{Status: dayone.Working, Grants: []dayone.Grant{
			{Key: oktaAccount, State: dayone.Active}, {Key: oktaBase}, {Key: oktaSales}, {Key: salesforce, State: dayone.Active},
		}},
		Systems: map[string]dayone.System{
			"okta":       {Name: "okta", Kinds: map[string]dayone.Kind{"account": {}, "group": {Needs: []string{"account"}}}},
			"salesforce": {Name: "salesforce", Needs: []string{"okta"}, Kinds: map[string]dayone.Kind{"account": {}}},
		},
	}
	steps := func(in planner.Input) string {
		p, err := planner.Make(in)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, s := range p.Steps {
			out = append(out, s.Key.String()+" "+string(s.Action))
		}
		for _, f := range p.Findings {
			if f.Kind == "held" {
				out = append(out, f.Text)
			}
		}
		return strings.Join(out, "\n")
	}
	hold := dayone.Hold{ID: "hld_1", By: "kim", Until: base.At.AddDate(0, 0, 7), Keys: []dayone.Key{oktaAccount}}
	in := base
	in.Holds = []dayone.Hold{hold}
	if got := steps(in); got != "held until 2 Dec 2024 09:00 UTC by kim, neither given nor taken: okta/account, okta/group:base, okta/group:sales, salesforce/account" {
		t.Errorf("with its account held:\n%s", got)
	}
	hold.Keys = []dayone.Key{oktaSales}
	in.Holds = []dayone.Hold{hold}
	if got := steps(in); !strings.Contains(got, "okta/group:base entitlement.add") || strings.Contains(got, "okta/group:sales entitlement.add") || !strings.Contains(got, "salesforce/account account.create") {
		t.Errorf("with one group held:\n%s", got)
	}
	there := func(k dayone.Key) dayone.Holding {
		return dayone.Holding{Item: dayone.Item{Key: k, Ref: "r", State: dayone.Active}, Because: []dayone.Reason{{Policy: "x"}}}
	}
	in.Want.Grants, in.Have = nil, []dayone.Holding{there(oktaAccount), there(oktaSales)}
	if got := steps(in); strings.Contains(got, "okta/group:sales entitlement.remove") || !strings.Contains(got, "okta/account account.disable") {
		t.Errorf("what is held is taken:\n%s", got)
	}
	in.Want.Status = dayone.Left
	if got := steps(in); !strings.Contains(got, "okta/group:sales entitlement.remove") {
		t.Errorf("somebody who has left keeps something:\n%s", got)
	}
	hold.Keep = true
	in.Holds = []dayone.Hold{hold}
	if got := steps(in); strings.Contains(got, "okta/group:sales entitlement.remove") {
		t.Errorf("what was given back to somebody who has left is taken:\n%s", got)
	}
}

// A code that comes back is another one: the one before went with what it opened.
func TestWhatComesBackHasNewSecrets(t *testing.T) {
	t.Parallel()
	code := dayone.Key{System: "wifi", Kind: "code"}
	was := dayone.Item{Key: code, Ref: "c1", State: dayone.Active, Attrs: dayone.Attrs{"vlan": dayone.Text("12")}}
	at := time.Date(2024, 11, 25, 9, 0, 0, 0, time.UTC)
	b, err := planner.TakeBack(planner.Past{
		At:      at,
		Run:     dayone.Run{ID: "run_1", Person: "per_1", State: dayone.RunDone, Steps: []dayone.StepRun{{Step: dayone.Step{ID: "x", Action: dayone.EntitlementRemove, Key: code, Have: &was, Undo: dayone.UndoRestore}, State: dayone.StepDone, Result: dayone.Result{Before: &was}}}},
		Have:    []dayone.Holding{{Item: dayone.Item{Key: code, State: dayone.Gone}, Generation: 1}},
		Want:    dayone.Want{Status: dayone.Working},
		Systems: map[string]dayone.System{"wifi": {Kinds: map[string]dayone.Kind{"code": {Mapping: dayone.Attrs{"passphrase": {Kind: dayone.SecretValue, Text: "password:20"}, "vlan": dayone.Text("7")}}}}},
	})
	if err != nil || len(b.Plan.Steps) != 1 {
		t.Fatalf("it comes back by %+v, %v", b.Plan.Steps, err)
	}
	s := b.Plan.Steps[0]
	if s.Want.Attrs["passphrase"].Kind != dayone.SecretValue || s.Want.Attrs.Text("vlan") != "12" || s.Once != planner.Once("per_1", code, 1) {
		t.Errorf("it comes back as %+v, %s", s.Want.Attrs, s.Once)
	}
	if _, changed := was.Attrs["passphrase"]; changed {
		t.Error("what was is not what it was")
	}
}
