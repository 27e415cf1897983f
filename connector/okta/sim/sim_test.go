package sim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// A simulated system outlives its process: what a journal holds comes back the same, ids and times too.
func TestJournal(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "okta.journal")
	at := time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)
	life := func() *oktasim.Sim {
		s := oktasim.New(sim.Options{Now: func() time.Time { return at }})
		if err := sim.Replay(s, file, func(then time.Time) { at = then }); err != nil {
			t.Fatal(err)
		}
		if err := s.Door().Journal(file); err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := life()
	server := httptest.NewServer(first)
	for i := range 3 {
		at = at.Add(time.Minute)
		body := fmt.Sprintf(`{"profile":{"login":"p%d@company.com","email":"p%d@company.com","firstName":"P","lastName":"%d"}}`, i, i, i)
		r, _ := http.NewRequest("POST", server.URL+"/api/v1/users?activate=false", strings.NewReader(body))
		r.Header.Set("Authorization", "SSWS "+first.Settings("")["token"])
		resp, err := http.DefaultClient.Do(r)
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		_ = resp.Body.Close()
	}
	server.Close()
	want := fmt.Sprint(first.Accounts())
	if got := fmt.Sprint(life().Accounts()); got != want {
		t.Errorf("after the restart there is\n%s\nwant\n%s", got, want)
	}
	if got := fmt.Sprint(life().Accounts()); got != want {
		t.Errorf("the replay was written down again:\n%s", got)
	}
}
