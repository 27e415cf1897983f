package cucm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/number/routeplan"
)

// TestDiscovery reads two living clusters, finds what is planted in them and nothing else, and leaves them as they were.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	sfo, ber := cucmsim.NewCompany(sim.Options{}) // pages of two rows
	for site, s := range map[string]*cucmsim.Sim{"SFO": sfo, "BER": ber} {
		prefix := map[string]string{"SFO": `\+1408555`, "BER": `\+4930555`}[site]
		b := open(t, s)
		before := s.Snapshot()
		told := map[dayone.PlatformKind]int{}
		d, err := b.guard.Discover(t.Context(), func(kind dayone.PlatformKind, n int) { told[kind] = n })
		if err != nil {
			t.Fatal(err)
		}
		if !b.guard.Phones() || !d.Tells(dayone.PlatformLines) || d.Tells(dayone.PlatformMailboxes) || told[dayone.PlatformLines] != 8 || told[dayone.PlatformDevices] != 6 || told[dayone.PlatformPatterns] != 15 {
			t.Errorf("%s: it tells of %v, and on the way of %v", site, d.Of, told)
		}
		if changed := differences(before, s.Snapshot()); len(changed) > 0 {
			t.Errorf("%s: reading changed %v", site, changed)
		}
		if reads, writes := s.Busiest(); reads > 2 || writes > 0 {
			t.Errorf("%s: %d read and %d wrote at the same time", site, reads, writes)
		}
		var unshown, shared, borrowed []string
		for _, l := range d.Lines {
			if len(l.At) == 0 {
				unshown = append(unshown, l.Pattern)
			}
			if len(l.At) > 1 {
				shared = append(shared, fmt.Sprint(l.Pattern, " of ", l.Primary, " at ", l.At[0].Device, " and ", l.At[1].Device))
			}
			if strings.HasPrefix(l.Pattern, `\+`) && "\\"+l.E164 != l.Pattern || l.Pattern == "2101" && l.E164 != "" {
				t.Errorf("%s: %s is %s", site, l.Pattern, l.E164)
			}
		}
		for _, x := range d.Devices {
			if x.LoggedIn != "" && x.LoggedIn != x.Owner {
				borrowed = append(borrowed, x.LoggedIn+" on "+x.Name+" of "+x.Owner)
			}
		}
		for what, c := range map[string][2]string{
			"lines that nothing shows": {strings.Join(unshown, ", "), "2101, " + prefix + "2990"},
			"shared lines":             {strings.Join(shared, ", "), prefix + "2100 of [mboss] at SEP001122302100 and SEP001122302102"},
			"who is logged in":         {strings.Join(borrowed, ", "), "ecolleague on SEP001122302100 of mboss"},
		} {
			if c[0] != c[1] {
				t.Errorf("%s: %s are %q, want %q", site, what, c[0], c[1])
			}
		}
		if len(d.Users) != 6 || len(d.Devices) != 6 || len(d.Lines) != 8 || len(d.Patterns) != 8+7 {
			t.Errorf("%s: %d users, %d devices, %d lines, %d patterns", site, len(d.Users), len(d.Devices), len(d.Lines), len(d.Patterns))
		}
		for _, u := range d.Users {
			if (u.Directory == "") != (u.Login == "local") || (u.Extension != "") != (u.Login == "agent") || u.Closed {
				t.Errorf("%s: %+v", site, u)
			}
		}
		for _, x := range d.Devices {
			if x.Class == dayone.DeviceProfile && x.Owner != "ecolleague" {
				t.Errorf("%s: the profile %s is %s's", site, x.Name, x.Owner)
			}
		}
		classes := map[dayone.PatternClass]int{}
		for _, p := range d.Patterns {
			classes[p.Class]++
		}
		if classes[dayone.PatternLine] != 8 || classes[dayone.PatternRoute] != 4 || classes[dayone.PatternHunt] != 1 || classes[dayone.PatternService] != 1 || classes[dayone.PatternEmergency] != 1 {
			t.Errorf("%s: patterns are %v", site, classes)
		}
	}
}

