package policy_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/policy"
)

// house is a small folder with one policy file.
func house(policies string) fstest.MapFS {
	return fstest.MapFS{
		"people.yaml": {Data: []byte(`attributes:
  department: {type: string, from: hr.department, values: [Sales, IT]}
  team:       {type: string, from: hr.team}
  level:      {type: int, from: hr.level, optional: true}
  start_date: {type: date, from: hr.start_date}
lists:
  eu: [DE, FR]
`)},
		"catalog/a.yaml": {Data: []byte(`systems:
  slack:
    account: {}
    channel: {names: ["#x", "#y"], roles: [guest, member], needs: account}
  okta:
    account: {}
    vault: {names: [keys], sensitive: true, needs: account}
    synced: {names: [ad], read_only: "it comes from Active Directory; grant ad/group:ad"}
  aws:
    account: {implied: true}
    role: {names: [dev], needs: account}
`)},
		"policies/a.yaml": {Data: []byte(policies)},
	}
}

// findings are code, place and message of every diagnostic.
func findings(ds []policy.Diagnostic) []string {
	var out []string
	for _, d := range ds {
		out = append(out, strings.TrimPrefix(d.Position.String(), "policies/a.yaml:")+" "+d.Code+": "+d.Message)
	}
	return out
}

func check(t *testing.T, policies string, want ...string) []policy.Diagnostic {
	t.Helper()
	_, diags := policy.Check(house(policies), policy.Known{Templates: []string{"welcome", "intro-call"}, Invitations: []string{"intro-call"}})
	got := slices.DeleteFunc(findings(diags), func(s string) bool { return strings.HasPrefix(s, "people.yaml:7") }) // the list that few of these use
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s\n(-want +got):\n%s", policies, diff)
	}
	return diags
}

// Whoever forgets to say for whom a policy is does not give it to everybody.
func TestNobodyGivesToEverybodyByForgetting(t *testing.T) {
	t.Parallel()
	head := "policies:\n  - id: a\n    owner: b\n"
	grant := "    grant: [{to: okta/account}]\n"
	check(t, head+grant, `2:5 missing: policy "a" does not say for whom it is`)
	check(t, head+"    match: {}\n"+grant, `4:12 missing: match names no attribute`)
	check(t, head+"    match:\n"+grant, `4:5 empty: match has no value`)
	check(t, head+"    match: {department: []}\n"+grant, `4:25 missing: match names no value for department, so it holds for nobody`)
	check(t, head+"    whne: \"true\"\n"+grant, `4:5 unknown-key: a policy has no "whne"`)
	if ds := check(t, head+"    match: everybody\n"+grant, `4:12 value: match is "everybody"`); ds[0].Hint != `did you mean "everyone"?` {
		t.Error(ds[0].Hint)
	}
	check(t, head+"    match: everyone\n"+grant)
	set, _ := policy.Load(house(head+"    match: everyone\n"+grant), nil)
	w := set.Want(dayone.Person{ID: "per_x", Status: dayone.Working, Start: time.Unix(0, 0)}, policy.Context{Now: time.Unix(1e9, 0)})
	if len(w.Grants) != 1 {
		t.Errorf("everyone gets %v", w.Grants)
	}
}

// A message that there is none of is found when the policy is checked, not on somebody's first day.
func TestMessagesThatAreNotThereAreFound(t *testing.T) {
	t.Parallel()
	text := `policies:
  - id: a
    owner: b
    match: everyone
    notify:
      - {on: ready, to: new-hire, template: welcom}
      - {on: ready, to: new-hire, invite: intro-call}
      - {on: ready, to: new-hire, invite: farewell}
      - {on: ready, to: new-hire, invite: welcome}
`
	diags := check(t, text, `6:45 unknown-template: there is no template "welcom"`, `8:43 unknown-template: there is no template "farewell"`,
		`9:43 unknown-template: "welcome" is a message and has no time, as an invitation has`)
	if diags[0].Hint != `did you mean "welcome"?` || diags[1].Hint != "there are welcome, intro-call; your own stand in templates/" {
		t.Errorf("%q, %q", diags[0].Hint, diags[1].Hint)
	}
	set, diags := policy.Load(house(text), nil)
	if set == nil || len(set.Unsendable(policy.Known{})) != 0 || len(set.Unsendable(policy.Known{Templates: []string{"welcome"}})) != 3 {
		t.Errorf("%v: who does not know the templates judges none", diags)
	}
}

