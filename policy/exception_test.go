package policy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

func TestExceptions(t *testing.T) {
	t.Parallel()
	files := func(exceptions string) fstest.MapFS {
		return fstest.MapFS{
			"people.yaml":    {Data: []byte("attributes:\n  department: {type: string, from: hr.department}\n  start_date: {type: date, from: hr.start_date}\n")},
			"catalog/c.yaml": {Data: []byte("systems:\n  okta:\n    account: {}\n    group: {names: [quote, approve, secret], needs: account}\n")},
			"policies/p.yaml": {Data: []byte(`policies:
  - {id: base, title: b, owner: o, when: 'person.department != ""', grant: [{to: okta/account}]}
  - {id: sales, title: s, owner: o, match: {department: Sales}, grant: [{to: okta/group:quote}], deny: [{to: okta/group:secret, reason: r}]}
sod:
  - {id: both, title: both, owner: o, never: [okta/group:quote, okta/group:approve], on: block, waive: {by: [audit@x.com], for: 30d}}
`)},
			"exceptions/e.yaml": {Data: []byte(exceptions)},
		}
	}
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	ada := dayone.Person{
		ID: "per_1", Status: dayone.Working, Start: now.AddDate(-1, 0, 0),
		Attrs: dayone.Attrs{"department": dayone.Text("Sales"), "email": dayone.Text("Ada@x.com"), "start_date": dayone.Date(now.AddDate(-1, 0, 0))},
	}
	key := func(s string) dayone.Key { k, _ := dayone.ParseKey(s); return k }
	want := func(exceptions string, p dayone.Person, at time.Time, held ...string) (string, dayone.Want) {
		t.Helper()
		set, diags := policy.Load(files(exceptions), nil)
		if set == nil {
			t.Fatal(diags)
		}
		c := policy.Context{Now: at, Held: map[dayone.Key]dayone.Holding{}}
		for _, h := range held {
			c.Held[key(h)] = dayone.Holding{Item: dayone.Item{Key: key(h), State: dayone.Active}}
		}
		w := set.Want(p, c)
		given := map[string]bool{}
		for _, g := range w.Grants {
			given[g.Key.Name] = true
		}
		for _, k := range w.Keep {
			given["kept "+k.Name] = true
		}
		delete(given, "")
		return strings.Join(slices.Sorted(maps.Keys(given)), " "), w
	}
	one := func(body string) string {
		return "exceptions:\n  - {person: ada@x.com, " + body + ", reason: a project, approver: kim@x.com, until: 2025-03-10}\n"
	}
	left := ada
	left.Status = dayone.Left

	got, w := want(one("add: okta/group:approve"), ada, now)
	if got != "" || !slices.ContainsFunc(w.Findings, func(f dayone.Finding) bool { return f.Kind == "sod" }) {
		t.Errorf("an exception gets around a separation of duty: %q", got)
	}
	waived := one("add: okta/group:approve") + "waivers:\n  - {person: per_1, sod: both, control: a second look, approver: audit@x.com, until: 2025-03-05}\n"
	if got, w = want(waived, ada, now); got != "approve quote" {
		t.Errorf("a waiver: %q", got)
	} else if !w.Next.Equal(time.Date(2025, 3, 6, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("looked at again at %s, not when the waiver ends", w.Next)
	}
	if got, _ = want(waived, ada, now.AddDate(0, 0, 6), "okta/group:quote"); got != "quote" {
		t.Errorf("when the waiver has ended the later side goes: %q", got)
	}
	if got, _ = want(one("withhold: okta/group:quote"), ada, now, "okta/group:quote"); got != "" {
		t.Errorf("withheld: %q", got)
	}
	if got, _ = want(one("withhold: okta/group:quote"), ada, now.AddDate(0, 0, 10)); got != "quote" {
		t.Errorf("a withhold that has ended: %q", got)
	}
	if got, _ = want(one("add: {to: okta/group:secret}"), ada, now); got != "quote" {
		t.Errorf("an exception beats a deny: %q", got)
	}
	if got, _ = want(one("add: okta/group:approve"), left, now); got != "" {
		t.Errorf("an exception gives to a leaver: %q", got)
	}
	if got, _ = want(one("keep: okta/group:approve"), left, now, "okta/group:approve", "okta/group:quote"); got != "kept approve" {
		t.Errorf("what a leaver is to keep: %q", got)
	}

	for body, fault := range map[string]string{
		"exceptions: [{person: a@x.com, add: okta/account, reason: r, approver: A@x.com, until: 2025-03-10}]": "their own exception",
		"exceptions: [{person: a@x.com, add: okta/account, reason: r, approver: k@x.com}]":                    "has no end",
		"exceptions: [{person: a@x.com, add: okta/grup:x, reason: r, approver: k@x.com, until: 2025-03-10}]":  `no kind "grup"`,
		"exceptions: [{person: a@x.com, reason: r, approver: k@x.com, until: 2025-03-10}]":                    "does nothing",
		"waivers: [{person: a@x.com, sod: nope, control: c, approver: k@x.com, until: 2025-03-10}]":           `no separation of duty "nope"`,
	} {
		_, diags := policy.Load(files(body), nil)
		if !slices.ContainsFunc(diags, func(d policy.Diagnostic) bool {
			return strings.Contains(d.Message, fault) && d.File == "exceptions/e.yaml" && d.Line == 1
		}) {
			t.Errorf("%s: %v", body, diags)
		}
	}
}
