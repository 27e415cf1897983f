package connector_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

func TestResultsNameEveryActionAndNoOther(t *testing.T) {
	t.Parallel()
	m := &connector.Manifest{Name: "acme", Account: &connector.Account{Actions: []string{"create", "disable"}}, Kinds: map[string]connector.Kind{"group": {Actions: []string{"add"}}}}
	const whole = "account create: [specification]\naccount disable: [simulator, real server]\ngroup add: [task]\n"
	r, err := connector.ParseResults([]byte(whole), m)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := connector.ParseResults([]byte(r.Text(m)), m); err != nil || again.Text(m) != r.Text(m) || !strings.Contains(r.Text(m), whole) {
		t.Errorf("what is written does not read back: %v\n%s", err, r.Text(m))
	}
	for text, says := range map[string]string{
		strings.Replace(whole, "group add: [task]\n", "", 1): `"group add" was never tried`,
		strings.Replace(whole, "[task]", "[]", 1):            `"group add" was never tried`,
		whole + "group remove: [task]\n":                     `"group remove" is no action`,
		strings.Replace(whole, "task", "hearsay", 1):         `the evidence "hearsay"`,
		"- nonsense": "unmarshal",
	} {
		if _, err := connector.ParseResults([]byte(text), m); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("of %q it says %v, not %q", text, err, says)
		}
	}
}
