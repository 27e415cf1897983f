package cucm_test

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// TestJoinerMoverLeaver: a local user of a living cluster comes, moves and goes, and nobody beside her is touched.
func TestJoinerMoverLeaver(t *testing.T) {
	t.Parallel()
	b := open(t, company(t), "local_users", "true")
	before := b.sim.Snapshot()

	ahead := b.create()
	ahead.Want.State = dayone.Disabled
	made := b.do(ahead)
	ref := made.Now.Ref
	if made.Now.State != dayone.Disabled || made.Before != nil {
		t.Fatalf("before her first day she is %+v", made.Now)
	}
	b.do(b.group(dayone.EntitlementAdd, ref, "Standard CCM End Users"))
	b.do(b.group(dayone.EntitlementAdd, ref, "Standard CTI Enabled"))
	if r := b.do(b.act(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active})); r.Now.State != dayone.Active {
		t.Fatalf("on her first day she is %+v", r.Now)
	}

	moved := dayone.Attrs{"title": dayone.Text("Führungskraft"), "last_name": dayone.Text("Chen-Łukasiewicz")}
	if r := b.do(b.act(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: moved})); len(r.Now.Attrs.Differ(moved)) > 0 || r.Before.Attrs.Text("last_name") != "Chen" {
		t.Errorf("after the move: %+v, before: %+v", r.Now, r.Before)
	}
	b.do(b.group(dayone.EntitlementRemove, ref, "Standard CTI Enabled"))
	var mine sim.Account
	for _, a := range b.sim.Accounts() {
		if a.Ref == ref {
			mine = a
		}
	}
	if strings.Join(mine.Entitlements, ",") != "user_group:Standard CCM End Users" {
		t.Errorf("after the move she has %v", mine.Entitlements)
	}

	leave := b.act(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled})
	if r := b.do(leave); r.Now.State != dayone.Disabled {
		t.Errorf("after her last day she is %+v", r.Now)
	}
	if again := b.do(leave); again.Changed() {
		t.Error("closing twice changes twice")
	}
	b.do(b.act(dayone.AccountDelete, ref, nil))
	if d := differences(before, b.sim.Snapshot()); len(d) > 0 {
		t.Errorf("after she went these are not what they were: %v", d)
	}
	if n := b.sent("apply"); n != 0 {
		t.Errorf("%d devices were applied", n)
	}
}

// TestLeaverIsLoggedOut: a colleague who is logged in on somebody else's phone is logged out there, whoever logged in since
// stays, and the phone is its owner's again.
func TestLeaverIsLoggedOut(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	ref := b.ref("ecolleague")
	rings := func(to string) string {
		c, err := b.sim.Call("PSTN", to)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(c.Rings, " ")
	}
	if got := rings("+14085552103"); got != "SEP001122302100" {
		t.Fatalf("her number rings %q", got)
	}
	b.do(b.act(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
	if got := rings("+14085552103"); got != "" {
		t.Errorf("after her last day her number still rings %q", got)
	}
	if got := rings("+14085552100"); got != "SEP001122302100 SEP001122302102" {
		t.Errorf("the boss' number rings %q", got)
	}

	b = open(t, company(t))
	b.sim.Before("getPhone", func() { b.sim.LogIn("SEP001122302100", "hhunt", "UDP-ecolleague") }) // between our list and our look
	b.do(b.act(dayone.AccountDisable, b.ref("ecolleague"), &dayone.Item{State: dayone.Disabled}))
	if n := b.sent("doDeviceLogout"); n != 0 {
		t.Errorf("somebody else was logged out %d times", n)
	}
}

// TestTokensAreEnded where that is asked for, and a closing that could not end them is not done.
func TestTokensAreEnded(t *testing.T) {
	t.Parallel()
	b := open(t, company(t), "revoke_tokens", "true")
	b.sim.Door().Inject(sim.Fault{Path: "/ssosp/", Status: 503})
	leave := b.act(dayone.AccountDisable, b.ref("local"), &dayone.Item{State: dayone.Disabled})
	if _, err := b.guard.Apply(t.Context(), leave); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("tokens that were not ended: %v", err)
	}
	leave.Attempt = 2
	b.do(leave)
	if got := strings.Join(b.sim.Revoked(), ","); got != "local" {
		t.Errorf("tokens were ended of %q", got)
	}
}

// TestSynced: what the directory masters is changed there; the PIN is ours; and no local user stands beside it.
func TestSynced(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	ref := b.ref("mboss")
	before := b.sim.Snapshot()
	for name, a := range map[string]dayone.Act{
		"a new name": b.act(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"last_name": dayone.Text("Chef")}}),
		"a removal":  b.act(dayone.AccountDelete, ref, nil),
	} {
		if _, err := b.guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnsupported) || !strings.Contains(detail(err), "corp-ad") {
			t.Errorf("%s: %v (%s)", name, err, detail(err))
		}
	}
	if _, err := b.guard.Apply(t.Context(), b.create()); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(detail(err), "local_users") {
		t.Errorf("a local user: %v (%s)", err, detail(err))
	}
	if d := differences(before, b.sim.Snapshot()); len(d) > 0 {
		t.Errorf("changed: %v", d)
	}
	if r := b.do(b.act(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled})); r.Now.State != dayone.Disabled {
		t.Errorf("closed she is %+v", r.Now)
	}
}

