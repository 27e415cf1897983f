package planner_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

var noon = time.Date(2024, 11, 22, 12, 0, 0, 0, time.UTC)

// company is a small one with every shape that a system can have.
func company() map[string]dayone.System {
	account := []string{dayone.AccountKindName}
	all := []dayone.System{
		{Name: "okta", Tier: dayone.TierIdentity, CutFirst: true, CanDelete: true, Match: []string{"employee_number", "login"}, Kinds: map[string]dayone.Kind{
			"account": {}, "group": {Needs: account}, "app": {Needs: account},
		}},
		{Name: "gitlab", Needs: []string{"okta"}, CanDelete: true, States: map[dayone.State]dayone.State{dayone.Staged: dayone.Active}, Kinds: map[string]dayone.Kind{
			"account": {}, "group": {Needs: account, Roles: []string{"guest", "developer"}},
		}},
		{Name: "slack", Needs: []string{"okta"}, Kinds: map[string]dayone.Kind{"account": {}, "channel": {Needs: account, WholeSet: true}}},
		{Name: "salesforce", Via: dayone.Key{System: "okta", Kind: "app", Name: "salesforce"}, Kinds: map[string]dayone.Kind{
			"account": {}, "profile": {Needs: account, Exclusive: true, Default: "standard"},
		}},
		{Name: "aws", Needs: []string{"okta"}, CanDelete: true, States: map[dayone.State]dayone.State{dayone.Staged: dayone.Active, dayone.Disabled: dayone.Gone}, Kinds: map[string]dayone.Kind{
			"account": {Implied: true}, "permission-set": {Needs: account},
		}},
		{Name: "jamf", Tier: dayone.TierDevice, Kinds: map[string]dayone.Kind{
			"device":  {Supply: dayone.Key{System: "shop", Kind: "order"}, Params: map[string]dayone.Param{"model": {}}},
			"profile": {Needs: []string{"device"}},
		}},
		{Name: "shop", Tier: dayone.TierDevice, Kinds: map[string]dayone.Kind{"order": {OneWay: true}}},
	}
	out := map[string]dayone.System{}
	for _, s := range all {
		out[s.Name] = s
	}
	return out
}

// grant reads "gitlab/group:platform=developer" or "okta/account=staged".
func grant(line string) dayone.Grant {
	text, word, _ := strings.Cut(line, "=")
	k, err := dayone.ParseKey(text)
	if err != nil {
		panic(err)
	}
	g := dayone.Grant{Key: k, Critical: dayone.Stop, Because: []dayone.Reason{{Policy: "everyone", At: "policies/all.yaml:1"}}}
	if k.IsAccount() {
		g.State = dayone.State(word)
		if word == "" {
			g.State = dayone.Active
		}
	} else {
		g.Role = word
	}
	return g
}

func grants(lines ...string) []dayone.Grant {
	out := make([]dayone.Grant, 0, len(lines))
	for _, l := range lines {
		out = append(out, grant(l))
	}
	return out
}

// holding reads the same, as something that policies gave.
func holding(line string) dayone.Holding {
	g := grant(line)
	h := dayone.Holding{Item: dayone.Item{Key: g.Key, Role: g.Role, State: g.State, Ref: "ref of " + g.Key.String()}, Because: g.Because, Since: noon.AddDate(0, -1, 0), Ours: true}
	if !g.Key.IsAccount() {
		h.State = dayone.Active
	}
	return h
}

func holdings(lines ...string) []dayone.Holding {
	out := make([]dayone.Holding, 0, len(lines))
	for _, l := range lines {
		out = append(out, holding(l))
	}
	return out
}

func input(status dayone.Status, want []dayone.Grant, have []dayone.Holding) planner.Input {
	return planner.Input{
		Person: "per_erin", At: noon, Recorded: noon, Subject: map[string]string{"employee_number": "1", "email": "erin@company.com"},
		Want: dayone.Want{Person: "per_erin", At: noon, Status: status, Grants: want}, Have: have, Systems: company(),
	}
}

var full = []string{
	"okta/account", "okta/group:base", "gitlab/account", "gitlab/group:platform=developer", "slack/account", "slack/channel:#general", "salesforce/account",
	"salesforce/profile:engineer", "aws/permission-set:sandbox", "jamf/device", "jamf/profile:standard",
}