func TestACatalogueNamesNoKindThatIsNotThere(t *testing.T) {
	t.Parallel()
	files := house("policies:\n  - {id: a, owner: b, match: everyone, grant: [{to: okta/account}]}\n")
	files["catalog/b.yaml"] = &fstest.MapFile{Data: []byte(`systems:
  gitlab:
    account: {}
    group: {names: [a], needs: [acount], default: b}
    later: {needs: group}
`)}
	_, diags := policy.Load(files, nil)
	want := []string{
		`catalog/b.yaml:4:33 unknown-kind: gitlab has no kind "acount" that group could need`,
		`catalog/b.yaml:4:51 unknown-value: gitlab/group falls back to "b", which is none of its names`,
	}
	if diff := cmp.Diff(want, findings(diags)); diff != "" {
		t.Error(diff)
	}
}

// A test that expects a misspelled group not to be given would always pass.
func TestATestExpectsOnlyWhatThereIs(t *testing.T) {
	t.Parallel()
	files := house("policies:\n  - {id: a, owner: b, match: everyone, grant: [{to: okta/account}]}\n")
	files["tests/a.test.yaml"] = &fstest.MapFile{Data: []byte(`people:
  sam: {department: Sales}
tests:
  - name: x
    person: sam
    today: 2025-01-01
    expect:
      none: [slack/channel:#z, okta/synced:ad]
      grants: [{to: okta/account, because: [aa]}]
      systems: [otka]
      sod: [one]
      added: [nonsense]
`)}
	set, _ := policy.Load(files, nil)
	stories, diags := set.Stories(files)
	want := []string{
		`tests/a.test.yaml:8:14 unknown-entitlement: no connector offers "slack/channel:#z"`,
		`tests/a.test.yaml:9:45 unknown-policy: there is no policy "aa"`,
		`tests/a.test.yaml:10:17 unknown-system: there is no system "otka"`,
		`tests/a.test.yaml:11:13 unknown-separation-of-duty: there is no separation of duty "one"`,
		`tests/a.test.yaml:12:15 value: "nonsense" names nothing that can be given`,
	}
	if diff := cmp.Diff(want, findings(diags)); diff != "" || len(stories) != 0 {
		t.Error(diff)
	}
}

// YAML's own parser names a line near the fault, or none, and no column. The place is found all the same, with what to
// write there.
func TestMisreadYAMLIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, text := range []string{
		"policies:\n  - id: a\n    owner: b\n\tmatch: everyone\n",
		"policies:\n  - id: a\n   owner: b\n    match: everyone\n",
		"policies:\n  - id: a\n    owner: b\n    grant:\n      - {to: slack/account}\n      - {to: slack/channel: #x}\n      - {to: slack/account}\n",
		"policies:\n  - id: a\n    owner: b\n    grant:\n      - {to: slack/channel #x}\n      - {to: slack/account}\n",
		"policies:\n  - id: a\n    owner: b\n    grant:\n      - to: slack/channel: #x\n      - {to: slack/account}\n",
		"policies:\n  - id: a\n    owner: \"b\n    match: everyone\n    title: \"x\"\n",
		"policies:\n  - id: a\n    when: \"Sales\" == person.department\n",
		"policies:\n  - id: a\n    grant: [{to: a/b}, {to: c/d}\n    owner: x\n  - id: b\n    owner: c\n",
		"policies:\n  - id: a\n    grant: [{to: a/b, {to: c/d}]\n    owner: x\n",
		"policies:\n  - id: a\n    owner:b\n    match: everyone\n",
		"policies:\n  - id: a\n    owner: @foo\n",
		"policies:\n  - id: a\n    owner: *foo\n",
		"policies:\n  - id: a\n    title: Sales: EMEA\n    owner: x\n",
		"policies:\n  - id: a\n    owner: x\n      match: everyone\n",
		"policies:\n  - id: a\n    owner: x\n  match: everyone\n",
		"policies:\n  - id: a\n    control: [a, b}]\n",
		"policies:\n  - id: a\n    owner: x\n    \"unfinished\n",
		"policies:\n  - id: a\u2028    owner: x\n",
	} {
		_, diags := policy.Load(fstest.MapFS{"policies/a.yaml": {Data: []byte(text)}}, nil)
		b.WriteString(every(diags))
	}
	golden(t, "misread.txt", b.String())
}

