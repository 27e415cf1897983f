// Package company makes up companies of any size: people with skewed and correlated attributes, and policies about them.
// Equal seeds give equal companies. Benchmarks and tests use it, and so does anybody who wants to see the product with
// 100,000 people in it. It must not be used for what a test asserts about real rules.
package company

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
)

// Sizes of the made-up company.
const (
	Departments  = 12
	Titles       = 150
	Teams        = 240
	Locations    = 40
	Countries    = 18
	CostCenters  = 400
	Entitlements = 3000
	systems      = 15
)

var departments = []string{
	"Sales", "Engineering", "Customer Success", "Finance", "Legal", "People", "IT", "Security", "Marketing", "Operations", "Research", "Support",
}

var (
	countries = []string{"US", "DE", "GB", "FR", "ES", "IT", "NL", "PL", "SE", "JP", "IN", "BR", "CA", "MX", "AU", "SG", "IE", "CH"}
	zones     = []string{"America/Los_Angeles", "Europe/Berlin", "Europe/London", "Asia/Tokyo", "America/Sao_Paulo", "Australia/Sydney"}
	words     = []string{"Junior", "Senior", "Lead", "Staff", "Principal", "Associate"}
	crafts    = []string{
		"Engineer", "Analyst", "Manager", "Designer", "Accountant", "Recruiter", "Counsel", "Architect", "Consultant", "Specialist", "Developer",
		"Researcher", "Operator", "Planner", "Buyer", "Trainer", "Writer", "Technician", "Controller", "Partner", "Advisor", "Scientist", "Producer",
		"Coordinator", "Administrator",
	}
	first = []string{"Ana", "Ben", "Chloé", "Deniz", "Elif", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kim", "Łukasz", "Mei", "Nora", "Óscar", "Priya", "Quinn", "Rosa", "Søren", "Tariq"}
	last  = []string{"Ruiz", "Cole", "Öztürk", "Nakamura", "Schmidt", "Okafor", "Lind", "Moreau", "Novák", "Silva", "Kaur", "Brandt", "Costa", "Dubois", "Ek", "Fischer"}
)

// Title is one of the titles.
func Title(n int) string {
	return words[n%len(words)] + " " + crafts[n/len(words)%len(crafts)]
}

func location(n int) string { return fmt.Sprintf("City %02d", n) }

// site belongs to a location.
func site(n int) dayone.Site {
	return dayone.Site{
		Name: location(n), Country: countries[n%Countries], Zone: zones[n%len(zones)], Address: fmt.Sprintf("%d Main St", n),
	}
}

// Person is the nth of the company; others do not depend on how many there are.
func Person(seed uint64, n int) dayone.Person {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	skew := func(size int) int { return int(float64(size) * r.Float64() * r.Float64()) }
	dep := skew(Departments)
	title := (dep*13 + skew(60)) % Titles
	loc := skew(Locations)
	start := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 9600-skew(9600))
	mail := fmt.Sprintf("p%d@example.com", n)
	p := dayone.Person{
		ID: dayone.PersonID(fmt.Sprintf("per_%012d", n)), Status: dayone.Working, Managed: true, Site: site(loc),
		Attrs: dayone.Attrs{
			"first_name": dayone.Text(first[r.IntN(len(first))]), "last_name": dayone.Text(last[r.IntN(len(last))]),
			"email": dayone.Text(mail), "employee_number": dayone.Text(fmt.Sprintf("E%d", n)),
			"department": dayone.Text(departments[dep]), "job_title": dayone.Text(Title(title)),
			"team": dayone.Text(fmt.Sprintf("team-%03d", dep*20+skew(20))), "location": dayone.Text(location(loc)),
			"country": dayone.Text(countries[loc%Countries]), "cost_center": dayone.Text(fmt.Sprintf("CC%03d", skew(CostCenters))),
			"employment_type":  dayone.Text([]string{"FTE", "FTE", "FTE", "FTE", "FTE", "Part-time", "Intern", "Contractor"}[r.IntN(8)]),
			"work_arrangement": dayone.Text([]string{"Office", "Hybrid", "Remote"}[r.IntN(3)]),
			"start_date":       dayone.Date(start), "manager": dayone.Text(fmt.Sprintf("p%d@example.com", n/8)),
		},
	}
	if r.IntN(20) > 0 {
		p.Attrs["level"] = dayone.Int(int64(1 + skew(10)))
	}
	zone, _ := p.Location()
	p.Start = time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, zone)
	switch r.IntN(100) {
	case 0:
		p.Status = dayone.PreHire
	case 1:
		p.Status = dayone.OnLeave
	}
	return p
}

// People are the first n of the company.
func People(seed uint64, n int) iter.Seq[dayone.Person] {
	return func(yield func(dayone.Person) bool) {
		for i := range n {
			if !yield(Person(seed, i)) {
				return
			}
		}
	}
}

// Key is one of the entitlements.
func Key(n int) dayone.Key {
	return dayone.Key{System: fmt.Sprintf("sys%02d", n%systems), Kind: "group", Name: fmt.Sprintf("g%04d", n)}
}

// Op is how a test compares an attribute with its values.
type Op int

const (
	Is      Op = iota
	Not        // is anything else
	In         // one of the values
	Begins     // with the text
	AtLeast    // the number; somebody without one fails
	Until      // the day, or before
)

// Test is one comparison of a condition.
type Test struct {
	Attr   string
	Op     Op
	Values []dayone.Value
}