// held is what stands when all of full was given.
func held() []dayone.Holding {
	return append(holdings(full...), holdings("aws/account", "okta/app:salesforce", "shop/order")...)
}

func TestStories(t *testing.T) {
	t.Parallel()
	welcome := dayone.Notice{Key: dayone.Key{System: "mail", Kind: "message", Name: "welcome"}, On: []dayone.Moment{dayone.OnReady}, To: []string{"erin@company.com"}, Template: "welcome"}
	tell := func(in planner.Input) planner.Input {
		in.Want.Notices = []dayone.Notice{welcome}
		in.Deliver = func(n dayone.Notice) []dayone.Notice { return []dayone.Notice{n} }
		return in
	}
	staged := slices.Clone(full)
	for i, l := range staged {
		if g := grant(l); g.Key.IsAccount() {
			staged[i] += "=" + string(company()[g.Key.System].As(dayone.Staged))
		}
	}
	leaver := held()
	for i := range leaver {
		if leaver[i].Key.String() == "okta/account" {
			leaver[i].Release.DeleteAfter = 30 * 24 * time.Hour
		}
	}
	cut := holdings("okta/account=disabled", "gitlab/account=disabled")
	for i := range cut {
		cut[i].Release.DeleteAfter = []time.Duration{30 * 24 * time.Hour, 60 * 24 * time.Hour}[i]
		cut[i].Since = noon.AddDate(0, 0, -30)
	}
	params := grants("okta/account", "okta/group:base")
	params[0].Attrs = dayone.Attrs{"department": dayone.Text("Sales"), "title": dayone.Text("Engineer")}
	changed := holdings("okta/account", "okta/group:base")
	changed[0].Asked = dayone.Attrs{"department": dayone.Text("Legal"), "title": dayone.Text("Engineer")}
	foreign := append(holdings("okta/account"), holding("okta/group:by-hand"))
	foreign[1].Because = []dayone.Reason{{Policy: dayone.Baseline}}
	for name, in := range map[string]planner.Input{
		"hire before the start":                      tell(input(dayone.PreHire, grants(staged...), nil)),
		"first day":                                  input(dayone.Working, grants(full...), append(holdings(staged...), holdings("aws/account", "okta/app:salesforce", "shop/order")...)),
		"nothing to do":                              tell(input(dayone.Working, grants(full...), held())),
		"another role":                               input(dayone.Working, grants("okta/account", "gitlab/account", "gitlab/group:platform=guest"), holdings("okta/account", "gitlab/account", "gitlab/group:platform=developer")),
		"another attribute":                          input(dayone.Working, params, changed),
		"a slot gets another value":                  input(dayone.Working, grants("okta/account", "salesforce/account", "salesforce/profile:executive"), holdings("okta/account", "okta/app:salesforce", "salesforce/account", "salesforce/profile:engineer")),
		"a slot falls back":                          input(dayone.Working, grants("okta/account", "salesforce/account"), holdings("okta/account", "okta/app:salesforce", "salesforce/account", "salesforce/profile:engineer")),
		"leaver":                                     input(dayone.Left, nil, leaver),
		"leaver a month later":                       input(dayone.Left, nil, cut),
		"leave of absence":                           input(dayone.OnLeave, grants("okta/account=disabled", "okta/group:base"), holdings("okta/account", "okta/group:base")),
		"the start moves away":                       input(dayone.PreHire, grants("okta/account=staged"), holdings("okta/account")),
		"closed again and still to start":            input(dayone.PreHire, grants("okta/account=staged"), holdings("okta/account=disabled")),
		"what we did not give stays":                 input(dayone.Working, grants("okta/account"), foreign),
		"and goes with the leaver":                   input(dayone.Left, nil, foreign),
		"policies alone take what they did not give": with(input(dayone.Working, grants("okta/account"), foreign), "okta/group:by-hand", dayone.Exclusive),
		"rehire opens what was closed":               input(dayone.Working, grants("okta/account", "okta/group:base"), holdings("okta/account=disabled")),
		"an account that waits for somebody":         input(dayone.Working, grants("gitlab/account"), holdings("gitlab/account=pending")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := planner.Make(in)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := planner.Text(&b, p, "Erin", time.UTC); err != nil {
				t.Fatal(err)
			}
			golden(t, strings.ReplaceAll(name, " ", "-")+".txt", b.String())
		})
	}
}

