package web_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/web"
)

// object is any part of the document.
type object = map[string]any

// servedDocument is what a server gives at /api/openapi.json.
func servedDocument(t *testing.T) object {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(web.Document())))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(object)
}

// operation is one of the document, with its place.
type operation struct {
	object
	method, path, at string // at: as a JSON pointer
	shared           []any  // parameters of its path
}

func operations(doc object) []operation {
	var out []operation
	paths := doc["paths"].(object)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path].(object)
		shared, _ := item["parameters"].([]any)
		for _, method := range slices.Sorted(maps.Keys(item)) {
			if method != "parameters" {
				out = append(out, operation{item[method].(object), method, path, "/paths/" + pointer(path) + "/" + method, shared})
			}
		}
	}
	return out
}

func pointer(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

func (o operation) id() string { return fmt.Sprint(o.object["operationId"]) }

// resolved follows a reference.
func resolved(doc object, v any) object {
	o, _ := v.(object)
	for ref, is := o["$ref"].(string); is; ref, is = o["$ref"].(string) {
		at := any(doc)
		for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			at = at.(object)[name]
		}
		o, _ = at.(object)
	}
	return o
}

// The document is one by the standard's own schema of OpenAPI 3.1, and each schema in it is one of JSON Schema 2020-12.
func TestTheDocumentIsOpenAPI(t *testing.T) {
	t.Parallel()
	doc := servedDocument(t)
	raw, err := os.Open("testdata/oas-3.1.json")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	standard, err := jsonschema.UnmarshalJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("oas.json", standard); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("oas.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%#v", err)
	}
	doc["openapi"] = 3
	if s.Validate(doc) == nil {
		t.Error("a document of no version is one")
	}
	doc["openapi"] = "3.1.0"
	of := schemasOf(t, doc)
	for _, name := range slices.Sorted(maps.Keys(doc["components"].(object)["schemas"].(object))) {
		if _, err := of("/components/schemas/" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// schemasOf compiles a schema of the document by its place.
func schemasOf(t *testing.T, doc object) func(at string) (*jsonschema.Schema, error) {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("file:///dayone.json", doc); err != nil {
		t.Fatal(err)
	}
	return func(at string) (*jsonschema.Schema, error) { return c.Compile("file:///dayone.json#" + at) }
}

// What docs/api.md says how to call is there, and what it sends is what the document asks for.
func TestTheCallsOfTheDocsAreThere(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := servedDocument(t)
	of := schemasOf(t, doc)
	call := regexp.MustCompile(`curl [^\n]*?"\$AT(/[^"?]*)[^"]*"(?: -d '([^']*)'| -d (@-))?`)
	calls := call.FindAllStringSubmatch(string(raw), -1)
	if len(calls) < 12 {
		t.Fatalf("only %d calls are found", len(calls))
	}
	for _, c := range calls {
		method := "get"
		if c[2] != "" || c[3] != "" || strings.Contains(c[0], "-X POST") {
			method = "post"
		}
		i := slices.IndexFunc(operations(doc), func(o operation) bool {
			hole := regexp.MustCompile(`\\{[^/]*\\}`).ReplaceAllString(regexp.QuoteMeta(o.path), `[^/]+`)
			return o.method == method && regexp.MustCompile("^"+hole+"$").MatchString(c[1])
		})
		if i < 0 {
			t.Errorf("there is no %s %s", method, c[1])
			continue
		}
		if c[2] == "" {
			continue
		}
		body, err := jsonschema.UnmarshalJSON(strings.NewReader(c[2]))
		if err != nil {
			t.Errorf("%s: %v", c[2], err)
			continue
		}
		s, err := of(operations(doc)[i].at + "/requestBody/content/application~1json/schema")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(body); err != nil {
			t.Errorf("%s %s: %v", method, c[1], err)
		}
	}
}

// What a reader of the document has to find: names, words, who may, what goes wrong, and an example of each body that is what
// its schema says.
func TestTheDocumentSaysWhatAReaderNeeds(t *testing.T) {
	t.Parallel()
	doc := servedDocument(t)
	of := schemasOf(t, doc)
	tags := map[string]bool{}
	for _, tag := range doc["tags"].([]any) {
		tags[tag.(object)["name"].(string)] = false
	}
	ids := map[string]bool{}
	camel := regexp.MustCompile(`^[a-z][A-Za-z]+$`)
	examples := 0
	for _, o := range operations(doc) {
		bad := func(format string, args ...any) {
			t.Helper()
			t.Errorf("%s %s (%s): %s", o.method, o.path, o.id(), fmt.Sprintf(format, args...))
		}
		if ids[o.id()] || !camel.MatchString(o.id()) {
			bad("its operationId is no name of its own")
		}
		ids[o.id()] = true
		summary, _ := o.object["summary"].(string)
		if n := len(summary); n < 8 || n > 120 || strings.HasSuffix(summary, ".") || !unicode.IsUpper([]rune(summary)[0]) {
			bad("its summary is %q", summary)
		}
		if text, _ := o.object["description"].(string); !strings.Contains(text, "For") && !strings.Contains(text, "Needs no login.") {
			bad("it does not say for whom it is: %q", text)
		}
		for _, tag := range o.object["tags"].([]any) {
			if _, known := tags[tag.(string)]; !known {
				bad("there is no tag %q", tag)
			}
			tags[tag.(string)] = true
		}
		checkParameters(doc, o, bad)
		checkRefusals(doc, o, bad)
		body := func(v any, place string) {
			content, _ := resolved(doc, v)["content"].(object)
			media, is := content["application/json"].(object)
			if !is || resolved(doc, v)["content"] == nil || strings.Contains(place, "openapi.json") {
				return
			}
			example, has := media["example"]
			if !has {
				bad("%s has no example; web/examples.yaml has those of others", place)
				return
			}
			examples++
			s, err := of(place + "/content/application~1json/schema")
			if err != nil {
				bad("%s: %v", place, err)
				return
			}
			if err := s.Validate(example); err != nil {
				bad("the example of %s is not what its schema says: %v", place, err)
			}
		}
		if request, has := o.object["requestBody"]; has {
			body(request, o.at+"/requestBody")
		}
		for status, response := range o.object["responses"].(object) {
			if resolved(doc, response)["description"] == "" {
				bad("%s has no description", status)
			}
			if _, shared := response.(object)["$ref"]; !shared {
				body(response, o.at+"/responses/"+status)
			}
		}
	}
	for tag, used := range tags {
		if !used {
			t.Errorf("nothing has the tag %q", tag)
		}
	}
	if examples < 150 {
		t.Errorf("only %d examples were looked at", examples)
	}
	checkComponents(t, doc, of)
}

func checkParameters(doc object, o operation, bad func(string, ...any)) {
	own, _ := o.object["parameters"].([]any)
	inPath := map[string]bool{}
	for _, v := range slices.Concat(o.shared, own) {
		p := resolved(doc, v)
		name := fmt.Sprint(p["name"])
		if p["in"] == "path" {
			inPath[name] = true
		}
		if text, _ := p["description"].(string); text == "" && len(p["schema"].(object)) < 2 { // an enumeration says itself what it is
			bad("nothing says what the parameter %q is", name)
		}
	}
	for _, hole := range regexp.MustCompile(`{([^}]+)}`).FindAllStringSubmatch(o.path, -1) {
		if !inPath[hole[1]] {
			bad("its path has %s, and no parameter says what it is", hole[0])
		}
		delete(inPath, hole[1])
	}
	if len(inPath) > 0 {
		bad("its path has no %v", inPath)
	}
}

// checkRefusals: who is let in by something has to be told what if not; everything that is not health says what goes wrong.
func checkRefusals(doc object, o operation, bad func(string, ...any)) {
	responses := o.object["responses"].(object)
	open, said := o.object["security"].([]any)
	roles, known := web.Allowed()[strings.ToUpper(o.method)+" "+o.path]
	if !known {
		bad("nobody said who may")
	}
	if nobody := said && len(open) == 0; nobody != (len(roles) == 0) && o.path != "/metrics" {
		bad("the document says that anybody may: %t, the table of roles: %t", nobody, len(roles) == 0)
	}
	need := []string{}
	if !said || len(open) > 0 {
		need = append(need, "401", "403")
	}
	if strings.HasPrefix(o.path, "/api/v1/") || strings.HasPrefix(o.path, "/hooks/") {
		need = append(need, "429", "default")
	}
	for _, status := range need {
		r := resolved(doc, responses[status])
		content, _ := r["content"].(object)
		if _, problem := content["application/problem+json"]; !problem {
			bad("%s is no problem", status)
		}
	}
}

// checkComponents: what is defined is used, and examples of shared answers are what they have to be.
func checkComponents(t *testing.T, doc object, of func(string) (*jsonschema.Schema, error)) {
	t.Helper()
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	components := doc["components"].(object)
	for kind, v := range components {
		for name := range v.(object) {
			if kind != "securitySchemes" && !strings.Contains(string(raw), `"#/components/`+kind+"/"+name+`"`) && name != "PlanHead" && name != "PlanChange" { // lines of a stream
				t.Errorf("nothing uses %s %s", kind, name)
			}
		}
	}
	for name, v := range components["responses"].(object) {
		media, is := v.(object)["content"].(object)["application/problem+json"].(object)
		if !is {
			continue
		}
		s, err := of("/components/responses/" + name + "/content/application~1problem+json/schema")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(media["example"]); err != nil {
			t.Errorf("the example of %s: %v", name, err)
		}
	}
	kinds := doc["components"].(object)["schemas"].(object)["Error"].(object)["properties"].(object)["error"].(object)["properties"].(object)["kind"].(object)["enum"].([]any)
	for _, k := range dayone.Kinds {
		if !slices.Contains(kinds, any(k.Error())) {
			t.Errorf("the document does not know the kind of error %q", k)
		}
	}
}
