package connectortest

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
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

// requests that arrived: those that the specification judged, those that it says nothing of, and all.
type requests struct {
	checked, loose int64
	all            int
}

func (b *bench) asked() requests {
	return requests{b.checked.Load(), b.loose.Load(), len(b.sim.Door().Requests())}
}

// evidence of a call that went well, by the requests that it made: it keeps to the specification if there were some, and
// each of them was judged.
func (b *bench) evidence(r dayone.Result, began requests) connector.Evidence {
	switch now := b.asked(); {
	case r.Wait != nil && r.Wait.Kind == dayone.WaitTask && now.all == began.all:
		return connector.ByTask
	case now.checked > began.checked && now.loose == began.loose:
		return connector.Checked
	}
	return connector.Simulated
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

// compare holds the committed results against what was seen, or writes them. A run of some parts only has not seen all.
func (d *tried) compare(t *testing.T, s Suite, m *connector.Manifest, parts []string) {
	t.Helper()
	whole := !slices.ContainsFunc(parts, func(p string) bool { return !d.ran[p] })
	if t.Failed() || !whole || s.Variant || len(m.ActionNames()) == 0 {
		return
	}
	writing.Lock()
	defer writing.Unlock()
	here := s.Specification == nil || SpecificationFile(".") != ""
	old, now := committed(t, m), connector.Results{}
	for _, name := range m.ActionNames() {
		e := d.by[name]
		if e == "" {
			t.Errorf("the manifest says %q, and the suite never does it", name)
			continue
		}
		now[name] = append(now[name], e)
		if slices.Contains(old[name], connector.Real) {
			now[name] = append(now[name], connector.Real)
		}
		if !here && e == connector.Simulated && slices.Contains(old[name], connector.Checked) {
			continue // nobody can say here
		}
		if !toWrite() && !slices.Contains(old[name], e) {
			t.Errorf("%s says %v of %q, and the suite sees %q; %s", connector.ResultsFile, old[name], name, e, connector.HowToWrite(m.Name))
		}
	}
	if toWrite() && !t.Failed() {
		if !here {
			t.Fatal("the vendors' specifications are not here, so results cannot be written; set DAYONE_SPECS to the folder that has them")
		}
		store(t, m, now)
	}
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
		if t.Failed() || t.Skipped() {
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