// TestPlanCompiles: what is read is what the matcher of patterns takes, and 2107, which nothing names, is not free.
func TestPlanCompiles(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	read, err := b.cluster.RoutePlan(t.Context(), func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]routeplan.Entry, len(read))
	for i, e := range read {
		entries[i] = routeplan.Entry{Pattern: e.Pattern, Partition: e.Partition, Kind: e.Kind, Detail: e.Detail}
	}
	plan, faults := routeplan.Compile(entries)
	if len(faults) > 0 {
		t.Errorf("patterns that cannot be read: %v", faults)
	}
	var covers []string
	for _, e := range plan.Matches(nil, "2107", func(string) bool { return true }) {
		covers = append(covers, e.Kind+" "+e.Pattern)
	}
	if strings.Join(covers, ", ") != "Translation 21XX" {
		t.Errorf("2107 is covered by %v", covers)
	}
}

// TestHalfADiscovery is none: a device that cannot be read ends it.
func TestHalfADiscovery(t *testing.T) {
	t.Parallel()
	for skip := range 18 {
		b := open(t, company(t))
		b.sim.Door().Inject(sim.Fault{Path: "/axl/", Skip: skip, Status: 503, Body: "busy"})
		d, err := b.guard.Discover(t.Context(), nil)
		if !errors.Is(err, dayone.ErrUnavailable) || len(d.Lines)+len(d.Users)+len(d.Of) > 0 {
			t.Errorf("fault after %d requests: %v, %v", skip, d, err)
		}
	}
	b := open(t, company(t))
	b.sim.Before("getPhone", func() { b.sim.Drop("phone", "SEP001122302106") })
	if d, err := b.guard.Discover(t.Context(), nil); err != nil || len(d.Devices) != 5 {
		t.Errorf("a device that went meanwhile: %v", err)
	}
}

// TestAnAnswerThatIsCut is no shorter list: wherever an answer ends too early, in an element or between two of them, the reading
// ends, says what it was reading, and nothing of it is taken.
func TestAnAnswerThatIsCut(t *testing.T) {
	t.Parallel()
	const head = `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><ns:listLineResponse xmlns:ns="http://www.cisco.com/AXL/API/14.0"><return>`
	for name, f := range map[string]sim.Fault{
		"in an element":       {Status: 200, Body: head + `<line uuid="{1}"><pattern>21`},
		"between two":         {Status: 200, Body: head + `<line uuid="{1}"><pattern>2101</pattern></line>`},
		"before anything":     {Status: 200},
		"with the connection": {Cut: true},
	} {
		for skip := range 12 {
			b := open(t, company(t))
			f.Path, f.Skip = "/axl/", skip
			b.sim.Door().Inject(f)
			d, err := b.guard.Discover(t.Context(), nil)
			if err == nil || !strings.Contains(err.Error(), "ing ") || len(d.Lines)+len(d.Users)+len(d.Devices)+len(d.Patterns)+len(d.Of) > 0 {
				t.Errorf("%s, after %d requests: %v, and %d lines", name, skip, err, len(d.Lines))
			}
		}
	}
}

// TestVanishedPartition: somebody moves or deletes all lines of a partition, and then it, at any moment of a reading. There is an
// error and nothing, or all that was told is as it was or as it is: no line that a phone shows is one that nothing shows.
func TestVanishedPartition(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"", "QUARANTINE_PT"} {
		ended := map[bool]int{}
		for _, op := range []string{"listLine", "listUser", "getUser", "listPhone", "getPhone", "listDeviceProfile", "getDeviceProfile", "listRemoteDestinationProfile", "listRoutePlan"} {
			b := open(t, company(t))
			b.sim.Before(op, func() { b.sim.DropPartition("DN_PT", to) })
			d, err := b.guard.Discover(t.Context(), nil)
			ended[err == nil]++
			if err != nil {
				if !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(detail(err)+err.Error(), "read it again") || len(d.Lines)+len(d.Users)+len(d.Devices)+len(d.Of) > 0 {
					t.Errorf("to %q, before %s: %v, %d lines", to, op, err, len(d.Lines))
				}
				continue
			}
			if want := map[bool]int{true: 0, false: 8}[to == ""]; len(d.Lines) != want {
				t.Errorf("to %q, before %s: there are %d lines", to, op, len(d.Lines))
			}
			for _, l := range d.Lines {
				if len(l.At) == 0 && l.Pattern != "2101" && !strings.HasSuffix(l.Pattern, "2990") || l.Partition != to {
					t.Errorf("to %q, before %s: line %s of %s stands at %v", to, op, l.Pattern, l.Partition, l.At)
				}
			}
		}
		if want := map[string]int{"": 9, "QUARANTINE_PT": 1}[to]; ended[true] != want {
			t.Errorf("to %q: %d readings went well, and %d did not", to, ended[true], ended[false])
		}
	}
}