func TestImpossiblePlansSayWhatToChange(t *testing.T) {
	t.Parallel()
	refers := func(k, to string) dayone.Grant {
		g := grant(k)
		g.Attrs = dayone.Attrs{"note": {Kind: dayone.TemplateValue, Text: "${" + to + "}"}}
		return g
	}
	nothing := input(dayone.Working, []dayone.Grant{refers("okta/account", "jamf.device.serial")}, nil)
	circle := input(dayone.Working, []dayone.Grant{refers("okta/account", "slack.account.email"), refers("slack/account", "okta.account.email")}, nil)

	empty := input(dayone.Working, grants("salesforce/account"), holdings("okta/account", "okta/app:salesforce", "salesforce/account", "salesforce/profile:engineer"))
	s := empty.Systems["salesforce"]
	s.Kinds = maps.Clone(s.Kinds)
	s.Kinds["profile"] = dayone.Kind{Needs: []string{"account"}, Exclusive: true}
	empty.Systems["salesforce"] = s

	for name, c := range map[string]struct {
		in   planner.Input
		says []string
	}{
		"a dead reference":  {nothing, []string{"okta/account", "${jamf.device.serial}", "nothing gives"}},
		"a circle":          {circle, []string{"okta/account", "slack/account", "wait for each other"}},
		"a slot left empty": {empty, []string{"salesforce/profile", "default"}},
	} {
		_, err := planner.Make(c.in)
		if !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, say := range c.says {
			if !strings.Contains(err.Error(), say) {
				t.Errorf("%s: %q does not say %q", name, err, say)
			}
		}
	}
	var circular *planner.CycleError
	if _, err := planner.Make(circle); !errors.As(err, &circular) || len(circular.Steps) != 2 {
		t.Errorf("the circle is %v", err)
	}
}

// A human places the order and makes the account where nobody configured a system: it is planned like any other.
func TestWhatNobodyConfiguredIsPlannedAsWell(t *testing.T) {
	t.Parallel()
	in := input(dayone.Working, grants("okta/account", "salesforce/account", "jamf/device", "teams/account"), nil)
	for _, name := range []string{"okta", "shop", "teams"} {
		delete(in.Systems, name)
	}
	p, err := planner.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range p.Steps {
		got = append(got, string(s.ID))
	}
	for _, id := range []string{"okta/account account.create", "okta/app:salesforce entitlement.add", "shop/order entitlement.add", "jamf/device entitlement.add", "teams/account account.create"} {
		if !slices.Contains(got, id) {
			t.Errorf("%s is not planned: %v", id, got)
		}
	}
}

func TestProtectedAccountsAreNeverWritten(t *testing.T) {
	t.Parallel()
	in := input(dayone.Left, nil, held())
	s := in.Systems["okta"]
	s.Protected = []string{"ref of okta/account"}
	in.Systems["okta"] = s
	p, err := planner.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range p.Steps {
		if st.Key.System == "okta" {
			t.Errorf("%s", st.ID)
		}
	}
}

// with gives a key another authority.
func with(in planner.Input, line string, a dayone.Authority) planner.Input {
	k := grant(line).Key
	kind := in.Systems[k.System].Kinds[k.Kind]
	kind.AuthorityOf = maps.Clone(kind.AuthorityOf)
	if kind.AuthorityOf == nil {
		kind.AuthorityOf = map[string]dayone.Authority{}
	}
	kind.AuthorityOf[k.Name] = a
	in.Systems[k.System].Kinds[k.Kind] = kind
	return in
}

