package policy_test

import (
	"os"
	"testing"

	"github.com/dayone-hq/dayone/policy"
)

func TestExampleStories(t *testing.T) {
	t.Parallel()
	fsys := os.DirFS("../examples")
	set, diags := policy.Load(fsys, nil)
	for _, d := range diags {
		t.Log(d)
	}
	if set == nil {
		t.Fatal("the examples do not load")
	}
	stories, diags := set.Stories(fsys)
	for _, d := range diags {
		t.Error(d)
	}
	if len(stories) < 7 {
		t.Fatalf("%d stories, want the seven of the language's description", len(stories))
	}
	for _, st := range stories {
		t.Run(st.Name, func(t *testing.T) {
			for _, f := range set.Tell(st).Faults {
				t.Error(f)
			}
		})
	}
}

func TestBroken(t *testing.T) {
	_, diags := policy.Load(os.DirFS("../examples"), nil, "broken/broken.yaml")
	for _, d := range diags {
		t.Log("\n" + d.String())
	}
}
