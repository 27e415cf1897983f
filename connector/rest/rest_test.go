package rest_test

import (
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/rest"
	restsim "github.com/dayone-hq/dayone/connector/rest/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

var sarah = dayone.Attrs{
	"login": dayone.Text("sarah.chen"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"),
	"title": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales"), "employee_number": dayone.Text("emp_789"),
}

func TestREST(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory:      rest.Factory,
		Sim:          func(o sim.Options) sim.Simulator { return restsim.New(o) },
		Person:       sarah,
		Grants:       []dayone.Grant{{Key: dayone.Key{Kind: "role", Name: "time sheets"}, Role: "editor"}, {Key: dayone.Key{Kind: "role", Name: "news"}, Role: "reader"}},
		CreateMethod: "POST", CreatePath: "/api/users",
	})
}
