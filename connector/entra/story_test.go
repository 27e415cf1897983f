package entra_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Sarah joins with a group, a licence and a pass, moves, and leaves: nothing of hers stays open.
func TestJoinMoveLeave(t *testing.T) {
	b := open(t, sim.Options{Lag: 3})
	boss := b.sim.Seed(sim.Account{Login: "john.doe@company.com", Email: "john@company.com", State: dayone.Active})
	attrs := person()
	attrs["manager"] = dayone.Text("john@company.com")

	created := b.apply(b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Disabled, Attrs: attrs}))
	ref := created.Now.Ref
	if b.sim.SignIn("sarah.chen@company.com") {
		t.Error("before the first day she could sign in")
	}
	b.apply(b.grant(ref, "group", "sales-team"))
	b.apply(b.grant(ref, "license", "SPE_E3"))
	b.apply(b.act(dayone.AccountEnable, ref, &dayone.Item{State: dayone.Active}))
	pass := b.apply(b.grant(ref, "pass", ""))
	code := pass.Secrets["code"].Reveal()
	if !b.sim.UsePass(ref, code) || b.sim.UsePass(ref, code) {
		t.Error("the pass does not work exactly once")
	}

	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Unread) > 0 || seen.Account().Attrs.Text("manager") != "john@company.com" {
		t.Fatalf("she is seen as %+v, %v", seen, err)
	}
	moved := dayone.Attrs{"title": dayone.Text("Leiterin Vertrieb"), "department": dayone.Text(""), "manager": dayone.Text("")}
	r := b.apply(b.act(dayone.AccountUpdate, ref, &dayone.Item{Attrs: moved}))
	if left := r.Now.Attrs.Differ(moved); len(left) > 0 {
		t.Errorf("after the move this is still otherwise: %v", left)
	}
	b.apply(b.grant(ref, "group", "base-employee"))
	b.apply(b.takes(b.grant(ref, "group", "sales-team"), &dayone.Item{Key: dayone.Key{Kind: "group", Name: "sales-team"}}))
	if got := b.account("sarah.chen@company.com").Entitlements; !slices.Equal(got, []string{"group:base-employee", "license:SPE_E3"}) {
		t.Errorf("after the move she has %v", got)
	}

	b.sim.SignIn("sarah.chen@company.com")
	b.sim.Consent(ref, "app-1", " Mail.Read")
	b.apply(b.grant(ref, "pass", ""))
	b.apply(b.act(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}))
	if n := b.sim.Sessions("sarah.chen@company.com"); n > 0 {
		t.Errorf("%d sessions outlive her account", n)
	}
	found, checked, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref})
	if err != nil || len(found) > 0 || len(unread) > 0 || len(checked) != 3 {
		t.Errorf("there remain %v, unread %v of %v, %v", found, unread, checked, err)
	}
	order := map[string]int{}
	for i, q := range b.sim.Door().Requests() {
		if q.Method != "GET" && q.Status < 300 {
			order[q.Method+" "+q.Path] = i
		}
	}
	if off, out := order["PATCH /v1.0/users/"+ref], order["POST /v1.0/users/"+ref+"/revokeSignInSessions"]; off == 0 || out < off {
		t.Errorf("sessions were ended by request %d, the account closed by %d: a session could have begun between", out, off)
	}
	b.apply(b.takes(b.grant(ref, "license", "SPE_E3"), &dayone.Item{Key: dayone.Key{Kind: "license", Name: "SPE_E3"}}))
	b.apply(b.act(dayone.AccountDelete, ref, nil))
	if seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || len(seen.Items) > 0 {
		t.Errorf("after the delete she is seen as %v, %v", seen.Items, err)
	}
	if found, _, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref}); err != nil || len(found)+len(unread) > 0 {
		t.Errorf("of the deleted user there remain %v, unread %v, %v", found, unread, err)
	}
	if boss != b.account("john.doe@company.com").Ref {
		t.Error("somebody else was touched")
	}
}

// She comes back within 30 days: the same user, with a new password, and what she still has is told.
func TestRestore(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.joins(person())
	b.apply(b.grant(ref, "group", "sales-team"))
	b.apply(b.act(dayone.AccountDelete, ref, nil))
	*b.clock = b.clock.Add(20 * 24 * time.Hour)
	r := b.apply(b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: person()}))
	if r.Now.Ref != ref || r.Now.State != dayone.Active || r.Before == nil {
		t.Errorf("she came back as %+v, before %+v", r.Now, r.Before)
	}
	if len(r.Also) != 1 || r.Also[0].Key.String() != "entra/group:sales-team" {
		t.Errorf("the old group is told as %v", r.Also)
	}
	b.apply(b.act(dayone.AccountDelete, ref, nil))
	*b.clock = b.clock.Add(31 * 24 * time.Hour)
	if again := b.joins(person()); again == ref {
		t.Error("after 30 days a user was restored")
	}
}

