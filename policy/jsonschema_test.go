package policy_test

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone/policy"
)

var kinds = map[string]string{
	"people": "people.schema.json", "sites": "sites.schema.json", "holidays": "holidays.schema.json", "catalog": "catalog.schema.json", "policies": "policy.schema.json",
	"broken": "policy.schema.json", "products": "product.schema.json", "tests": "test.schema.json", "exceptions": "exception.schema.json",
}

// builtin are the messages that Dayone brings.
var builtin = policy.Known{
	Templates:   []string{"alert", "approval", "at-risk", "buddy-meeting", "digest", "intro-call", "it-summary", "leaving", "left", "manager-ready", "moved", "new-code", "new-code-manager", "prehire", "sponsor", "task", "team-standup", "waiting", "welcome"},
	Invitations: []string{"buddy-meeting", "intro-call", "team-standup"},
}

// compile makes validators of the schemas of a folder.
func compile(t *testing.T, files fstest.MapFS) map[string]*jsonschema.Schema {
	t.Helper()
	raw, diags := policy.Schemas(files, builtin)
	if raw == nil {
		t.Fatal(every(diags))
	}
	out := map[string]*jsonschema.Schema{}
	for name, body := range raw {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(name, doc); err != nil {
			t.Fatal(err)
		}
		if out[name], err = c.Compile(name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// seen is a file as an editor's language server sees it.
func seen(t *testing.T, text string) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	var see func(n *yaml.Node) any
	see = func(n *yaml.Node) any {
		switch n.Kind {
		case yaml.MappingNode:
			out := map[string]any{}
			for i := 0; i+1 < len(n.Content); i += 2 {
				out[n.Content[i].Value] = see(n.Content[i+1])
			}
			return out
		case yaml.SequenceNode:
			out := []any{}
			for _, c := range n.Content {
				out = append(out, see(c))
			}
			return out
		}
		switch n.Tag {
		case "!!int", "!!float":
			f, _ := strconv.ParseFloat(n.Value, 64)
			return f
		case "!!bool":
			return n.Value == "true"
		case "!!null":
			return nil
		default:
			return n.Value
		}
	}
	return see(doc.Content[0])
}

func schemaOf(name string) string {
	top, _, _ := strings.Cut(strings.TrimSuffix(name, ".yaml"), "/")
	return kinds[top]
}

// Each example is what its schema says, and the broken one is not.
func TestTheExamplesAreWhatTheirSchemasSay(t *testing.T) {
	t.Parallel()
	files := exampleFiles(t)
	schemas := compile(t, files)
	for name, file := range files {
		err := schemas[schemaOf(name)].Validate(seen(t, string(file.Data)))
		if broken := strings.HasPrefix(name, "broken/"); broken != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An editor finds with the schema what the loader finds, and finds no fault where the loader does not.
func TestSchemaAndLoaderAgree(t *testing.T) {
	t.Parallel()
	files := exampleFiles(t)
	delete(files, "broken/broken.yaml")
	schemas := compile(t, files)
	p := func(text string) string { return "policies:\n  - {id: a, owner: b@c.com, " + text + "}\n" }
	rule := func(text string) string { return p("match: everyone, grant: [" + text + "]") }
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"policies/x.yaml", p("grant: [{to: okta/account}]"), false},
		{"policies/x.yaml", p("match: everyone, grant: [{to: okta/account}]"), true},
		{"policies/x.yaml", p("match: everybody, grant: [{to: okta/account}]"), false},
		{"policies/x.yaml", p("match: {}, grant: [{to: okta/account}]"), false},
		{"policies/x.yaml", p("match: {department: Slaes}, grant: [{to: okta/account}]"), false},
		{"policies/x.yaml", p("match: {department: [Sales, IT], level: 5, start_date: 2025-01-01}, grant: [{to: okta/account}]"), true},
		{"policies/x.yaml", p("match: {departement: Sales}, grant: [{to: okta/account}]"), false},
		{"policies/x.yaml", p("when: true, grant: [{to: okta/account}]"), true},
		{"policies/x.yaml", p("match: everyone, grnt: [{to: okta/account}]"), false},
		{"policies/x.yaml", p("match: everyone, for_status: [pre-hire, left], grant: [{to: okta/account}]"), false},
		{"policies/x.yaml", p("match: everyone, limit: 3 weeks, grant: [{to: okta/account}]"), false},
		{"policies/x.yaml", rule("{to: okta/group:sales-taem}"), false},
		{"policies/x.yaml", rule("{to: okta/account:admin}"), true},
		{"policies/x.yaml", rule("{to: gitlab+admin/group:platform, role: owner}"), true},
		{"policies/x.yaml", rule("{to: gitlab/group:platform, role: reportr}"), false},
		{"policies/x.yaml", rule("{to: notion/space:company, role: reader}"), false},
		{"policies/x.yaml", rule("{to: aws/permission-set:demo-sandbox, params: {session_hours: 8}}"), true},
		{"policies/x.yaml", rule(`{to: aws/permission-set:demo-sandbox, params: {session_hours: "${person.level}"}}`), true},
		{"policies/x.yaml", rule("{to: aws/permission-set:demo-sandbox, params: {session_hours: long}}"), false},
		{"policies/x.yaml", rule("{to: aws/permission-set:demo-sandbox, params: {hours: 8}}"), false},
		{"policies/x.yaml", rule("{role: member}"), false},
		{"policies/x.yaml", rule("{to: okta/account, approval: {need: any}}"), false},
		{"policies/x.yaml", rule("{to: okta/account, critical: maybe}"), false},
		{"policies/x.yaml", p("match: everyone, deny: [{to: okta/account}]"), false},
		{"policies/x.yaml", p("match: everyone, notify: [{to: manager, template: welcome}, {to: [new-hire, 'slack/channel:#general'], invite: intro-call, on: [ready, failed]}]"), true},
		{"policies/x.yaml", p("match: everyone, notify: [{to: manager, template: welcom}]"), false},
		{"policies/x.yaml", p("match: everyone, notify: [{to: manager}]"), false},
		{"policies/x.yaml", p("match: everyone, notify: [{to: managre, template: welcome}]"), false},
		{"exceptions/x.yaml", "exceptions:\n  - {person: a@b.c, add: okta/account, reason: r, approver: d@b.c, until: 2025-01-01}\n", true},
		{"exceptions/x.yaml", "exceptions:\n  - {person: a@b.c, add: {to: gitlab/group:platform, role: owner}, reason: r, approver: d@b.c, until: 2025-01-01}\n", true},
		{"exceptions/x.yaml", "exceptions:\n  - {person: a@b.c, withhold: okta/account, reason: r, approver: d@b.c}\n", false},
		{"exceptions/x.yaml", "waivers:\n  - {person: a@b.c, sod: quote-and-approve, control: c, approver: d@b.c, until: 2025-01-01}\n", true},
		{"sites.yaml", "sites:\n  Berlin: {country: DE, zone: Europe/Berlin, holidays: [2025-12-25], facts: {help: x}}\n", true},
		{"sites.yaml", "sites:\n  Berlin: {country: Germany}\n", false},
		{"holidays.yaml", "holidays:\n  DE: {2025-12-25: Christmas Day}\n", true},
		{"holidays.yaml", "holidays: [2025-12-25]\n", false},
		{"people.yaml", "attributes:\n  department: {type: text}\n", false},
		{"catalog/catalog.yaml", "systems:\n  okta: {account: {}, group: {names: a, sensitive: maybe}}\n", false},
		{"tests/x.test.yaml", "people: {a: {department: Sales}}\ntests:\n  - {name: n, person: a, today: 2025-01-01, expect: {count: 0, none: [okta/account], offers: []}}\n", true},
		{"tests/x.test.yaml", "people: {a: {department: Slaes}}\ntests: []\n", false},
		{"tests/x.test.yaml", "tests:\n  - {name: n, person: a, today: 2025-01-01, expect: {grants: [okta/group:nope]}}\n", false},
	} {
		mine := fstest.MapFS{}
		for n, f := range files {
			mine[n] = f
		}
		mine[c.name] = &fstest.MapFile{Data: []byte(c.text)}
		set, diags := policy.Check(mine, builtin)
		if set != nil {
			_, found := set.Stories(mine)
			diags = append(diags, found...)
		}
		byLoader := !slices.ContainsFunc(diags, func(d policy.Diagnostic) bool { return d.File == c.name && d.Severity == policy.Error })
		err := schemas[schemaOf(c.name)].Validate(seen(t, c.text))
		if byLoader != c.ok || (err == nil) != c.ok {
			t.Errorf("%s\nloader: %t, schema: %v\n%s", c.text, byLoader, err, every(diags))
		}
	}
}

// The schemas that lie beside the examples are those of the examples.
func TestTheExamplesSchemasAreCurrent(t *testing.T) {
	t.Parallel()
	raw, _ := policy.Schemas(os.DirFS("../examples"), builtin)
	for name, want := range raw {
		path := "../examples/.schema/" + name
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is old: go run ./cmd/dayone policy schema examples (%v)", path, err)
		}
	}
}
