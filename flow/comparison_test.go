package flow_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/policy"
)

// more is a file of policies beside those of the company: what they do not say, and what a plan must not miss.
func more(r *rand.Rand) string {
	key := func() dayone.Key { return company.Key(r.IntN(60)) }
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	var b strings.Builder
	b.WriteString("policies:\n")
	for i := range 6 {
		fmt.Fprintf(&b, "  - id: more-%d\n    title: t\n    owner: o@example.com\n    when: '%s'\n", i, one("true", company.Condition(3, r.IntN(500)), "person.level >= 3", `person.department == "Sales"`))
		b.WriteString(one("", "", "    limit: 200d\n", "    from: 10d\n", "    until: person.start_date\n"))
		fmt.Fprintf(&b, "    grant:\n      - {to: %s}\n      - {to: %s%s}\n", key(), key(), one("", ", approval: {by: [manager]}", ", from: -20d"))
		if r.IntN(3) == 0 {
			fmt.Fprintf(&b, "    deny: [{to: %s, reason: r}]\n", key())
		}
		if r.IntN(3) == 0 {
			fmt.Fprintf(&b, "    offer: [{to: %s, approval: {by: [manager]}}]\n", key())
		}
	}
	fmt.Fprintf(&b, "sod:\n  - {id: both, title: Both, owner: o@example.com, never: [%s, %s], on: %s}\n", key(), key(), one("block", "warn"))
	return b.String()
}

// Whatever is proposed for whomever: a plan says what close looks at everybody say.
func TestAPlanForEverybodyIsWhatCloseLooksSay(t *testing.T) {
	t.Parallel()
	const people = 50
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 5))
		folder := func() fstest.MapFS {
			out := company.Policies(seed, 80)
			out["policies/more.yaml"] = &fstest.MapFile{Data: []byte(more(r))}
			return out
		}
		w := newWorld(t)
		w.files = folder()
		h := w.open()
		h.stopRun()
		hire(t, h, seed, people)
		load := func(files fstest.MapFS) flow.Proposal {
			set, diags := h.Load(files)
			if set == nil {
				t.Fatal(diags)
			}
			return flow.Proposal{Set: set, Files: files, Author: "kim@company.com"}
		}
		closely, looked, changed := 0, 0, 0
		check := func(what string, pr flow.Proposal, against *policy.Set) flow.Everybody {
			made, n, judged, err := h.PlanBothWays(ctx, pr, against)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(judged, made, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("seed %d, %s: a plan (+) is not what close looks say (-)\n%s", seed, what, diff)
			}
			closely, looked, changed = closely+n, looked+made.People, changed+len(made.Changes)
			return made
		}
		for range 3 {
			check("other policies", load(folder()), nil)
		}
		for _, pr := range []flow.Proposal{load(folder()), {Set: load(folder()).Set, Only: map[string]string{"department": "Sales"}}} {
			h.planElsewhere(pr)
		}
		some := load(folder())
		some.Only = map[string]string{"department": "Sales"}
		e := check("other policies for some", some, nil)
		same(t, "looked at", e.People, people)
		check("against others", load(folder()), load(folder()).Set)
		if _, err := h.Apply(ctx, some, e, "priya@company.com", "", "it is meant"); err != nil {
			t.Fatal(err)
		}
		check("others are ahead", load(folder()), nil)
		h.planElsewhere(load(folder()))
		h.clock.Jump(h.clock.Now().Add(40 * 24 * time.Hour)) // people start, and nobody looked at them
		check("later", load(folder()), nil)

		if closely*3 > looked || changed == 0 {
			t.Errorf("seed %d: %d of %d were looked at closely, %d changed", seed, closely, looked, changed)
		}

		files := folder()
		schema := func(old, new string) {
			files["people.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(company.Schema, old, new, 1))}
		}
		schema("hr.level", "hr.level, optional: true}\n  badge: {type: string, from: hr.badge")
		if _, n, _, err := h.PlanBothWays(ctx, load(files), nil); err != nil || n != people {
			t.Errorf("another attribute: %d of %d are looked at closely, %v", n, people, err)
		}
		schema("hr.level", "hr.grade")
		closely, looked = 0, 0
		check("another field of the source", load(files), nil)
		if closely*2 > looked {
			t.Errorf("seed %d: %d of %d were looked at closely for a field of the source", seed, closely, looked)
		}
		files["people.yaml"] = &fstest.MapFile{Data: []byte(company.Schema + "  lifecycle: {leave: enabled}\n")}
		closely, looked = 0, 0
		check("another lifecycle", load(files), nil)
		if closely*2 > looked {
			t.Errorf("seed %d: %d of %d were looked at closely for a lifecycle", seed, closely, looked)
		}
	}
}

// planElsewhere lets a command plan beside the house, which holds no more of people than that plan asks for, and send the plan
// on its way as a server does: it is the house's.
func (h *house) planElsewhere(pr flow.Proposal) {
	h.t.Helper()
	here := h.everybody(pr)
	deps := h.Deps
	deps.Beside = true
	command := flow.New(deps)
	if err := command.OpenPolicies(ctx, false); err != nil {
		h.t.Fatal(err)
	}
	there, err := command.PlanAll(ctx, pr, nil, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	there.At = here.At // a moment later
	if diff := cmp.Diff(here, there); diff != "" {
		h.t.Errorf("the house plans (-) and a command beside it (+)\n%s", diff)
	}
	var sent bytes.Buffer
	if err := flow.WritePlan(&sent, here); err != nil {
		h.t.Fatal(err)
	}
	whole := sent.String()
	read, err := flow.ReadPlan(&sent)
	if err != nil {
		h.t.Fatal(err)
	}
	if diff := cmp.Diff(here, read); diff != "" {
		h.t.Errorf("it was sent as (-) and read as (+)\n%s", diff)
	}
	lines := strings.SplitAfter(whole, "\n")
	for _, broken := range []string{"", "{", lines[0], whole[:len(whole)*2/3], strings.Join(lines[1:], ""), strings.Replace(whole, lines[1], "", 1), strings.Repeat(lines[0], 2)} {
		_, err := flow.ReadPlan(strings.NewReader(broken))
		is(h.t, err, dayone.ErrUnavailable)
	}
}

// The crowd in memory follows what is heard of people: what a plan glances at is never older than the books.
func TestAPlanForEverybodyFollowsWhatIsHeard(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p1, r1 := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	pr := h.proposal(strings.Replace(housePolicy, "- {to: okta/group:sales-team}", "- {to: gitlab/account}", 1), nil)
	changes := func(what string, changed, closely int) {
		t.Helper()
		made, n, judged, err := h.PlanBothWays(ctx, pr, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(judged, made, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: a plan (+) is not what close looks say (-)\n%s", what, diff)
		}
		same(t, what+": people who change", len(made.Changes), changed)
		same(t, what+": looked at closely", n, closely)
	}
	h.settledAt(p1) // who is looked at in this moment would be looked at closely
	changes("one in Sales", 1, 0)
	h.changes(p1, r1.ID, employee("1", "start_date", "2024-11-11", "department", "Legal"))
	h.settledAt(p1)
	changes("she moved", 0, 0)
	p2, _ := h.hires(employee("2", "start_date", "2024-11-18", "department", "Sales"))
	h.settledAt(p2)
	changes("another one", 1, 0)
	h.stopRun()
	h.clock.Jump(at(t, "2024-11-19T08:00:00Z"))
	changes("who starts while nobody looks", 1, 1)
}
