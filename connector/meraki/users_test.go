package meraki_test

import (
	"errors"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
)

const password = "Ge3!Ge3!Ge3!Ge3!"

func (b *bench) user(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	return b.Account(action, ref, want, map[string]dayone.Secret{"password": dayone.NewSecret(password)})
}

// A user gets past the splash page with the password that was made for her, is called by her new name, and is gone when she
// leaves.
func TestSplashUser(t *testing.T) {
	b := open(t, sim.Options{})
	r := b.do(b.user(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()}))
	ref := r.Now.Ref
	if r.Before != nil || r.Now.State != dayone.Active || !b.Sim.SignsIn("HQ/Lobby", mail, password) {
		t.Fatalf("she is %+v and does not get in", r.Now)
	}
	r, err := connectortest.Try(t, b.Guard, b.Sim, b.user(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"display_name": dayone.Text("Sarah Łukasiewicz")}}))
	if err != nil {
		t.Fatal(err)
	}
	if r.Now.Attrs.Text("display_name") != "Sarah Łukasiewicz" || !b.Sim.SignsIn("HQ/Lobby", mail, password) {
		t.Errorf("she is %+v", r.Now)
	}
	b.do(b.user(dayone.AccountDelete, ref, nil))
	if b.Sim.SignsIn("HQ/Lobby", mail, password) || len(b.Sim.Accounts()) != 0 {
		t.Errorf("after she left there is %+v", b.Sim.Accounts())
	}
}

// One whom somebody deauthorised is authorised again by the next look; other SSIDs of hers stay.
func TestUserDeauthorised(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.Sim.Seed(sim.Account{Email: mail, FirstName: "Sarah", LastName: "Chen", State: dayone.Disabled})
	seen, err := b.Guard.Observe(t.Context(), dayone.Subject{Ref: ref, Keys: map[string]string{"email": mail}})
	if err != nil || seen.Account().State != dayone.Disabled {
		t.Fatalf("she is %+v, %v", seen, err)
	}
	if r := b.do(b.user(dayone.AccountEnable, ref, &dayone.Item{State: dayone.Active})); r.Now.State != dayone.Active {
		t.Errorf("she is %+v", r.Now)
	}
	_, err = b.Guard.Apply(t.Context(), b.user(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}))
	connectortest.Refused(t, err, dayone.ErrUnsupported, "no disabled users")
}

// Whoever runs the dashboard keeps that account: only what she was authorised for is taken.
func TestUserRunsTheDashboard(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.do(b.user(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})).Now.Ref
	b.Sim.Promote(mail)
	_, err := b.Guard.Apply(t.Context(), b.user(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"display_name": dayone.Text("Z")}}))
	connectortest.Refused(t, err, dayone.ErrUnsupported, "administrator of the dashboard")
	b.do(b.user(dayone.AccountDelete, ref, nil))
	if as := b.Sim.Accounts(); len(as) != 1 || as[0].State != dayone.Disabled {
		t.Errorf("there is %+v", as)
	}
}

// No seat, no network, a name that is taken, and a system that is late.
func TestUserRefused(t *testing.T) {
	b := open(t, sim.Options{Seats: 1, Lag: 2})
	b.Sim.Seed(sim.Account{Email: "kim@company.com", State: dayone.Active})
	create := b.user(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})
	_, err := b.Guard.Apply(t.Context(), create)
	connectortest.Refused(t, err, dayone.ErrNoSeat, "limit")

	t.Run("late", func(t *testing.T) {
		b := open(t, sim.Options{Lag: 2})
		a := b.user(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})
		a.Subject.Recorded = b.Now().Add(-time.Hour)
		var err error
		for ; a.Attempt < 6; a.Attempt++ {
			var r dayone.Result
			if r, err = connectortest.Apply(t.Context(), b.Guard, a); err == nil {
				if r.Now.State != dayone.Active || len(b.Sim.Accounts()) != 1 {
					t.Errorf("there is %+v of %+v", r.Now, b.Sim.Accounts())
				}
				return
			}
			if !errors.Is(err, dayone.ErrNotYet) && !errors.Is(err, dayone.ErrConflict) {
				t.Fatal(err)
			}
		}
		t.Error(err)
	})
	t.Run("nowhere", func(t *testing.T) {
		b := open(t, sim.Options{}, "users_network", "", "users_ssids", "")
		_, err := b.Guard.Apply(t.Context(), b.user(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()}))
		connectortest.Refused(t, err, dayone.ErrUnsupported, "set users_network")
	})
}

// A network that somebody renamed says nothing of who is in it: a leaver is not gone because of that.
func TestUsersNetworkRenamed(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.do(b.user(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})).Now.Ref
	b.Sim.Rename("HQ", "Headquarters")
	b.Later(time.Hour) // what is known of networks is read again
	_, err := b.Guard.Apply(t.Context(), b.user(dayone.AccountDelete, ref, nil))
	connectortest.Refused(t, err, dayone.ErrInvalid, "if it was renamed")
	if !b.Sim.SignsIn("HQ/Lobby", mail, password) && !b.Sim.SignsIn("Headquarters/Lobby", mail, password) {
		t.Error("she is gone")
	}
	if seen, err := b.Guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err == nil {
		t.Errorf("a certificate would see %+v", seen)
	}
	b.Sim.Rename("Headquarters", "HQ")
	b.Later(time.Hour)
	b.do(b.user(dayone.AccountDelete, ref, nil))
	if b.Sim.SignsIn("HQ/Lobby", mail, password) {
		t.Error("she still signs in")
	}
}

// "Not found" is also what a key hears of a network that it may not see any more: neither a user nor a code is gone by that.
func TestNetworkThatTheKeyMayNotSee(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.do(b.user(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})).Now.Ref
	code := b.do(b.code(dayone.EntitlementAdd, nil, first, "")).Now
	b.Sim.Hide("HQ")
	_, err := b.Guard.Apply(t.Context(), b.user(dayone.AccountDelete, ref, nil))
	connectortest.Refused(t, err, dayone.ErrForbidden, "sees nothing of the network")
	_, err = b.Guard.Apply(t.Context(), b.code(dayone.EntitlementRemove, code, "", ""))
	connectortest.Refused(t, err, dayone.ErrForbidden, "sees nothing of the network")
	b.opens(first, true)
	if _, err := b.Guard.Observe(t.Context(), dayone.Subject{Ref: ref}); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("a certificate is told %v", err)
	}
}
