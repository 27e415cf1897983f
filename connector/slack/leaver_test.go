package slack_test

import (
	"testing"

	"github.com/dayone-hq/dayone"
)

// TestSignsOut: with an organisation's token a closed account is signed out everywhere; without one SCIM alone does it.
func TestSignsOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings []string
		times    int
	}{{nil, 0}, {[]string{"org_token", "xoxp-sim-slack-org"}, 1}} {
		g, s := bench(t, c.settings...)
		ref := join(t, g, dayone.Attrs{
			"login": dayone.Text("sarah.chen@company.com"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"),
			"last_name": dayone.Text("Chen"), "employee_number": dayone.Text("emp_789"),
		})
		apply(t, g, account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
		if n := s.SignedOut(ref); n != c.times {
			t.Errorf("with %v signed out %d times, not %d", c.settings, n, c.times)
		}
	}
	g, _ := bench(t, "org_token", "wrong")
	ref := join(t, g, dayone.Attrs{
		"login": dayone.Text("sarah.chen@company.com"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"),
		"last_name": dayone.Text("Chen"), "employee_number": dayone.Text("emp_789"),
	})
	if _, err := try(t, g, account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled})); err == nil {
		t.Error("it is called done although nobody was signed out")
	}
}
