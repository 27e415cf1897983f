package flow_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

func loggedIn(login string, role dayone.Role) context.Context {
	return flow.As(ctx, dayone.Viewer{Login: login, Role: role})
}

// Who decides in somebody's place is for that one to say: an approver does not make herself anybody's stand-in.
func TestNobodyMakesHerselfAStandIn(t *testing.T) {
	t.Parallel()
	h, p, _ := asks(t, newWorld(t))
	end := begin.AddDate(0, 0, 3)
	for _, role := range []dayone.Role{dayone.Approver, dayone.Operator} {
		_, err := h.LetDecide(loggedIn(vera, role), john, vera, time.Time{}, end, vera)
		is(t, err, dayone.ErrForbidden)
	}
	_, err := h.Answer(loggedIn(vera, dayone.Approver), h.request(p).ID, flow.Reply{Of: vera, By: vera, Yes: true})
	is(t, err, dayone.ErrForbidden)
	own, err := h.LetDecide(loggedIn(strings.ToUpper(john), dayone.Approver), john, vera, time.Time{}, end, john)
	if err != nil {
		t.Fatal(err)
	}
	is(t, h.EndDelegation(loggedIn(vera, dayone.Approver), own.ID, vera), dayone.ErrForbidden)
	if err := h.EndDelegation(loggedIn(john, dayone.Approver), own.ID, john); err != nil {
		t.Error(err)
	}
	for _, may := range []context.Context{loggedIn("kim@company.com", dayone.Administrator), loggedIn("nightshift", dayone.Operator)} {
		g, err := h.LetDecide(may, john, vera, time.Time{}, end, "kim")
		if err == nil {
			err = h.EndDelegation(may, g.ID, "kim")
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// A token is its maker's: below an administrator it answers for nobody, and none decides what its maker asked for.
func TestATokenDecidesNothingForItsMaker(t *testing.T) {
	t.Parallel()
	h, p, _ := asks(t, newWorld(t))
	q := h.request(p)
	for name, role := range map[string]dayone.Role{"low": dayone.Approver, "high": dayone.Administrator} {
		for maker, prefix := range map[string]string{erin: "erins-", vera: "veras-"} {
			if _, _, err := h.MakeToken(ctx, prefix+name, role, dayone.Reach{}, 5, maker); err != nil {
				t.Fatal(err)
			}
		}
	}
	yes := func(login string, role dayone.Role) error {
		_, err := h.Answer(loggedIn(login, role), q.ID, flow.Reply{Of: john, By: login, Yes: true})
		return err
	}
	is(t, yes("veras-low", dayone.Approver), dayone.ErrForbidden)
	is(t, yes("erins-high", dayone.Administrator), dayone.ErrForbidden)
	_, err := h.LetDecide(loggedIn("veras-low", dayone.Approver), john, vera, time.Time{}, begin.AddDate(0, 0, 3), "veras-low")
	is(t, err, dayone.ErrForbidden)
	if err := yes("veras-high", dayone.Administrator); err != nil {
		t.Error(err)
	}
}

// Whoever asked decides no more, so nobody but an administrator says that somebody else has asked.
func TestNobodyAsksAnewInTheNameOfWhoDecides(t *testing.T) {
	t.Parallel()
	h, p, _ := asks(t, newWorld(t))
	q := h.request(p)
	if _, err := h.Answer(ctx, q.ID, flow.Reply{Of: john, By: john, Reason: "not now"}); err != nil {
		t.Fatal(err)
	}
	again := func(login string, role dayone.Role, of string) error {
		_, err := h.AskAnew(loggedIn(login, role), q.ID, dayone.Ask{Of: of, By: login, Reason: "it is needed after all"})
		return err
	}
	is(t, again(vera, dayone.Approver, john), dayone.ErrForbidden)
	is(t, again(vera, dayone.Operator, john), dayone.ErrForbidden)
	if err := again(vera, dayone.Approver, vera); err != nil {
		t.Error(err)
	}
}

// Where it takes two, a person and a token she made are one.
func TestATokenIsNoSecondAnswer(t *testing.T) {
	t.Parallel()
	h, p, _ := asksBy(t, newWorld(t), strings.Replace(cautious, "by: [manager]", "by: [manager, "+vera+"], need: all", 1))
	q := h.request(p)
	if q.Rule.Need != "all" || len(q.Deciders) != 2 {
		t.Fatalf("%+v", q)
	}
	for _, name := range []string{"one", "two"} {
		if _, _, err := h.MakeToken(ctx, name, dayone.Administrator, dayone.Reach{}, 5, "kim@company.com"); err != nil {
			t.Fatal(err)
		}
	}
	yes := func(login, of string) error {
		_, err := h.Answer(loggedIn(login, dayone.Administrator), q.ID, flow.Reply{Of: of, By: login, Yes: true})
		return err
	}
	if err := yes("one", john); err != nil {
		t.Fatal(err)
	}
	for _, login := range []string{"one", "two", "kim@company.com"} {
		is(t, yes(login, vera), dayone.ErrForbidden)
	}
	if err := yes(vera, vera); err != nil {
		t.Error(err)
	}
}
