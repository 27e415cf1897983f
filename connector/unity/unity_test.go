package unity_test

import (
	"sync"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/unity"
	unitysim "github.com/dayone-hq/dayone/connector/unity/sim"
)

func sarah() dayone.Attrs {
	return dayone.Attrs{
		"login": dayone.Text("schen"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"),
		"display_name": dayone.Text("Sarah Chen"), "title": dayone.Text("Sales Engineer"), "employee_number": dayone.Text("emp_789"), "extension": dayone.Text("2199"),
	}
}

func TestUnity(t *testing.T) {
	var mu sync.Mutex
	var made []*unitysim.Sim
	t.Cleanup(func() { // once all are through: what nobody may send, the suite does not make it send either
		for _, s := range made {
			for _, breach := range s.Never() {
				t.Error(breach)
			}
		}
	})
	connectortest.Run(t, connectortest.Suite{
		Factory: unity.Factory,
		Sim: func(o sim.Options) sim.Simulator {
			mu.Lock()
			defer mu.Unlock()
			made = append(made, unitysim.New(o))
			return made[len(made)-1]
		},
		Person: sarah(),
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "pin"}},
			{Key: dayone.Key{Kind: "password"}},
			{Key: dayone.Key{Kind: "alternate_extension", Name: "work-phone"}, Attrs: dayone.Attrs{"number": dayone.Text("+14085552199")}},
			{Key: dayone.Key{Kind: "alternate_extension", Name: "place-9"}, Attrs: dayone.Attrs{"number": dayone.Text("9199")}},
			{Key: dayone.Key{Kind: "distribution_list", Name: "sales"}},
			{Key: dayone.Key{Kind: "distribution_list", Name: "everybody-berlin"}},
		},
		CreateMethod: "POST", CreatePath: "/vmrest/users",
	})
}
