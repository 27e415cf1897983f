package cucm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/cucm"
	"github.com/dayone-hq/dayone/connector/sim"
)

// TestTheJudge: each thing that a careful client never does fails a test that does it.
func TestTheJudge(t *testing.T) {
	t.Parallel()
	breach := func(do func(*bench), people ...string) string {
		s := company(t) // its requests are judged here, and nowhere else
		b := &bench{T: t, sim: s, at: time.Now()}
		b.reach()
		do(b)
		return strings.Join(s.Breaches(people...), "; ")
	}
	describe := func(kind *cucm.Kind, key cucm.Key) func(*bench) {
		return func(b *bench) {
			if err := b.cluster.Update(t.Context(), key, kind.New().Set("description", "x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := breach(describe(cucm.Phone, cucm.By("SEP001122302106")), "local"); got != "" {
		t.Errorf("her own phone: %s", got)
	}
	for name, got := range map[string]string{
		"updatePhone of SEP001122302106":    breach(describe(cucm.Phone, cucm.By("SEP001122302106")), "hhunt"),
		`updateLine of \+14085552104@DN_PT`: breach(describe(cucm.Line, cucm.By(`\+14085552104`, "DN_PT")), "local"),
		"updateLine of 2101@DN_PT":          breach(describe(cucm.Line, cucm.By("2101", "DN_PT")), "local"),
		"updateUserGroup of Standard CTI Enabled": breach(func(b *bench) {
			if err := b.cluster.Update(t.Context(), cucm.By("Standard CTI Enabled"), cucm.UserGroup.New().Put("members")); err != nil {
				t.Fatal(err)
			}
		}, "local"),
		"resetPhone was sent":       breach(func(b *bench) { b.raw("resetPhone", "<name>SEP001122302106</name>") }, "local"),
		"executeSQLUpdate was sent": breach(func(b *bench) { b.raw("executeSQLUpdate", "<sql>update device set name='x'</sql>") }, "local"),
		"2 wrote": breach(func(b *bench) {
			b.sim.Door().SetLatency(20 * time.Millisecond)
			done := make(chan bool)
			for range 2 {
				go func() { b.raw("applyPhone", "<name>SEP001122302106</name>"); done <- true }()
			}
			<-done
			<-done
		}, "local"),
	} {
		if !strings.Contains(got, name) {
			t.Errorf("%q is not noticed: %q", name, got)
		}
	}
}

// TestPINPolicy: a PIN that the cluster refuses is said so without the PIN, though the server repeats it; one of the last ones
// is refused too; and who guessed wrong too often is locked out until the count is reset.
func TestPINPolicy(t *testing.T) {
	t.Parallel()
	b := open(t, cast(sim.Options{}), "local_users", "true")
	a := b.create()
	a.Secrets["pin"] = dayone.NewSecret("11111111")
	if _, err := b.guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(detail(err), "trivial") || strings.Contains(err.Error()+detail(err), "11111111") {
		t.Errorf("a trivial PIN: %v (%s)", err, detail(err))
	}
	b.do(b.create())
	key := cucm.By("schen")
	set := func(pin string) error {
		return b.cluster.Update(t.Context(), key, cucm.User.New().Set("pin", pin))
	}
	for pin, want := range map[string]error{"73018264": dayone.ErrInvalid, "4711": dayone.ErrInvalid, "90817263": nil} {
		if err := set(pin); kindOf(err) != want {
			t.Errorf("another PIN: %v", err)
		}
	}
	o, err := b.cluster.Get(t.Context(), cucm.User, key)
	if err != nil || o.Value("pin") != "" || o.Value("pinCredentials/pinCredTimeChanged") == "" {
		t.Errorf("the PIN is shown, or not when it was set: %v, %v", o, err)
	}
	right := func(pin string) bool {
		return b.sim.OpensBy("schen", pin)
	}
	if !right("90817263") {
		t.Error("her PIN is not the one that was set last")
	}
	for range 3 {
		right("12398745")
	}
	if right("90817263") {
		t.Error("after three wrong ones her PIN is taken")
	}
	if err := b.cluster.Update(t.Context(), key, cucm.User.New().Set("pinCredentials/pinResetHackCount", "true")); err != nil || !right("90817263") {
		t.Errorf("after the reset of the count it is not: %v", err)
	}
}

// TestAppliedOnly: what is written of a line changes no call before it is applied, and no phone is reset for it.
func TestAppliedOnly(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	b.ref("local")
	key := cucm.By(`\+14085552106`, "DN_PT")
	_, _, err := b.cluster.Change(t.Context(), cucm.Line, key, func(o *cucm.Object) error {
		return o.Put("callForwardAll", cucm.Leaf("forwardToVoiceMail", "true"), cucm.Leaf("callingSearchSpaceName", ""), cucm.Leaf("secondaryCallingSearchSpaceName", ""), cucm.Leaf("destination", "")).Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	rings := func() string {
		c, err := b.sim.Call("PSTN", "+14085552106")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(c.Rings, " ")
	}
	if got := rings(); got != "SEP001122302106" {
		t.Errorf("before it is applied %q rings", got)
	}
	if err := b.cluster.Activate(t.Context(), cucm.Line, key); err != nil || rings() != "" {
		t.Errorf("after it %q rings, %v", rings(), err)
	}
	if err := b.cluster.Activate(t.Context(), cucm.User, cucm.By("local")); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("applying a user: %v", err)
	}
	if err := b.cluster.Activate(t.Context(), cucm.Phone, cucm.By("SEPNONE")); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("applying a phone that is not there: %v", err)
	}
}

// TestNotWhileUsed: a line that a forward leads to, and a profile and a user with a log-in, are not removed; releases that
// remove them all the same leave nothing that names them.
func TestNotWhileUsed(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{true, false} {
		b := open(t, company(t))
		b.people = []string{"local", "hhunt", "ecolleague"}
		b.sim.LogIn("SEP001122302106", "local", "UDP-ecolleague")
		b.sim.KeepsUsed("line", keeps)
		b.sim.KeepsUsed("login", keeps)
		for _, c := range []struct {
			kind *cucm.Kind
			key  cucm.Key
		}{{cucm.Line, cucm.By(`\+14085552104`, "DN_PT")}, {cucm.DeviceProfile, cucm.By("UDP-ecolleague")}, {cucm.User, cucm.By("local")}} {
			if err := b.cluster.Remove(t.Context(), c.kind, c.key); (err == nil) == keeps || keeps && kindOf(err) != dayone.ErrInvalid {
				t.Errorf("kept: %v; removing %s: %v", keeps, c.key, err)
			}
		}
		if o, err := b.cluster.Get(t.Context(), cucm.Phone, cucm.By("SEP001122302106")); err != nil || !keeps && o.Value("loginUserId")+o.Value("ownerUserName") != "" {
			t.Errorf("the phone still names who is gone: %v, %v", o, err)
		}
	}
}

// TestFullQueue: after three writes the publisher sheds the next one; that is come back to, and reading goes on meanwhile.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	s := cast(sim.Options{Page: 50})
	b := open(t, s)
	s.Queue(3, time.Hour)
	var shed error
	for i := range 4 {
		_, shed = b.cluster.Add(t.Context(), cucm.Line.New().Set("pattern", fmt.Sprint(3000+i)).Set("usage", "Device").Set("routePartitionName", "DN_PT"))
		if i < 3 && shed != nil {
			t.Fatal(shed)
		}
	}
	var f *dayone.Fault
	if !errors.As(shed, &f) || !errors.Is(shed, dayone.ErrThrottled) || !f.RetryAt.After(b.at) {
		t.Errorf("the fourth write: %v", shed)
	}
	if err := b.guard.Check(t.Context()); err != nil {
		t.Errorf("reading beside a full queue: %v", err)
	}
}

// TestSubscriber: while the publisher's database is down a subscriber answers what is read, all of it, and nothing is written.
func TestSubscriber(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	b.sim.Publisher(false)
	if d, err := b.guard.Discover(t.Context(), func(dayone.PlatformKind, int) {}); err != nil || len(d.Users) != 6 {
		t.Errorf("reading: %v", err)
	}
	before := b.sim.Snapshot()
	_, _, err := b.cluster.Change(t.Context(), cucm.User, cucm.Key{UUID: b.ref("local")}, func(o *cucm.Object) error { return o.Set("title", "x").Err() })
	if !errors.Is(err, dayone.ErrUnavailable) || len(differences(before, b.sim.Snapshot())) > 0 {
		t.Errorf("writing: %v", err)
	}
}

// TestTooLarge: an answer over the server's limit is asked for again in smaller pages, and nobody is missed or told of twice.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := alone(sim.Options{Page: 5000})
	b := open(t, s)
	for i := range 60 {
		s.Seed(sim.Account{Login: fmt.Sprintf("u%03d", i), LastName: strings.Repeat("Ł", 200)})
	}
	s.Limit(9000)
	seen := map[string]int{}
	if err := b.cluster.List(t.Context(), cucm.User, "userid", []string{"userid", "lastName"}, func(o *cucm.Object) bool { seen[o.Value("userid")]++; return true }); err != nil {
		t.Fatal(err)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is told of %d times", id, n)
		}
	}
	if len(seen) != 60 || s.Largest() > 9000 || b.sent("listUser") < 4 {
		t.Errorf("%d users, the largest answer has %d bytes, %d requests", len(seen), s.Largest(), b.sent("listUser"))
	}
}