// Somebody else who was deleted is never restored: not by number alone, not by login alone, and not if nobody wants it.
func TestRestoresNobodyElse(t *testing.T) {
	for name, c := range map[string]struct{ login, number, restore string }{
		"another login":  {"other@company.com", "emp_789", "true"},
		"another number": {"sarah.chen@company.com", "emp_1", "true"},
		"switched off":   {"sarah.chen@company.com", "emp_789", "false"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, sim.Options{}, "restore="+c.restore)
			old := b.sim.Seed(sim.Account{Login: c.login, EmployeeNumber: c.number, State: dayone.Active})
			b.apply(b.act(dayone.AccountDelete, old, nil))
			if ref := b.joins(person()); ref == old {
				t.Error("the deleted user came back")
			}
		})
	}
}

// What Active Directory masters is never written; a human is told where, and a leaver is signed out all the same.
func TestSynchronised(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.joins(person())
	b.sim.Set(ref, "onPremisesSyncEnabled", true)
	b.sim.AddGroup("from AD", "synced", ref)
	b.sim.SignIn("sarah.chen@company.com")
	b.sim.Door().Forget()

	for name, a := range map[string]dayone.Act{
		"update":  b.act(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"title": dayone.Text("x")}}),
		"disable": b.act(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}),
		"delete":  b.act(dayone.AccountDelete, ref, nil),
		"ungroup": b.takes(b.grant(ref, "group", "from AD"), &dayone.Item{Key: dayone.Key{Kind: "group", Name: "from AD"}}),
	} {
		_, err := b.try(a)
		b.refused(err, dayone.ErrUnsupported, "Active Directory on premises")
		if err == nil {
			t.Errorf("%s went through", name)
		}
	}
	for _, q := range b.sim.Door().Requests() {
		if q.Method != "GET" && q.Path != "/v1.0/users/"+ref+"/revokeSignInSessions" && q.Path[len(q.Path)-5:] != "token" {
			t.Errorf("%s was sent", q)
		}
	}
	if b.sim.Sessions("sarah.chen@company.com") > 0 {
		t.Error("her sessions go on")
	}
	b.sim.Set(ref, "accountEnabled", false) // an administrator did it there, and it was passed on
	b.apply(b.act(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}))
}

// Groups that follow a rule are nobody's to give; lists of Exchange are a human's; a name that two have is nobody's either.
func TestGroupsOfOthers(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.joins(person())
	b.sim.AddGroup("everybody", "dynamic", ref)
	b.sim.AddGroup("list", "distribution")
	b.sim.AddGroup("twin", "")
	b.sim.AddGroup("twin", "")
	_, err := b.try(b.grant(ref, "group", "everybody"))
	b.refused(err, dayone.ErrNotFound, "does not exist")
	_, err = b.try(b.grant(ref, "group", "twin"))
	b.refused(err, dayone.ErrNotFound, "catalogue")
	_, err = b.try(b.grant(ref, "group", "list"))
	b.refused(err, dayone.ErrUnsupported, "in Exchange")
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Items) != 1 {
		t.Errorf("she is seen with %v, %v", seen.Items, err)
	}
}

// A licence waits for a seat and for a country; one that a group brings is left to the group.
func TestLicences(t *testing.T) {
	b := open(t, sim.Options{Seats: 1})
	attrs := person()
	delete(attrs, "usage_location")
	ref := b.joins(attrs)
	_, err := b.try(b.grant(ref, "license", "SPE_E3"))
	b.refused(err, dayone.ErrInvalid, "usage_location")
	b.apply(b.act(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"usage_location": dayone.Text("DE")}}))
	b.apply(b.grant(ref, "license", "SPE_E3"))
	for o, err := range b.guard.Catalogue(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Key.Name == "SPE_E3" && (o.Seats == nil || o.Seats.Free() != 0) {
			t.Errorf("SPE_E3 is offered with %+v", o.Seats)
		}
	}
	second := b.sim.Seed(sim.Account{Login: "kim@company.com", State: dayone.Active})
	b.sim.Set(second, "usageLocation", "DE")
	b.sim.Door().Forget()
	_, err = b.try(b.grant(second, "license", "SPE_E3"))
	b.refused(err, dayone.ErrNoSeat, "all 1 licences")
	for _, q := range b.sim.Door().Requests() {
		if q.Method == "POST" && q.Path == "/v1.0/users/"+second+"/assignLicense" {
			t.Error("a licence was asked for although none is free")
		}
	}
	b.sim.Inherit(second, "SPE_E5", "some-group")
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: second})
	if err != nil || len(seen.Items) != 1 {
		t.Errorf("an inherited licence is seen as hers: %v, %v", seen.Items, err)
	}
}

