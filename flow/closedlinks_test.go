package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// password is the token of the link to the first password at Okta.
func (h *house) password(p dayone.PersonID) string {
	h.t.Helper()
	links, err := h.Links(h.t.Context(), p)
	for _, l := range links {
		if l.Key == (dayone.Key{System: "okta", Kind: dayone.AccountKindName}) {
			return l.URL[strings.LastIndex(l.URL, "/")+1:]
		}
	}
	h.t.Fatalf("no link to Okta's password: %+v, %v", links, err)
	return ""
}

func (h *house) link(token string) flow.SealedLink {
	h.t.Helper()
	l, err := h.Link(h.t.Context(), token)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

// dead: the link says so, asks for no code, opens with none, and is not passed on.
func (h *house) dead(p dayone.PersonID, token string) {
	h.t.Helper()
	if !h.link(token).Over {
		h.t.Error("the link to a closed account still asks for its code")
	}
	_, err := h.OpenLink(h.t.Context(), token, h.Keeper.Code(string(p)))
	is(h.t, err, dayone.ErrConflict)
	if links, err := h.Links(h.t.Context(), p); err != nil || len(links) != 0 {
		h.t.Errorf("links are still passed on: %+v, %v", links, err)
	}
}

// The account is closed and not deleted, since it was used: nothing of it is opened any more.
func TestAnUndoneAccountHasNoLink(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	token := h.password(p)
	h.okta.Login(erinMail)
	h.undoes(r.ID)
	h.shows(h.okta, erinMail, dayone.Disabled)
	h.rested(p)
	h.dead(p, token)
}

func TestALeaversAccountHasNoLink(t *testing.T) {
	t.Parallel()
	h, p, first := erinWorks(t)
	token := h.password(p)
	h.hears(h.hr.Put(employee("1", "start_date", "2024-11-14", "end_date", "2024-11-15")))
	h.clock.Jump(at(t, "2024-11-15T23:00:00Z"))
	left := h.over(h.rests(p, first.ID).ID)
	h.shows(h.okta, erinMail, dayone.Disabled)
	h.rested(p)
	h.dead(p, token)
	h.undoes(left.ID) // a leaver who is let in again needs what lets her in
	h.shows(h.okta, erinMail, dayone.Active, "group:base-employee")
	h.rested(p)
	if h.link(token).Over {
		t.Error("the account is open again, and its link is dead")
	}
	h.opens(p, token)
}

// Before a first day a closed account is as good as a staged one: its link waits for the day.
func TestAnAccountThatIsClosedUntilTheFirstDayKeepsItsLink(t *testing.T) {
	t.Parallel()
	h, p, first := erinWorks(t)
	token := h.password(p)
	h.changes(p, first.ID, employee("1", "start_date", "2024-12-02"))
	h.rested(p)
	h.shows(h.okta, erinMail, dayone.Disabled)
	if h.link(token).Over {
		t.Error("the link of an account that opens on the first day is dead")
	}
	same(t, "the link that is passed on", h.password(p), token)
	h.clock.Jump(at(t, "2024-12-02T12:00:00Z"))
	h.accountIs(p, dayone.Active)
	h.rested(p)
	h.later(time.Minute)
	h.opens(p, token)
}