// Whatever has authority: missing facts, holds and protected accounts keep what is there, and a leaver loses all of it.
func TestWhoDecidesAboutWhatNobodyHereGave(t *testing.T) {
	t.Parallel()
	have := append(holdings("okta/account"), holding("okta/group:by-hand"))
	have[1].Because = []dayone.Reason{dayone.SeenFirst(noon)}
	key := have[1].Key
	working := func(a dayone.Authority) planner.Input {
		return with(input(dayone.Working, grants("okta/account"), have), key.String(), a)
	}
	left := with(input(dayone.Left, nil, have), key.String(), dayone.Observe)
	unknown, held, guarded := working(dayone.Exclusive), working(dayone.Exclusive), working(dayone.Exclusive)
	unknown.Want.Keep = []dayone.Key{key}
	held.Holds = []dayone.Hold{{Keys: []dayone.Key{key}, From: noon, Until: noon.AddDate(0, 0, 7)}}
	sys := guarded.Systems["okta"]
	sys.Protected = []string{have[0].Ref}
	guarded.Systems["okta"] = sys
	asked := working(dayone.Observe)
	asked.Want.Grants = append(asked.Want.Grants, grant("okta/group:by-hand"), grant("okta/group:elsewhere"))
	asked = with(asked, "okta/group:elsewhere", dayone.Observe)
	for _, c := range []struct {
		what string
		in   planner.Input
		want string
	}{
		{"policies alone", working(dayone.Exclusive), "okta/group:by-hand entitlement.remove"},
		{"policies beside others", working(dayone.Additive), ""},
		{"others alone", working(dayone.Observe), ""},
		{"others alone, and a policy that gives it", asked, ""},
		{"a fact is not known", unknown, ""},
		{"somebody holds it", held, ""},
		{"the account is protected", guarded, ""},
		{"others alone, and she leaves", left, "okta/account account.disable, okta/group:by-hand entitlement.remove"},
	} {
		p, err := planner.Make(c.in)
		if err != nil {
			t.Fatal(c.what, err)
		}
		var got []string
		for _, s := range p.Steps {
			got = append(got, string(s.ID))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: the plan is %q, not %q", c.what, got, c.want)
		}
	}
	if p, err := planner.Make(asked); err != nil || len(p.Findings) != 1 || p.Findings[0].Key.Name != "elsewhere" {
		t.Errorf("what is only observed and not there: %+v, %v", p.Findings, err)
	}
}

// world draws a want and what somebody has.
func world(r *rapid.T) planner.Input {
	lines := append(slices.Clone(full), "okta/group:other", "gitlab/group:other=guest", "slack/channel:#other", "salesforce/profile:executive", "aws/permission-set:other", "aws/account")
	status := rapid.SampledFrom(dayone.Statuses).Draw(r, "status")
	in := input(status, nil, nil)
	for _, l := range lines {
		if k := grant(l).Key; !k.IsAccount() {
			in = with(in, l, rapid.SampledFrom(dayone.Authorities).Draw(r, "authority of "+l))
		}
	}
	slot := false
	for _, l := range lines {
		g := grant(l)
		sys := in.Systems[g.Key.System]
		isSlot := sys.Kinds[g.Key.Kind].Exclusive
		if status != dayone.Left && !(isSlot && slot) && rapid.Bool().Draw(r, "wants "+l) {
			slot = slot || isSlot
			if g.Key.IsAccount() {
				g.State = sys.As(map[dayone.Status]dayone.State{dayone.PreHire: dayone.Staged, dayone.Working: dayone.Active, dayone.OnLeave: dayone.Disabled}[status])
				if g.State == dayone.Gone {
					continue
				}
			} else if len(sys.Kinds[g.Key.Kind].Roles) > 0 {
				g.Role = rapid.SampledFrom(sys.Kinds[g.Key.Kind].Roles).Draw(r, "role of "+l)
			}
			if rapid.Bool().Draw(r, "attrs of "+l) {
				g.Attrs = dayone.Attrs{"a": dayone.Text(rapid.SampledFrom([]string{"x", "y"}).Draw(r, "attr of "+l))}
			}
			in.Want.Grants = append(in.Want.Grants, g)
		}
	}
	slot = false
	for _, l := range append(lines, "okta/app:salesforce", "shop/order") {
		h := holding(l)
		isSlot := in.Systems[h.Key.System].Kinds[h.Key.Kind].Exclusive
		if isSlot && slot || !rapid.Bool().Draw(r, "has "+l) {
			continue
		}
		slot = slot || isSlot
		if h.Key.IsAccount() {
			h.State = rapid.SampledFrom([]dayone.State{dayone.Staged, dayone.Active, dayone.Disabled}).Draw(r, "state of "+l)
			if in.Systems[h.Key.System].As(h.State) != h.State {
				h.State = dayone.Active
			}
		}
		if rapid.Bool().Draw(r, "found "+l) {
			h.Because = []dayone.Reason{dayone.SeenFirst(noon)}
		}
		if rapid.Bool().Draw(r, "asked of "+l) {
			h.Asked = dayone.Attrs{"a": dayone.Text(rapid.SampledFrom([]string{"x", "y"}).Draw(r, "was asked of "+l))}
		}
		in.Have = append(in.Have, h)
	}
	// nothing hangs on an account that is not there
	in.Have = slices.DeleteFunc(in.Have, func(h dayone.Holding) bool {
		kind := in.Systems[h.Key.System].Kinds[h.Key.Kind]
		return slices.Contains(kind.Needs, dayone.AccountKindName) &&
			!slices.ContainsFunc(in.Have, func(o dayone.Holding) bool { return o.Key == h.Key.Account() })
	})
	return in
}