// Whoever knows another language writes = and and; whoever comes from a word processor brings its quotes.
func TestWordsOfOtherLanguagesAreTranslated(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, when := range []string{
		`person.department = "IT"`, `person.department == "IT" and person.level > 3 or not has(person.level)`, `person.department == “IT”`,
		`person.department === "IT"`, `person.department <> "IT"`, `person.department == "IT`, `(person.level > 3`, `person.level >`, `person.level > 3 person`,
		`person.department == IT`, `has(person.level) && person.level => 3`, `person.department == "IT" & true`, `person.team.startsWith("and = or")`,
	} {
		_, diags := policy.Load(house("policies:\n  - id: a\n    owner: b\n    when: >-\n      true &&\n      "+when+"\n    grant: [{to: okta/account}]\n"), nil)
		b.WriteString("--- " + when + "\n" + every(diags))
	}
	golden(t, "languages.txt", b.String())
}

// A fault inside a condition is shown where it stands, however YAML writes the condition.
func TestFaultsStandWhereTheyAreHoweverTheTextIsWritten(t *testing.T) {
	t.Parallel()
	for _, when := range []string{
		`person.depart == "IT"`, `'person.depart == "IT"'`, `"person.depart == \"IT\""`, "|\n      true &&\n      person.depart == \"IT\"",
		">\n      true &&\n      person.depart == \"IT\"", "true &&\n      person.depart == \"IT\"", "\"\\x74rue &&\n      'a' == 'a' && person.depart == \\\"IT\\\"\"", "'true &&\n      ''a'' == ''a'' && person.depart == \"IT\"'",
	} {
		text := "policies:\n  - id: a\n    owner: b\n    when: " + when + "\n    grant: [{to: okta/account}]\n"
		_, diags := policy.Load(house(text), nil)
		if len(diags) != 1 || !strings.HasPrefix(diags[0].Source[diags[0].Col-1:], "depart ==") {
			t.Errorf("%s\n%s", when, every(diags))
		}
	}
}

