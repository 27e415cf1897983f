package web

import (
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
)

// A name that is read from the right leaves what stands beside it where it is, and a telephone number stays in its line.
func TestNamesAndNumbersStayWhole(t *testing.T) {
	t.Parallel()
	for is, want := range map[string]string{
		"שרה כהן, offer 4711":          "<bdi>שרה כהן</bdi>, offer 4711",
		"Nour الزهراني, GitLab":        "<bdi>Nour الزهراني</bdi>, GitLab",
		"for example +49 151 23456789": `for example <span class="nowrap">&#43;49 151 23456789</span>`,
		"<b> & +1 <i>":                 "&lt;b&gt; &amp; &#43;1 &lt;i&gt;",
		"Sarah Chen, Okta":             "Sarah Chen, Okta",
	} {
		if got := string(untorn(is)); got != want {
			t.Errorf("%s is %s", is, got)
		}
	}
	html, err := newRenderer("test").in(nil).html("row", item{Title: link{"ask שרה כהן, today", "/"}, Meta: "שרה כהן, Okta"})
	if err != nil || strings.Count(string(html), "<bdi>שרה כהן</bdi>, ") != 2 {
		t.Errorf("a row is %s, %v", html, err)
	}
	reads(t, "prehire-wrong", pageOf(t, "prehire-wrong"), `<span class="nowrap">&#43;49 151 23456789</span>`)
}

func TestNobodyIsLeftWithoutANextStep(t *testing.T) {
	t.Parallel()
	reads(t, "standby-start", pageOf(t, "standby-start"), `<a class="btn btn-small" href="/">Look again</a>`)
	reads(t, "task-issue", pageOf(t, "task-issue"), `<a href="/runs">Open the run</a>`, "1 h late")
	reads(t, "number-pool-full", pageOf(t, "number-pool-full"), "Pool London, Mayfair", "Order a range, or release what leavers have.", `href="/numbers/all?pool=london"`)
	reads(t, "messages", pageOf(t, "messages"), "<code>templates/</code> of the policy folder: a file there")
	readsNot(t, "system-unset", pageOf(t, "system-unset"), textSystemUnset)
}

// Things and policies are called by their titles where people read of them.
func TestRulesAndGiversHaveTitles(t *testing.T) {
	t.Parallel()
	reads(t, "catalogue", pageOf(t, "catalogue"), "Everyone on the payroll")
	set, texts := samplePolicies()
	view := plainView()
	view.things = func(k dayone.Key) string { return "The " + k.Kind + " " + k.Name }
	said := ""
	for _, f := range newPolicies(view, set, texts).Files {
		for _, row := range f.Policies {
			said += row.Does
		}
	}
	if !strings.Contains(said, "nobody may have both The ") && !strings.Contains(said, "Nobody may have both The ") {
		t.Errorf("a rule of separation says %q", said)
	}
}
