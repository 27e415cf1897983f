package policy_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// A condition outside the folder sees what policies see, knows what it does not know, and says what is wrong with it.
func TestAQuestionStandsOutsideTheFolder(t *testing.T) {
	t.Parallel()
	set, diags := policy.Load(fstest.MapFS{
		"people.yaml":        {Data: []byte("attributes:\n  location: {type: string, from: hr.location}\n  level: {type: int, from: hr.level, optional: true}\n")},
		"policies/base.yaml": {Data: []byte("policies:\n  - {id: a, title: A, owner: it@company.com, when: \"true\", grant: [{to: x/account}]}\n")},
	}, []dayone.System{{Name: "x", Kinds: map[string]dayone.Kind{"account": {}}}})
	if set == nil {
		t.Fatal(diags)
	}
	p := dayone.Person{Attrs: dayone.Attrs{"location": dayone.Text("Berlin")}}
	for text, want := range map[string]policy.Truth{
		`person.location == "Berlin"`:                     policy.Yes,
		`person.location == "London"`:                     policy.No,
		`person.location == "Berlin" && person.level > 7`: policy.Unknown,
		`site.numbers == "DE-geo"`:                        policy.Unknown,
	} {
		q, err := set.Question(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Of(&p, time.Now()); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	for text, want := range map[string]string{"person.levle > 7": `did you mean "level"`, "person.location": "must be true or false", "person.": "", "": ""} {
		if _, err := set.Question(text); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