// What is no fault, but surely not meant.
func TestLint(t *testing.T) {
	t.Parallel()
	of := func(lines ...string) string {
		var b strings.Builder
		b.WriteString("policies:\n")
		for i, l := range lines {
			b.WriteString("  - {id: p" + string(rune('1'+i)) + ", owner: o, " + l + "}\n")
		}
		return b.String()
	}
	t.Run("what nobody can be", func(t *testing.T) {
		check(t, of(
			`when: 'person.team == "a" && person.team == "b"', grant: [{to: okta/account}]`,
			`when: 'has(person.level) && person.level > 3 && person.level < 4', grant: [{to: okta/account}]`,
			`when: 'has(person.level) && person.level > 3 && person.level < 5', grant: [{to: okta/account}]`,
			`when: 'person.status == "terminated"', grant: [{to: okta/account}]`,
			`when: 'person.status == "terminated"', for_status: [terminated], grant: [{to: okta/account}]`,
			`match: {team: a}, grant: [{to: okta/account, if: 'person.team == "b"'}]`,
			`when: 'person.team.startsWith("a") && person.team.startsWith("b")', grant: [{to: okta/account}]`,
			`when: 'false', grant: [{to: okta/account}]`,
			`when: 'person.team > "x" && person.team < "y"', grant: [{to: okta/account}]`,
		),
			`2:31 unreachable: policy "p1" can never match: no value of person.team satisfies it`,
			`3:31 unreachable: policy "p2" can never match: no value of person.level satisfies it`,
			`5:31 unreachable: policy "p4" can never match: no value of person.status satisfies it`,
			`7:74 unreachable: this grant of policy "p6" can never happen: no value of person.team satisfies it`,
			`9:31 unreachable: policy "p8" can never match: its condition is never true`,
		)
	})
	t.Run("what everybody has from elsewhere", func(t *testing.T) {
		acc := "{to: slack/account}"
		check(t, of(
			`match: everyone, grant: [`+acc+`, {to: slack/channel:#x, role: member}]`,
			`match: {department: Sales}, grant: [`+acc+`, {to: slack/channel:#x, role: guest}, {to: slack/channel:#y, role: member}]`,
			`when: 'person.department in ["Sales", "IT"] && person.team == "a"', grant: [{to: slack/channel:#y, role: guest}]`,
			`match: {department: IT}, grant: [{to: slack/channel:#y, role: member}]`,
		),
			`3:65 redundant: policy "p2" need not grant slack/account: everyone it matches has it from "p1" (policies/a.yaml:2)`,
			`3:86 redundant: policy "p2" need not grant slack/channel:#x: everyone it matches has it from "p1" (policies/a.yaml:2)`,
		)
		check(t, of( // two of them together cover it, where the values of an attribute are known
			`match: everyone, grant: [`+acc+`]`,
			`match: {department: Sales}, grant: [{to: slack/channel:#y}]`,
			`match: {department: IT}, grant: [{to: slack/channel:#y}]`,
			`when: 'person.department == "Sales" && person.team == "a" || person.department == "IT" && person.team == "b"', grant: [{to: slack/channel:#y}]`,
		), `5:148 redundant: policy "p4" need not grant slack/channel:#y: everyone it matches has it from "p2" (policies/a.yaml:3) and "p3" (policies/a.yaml:4)`)
		check(t, of( // of two that are equal one is enough
			`match: {team: a}, grant: [`+acc+`]`, `match: {team: a}, grant: [`+acc+`]`,
		), `3:55 redundant: policy "p2" need not grant slack/account: everyone it matches has it from "p1" (policies/a.yaml:2)`)
		check(t, of( // another end, another role, an approval, another unknown: not the same
			`match: everyone, until: person.start_date, grant: [`+acc+`]`,
			`match: everyone, grant: [{to: slack/account, approval: {by: [manager]}}]`,
			`when: 'person.team == "a" || person.team == "b"', grant: [`+acc+`]`,
			`when: 'has(person.level) && person.level >= 3', grant: [{to: slack/channel:#x}]`,
			`when: 'person.team != "c" && has(person.level) && person.level >= 4', grant: [{to: slack/channel:#x, role: member}]`,
		))
	})
	t.Run("what lacks its account, its approval or a reader", func(t *testing.T) {
		check(t, of(
			`match: {department: Sales}, grant: [{to: slack/account}]`,
			`match: {department: IT}, grant: [{to: slack/channel:#x}, {to: okta/vault:keys}, {to: aws/role:dev}]`,
			`when: 'person.department != "IT"', grant: [{to: slack/channel:#y}]`,
			`match: {team: a}, deny: [{to: aws/role:dev, reason: x}]`,
			`when: 'person.team == "a" && person.department == "IT"', grant: [{to: aws/role:dev}]`,
		)+"bundles:\n  spare: [{to: okta/account}]\n",
			`3:62 prerequisite: slack/channel:#x needs slack/account, which nothing gives to anybody whom policy "p2" matches`,
			`3:86 prerequisite: okta/vault:keys needs okta/account, which nothing gives to anybody whom policy "p2" matches`,
			`3:86 sensitive: okta/vault:keys is sensitive, and policy "p2" gives it without an approval; the manager is asked`,
			`6:94 denied: policy "p5" gives aws/role:dev to nobody: "p4" denies it to everyone it matches (policies/a.yaml:5)`,
			`8:3 unused: no policy uses the bundle "spare"`,
		)
	})
	t.Run("a list that nothing reads", func(t *testing.T) {
		_, diags := policy.Check(house(of(`match: everyone, grant: [{to: okta/account}]`)), policy.Known{})
		if diff := cmp.Diff([]string{`people.yaml:7:3 unused: no policy reads the list "eu"`}, findings(diags)); diff != "" {
			t.Error(diff)
		}
		_, diags = policy.Check(house(of(`when: person.country in lists.eu, grant: [{to: okta/account}]`)), policy.Known{})
		if len(diags) != 0 {
			t.Error(findings(diags))
		}
	})
	t.Run("what cannot be granted", func(t *testing.T) {
		ds := check(t, of(`match: everyone, grant: [{to: okta/synced:ad}]`), `2:54 not-writable: "okta/synced:ad" cannot be granted`)
		if ds[0].Hint != "it comes from Active Directory; grant ad/group:ad" {
			t.Error(ds[0].Hint)
		}
	})
	t.Run("what is shown only", func(t *testing.T) {
		cluster := dayone.System{Name: "cucm", Kinds: map[string]dayone.Kind{
			"account": {}, "user_group": {Names: []string{"staff"}}, "line": {Shown: true, ReadOnly: "it is made by hand"}, "partition": {Shown: true, ReadOnly: "lines refer to it", Names: []string{"DN"}},
		}}
		_, ds := policy.Check(house(of(`match: everyone, grant: [{to: cucm/line}, {to: "cucm/partition:DN"}, {to: cucm/partition}], offer: [{to: cucm/line}]`)), policy.Known{Systems: []dayone.System{cluster}})
		ds = slices.DeleteFunc(ds, func(d policy.Diagnostic) bool { return d.Code == "unused" })
		no := `cucm/%s is shown only: nobody can be given it by a policy`
		var want []string
		for _, at := range [][2]string{{"2:54", "line"}, {"2:71", "partition"}, {"2:98", "partition"}, {"2:129", "line"}} {
			want = append(want, at[0]+" shown-only: "+fmt.Sprintf(no, at[1]))
		}
		if diff := cmp.Diff(want, findings(ds)); diff != "" {
			t.Error(diff)
		}
		if hint := "it is made by hand; a policy can give cucm/account, cucm/user_group"; len(ds) == 0 || ds[0].Hint != hint {
			t.Errorf("%+v", ds)
		}
	})
}