// CEL is the test as a policy writes it.
func (t Test) CEL() string {
	v := t.Values[0]
	switch t.Op {
	case Is:
		return fmt.Sprintf("person.%s == %q", t.Attr, v.Text)
	case Not:
		return fmt.Sprintf("person.%s != %q", t.Attr, v.Text)
	case In:
		var list []string
		for _, v := range t.Values {
			list = append(list, fmt.Sprintf("%q", v.Text))
		}
		return fmt.Sprintf("person.%s in [%s]", t.Attr, strings.Join(list, ", "))
	case Begins:
		return fmt.Sprintf("person.%s.startsWith(%q)", t.Attr, v.Text)
	case AtLeast:
		return fmt.Sprintf("(has(person.%[1]s) && person.%[1]s >= %[2]s)", t.Attr, v.Text)
	default:
		day, _ := v.Day()
		return fmt.Sprintf("person.%s <= timestamp(%q)", t.Attr, day.Format(time.RFC3339))
	}
}

// Asked is what a policy asks: that all tests of one of its groups hold. Engines that do not speak CEL are given the same
// conditions from it.
type Asked [][]Test

// CEL is the condition as a policy writes it.
func (a Asked) CEL() string {
	var groups []string
	for _, g := range a {
		var tests []string
		for _, t := range g {
			tests = append(tests, t.CEL())
		}
		groups = append(groups, strings.Join(tests, " && "))
	}
	if len(groups) > 1 {
		groups[0] = "(" + groups[0] + ")"
	}
	return strings.Join(groups, " || ")
}

// Asks is what the nth policy asks.
func Asks(seed uint64, n int) Asked {
	r := rand.New(rand.NewPCG(seed, uint64(n)|1<<40))
	text := func(attr string, op Op, values ...string) Test {
		t := Test{Attr: attr, Op: op}
		for _, v := range values {
			t.Values = append(t.Values, dayone.Text(v))
		}
		return t
	}
	test := func(kinds int) Test {
		skew := func(size int) int { return int(float64(size) * r.Float64() * r.Float64()) }
		dep := skew(Departments)
		switch r.IntN(kinds) { // the first ones pick few people
		case 0, 1, 2:
			return text("job_title", Is, Title((dep*13+skew(60))%Titles))
		case 3, 4:
			return text("team", Is, fmt.Sprintf("team-%03d", dep*20+skew(20)))
		case 5:
			return text("cost_center", In, fmt.Sprintf("CC%03d", skew(CostCenters)), fmt.Sprintf("CC%03d", r.IntN(CostCenters)))
		case 6:
			return text("department", Is, departments[dep])
		case 7:
			return text("country", In, countries[skew(Countries)], countries[r.IntN(Countries)])
		case 8:
			return text("employment_type", Not, []string{"Contractor", "Intern"}[r.IntN(2)])
		case 9:
			return text("location", Begins, fmt.Sprintf("City %d", r.IntN(4)))
		case 10:
			return Test{"level", AtLeast, []dayone.Value{dayone.Int(int64(2 + r.IntN(6)))}}
		default:
			day := time.Date(2000+r.IntN(24), 1+time.Month(r.IntN(12)), 1, 0, 0, 0, 0, time.UTC)
			return Test{"start_date", Until, []dayone.Value{dayone.Date(day)}}
		}
	}
	group := []Test{test(8)}
	for range r.IntN(3) {
		group = append(group, test(12))
	}
	out := Asked{group}
	if r.IntN(10) == 0 {
		out = append(out, []Test{test(6)})
	}
	return out
}

// Condition is what the nth policy asks, in CEL.
func Condition(seed uint64, n int) string { return Asks(seed, n).CEL() }

// Grants are what the nth policy gives.
func Grants(seed uint64, n int) []dayone.Key {
	r := rand.New(rand.NewPCG(seed, uint64(n)|1<<41))
	var out []dayone.Key
	seen := map[int]bool{}
	for range 1 + r.IntN(8) {
		if k := r.IntN(Entitlements); !seen[k] {
			seen[k] = true
			out = append(out, Key(k))
		}
	}
	return out
}

// Schema is the company's people.yaml.
const Schema = `attributes:
  department: {type: string, from: hr.department}
  level: {type: int, from: hr.level, optional: true}
defaults:
  from: {account: -3d, entitlement: with-account}
`

// Policies is the folder of a company with n policies.
func Policies(seed uint64, n int) fstest.MapFS {
	var catalogue strings.Builder
	catalogue.WriteString("systems:\n")
	for s := range systems {
		fmt.Fprintf(&catalogue, "  sys%02d:\n    account: {implied: true}\n    group: {needs: account, names: [", s)
		for k := s; k < Entitlements; k += systems {
			if k > s {
				catalogue.WriteString(", ")
			}
			catalogue.WriteString(Key(k).Name)
		}
		catalogue.WriteString("]}\n")
	}
	out := fstest.MapFS{
		"people.yaml":          {Data: []byte(Schema)},
		"catalog/catalog.yaml": {Data: []byte(catalogue.String())},
	}
	for file := 0; file*100 < n; file++ {
		var b strings.Builder
		b.WriteString("policies:\n")
		for i := file * 100; i < min(n, file*100+100); i++ {
			b.WriteString(Policy(fmt.Sprintf("policy-%04d", i), Condition(seed, i), Grants(seed, i)))
		}
		out[fmt.Sprintf("policies/p%02d.yaml", file)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	return out
}

// Policy is one policy as it stands in a file.
func Policy(id, when string, grants []dayone.Key) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - id: %s\n    title: %s\n    owner: it@example.com\n    when: '%s'\n    grant:\n", id, id, when)
	for _, k := range grants {
		fmt.Fprintf(&b, "      - {to: %s}\n", k)
	}
	return b.String()
}