// TestDirectoryCloses: the account waits for the directory; the PIN and the phone do not.
func TestDirectoryCloses(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	ref := b.ref("ecolleague")
	leave := b.act(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled})
	leave.Via = dayone.Key{System: "ad", Kind: "account"}
	if r := b.do(leave); r.Wait == nil && r.Now.State != dayone.Disabled {
		t.Errorf("before the directory let go of her she is %+v", r.Now)
	}
	o, err := b.cluster.Get(t.Context(), cucm.User, cucm.Key{UUID: ref})
	if err != nil || !o.True("pinCredentials/pinCredLockedByAdministrator") || o.State("passwordCredentials") == cucm.Set {
		t.Errorf("her PIN is open, or her password was touched: %v, %v", o, err)
	}
	c, err := b.sim.Call("PSTN", "+14085552103")
	if err != nil || len(c.Rings) != 0 {
		t.Errorf("she is still logged in: %+v, %v", c, err)
	}
	writes := b.sent("update")
	leave.Attempt = 2
	b.do(leave)
	if b.sent("update") != writes {
		t.Error("her PIN is locked again at every look")
	}
	back := b.act(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active})
	back.Via = leave.Via
	if r := b.do(back); r.Wait != nil || r.Now.State != dayone.Active {
		t.Errorf("when she is back she is %+v and waits for %+v", r.Now, r.Wait)
	}
	b.sim.Admin("user", "ecolleague", "status", "0")
	leave.Attempt = 3
	if r := b.do(leave); r.Wait != nil || r.Now.State != dayone.Disabled {
		t.Errorf("after the directory let go of her she is %+v and waits for %+v", r.Now, r.Wait)
	}
	b.sim.Drop("user", "ecolleague") // and a day later
	if seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || len(seen.Items) != 0 {
		t.Errorf("after the purge she is seen as %+v, %v", seen, err)
	}
}

