package number_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
)

const berlin = `
stated_by: [phone]
classes:
  - {name: national, platform: cucm-eu, line: CSS_NAT}
  - {name: national, platform: cucm-eu, site: Berlin, line: CSS_BER_NAT, forward: CSS_BER_FWD, voicemail: nat}
pools:
  berlin:
    title: Berlin direct dial
    platform: cucm-eu
    partition: DN_BER
    country: DE
    site: Berlin
    class: national
    emergency: ERL-BER-1
    quarantine: 90d
    vanity: ["00"]
    when: person.location == "Berlin"
    ranges:
      - {first: +49 30 1234000, last: +49 30 1234199, carrier: Telekom, until: 2027-12-31}
      - {first: "030 1235000", last: "030 1235049", carrier: Colt, port: porting-in, from: 2025-02-01, emergency: ERL-BER-2}
  lab:
    platform: cucm-eu
    partition: DN_LAB
    emergency: ERL-LAB
    ranges:
      - {first: 2100, last: 2119}
`

var at = time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)

func read(t *testing.T, text string) *number.Plan {
	t.Helper()
	p, faults := number.ReadPlan(text)
	for _, f := range faults {
		t.Error(f)
	}
	return &p
}

func TestAPlanReads(t *testing.T) {
	t.Parallel()
	p := read(t, berlin)
	pool, ok := p.Pool("berlin")
	if !ok || len(p.Pools) != 2 || pool.Count() != 250 || pool.Quarantine != 90*24*time.Hour || pool.Reservation != number.Reservation || pool.Low != 12 {
		t.Fatalf("%+v", p)
	}
	if r := pool.Ranges[1]; r.First != "+49301235000" || r.Port != number.PortingIn || pool.Location(r.First) != "ERL-BER-2" || pool.Location("") != "ERL-BER-1" {
		t.Errorf("%+v", r)
	}
	n := pool.Number(&pool.Ranges[0], "+49301234100", at)
	if n.ID != "+49301234100" || n.Pattern != `\+49301234100` || !n.Vanity || n.State != dayone.NumberFree || n.Digits() != "49301234100" {
		t.Errorf("%+v", n)
	}
	lab, _ := p.Pool("lab")
	if n := lab.Number(&lab.Ranges[0], "2101", at); n.ID != "cucm-eu:DN_LAB:2101" || n.E164 != "" {
		t.Errorf("an extension is %+v", n)
	}
	if of, r, ok := p.Of("+49301235007", "", ""); !ok || of.Name != "berlin" || r.First != "+49301235000" {
		t.Errorf("a number of the second range is found in %+v", r)
	}
	if _, _, ok := p.Of("2101", "another", "DN_LAB"); ok {
		t.Error("2101 of another cluster is taken for ours")
	}
	if c, ok := p.Class("national", "cucm-eu", "Berlin"); !ok || c.Line != "CSS_BER_NAT" {
		t.Errorf("class at the site: %+v", c)
	}
	if c, ok := p.Class("national", "cucm-eu", "London"); !ok || c.Line != "CSS_NAT" {
		t.Errorf("class elsewhere: %+v", c)
	}
}

// The last digits of a direct dial number may be what the platform knows.
func TestAPatternMayBeTheLastDigits(t *testing.T) {
	t.Parallel()
	p := read(t, `{pools: {a: {platform: p, emergency: e, ranges: [{first: +493012342000, last: +493012342099, stored: "last:4", mapping: translation}]}}}`)
	if n := p.Pools[0].Number(&p.Pools[0].Ranges[0], "+493012342007", at); n.Pattern != "2007" || n.E164 != "+493012342007" {
		t.Errorf("%+v", n)
	}
}

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"pools: [a]", "numbers.yaml:1:8: pools is a mapping"},
		{"polls: {}", `numbers.yaml:1:1: the file has no "polls"; did you mean "pools"?`},
		{"pools:\n  a: {platform: p}", "names no emergency"},
		{"pools:\n  a b: {platform: p, emergency: e}", `2:3: "a b" is no name of a pool`},
		{"pools:\n  a: {platform: p, emergency: e, country: XY}", `there is no country "XY"`},
		{"pools:\n  a: {platform: p, emergency: e, quarantine: long}", `"long" is no length of time`},
		{"pools:\n  a: {platform: p, emergency: e, ranges: [{first: +4930, last: +4931}]}", "no possible number in +49: it is only dialled locally"},
		{"pools:\n  a: {platform: p, emergency: e, ranges: [{first: +493012340000, last: +49301234000}]}", "is no range"},
		{"pools:\n  a: {platform: p, emergency: e, ranges: [{first: +493010000000, last: +493019999999}]}", "one has at most 100000"},
		{"pools:\n  a: {platform: p, country: US, emergency: e, ranges: [{first: +493012340000}]}", "is a number of DE, and the pool is of US"},
		{"pools:\n  a: {platform: p, emergency: e, ranges: [{first: +493012340000, last: +493012340099, stored: last:1}]}", "are not different for every number"},
		{"pools:\n  a: {platform: p, emergency: e, ranges: [{first: +493012340000, last: +493012340099}]}\n  b:\n    platform: q\n    emergency: e\n    ranges:\n      - {first: +493012340050, last: +493012340150}", "numbers.yaml:7:9: +493012340050 to +493012340150 of pool \"b\" and +493012340000 to +493012340099 of pool \"a\" (line 2) have numbers in common"},
		{"pools:\n  a: {platform: p, emergency: e, ranges: [{first: 2100, last: 2199}, {first: +493012342150, last: +493012342160, stored: last:4}]}", "have patterns on p in common"},
		{"pools:\n  a: {platform: p, emergency: e, class: vip}\nclasses: [{name: national, platform: p, line: x}]", `classes does not say what that is`},
		{"pools:\n  a: &x {platform: p, emergency: e}\n  b: *x", "written out, and not by an alias"},
		{"pools: {}\n---\npools: {}", "more than one document"},
		{"pools:\n\t- a", "2"},
		{"\xff", "not UTF-8"},
		{"pools:\n  a:\n    platform: p\n    emergency: \"e\\0\"\n", "numbers.yaml:4:16: a control character stands here"},
	} {
		_, faults := number.ReadPlan(c.text)
		all := ""
		for _, f := range faults {
			all += f.String() + "\n"
		}
		if !strings.Contains(all, c.want) {
			t.Errorf("%q\nis said to be wrong with %q\nand not with %q", c.text, all, c.want)
		}
	}
	if p, faults := number.ReadPlan(""); len(faults) > 0 || len(p.Pools) > 0 {
		t.Errorf("an empty file: %v", faults)
	}
}

