package policy_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
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

var update = flag.Bool("update", false, "write golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// every is all diagnostics as a terminal shows them.
func every(ds []policy.Diagnostic) string {
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(d.String() + "\n")
	}
	return b.String()
}

// The broken example has every kind of fault that beginners make; each is found, at its place, with what to write.
func TestBroken(t *testing.T) {
	t.Parallel()
	set, diags := policy.Check(os.DirFS("../examples"), policy.Known{}, "broken/broken.yaml")
	if set != nil {
		t.Error("it loads")
	}
	golden(t, "broken.txt", every(diags))
}

// The examples' laptops come with an order. Nobody has to configure a reseller for that: the order is known from what it
// supplies, and given once as orders are.
func TestWhatIsSuppliedNeedsNoConfiguredReseller(t *testing.T) {
	t.Parallel()
	set, diags := policy.Load(os.DirFS("../examples"), nil)
	if set == nil {
		t.Fatal(diags)
	}
	order, ok := set.Systems["procurement"].Kinds["order"]
	if !ok || !order.OneWay || order.Params["model"].Type != "string" {
		t.Errorf("the order is %+v", order)
	}
	if named := set.Named(); !slices.Contains(named, "procurement") || !slices.Contains(named, "slack") || slices.Contains(named, "mail") {
		t.Errorf("policies name %v", named)
	}
}

// A reseller that is configured and takes no such orders is a fault of the catalogue.
func TestASupplyThatIsNoneIsFound(t *testing.T) {
	t.Parallel()
	reseller := dayone.System{Name: "procurement", Connector: "procurement", Kinds: map[string]dayone.Kind{"orders": {}}}
	set, diags := policy.Load(os.DirFS("../examples"), []dayone.System{reseller})
	if set != nil || !slices.ContainsFunc(diags, func(d policy.Diagnostic) bool { return strings.Contains(d.String(), `did you mean "orders"?`) }) {
		t.Errorf("%v", diags)
	}
}
