package atlassian_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/atlassian"
	atlassiansim "github.com/dayone-hq/dayone/connector/atlassian/sim"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
)

const mail = "sarah.chen@company.com"

var sarah = dayone.Attrs{
	"login": dayone.Text(mail), "email": dayone.Text(mail), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"),
	"display_name": dayone.Text("Sarah Chen"), "title": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales"), "employee_number": dayone.Text("emp_789"),
}

// bySite is what a site hears of her.
var bySite = dayone.Attrs{"login": dayone.Text(mail), "email": dayone.Text(mail)}

var grants = []dayone.Grant{
	{Key: dayone.Key{Kind: "group", Name: "jira-users"}},
	{Key: dayone.Key{Kind: "role", Name: "ENG/Developers"}},
	{Key: dayone.Key{Kind: "role", Name: "OPS/Service Desk Team"}},
}

// specification: SCIM and Jira have one each; the organization's door has none that is public.
func specification(t *testing.T) connectortest.Validator {
	return doors{connectortest.OpenAPI("atlassian/atlassian-user-provisioning-scim.json", "")(t), connectortest.OpenAPI("atlassian/jira-platform-v3-lifecycle.json", "")(t)}
}

type doors struct{ scim, site connectortest.Validator }

func (d doors) Validate(r *http.Request, body []byte) error {
	switch {
	case strings.HasPrefix(r.URL.Path, "/scim/"):
		return d.scim.Validate(r, written(body))
	case strings.HasPrefix(r.URL.Path, "/rest/"):
		return d.site.Validate(r, body)
	}
	return nil
}

func TestDirectory(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: atlassian.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return atlassiansim.New(o) },
		Person:  sarah, Grants: grants, Specification: specification,
		CreateMethod: "POST", CreatePath: "/scim/directory/",
	})
}

func TestSite(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: atlassian.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return atlassiansim.NewSite(o) },
		Person:  bySite, Grants: grants, Specification: specification,
		CreateMethod: "POST", CreatePath: "/rest/api/3/user", ReadPath: "/rest/api/3/user", Variant: true,
		Skip: map[string]string{
			"EmployeeNumberBinds": "a site shows no employee number",
			"TwiceIsOnce":         "a user who is there is a human's to judge; TestSiteIsNobodys has it",
			"CutAnswer":           "a site does not tell when a user was made, so after a lost answer a human judges; TestSiteIsNobodys has it",
		},
	})
}

// written is a body without what the specification marks read-only although it calls it required, or the client's own.
func written(body []byte) []byte {
	var in map[string]any
	if json.Unmarshal(body, &in) != nil || in["userName"] == nil {
		return body
	}
	delete(in, "schemas")
	delete(in, "externalId")
	out, err := json.Marshal(in)
	if err != nil {
		return body
	}
	return out
}

type bench struct {
	*testing.T
	guard *connector.Guard
	sim   *atlassiansim.Sim
}

func setup(t *testing.T, s *atlassiansim.Sim, settings ...string) bench {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.Door().Validate(specification(t).Validate)
	t.Cleanup(func() {
		for _, err := range s.Door().Invalid() {
			t.Errorf("against the vendor's specification: %v", err)
		}
	})
	all := s.Settings(server.URL)
	for i := 0; i < len(settings); i += 2 {
		all[settings[i]] = settings[i+1]
	}
	g, err := connector.Open(atlassian.Factory, "atlassian", time.Now, connector.Options{Settings: all, PerMinute: map[string]int{"default": 600_000, "search": 600_000}})
	if err != nil {
		t.Fatal(err)
	}
	return bench{t, g, s}
}

func (b bench) account(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{Action: action, Key: dayone.Key{System: "atlassian", Kind: dayone.AccountKindName}, Subject: dayone.Subject{Ref: ref}, Want: want, Attempt: 1, Since: time.Now()}
	if ref == "" {
		a.Subject.Keys = map[string]string{}
		for _, k := range b.guard.Manifest.Account.Match {
			a.Subject.Keys[k] = want.Attrs.Text(k)
		}
	}
	return a
}

func (b bench) apply(a dayone.Act) dayone.Result {
	b.Helper()
	r, err := b.guard.Apply(b.Context(), a)
	if err != nil {
		b.Fatalf("%s %s: %v", a.Action, a.Key, err)
	}
	return r
}

func (b bench) joins(as dayone.Attrs) string {
	b.Helper()
	return b.apply(b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: as})).Now.Ref
}

func (b bench) closing(ref string) dayone.Act {
	return b.account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled})
}

func (b bench) opening(ref string) dayone.Act {
	return b.account(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active})
}

func (b bench) grant(action dayone.Action, ref, kind, name string) dayone.Act {
	key := dayone.Key{System: "atlassian", Kind: kind, Name: name}
	a := dayone.Act{Action: action, Key: key, Account: ref, Attempt: 1, Since: time.Now()}
	if action != dayone.EntitlementRemove {
		a.Want = &dayone.Item{Key: key, State: dayone.Active}
	}
	return a
}

// has is somebody's state and entitlements, from the simulator.
func (b bench) has(mail string) string {
	for _, a := range b.sim.Accounts() {
		if a.Email == mail {
			return strings.TrimSpace(string(a.State) + " " + strings.Join(a.Entitlements, " "))
		}
	}
	return ""
}

func (b bench) refused(err, want error, says string) {
	b.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
		b.Errorf("it says %v, want %v: %s", err, want, says)
	}
}
