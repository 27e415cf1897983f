package cucm_test

import (
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

func sarah() dayone.Attrs {
	return dayone.Attrs{
		"login": dayone.Text("schen"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"),
		"display_name": dayone.Text("Sarah Chen"), "title": dayone.Text("Sales Engineer"), "employee_number": dayone.Text("emp_789"),
	}
}

func TestCUCM(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: cucm.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return made(cucmsim.New(o)) },
		Person:  sarah(),
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "user_group", Name: "Standard CCM End Users"}},
			{Key: dayone.Key{Kind: "user_group", Name: "Standard CTI Enabled"}},
		},
		CreateMethod: "POST", CreatePath: "/axl/",
		Skip: map[string]string{"CutAnswer": "every call is a POST to /axl/, so that the fault would hit the first look; TestLostAnswer has it"},
	})
}
