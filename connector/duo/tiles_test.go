package duo_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

func TestTheTileCountsUsersByOneRequest(t *testing.T) {
	b := open(t, sim.Options{Page: 10})
	for i := range 25 {
		b.Sim.Seed(sim.Account{Login: fmt.Sprintf("p%d", i), Email: fmt.Sprintf("p%d@company.com", i), State: dayone.Active})
	}
	tiles, err := b.Guard.Tiles(t.Context())
	if err != nil || len(tiles) != 1 || tiles[0].Value != 25 || tiles[0].Title != "Duo users" {
		t.Fatalf("tiles: %+v, %v", tiles, err)
	}
	if n := len(b.Sim.Door().Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
	b.Sim.Door().Inject(sim.Fault{Status: 503})
	if _, err := b.Guard.Tiles(t.Context()); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a system that is down: %v", err)
	}
}
