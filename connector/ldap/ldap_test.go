package ldap_test

import (
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/ldap"
	adsim "github.com/dayone-hq/dayone/connector/ldap/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

func serve(t *testing.T, s sim.Simulator) string {
	t.Helper()
	at, err := s.(*adsim.Server).Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.(*adsim.Server).Close)
	return at
}

var sarah = dayone.Attrs{
	"login": dayone.Text("sarah.chen"), "email": dayone.Text("sarah.chen@corp.test"), "display_name": dayone.Text("Sarah Chen"), "first_name": dayone.Text("Sarah"),
	"last_name": dayone.Text("Chen"), "title": dayone.Text("Account Executive"), "department": dayone.Text("Sales"), "employee_number": dayone.Text("E-1001"),
	"phone": dayone.Text("+49 30 5550 1234"), "ou": dayone.Text("Staff/Berlin"), "expires": dayone.Text("2031-03-31"),
}

func TestLDAP(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Suite{
		Factory: ldap.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return adsim.Directory(o) },
		Serve:   serve,
		Person:  sarah,
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "group", Name: "base-employee"}},
			{Key: dayone.Key{Kind: "group", Name: "sales-team"}},
		},
		CreateMethod: "ADD", CreatePath: "/add", ReadPath: "/search",
	})
}
