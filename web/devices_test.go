package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// A telephone system that was not read is told as unknown. Read, it shows somebody's phone on her page, to herself, and by the
// API; the hardware address only to who looks after devices, and to her.
func TestWhoSeesWhichNumbersAndDevices(t *testing.T) {
	t.Parallel()
	cluster, _ := cucmsim.NewCompany(sim.Options{Page: 50})
	vendor := httptest.NewServer(cluster)
	t.Cleanup(vendor.Close)
	p := ownProvider(t)
	b := startBench(t, fewPolicies, false, func(o *web.Options, d *flow.Deps) {
		g, err := connector.Open(cucm.Factory, "cucm-us", time.Now, connector.Options{Settings: cluster.Settings(vendor.URL), PerMinute: map[string]int{"default": 600_000}})
		if err != nil {
			t.Fatal(err)
		}
		d.Systems["cucm-us"] = g
		o.Open, o.SignOn = false, signOnAt(p.url)
		o.SignOn.Everyone = true
		o.SignOn.Roles["it-hr"], o.SignOn.Roles["it-auditors"] = dayone.HR, dayone.Auditor
	})
	res := b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_1","timestamp":%q,"data":{"employee_id":"emp_1","email":"mboss@example.com","first_name":"Maria","last_name":"Boss","department":"Sales","employment_type":"FTE","start_date":%q,"location":"Berlin","job_title":"Engineer"}}`,
		time.Now().Format(time.RFC3339), time.Now().AddDate(0, 0, -30).Format(time.DateOnly)))
	if res.StatusCode != http.StatusAccepted {
		t.Fatal(res.Status)
	}
	b.until("she is known", func() bool { return b.started("mboss@example.com").ID != "" })
	id := string(b.started("mboss@example.com").Person)
	hr, auditor, self, other := b.inGroup(p, "hr@company.com", "it-hr"), b.inGroup(p, "audit@company.com", "it-auditors"), b.somebody(p, "mboss@example.com"), b.somebody(p, "olga@company.com")
	shows := func(who func(string, string, url.Values) (int, string), path string, want, not []string) {
		t.Helper()
		status, page := who("GET", path, nil)
		if status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, page)
			return
		}
		for _, s := range want {
			if !strings.Contains(page, s) {
				t.Errorf("%s does not show %q:\n%s", path, s, page)
			}
		}
		for _, s := range not {
			if strings.Contains(page, s) {
				t.Errorf("%s shows %q", path, s)
			}
		}
	}
	const address = "00:11:22:30:21:00"
	shows(hr, "/people/"+id, []string{"was never read, or what was read was thrown away: what is theirs there is unknown", "Whether there is a phone is not known"}, []string{"SEP0011"})
	shows(hr, "/api/v1/people/"+id+"/devices", []string{`"known":false`}, []string{"SEP0011"})
	shows(self, "/me", []string{"a phone of yours may be missing"}, []string{"Cisco 8845"})

	cluster.Unplug("SEP001122302100", true)
	if err := b.flow.ReadPlatform(t.Context(), "cucm-us", "kim"); err != nil {
		t.Fatal(err)
	}
	b.until("the cluster is compared", func() bool {
		a, err := b.flow.PlatformAudit(t.Context(), "cucm-us", flow.PlatformFilter{Limit: 1})
		return err == nil && !a.Compared.IsZero()
	})
	shows(auditor, "/people/"+id, []string{"Desk phone: SEP001122302100", address, "as read just now", "Line &#43;14085552100", "No number of the books is theirs"}, []string{"unknown"})
	shows(hr, "/people/"+id, []string{"Desk phone: SEP001122302100", "not registered, as read just now"}, []string{address})
	shows(auditor, "/api/v1/people/"+id+"/devices", []string{`"mac":"` + address + `"`, `"known":true`, `"source":"read"`}, nil)
	shows(hr, "/api/v1/people/"+id+"/devices", []string{`"name":"SEP001122302100"`, `"registration":"not registered"`, `"last_seen":`}, []string{address})
	shows(self, "/me", []string{"Your number and your devices", "Cisco 8845"}, []string{"may be missing"})
	shows(self, "/api/v1/me/devices", []string{address}, nil)
	if status, page := other("GET", "/api/v1/people/"+id+"/devices", nil); status != http.StatusForbidden {
		t.Errorf("somebody else sees %d %s", status, page)
	}
	if status, page := other("GET", "/api/v1/me/devices", nil); status != http.StatusNotFound || strings.Contains(page, "SEP") {
		t.Errorf("somebody of whom nothing is known: %d %s", status, page)
	}
}