// The last seat goes between the look and the call: it is a seat that is missing all the same.
func TestSeatRace(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.joins(person())
	b.sim.Door().Inject(sim.Fault{
		Method: "POST", Path: "/v1.0/users/" + ref + "/assignLicense", Status: 400,
		Body: `{"error":{"code":"Request_BadRequest","message":"Subscription with SKU x does not have any available licenses."}}`,
	})
	_, err := b.try(b.grant(ref, "license", "SPE_E3"))
	b.refused(err, dayone.ErrNoSeat, "available licenses")
}

// The answer with the code is lost: nobody can read it again, so the pass is made anew, and there is one.
func TestLostPass(t *testing.T) {
	b := open(t, sim.Options{}, "pass_minutes=480", "pass_once=false")
	ref := b.joins(person())
	b.sim.Door().Inject(sim.Fault{Method: "POST", Path: "/v1.0/users/" + ref + "/authentication", Cut: true})
	a := b.grant(ref, "pass", "")
	a.Want.Attrs = dayone.Attrs{"starts": dayone.Text("2025-02-03T07:00:00Z")}
	if _, err := b.guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("a cut answer says %v", err)
	}
	a.Attempt = 2
	r := b.apply(a)
	code := r.Secrets["code"].Reveal()
	if code == "" || fmt.Sprintf("%+v", r) == "" || b.sim.UsePass(ref, code) {
		t.Error("there is no code, or it works before its time")
	}
	*b.clock = time.Date(2025, 2, 3, 14, 59, 0, 0, time.UTC)
	if !b.sim.UsePass(ref, code) {
		t.Error("it does not work in its eighth hour")
	}
	a.Attempt, a.Have = 1, r.Now
	if again := b.apply(a); again.Changed() || len(again.Secrets) > 0 {
		t.Errorf("it was made once more: %+v", again)
	}
}

// Without the permission for passes all else works, and nobody claims that none is there.
func TestPassesNotPermitted(t *testing.T) {
	b := open(t, sim.Options{})
	b.sim.Withdraw("UserAuthenticationMethod.ReadWrite.All")
	ref := b.joins(person())
	_, err := b.try(b.grant(ref, "pass", ""))
	b.refused(err, dayone.ErrForbidden, "UserAuthenticationMethod.ReadWrite.All")
	b.apply(b.act(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}))
	_, _, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref})
	if err != nil || !slices.Equal(unread, []dayone.RemainClass{dayone.KeptToken}) {
		t.Errorf("unread are %v, %v", unread, err)
	}
}

// What a leaver holds beside entitlements is told: roles, and what would be nobody's.
func TestRemains(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.joins(person())
	b.sim.AddGroup("User Administrator", "role", ref)
	b.sim.Own(ref, "sales-team")
	b.sim.Consent(ref, "app-1", " Mail.Read")
	found, _, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref})
	var classes []dayone.RemainClass
	for _, r := range found {
		classes = append(classes, r.Class)
	}
	if err != nil || len(unread) > 0 || !slices.Equal(classes, []dayone.RemainClass{dayone.KeptAccess, dayone.KeptOwnership, dayone.KeptToken}) {
		t.Errorf("there remain %v, unread %v, %v", found, unread, err)
	}
}

// Mail that goes on to somebody else is found, and where that cannot be read nobody claims that it does not.
func TestMailForwards(t *testing.T) {
	b := open(t, sim.Options{}, "mail_forwards=true")
	ref := b.joins(person())
	b.sim.Forward(ref, "sarah@home.example", true)
	b.sim.Forward(ref, "off@home.example", false)
	account := dayone.Item{Ref: ref}
	if _, _, unread, err := b.guard.Remains(t.Context(), account); err != nil || !slices.Equal(unread, []dayone.RemainClass{dayone.MailForward}) {
		t.Errorf("without the permission %v are unread, %v", unread, err)
	}
	b.sim.Grant("MailboxSettings.Read")
	found, checked, unread, err := b.guard.Remains(t.Context(), account)
	if err != nil || len(unread) > 0 || !slices.Contains(checked, dayone.MailForward) || len(found) != 1 || found[0].Class != dayone.MailForward || found[0].Name != "sarah@home.example" {
		t.Errorf("there remain %+v, unread %v, %v", found, unread, err)
	}
	b.sim.NoMailbox(ref)
	if found, _, unread, err := b.guard.Remains(t.Context(), account); err != nil || len(found) > 0 || !slices.Equal(unread, []dayone.RemainClass{dayone.MailForward}) {
		t.Errorf("without a mailbox there remain %+v, unread %v, %v", found, unread, err)
	}
}
