package policy_test

import (
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// What hangs on something that only waits for a fact waits as well: it is wrong that no policy gives either of them.
func TestWhatHangsOnAWaitWaitsToo(t *testing.T) {
	t.Parallel()
	set, diags := policy.Load(fstest.MapFS{
		"people.yaml":      {Data: []byte("attributes:\n  team: {type: string, from: hr.team}\n  level: {type: int, from: hr.level, optional: true}\n")},
		"catalog/lab.yaml": {Data: []byte("systems:\n  lab:\n    device: {params: {size: {type: int}}}\n    bench: {names: [a], needs: device}\n")},
		"policies/base.yaml": {Data: []byte(`policies:
  - {id: a, title: A, owner: it@company.com, when: "true", grant: [{to: lab/device, params: {size: "${person.level}"}}, {to: "lab/bench:a"}]}
`)},
	}, nil)
	if set == nil {
		t.Fatal(diags)
	}
	x := set.Explain(dayone.Person{Status: dayone.Working}, policy.Context{Now: benchNow}, dayone.Key{System: "lab", Kind: "bench", Name: "a"})
	if x.Answer != "unknown" || x.Finding != "lab/bench:a needs lab/device, of which something is not known" {
		t.Errorf("it is %s: %s", x.Answer, x.Finding)
	}
}
