package platform_test

import (
	"cmp"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/number/platform"
)

var now = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

const numbers = `
pools:
  office: {platform: cucm, partition: DN, emergency: ERL, ranges: [{first: +4930550100, last: +4930550109}]}
  other: {platform: teams, emergency: ERL, ranges: [{first: +4930550200, last: +4930550209}]}
`

func books(t testing.TB, text string, people ...platform.Person) platform.Books {
	t.Helper()
	plan, faults := number.ReadPlan(text)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	b := platform.Books{System: "cucm", Plan: &plan, People: people, Now: now}
	for _, piece := range number.Compare(&number.Plan{}, &plan).Added {
		b.Numbers = append(b.Numbers, piece.Numbers(now.AddDate(-1, 0, 0))...)
	}
	return b
}

// owned gives a number of the books an owner.
func owned(b platform.Books, id string, owner dayone.PersonID, state dayone.NumberState) {
	for i := range b.Numbers {
		if b.Numbers[i].ID == dayone.NumberID(id) {
			b.Numbers[i].Owner, b.Numbers[i].State, b.Numbers[i].Confirmed = owner, state, now
		}
	}
}

func found(r *platform.Report) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, strings.TrimSpace(fmt.Sprint(f.Kind, " ", f.Name, " ", f.Person)))
	}
	return strings.Join(out, "\n")
}

var (
	ada = platform.Person{ID: "per_ada", Name: "Ada Moss", Email: "ada.moss@company.com", Logins: []string{"amoss"}, EmployeeNumber: "17", Country: "DE", Numbers: []platform.Stated{{Attribute: "work_phone", E164: "+4930550101"}}}
	ben = platform.Person{ID: "per_ben", Name: "Ben Ito", Email: "ben@company.com", Country: "DE"}
	bob = platform.Person{ID: "per_bob", Name: "Ben Ito", Email: "ben.ito@company.com"}
	eve = platform.Person{ID: "per_eve", Name: "Eve Gone", Email: "eve@company.com", Left: true}
)

// Who a user is: what we hold comes first, then what is sure, then what is likely, then a name; and of two nobody.
func TestWhoAUserIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		user dayone.PlatformUser
		who  dayone.PersonID
		sure platform.Confidence
	}{
		"the account that we hold":                {dayone.PlatformUser{Ref: "{1}", Login: "amoss"}, "per_ben", platform.Certain},
		"the employee number":                     {dayone.PlatformUser{EmployeeNumber: "17", Login: "x1"}, "per_ada", platform.Sure},
		"the log-in, whatever its letters' case":  {dayone.PlatformUser{Login: "AMoss"}, "per_ada", platform.Sure},
		"the whole mail address as log-in":        {dayone.PlatformUser{Login: "ben@company.com"}, "per_ben", platform.Sure},
		"the mail address":                        {dayone.PlatformUser{Login: "x2", Email: "Ada.Moss@company.com"}, "per_ada", platform.Sure},
		"how the mail address begins":             {dayone.PlatformUser{Login: "ada.moss"}, "per_ada", platform.Likely},
		"the number":                              {dayone.PlatformUser{Login: "x3", Phone: "+49 30 550101"}, "per_ada", platform.Likely},
		"a name":                                  {dayone.PlatformUser{Login: "x4", FirstName: "Ada", LastName: "Moss"}, "per_ada", platform.Possible},
		"a name of two":                           {dayone.PlatformUser{Login: "x5", FirstName: "Ben", LastName: "Ito"}, "", platform.Nobody},
		"two that are sure, and differ":           {dayone.PlatformUser{Login: "amoss", Email: "ben@company.com"}, "", platform.Nobody},
		"what is less sure says nothing against":  {dayone.PlatformUser{Login: "amoss", FirstName: "Eve", LastName: "Gone"}, "per_ada", platform.Sure},
		"an empty user is nobody's":               {dayone.PlatformUser{}, "", platform.Nobody},
		"a user like nobody":                      {dayone.PlatformUser{Login: "zz", Email: "zz@elsewhere.com"}, "", platform.Nobody},
		"a short number is none, and matches not": {dayone.PlatformUser{Login: "x6", Phone: "2101"}, "", platform.Nobody},
	} {
		b := books(t, numbers, ada, ben, bob, eve)
		b.Bound = map[string]dayone.PersonID{"{1}": "per_ben"}
		c.user.Closed = true // what is wrong with it is not asked here
		r := platform.Compare(b, &dayone.Platform{Of: []dayone.PlatformKind{dayone.PlatformUsers, dayone.PlatformLines}, Users: []dayone.PlatformUser{c.user}, Lines: []dayone.PlatformLine{
			{Pattern: `\+4930550105`, Partition: "DN", E164: "+4930550105", Primary: []string{c.user.Login}},
		}})
		if r.All.Users[c.sure] != 1 {
			t.Errorf("%s: users are recognised as %v", name, r.All.Users)
		}
		got := dayone.PersonID("")
		for _, x := range r.Takes {
			got = x.Owner
		}
		if got != c.who {
			t.Errorf("%s: it is %q", name, got)
		}
	}
}