// TestPurge: a joiner appears when the directory brings her. Whoever the directory lets go of is inactive, then gone in the
// night after the next; somebody who is back before that keeps what she has.
func TestPurge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s := alone(sim.Options{Page: 50, Now: func() time.Time { return now }})
	s.Fill("SFO", `\+1408555`)
	b := open(t, s, "employee_number", "custom")
	b.people = []string{"schen"}
	staff := []cucmsim.Entry{{ID: "schen", First: "Sarah", Last: "Chen", Mail: "sarah.chen@company.com", Number: "emp_789"}}
	for _, a := range s.Accounts() {
		if a.Login != "local" {
			staff = append(staff, cucmsim.Entry{ID: a.Login, First: a.FirstName, Last: a.LastName, Mail: a.Email})
		}
	}
	via := dayone.Key{System: "ad", Kind: "account"}
	hire := b.create()
	hire.Via = via
	if r := b.do(hire); r.Wait == nil || r.Wait.Kind != dayone.WaitPropagation {
		t.Fatalf("before the directory brings her: %+v", r)
	}
	sync := func() {
		t.Helper()
		if err := b.cluster.Synchronize(t.Context(), "corp-ad"); err != nil {
			t.Fatal(err)
		}
	}
	s.Directory(staff...)
	sync()
	hire.Attempt = 2
	made := b.do(hire)
	if made.Wait != nil || made.Now == nil || made.Now.Attrs.Text("directory") != "corp-ad" {
		t.Fatalf("after it brought her: %+v", made)
	}
	ref := made.Now.Ref
	b.do(b.group(dayone.EntitlementAdd, ref, "Standard CTI Enabled"))

	state := func() dayone.State {
		t.Helper()
		seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
		if err != nil {
			t.Fatal(err)
		}
		if seen.Account() == nil {
			return dayone.Gone
		}
		return seen.Account().State
	}
	staff[0].Disabled = true // a leave of twenty hours
	s.Directory(staff...)
	sync()
	now = now.Add(20 * time.Hour)
	if got := state(); got != dayone.Disabled {
		t.Errorf("on leave she is %s", got)
	}
	staff[0].Disabled = false
	s.Directory(staff...)
	sync()
	now = now.Add(72 * time.Hour)
	if got := state(); got != dayone.Active {
		t.Errorf("back from leave she is %s", got)
	}
	if items, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || !strings.Contains(words(items), "Standard CTI Enabled") {
		t.Errorf("back from leave she has %s, %v", words(items), err)
	}

	staff[0].Disabled = true
	s.Directory(staff...)
	sync()
	now = now.Add(72 * time.Hour)
	if got := state(); got != dayone.Gone {
		t.Errorf("three nights later she is %s", got)
	}
	leave := b.act(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled})
	leave.Via = via
	if r := b.do(leave); r.Now != nil {
		t.Errorf("closing who is gone says %+v", r.Now)
	}
	if len(s.Accounts()) != 6 || s.Synchronizations() != 4 {
		t.Errorf("there are %d users after %d synchronizations", len(s.Accounts()), s.Synchronizations())
	}
	if err := b.cluster.Synchronize(t.Context(), "other-ad"); kindOf(err) != dayone.ErrNotFound {
		t.Errorf("an agreement that is not there: %v", err)
	}
}

// TestLostAnswer: the write was committed and its answer lost. The account is taken up by its employee number; without one a
// human says whose it is; and a group is given once.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"associatedPc", "none"} {
		b := open(t, cast(sim.Options{Page: 50}), "employee_number", field, "local_users", "true")
		b.sim.Before("addUser", func() { b.sim.CutNext() })
		a := b.create()
		if _, err := b.guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnavailable) {
			t.Fatalf("a cut answer says %v", err)
		}
		if all := b.sim.Accounts(); len(slices.DeleteFunc(all, func(x sim.Account) bool { return x.Login != "schen" })) != 1 {
			t.Fatalf("there are %v", all)
		}
		a.Attempt = 2
		r, err := connectortest.Apply(t.Context(), b.guard, a)
		switch {
		case field == "none" && !errors.Is(err, dayone.ErrConflict):
			t.Errorf("without a number the retry says %v", err)
		case field != "none" && (err != nil || r.Now.Ref != b.ref("schen")):
			t.Errorf("the retry says %+v, %v", r.Now, err)
		}
		ref := b.ref("schen")
		b.sim.Before("updateUser", func() { b.sim.CutNext() })
		g := b.group(dayone.EntitlementAdd, ref, "Standard CTI Enabled")
		if _, err := b.guard.Apply(t.Context(), g); !errors.Is(err, dayone.ErrUnavailable) {
			t.Fatalf("a cut answer says %v", err)
		}
		g.Attempt = 2
		if r := b.do(g); r.Now == nil {
			t.Error("the retry does not see the group")
		}
		hers := slices.DeleteFunc(b.sim.Accounts(), func(x sim.Account) bool { return x.Login != "schen" })
		if len(hers) != 1 || len(hers[0].Entitlements) != 1 {
			t.Errorf("there are %v", hers)
		}
	}
}

