package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone/policy"
)

// The examples are how files are laid out.
func TestTheExamplesAreLaidOutByConvention(t *testing.T) {
	t.Parallel()
	for name, file := range exampleFiles(t) {
		if strings.HasPrefix(name, "broken/") {
			continue
		}
		got, err := policy.Format(name, string(file.Data))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(string(file.Data), got); diff != "" {
			t.Errorf("%s (-is +laid out):\n%s", name, diff)
		}
	}
}

// What somebody typed in a hurry is laid out without a word of it lost; what was aligned stays so.
func TestFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, in, want string }{
		{"order, indentation, quotes, comments", "policies/a.yaml", `

# yaml-language-server: x


# about these
sod:
- never: [a, b]   # two
  id: x

policies:
# first
- owner: 'a@company.com'
  id: "one"   # never changed


  # who
  when: 'person.department == "Sales"'
  title: Title
  grant:
  # c1
  -   to: okta/account
  - to: 'slack/channel:#x'
    role:   "member"
    if: "person.level > 3"
  # end of grant
- id: two
  owner: b
  when: |
        a &&
          b
  match: { department : Sales ,level: [1,2 ] }
  control:
     - one
     - "NO"
  offer:
  -
    params:
       x: 'y'
    to: phone/line
    for: 3d
# end
`, `# yaml-language-server: x

# about these
policies:
  # first
  - id: one     # never changed
    title: Title
    owner: a@company.com

    # who
    when: person.department == "Sales"
    grant:
      # c1
      - {to: okta/account}
      - {to: "slack/channel:#x", role: member, if: person.level > 3}
    # end of grant

  - id: two
    owner: b
    control:
      - one
      - "NO"
    match: {department: Sales, level: [1, 2]}
    when: |
      a &&
        b
    offer:
      - {to: phone/line, params: {x: "y"}, for: 3d}

sod:
  - id: x
    never: [a, b]   # two
# end
`},
		{"what is broken over lines stays so", "policies/a.yaml", `policies:
  - id: a
    owner: >-
      x
      y
    title: a
      b
    when: "x
      y"
    grant: [
      {to: a/b},   # c
      {to: c/d}
      ]
`, `policies:
  - id: a
    title: a
      b
    owner: >-
      x
      y
    when: "x
      y"
    grant: [
      {to: a/b},   # c
      {to: c/d}
      ]
`},
		{"columns that are aligned", "people.yaml", `attributes:
    id:       {type: string}          # ours
    level:    { from: hr.level, type: int}
    a_long_name_of_its_own: {type: int}
    team:   {type: string}
`, `attributes:
  id:       {type: string}          # ours
  level:    {type: int, from: hr.level}
  a_long_name_of_its_own: {type: int}
  team: {type: string}
`},
		{"long grants stay on lines of their own", "policies/a.yaml", `policies:
  - id: a
    grant:
      - to: okta/account
      - approval: {by: [manager, "group:a-group-with-a-long-name"], need: all, within: 3d}
        to: aws/permission-set:production-read-only
`, `policies:
  - id: a
    grant:
      - to: okta/account
      - to: aws/permission-set:production-read-only
        approval: {by: [manager, "group:a-group-with-a-long-name"], need: all, within: 3d}
`},
		{"what YAML would read as something else keeps its quotes", "people.yaml", `lists:
  a: ['NO', "yes", "12", "1e3", "2025-01-01", "a, b", "plain", 'it''s', "#x", "a: b", "", " a", "null", "~"]
`, `lists:
  a: ["NO", "yes", "12", "1e3", "2025-01-01", "a, b", plain, "it's", "#x", "a: b", "", " a", "null", "~"]
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := policy.Format(c.file, c.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if again, err := policy.Format(c.file, got); err != nil || again != got {
				t.Errorf("again it is laid out otherwise: %v\n%s", err, again)
			}
		})
	}
}

func TestWhatIsNoYAMLIsNotLaidOut(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"policies: [", "a: &x 1\nb: *x\n", "- a\n"} {
		if out, err := policy.Format("policies/a.yaml", text); err == nil {
			t.Errorf("%q became %q", text, out)
		}
	}
}