// A name alone is not believed of somebody who is another user already.
func TestNamesakes(t *testing.T) {
	t.Parallel()
	r := platform.Compare(books(t, numbers, ada), &dayone.Platform{Of: []dayone.PlatformKind{dayone.PlatformUsers}, Users: []dayone.PlatformUser{{Login: "amoss"}, {Login: "ada2", FirstName: "Ada", LastName: "Moss"}}})
	if got := found(r); got != "ambiguous ada2" {
		t.Errorf("found %s", got)
	}
}

// Mailboxes and remote destinations of a voice mail server: nothing is said of lines, which it does not tell of.
func TestMailboxes(t *testing.T) {
	t.Parallel()
	b := books(t, numbers, ada, ben, bob, eve)
	b.System = "unity"
	owned(b, "+4930550101", "per_ada", dayone.NumberAssigned)
	r := platform.Compare(b, &dayone.Platform{
		Of: []dayone.PlatformKind{dayone.PlatformMailboxes, dayone.PlatformReaches, dayone.PlatformUsers}, Users: []dayone.PlatformUser{{Login: "eve@company.com", Closed: true}},
		Mailboxes: []dayone.PlatformMailbox{
			{Alias: "amoss", Extension: `\+4930550101`},
			{Alias: "ben@company.com", Extension: `\+4930550101`},
			{Alias: "eve", Extension: "2101", Needs: []string{"call handler Sales"}},
			{Alias: "desk"},
			{Alias: "both", FirstName: "Ben", LastName: "Ito"},
		},
		Reaches: []dayone.PlatformReach{{Number: "+491701234567", Owner: "eve@company.com"}, {Number: "+491701234568", Owner: "amoss"}},
	})
	if got, want := found(r), "leaver-mailbox eve per_eve\nleaver-reach +491701234567 per_eve\nmailbox-elsewhere ben@company.com per_ben\nnobody-mailbox desk\nambiguous both"; got != want {
		t.Errorf("found\n%s\nwant\n%s", got, want)
	}
	if m := r.All.Mailboxes; m[platform.Nobody] != 2 || m[0]+m[1]+m[2]+m[3]+m[4] != 5 {
		t.Errorf("mailboxes are recognised as %v", m)
	}
	if !strings.Contains(r.Findings[0].Text, "call handler Sales") {
		t.Errorf("it says %q", r.Findings[0].Text)
	}
}

