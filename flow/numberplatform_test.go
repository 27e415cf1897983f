package flow_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/number/platform"
)

const clusterNumbers = `
pools:
  office:
    platform: cucm
    partition: DN_PT
    emergency: ERL-1
    ranges:
      - {first: +14085552100, last: +14085552119}
  ported:
    platform: cucm
    partition: DN_PT
    emergency: ERL-1
    ranges:
      - {first: +14085552990, last: +14085552999}
`

// cluster is a house with a Unified CM cluster and the people whom it knows.
type cluster struct {
	*house
	sim *cucmsim.Sim
	ids map[string]dayone.PersonID
}

// clustered opens one. Of those whom the cluster knows some have left.
func clustered(t *testing.T, left ...string) *cluster {
	t.Helper()
	w := newWorld(t)
	c := &cluster{ids: map[string]dayone.PersonID{}}
	c.sim, _ = cucmsim.NewCompany(sim.Options{Now: w.clock.Now, Page: 50})
	srv := httptest.NewServer(c.sim)
	t.Cleanup(srv.Close)
	w.joined = func(d *flow.Deps) {
		g, err := connector.Open(cucm.Factory, "cucm", w.clock.Now, connector.Options{Settings: c.sim.Settings(srv.URL), PerMinute: map[string]int{"default": 600_000}})
		if err != nil {
			t.Fatal(err)
		}
		d.Systems["cucm"] = g
	}
	c.house = w.open()
	if _, err := c.SaveNumberPlan(few, clusterNumbers, 0, "kim"); err != nil {
		t.Fatal(err)
	}
	for i, p := range []string{"mboss Maria Boss", "aassist Ali Assist", "ecolleague Ewa Colleague", "hhunt Hugo Hunt", "agent Agnes Agent", "local Lothar Local"} {
		f := strings.Fields(p)
		record := employee(fmt.Sprint(2000+i), "email", f[0]+"@example.com", "first_name", f[1], "last_name", f[2], "start_date", here)
		if slices.Contains(left, f[0]) {
			record["end_date"] = "2024-11-14"
		}
		in := c.judged(c.hears(c.hr.Put(record))[0].ID)
		same(t, p, in.State, dayone.EventApplied)
		c.ids[f[0]] = in.Person
	}
	return c
}

// reads reads the cluster and waits until it was compared.
func (c *cluster) reads() flow.PlatformAudit {
	c.t.Helper()
	before := c.audit().Compared
	if err := c.ReadPlatform(few, "cucm", "kim"); err != nil {
		c.t.Fatal(err)
	}
	return until(c.house, "a telephone system read", func() (flow.PlatformAudit, bool) {
		a := c.audit()
		if !before.IsZero() && a.Problem == "" && a.Compared.Before(a.Read) {
			c.t.Errorf("findings compared at %s are told of a reading at %s", a.Compared, a.Read)
		}
		return a, !a.Reading && (a.Compared.After(before) || a.Problem != "")
	})
}

