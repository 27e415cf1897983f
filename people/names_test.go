package people_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
)

func first(n policy.Naming, pairs ...string) []string {
	attrs := dayone.Attrs{}
	for i := 0; i < len(pairs); i += 2 {
		attrs[pairs[i]] = dayone.Text(pairs[i+1])
	}
	all, missing := people.Names(n, map[string]string{"ö": "oe", "ß": "ss"}, attrs)
	if all == nil {
		return []string{"missing " + missing}
	}
	var out []string
	for name := range all {
		if out = append(out, name); len(out) == 2 {
			break
		}
	}
	return out
}

func TestNamesAreMadeOfPlainLetters(t *testing.T) {
	t.Parallel()
	dotted := policy.Naming{Parts: []policy.NamePart{{Of: []string{"preferred_name", "first_name"}}, {Text: "."}, {Of: []string{"last_name"}}, {Text: "@company.com"}}}
	short := policy.Naming{Max: 8, Parts: []policy.NamePart{{Of: []string{"first_name"}, Letters: 1}, {Of: []string{"last_name"}}}}
	for _, c := range []struct {
		n    policy.Naming
		in   []string
		want []string
	}{
		{dotted, []string{"first_name", "Sarah", "last_name", "Chen"}, []string{"sarah.chen@company.com", "sarah.chen2@company.com"}},
		{dotted, []string{"first_name", "Jörg", "preferred_name", "Jö", "last_name", "Groß-Müller"}, []string{"joe.gross-muller@company.com", "joe.gross-muller2@company.com"}},
		{dotted, []string{"first_name", "Сергей", "last_name", "Щербаков"}, []string{"sergei.shcherbakov@company.com", "sergei.shcherbakov2@company.com"}},
		{dotted, []string{"first_name", "小龍", "last_name", "李"}, []string{"xiaolong.li@company.com", "xiaolong.li2@company.com"}},
		{dotted, []string{"first_name", "Siân", "last_name", "O’Brien"}, []string{"sian.obrien@company.com", "sian.obrien2@company.com"}},
		{dotted, []string{"first_name", "Cher"}, []string{"missing last_name"}},
		{dotted, []string{"first_name", "Cher", "last_name", "!!!"}, []string{"missing last_name"}},
		{short, []string{"first_name", "Maria", "last_name", "Hohenstein"}, []string{"mhohenst", "mhohens2"}},
	} {
		if got := first(c.n, c.in...); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.in, got, c.want)
		}
	}
}

func TestWhateverSomebodyIsCalledANameIsWhatSystemsTake(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := policy.Naming{Max: rapid.IntRange(16, 64).Draw(t, "max"), Parts: []policy.NamePart{{Of: []string{"first_name"}}, {Text: "."}, {Of: []string{"last_name"}}, {Text: "@a.io"}}}
		for _, name := range first(n, "first_name", rapid.String().Draw(t, "first"), "last_name", rapid.String().Draw(t, "last")) {
			if len(name) >= 7 && name[:7] == "missing" {
				return
			}
			if len(name) > n.Max {
				t.Fatalf("%q has more than %d letters", name, n.Max)
			}
			for _, r := range name {
				if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '@') {
					t.Fatalf("%q has %q", name, r)
				}
			}
		}
	})
}
