package slack_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/slack"
	slacksim "github.com/dayone-hq/dayone/connector/slack/sim"
)

var sarah = dayone.Attrs{
	"login": dayone.Text("sarah.chen"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"),
	"display_name": dayone.Text("Sarah Chen"), "title": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales"), "employee_number": dayone.Text("emp_789"),
}

func TestSlack(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: slack.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return slacksim.New(o) },
		Person:  sarah,
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "channel", Name: "#sales-team"}, Role: "member"},
			{Key: dayone.Key{Kind: "channel", Name: "#engineering-general"}, Role: "guest"},
			{Key: dayone.Key{Kind: "message", Name: "welcome"}, Attrs: dayone.Attrs{"to": dayone.List("#sales-team"), "text": dayone.Text("Sarah starts on Monday")}},
		},
		CreateMethod:  "POST",
		CreatePath:    "/scim/v2/Users",
		Specification: specification,
	})
}

// specification is Slack's own for the Web API. SCIM has none; conversations.history is not in the excerpt, and both are
// held to what their pages say by the simulator.
func specification(t *testing.T) connectortest.Validator {
	return web{connectortest.OpenAPI("slack/slack_web_openapi_v2-lifecycle.json", "/api")(t)}
}

type web struct{ connectortest.Validator }

func (v web) Validate(r *http.Request, body []byte) error {
	if !strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/api/conversations.history" {
		return sim.ErrUnspecified
	}
	r = r.Clone(r.Context())
	r.Header.Set("token", r.Header.Get("Authorization")) // where the specification of 2021 has it
	return v.Validator.Validate(r, body)
}

func bench(t *testing.T, settings ...string) (*connector.Guard, *slacksim.Sim) {
	t.Helper()
	s := slacksim.New(sim.Options{})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.Door().Validate(specification(t).Validate)
	t.Cleanup(func() {
		for _, err := range s.Door().Invalid() {
			t.Errorf("against the specification: %v", err)
		}
	})
	with := s.Settings(server.URL)
	for i := 0; i+1 < len(settings); i += 2 {
		with[settings[i]] = settings[i+1]
	}
	m, err := connector.ParseManifest(slack.Factory.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	fast := map[string]int{}
	for b := range m.Limits.Buckets {
		fast[b] = 600_000
	}
	g, err := connector.Open(slack.Factory, "slack", time.Now, connector.Options{Settings: with, PerMinute: fast})
	if err != nil {
		t.Fatal(err)
	}
	return g, s
}

func try(t *testing.T, g *connector.Guard, a dayone.Act) (dayone.Result, error) {
	t.Helper()
	if a.Attempt == 0 {
		a.Attempt = 1
	}
	if a.Since.IsZero() {
		a.Since = time.Now()
	}
	return connectortest.Apply(t.Context(), g, a)
}

func apply(t *testing.T, g *connector.Guard, a dayone.Act) dayone.Result {
	t.Helper()
	r, err := try(t, g, a)
	if err != nil {
		t.Fatalf("%s %s: %v", a.Action, a.Key, err)
	}
	return r
}

func account(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{Action: action, Key: dayone.Key{System: "slack", Kind: dayone.AccountKindName}, Subject: dayone.Subject{Ref: ref}, Want: want}
	if ref == "" {
		a.Subject.Keys = map[string]string{"employee_number": want.Attrs.Text("employee_number"), "login": want.Attrs.Text("login"), "email": want.Attrs.Text("email")}
	}
	return a
}

func join(t *testing.T, g *connector.Guard, as dayone.Attrs) string {
	t.Helper()
	return apply(t, g, account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: as})).Now.Ref
}

func channel(account, name, role string) dayone.Act {
	k := dayone.Key{System: "slack", Kind: "channel", Name: name}
	return dayone.Act{Action: dayone.EntitlementAdd, Key: k, Account: account, Want: &dayone.Item{Key: k, State: dayone.Active, Role: role}}
}

func taking(a dayone.Act, have *dayone.Item) dayone.Act {
	a.Action, a.Have, a.Want = dayone.EntitlementRemove, have, nil
	return a
}

func has(s *slacksim.Sim, channel string) bool {
	return slices.ContainsFunc(s.Accounts(), func(a sim.Account) bool {
		return a.Login == "sarah.chen" && slices.Contains(a.Entitlements, "channel:"+channel)
	})
}

