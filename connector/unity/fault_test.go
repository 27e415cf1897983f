package unity_test

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/unity"
	unitysim "github.com/dayone-hq/dayone/connector/unity/sim"
)

// TestRefusals: each fault is of its kind, and says what the administrator does.
func TestRefusals(t *testing.T) {
	always := func(f sim.Fault) func(*unitysim.Sim) {
		return func(s *unitysim.Sim) { f.Times = -1; s.Door().Inject(f) }
	}
	for name, c := range map[string]struct {
		break_ func(*unitysim.Sim)
		want   error
		says   string
	}{
		"password changed":  {func(s *unitysim.Sim) { s.Password("another") }, dayone.ErrAuth, "expired"},
		"no role":           {func(s *unitysim.Sim) { s.Role(false) }, dayone.ErrForbidden, "System Administrator"},
		"publisher down":    {func(s *unitysim.Sim) { s.Publisher(false) }, dayone.ErrUnavailable, "publisher"},
		"no service":        {always(sim.Fault{Status: 404, Body: "<html>Tomcat</html>"}), dayone.ErrUnavailable, "Connection REST service"},
		"throttled":         {always(sim.Fault{Status: 429, Header: map[string]string{"Retry-After": "30"}}), dayone.ErrThrottled, ""},
		"busy":              {always(sim.Fault{Status: 503, Header: map[string]string{"Retry-After": "30"}}), dayone.ErrUnavailable, ""},
		"half an answer":    {always(sim.Fault{Status: 200, Body: `{"@total":"1","User":{`}), dayone.ErrUnavailable, "none that we understand"},
		"another's answer":  {always(sim.Fault{Status: 200, Body: `{"items":[]}`}), dayone.ErrUnavailable, "holds no list"},
		"another language":  {always(sim.Fault{Status: 200, Body: `<Users total="0"/>`}), dayone.ErrUnavailable, "none that we understand"},
		"fewer than it has": {always(sim.Fault{Method: "GET", Path: "/vmrest/users", Status: 200, Body: `{"@total":"7"}`}), dayone.ErrUnavailable, "0 of 7"},
		"its words in JSON": {always(sim.Fault{Method: "POST", Status: 400, Body: `{"ErrorDetails":{"errors":[{"code":"X1","message":"what it says"}]}}`}), dayone.ErrInvalid, "X1"},
		"its words in XML":  {always(sim.Fault{Method: "POST", Status: 400, Body: `<ErrorDetails><errors><code>X2</code><message>what it says</message></errors></ErrorDetails>`}), dayone.ErrInvalid, "X2"},
	} {
		t.Run(name, func(t *testing.T) {
			b := begin(t)
			ref := b.ref("hhunt")
			c.break_(b.Sim)
			err := b.try(b.hire(dayone.Active))
			connectortest.Refused(t, err, c.want, c.says)
			var f *dayone.Fault
			if (name == "throttled" || name == "busy") && (!errors.As(err, &f) || f.RetryAt.Before(b.Now().Add(29*time.Second))) {
				t.Errorf("it is come back to at %v", f.RetryAt)
			}
			if name == "publisher down" || strings.HasPrefix(name, "its words") || name == "fewer than it has" {
				return
			}
			if seen, err := b.Guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err == nil {
				t.Errorf("what cannot be read is seen as %+v", seen)
			}
			if err := b.Guard.Check(t.Context()); err == nil {
				t.Error("the check says that all is well")
			}
		})
	}
}

// TestGone: not found is believed where the service answers, and only there.
func TestGone(t *testing.T) {
	b := begin(t)
	if seen, err := b.Guard.Observe(t.Context(), dayone.Subject{Ref: "0000-gone"}); err != nil || len(seen.Items) != 0 {
		t.Errorf("who is gone is seen as %+v, %v", seen, err)
	}
	b.Sim.Door().Inject(sim.Fault{Path: "/vmrest/users", Status: 404, Times: 2, Body: "<html>"})
	if _, err := b.Guard.Observe(t.Context(), dayone.Subject{Ref: b.ref("hhunt")}); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a server that is starting says %v", err)
	}
	b.Sim.Door().Heal()
	b.Sim.Door().Inject(sim.Fault{Path: "/vmrest/distributionlists", Status: 500})
	seen, err := b.Guard.Observe(t.Context(), dayone.Subject{Ref: b.ref("hhunt")})
	if err != nil || strings.Join(seen.Unread, ",") != "distribution_list" {
		t.Errorf("lists that cannot be read: %v, %v", seen.Unread, err)
	}
}