// What the books keep from everybody may stand there; what rests may not be in use; the same number on another platform is told.
func TestTheBooksAndTheLines(t *testing.T) {
	t.Parallel()
	b := books(t, numbers, ada, ben, eve)
	b.People[1].Numbers = []platform.Stated{{Attribute: "work_phone", E164: "+4930550999"}}
	owned(b, "+4930550100", "", dayone.NumberOnHold)
	owned(b, "+4930550102", "", dayone.NumberQuarantine)
	owned(b, "+4930550103", "", dayone.NumberQuarantine)
	owned(b, "+4930550104", "per_ben", dayone.NumberAssigned)
	line := func(end, login string) dayone.PlatformLine {
		l := dayone.PlatformLine{Pattern: `\+4930550` + end, Partition: "DN", E164: "+4930550" + end}
		if login != "" {
			l.Primary = []string{login}
		}
		return l
	}
	extension := dayone.PlatformLine{Pattern: "2101", Partition: "DN", Primary: []string{"amoss"}}
	r := platform.Compare(b, &dayone.Platform{
		Of:    []dayone.PlatformKind{dayone.PlatformUsers, dayone.PlatformLines, dayone.PlatformPatterns},
		Users: []dayone.PlatformUser{{Login: "amoss", Phone: "2101"}, {Login: "ben@company.com"}}, Lines: []dayone.PlatformLine{line("100", ""), line("102", ""), line("103", "amoss"), line("201", "ben@company.com"), line("104", ""), extension},
		Patterns: []dayone.PlatformPattern{
			{Pattern: `\+493055010X`, Partition: "DN", Class: dayone.PatternRoute, Kind: "Translation", Detail: "+493055077X"},
			{Pattern: `\+!`, Partition: "PSTN", Class: dayone.PatternRoute, Kind: "Route", Detail: "RL"},
			{Pattern: "55010X", Partition: "PSTN", Class: dayone.PatternRoute, Kind: "Translation", Detail: "+493055010X"},
			{Pattern: "12[", Partition: "DN", Class: dayone.PatternRoute, Kind: "Route"},
			{Pattern: `\+4930550100`, Partition: "DN", Class: dayone.PatternHunt, Kind: "Hunt Pilot"},
		},
	})
	if got, want := found(r), `used-free \+4930550103@DN per_ada
pattern \+493055010X@DN
elsewhere \+4930550201@DN per_ben
stated-differs work_phone per_ada
stated-differs work_phone per_ben
outside 2101@DN per_ada
orphan-line \+4930550104@DN per_ben
unread-pattern 12[@DN`; got != want {
		t.Errorf("found\n%s\nwant\n%s", got, want)
	}
	if len(r.Leads) != 1 || r.Leads[0].Pattern != "55010X" || r.Leads[0].Numbers != 10 || r.Leads[0].Pool != "office" {
		t.Errorf("what leads to the pool: %+v", r.Leads)
	}
	for _, x := range r.Takes {
		if x.Number == "+4930550103" {
			_, _, err := x.Taken(b.Numbers[3], number.Pool{Emergency: "ERL", Quarantine: number.Quarantine}, now, now)
			if err == nil {
				t.Error("a number that rests after somebody else is given away by adopting")
			}
		}
	}
}

