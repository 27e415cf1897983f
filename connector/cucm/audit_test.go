package cucm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/number/platform"
)

// booksOf are books with a pool of the site's numbers, one of numbers that are being ported in, and the company's people.
func booksOf(t *testing.T, prefix string, left ...string) platform.Books {
	t.Helper()
	text := strings.ReplaceAll(`
classes:
  - {name: internal, platform: cucm, line: LINE_INTERNAL_CSS, device: DEVICE_SFO_CSS, forward: LINE_INTERNAL_CSS, voicemail: VM-Default}
  - {name: international, platform: cucm, line: LINE_INTERNATIONAL_CSS}
pools:
  office:
    platform: cucm
    partition: DN_PT
    class: internal
    emergency: ERL-1
    ranges:
      - {first: PRE2100, last: PRE2119}
  ported:
    platform: cucm
    partition: DN_PT
    emergency: ERL-1
    ranges:
      - {first: PRE2980, last: PRE2999, port: porting-in, from: 2027-03-01}
`, "PRE", prefix)
	plan, faults := number.ReadPlan(text)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	b := platform.Books{System: "cucm", Plan: &plan, Now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	for _, piece := range number.Compare(&number.Plan{}, &plan).Added {
		b.Numbers = append(b.Numbers, piece.Numbers(b.Now)...)
	}
	for _, p := range []string{"mboss Maria Boss", "aassist Ali Assist", "ecolleague Ewa Colleague", "hhunt Hugo Hunt", "agent Agnes Agent", "local Lothar Local", "lleft Lea Left", "twin Tara Twin", "nomad Nora Nomad", "moved Mona Moved"} {
		id, name, _ := strings.Cut(p, " ")
		person := platform.Person{ID: dayone.PersonID("per_" + id), Name: name, Email: id + "@example.com"}
		for _, l := range left {
			person.Left = person.Left || l == id
		}
		b.People = append(b.People, person)
	}
	return b
}

func compared(t *testing.T, s *cucmsim.Sim, b platform.Books) *platform.Report {
	t.Helper()
	before := s.Snapshot()
	p, err := open(t, s).guard.Discover(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := platform.Compare(b, &p)
	if changed := differences(before, s.Snapshot()); len(changed) > 0 {
		t.Errorf("comparing changed %v", changed)
	}
	return r
}

func found(r *platform.Report) string {
	var out strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&out, "%s %s %s\n", f.Kind, f.Name, strings.TrimPrefix(string(f.Person), "per_"))
		if f.Text == "" || f.Next == "" || f.Thing == "" {
			fmt.Fprintf(&out, "it says nothing: %+v\n", f)
		}
	}
	return out.String()
}

// TestPlantedFaults: what is wrong in two living clusters is found, and nothing else. The books have nobody's number yet, so
// that everything in use may be given to somebody else.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	sfo, ber := cucmsim.NewCompany(sim.Options{})
	says := []string{
		"its forward (all calls) has LINE_INTERNATIONAL_CSS, and the numbers of pool office are of class internal, which is LINE_INTERNAL_CSS (whose it is, is sure: own number of agent",
		"its forward (busy) has LINE_INTERNATIONAL_CSS, and", "its voice mail profile is NoVoiceMail, and the numbers of pool office are of class internal, which is VM-Default",
	}
	for prefix, s := range map[string]*cucmsim.Sim{"+1408555": sfo, "+4930555": ber} {
		want := strings.ReplaceAll(`used-free \PRE2100@DN_PT mboss
used-free \PRE2102@DN_PT aassist
used-free \PRE2103@DN_PT ecolleague
used-free \PRE2104@DN_PT hhunt
used-free \PRE2105@DN_PT agent
used-free \PRE2106@DN_PT local
pattern \PRE29XX@DN_PT 
class-differs \PRE2104@DN_PT hhunt
class-differs \PRE2105@DN_PT agent
class-differs \PRE2106@DN_PT local
class-differs \PRE2106@DN_PT local
orphan-line 2101@DN_PT 
orphan-line \PRE2990@DN_PT 
local-user local local
`, "PRE", prefix)
		r := compared(t, s, booksOf(t, prefix))
		if got := found(r); got != want {
			t.Errorf("%s: found\n%swant\n%s", prefix, got, want)
		}
		for _, part := range says {
			if !slices.ContainsFunc(r.Findings, func(f platform.Finding) bool {
				return strings.HasPrefix(f.Text, part) && !strings.Contains(f.Text, "9011")
			}) {
				t.Errorf("nothing says that %s, or it tells where the forward leads", part)
			}
		}
		if r.All.Users[platform.Sure] != 6 || r.All.Lines[platform.Sure] != 5 || r.All.Lines[platform.Likely] != 1 || r.All.Lines[platform.Nobody] != 2 {
			t.Errorf("%s: users %v and lines %v were recognised", prefix, r.All.Users, r.All.Lines)
		}
		var held, owned []string
		for _, x := range r.Takes {
			switch {
			case x.Hold != "":
				held = append(held, string(x.Number))
			default:
				owned = append(owned, fmt.Sprint(strings.TrimPrefix(string(x.Number), prefix), " ", x.Owner, " ", x.Confidence, " ", len(x.Shown)))
			}
		}
		if len(held) != 20-0 || strings.Join(owned, ", ") != "2100 per_mboss sure 1, 2102 per_aassist sure 0, 2103 per_ecolleague likely 0, 2104 per_hhunt sure 0, 2105 per_agent sure 0, 2106 per_local sure 0" {
			t.Errorf("%s: the books may take %v and hold %v", prefix, owned, held)
		}
	}
}