// TestWhole: a list that changes while it is read, or that somebody cut, is an error, whatever it showed before.
func TestWhole(t *testing.T) {
	b := begin(t)
	count := func() (n int, err error) {
		for _, err := range b.Guard.List(t.Context()) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	if n, err := count(); n != 7 || err != nil {
		t.Errorf("there are %d, %v", n, err)
	}
	b.Sim.Door().Inject(sim.Fault{Path: "/vmrest/users", Status: 503, Skip: 9})
	if n, err := count(); err == nil {
		t.Errorf("a list that broke off shows %d", n)
	}
	b.Sim.Door().Heal()
}

// TestShrinks: somebody who is deleted while a list is read moves all who follow one row up, over the end of a page.
func TestShrinks(t *testing.T) {
	b := begin(t)
	page := 0
	var last error
	for _, err := range b.Guard.List(t.Context()) {
		if page++; page == 1 {
			if err := b.try(b.Account(dayone.AccountDelete, b.ref("hhunt"), nil, nil)); err != nil {
				t.Fatal(err)
			}
		}
		last = err
	}
	if !errors.Is(last, dayone.ErrUnavailable) || !strings.Contains(last.Error(), "deleted while") {
		t.Errorf("a list that shrank ends with %v", last)
	}
}

var places = []string{"work-phone", "work-phone-2", "home-phone", "home-phone-2", "mobile-phone", "mobile-phone-2", "work-fax", "place-8", "place-9"}

// TestOne: a list of one element, of several and of none, at each place where there is one.
func TestOne(t *testing.T) {
	for _, n := range []int{0, 1, 2, 9} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			b := begin(t)
			ref := b.ref("hhunt")
			for i := range n {
				b.Do(b.answers(ref, places[i], strconv.Itoa(3000+i)))
			}
			seen, err := b.Guard.Observe(t.Context(), dayone.Subject{Ref: ref})
			if err != nil || len(seen.Items) != 1+n {
				t.Errorf("they are seen as %v, %v", seen.Items, err)
			}
		})
	}
}

// TestRecognised by employee id in each way, or by none; an account of another is shown and never taken.
func TestRecognised(t *testing.T) {
	hugo := func(b *server) dayone.Act {
		return b.Account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: dayone.Attrs{
			"login": dayone.Text("h.hunt"), "email": dayone.Text("h@company.com"), "employee_number": dayone.Text("emp_101"), "extension": dayone.Text("2222"),
		}}, nil)
	}
	for lookup, taken := range map[string]bool{"query": true, "list": true, "none": false} {
		t.Run(lookup, func(t *testing.T) {
			b := begin(t, "employee_lookup", lookup)
			if lookup == "list" {
				b.Sim.Unindexed("EmployeeId")
			}
			his := b.ref("hhunt")
			r, err := connectortest.Apply(t.Context(), b.Guard, hugo(b))
			if err != nil || (r.Now.Ref == his) != taken {
				t.Errorf("it is %+v, %v", r.Now, err)
			}
			if want := map[bool]int{true: 7, false: 8}[taken]; len(b.Sim.Accounts()) != want {
				t.Errorf("there are %d, want %d", len(b.Sim.Accounts()), want)
			}
		})
	}
	t.Run("no index", func(t *testing.T) {
		b := begin(t)
		b.Sim.Unindexed("EmployeeId")
		connectortest.Refused(t, b.try(hugo(b)), dayone.ErrInvalid, "employee_lookup")
	})
	t.Run("no index of members", func(t *testing.T) {
		b := begin(t, "member_query", "false")
		b.Sim.Unindexed("MemberUserObjectId")
		ref := b.ref("hhunt")
		b.Do(b.gives(ref, "distribution_list", "sales"))
		if r := b.Do(b.gives(ref, "distribution_list", "sales")); r.Changed() {
			t.Error("given twice it changes twice")
		}
	})
	t.Run("no index and nobody said so", func(t *testing.T) {
		b := begin(t)
		b.Sim.Unindexed("MemberUserObjectId")
		connectortest.Refused(t, b.try(b.gives(b.ref("hhunt"), "distribution_list", "sales")), dayone.ErrInvalid, "member_query")
	})
}