// The folder that init writes is clean, and so is what a parameter reads of an optional attribute: where it is missing, a
// finding says so.
func TestTheExamplesAreClean(t *testing.T) {
	t.Parallel()
	set, diags := policy.Check(os.DirFS("../examples"), policy.Known{})
	if set == nil || len(diags) > 0 {
		t.Error(every(diags))
	}
	_, diags = policy.Check(house(`policies:
  - id: a
    owner: b
    when: person.level > 3
    until: person.end_date
    grant: [{to: okta/account, if: person.level > 4}]
`), policy.Known{})
	if got := findings(diags); !slices.Contains(got, `4:18 optional: person.level is optional: where it is missing, this gives nothing new and takes nothing away`) {
		t.Error(got)
	}
}

// Errors come first: a warning scrolls away what has to be done.
func TestErrorsComeFirst(t *testing.T) {
	t.Parallel()
	ds := check(t, "policies:\n  - {id: a, owner: b, when: person.level > 3, grant: [{to: okta/account}]}\n  - {id: a, owner: b, match: everyone, grant: [{to: okta/account}]}\n",
		`3:10 duplicate: the id "a" stands at policies/a.yaml:2:10, too`,
		`2:36 optional: person.level is optional: where it is missing, this gives nothing new and takes nothing away`)
	if ds[1].Severity != policy.Warning {
		t.Error(ds[1])
	}
}