// A line's class of service is compared where the map says something and the line was read: with what is said for its pool's site.
func TestClassOfService(t *testing.T) {
	t.Parallel()
	const head = "classes:\n  - {name: national, platform: cucm, line: NAT, device: DEV}\n  - {name: national, platform: cucm, site: Berlin, line: BER_NAT}\n  - {name: national, platform: teams, line: T}\n  - {name: abroad, platform: cucm, line: ALL}\n"
	pool := func(more string) string {
		return head + "pools:\n  office: {platform: cucm, partition: DN, emergency: ERL, " + more + "ranges: [{first: +4930550100, last: +4930550109}]}\n"
	}
	shown := func(space string, none bool, device dayone.PlatformDevice) dayone.Platform {
		device.Name, device.Class, device.Owner = "SEP1", cmp.Or(device.Class, dayone.DevicePhone), "amoss"
		return dayone.Platform{
			Of: []dayone.PlatformKind{dayone.PlatformUsers, dayone.PlatformLines, dayone.PlatformDevices}, Users: []dayone.PlatformUser{{Login: "amoss"}}, Devices: []dayone.PlatformDevice{device},
			Lines: []dayone.PlatformLine{{Pattern: `\+4930550101`, Partition: "DN", E164: "+4930550101", Space: space, NoSpace: none, Primary: []string{"amoss"}, At: []dayone.PlatformAppearance{{Device: "SEP1", Index: 1}}}},
		}
	}
	is := dayone.PlatformDevice{Space: "DEV"}
	for name, c := range map[string]struct {
		pool  string
		p     dayone.Platform
		state dayone.NumberState
		want  string
	}{
		"as it should be":                      {pool("class: national, "), shown("NAT", false, is), dayone.NumberAssigned, ""},
		"in other letters":                     {pool("class: national, "), shown("nat", false, is), dayone.NumberAssigned, ""},
		"it may call more":                     {pool("class: national, "), shown("ALL", false, is), dayone.NumberAssigned, "it has ALL (abroad), and the numbers of pool office are of class national, which is NAT (whose it is, is sure: own number of amoss, login)"},
		"another one that no class has":        {pool("class: national, "), shown("X", false, is), dayone.NumberAssigned, "it has X, and"},
		"none at all":                          {pool("class: national, "), shown("", true, is), dayone.NumberAssigned, "it has no calling search space, and"},
		"it is not known":                      {pool("class: national, "), shown("", false, is), dayone.NumberAssigned, ""},
		"the site's own":                       {pool("class: national, site: Berlin, "), shown("NAT", false, dayone.PlatformDevice{Space: "X"}), dayone.NumberAssigned, "which is BER_NAT"},
		"the pool has no class":                {pool(""), shown("X", false, is), dayone.NumberAssigned, ""},
		"its phone":                            {pool("class: national, "), shown("NAT", false, dayone.PlatformDevice{Space: "X"}), dayone.NumberAssigned, "which is DEV"},
		"its phone, which has none":            {pool("class: national, "), shown("NAT", false, dayone.PlatformDevice{NoSpace: true}), dayone.NumberAssigned, "it has no calling search space"},
		"its phone, of which it is not known":  {pool("class: national, "), shown("NAT", false, dayone.PlatformDevice{}), dayone.NumberAssigned, ""},
		"a profile, which has none of its own": {pool("class: national, "), shown("NAT", false, dayone.PlatformDevice{NoSpace: true, Class: dayone.DeviceProfile}), dayone.NumberAssigned, ""},
		"a number that nobody is to have":      {pool("class: national, "), shown("X", false, is), dayone.NumberOnHold, ""},
	} {
		b := books(t, c.pool, ada)
		owned(b, "+4930550101", map[bool]dayone.PersonID{true: "per_ada"}[c.state == dayone.NumberAssigned], c.state)
		got := platform.Compare(b, &c.p).Findings
		if len(got) != len(c.want[:min(1, len(c.want))]) || c.want != "" && (got[0].Kind != platform.ClassDiffers || got[0].Person != "per_ada" || !strings.Contains(got[0].Text, c.want)) {
			t.Errorf("%s: found %+v", name, got)
		}
	}
	left := ada
	left.Left = true
	b, p := books(t, pool("class: national, "), left), shown("ALL", false, is)
	if got := found(platform.Compare(b, &p)); strings.Contains(got, "class-differs") {
		t.Errorf("of a leaver's line it says %s", got)
	}
	if _, faults := number.ReadPlan("classes:\n  - {name: x, platform: cucm, site: F}\n"); len(faults) != 1 || faults[0].Line != 2 {
		t.Errorf("a class that says nothing of lines: %v", faults)
	}
}

// Somebody who cannot be read has not left, and their account is not said to be like nobody without a word of that.
func TestWhoCannotBeRead(t *testing.T) {
	t.Parallel()
	b := books(t, numbers, ada)
	b.Unread, b.Bound = 1, map[string]dayone.PersonID{"{9}": "per_unread"}
	r := platform.Compare(b, &dayone.Platform{Of: []dayone.PlatformKind{dayone.PlatformUsers}, Users: []dayone.PlatformUser{{Ref: "{9}", Login: "who"}, {Login: "stranger"}}})
	if got := found(r); got != "nobody-user stranger" || !strings.Contains(r.Findings[0].Text, "of those who could be read") {
		t.Errorf("found %s: %+v", got, r.Findings)
	}
}

