package policy_test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/dayone-hq/dayone/policy"
)

// exampleFiles are the files of the example folder.
func exampleFiles(tb testing.TB) fstest.MapFS {
	tb.Helper()
	out := fstest.MapFS{}
	fsys := os.DirFS("../examples")
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".yaml" || strings.HasPrefix(name, "devices/") {
			return err
		}
		raw, err := fs.ReadFile(fsys, name)
		out[name] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// FuzzLoad puts any text in the place of an example file, or a piece of it: whatever it says, it is read or refused, with
// faults that lie within the file, and never a panic; and what can be laid out says the same afterwards.
func FuzzLoad(f *testing.F) {
	files := exampleFiles(f)
	names := []string{
		"people.yaml", "sites.yaml", "catalog/catalog.yaml", "policies/base.yaml", "policies/location-and-contractors.yaml", "policies/sales.yaml",
		"policies/sensitive-and-on-demand.yaml", "tests/sales-engineer.test.yaml", "broken/broken.yaml", "exceptions/one.yaml",
	}
	for i, name := range names {
		if file := files[name]; file != nil {
			f.Add(uint8(i), uint16(0), uint16(len(file.Data)), string(file.Data))
		}
	}
	for i, piece := range []string{
		"\t", "#", ": ", "{", "}", "[", "\"", "'", "|\n", "&a ", "*a", "<<: ", "!x ", "- ", "\r\n", "? ", "---\n", "\x00", "\ufeff", "${", "${person.email", "when: a = b",
		"when: person.department == “Sales”", "match: everyone", "match: {}", "match: [a]", "match: {level: x}", "to: okta/account:admin", "to: +/:", "bundle: laptop",
		"when: person.job_title.matches('(')", "when: 'a\nb'", "if: not x", "grant: ~", "policies: {}", "sod: [{never: 1}]", "? [a]\n: b", "from: -3d", "until: person", "limit: 9999w",
		"when: >-\n  person.level > 3\n  and true", "needs: [nope]", "default: nope", "today: x", "change: 1", "expect: []", "9999999999999999999999", "🙂",
	} {
		for at := range 8 {
			f.Add(uint8(i+at), uint16(i*131+at*977), uint16(at%3), piece)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, from, cut uint16, text string) {
		name := names[int(which)%len(names)]
		old := ""
		if file := files[name]; file != nil {
			old = string(file.Data)
		}
		a := min(int(from), len(old))
		text = old[:a] + text + old[min(a+int(cut), len(old)):]
		if len(text) > 16<<10 {
			t.Skip("the examples are smaller")
		}
		survive(t, files, name, text)
	})
}

// survive reads the folder with another text in the place of one file, and does everything with it that can be done.
func survive(t *testing.T, files fstest.MapFS, name, text string) {
	t.Helper()
	mine := fstest.MapFS{}
	for n, file := range files {
		if n != "broken/broken.yaml" {
			mine[n] = file
		}
	}
	mine[name] = &fstest.MapFile{Data: []byte(text)}
	var extra []string
	if strings.HasPrefix(name, "broken/") {
		extra = append(extra, name)
	}
	lines := strings.Split(strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n"), "\n")
	within := func(ds []policy.Diagnostic) {
		for _, d := range ds {
			if d.File == name && d.Line > 0 && (d.Line > len(lines) || d.Col < 1 || d.Col > utf8.RuneCountInString(lines[d.Line-1])+1) || d.Message == "" || d.Code == "" {
				t.Errorf("%s is not in the file: %+v", d.Position, d)
			}
			_ = d.String()
		}
	}
	set, diags := policy.Check(mine, policy.Known{Templates: []string{"welcome"}}, extra...)
	within(diags)
	if set == nil && !policy.Failed(diags) {
		t.Error("refused without a fault")
	}
	if set != nil {
		stories, diags := set.Stories(mine)
		within(diags)
		for _, st := range stories {
			within(set.Tell(st).Faults)
		}
		set.Cover(stories)
	}
	_, diags = policy.Schemas(mine, policy.Known{})
	within(diags)
	if out, err := policy.Format(name, text); err == nil && out != "" {
		again, err := policy.Format(name, out)
		if err != nil || again != out {
			t.Errorf("%s is laid out in two ways: %v\n%q\n%q\n%q", name, err, text, out, again)
		}
	}
}

// Lines and words of the examples, mixed up as somebody does who edits in a hurry.
func TestHurriedEditsAreReadOrRefused(t *testing.T) {
	t.Parallel()
	files := exampleFiles(t)
	var names, all, words []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		all = append(all, strings.Split(string(files[name].Data), "\n")...)
	}
	for _, l := range all {
		words = append(words, strings.FieldsFunc(l, func(r rune) bool { return strings.ContainsRune(" ,{}[]:", r) })...)
	}
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(20241122, seed))
		name := names[r.IntN(len(names))]
		lines := strings.Split(string(files[name].Data), "\n")
		for range 1 + r.IntN(4) {
			i := r.IntN(len(lines))
			switch r.IntN(9) {
			case 0:
				lines = slices.Delete(lines, i, i+1)
			case 1:
				lines = slices.Insert(lines, i, all[r.IntN(len(all))])
			case 2:
				lines[i] = strings.Repeat(" ", r.IntN(8)) + strings.TrimLeft(lines[i], " ")
			case 3:
				lines[i] = strings.Replace(lines[i], []string{": ", ", ", "}", "{", "]", "\"", "- "}[r.IntN(7)], []string{":", ",", "", " ", "\n    ", "'"}[r.IntN(6)], 1)
			case 4:
				if fs := strings.Fields(lines[i]); len(fs) > 0 {
					lines[i] = strings.Replace(lines[i], fs[r.IntN(len(fs))], words[r.IntN(len(words))], 1)
				}
			case 5:
				j := r.IntN(len(lines))
				lines[i], lines[j] = lines[j], lines[i]
			case 6:
				at := r.IntN(len(lines[i]) + 1)
				lines[i] = lines[i][:at] + "\n" + strings.Repeat(" ", r.IntN(10)) + lines[i][at:]
			case 7:
				at := r.IntN(len(lines[i]) + 1)
				lines[i] = lines[i][:at] + []string{" # note", "\t", "#", " | ", " > ", " \"", ": ", " - "}[r.IntN(8)] + lines[i][at:]
			case 8:
				j := r.IntN(len(lines))
				lines = slices.Insert(lines, i, slices.Clone(lines[min(i, j):max(i, j)])...)
			}
			if len(lines) == 0 {
				lines = []string{""}
			}
		}
		if text := strings.Join(lines, "\n"); utf8.ValidString(text) {
			survive(t, files, name, text)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A file of many lines that is broken at its end, or at its beginning, is refused soon.
func TestMisreadingALongFileTakesNoTime(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for b.Len() < 250<<10 {
		b.WriteString("  - {id: a, owner: b, match: everyone}\n")
	}
	for _, text := range []string{"policies:\n" + b.String() + "\t- x\n", "policies: [\n" + b.String()} {
		began := time.Now()
		_, diags := policy.Load(fstest.MapFS{"policies/a.yaml": &fstest.MapFile{Data: []byte(text)}}, nil)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s after %v", diags[0].Position, took)
		}
	}
}