// TestRoles: whatever role is given in a channel is the one that is there, although Slack has none.
func TestRoles(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	ref := join(t, g, sarah)
	guest := apply(t, g, channel(ref, "#engineering-general", "guest"))
	if guest.Now.Role != "guest" || !guest.Changed() || !has(s, "#engineering-general=member") {
		t.Errorf("the guest of a channel is %+v; the simulator has %v", guest.Now, s.Accounts())
	}
	again := channel(ref, "#engineering-general", "guest")
	again.Have, again.Attempt = guest.Now, 2
	if r := apply(t, g, again); r.Changed() || r.Now.Role != "guest" {
		t.Errorf("given twice it is %+v after %+v", r.Now, r.Before)
	}
	up := channel(ref, "#engineering-general", "member")
	up.Have = guest.Now
	if r := apply(t, g, up); r.Now.Role != "member" || r.Before.Role != "guest" {
		t.Errorf("a better role makes %+v of %+v", r.Now, r.Before)
	}
	m, err := connector.ParseManifest(slack.Factory.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	if rank := m.System("slack").Kinds["channel"].Roles; slices.Index(rank, "member") <= slices.Index(rank, "guest") {
		t.Errorf("member does not rank above guest: %v", rank)
	}
	gone := apply(t, g, taking(up, &dayone.Item{Key: up.Key, Ref: guest.Now.Ref, Role: "member"}))
	if gone.Now != nil || gone.Before == nil || gone.Before.Role != "member" || has(s, "#engineering-general=member") {
		t.Errorf("taken away it is %+v, and was %+v", gone.Now, gone.Before)
	}
}

// TestGuestAccount: Slack's own guests are accounts, and can be taken out of the general channel.
func TestGuestAccount(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	ref := join(t, g, sarah.With(dayone.Attrs{"guest": dayone.Bool(true)}))
	if has(s, "#general=guest") {
		t.Error("a guest came into the general channel")
	}
	r := apply(t, g, channel(ref, "#general", "guest"))
	if !has(s, "#general=guest") || has(s, "#general=member") {
		t.Errorf("the simulator has %v", s.Accounts())
	}
	apply(t, g, taking(channel(ref, "#general", "guest"), r.Now))
	if has(s, "#general=guest") {
		t.Error("the guest is still in the general channel")
	}
	full := account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"guest": dayone.Bool(false)}})
	if _, err := try(t, g, full); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("making a guest a member says %v", err)
	}
}

// TestMemberToGuest: the conversion leaves everything else.
func TestMemberToGuest(t *testing.T) {
	t.Parallel()
	g, _ := bench(t)
	ref := join(t, g, sarah)
	changed := dayone.Attrs{"guest": dayone.Bool(true), "title": dayone.Text("")}
	r := apply(t, g, account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: changed}))
	if len(r.Now.Attrs.Differ(changed)) > 0 || r.Now.Attrs.Text("department") != "Sales" {
		t.Errorf("after the change it shows %v", r.Now.Attrs)
	}
}

// TestGeneral: nobody leaves the general channel but with the account, and a closed account has left all.
func TestGeneral(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	ref := join(t, g, sarah)
	general := apply(t, g, channel(ref, "#general", "member"))
	if general.Changed() {
		t.Error("a new member was not in the general channel")
	}
	if _, err := try(t, g, taking(channel(ref, "#general", ""), general.Now)); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("taking a member out of it says %v", err)
	}
	apply(t, g, channel(ref, "#emea", "member"))
	apply(t, g, account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
	for _, name := range []string{"#general", "#emea"} {
		if r := apply(t, g, taking(channel(ref, name, ""), general.Now)); r.Now != nil {
			t.Errorf("after the disable %s shows %+v", name, r.Now)
		}
	}
	if _, err := try(t, g, channel(ref, "#emea", "member")); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("inviting somebody deactivated says %v", err)
	}
	apply(t, g, account(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active}))
	if !has(s, "#general=member") || has(s, "#emea=member") {
		t.Errorf("opened again it has %v", s.Accounts())
	}
}

// TestPrivate: the app is in a private channel only if somebody invited it.
func TestPrivate(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	ref := join(t, g, sarah)
	s.Private("#sales-team", false)
	s.Private("#emea", true)
	if _, err := try(t, g, channel(ref, "#sales-team", "member")); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("a private channel that the app does not see says %v", err)
	}
	r := apply(t, g, channel(ref, "#emea", "member"))
	if !r.Changed() || !has(s, "#emea=member") {
		t.Errorf("in a private channel it is %+v", r.Now)
	}
	hidden := channel(ref, "#emea", "member")
	hidden.Want.Ref, hidden.Fresh = r.Now.Ref, true
	s.Private("#emea", false)
	_, err := try(t, g, hidden)
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrNotFound) || !errors.As(err, &f) || !strings.Contains(f.Next, "invite the app") {
		t.Errorf("a channel that the app has left says %v", err)
	}
}

