package rest

import (
	"encoding/json"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	v := values{"login": dayone.Text("a/b?c"), "title": dayone.Text("${login}"), "n": dayone.Int(7), "list": dayone.List("x", "y"), "empty": dayone.Text("")}
	for in, want := range map[string]string{
		"": "", "plain": "plain", "$$5": "$5", "$${login}": "${login}", "${title}": "${login}", "a ${n} b": "a 7 b", "${list}": "x, y", "$5 $": "$5 $", "${nobody}": "",
	} {
		got, err := parse(in)
		if err != nil || got.fill(v) != want {
			t.Errorf("%q is %q, %v; not %q", in, got.fill(v), err, want)
		}
	}
	for _, in := range []string{"${", "${}", "a ${login", "${a ${b"} {
		if _, err := parse(in); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
	path, _ := parse("/u/${login}/x")
	if got, err := path.path(v); err != nil || got != "/u/a%2Fb%3Fc/x" {
		t.Errorf("the path is %s, %v", got, err)
	}
	path, _ = parse("/u/${empty}")
	if got, err := path.path(v); err == nil {
		t.Errorf("nobody is at %s", got)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	v := values{"name": dayone.Text(`"x"`), "n": dayone.Text("42"), "yes": dayone.Text("true"), "none": dayone.Text(""), "tags": dayone.List("a"), "id": dayone.Text("9")}
	types := map[string]string{"n": "int", "yes": "bool", "none": "int", "id": itself}
	for in, want := range map[string]string{
		`{a: "${name}", b: {c: "${unknown}"}, d: "${unknown}"}`:            `{"a":"\"x\""}`,
		`{n: "${n}", yes: "${yes}", none: "${none}", t: "${n}!"}`:          `{"n":42,"none":null,"t":"42!","yes":true}`,
		`{const: true, number: 1.50, nothing: null, list: [1, "${name}"]}`: `{"const":true,"list":[1,"\"x\""],"nothing":null,"number":1.50}`,
		`{tags: "${tags}", empty: {}, none: []}`:                           `{"empty":{},"none":[],"tags":["a"]}`,
		`["${unknown}", "${id}"]`:                                          `["9"]`,
	} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(in), &n); err != nil {
			t.Fatal(err)
		}
		b, err := parseBody(n.Content[0])
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		tree, _, err := b.render(v, types, nil)
		got, _ := json.Marshal(tree)
		if err != nil || string(got) != want {
			t.Errorf("%s is %s, %v; not %s", in, got, err, want)
		}
	}
	var n yaml.Node
	_ = yaml.Unmarshal([]byte(`{op: change, who: "${id}", name: "${name}", both: "${n} ${name}", n: "${n}"}`), &n)
	b, err := parseBody(n.Content[0])
	if err != nil {
		t.Fatal(err)
	}
	tree, _, err := b.render(v, types, dayone.Attrs{"n": dayone.Text("42")})
	if got, _ := json.Marshal(tree); err != nil || string(got) != `{"both":"42 \"x\"","n":42,"op":"change","who":"9"}` {
		t.Errorf("a change is %s, %v", got, err)
	}
	for name, bad := range map[string]string{"n": "north", "yes": "maybe"} {
		if _, err := typed(name, dayone.Text(bad), types[name]); err == nil {
			t.Errorf("%s = %s is taken", name, bad)
		}
	}
}

func TestPointers(t *testing.T) {
	t.Parallel()
	v, err := decode([]byte(`{"a/b":{"~":[{"id":9007199254740993},null,{"x":[]}]},"yes":true}`))
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[pointer]string{"/a~1b/~0/0/id": "9007199254740993", "/a~1b/~0/1": "", "/yes": "true"} {
		if got, ok := at.text(v); !ok || got != want {
			t.Errorf("%s is %q, %v", at, got, ok)
		}
	}
	for _, at := range []pointer{"/none", "/a~1b/~0/3", "/a~1b/~0/-1", "/a~1b/~0/x", "/yes/x", "/a~1b/~0/2/x", ""} {
		if got, ok := at.text(v); ok {
			t.Errorf("%s is %q", at, got)
		}
	}
	for _, bad := range []string{"", "{", "{} {}", "<html>"} {
		if _, err := decode([]byte(bad)); err == nil {
			t.Errorf("%q is JSON", bad)
		}
	}
	at := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	for _, text := range []string{"2026-11-22T13:00:00Z", "2026-11-22T14:00:00+01:00", "1795352400", "1795352400000"} {
		if got := instant(text); !got.Equal(at) {
			t.Errorf("%s is %s", text, got)
		}
	}
	if !instant("yesterday").IsZero() {
		t.Error("what is not understood is an instant")
	}
}
