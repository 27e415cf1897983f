package flow_test

import (
	"crypto/rand"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
)

// Another process applies policies while the server looks at somebody, before it writes down when it looks again. That she
// was made due is not lost in that.
func TestPoliciesThatAreAppliedWhileSomebodyIsPlannedReachHer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k, err := secret.New(w.master, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var apply atomic.Pointer[func()]
	w.asked = func() {
		if pc, _, _, _ := runtime.Caller(2); !strings.HasSuffix(runtime.FuncForPC(pc).Name(), ".(*Flow).booksOf") {
			return
		}
		if f := apply.Swap(nil); f != nil {
			(*f)()
		}
	}
	h := w.open()
	p, _ := h.hires(employee("1", "start_date", "2024-11-11", "department", "Legal"))
	pr := h.proposal(strings.Replace(housePolicy, "- {to: okta/group:base-employee}", "- {to: okta/group:base-employee}\n      - {to: okta/group:sales-team}", 1), nil)
	files, err := flow.Pack(pr.Files)
	if err != nil {
		t.Fatal(err)
	}
	command := func() {
		db, err := store.OpenBeside(ctx, w.at, flow.Sealer{Keeper: k, Random: rand.Reader}, w.clock.Now)
		if err != nil {
			t.Error(err)
			return
		}
		now := w.clock.Now()
		v := dayone.PolicyVersion{ID: pr.Set.Hash, Files: files, Made: now}
		if err := db.AddStage(ctx, v, dayone.Stage{Applied: now, Approver: "priya@company.com"}, 1, []dayone.PersonID{p}); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	apply.Store(&command)
	if _, err := h.Replan(ctx, p, "", ""); err != nil { // nothing is to be done by the policies that it began with
		t.Fatal(err)
	}
	until(h, "the access of the new policies", func() (bool, bool) {
		a, ok := account(h.okta, "e1@company.com")
		return true, ok && len(a.Entitlements) == 2
	})
}

// Whatever keeps an event from being kept is our fault, and the source is to say it again: never that it has no right to.
func TestAnEventThatCannotBeKeptIsOurFault(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.stop()
	body := []byte(`{"event_type":"employee.hired","event_id":"1","employee_id":"1"}`)
	_, err := h.Receive(ctx, "hr", http.Header{"X-Signature": {sim.Sign(body)}}, body)
	is(t, err, dayone.ErrUnavailable)
	same(t, "kind", dayone.KindOf(err), dayone.ErrUnavailable)
}
