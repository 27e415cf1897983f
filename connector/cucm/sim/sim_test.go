package sim

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
)

// TestExamples: requests that the vendor's schemas take are in the simulator's order, and those that they refuse are not.
func TestExamples(t *testing.T) {
	t.Parallel()
	dir := connectortest.SpecificationFile("axl")
	if dir == "" {
		t.Skip("the examples are not here; set DAYONE_SPECS to the folder that has them")
	}
	unknown := 0
	for folder, good := range map[string]bool{"examples": true, "examples-invalid": false} {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*.xml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no examples: %v", err)
		}
		for _, name := range files {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			_, op, err := request(f)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(name), err)
				continue
			}
			if schema[op.name] == nil {
				unknown++
				continue
			}
			err = check(op.name, op)
			switch base := filepath.Base(name); {
			case strings.HasPrefix(base, "40-"): // lines are written as whole lists here
			case strings.HasPrefix(base, "not-caught-"):
				if s := New(sim.Options{}); err != nil || s.walk(op) == nil {
					t.Errorf("%s: the schema says %v, and the rules take it", base, err)
				}
			case good != (err == nil) && !(base == "bad-returnedTags-empty-boolean.xml" || base == "bad-returnedTags-empty-uuid.xml"):
				t.Errorf("%s: %v", base, err)
			}
		}
	}
	if unknown > 4 {
		t.Errorf("%d examples are of operations that the simulator does not know", unknown)
	}
}

// TestCalls: the fixture's calls go where a cluster would take them.
func TestCalls(t *testing.T) {
	t.Parallel()
	sfo, ber := NewCompany(sim.Options{})
	for _, c := range []struct {
		why, from, to string
		rings         string
		mailbox       string
		outside       string
		refused       string
	}{
		{why: "a shared line rings at the assistant; at the boss somebody else is logged in", from: "PSTN", to: "+14085552100", rings: "SEP001122302102", mailbox: `\+14085552100`},
		{why: "a colleague's number rings where she is logged in", from: "PSTN", to: "+14085552103", rings: "SEP001122302100", mailbox: `\+14085552103`},
		{why: "a line that nobody shows still has its last holder's forward", from: "SEP001122302104", to: "2101", rings: "SEP001122302104", mailbox: `\+14085552104`},
		{why: "a translation that no search for 2105 finds", from: "SEP001122302104", to: "2105", rings: "SEP001122302105", mailbox: `\+14085552105`},
		{why: "a hunt pilot rings its members", from: "PSTN", to: "5000", rings: "SEP001122302104 SEP001122302105"},
		{why: "an internal line reaches the world by its device", from: "SEP001122302104", to: "95551234", outside: "9.!"},
		{why: "but not abroad", from: "SEP001122302104", to: "9011493012345", outside: "9.!"},
		{why: "everybody reaches help", from: "SEP001122302104", to: "911", outside: "911"},
		{why: "a line that is not active answers nothing", from: "PSTN", to: "+14085552990", refused: "Emergency Location ID Number answers"},
		{why: "nobody has it", from: "PSTN", to: "+14085559999", refused: "no pattern"},
	} {
		got, err := sfo.Call(c.from, c.to)
		if err != nil || strings.Join(got.Rings, " ") != c.rings || got.Mailbox != c.mailbox || got.Outside != c.outside || !strings.Contains(got.Refused, c.refused) || (c.refused == "") != (got.Refused == "") {
			t.Errorf("%s: %s calls %s: %+v, %v", c.why, c.from, c.to, got, err)
		}
	}
	if got, err := ber.Call("PSTN", "+14085552100"); err != nil || got.Refused == "" {
		t.Errorf("the other cluster answers a number of the first: %+v, %v", got, err)
	}
	if got, _ := ber.Call("SEP001122302104", "2101"); strings.Join(got.Rings, "") != "SEP001122302104" || !strings.Contains(strings.Join(got.Way, " "), `\+49`) {
		t.Errorf("the same extension in the other cluster: %+v", got)
	}
	if _, err := sfo.Call("SEPNONE", "911"); err == nil {
		t.Error("a phone that is not there calls")
	}
}

// TestCallByHTTP: whoever tells a story asks the cluster who rings.
func TestCallByHTTP(t *testing.T) {
	t.Parallel()
	s := New(sim.Options{})
	s.Fill("SFO", `\+1408555`)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/sim/call?from=PSTN&to=%2B14085552104", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"SEP001122302104"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestLineOutlivesItsPhone, and a line of a hunt group is not removed.
func TestLineOutlivesItsPhone(t *testing.T) {
	t.Parallel()
	s := New(sim.Options{})
	s.Fill("SFO", `\+1408555`)
	if _, err := s.do(group("removePhone", leaf("name", "SEP001122302106"))); err != nil {
		t.Fatal(err)
	}
	if s.object("line", `\+14085552106@DN_PT`) == nil {
		t.Error("the line went with its phone")
	}
	if _, err := s.do(group("removeLine", leaf("pattern", `\+14085552104`), leaf("routePartitionName", "DN_PT"))); err == nil {
		t.Error("a member of a hunt group was removed")
	}
	if _, err := s.do(group("removeLine", leaf("pattern", `\+14085552106`), leaf("routePartitionName", "DN_PT"))); err != nil {
		t.Error(err)
	}
}

// TestUnknownNumber: a phone with a number that is not there is refused, or makes it; releases differ.
func TestUnknownNumber(t *testing.T) {
	t.Parallel()
	for _, makes := range []bool{false, true} {
		s := New(sim.Options{})
		s.MakesLines(makes)
		p := phone("SEPAABBCCDDEEFF", "SFO_DP", "", appearance(1, "2999", "x", "x"))
		p.set(leaf("ownerUserName", ""))
		l := p.get("lines/line")
		l.kids = slices.DeleteFunc(l.kids, func(k *node) bool { return k.name == "dialPlanWizardId" || k.name == "associatedEndusers" })
		_, err := s.do(group("addPhone", p))
		if (err == nil) != makes || (s.object("line", "2999@DN_PT") != nil) != makes {
			t.Errorf("makes lines %v: %v", makes, err)
		}
	}
}

// TestWhatIsLeftOutIsReset: a line of a device that is written without its fields has those of a new one.
func TestWhatIsLeftOutIsReset(t *testing.T) {
	t.Parallel()
	s := New(sim.Options{})
	s.Fill("SFO", `\+1408555`)
	if _, err := s.do(group("updatePhone", leaf("name", "SEP001122302106"), group("lines", group("line", leaf("index", "1"), group("dirn", leaf("pattern", `\+14085552106`), leaf("routePartitionName", "DN_PT")))))); err != nil {
		t.Fatal(err)
	}
	l := s.object("phone", "SEP001122302106").node.get("lines/line")
	if l.value("label") != "" || l.value("e164Mask") != "" || l.value("busyTrigger") != "2" || l.get("associatedEndusers") != nil {
		t.Errorf("it is %s", l)
	}
}

// TestUnplugged: a phone that is not registered does not ring, and nobody answers in its place.
func TestUnplugged(t *testing.T) {
	t.Parallel()
	s := New(sim.Options{})
	s.Fill("SFO", `\+1408555`)
	for _, unplugged := range []bool{true, false} {
		s.Unplug("SEP001122302106", unplugged)
		if c, err := s.Call("PSTN", "+14085552106"); err != nil || (len(c.Rings) == 0) != unplugged {
			t.Errorf("unplugged: %v; it goes to %+v, %v", unplugged, c, err)
		}
	}
}