// carriedOut is what somebody has when every step of a plan has done what it says.
func carriedOut(in planner.Input, p dayone.Plan) []dayone.Holding {
	have := map[dayone.Key]dayone.Holding{}
	for _, h := range in.Have {
		have[h.Key] = h
	}
	for _, s := range p.Steps {
		switch s.Action {
		case dayone.AccountDelete:
			for k := range have {
				if k.Account() == s.Key && slices.Contains(in.Systems[k.System].Kinds[k.Kind].Needs, dayone.AccountKindName) {
					delete(have, k)
				}
			}
			delete(have, s.Key)
		case dayone.EntitlementRemove:
			delete(have, s.Key)
		case dayone.MessageSend:
		default:
			h := have[s.Key]
			h.Item.Key, h.Ref, h.Since = s.Key, "ref of "+s.Key.String(), in.At
			h.State, h.Role, h.Because = s.Want.State, s.Want.Role, s.Because
			h.Asked = h.Asked.With(s.Want.Attrs)
			if s.Have != nil && s.Have.Key != s.Key {
				delete(have, s.Have.Key) // an exclusive slot
			}
			have[s.Key] = h
		}
	}
	return slices.Collect(maps.Values(have))
}

func TestPlanProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		in := world(r)
		p, err := planner.Make(in)
		if err != nil {
			r.Fatal(err)
		}
		at := map[dayone.StepID]int{}
		for i, s := range p.Steps {
			for _, n := range s.Needs {
				if j, ok := at[n.Step]; !ok || j >= i {
					r.Fatalf("%s comes before %s, which it needs", s.ID, n.Step)
				}
			}
			if _, twice := at[s.ID]; twice {
				r.Fatalf("%s stands twice", s.ID)
			}
			at[s.ID] = i
			if in.Want.Status == dayone.Left && s.Action.Gives() {
				r.Fatalf("%s gives something to a leaver", s.ID)
			}
			if a := in.Systems[s.Key.System].Authority(s.Key); in.Want.Status != dayone.Left && !s.Key.IsAccount() && (a == dayone.Observe || a == dayone.Additive && s.Action.Takes() && s.Have != nil && s.Have.Key == s.Key && found(in, s.Key)) {
				r.Fatalf("%s, and its authority is %s", s.ID, a)
			}
		}
		// equal inputs in another order give an equal plan
		other := in
		other.Have, other.Want.Grants = slices.Clone(in.Have), slices.Clone(in.Want.Grants)
		shuffle := rand.New(rand.NewSource(int64(len(p.Steps))))
		shuffle.Shuffle(len(other.Have), func(i, j int) { other.Have[i], other.Have[j] = other.Have[j], other.Have[i] })
		shuffle.Shuffle(len(other.Want.Grants), func(i, j int) {
			other.Want.Grants[i], other.Want.Grants[j] = other.Want.Grants[j], other.Want.Grants[i]
		})
		if q, err := planner.Make(other); err != nil || q.Hash() != p.Hash() {
			r.Fatalf("the order of the inputs changes the plan: %v", err)
		}
		// carried out, nothing is left to be done but what comes later
		after := in
		for n := 0; ; n++ {
			after.Have = carriedOut(after, p)
			if p, err = planner.Make(after); err != nil {
				r.Fatal(err)
			}
			if len(p.Steps) == 0 {
				break
			}
			if n == 1 { // a second look may find more: what hung on an account that a first one closed
				var b strings.Builder
				_ = planner.Text(&b, p, "Erin", time.UTC)
				r.Fatalf("it does not come to rest:\n%s\nhaving %v", &b, names(after.Have))
			}
		}
		for _, h := range after.Have {
			kind, wanted := in.Systems[h.Key.System].Kinds[h.Key.Kind], slices.ContainsFunc(in.Want.Grants, func(g dayone.Grant) bool { return g.Key == h.Key })
			if in.Systems[h.Key.System].Authority(h.Key) == dayone.Exclusive && !wanted && !kind.Exclusive {
				r.Fatalf("%s is left, no policy gives it, and policies alone decide about it", h.Key)
			}
		}
		for _, g := range in.Want.Grants {
			if slices.ContainsFunc(p.Findings, func(f dayone.Finding) bool { return f.Key == g.Key }) || in.Systems[g.Key.System].Authority(g.Key) == dayone.Observe {
				continue // it hangs on something that nobody gives, or others decide about it
			}
			i := slices.IndexFunc(after.Have, func(h dayone.Holding) bool { return h.Key == g.Key })
			if i < 0 || after.Have[i].Role != g.Role || g.Key.IsAccount() && !in.Systems[g.Key.System].Meets(after.Have[i].State, g.State) {
				r.Fatalf("%s is wanted as %s%s and is not so: %v", g.Key, g.Role, g.State, names(after.Have))
			}
		}
	})
}