// TestBadInput: nothing half made, and each says what is wrong.
func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		as   dayone.Attrs
		want error
		says []string
	}{
		"no extension":          {dayone.Attrs{"extension": dayone.Text("")}, dayone.ErrInvalid, []string{"map the attribute extension"}},
		"no digits":             {dayone.Attrs{"extension": dayone.Text("two")}, dayone.ErrInvalid, []string{"no extension"}},
		"a user's":              {dayone.Attrs{"extension": dayone.Text("2104")}, dayone.ErrConflict, []string{"extension 2104 is that of user hhunt"}},
		"a handler's":           {dayone.Attrs{"extension": dayone.Text("99000")}, dayone.ErrConflict, []string{"call handler Opening Greeting"}},
		"no such template":      {dayone.Attrs{"template": dayone.Text("nobody")}, dayone.ErrInvalid, []string{"no user template nobody"}},
		"a login that is taken": {dayone.Attrs{"login": dayone.Text("HHunt"), "employee_number": dayone.Text("emp_1"), "email": dayone.Text("x@company.com")}, dayone.ErrConflict, []string{"login"}},
		"parentheses":           {dayone.Attrs{"login": dayone.Text("s (chen)")}, dayone.ErrInvalid, []string{"parentheses"}},
		"too long":              {dayone.Attrs{"title": dayone.Text(strings.Repeat("ä", 65))}, dayone.ErrInvalid, []string{"longer than 64"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := begin(t)
			before := b.Sim.Snapshot()
			a := b.hire(dayone.Active)
			for n, v := range c.as {
				a.Want.Attrs[n] = v
			}
			for _, k := range b.Guard.Manifest.Account.Match {
				a.Subject.Keys[k] = a.Want.Attrs.Text(k)
			}
			connectortest.Refused(t, b.try(a), c.want, c.says...)
			if d := differences(before, b.Sim.Snapshot()); len(d) > 0 {
				t.Errorf("changed: %v", d)
			}
		})
	}
}

// TestExtensions: what is taken in one partition is free in another; whose it is is said, and nothing is forced.
func TestExtensions(t *testing.T) {
	b := begin(t)
	ref := b.ref("hhunt")
	connectortest.Refused(t, b.try(b.change(ref, dayone.Attrs{"extension": dayone.Text("2100")})), dayone.ErrInvalid, "user mboss")
	connectortest.Refused(t, b.try(b.change(ref, dayone.Attrs{"extension": dayone.Text("")})), dayone.ErrInvalid, "keeps an extension")
	connectortest.Refused(t, b.try(b.answers(ref, "work-phone", "2100")), dayone.ErrInvalid, "user mboss")
	connectortest.Refused(t, b.try(b.answers(ref, "work-phone", "")), dayone.ErrInvalid, "needs its number")
	connectortest.Refused(t, b.try(b.answers(ref, "tenth-phone", "2999")), dayone.ErrNotFound)
	connectortest.Refused(t, b.try(b.gives(ref, "distribution_list", "nobody")), dayone.ErrNotFound)
	a := b.hire(dayone.Active)
	a.Want.Attrs["template"], a.Want.Attrs["extension"] = dayone.Text("berlin"), dayone.Text("2100")
	if r := b.Do(a); r.Now.Attrs.Text("extension") != "2100" {
		t.Errorf("in another partition it is %+v", r.Now)
	}
}

// TestOlderRelease: one that cannot search for handlers shows all of them, and one without a list offers none of it.
func TestOlderRelease(t *testing.T) {
	b := begin(t)
	b.Sim.Unindexed("IsPrimary")
	connectortest.Refused(t, b.try(b.Account(dayone.AccountDelete, b.ref("mboss"), nil, nil)), dayone.ErrConflict, "Opening Greeting")
	b.Do(b.Account(dayone.AccountDelete, b.ref("hhunt"), nil, nil))
	b.Sim.Door().Inject(sim.Fault{Path: "/vmrest/mailboxstores", Status: 404, Times: -1})
	b.Do(b.gives(b.ref("agent"), "distribution_list", "sales"))
}

// TestOwnAuthority: a server that signed its own certificate is trusted by that certificate, and by nothing less.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	s := unitysim.New(sim.Options{})
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it is refused, which is what is tested
	server.StartTLS()
	t.Cleanup(server.Close)
	own := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	for ca, want := range map[string]error{own: nil, "": dayone.ErrUnavailable} {
		settings := s.Settings(server.URL)
		settings["ca"] = ca
		g, err := connector.Open(unity.Factory, "unity", time.Now, connector.Options{Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Check(t.Context()); dayone.KindOf(err) != want {
			t.Errorf("with %d bytes of an authority: %v", len(ca), err)
		}
	}
}

// TestSettings that are wrong are refused before anybody is asked.
func TestSettings(t *testing.T) {
	for name, c := range map[string][2]string{"ca": {"unity.pem", "certificate"}, "time_zone": {"Mars/Base", "time zone"}, "pin_digits": {"5", "pin_digits"}, "url": {"not an address", "url"}} {
		settings := unitysim.New(sim.Options{}).Settings("https://127.0.0.1:1")
		settings[name] = c[0]
		_, err := connector.Open(unity.Factory, "unity", time.Now, connector.Options{Settings: settings})
		connectortest.Told(t, err, dayone.ErrInvalid, c[1])
	}
}