func TestTwoClustersHaveTheSameExtensions(t *testing.T) {
	t.Parallel()
	read(t, "pools:\n  a: {platform: p, partition: x, emergency: e, ranges: [{first: 2100, last: 2199}]}\n  b: {platform: q, partition: x, emergency: e, ranges: [{first: 2100, last: 2199}]}")
}

func TestARangeIsGivenOutOnlyWhileItIsOurs(t *testing.T) {
	t.Parallel()
	p := read(t, berlin)
	pool, _ := p.Pool("berlin")
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	for _, c := range []struct {
		first, on string
		shut, out bool
	}{
		{"+49301234000", "2024-11-22", false, false},
		{"+49301234000", "2027-12-02", true, false}, // it ends within the margin
		{"+49301234000", "2027-12-31", true, false},
		{"+49301234000", "2028-01-01", true, true},
		{"+49301235000", "2025-01-31", true, true},
		{"+49301235000", "2025-02-01", false, false},
	} {
		r, _ := pool.Range(c.first)
		if shut, out := pool.Shut(r, day(c.on)), r.Out(day(c.on)); (shut != "") != c.shut || (out != "") != c.out {
			t.Errorf("%s on %s is shut: %q, out: %q", c.first, c.on, shut, out)
		}
	}
}

func TestPlansAreCompared(t *testing.T) {
	t.Parallel()
	was := read(t, berlin)
	is := read(t, strings.NewReplacer("1234199", "1234149", "  lab:", "  labor:", "last: 2119", "last: 2129", "quarantine: 90d", "quarantine: 180d").Replace(berlin))
	c := number.Compare(was, is)
	if len(c.Gone) != 1 || c.Gone[0].First() != "+49301234150" || c.Gone[0].Count() != 50 {
		t.Errorf("gone: %+v", c.Gone)
	}
	if len(c.Added) != 1 || c.Added[0].First() != "2120" || len(c.Added[0].Numbers(at)) != 10 {
		t.Errorf("added: %+v", c.Added)
	}
	if len(c.Moved) != 1 || c.Moved[0].From.Name != "lab" || c.Moved[0].To.Name != "labor" {
		t.Errorf("moved: %+v", c.Moved)
	}
	if got := strings.Join(c.Pools, ", "); got != "pool berlin has other rules, pool labor is new, pool lab is gone" {
		t.Errorf("pools: %s", got)
	}
	if c := number.Compare(was, read(t, "# a comment\n"+berlin)); len(c.Added)+len(c.Gone)+len(c.Moved)+len(c.Pools) > 0 {
		t.Errorf("a comment changes %+v", c)
	}
}

func FuzzPlan(f *testing.F) {
	f.Add(berlin)
	f.Fuzz(func(t *testing.T, text string) {
		p, faults := number.ReadPlan(text)
		if len(faults) > 0 {
			return
		}
		for i := range p.Pools {
			for j := range p.Pools[i].Ranges {
				r := &p.Pools[i].Ranges[j]
				if r.Count() < 1 || r.Count() > number.MostInRange || !r.Has(r.First) || !r.Has(r.Last) {
					t.Errorf("range %+v", r)
				}
			}
		}
	})
}