// TestSomebodyElseWrites between our reading and our writing: what they added is gone with our list, and that is said.
func TestSomebodyElseWrites(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	ref := b.ref("hhunt")
	other := func() {
		b.sim.Admin("user", "hhunt", "associatedGroups", "Standard CCM End Users", "Standard CTI Allow Control of All Devices")
	}
	b.sim.Before("updateUser", other)
	a := b.group(dayone.EntitlementAdd, ref, "Standard CTI Enabled")
	if _, err := b.guard.Apply(t.Context(), a); err == nil {
		t.Error("nobody says that somebody else wrote")
	}

	after := open(t, company(t), "change_list", "false")
	ref = after.ref("hhunt")
	after.sim.Before("updateUser", func() {
		after.sim.Before("getUser", func() { after.sim.Admin("user", "hhunt", "title", "Operator") })
	})
	_, _, err := after.cluster.Change(t.Context(), cucm.User, cucm.Key{UUID: ref}, func(o *cucm.Object) error {
		o.Set("homeNumber", "1")
		return o.Err()
	})
	if !errors.Is(err, dayone.ErrConflict) || !strings.Contains(detail(err), "title") {
		t.Errorf("somebody who writes before we read back: %v (%s)", err, detail(err))
	}
}

// TestRefusals: each fault is of its kind, and says what the administrator does.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		break_ func(*cucmsim.Sim)
		want   error
		says   string
	}{
		"password changed":   {func(s *cucmsim.Sim) { s.Password("another") }, dayone.ErrAuth, "Application User"},
		"no AXL role":        {func(s *cucmsim.Sim) { s.Role(false) }, dayone.ErrForbidden, "Standard AXL API Access"},
		"no AXL service":     {func(s *cucmsim.Sim) { s.Door().Inject(sim.Fault{Status: 404, Times: -1}) }, dayone.ErrUnavailable, "Service Activation"},
		"queue full":         {func(s *cucmsim.Sim) { s.Shed(1) }, dayone.ErrThrottled, "queue"},
		"publisher down":     {func(s *cucmsim.Sim) { s.Publisher(false) }, dayone.ErrUnavailable, "publisher"},
		"half an answer":     {func(s *cucmsim.Sim) { s.Door().Inject(sim.Fault{Status: 200, Body: "<Envelope><Body>"}) }, dayone.ErrUnavailable, "no XML"},
		"another's answer":   {func(s *cucmsim.Sim) { s.Door().Inject(sim.Fault{Status: 200, Body: "<a><Body/></a>"}) }, dayone.ErrUnavailable, "not one to"},
		"a fault of no code": {func(s *cucmsim.Sim) { s.Door().Inject(sim.Fault{Status: 500, Body: "<html>"}) }, dayone.ErrUnavailable, ""},
	} {
		b := open(t, cast(sim.Options{}), "local_users", "true")
		c.break_(b.sim)
		_, err := b.guard.Apply(t.Context(), b.create())
		if kindOf(err) != c.want || !strings.Contains(detail(err), c.says) {
			t.Errorf("%s: %v (%s)", name, err, detail(err))
		}
		var f *dayone.Fault
		if name == "queue full" && (!errors.As(err, &f) || !f.RetryAt.After(b.at)) {
			t.Errorf("a full queue is come back to at %v", f.RetryAt)
		}
		b.sim.Door().Heal()
	}
}

// TestWrongReferences: a misspelt partition is said with its name; a name that another class of device has is a conflict.
func TestWrongReferences(t *testing.T) {
	t.Parallel()
	b := stocked(t)
	_, err := b.cluster.Add(t.Context(), cucm.Line.New().Set("pattern", "2999").Set("usage", "Device").Set("routePartitionName", "DM_PT"))
	if kindOf(err) != dayone.ErrInvalid || !strings.Contains(detail(err), "DM_PT") {
		t.Errorf("a misspelt partition: %v (%s)", err, detail(err))
	}
	if _, err = b.cluster.Add(t.Context(), device(cucm.DeviceProfile.New(), "SEP001122334455", "Device Profile")); kindOf(err) != dayone.ErrConflict {
		t.Errorf("a profile with a phone's name: %v", err)
	}
	if _, err = b.cluster.Get(t.Context(), cucm.Phone, cucm.By("SEPNONE")); kindOf(err) != dayone.ErrNotFound {
		t.Errorf("no such phone: %v", err)
	}
	if err = b.cluster.Update(t.Context(), cucm.By("SEPNONE"), cucm.Phone.New().Set("description", "x")); kindOf(err) != dayone.ErrNotFound {
		t.Errorf("no such phone to update: %v", err)
	}
	if err = b.cluster.Remove(t.Context(), cucm.Phone, cucm.By("SEP001122334455")); err != nil {
		t.Errorf("removing a phone: %v", err)
	}
	if _, err = b.cluster.Get(t.Context(), cucm.Line, cucm.By("3101", "DN_PT")); err != nil {
		t.Errorf("the line went with its phone: %v", err)
	}
}

