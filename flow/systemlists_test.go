package flow_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// elsewhere lets Okta answer as a tenant without people, or not at all, whenever somebody lists all of them.
type elsewhere struct{ answers, told atomic.Int32 } // answers 0: as it is; told: how often it was not

func (e *elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	if status := e.answers.Load(); status != 0 && r.URL.Path == "/api/v1/users" && strings.Contains(r.URL.RawQuery, "status") {
		e.told.Add(1)
		return &http.Response{StatusCode: int(status), Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("[]")), Request: r}, nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestAListOfASystemThatShrankIsNotReadAsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wrong := &elsewhere{}
	w.transport = wrong
	w.joined = func(d *flow.Deps) { d.Removals.ListsAt = "03:30" }
	h := w.open()
	id, run := h.hires(employee("1001", "start_date", here))
	h.hires(employee("1002", "start_date", here))
	h.fired(id, run.ID)
	counted := func(want string, ok func(dayone.SystemList) bool) dayone.SystemList {
		t.Helper()
		h.later(24 * time.Hour)
		return until(h, want, func() (dayone.SystemList, bool) {
			lists, err := h.Store.SystemLists(ctx)
			return lists["okta"], err == nil && ok(lists["okta"])
		})
	}
	okta := func() dayone.ReadBack {
		t.Helper()
		c, err := h.Certify(ctx, id, "auditor@company.com")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.Systems {
			if s.System == "okta" {
				return s
			}
		}
		t.Fatalf("Okta is missing: %+v", c.Systems)
		return dayone.ReadBack{}
	}
	first := counted("a first count", func(s dayone.SystemList) bool { return s.Accounts == len(h.okta.Accounts()) })
	same(t, "believed", first.Note, "")
	same(t, "certified", okta().Verdict, dayone.Closed)

	wrong.answers.Store(http.StatusForbidden) // what cannot be read is no list
	counted("the night's refusal", func(dayone.SystemList) bool { return wrong.told.Load() > 0 })
	if _, err := h.CountSystem(ctx, "okta"); err == nil { // once more, to its end
		t.Error("a refusal counts as a list")
	}
	if lists, err := h.Store.SystemLists(ctx); err != nil || !lists["okta"].At.Equal(first.At) || lists["okta"].Accounts != first.Accounts || lists["okta"].Note != "" {
		t.Errorf("after a refusal the list is %+v, was %+v, %v", lists["okta"], first, err)
	}
	same(t, "certified", okta().Verdict, dayone.Closed)

	wrong.answers.Store(http.StatusOK)
	short := counted("a list that shrank", func(s dayone.SystemList) bool { return s.Brake != "" })
	same(t, "measured by", short.Accounts, first.Accounts)
	b, err := h.Brake(ctx, short.Brake)
	if err != nil || b.Rule != dayone.BrakeList || b.Scope != "system:okta" || !strings.Contains(b.Note, "has 0") {
		t.Errorf("the brake: %+v, %v", b, err)
	}
	r := okta()
	same(t, "certified", r.Verdict, dayone.Unreadable)
	h.stop() // it is in the books
	h = w.open()
	again := counted("the next night", func(s dayone.SystemList) bool { return s.At.After(short.At) })
	same(t, "one brake", again.Brake, short.Brake)

	wrong.answers.Store(0) // it was a wrong answer: the brake ends by itself
	counted("a list as before", func(s dayone.SystemList) bool { return s.Brake == "" && s.At.After(again.At) })
	if b, err := h.Brake(ctx, short.Brake); err != nil || b.State != dayone.BrakeReplaced {
		t.Errorf("the brake is %s, %v", b.State, err)
	}
	same(t, "certified", okta().Verdict, dayone.Closed)

	wrong.answers.Store(http.StatusOK) // or it is so: somebody says that it is
	gone := counted("a list that shrank again", func(s dayone.SystemList) bool { return s.Brake != "" })
	v, err := h.Brake(ctx, gone.Brake)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.ReleaseBrake(ctx, gone.Brake, flow.BrakeDecision{Hash: v.Hash, By: "kim@company.com", Reason: "the tenant was emptied"}); err != nil {
		t.Fatal(err)
	}
	lists, err := h.Store.SystemLists(ctx)
	if err != nil || lists["okta"].Accounts != 0 || lists["okta"].Note != "" {
		t.Errorf("measured by %+v, %v", lists["okta"], err)
	}
}
