package policy_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone/policy"
)

// Every fault of a file in examples/broken has its place, its line, and something to do or to look at.
func TestBrokenFilesHavePositionedErrors(t *testing.T) {
	t.Parallel()
	files := exampleFiles(t)
	tried := 0
	for name := range files {
		if !strings.HasPrefix(name, "broken/") {
			continue
		}
		tried++
		set, diags := policy.Check(files, policy.Known{}, name)
		if set != nil {
			t.Errorf("%s is taken", name)
		}
		mine := slices.DeleteFunc(diags, func(d policy.Diagnostic) bool { return d.File != name })
		if !policy.Failed(mine) {
			t.Errorf("%s: its errors are said of other files: %v", name, diags)
		}
		for _, d := range mine {
			if d.Line < 1 || d.Col < 1 || d.Width < 1 || d.Source == "" || d.Code == "" {
				t.Errorf("%s: no place: %+v", name, d)
			}
		}
	}
	if tried == 0 {
		t.Error("there is nothing broken to try")
	}
}

// A good file with one line taken out, cut, said twice or moved is read, or refused with faults that have a place in it.
func TestMutatedFilesHavePositionedErrors(t *testing.T) {
	t.Parallel()
	files := exampleFiles(t)
	delete(files, "broken/broken.yaml")
	before, diags := policy.Load(files, nil)
	if before == nil {
		t.Fatal(diags)
	}
	refused := 0
	for _, name := range []string{"policies/base.yaml", "policies/sales.yaml", "policies/sensitive-and-on-demand.yaml", "policies/location-and-contractors.yaml"} {
		lines := strings.Split(string(files[name].Data), "\n")
		for i, line := range lines {
			for what, text := range map[string]string{
				"taken out": strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\n"),
				"cut":       strings.Join(slices.Concat(lines[:i], []string{line[:len(line)/2]}, lines[i+1:]), "\n"),
				"twice":     strings.Join(slices.Insert(slices.Clone(lines), i, line), "\n"),
				"moved":     strings.Join(slices.Concat(lines[:i], []string{"   " + line}, lines[i+1:]), "\n"),
			} {
				mine := fstest.MapFS{}
				for n, f := range files {
					mine[n] = f
				}
				mine[name] = &fstest.MapFile{Data: []byte(text)}
				set, diags := before.Reload(mine)
				if set != nil {
					continue
				}
				refused++
				for _, d := range diags {
					if d.Severity == policy.Error && (d.Line < 1 || d.Col < 1) {
						t.Errorf("%s:%d %s: no place: %+v", name, i+1, what, d)
					}
				}
			}
		}
	}
	if refused < 50 {
		t.Errorf("only %d were refused: the test breaks nothing", refused)
	}
}
