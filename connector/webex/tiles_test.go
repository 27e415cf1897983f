package webex_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

func TestTilesCountPeopleAndDevices(t *testing.T) {
	b := open(t, sim.Options{Page: 10})
	for i := range 25 {
		b.Sim.Seed(sim.Account{Email: fmt.Sprintf("p%d@company.com", i), State: dayone.Active})
	}
	tiles, err := b.Guard.Tiles(t.Context())
	if err != nil || len(tiles) != 2 || tiles[0].Value != 25 || tiles[0].Unit != "users" || tiles[1].Value != 0 || tiles[1].AtLeast {
		t.Fatalf("tiles: %+v, %v", tiles, err)
	}
	if n := len(b.Sim.Door().Requests()); n > 4 { // sign-in, people, devices
		t.Errorf("%d requests", n)
	}
	b.Sim.Door().Inject(sim.Fault{Status: 503, Path: "/devices"})
	if _, err := b.Guard.Tiles(t.Context()); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a system that is down: %v", err)
	}
}
