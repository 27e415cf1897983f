package okta_test

import (
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/okta"
	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

func suite() connectortest.Suite {
	return connectortest.Suite{
		Factory: okta.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return oktasim.New(o) },
		Person: dayone.Attrs{
			"login": dayone.Text("sarah.chen@company.com"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"),
			"last_name": dayone.Text("Chen"), "title": dayone.Text("Sales Engineer"), "employee_number": dayone.Text("emp_789"),
		},
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "group", Name: "sales-team"}},
			{Key: dayone.Key{Kind: "app", Name: "salesforce"}},
		},
		CreateMethod:  "POST",
		CreatePath:    "/api/v1/users",
		Specification: connectortest.OpenAPI("okta/okta-management-2026.06.3-lifecycle.json", ""),
	}
}

func TestOkta(t *testing.T) { connectortest.Run(t, suite()) }