// Reading again what somebody types says the same as reading it for the first time.
func TestReloadSaysWhatLoadSays(t *testing.T) {
	t.Parallel()
	files := company.Policies(seed, 60)
	set := load(t, files)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	people := []dayone.Person{company.Person(seed, 1), company.Person(seed, 2), company.Person(seed, 3)}
	for i, name := range names {
		for _, change := range []func(string) string{
			func(s string) string { return s },
			func(s string) string { return s + "\n# a note\n" },
			func(s string) string { return strings.Replace(s, "grant:", "grnt:", 1) },
			func(s string) string { return strings.Replace(s, "level", "levle", 1) },
			func(s string) string {
				return strings.Replace(s, "policies:\n", "policies:\n  - {id: new-one, owner: a@example.com, match: everyone, grant: []}\n", 1)
			},
			func(s string) string { return strings.Replace(s, "- id: ", "- id: x", 1) },
		} {
			mine := fstest.MapFS{}
			for n, f := range files {
				mine[n] = f
			}
			mine[name] = &fstest.MapFile{Data: []byte(change(string(files[name].Data)))}
			first, want := policy.Load(mine, nil)
			again, got := set.Reload(mine)
			if diff := cmp.Diff(every(want), every(got)); diff != "" || (first == nil) != (again == nil) {
				t.Fatalf("%s, change %d: (-load +reload)\n%s", name, i, diff)
			}
			if first == nil {
				continue
			}
			if first.Hash != again.Hash {
				t.Errorf("%s: the hash is another", name)
			}
			for _, p := range people {
				if diff := cmp.Diff(first.Want(p, policy.Context{Now: benchNow}), again.Want(p, policy.Context{Now: benchNow})); diff != "" {
					t.Fatal(diff)
				}
			}
		}
	}
}

// What conditions are made of is counted with the values that files name.
func TestStats(t *testing.T) {
	t.Parallel()
	set, _ := policy.Load(house(`policies:
  - id: a
    owner: b
    when: person.department == "Sales" && has(person.level) && person.level > 3 && person.team == person.department
    grant: [{to: okta/account}]
`), nil)
	s := set.Stats()
	if s.Policies != 1 || s.Conditions != 1 || s.Atoms != 4 || s.Residuals != 1 {
		t.Errorf("%+v", s)
	}
	i := slices.IndexFunc(s.Columns, func(c policy.ColumnStats) bool { return c.Name == "person.department" })
	if i < 0 || s.Columns[i].Values != 2 || s.Columns[i].Classes != 3 {
		t.Errorf("%+v", s.Columns)
	}
}

func TestMomentsAreWhatTheyAre(t *testing.T) {
	t.Parallel()
	notify := func(n string) string {
		return "policies:\n  - id: a\n    owner: a@x.com\n    match: everyone\n    notify:\n      - " + n + "\n"
	}
	check(t, notify(`{on: [moved, leaving, left, waiting, at_risk, failed, ready, {changed: [team, department]}], to: manager, template: welcome, digest: daily}`))
	check(t, notify(`{on: {changed: team}, to: manager, template: welcome}`))
	check(t, notify(`{on: changed, to: manager, template: welcome}`), "6:14 missing: changed does not say of what")
	check(t, notify(`{on: {changed: [teem]}, to: manager, template: welcome}`), `6:24 type: unknown person attribute "teem"`)
	check(t, notify(`{on: lefft, to: manager, template: welcome}`), `6:14 value: on is "lefft"; it can be ready, failed, waiting, at_risk, moved, leaving, left, new_code`)
	check(t, notify(`{on: moved, to: manager, invite: intro-call}`), `6:42 value: an invitation is for a first day; "moved" is told by a message`)
	check(t, notify(`{on: ready, to: manager, template: welcome, digest: weekly}`), `6:61 value: digest is "weekly"; it can be daily`)
	check(t, notify(`{on: ready, to: manager, invite: intro-call, digest: daily}`), `6:62 value: an invitation cannot be gathered`)
	check(t, notify(`{on: left, to: new-hire, template: welcome, digest: daily}`), `6:24 value: a digest goes to an address of work, and "new-hire" may be at home before the first day`)
	check(t, notify(`{on: left, to: [manager, person], template: welcome, digest: daily}`), `6:34 value: a digest goes to an address of work, and "person" may be at home before the first day`)
	check(t, notify(`{on: left, to: "${personal_email}", template: welcome, digest: daily}`), `6:24 value: a digest goes to an address of work, and "${personal_email}" may be at home before the first day`)
}