func (c *cluster) audit() flow.PlatformAudit {
	c.t.Helper()
	a, err := c.PlatformAudit(few, "cucm", flow.PlatformFilter{})
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func kindsOf(a flow.PlatformAudit) string {
	var out []string
	for _, f := range a.Findings {
		out = append(out, string(f.Kind)+" "+f.Name)
	}
	return strings.Join(out, ", ")
}

// A cluster is read, compared and adopted: the books have whose each number is, what nobody is to have is held, and nothing of
// the cluster is changed. Adopted twice it is adopted once.
func TestAClusterIsAdopted(t *testing.T) {
	t.Parallel()
	c := clustered(t)
	if a := c.audit(); !a.Read.IsZero() || a.Reading || len(a.Findings) > 0 {
		t.Errorf("before anybody asked: %+v", a)
	}
	_, err := c.AdoptPlatform(few, "cucm", "", "kim", true)
	is(t, err, dayone.ErrConflict)
	is(t, c.ReadPlatform(few, "okta", "kim"), dayone.ErrNotFound)
	is(t, c.ReadPlatform(few, "nothing", "kim"), dayone.ErrNotFound)

	before := c.sim.Snapshot()
	a := c.reads()
	same(t, "problem", a.Problem, "")
	if !maps.Equal(c.sim.Snapshot(), before) {
		t.Error("reading changed the cluster")
	}
	same(t, "found", a.Counts["used-free"], 6)
	same(t, "found", a.Counts["local-user"], 1)
	same(t, "findings", a.Total, 10)
	some, err := c.PlatformAudit(few, "cucm", flow.PlatformFilter{Kind: "used-free", Text: "2103", Limit: 1})
	if err != nil || some.Total != 1 || len(some.Findings) != 1 || some.Findings[0].PersonName != "Ewa Colleague" {
		t.Errorf("filtered: %+v, %v", some.Findings, err)
	}

	dry, err := c.AdoptPlatform(few, "cucm", "sure", "kim", true)
	if err != nil || dry.Assigned != 5 || dry.Held != 10 || dry.Shown != 1 || dry.Left != 1 {
		t.Errorf("what is sure: %+v, %v", dry, err)
	}
	same(t, "nothing is done by looking", c.number("+14085552100").State, dayone.NumberFree)
	_, err = c.AdoptPlatform(few, "cucm", "perhaps", "kim", true)
	is(t, err, dayone.ErrInvalid)

	got, err := c.AdoptPlatform(few, "cucm", "", "kim", false)
	if err != nil || got.Assigned != 6 || got.Held != 10 || got.Shown != 1 || got.Left != 0 {
		t.Fatalf("adopted: %+v, %v", got, err)
	}
	boss := c.number("+14085552100")
	same(t, "state", boss.State, dayone.NumberAssigned)
	same(t, "owner", boss.Owner, c.ids["mboss"])
	same(t, "confirmed when it was read", boss.Confirmed.UnixMicro(), a.Read.UnixMicro())
	if len(boss.Shown) != 1 || boss.Shown[0].Person != c.ids["aassist"] || boss.Shown[0].Device != "SEP001122302102" || boss.Shown[0].Role != dayone.ShownShared {
		t.Errorf("it rings at %+v", boss.Shown)
	}
	place := c.number("+14085552990")
	same(t, "a place for emergency calls", place.State, dayone.NumberOnHold)
	if !strings.Contains(place.For.Reason, "Emergency Location ID Number") {
		t.Errorf("it is held for %q", place.For.Reason)
	}
	if !maps.Equal(c.sim.Snapshot(), before) {
		t.Error("adopting changed the cluster")
	}
	for _, r := range c.sim.Door().Requests() {
		for _, verb := range []string{"<axl:add", "<axl:update", "<axl:remove", "<axl:do"} {
			if strings.Contains(string(r.Body), verb) {
				t.Errorf("%s was sent", verb)
			}
		}
	}
	again, err := c.AdoptPlatform(few, "cucm", "", "kim", false)
	if err != nil || again.Assigned+again.Held+again.Shown != 0 {
		t.Errorf("adopted twice: %+v, %v", again, err)
	}
	after := until(c.house, "compared again", func() (flow.PlatformAudit, bool) {
		a := c.audit()
		return a, a.Counts["used-free"] == 0
	})
	same(t, "what is left", kindsOf(after), "orphan-line 2101@DN_PT, local-user local")
	pools, err := c.NumberPool(few, "office")
	if err != nil || pools.Count[dayone.NumberAssigned] != 6 || pools.Outlook.PerMonth != 0 {
		t.Errorf("the pool has %v, and empties by %v a month (%v)", pools.Count, pools.Outlook.PerMonth, err)
	}
}

// What leavers have is found, and named to nobody who may not know of them.
func TestWhatLeaversHaveOnACluster(t *testing.T) {
	t.Parallel()
	c := clustered(t, "agent")
	a := c.reads()
	for _, want := range []string{`leaver-line \+14085552105@DN_PT`, "leaver-device SEP001122302105", "leaver-user agent"} {
		found := false
		for _, f := range a.Findings {
			found = found || string(f.Kind)+" "+f.Name == want && f.Person == c.ids["agent"] && f.PersonName == "Agnes Agent"
		}
		if !found {
			t.Errorf("nothing says %s of %s", want, kindsOf(a))
		}
	}
	got, err := c.AdoptPlatform(few, "cucm", "", "kim", false)
	if err != nil || got.Assigned != 6 {
		t.Errorf("adopted %+v, %v", got, err)
	}
	books, err := c.AuditNumbers(few)
	if err != nil || !slices.ContainsFunc(books.Findings, func(f flow.FindingView) bool { return f.Kind == "leaver" && f.Number == "+14085552105" }) {
		t.Errorf("the books do not name the leaver: %+v, %v", books.Findings, err)
	}
}

// Of somebody of whom only few may know nothing is said, nor is what they have taken for nobody's.
func TestAClusterAndSomebodyWhoIsNotAnnounced(t *testing.T) {
	t.Parallel()
	c := clustered(t)
	c.sim.Neglect("SFO", `\+1408555`)
	in, err := c.Enter(few, flow.Entry{Type: dayone.Hired, Subject: "ghost", Fields: map[string]string{
		"first_name": "Gero", "last_name": "Ghost", "email": "ghost@example.com", "department": "Engineering", "job_title": "Software Engineer", "location": "Berlin", "start_date": "2024-12-16",
		"employment_type": "FTE", "confidential": "true", "announced_on": "2024-11-25",
	}, By: "kim", Reason: "not yet"})
	if err != nil || in.State != dayone.EventApplied {
		t.Fatalf("the hire is %s: %s (%v)", in.State, in.Note, err)
	}
	about := func(a flow.PlatformAudit) (out int) {
		for _, f := range a.Findings {
			if strings.Contains(f.Name, "ghost") || strings.Contains(f.Name, "2111@") {
				out++
			}
		}
		return out
	}
	all := c.reads()
	same(t, "who may know sees that the number is used and free", about(all), 1)
	others, err := c.PlatformAudit(context.Background(), "cucm", flow.PlatformFilter{})
	if err != nil || about(others) != 0 || others.Total != all.Total-1 {
		t.Errorf("others are told of %d, and of %d in all (%v)", about(others), others.Total, err)
	}
	dry, err := c.AdoptPlatform(context.Background(), "cucm", "", "olga", true)
	if err != nil || slices.ContainsFunc(dry.Lines, func(l flow.AdoptedNumber) bool { return l.Number == "+14085552111" }) {
		t.Errorf("others adopt %+v (%v)", dry.Lines, err)
	}
	same(t, "others count what they may adopt", others.Takes, len(dry.Lines)+dry.Same)
	same(t, "of which one less than who may know", others.Takes, all.Takes-1)
	same(t, "her line is nobody's to others", others.Lines[platform.Nobody], all.Lines[platform.Nobody]+1)
	same(t, "her user is nobody's to others", others.Users[platform.Nobody], all.Users[platform.Nobody]+1)
}

// A publisher that goes down while it is read: nothing of it is taken, what was read before stands, and it is said where it
// broke off.
func TestAClusterThatBreaksOff(t *testing.T) {
	t.Parallel()
	c := clustered(t)
	first := c.reads()
	c.clock.Jump(c.clock.Now().Add(time.Hour))
	c.sim.Before("getPhone", func() { c.sim.Door().Inject(sim.Fault{Path: "/axl/", Times: -1, Status: 503, Body: "down"}) })
	a := c.reads()
	if !strings.Contains(a.Problem, "8 lines, 6 users") || !strings.Contains(a.Problem, "while reading phone") || !strings.Contains(a.Problem, "nothing of them is taken") {
		t.Errorf("it says %q", a.Problem)
	}
	same(t, "read", a.Read, first.Read)
	same(t, "what was read before", kindsOf(a), kindsOf(first))
	c.clock.Jump(c.clock.Now().Add(25 * time.Hour))
	_, err := c.AdoptPlatform(few, "cucm", "", "kim", true)
	is(t, err, dayone.ErrConflict)
}

// What was read and could not be compared is not what the findings are of: they keep the date of their own reading, and nothing
// of them is adopted as if it were known anew. Once it is compared it is adopted.
func TestAReadingThatIsNotCompared(t *testing.T) {
	t.Parallel()
	c := clustered(t)
	first := c.reads()
	c.clock.Jump(c.clock.Now().Add(25 * time.Hour))
	db, err := sql.Open("sqlite", strings.Replace(c.at, "sqlite:", "file:", 1)+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	change := func(q string) {
		t.Helper()
		if _, err := db.ExecContext(few, q); err != nil {
			t.Fatal(err)
		}
	}
	change("ALTER TABLE number_shown RENAME TO number_away")
	if err := c.ReadPlatform(few, "cucm", "kim"); err != nil {
		t.Fatal(err)
	}
	a := until(c.house, "read, and not compared", func() (flow.PlatformAudit, bool) {
		a := c.audit()
		return a, !a.Reading && a.Problem != ""
	})
	same(t, "the date of the findings", a.Read, first.Read)
	same(t, "the findings", kindsOf(a), kindsOf(first))
	if !a.Failed.After(first.Read) {
		t.Errorf("it failed at %s", a.Failed)
	}
	_, err = c.AdoptPlatform(few, "cucm", "", "kim", true)
	is(t, err, dayone.ErrConflict)

	change("ALTER TABLE number_away RENAME TO number_shown")
	c.clock.Jump(c.clock.Now().Add(time.Hour))
	a = until(c.house, "compared", func() (flow.PlatformAudit, bool) {
		a := c.audit()
		return a, a.Problem == ""
	})
	if !a.Read.After(first.Read) || a.Compared.Before(a.Read) {
		t.Errorf("read at %s and compared at %s", a.Read, a.Compared)
	}
	if _, err = c.AdoptPlatform(few, "cucm", "", "kim", true); err != nil {
		t.Error(err)
	}
}
