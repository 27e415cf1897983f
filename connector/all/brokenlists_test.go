package all_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/entra"
	entrasim "github.com/dayone-hq/dayone/connector/entra/sim"
	"github.com/dayone-hq/dayone/connector/github"
	githubsim "github.com/dayone-hq/dayone/connector/github/sim"
	"github.com/dayone-hq/dayone/connector/google"
	googlesim "github.com/dayone-hq/dayone/connector/google/sim"
	"github.com/dayone-hq/dayone/connector/okta"
	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// A link to the next page runs out while a list is read, or the list changed. What was read is not all of it, and that a page is
// gone does not say that anything else is: it is a fault that passes, and the next reading begins at the beginning.
func TestAListThatBreaksOffIsReadAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		factory connector.Factory
		sim     func(sim.Options) sim.Simulator
		mark    string // of a later page
	}{
		"entra":  {entra.Factory, func(o sim.Options) sim.Simulator { return entrasim.New(o) }, "$skiptoken"},
		"github": {github.Factory, func(o sim.Options) sim.Simulator { return githubsim.New(o) }, "page"},
		"google": {google.Factory, func(o sim.Options) sim.Simulator { return googlesim.New(o) }, "pageToken"},
		"okta":   {okta.Factory, func(o sim.Options) sim.Simulator { return oktasim.New(o) }, "after"},
	} {
		for _, status := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				t.Parallel()
				s := c.sim(sim.Options{})
				for i := range 7 {
					login := fmt.Sprintf("kim-%d@company.com", i)
					s.Seed(sim.Account{Login: login, Email: login, FirstName: "Kim", LastName: "Lee", EmployeeNumber: fmt.Sprint("E-", i), State: dayone.Active})
				}
				var broken, refused atomic.Bool
				broken.Store(true)
				front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet && r.URL.Query().Has(c.mark) && broken.Load() {
						refused.Store(true)
						sim.JSON(w, status, map[string]any{})
						return
					}
					s.ServeHTTP(w, r)
				}))
				t.Cleanup(front.Close)
				g, err := connector.Open(c.factory, name, time.Now, connector.Options{Settings: s.Settings(front.URL), PerMinute: map[string]int{"default": 600000}})
				if err != nil {
					t.Fatal(err)
				}
				read := func() (n int, err error) {
					for _, err := range g.List(t.Context()) {
						if err != nil {
							return n, err
						}
						n++
					}
					return n, nil
				}
				if n, err := read(); !errors.Is(err, dayone.ErrUnavailable) || !refused.Load() {
					t.Errorf("a list that broke off after %d says %v; a page was refused: %v", n, err, refused.Load())
				}
				broken.Store(false)
				if n, err := read(); err != nil || n < 7 {
					t.Errorf("read again it has %d: %v", n, err)
				}
			})
		}
	}
}