// TestNames: what a cluster refuses of names is refused here: too long, of another class's prefix, small letters, a plus sign
// that is not escaped.
func TestNames(t *testing.T) {
	t.Parallel()
	b := stocked(t)
	for name, o := range map[string]*cucm.Object{
		"too long":       editable["phone"].make().Set("name", "SEP0011223344556"),
		"small letters":  editable["jabber"].make().Set("name", "CSFjane"),
		"a phone's name": editable["jabber"].make().Set("name", "SEP998877665544"),
		"a bare plus":    cucm.Line.New().Set("pattern", "+14085552109").Set("usage", "Device").Set("routePartitionName", "DN_PT"),
		"no such value":  editable["remoteDestination"].make().Set("destination", "+14155550101").Set("singleNumberReachVoicemail", "Sometimes"),
		"no such role":   cucm.UserGroup.New().Set("name", "x").Put("userRoles", cucm.Group("userRole", cucm.Leaf("roleName", "Nobody's"))),
	} {
		if _, err := b.cluster.Add(t.Context(), o); kindOf(err) != dayone.ErrInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.cluster.Add(t.Context(), editable["remoteDestination"].make()); kindOf(err) != dayone.ErrConflict {
		t.Errorf("the same destination twice: %v", err)
	}
}

// TestGroupsMembers: a group's list of members is written whole; who leaves it leaves nothing else, and its roles stay.
func TestGroupsMembers(t *testing.T) {
	t.Parallel()
	b := stocked(t)
	if _, err := b.cluster.Add(t.Context(), cucm.User.New().Set("userid", "v").Set("lastName", "V").Set("presenceGroupName", "Standard Presence group")); err != nil {
		t.Fatal(err)
	}
	was, is, err := b.cluster.Change(t.Context(), cucm.UserGroup, cucm.By("Helpers"), func(o *cucm.Object) error {
		return o.Put("members", cucm.Group("member", cucm.Leaf("userId", "v"))).Err()
	})
	if err != nil || fmt.Sprint(was.All("userRoles")) != fmt.Sprint(is.All("userRoles")) {
		t.Errorf("%v -> %v, %v", was, is, err)
	}
	for id, want := range map[string]string{"u": "Standard CTI Enabled", "v": "Helpers"} {
		o, err := b.cluster.Get(t.Context(), cucm.User, cucm.By(id))
		var got []string
		for _, g := range o.All("associatedGroups/userGroup") {
			got = append(got, g.Value("name"))
		}
		if err != nil || strings.Join(got, ",") != want {
			t.Errorf("%s is in %v, %v", id, got, err)
		}
	}
}

// TestUnknownNumber: a phone with a number that is not there is refused whole, or the cluster makes the line; releases differ,
// and either way what is there is known.
func TestUnknownNumber(t *testing.T) {
	t.Parallel()
	for _, makes := range []bool{false, true} {
		b := open(t, cast(sim.Options{Page: 50}))
		b.sim.MakesLines(makes)
		if _, err := b.cluster.Add(t.Context(), editable["user"].make()); err != nil {
			t.Fatal(err)
		}
		_, err := b.cluster.Add(t.Context(), editable["phone"].make())
		_, missing := b.cluster.Get(t.Context(), cucm.Line, cucm.By("3101", "DN_PT"))
		switch {
		case makes && (err != nil || missing != nil):
			t.Errorf("a cluster that makes lines: %v, and the line: %v", err, missing)
		case !makes && (kindOf(err) != dayone.ErrInvalid || !strings.Contains(detail(err), "310") || kindOf(missing) != dayone.ErrNotFound):
			t.Errorf("a cluster that makes none: %v (%s), and the line: %v", err, detail(err), missing)
		}
	}
}
