package policy_test

import (
	"strings"
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

// A fact that got lost takes nothing away: neither the thing that it decides about, nor what hangs on that, however long the
// chain. What lacks another thing for sure goes all the same.
func TestWhatHangsOnAnUnknownFactStays(t *testing.T) {
	t.Parallel()
	set, diags := policy.Load(fstest.MapFS{
		"people.yaml":      {Data: []byte("attributes:\n  team: {type: string, from: hr.team}\n  level: {type: int, from: hr.level, optional: true}\n")},
		"catalog/lab.yaml": {Data: []byte("systems:\n  lab:\n    room: {}\n    key: {}\n    bench: {names: [a, b], needs: room}\n    drawer: {names: [a], needs: bench}\n    safe: {needs: [room, key]}\n")},
		"policies/base.yaml": {Data: []byte(`policies:
  - {id: room, title: Room, owner: it@company.com, when: person.level > 3, grant: [{to: lab/room}]}
  - {id: rest, title: Rest, owner: it@company.com, when: "true", grant: [{to: "lab/bench:a"}, {to: "lab/drawer:a"}, {to: lab/safe}]}
`)},
	}, nil)
	if set == nil {
		t.Fatal(diags)
	}
	held := map[dayone.Key]dayone.Holding{}
	for _, k := range []dayone.Key{{System: "lab", Kind: "room"}, {System: "lab", Kind: "bench", Name: "a"}, {System: "lab", Kind: "drawer", Name: "a"}, {System: "lab", Kind: "safe"}} {
		held[k] = dayone.Holding{Item: dayone.Item{Key: k, State: dayone.Active}}
	}
	w := set.Want(dayone.Person{Status: dayone.Working, Unknown: []string{"level"}}, policy.Context{Now: benchNow, Held: held})
	var kept []string
	for _, k := range w.Keep {
		kept = append(kept, k.String())
	}
	if got := strings.Join(kept, " "); got != "lab/bench:a lab/drawer:a lab/room" || len(w.Grants) > 0 {
		t.Errorf("%s stay, %d are given", got, len(w.Grants))
	}
}