// TestUserNames: what Slack takes is made of a mail address, and a name that is taken is nobody's to give.
func TestUserNames(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	long := sarah.With(dayone.Attrs{"login": dayone.Text("Maximiliane.Wolfeschlegelstein+x@company.com"), "email": dayone.Text("m@company.com"), "employee_number": dayone.Text("E-2")})
	r := apply(t, g, account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: long}))
	if got := r.Now.Attrs.Text("login"); got != "maximiliane.wolfeschl" {
		t.Errorf("the user name is %q", got)
	}
	again := account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: long})
	if r := apply(t, g, again); len(s.Accounts()) != 1 || r.Before == nil {
		t.Errorf("the second create left %v", s.Accounts())
	}
	other := account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: long.With(dayone.Attrs{
		"login": dayone.Text("maximiliane.wolfeschlegel@company.com"), "email": dayone.Text("m2@company.com"), "employee_number": dayone.Text("E-3"),
	})})
	_, err := try(t, g, other)
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrConflict) || !errors.As(err, &f) || f.Found == nil {
		t.Errorf("a name that is taken says %v", err)
	}
}

// TestExternalID: the employee number can be kept elsewhere, and binds all the same where it cannot be searched for.
func TestExternalID(t *testing.T) {
	t.Parallel()
	g, s := bench(t, "employee_number", "externalId")
	ref := join(t, g, sarah)
	s.Door().Inject(sim.Fault{Path: "/scim/v2/Users", Status: 400, Body: `{"Errors":{"description":"invalid_filter","code":400}}`})
	r := apply(t, g, account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah}))
	if r.Now.Ref != ref || r.Now.Attrs.Text("employee_number") != "emp_789" {
		t.Errorf("found %+v", r.Now)
	}
}

// TestPlan: without SCIM an account is a human's task, and never a silent skip.
func TestPlan(t *testing.T) {
	t.Parallel()
	lower, s := bench(t)
	s.Plan("pro")
	without, _ := bench(t, "scim_token", "")
	for name, g := range map[string]*connector.Guard{"lower plan": lower, "no token": without} {
		_, err := try(t, g, account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah}))
		if !errors.Is(err, dayone.ErrUnsupported) {
			t.Errorf("%s: create says %v", name, err)
		}
	}
	if err := without.Check(t.Context()); err != nil {
		t.Errorf("without a SCIM token Check says %v", err)
	}
}

func message(to ...string) dayone.Act {
	k := dayone.Key{System: "slack", Kind: "message", Name: "it-summary"}
	return dayone.Act{Once: "0123456789abcdef", Action: dayone.MessageSend, Key: k, Want: &dayone.Item{Key: k, State: dayone.Active, Attrs: dayone.Attrs{
		"to": dayone.List(to...), "subject": dayone.Text("Onboarding complete"),
		"text": dayone.Text("Onboarding complete: Sarah <!channel> Chen\n- Status: Ready for Monday start\nView full onboarding log: http://x/runs/1?a=1&b=2\nReport issue: http://x/runs/1/report\n"),
	}}}
}

// TestMessage: text is Slack's, links are links, nobody is mentioned by a name, and what is kept is where it stands.
func TestMessage(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	r := apply(t, g, message("#it-onboarding"))
	posts := s.Messages()
	if len(posts) != 1 {
		t.Fatalf("posted were %v", posts)
	}
	want := "Onboarding complete: Sarah &lt;!channel&gt; Chen\n- Status: Ready for Monday start\n" +
		"<http://x/runs/1?a=1&amp;b=2|View full onboarding log>\n<http://x/runs/1/report|Report issue>"
	if p := posts[0]; p.Channel != "#it-onboarding" || p.Text != want || p.Metadata.EventPayload["once"] != "0123456789abcdef" {
		t.Errorf("posted was %+v, want the text\n%s", p, want)
	}
	if !r.Changed() || r.Now.Attrs["ts"] != dayone.List(posts[0].TS) || r.Now.Attrs["to"] != dayone.List("#it-onboarding") || !strings.Contains(r.Now.Ref, "/p") {
		t.Errorf("kept is %+v", r.Now)
	}
	if kept := fmt.Sprint(r.Now); strings.Contains(kept, "http") || strings.Contains(kept, "Sarah") {
		t.Errorf("the text is kept: %s", kept)
	}
	again := message("#it-onboarding")
	again.Have = r.Now
	if r := apply(t, g, again); r.Changed() || len(s.Messages()) != 1 {
		t.Errorf("sent twice: %v", s.Messages())
	}
}

// TestMessageLost: whether a call whose answer was lost was carried out or not, the retry leaves one message in each channel.
func TestMessageLost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sim.Fault{"carried out": {Cut: true}, "not carried out": {Drop: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, s := bench(t)
			a := message("#announcements", "#it-onboarding")
			a.Since = time.Now()
			apply(t, g, dayone.Act{Once: "other", Action: dayone.MessageSend, Key: a.Key, Want: a.Want}) // and the app has joined both
			f.Path, f.Skip = "/api/chat.postMessage", 1
			s.Door().Inject(f)
			if _, err := try(t, g, a); !errors.Is(err, dayone.ErrUnavailable) {
				t.Fatalf("a lost answer says %v", err)
			}
			a.Attempt = 2
			r := apply(t, g, a)
			in := map[string]int{}
			for _, p := range s.Messages() {
				if p.Metadata.EventPayload["once"] == a.Once {
					in[p.Channel]++
				}
			}
			if in["#announcements"] != 1 || in["#it-onboarding"] != 1 || r.Now.Attrs["to"] != a.Want.Attrs["to"] || len(r.Now.Attrs["ts"].Items()) != 2 {
				t.Errorf("posted were %v; kept is %+v", in, r.Now)
			}
		})
	}
}