// TestSession: the server's session is kept, else each call opens one more.
func TestSession(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	for range 3 {
		if err := b.guard.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range b.sim.Door().Requests() {
		if got := r.Header.Get("Cookie"); (i > 0) != strings.Contains(got, "JSESSIONIDSSO=SESSION") {
			t.Errorf("request %d carries the cookies %q", i, got)
		}
	}
}

// TestDoors: whatever is asked at the same time, one request writes and two read.
func TestDoors(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	b.sim.Door().SetLatency(2 * time.Millisecond) // long enough to meet on the way
	var wait sync.WaitGroup
	for _, login := range []string{"mboss", "aassist", "ecolleague", "hhunt", "agent", "local"} {
		ref := b.ref(login)
		for range 2 {
			wait.Go(func() {
				if _, err := b.guard.Apply(t.Context(), b.group(dayone.EntitlementAdd, ref, "Standard CTI Enabled")); err != nil {
					t.Errorf("%s: %v", login, err)
				}
				if _, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil {
					t.Errorf("%s: %v", login, err)
				}
			})
		}
	}
	wait.Wait()
	if reads, writes := b.sim.Busiest(); reads != 2 || writes != 1 {
		t.Errorf("%d read and %d wrote at the same time", reads, writes)
	}
	for _, a := range b.sim.Accounts() {
		if len(a.Entitlements) != 2 {
			t.Errorf("%s has %v", a.Login, a.Entitlements)
		}
	}
}

// TestObserve shows a person's lines, phones and profiles by the same names as the list does.
func TestObserve(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	want := `account: device_profile:UDP-ecolleague line:\+14085552103@DN_PT user_group:Standard CCM End Users`
	one, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: b.ref("ecolleague")})
	if err != nil || len(one.Unread) > 0 || words(one) != want {
		t.Errorf("she is seen with %s, unread %v, %v", words(one), one.Unread, err)
	}
	n := 0
	for seen, err := range b.guard.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; seen.Account().Ref == b.ref("ecolleague") && words(seen) != want {
			t.Errorf("the list shows her with %s", words(seen))
		}
		if seen.Account().Ref == b.ref("aassist") && words(seen) != `account: line:\+14085552100@DN_PT line:\+14085552102@DN_PT phone:SEP001122302102 user_group:Standard CCM End Users` {
			t.Errorf("the assistant has %s", words(seen))
		}
	}
	if n != 6 {
		t.Errorf("the list shows %d", n)
	}
	found, checked, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: b.ref("mboss")})
	if err != nil || len(checked) != 2 || len(unread) > 0 || len(found) != 1 || found[0].Name != "SEP001122302100" {
		t.Errorf("with the boss remain %v of %v, unread %v, %v", found, checked, unread, err)
	}
}

func words(s connector.Seen) string {
	var out []string
	for _, it := range s.Items {
		out = append(out, it.Key.Kind+":"+it.Key.Name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestOwnAuthority: a publisher that signed its own certificate is trusted by that certificate, and by nothing less.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	s := made(cast(sim.Options{}))
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it is refused, which is what is tested
	server.StartTLS()
	t.Cleanup(server.Close)
	own := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	for _, c := range []struct {
		ca   string
		want error
	}{{own, nil}, {"", dayone.ErrUnavailable}} {
		settings := s.Settings(server.URL)
		settings["ca"] = c.ca
		g, err := connector.Open(cucm.Factory, "cucm", time.Now, connector.Options{Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Check(t.Context()); kindOf(err) != c.want {
			t.Errorf("with %d bytes of an authority: %v (%s)", len(c.ca), err, detail(err))
		}
	}
	settings := s.Settings(server.URL)
	settings["ca"] = "cucm.pem"
	if _, err := connector.Open(cucm.Factory, "cucm", time.Now, connector.Options{Settings: settings}); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("a file's name as a certificate: %v", err)
	}
}
