package web

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// The API's document is openapi.yaml; examples.yaml holds an example of each body, by operation, so that neither hides the
// other. What holds for every operation is said once, here: for whom it is, who is not let in, who may not, and who asks too much.
var (
	//go:embed openapi.yaml
	openAPIText []byte
	//go:embed examples.yaml
	openAPIExamples []byte
)

// exampleOf is what an operation is sent and answers.
type exampleOf struct {
	Request   any            `yaml:"request"`
	Responses map[string]any `yaml:"responses"`
}

// openAPI is the API's document as JSON, made once.
var openAPI = sync.OnceValue(func() []byte {
	var doc map[string]any
	must(yaml.Unmarshal(openAPIText, &doc))
	var examples map[string]exampleOf
	must(yaml.Unmarshal(openAPIExamples, &examples))
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			op := op.(map[string]any)
			addReaders(strings.ToUpper(method)+" "+path, op)
			addRefusals(path, op)
			addExamples(op, examples[op["operationId"].(string)])
		}
	}
	out, err := json.Marshal(doc)
	must(err)
	return out
})

// apiParameters are the parameters that each address of the API may be asked with, as the document has them.
var apiParameters = sync.OnceValue(func() map[string][]string {
	type parameter struct {
		Ref  string `yaml:"$ref"`
		Name string `yaml:"name"`
		In   string `yaml:"in"`
	}
	var doc struct {
		Paths      map[string]map[string]yaml.Node `yaml:"paths"`
		Components struct {
			Parameters map[string]parameter `yaml:"parameters"`
		} `yaml:"components"`
	}
	must(yaml.Unmarshal(openAPIText, &doc))
	out := map[string][]string{}
	add := func(pattern string, list []parameter) {
		for _, x := range list {
			if shared, is := strings.CutPrefix(x.Ref, "#/components/parameters/"); is {
				x = doc.Components.Parameters[shared]
			}
			if x.In == "query" {
				out[pattern] = append(out[pattern], x.Name)
			}
		}
	}
	for path, item := range doc.Paths {
		var shared []parameter
		if list, has := item["parameters"]; has {
			must(list.Decode(&shared))
		}
		for method, node := range item {
			if method == "parameters" {
				continue
			}
			var op struct {
				Parameters []parameter `yaml:"parameters"`
			}
			must(node.Decode(&op))
			add(strings.ToUpper(method)+" "+path, slices.Concat(op.Parameters, shared))
		}
	}
	return out
})

// addReaders says for which roles an operation is, as the one table has them.
func addReaders(pattern string, op map[string]any) {
	roles := make([]string, 0, len(allowed[pattern]))
	for _, r := range allowed[pattern] {
		roles = append(roles, string(r))
	}
	who := "For: " + strings.Join(roles, ", ") + "."
	switch {
	case len(roles) == 0:
		who = "Needs no login."
	case slices.Contains(roles, string(dayone.Employee)):
		who = "For whoever is let in, as far as it is theirs."
	}
	said, _ := op["description"].(string)
	op["description"] = strings.TrimSpace(strings.TrimSpace(said) + "\n\n" + who)
}

// addRefusals adds what every operation may answer that the guard refuses.
func addRefusals(path string, op map[string]any) {
	responses := op["responses"].(map[string]any)
	add := func(status, name string) {
		if _, said := responses[status]; !said {
			responses[status] = map[string]any{"$ref": "#/components/responses/" + name}
		}
	}
	if open, said := op["security"].([]any); !said || len(open) > 0 {
		add("401", "NotLetIn")
		add("403", "Forbidden")
	}
	if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/hooks/") {
		add("429", "TooMany")
	}
}

func addExamples(op map[string]any, e exampleOf) {
	if body, has := op["requestBody"].(map[string]any); has {
		addExample(body, e.Request)
	}
	for status, response := range op["responses"].(map[string]any) {
		addExample(response.(map[string]any), e.Responses[status])
	}
}

// addExample gives the JSON of a body its example, unless it has one.
func addExample(body map[string]any, example any) {
	content, _ := body["content"].(map[string]any)
	json, is := content["application/json"].(map[string]any)
	if !is || example == nil {
		return
	}
	if _, has := json["example"]; !has {
		json["example"] = example
	}
}

// Document is the document of the API, as a server gives it.
func Document() []byte { return openAPI() }
