package sim_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	googlesim "github.com/dayone-hq/dayone/connector/google/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// What somebody did there by hand is as it was after a restart, and no request could have said it again.
func TestWhatWasDoneByHandIsKept(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "google.journal")
	var times int
	life := func() (*googlesim.Sim, string) {
		s := googlesim.New(sim.Options{})
		ref := s.Seed(sim.Account{Login: "kim@company.com", Email: "kim@company.com", FirstName: "Kim", LastName: "Lee", State: dayone.Active})
		if err := sim.Replay(s, file, func(time.Time) { times++ }); err != nil {
			t.Fatal(err)
		}
		if err := s.Door().Journal(file); err != nil {
			t.Fatal(err)
		}
		return s, ref
	}
	s, ref := life()
	s.Set(ref, "suspended", true)
	for range 2 { // and is not written down again
		if s, _ = life(); s.Accounts()[0].State != dayone.Disabled {
			t.Error("the account that was closed by hand is open again")
		}
	}
	if times != 2 {
		t.Errorf("it was done again %d times in two starts", times)
	}
}