// BenchmarkCompare compares 100,000 lines with as many numbers and people, and a route plan of 5,000 patterns. MB is what the
// reading and what was found take of memory while they are kept.
func BenchmarkCompare(b *testing.B) {
	const many = 100_000
	book := books(b, "pools:\n  office: {platform: cucm, partition: DN, emergency: ERL, ranges: [{first: +4930123400000, last: +4930123499999}]}\n")
	before := heap()
	p := dayone.Platform{Of: []dayone.PlatformKind{dayone.PlatformLines, dayone.PlatformPatterns, dayone.PlatformUsers, dayone.PlatformDevices}}
	for i := range many {
		end, login := fmt.Sprintf("%05d", i), fmt.Sprintf("user%05d", i)
		p.Lines = append(p.Lines, dayone.PlatformLine{Ref: fmt.Sprintf("{L%031d}", i), Pattern: `\+49301234` + end, Partition: "DN", E164: "+49301234" + end, Description: "Line of " + login, Primary: []string{login}, At: []dayone.PlatformAppearance{{Device: "SEP" + end, Index: 1, Users: []string{login}}}})
		p.Users = append(p.Users, dayone.PlatformUser{Ref: fmt.Sprintf("{U%031d}", i), Login: login, Email: login + "@company.com", FirstName: "First", LastName: "Last" + end, Phone: "+49301234" + end, Directory: "corp", Devices: []string{"SEP" + end}})
		p.Devices = append(p.Devices, dayone.PlatformDevice{Ref: fmt.Sprintf("{D%031d}", i), Name: "SEP" + end, Class: dayone.DevicePhone, Product: "Cisco 8845", Pool: "BER_DP", Owner: login})
		p.Patterns = append(p.Patterns, dayone.PlatformPattern{Pattern: `\+49301234` + end, Partition: "DN", Class: dayone.PatternLine, Kind: "Device"})
		if i%20 == 0 {
			p.Patterns = append(p.Patterns, dayone.PlatformPattern{Pattern: end + "XX", Partition: "DN", Class: dayone.PatternRoute, Kind: "Translation", Detail: "+49301234" + end})
		}
		book.People = append(book.People, platform.Person{ID: dayone.PersonID("per_" + end), Name: "First Last" + end, Email: login + "@company.com", Left: i%1000 == 0})
	}
	read := heap() - before
	var r *platform.Report
	b.ReportAllocs()
	for b.Loop() {
		r = platform.Compare(book, &p)
	}
	r2 := heap()
	b.ReportMetric(float64(many)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(read)/1e6, "MB-read")
	b.ReportMetric(float64(r2-before)/1e6, "MB-kept")
	if len(r.Takes) != many {
		b.Fatalf("%d are taken", len(r.Takes))
	}
	runtime.KeepAlive(&p)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What forwards may call and which voice mail a line has are compared where the map of classes says something of them and the
// platform told it.
func TestForwardsOfAClass(t *testing.T) {
	t.Parallel()
	const pools = "pools:\n  office: {platform: cucm, partition: DN, class: national, emergency: ERL, ranges: [{first: +4930550100, last: +4930550109}]}\n"
	all := func(f dayone.PlatformForward) []dayone.PlatformForward {
		f.On = "all calls"
		return []dayone.PlatformForward{f}
	}
	for name, c := range map[string]struct {
		class string
		line  dayone.PlatformLine
		want  []string
	}{
		"as it should be":            {"forward: FWD, voicemail: VM", dayone.PlatformLine{Voicemail: "vm", Forwards: all(dayone.PlatformForward{Space: "fwd"})}, nil},
		"nothing is told":            {"forward: FWD, voicemail: VM", dayone.PlatformLine{Forwards: all(dayone.PlatformForward{})}, nil},
		"the class says nothing":     {"line: NAT", dayone.PlatformLine{Voicemail: "X", Forwards: all(dayone.PlatformForward{Space: "X"})}, nil},
		"it may call more":           {"forward: FWD", dayone.PlatformLine{Forwards: all(dayone.PlatformForward{Space: "ABROAD"})}, []string{"its forward (all calls) has ABROAD (abroad), and"}},
		"none at all":                {"forward: FWD", dayone.PlatformLine{Forwards: all(dayone.PlatformForward{NoSpace: true})}, []string{"its forward (all calls) has no calling search space, and"}},
		"the second is the phone's":  {"forward: FWD, device: DEV", dayone.PlatformLine{Forwards: all(dayone.PlatformForward{Space: "FWD", Second: "DEV"})}, nil},
		"the second opens more":      {"forward: FWD, device: DEV", dayone.PlatformLine{Forwards: all(dayone.PlatformForward{Space: "FWD", Second: "ALL"})}, []string{"has ALL as the second"}},
		"the phone's is not said":    {"forward: FWD", dayone.PlatformLine{Forwards: all(dayone.PlatformForward{Space: "FWD", Second: "ALL"})}, nil},
		"another profile, and busy":  {"forward: FWD, voicemail: VM", dayone.PlatformLine{Voicemail: "X", Forwards: []dayone.PlatformForward{{On: "busy", Space: "ALL"}}}, []string{"its forward (busy) has ALL, and", "its voice mail profile is X, and"}},
		"none named":                 {"voicemail: VM", dayone.PlatformLine{NoVoicemail: true}, []string{"its voice mail profile is default, and"}},
		"none named, as it is to be": {"voicemail: default", dayone.PlatformLine{NoVoicemail: true}, nil},
	} {
		b := books(t, "classes:\n  - {name: national, platform: cucm, "+c.class+"}\n  - {name: abroad, platform: cucm, forward: ABROAD}\n"+pools, ada)
		owned(b, "+4930550101", "per_ada", dayone.NumberAssigned)
		c.line.Pattern, c.line.Partition, c.line.E164, c.line.Primary = `\+4930550101`, "DN", "+4930550101", []string{"amoss"}
		p := dayone.Platform{Of: []dayone.PlatformKind{dayone.PlatformUsers, dayone.PlatformLines}, Users: []dayone.PlatformUser{{Login: "amoss"}}, Lines: []dayone.PlatformLine{c.line}}
		got := platform.Compare(b, &p).Findings
		for i, f := range got {
			if len(got) != len(c.want) || f.Kind != platform.ClassDiffers || f.Next == "" || !strings.Contains(f.Text, c.want[i]) {
				t.Errorf("%s: found %+v", name, f)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: found %d", name, len(got))
		}
	}
}

// A class says of a voice mail server which class of service its mailboxes have there, or that there are none.
func TestMailboxesOfAClass(t *testing.T) {
	t.Parallel()
	const pools = "pools:\n  office: {platform: cucm, partition: DN, class: national, emergency: ERL, ranges: [{first: +4930550100, last: +4930550109}]}\n"
	box := func(extension, class string) []dayone.PlatformMailbox {
		return []dayone.PlatformMailbox{{Alias: "amoss", Extension: extension, Class: class}}
	}
	for name, c := range map[string]struct {
		class string
		boxes []dayone.PlatformMailbox
		want  string
	}{
		"as it should be":              {"voicemail: COS", box(`\+4930550101`, "cos"), ""},
		"by the owner's only number":   {"voicemail: COS", box("0101", "X"), "its class of service is X, and the numbers of pool office are of class national, which is COS"},
		"another class":                {"voicemail: COS", box("+4930550101", "X"), "its class of service is X, and"},
		"it is not told":               {"voicemail: COS", box("+4930550101", ""), ""},
		"there is to be none":          {"voicemail: none", box("+4930550101", "X"), "it is there, and"},
		"there is none":                {"voicemail: COS", nil, "it has no mailbox, and"},
		"there is none, as it is said": {"voicemail: none", nil, ""},
		"it may be the unknown one's":  {"voicemail: COS", []dayone.PlatformMailbox{{Alias: "who", Extension: "+4930550101", Class: "COS"}}, ""},
	} {
		b := books(t, "classes:\n  - {name: national, platform: cucm, line: L}\n  - {name: national, platform: unity, "+c.class+"}\n"+pools, ada)
		b.System = "unity"
		owned(b, "+4930550101", "per_ada", dayone.NumberAssigned)
		p := dayone.Platform{Of: []dayone.PlatformKind{dayone.PlatformMailboxes}, Mailboxes: c.boxes}
		var got []string
		for _, f := range platform.Compare(b, &p).Findings {
			if f.Kind == platform.ClassDiffers {
				got = append(got, f.Text)
			}
		}
		if len(got) != len([]string{c.want}[:min(1, len(c.want))]) || c.want != "" && !strings.Contains(got[0], c.want) {
			t.Errorf("%s: found %q", name, got)
		}
	}
}
