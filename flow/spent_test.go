package flow_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Policies that stop giving something and give it again while it is still there ask anew: what had been agreed to is spent.
func TestWhatPoliciesGiveAgainAsksAnew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, release string
		braked        bool
	}{
		{"its loss is put off", ", grace: 30d", false},
		{"a brake holds its loss", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.files = w.folder(strings.Replace(cautious, "within: 10d}", "within: 10d}"+c.release, 1))
			w.joined = func(d *flow.Deps) { d.Removals.People = 1 }
			h := w.open()
			v, _ := h.hires(employee("101", "email", vera, "department", "Sales", "start_date", "2024-01-08", "manager_email", ""))
			h.hires(employee("100", "email", john, "department", "Sales", "start_date", "2024-01-08", "manager_email", vera))
			p, r := h.hires(employee("2", "start_date", "2024-11-04"))
			old := h.request(p)
			if _, err := h.Answer(ctx, old.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
				t.Fatal(err)
			}
			h.carriedOut(p)
			h.over(r.ID)
			if c.braked { // Vera is the one who may lose something today
				h.hears(h.hr.Put(employee("101", "email", vera, "department", "Finance", "start_date", "2024-01-08", "manager_email", "")))
				until(h, "Vera has lost hers", func() (bool, bool) {
					a, _ := account(h.okta, vera)
					return true, !slices.Contains(a.Entitlements, "group:sales-team") && h.settled(v)
				})
			}
			h.hears(h.hr.Put(employee("2", "start_date", "2024-11-04", "department", "Finance")))
			until(h, "nobody wants it any more", func() (bool, bool) {
				q := h.request(p)
				return true, !q.Ended.IsZero()
			})
			if c.braked {
				h.braked(dayone.BrakeRemovals)
			}
			h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
			h.hears(h.hr.Put(employee("2", "start_date", "2024-11-04")))
			fresh := h.asked(p)
			if fresh.ID == old.ID {
				t.Fatal("the first approval counts again")
			}
			h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
			if _, err := h.Answer(ctx, fresh.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
				t.Fatal(err)
			}
			h.answered(p, dayone.ApprovalGiven)
			until(h, "it is hers again", func() (bool, bool) {
				for _, x := range h.held(p) {
					if x.Key == old.Key {
						return true, x.State == dayone.Active && x.Lost.IsZero()
					}
				}
				return true, false
			})
			h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
		})
	}
}
