package dayone_test

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/dayone-hq/dayone"

// wall says what a room may import of the house. A trailing /... stands for every room below; the first wall that fits
// a room holds. ARCHITECTURE.md says why.
type wall struct {
	room string
	may  []string
	not  []string // packages of the standard library that its duty forbids
}

var pure = []string{"context", "net", "net/http", "os", "os/exec", "database/sql", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog"}

var walls = []wall{
	{"", nil, append([]string{"sync/atomic", "io/fs"}, pure...)},
	{"policy", []string{""}, pure},
	{"planner", []string{""}, pure},
	{"people", []string{"", "policy"}, pure},
	{"ledger", []string{""}, pure},
	{"locale", []string{}, pure},
	{"message", []string{"", "locale"}, pure},
	{"paper", []string{""}, pure},
	{"engine", []string{"", "planner"}, []string{"net", "net/http", "os", "database/sql"}},
	{"engine/...", []string{"", "planner", "engine"}, nil},
	{"number", []string{""}, pure},
	{"number/routeplan", []string{""}, pure},
	{"number/platform", []string{"", "number", "number/routeplan"}, pure},
	{"secret", []string{""}, nil},
	{"clock", nil, nil},
	{"store", []string{""}, []string{"net/http"}},
	{"store/storetest", []string{"", "store"}, nil},
	{"connector", []string{""}, []string{"os", "database/sql"}},
	{"connector/sim", []string{""}, nil},
	{"connector/connectortest", []string{"", "connector", "connector/sim"}, nil},
	{"connector/httpc", []string{"", "connector"}, nil},
	{"connector/sheet", []string{"", "connector"}, []string{"net", "net/http", "database/sql"}}, // files, and nothing else
	{"connector/scim", []string{"", "connector", "connector/httpc"}, nil},
	{"connector/defined", []string{"", "connector"}, []string{"net/http", "os", "database/sql"}},
	// a database is what this one speaks to, as others speak HTTP; it must not read files for all that
	{"connector/sql", []string{"", "connector", "connector/defined"}, []string{"os", "net/http"}},
	{"connector/mailc", []string{"", "connector"}, nil},
	{"connector/scim/sim", []string{"", "connector/sim"}, nil},
	{"connector/mailc/sim", []string{"", "connector/sim"}, nil},
	{"connector/all", []string{"connector", "connector/..."}, nil},
	{"connector/*/sim", []string{"", "connector/sim", "connector/scim/sim", "connector/mailc/sim"}, nil},
	{"connector/exec", []string{"", "connector"}, []string{"net", "net/http", "database/sql"}}, // its system is a program: it looks whether that is there, and gives it an environment
	{"connector/*", []string{"", "connector", "connector/httpc", "connector/scim", "connector/mailc", "connector/defined", "connector/sheet"}, []string{"os", "database/sql"}},
	{"flow", []string{"", "people", "policy", "planner", "engine", "ledger", "number", "number/platform", "message", "locale", "connector", "store", "secret"}, []string{"database/sql", "os"}},
	{"web", []string{"", "flow", "policy", "planner", "engine", "paper", "locale"}, []string{"database/sql", "os"}},
	{"cmd/...", []string{"..."}, nil},
	{"examples", nil, nil},
	{"examples/...", nil, nil}, // programs that stand beside the house
	{"internal/company", []string{""}, []string{"net", "os", "database/sql"}},
	{"internal/lab", []string{""}, nil},
	{"internal/gen", []string{"", "connector"}, nil},
}

func fits(pattern, room string) bool {
	if pattern == "..." || pattern == room {
		return true
	}
	if p, ok := strings.CutSuffix(pattern, "/..."); ok {
		return strings.HasPrefix(room, p+"/")
	}
	ok, _ := path.Match(pattern, room)
	return ok && strings.Contains(pattern, "*")
}

// breaches are the imports that go through a wall.
func breaches(imports map[string][]string) []string {
	var out []string
	for _, room := range slices.Sorted(keys(imports)) {
		i := slices.IndexFunc(walls, func(w wall) bool { return fits(w.room, room) })
		if i < 0 {
			out = append(out, fmt.Sprintf("%q is in no plan of the house: give it a wall in walls_test.go, and a line in ARCHITECTURE.md", room))
			continue
		}
		w := walls[i]
		for _, imp := range imports[room] {
			inside, ours := strings.CutPrefix(imp, module)
			if !ours {
				if slices.Contains(w.not, imp) {
					out = append(out, fmt.Sprintf("%s imports %s, which its duty forbids", room, imp))
				}
				continue
			}
			inside = strings.TrimPrefix(inside, "/")
			if !slices.ContainsFunc(w.may, func(p string) bool { return fits(p, inside) }) {
				out = append(out, fmt.Sprintf("%s imports %s: imports point down, and siblings never meet", room, inside))
			}
		}
	}
	return out
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func houseImports(t *testing.T) map[string][]string {
	t.Helper()
	raw, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	for dec.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		out[strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")] = p.Imports
	}
	return out
}

func TestWalls(t *testing.T) {
	t.Parallel()
	for _, b := range breaches(houseImports(t)) {
		t.Error(b)
	}
}

// The guard itself is guarded: what must not be is seen.
func TestWallsAreSeen(t *testing.T) {
	t.Parallel()
	for room, imp := range map[string]string{
		"":                   module + "/policy",
		"policy":             "context",
		"planner":            module + "/policy",
		"number":             module + "/policy",
		"engine":             module + "/connector",
		"engine/temporal":    module + "/store",
		"connector/okta":     module + "/connector/slack",
		"connector/okta/sim": module + "/connector/okta",
		"connector/slack":    module + "/store",
		"store":              module + "/engine",
		"web":                module + "/store",
		"people":             "time/nothing/../../net",
		"basement":           "fmt",
	} {
		if room == "people" {
			imp = "net"
		}
		if len(breaches(map[string][]string{room: {imp}})) == 0 {
			t.Errorf("%s imports %s, and nobody sees it", room, imp)
		}
	}
}

func goFiles(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (name == ".git" || name == "tools" || name == "bench") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".go") {
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	docs := map[string]string{}
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(name)
		docs[dir] += f.Doc.Text()
		for _, word := range []string{"util", "helper", "manager", "base", "common", "misc", "shared"} {
			if f.Name.Name == word || f.Name.Name == word+"s" {
				t.Errorf("%s is called %q, which says nothing", dir, f.Name.Name)
			}
		}
	}
	for dir, doc := range docs {
		if strings.TrimSpace(doc) == "" {
			t.Errorf("package %s has no comment that says its duty", dir)
		}
	}
}

// Deciding is pure: no clock is read where instants must come in.
func TestNobodyDecidesByAClock(t *testing.T) {
	t.Parallel()
	for _, name := range goFiles(t) {
		room := filepath.Dir(name)
		if strings.HasSuffix(name, "_test.go") || !slices.Contains([]string{".", "policy", "planner", "people", "ledger", "message", "number"}, room) {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{"time.Now(", "time.Since(", "time.Until(", "time.Sleep("} {
			if strings.Contains(string(raw), call) {
				t.Errorf("%s calls %s)", name, call)
			}
		}
	}
}

// Plain text is seen only by connectors, by package secret, by flow's one-time link and by what configures connectors.
func TestWhoRevealsSecrets(t *testing.T) {
	t.Parallel()
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "connector/") || strings.HasPrefix(name, "secret/") || strings.HasPrefix(name, "web/") || name == "value.go" {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), ".Reveal()") {
			t.Errorf("%s reveals a secret", name)
		}
	}
}

func TestNobodyRetriesButTheEngine(t *testing.T) {
	t.Parallel()
	for _, name := range goFiles(t) {
		if !strings.HasPrefix(name, "connector/") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/sim/") || strings.Contains(name, "connectortest") {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), "time.Sleep(") || strings.Contains(string(raw), "time.After(") {
			t.Errorf("%s sleeps; classify the error and let the engine come back", name)
		}
	}
}
