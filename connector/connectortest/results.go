package connectortest

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sim"
)

// tried is what a run of the suite has seen done.
type tried struct {
	mu  sync.Mutex
	by  map[string]connector.Evidence
	ran map[string]bool // parts
}

// nameOf is an action as results name it.
func nameOf(a dayone.Act) string {
	_, verb, _ := strings.Cut(string(a.Action), ".")
	return a.Key.Kind + " " + verb
}

var strength = []connector.Evidence{connector.ByTask, connector.Simulated, connector.Checked}

func (d *tried) saw(a dayone.Act, e connector.Evidence) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if name := nameOf(a); slices.Index(strength, e) > slices.Index(strength, d.by[name]) {
		d.by[name] = e
	}
}

// requests that a simulator got: those that a specification judged, and those that it says nothing of.
type requests struct{ judged, loose int }

func arrived(s sim.Simulator) requests {
	judged, loose := s.Door().Judged()
	return requests{judged, loose}
}

// evidence of a call that went well, by the requests that it made: it keeps to the specification if there were some, and
// each of them was judged.
func evidence(s sim.Simulator, r dayone.Result, began requests) connector.Evidence {
	switch now := arrived(s); {
	case r.Wait != nil && r.Wait.Kind == dayone.WaitTask && now == began:
		return connector.ByTask
	case now.judged > began.judged && now.loose == began.loose:
		return connector.Checked
	}
	return connector.Simulated
}

// Try does one act in a test of its own, and holds what was seen against the results, as the suite does with what it does.
func Try(t *testing.T, g *connector.Guard, s sim.Simulator, a dayone.Act) (dayone.Result, error) {
	t.Helper()
	began, from := arrived(s), len(s.Door().Requests())
	r, err := g.Apply(t.Context(), a)
	wrote := slices.ContainsFunc(s.Door().Requests()[from:], func(q sim.Request) bool { return q.Method != http.MethodGet })
	if err == nil && (r.Changed() || wrote) {
		d := &tried{by: map[string]connector.Evidence{}}
		d.saw(a, evidence(s, r, began))
		d.compare(t, Suite{Variant: true, Specification: func(*testing.T) Validator { return nothing{} }}, g.Manifest)
	}
	return r, err
}

// writing of results is one at a time: tests of one package share the file.
var writing sync.Mutex

func toWrite() bool { return os.Getenv("DAYONE_RESULTS") == "write" }

// committed are the results beside the test. None at all are none.
func committed(t *testing.T, m *connector.Manifest) connector.Results {
	t.Helper()
	raw, err := os.ReadFile(connector.ResultsFile)
	if errors.Is(err, fs.ErrNotExist) {
		if !toWrite() {
			t.Fatalf("there is no %s; %s", connector.ResultsFile, connector.HowToWrite(m.Name))
		}
		return connector.Results{}
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := connector.ParseResults(raw, m)
	if err != nil && !toWrite() {
		t.Fatal(err)
	}
	if r == nil {
		r = connector.Results{}
	}
	return r
}

// whole says that every part has run: whoever asked for some of them has not seen all.
func (d *tried) whole(parts []string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !d.ran[p] })
}

// compare holds the committed results against what was seen, or writes them. What a variant does may be less well judged than
// what the results say; and what it does not do, others do.
func (d *tried) compare(t *testing.T, s Suite, m *connector.Manifest) {
	t.Helper()
	if t.Failed() || len(m.ActionNames()) == 0 {
		return
	}
	writing.Lock()
	defer writing.Unlock()
	here := s.Specification == nil || SpecificationFile(".") != ""
	now := committed(t, m)
	for _, name := range m.ActionNames() {
		e, in := d.by[name], ""
		if where := s.DoneBy[name]; where != "" {
			in = where
		}
		said := strongest(now[name])
		switch {
		case e == "" && in != "":
			if !hasTest(in) {
				t.Errorf("%s is said to do %q, and there is no such test", in, name)
			}
		case e == "" && s.Variant, e == said:
		case e == "":
			t.Errorf("the manifest says %q, and the suite never does it; do it in a test by connectortest.Try, and name that in DoneBy", name)
		case slices.Index(strength, e) < slices.Index(strength, said) && (s.Variant || !here && e == connector.Simulated):
		case toWrite():
			now[name] = append(slices.DeleteFunc(slices.Clone(now[name]), func(o connector.Evidence) bool { return o != connector.Real }), e)
			slices.SortFunc(now[name], func(a, b connector.Evidence) int { return slices.Index(strength, b) - slices.Index(strength, a) })
		default:
			t.Errorf("%s says %v of %q, and it was seen by %q; %s", connector.ResultsFile, now[name], name, e, connector.HowToWrite(m.Name))
		}
	}
	if toWrite() && !t.Failed() {
		if !here {
			t.Fatal("the vendors' specifications are not here, so results cannot be written; set DAYONE_SPECS to the folder that has them")
		}
		store(t, m, now)
	}
}

// strongest is what was seen without a real server.
func strongest(es []connector.Evidence) connector.Evidence {
	out := connector.Evidence("")
	for _, e := range es {
		if slices.Index(strength, e) > slices.Index(strength, out) {
			out = e
		}
	}
	return out
}

// hasTest says whether the package has a test of this name.
func hasTest(name string) bool {
	files, _ := filepath.Glob("*_test.go")
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil && strings.Contains(string(raw), "func "+name+"(") {
			return true
		}
	}
	return false
}

func store(t *testing.T, m *connector.Manifest, r connector.Results) {
	t.Helper()
	if err := os.WriteFile(connector.ResultsFile, []byte(r.Text(m)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Real watches what a connector does to a server that we did not write: the result is its Options.Observe. What went well
// is what the results have to call "real server", all of it and nothing else: so there is one such test in a package.
func Real(t *testing.T, f connector.Factory) func(system, op string, took time.Duration, err error) {
	t.Helper()
	m, err := connector.ParseManifest(f.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	done := map[string]bool{}
	t.Cleanup(func() {
		if t.Failed() || len(done) == 0 { // the server is not here
			return
		}
		writing.Lock()
		defer writing.Unlock()
		now := committed(t, m)
		for _, name := range m.ActionNames() {
			switch was := slices.Contains(now[name], connector.Real); {
			case was == done[name]:
			case toWrite():
				now[name] = slices.DeleteFunc(now[name], func(e connector.Evidence) bool { return e == connector.Real })
				if done[name] {
					now[name] = append(now[name], connector.Real)
				}
			default:
				t.Errorf("%s says %v of %q; a real server has done it: %v; %s", connector.ResultsFile, now[name], name, done[name], connector.HowToWrite(m.Name))
			}
		}
		if toWrite() {
			store(t, m, now)
		}
	})
	return func(_, op string, _ time.Duration, err error) {
		_, verb, acts := strings.Cut(op, ".")
		if err != nil || !acts {
			return
		}
		var of []string
		for _, name := range m.ActionNames() {
			if kind, v, _ := strings.Cut(name, " "); v == verb && (kind == dayone.AccountKindName) == strings.HasPrefix(op, "account.") {
				of = append(of, name)
			}
		}
		if len(of) != 1 {
			t.Errorf("%s may be one of %v: a connector of several kinds has to be watched otherwise", op, of)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		done[of[0]] = true
	}
}