// TestMessageUnreadable: an app that may not read posts again.
func TestMessageUnreadable(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	s.Door().Inject(sim.Fault{Path: "/api/conversations.history", Status: 200, Body: `{"ok":false,"error":"missing_scope","needed":"channels:history","provided":"chat:write"}`})
	a := message("#general")
	a.Attempt = 2
	if r := apply(t, g, a); len(s.Messages()) != 1 || !r.Changed() {
		t.Errorf("posted were %v", s.Messages())
	}
}

func TestMessageErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   error
	}{
		{"ratelimited", 429, `{"ok":false,"error":"ratelimited"}`, dayone.ErrThrottled},
		{"ratelimited with 200", 200, `{"ok":false,"error":"ratelimited"}`, dayone.ErrThrottled},
		{"channel_not_found", 200, `{"ok":false,"error":"channel_not_found"}`, dayone.ErrNotFound},
		{"missing_scope", 200, `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"users:read"}`, dayone.ErrForbidden},
		{"token_revoked", 200, `{"ok":false,"error":"token_revoked"}`, dayone.ErrAuth},
		{"is_archived", 200, `{"ok":false,"error":"is_archived"}`, dayone.ErrInvalid},
		{"internal_error", 200, `{"ok":false,"error":"internal_error"}`, dayone.ErrUnavailable},
		{"not Slack's", 200, `[]`, dayone.ErrUnavailable},
		{"empty", 200, ``, dayone.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g, s := bench(t)
			s.Door().Inject(sim.Fault{Path: "/api/chat.postMessage", Status: c.status, Body: c.body, Header: map[string]string{"Retry-After": "30"}})
			_, err := try(t, g, message("#general"))
			var f *dayone.Fault
			if !errors.Is(err, c.want) || !errors.As(err, &f) {
				t.Fatalf("says %v, want %v", err, c.want)
			}
			if c.want == dayone.ErrThrottled && time.Until(f.RetryAt) < 25*time.Second {
				t.Errorf("Retry-After is not honoured: %v", f.RetryAt)
			}
		})
	}
}

// TestTiers: Slack's own limits, as Slack tells them.
func TestTiers(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	s.Tiers(true)
	var err error
	for n := 0; err == nil && n < 200; n++ {
		_, err = try(t, g, dayone.Act{Once: fmt.Sprint(n), Action: dayone.MessageSend, Key: message().Key, Want: message("#general").Want})
	}
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrThrottled) || !errors.As(err, &f) || f.RetryAt.IsZero() {
		t.Errorf("beyond the limit it says %v", err)
	}
}

// A leaver's channels are read while another step closes the account, which shortens the list: the cursor holds no longer, and the
// list is read from its beginning. One that never comes to its end is tried later.
func TestAListThatShrinks(t *testing.T) {
	t.Parallel()
	for name, always := range map[string]bool{"once": false, "always": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var g *connector.Guard
			var s *slacksim.Sim
			var ref string
			var leaving atomic.Bool
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "users.conversations") && r.URL.Query().Has("cursor") && leaving.Load() {
					if always {
						sim.JSON(w, 200, map[string]any{"ok": false, "error": "invalid_cursor"})
						return
					}
					leaving.Store(false)
					if _, err := try(t, g, account(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled})); err != nil {
						t.Error(err)
					}
				}
				s.ServeHTTP(w, r)
			}))
			t.Cleanup(front.Close)
			g, s = bench(t, "url", front.URL+"/api")
			ref = join(t, g, sarah)
			for _, name := range []string{"#sales-team", "#engineering-general", "#it-onboarding", "#announcements"} {
				apply(t, g, channel(ref, name, "member"))
			}
			leaving.Store(true)
			_, err := try(t, g, taking(channel(ref, "#sales-team", "member"), nil))
			switch {
			case always && !errors.Is(err, dayone.ErrUnavailable):
				t.Errorf("a list that never ends says %v", err)
			case !always && err != nil:
				t.Errorf("a list that shrank says %v", err)
			case !always && leaving.Load():
				t.Error("nobody read a second page: this test shows nothing")
			case !always && has(s, "#sales-team"):
				t.Error("the leaver is in the channel still")
			}
		})
	}
}
