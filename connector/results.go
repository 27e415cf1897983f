package connector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// ResultsFile stands beside a manifest. The connector's tests write it, and fail when it does not say what they see.
const ResultsFile = "results.yaml"

// Evidence says against what an action was tried.
type Evidence string

const (
	Checked   Evidence = "specification" // every request of it kept to the vendor's specification
	Real      Evidence = "real server"   // a server that we did not write took it
	Simulated Evidence = "simulator"     // our own simulator took it, and nothing else has judged it
	ByTask    Evidence = "task"          // it ends in a task for a human
)

// Results are the evidence of each action of a connector, by "account create" and the like.
type Results map[string][]Evidence

// ActionNames are all actions of a manifest as results name them.
func (m *Manifest) ActionNames() []string {
	var out []string
	if m.Account != nil {
		for _, a := range m.Account.Actions {
			out = append(out, dayone.AccountKindName+" "+a)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(m.Kinds)) {
		for _, a := range m.Kinds[kind].Actions {
			out = append(out, kind+" "+a)
		}
	}
	return out
}

// ParseResults reads the results of a connector: all of its actions, and no others. It gives also those that are not, with the error.
func ParseResults(raw []byte, m *Manifest) (Results, error) {
	r := Results{}
	if err := yaml.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("results of %s: %w: %w", m.Name, err, dayone.ErrInvalid)
	}
	for action, es := range r {
		for _, e := range es {
			if !slices.Contains([]Evidence{Checked, Real, Simulated, ByTask}, e) {
				return nil, fmt.Errorf("results of %s: %s has the evidence %q, which there is not: %w", m.Name, action, e, dayone.ErrInvalid)
			}
		}
	}
	names := m.ActionNames()
	for _, n := range names {
		if len(r[n]) == 0 {
			return r, fmt.Errorf("results of %s: %q was never tried; let its test suite do it, then %s: %w", m.Name, n, HowToWrite(m.Name), dayone.ErrInvalid)
		}
	}
	for n := range r {
		if !slices.Contains(names, n) {
			return r, fmt.Errorf("results of %s: %q is no action of its manifest; %s: %w", m.Name, n, HowToWrite(m.Name), dayone.ErrInvalid)
		}
	}
	return r, nil
}

// HowToWrite is what to run when results are not what tests see any more.
func HowToWrite(name string) string {
	return "run DAYONE_RESULTS=write go test ./connector/" + name + " && go generate ./..."
}

// Text is the file.
func (r Results) Text(m *Manifest) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Against what each action was tried. Written by the tests of this connector: DAYONE_RESULTS=write go test ./connector/%s\n", m.Name)
	for _, n := range m.ActionNames() {
		var words []string
		for _, e := range r[n] {
			words = append(words, string(e))
		}
		fmt.Fprintf(&b, "%s: [%s]\n", n, strings.Join(words, ", "))
	}
	return b.String()
}