// found says that nobody here gave something.
func found(in planner.Input, k dayone.Key) bool {
	return slices.ContainsFunc(in.Have, func(h dayone.Holding) bool { return h.Key == k && h.Because[0].Policy == dayone.Baseline })
}

func names(hs []dayone.Holding) []string {
	var out []string
	for _, h := range hs {
		out = append(out, fmt.Sprintf("%s=%s%s", h.Key, h.Role, h.State))
	}
	slices.Sort(out)
	return out
}

func BenchmarkMake(b *testing.B) {
	in := input(dayone.Working, grants(full...), nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := planner.Make(in); err != nil {
			b.Fatal(err)
		}
	}
}

func TestWhatIsGoneIsHistory(t *testing.T) {
	t.Parallel()
	want := dayone.Want{Person: "per_1", Status: dayone.Working, Grants: []dayone.Grant{grant("okta/account=active"), grant("okta/group:sales")}}
	key := func(s string) dayone.Key { return grant(s).Key }
	gone := func(k, ref string) dayone.Holding {
		return dayone.Holding{Item: dayone.Item{Key: key(k), Ref: ref, State: dayone.Gone}, Generation: 2}
	}
	plan := func(have ...dayone.Holding) dayone.Plan {
		p, err := planner.Make(planner.Input{Person: "per_1", At: noon, Want: want, Have: have, Systems: company(), Subject: map[string]string{"employee_number": "7"}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	back := plan(dayone.Holding{Item: dayone.Item{Key: key("okta/account"), Ref: "u1", State: dayone.Active}}, gone("okta/group:sales", "g1"))
	if len(back.Steps) != 1 || back.Steps[0].Action != dayone.EntitlementAdd || back.Steps[0].Account != dayone.Text("u1") {
		t.Errorf("what was taken away once is not given again: %+v", back.Steps)
	}
	anew := plan(gone("okta/account", "u1"))
	if len(anew.Steps) != 2 {
		t.Fatalf("an account that was deleted: %+v", anew.Steps)
	}
	create, first := anew.Steps[0], plan().Steps[0]
	if create.Subject.Ref != "" || create.Subject.Keys["employee_number"] != "7" || create.Once == first.Once {
		t.Errorf("it is built anew, and is not the old one: %+v", create.Subject)
	}
	if anew.Steps[1].Account.Kind != dayone.TemplateValue {
		t.Errorf("a group hangs on a deleted account: %+v", anew.Steps[1].Account)
	}
}

func TestTwoPoliciesMaySayTheSame(t *testing.T) {
	t.Parallel()
	say := func(policy, to string) dayone.Notice {
		return dayone.Notice{
			Key: dayone.Key{System: "mail", Kind: "message", Name: "summary"}, On: []dayone.Moment{dayone.OnReady}, To: []string{to}, Template: "summary",
			Because: []dayone.Reason{{Policy: policy}},
		}
	}
	p, err := planner.Make(planner.Input{
		Person: "per_1", At: noon, Systems: company(), Deliver: func(n dayone.Notice) []dayone.Notice { return []dayone.Notice{n} },
		Want: dayone.Want{
			Person: "per_1", Status: dayone.Working, Grants: []dayone.Grant{grant("okta/account=active")},
			Notices: []dayone.Notice{say("a", "it@example.com"), say("b", "security@example.com")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	last := p.Steps[len(p.Steps)-1]
	if got := last.Want.Attrs["to"]; got != dayone.List("it@example.com", "security@example.com") || len(last.Because) != 2 {
		t.Errorf("told: %v because of %v", got, last.Because)
	}
}

func TestPasswordsAreMadeWithTheirAccount(t *testing.T) {
	t.Parallel()
	g := grant("okta/account=disabled")
	g.Attrs = dayone.Attrs{"password": {Kind: dayone.SecretValue, Text: "password"}, "login": dayone.Text("ada")}
	p, err := planner.Make(planner.Input{
		Person: "per_1", At: noon, Systems: company(), Want: dayone.Want{Person: "per_1", Status: dayone.OnLeave, Grants: []dayone.Grant{g}},
		Have: []dayone.Holding{{Item: dayone.Item{Key: g.Key, Ref: "u1", State: dayone.Active}, Asked: dayone.Attrs{"login": dayone.Text("ada")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 1 || p.Steps[0].Action != dayone.AccountDisable {
		t.Fatalf("%+v", p.Steps)
	}
	if _, secret := p.Steps[0].Want.Attrs["password"]; secret {
		t.Error("closing an account asks for its password")
	}
}

func TestCodesAreMadeWithTheirThing(t *testing.T) {
	t.Parallel()
	g := grant("wifi/code")
	g.Attrs = dayone.Attrs{"passphrase": {Kind: dayone.SecretValue, Text: "password:20"}, "vlan": dayone.Text("12")}
	in := planner.Input{
		Person: "per_1", At: noon, Systems: map[string]dayone.System{"wifi": {Name: "wifi", Kinds: map[string]dayone.Kind{"code": {Mapping: g.Attrs}}}},
		Want: dayone.Want{Person: "per_1", Status: dayone.Working, Grants: []dayone.Grant{g}},
	}
	step := func() dayone.Step {
		t.Helper()
		p, err := planner.Make(in)
		if err != nil || len(p.Steps) != 1 || p.Steps[0].Action != dayone.EntitlementAdd {
			t.Fatalf("%+v, %v", p.Steps, err)
		}
		return p.Steps[0]
	}
	first := step()
	if v := first.Want.Attrs["passphrase"]; v.Kind != dayone.SecretValue {
		t.Errorf("a new code is asked for without its passphrase: %v", first.Want.Attrs)
	}
	in.Have = []dayone.Holding{{Item: dayone.Item{Key: g.Key, Ref: "c1", State: dayone.Active}, Asked: dayone.Attrs{"vlan": dayone.Text("7")}}}
	if again := step(); again.Want.Attrs["passphrase"].Kind == dayone.SecretValue || again.Once != first.Once {
		t.Errorf("another network is a new passphrase: %v", again.Want.Attrs)
	}
	wish := in.Have[0].Renew([]string{"passphrase"})
	wish.Asked["vlan"] = dayone.Text("12")
	in.Have[0], in.Deliver = wish, func(n dayone.Notice) []dayone.Notice { return []dayone.Notice{n} }
	in.Want.Notices = []dayone.Notice{{Key: dayone.Key{System: "mail", Kind: "message", Name: "new-code"}, On: []dayone.Moment{dayone.OnNewCode}, To: []string{"person"}}}
	p, err := planner.Make(in)
	if err != nil || len(p.Steps) != 2 || p.Steps[1].Action != dayone.MessageSend || len(p.Steps[1].Needs) != 1 || len(p.Occasions) != 1 {
		t.Fatalf("a renewal is told after it is done: %+v, %v", p, err)
	}
	if r := p.Steps[0]; r.Want.Attrs["passphrase"].Kind != dayone.SecretValue || r.Once == first.Once || r.Undo.Possible() || r.Have == nil {
		t.Errorf("the renewal is %+v", r)
	}
	in.Want.Notices = nil
	in.Have[0].State, in.Have[0].Generation = dayone.Gone, 1
	if anew := step(); anew.Want.Attrs["passphrase"].Kind != dayone.SecretValue || anew.Once == first.Once {
		t.Errorf("given anew it has the old passphrase: %v", anew.Want.Attrs)
	}
}
