package cucm

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone/connector/connectortest"
)

// TestExamples: what the vendor's schemas take of objects is in the order of our table, down to the last element.
func TestExamples(t *testing.T) {
	t.Parallel()
	dir := connectortest.SpecificationFile("axl/examples")
	if dir == "" {
		t.Skip("the examples are not here; set DAYONE_SPECS to the folder that has them")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	held := 0
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		root, err := parse(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		op := root.At("Body").Kids[0]
		for _, k := range kinds {
			var want, got *Element
			switch {
			case op.Name == "add"+k.title():
				want = op.kid(k.Name)
				if got, err = k.Of(want).forAdd(); err != nil {
					t.Errorf("%s: %v", filepath.Base(name), err)
					continue
				}
			case op.Name == "update"+k.title() && op.kid("removeLines") == nil: // lines are written as whole lists
				o, key := k.New(), Key{}
				for _, e := range op.Kids {
					switch f := k.root.kid(strings.ToLower(strings.TrimPrefix(e.Name, "new")[:1]) + strings.TrimPrefix(e.Name, "new")[1:]); {
					case len(key.Values) < len(k.Keys) && e.Name == k.Keys[len(key.Values)]:
						key.Values = append(key.Values, e.Text)
					case f != nil && f.as == e.Name:
						o.Kids = append(o.Kids, Leaf(f.name, e.Text))
					default:
						o.Kids = append(o.Kids, e)
					}
				}
				args, err := o.forUpdate(key)
				if err != nil {
					t.Errorf("%s: %v", filepath.Base(name), err)
					continue
				}
				want, got = Group("x", op.Kids...), Group("x", args...)
			default:
				continue
			}
			held++
			var a, b bytes.Buffer
			want.write(&a)
			got.write(&b)
			if a.String() != b.String() {
				t.Errorf("%s:\n%s\n%s", filepath.Base(name), &a, &b)
			}
		}
	}
	if held < 12 {
		t.Errorf("only %d examples were held against the table", held)
	}
}

// TestAnyAnswer: whatever a server says, reading it ends, and what is read is written as it was.
func TestAnyAnswer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		_, _ = parse(bytes.NewReader([]byte(rapid.StringMatching(`(<a>|</a>|<b x="1">|</b>|&amp;|&x;|<!--|-->|<!\[CDATA\[|\]\]>|text| ){0,40}`).Draw(r, "answer"))))
		text := rapid.StringMatching(`[ -~äß山é\t\r\n]{0,40}`).Draw(r, "text")
		var b bytes.Buffer
		Group("a", Leaf("b", text), Leaf("c", "")).write(&b)
		e, err := parse(&b)
		if err != nil || e.Value("b") != text || e.State("c") != Clear || e.State("d") != Leave {
			r.Fatalf("%q reads back as %q: %v", text, e.Value("b"), err)
		}
	})
	if _, err := parse(strings.NewReader(strings.Repeat("<a>", 100_000))); err == nil {
		t.Error("an answer without a bottom was read")
	}
}