// TestLeaversAndNeglect: who left, and what years leave behind. The books have everybody else's number.
func TestLeaversAndNeglect(t *testing.T) {
	t.Parallel()
	s, _ := cucmsim.NewCompany(sim.Options{})
	s.Neglect("SFO", `\+1408555`)
	b := booksOf(t, "+1408555", "mboss", "agent", "lleft")
	for i := range b.Numbers {
		n := &b.Numbers[i]
		for end, id := range map[string]string{"2102": "aassist", "2103": "ecolleague", "2104": "hhunt", "2106": "aassist", "2110": "moved", "2118": "hhunt"} {
			if strings.HasSuffix(n.E164, end) {
				n.State, n.Owner, n.Confirmed = dayone.NumberAssigned, dayone.PersonID("per_"+id), b.Now
			}
		}
	}
	r := compared(t, s, b)
	if got, want := found(r), strings.ReplaceAll(`leaver-line \PRE2100@DN_PT mboss
leaver-line \PRE2105@DN_PT agent
leaver-line \PRE2107@DN_PT lleft
leaver-login SEP001122302106 lleft
leaver-device RDP-lleft lleft
leaver-device SEP001122302100 mboss
leaver-device SEP001122302105 agent
leaver-device SEP001122302107 lleft
leaver-device UDP-lleft lleft
leaver-user agent agent
leaver-user lleft lleft
leaver-user mboss mboss
double \PRE2108@DN_PT 
other-holder \PRE2106@DN_PT local
used-free \PRE2100@DN_PT mboss
used-free \PRE2105@DN_PT agent
used-free \PRE2107@DN_PT lleft
used-free \PRE2108@DN_PT 
used-free \PRE2109@DN_PT nomad
used-free \PRE2111@DN_PT 
used-free \PRE2112@DN_PT 
pattern \PRE211[5-9]@DN_PT 
pattern \PRE29XX@DN_PT 
missing PRE2118 hhunt
directory-differs moved moved
class-differs SEP001122302109 nomad
class-differs \PRE2104@DN_PT hhunt
class-differs \PRE2106@DN_PT local
class-differs \PRE2106@DN_PT local
outside \PRE3000@DN_PT hhunt
orphan-line 2101@DN_PT 
orphan-line \PRE2990@DN_PT 
orphan-device SEP001122302112 
nobody-line \PRE2111@DN_PT 
nobody-line \PRE2112@DN_PT 
nobody-user ghost 
local-user local local
`, "PRE", "+1408555"); got != want {
		t.Errorf("found\n%swant\n%s", got, want)
	}
	for name, part := range map[string]string{
		`\+14085552100@DN_PT`: "1 device of others shows it, too", "SEP001122302100": "ecolleague is signed in on it now", `\+14085552105@DN_PT`: "the contact centre sends calls to agent", `\+1408555211[5-9]@DN_PT`: "answers 5 of the 20",
		`\+14085552104@DN_PT`: "it has LINE_INTERNATIONAL_CSS (international), and the numbers of pool office are of class internal, which is LINE_INTERNAL_CSS (whose it is, is sure: own number of hhunt",
		"SEP001122302109":     "it has no calling search space, and the numbers of pool office are of class internal, which is DEVICE_SFO_CSS (whose it is, is likely",
	} {
		said := false
		for _, f := range r.Findings {
			said = said || f.Name == name && strings.Contains(f.Text, part)
		}
		if !said {
			t.Errorf("nothing says of %s that %s", name, part)
		}
	}
}
