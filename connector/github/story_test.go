package github_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	githubsim "github.com/dayone-hq/dayone/connector/github/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Sarah is invited by her login, accepts, moves to another team, changes her login, and leaves: nothing of hers is left, and
// whoever took her old login is not touched.
func TestJoinMoveLeave(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{}, "sso", "false")
	r := b.joins(sarah)
	ref := r.Now.Ref
	if r.Now.State != dayone.Pending || r.Wait == nil || r.Wait.Kind != dayone.WaitAcceptance || !strings.Contains(r.Wait.Note, "open until 2025-02-10") {
		t.Fatalf("invited she is %+v and waits for %+v", r.Now, r.Wait)
	}
	given := b.apply(b.team(dayone.EntitlementAdd, ref, "platform", "member"))
	if given.Now.State != dayone.Pending || given.Wait == nil {
		t.Errorf("the team of somebody who is invited is %+v, %+v", given.Now, given.Wait)
	}
	if b.apply(b.confirm(ref)).Wait == nil {
		t.Error("nobody accepted, and it is confirmed")
	}

	b.sim.Accept("sarahchen")

	if r := b.apply(b.confirm(ref)); r.Wait != nil || r.Now.State != dayone.Active {
		t.Errorf("accepted it is confirmed as %+v, %+v", r.Now, r.Wait)
	}
	if r := b.apply(b.team(dayone.EntitlementConfirm, ref, "platform", "member")); r.Wait != nil || r.Now.State != dayone.Active {
		t.Errorf("accepted the team is confirmed as %+v, %+v", r.Now, r.Wait)
	}
	if r := b.apply(b.team(dayone.EntitlementAdd, ref, "platform", "maintainer")); r.Before == nil || r.Before.Role != "member" || r.Now.Role != "maintainer" {
		t.Errorf("the role went from %+v to %+v", r.Before, r.Now)
	}
	b.apply(b.team(dayone.EntitlementAdd, ref, "customer-solutions", "member"))
	b.apply(b.team(dayone.EntitlementRemove, ref, "platform", ""))
	if got := b.has("sarahchen"); got != "active team:customer-solutions=member" {
		t.Errorf("after the move she is %s", got)
	}

	b.sim.Rename("sarahchen", "sarah-c")
	b.sim.Seed(sim.Account{Login: "sarahchen", State: dayone.Active})
	if err := b.leaves(ref, ""); err != nil {
		t.Fatal(err)
	}
	if got := b.has("sarah-c"); got != "" {
		t.Errorf("after she left she is %s", got)
	}
	if got := b.has("sarahchen"); got != "active" {
		t.Errorf("who has her old login now is %s", got)
	}
	if err := b.leaves(ref, ""); err != nil {
		t.Errorf("gone twice: %v", err)
	}
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Items) > 0 {
		t.Errorf("she is seen as %v, %v", seen.Items, err)
	}
	_, checked, _, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref})
	if err != nil || slices.Contains(checked, dayone.KeptToken) {
		t.Errorf("without single sign-on tokens are said to be checked: %v, %v", checked, err)
	}
}

// An invitation that ran out is sent again by whoever looks; one that was declined is told, not sent.
func TestInvitationRunsOut(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]func(sim.Options) *githubsim.Sim{"invite": githubsim.New, "scim": githubsim.NewSSO} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, s, sim.Options{})
			as := sarah
			if name == "scim" {
				as = byMail()
			}
			made := b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: as})
			ref := b.apply(made).Now.Ref
			for _, action := range []dayone.Action{dayone.AccountConfirm, dayone.AccountCreate, dayone.AccountEnable} {
				*b.clock = b.clock.Add(7*24*time.Hour + time.Minute)
				if b.sim.Accept("sarahchen") || b.sim.Link("sarah.chen@company.com", "sarahchen") {
					t.Fatal("an invitation was accepted after its end")
				}
				a := made
				a.Action, a.Subject, a.Attempt = action, dayone.Subject{Ref: ref}, 2
				r, err := connectortest.Try(t, b.guard, b.sim, a)
				if err != nil || r.Wait == nil || r.Now.State != dayone.Pending || r.Now.Ref != ref || !strings.Contains(r.Wait.Note, b.clock.Add(7*24*time.Hour).Format(time.DateOnly)) {
					t.Fatalf("%s of one that ran out is %+v, %+v, %v", action, r.Now, r.Wait, err)
				}
			}
			if !b.sim.Accept("sarahchen") && !b.sim.Link("sarah.chen@company.com", "sarahchen") {
				t.Error("the new invitation cannot be accepted")
			}
			if r := b.apply(b.confirm(ref)); r.Wait != nil || r.Now.State != dayone.Active {
				t.Errorf("accepted it is %+v", r.Now)
			}
		})
	}
	b := setup(t, githubsim.New, sim.Options{})
	ref := b.joins(sarah).Now.Ref
	b.sim.Decline("sarahchen")
	_, err := b.try(b.confirm(ref))
	if b.refused(err, dayone.ErrNotFound, ""); b.has("sarahchen") != "" {
		t.Error("who declined was invited again")
	}
}

// The answer is lost: the retry knows its own invitation by the time of it. A membership that was there is a question.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{})
	a := b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah})
	b.sim.Door().Inject(sim.Fault{Method: "PUT", Cut: true})
	_, err := b.try(a)
	b.refused(err, dayone.ErrUnavailable, "")
	a.Attempt = 2
	_, err = b.try(a)
	var f *dayone.Fault
	if !errors.As(err, &f) || f.Found == nil || !a.Hers(*f.Found) {
		t.Fatalf("the retry says %v", err)
	}
	a.Subject = dayone.Subject{Ref: f.Found.Ref}
	if r := b.apply(a); r.Before != nil || r.Now.State != dayone.Pending {
		t.Errorf("what we made is called adopted: %+v -> %+v", r.Before, r.Now)
	}
	b.sim.Seed(sim.Account{Login: "mialong", State: dayone.Active})
	other := b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: dayone.Attrs{"login": dayone.Text("mialong")}})
	other.Attempt = 2
	_, err = b.try(other)
	if !errors.As(err, &f) || f.Found == nil || other.Hers(*f.Found) {
		t.Errorf("a member from before is taken for ours: %v", err)
	}
}

// Without a login nobody is invited by this way; with one that nobody has it is an error in the person's data.
func TestLoginIsNeeded(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{})
	_, err := b.try(b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: byMail()}))
	b.refused(err, dayone.ErrUnsupported, "ask for the login")
	_, err = b.try(b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah.With(dayone.Attrs{"login": dayone.Text("../nobody")})}))
	b.refused(err, dayone.ErrInvalid, "GitHub knows nobody")
}

// By SCIM: invited by mail address, teams wait, the first sign-in tells the login, and on leaving what was authorized goes
// before the membership.
func TestTeamsWait(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.NewSSO, sim.Options{})
	ref := b.joins(byMail()).Now.Ref
	add := b.team(dayone.EntitlementAdd, ref, "platform", "member")
	r := b.apply(add)
	if r.Wait == nil || r.Now != nil || r.Wait.Check.IsZero() {
		t.Fatalf("a team of nobody is %+v, %+v", r.Now, r.Wait)
	}
	b.sim.Link("sarah.chen@company.com", "sarahchen")
	if r := b.apply(b.confirm(ref)); r.Wait != nil || r.Now.Attrs.Text("login") != "sarahchen" {
		t.Errorf("linked she is %+v, %+v", r.Now, r.Wait)
	}
	add.Attempt = 2
	if r := b.apply(add); r.Wait != nil || r.Now.State != dayone.Active || b.has("sarahchen") != "active team:platform=member" {
		t.Errorf("linked she has %+v; GitHub has %s", r.Now, b.has("sarahchen"))
	}
	b.sim.Authorize("sarahchen")
	b.sim.Authorize("mialong")
	found, checked, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref})
	if err != nil || len(found) != 2 || !slices.Contains(checked, dayone.KeptToken) || len(unread) > 0 {
		t.Errorf("before she leaves there are %v, %v, %v, %v", found, checked, unread, err)
	}
	b.sim.Door().Forget()
	if err := b.leaves(ref, ""); err != nil {
		t.Fatal(err)
	}
	revoked, removed := 0, false
	for _, q := range b.sim.Door().Requests() {
		if q.Method == "DELETE" && strings.Contains(q.Path, "credential-authorizations") {
			if revoked++; removed {
				t.Error("an authorization was taken back after the membership")
			}
		}
		removed = removed || q.Method == "DELETE" && strings.Contains(q.Path, "/scim/")
	}
	if mine, _ := b.sim.Good("sarahchen"); revoked != 2 || mine != 0 || b.has("sarah.chen@company.com") != "" {
		t.Errorf("%d were taken back, %d are good, she is %s", revoked, mine, b.has("sarah.chen@company.com"))
	}
	if others, _ := b.sim.Good("mialong"); others != 2 {
		t.Errorf("of somebody else %d are good", others)
	}
}

// What cannot be revoked for want of single sign-on keeps nobody a member; what could not be asked does.
func TestRevoking(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{}, "sso", "true") // the setting says so, and GitHub does not
	ref := b.sim.Seed(sim.Account{Login: "sarahchen", State: dayone.Active})
	_, _, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref})
	if err != nil || !slices.Equal(unread, []dayone.RemainClass{dayone.KeptToken}) {
		t.Errorf("what cannot be read is said to be read: %v, %v", unread, err)
	}
	b.sim.Door().Inject(sim.Fault{Path: "/orgs/acme/credential-authorizations", Status: 502, Body: "<html>"})
	if err := b.leaves(ref, ""); !errors.Is(err, dayone.ErrUnavailable) || b.has("sarahchen") != "active" {
		t.Errorf("with GitHub down it says %v", err)
	}
	if err := b.leaves(ref, ""); err != nil || b.has("sarahchen") != "" {
		t.Errorf("without single sign-on she stays: %v", err)
	}

	b = setup(t, githubsim.New, sim.Options{}, "app")
	ref = b.sim.Seed(sim.Account{Login: "sarahchen", State: dayone.Active})
	b.sim.Authorize("sarahchen")
	b.sim.Authorize("mialong")
	if err := b.leaves(ref, ""); err != nil {
		t.Fatal(err)
	}
	_, mine := b.sim.Good("sarahchen")
	if _, others := b.sim.Good("mialong"); mine != 0 || others != 1 {
		t.Errorf("%d fine-grained tokens of hers are good, and %d of somebody else", mine, others)
	}
}

// Outside collaborators are seen, and taken out of everything; an invitation that was not accepted is taken back.
func TestOutsideAndInvited(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{})
	outside := b.sim.Collaborate("contractor")
	invited := b.joins(sarah).Now.Ref
	var seen []string
	for s, err := range b.guard.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		it := s.Account()
		seen = append(seen, it.Attrs.Text("login")+" "+string(it.State)+" "+strconv.FormatBool(it.Attrs["outside"].Bool()))
	}
	slices.Sort(seen)
	if want := []string{"contractor active true", "founder active false", "sarahchen pending false"}; !slices.Equal(seen, want) {
		t.Errorf("listed are %q", seen)
	}
	for _, ref := range []string{outside, invited} {
		if err := b.leaves(ref, ""); err != nil {
			t.Error(err)
		}
	}
	if left := b.sim.Accounts(); len(left) > 0 {
		t.Errorf("there are still %v", left)
	}
	if b.sim.Accept("sarahchen") {
		t.Error("she could still accept")
	}
}

// Whom an enterprise team makes a member stays one, and a human is told; the last owner is not removed.
func TestStays(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{})
	ref := b.sim.Seed(sim.Account{Login: "sarahchen", State: dayone.Active})
	b.sim.Enterprise("sarahchen", "ent:all-engineers")
	for range 2 {
		b.refused(b.leaves(ref, ""), dayone.ErrUnsupported, "ent:all-engineers")
	}
	b.sim.Seed(sim.Account{Login: "mialong", State: dayone.Active})
	b.sim.Own("mialong")
	mia := b.sim.SignUp("mialong")
	b.refused(b.leaves(mia, "boss@company.com"), dayone.ErrUnsupported, "make somebody else an owner")

	b = setup(t, githubsim.NewSSO, sim.Options{})
	last := b.sim.Seed(sim.Account{Login: "sarahchen@company.com", Email: "sarah.chen@company.com", EmployeeNumber: "emp_789", State: dayone.Active})
	b.sim.Seed(sim.Account{Login: "mialong@company.com", Email: "mia@company.com", EmployeeNumber: "emp_9", State: dayone.Active})
	b.sim.Own("sarahchen")
	b.refused(b.leaves(last, "nobody@company.com"), dayone.ErrUnsupported, "whoever takes over")
	if err := b.leaves(last, "mia@company.com"); err != nil || b.sim.Role("mialong") != "admin" || b.sim.Role("sarahchen") != "" {
		t.Errorf("handed over: %v; she is %q, the heir %q", err, b.sim.Role("sarahchen"), b.sim.Role("mialong"))
	}
}

// A team is known by its number: whatever its name is by then, it is taken.
func TestRenamedTeam(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{})
	ref := b.sim.Seed(sim.Account{Login: "sarahchen", State: dayone.Active})
	given := b.apply(b.team(dayone.EntitlementAdd, ref, "platform", "member"))
	b.sim.RenameTeam("platform", "platform-and-tools")
	take := b.team(dayone.EntitlementRemove, ref, "platform", "")
	take.Have = given.Now
	b.apply(take)
	if got := b.has("sarahchen"); got != "active" {
		t.Errorf("after the team was renamed and taken she has %s", got)
	}
}

// An hour has 5,000 requests for everybody: whoever is looked at costs no more in an organization of many teams.
func TestManyTeams(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 60 {
		names = append(names, "team-"+strconv.Itoa(i))
	}
	b := setup(t, githubsim.New, sim.Options{Names: map[string][]string{"team": names}, Page: 100})
	ref := b.sim.Seed(sim.Account{Login: "sarahchen", State: dayone.Active, Entitlements: []string{"team:team-7=member", "team:team-41=maintainer"}})
	b.sim.Seed(sim.Account{Login: "sarahchen2", State: dayone.Active, Entitlements: []string{"team:team-8=member"}})
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Items) != 3 || seen.Items[2].Role != "maintainer" {
		t.Errorf("she is seen with %+v, %v", seen.Items, err)
	}
	if n := len(b.sim.Door().Requests()); n > 5 {
		t.Errorf("that took %d requests", n)
	}
}

// Teams: below counts as above at GitHub, and not here; the identity provider's are its own; owners are all maintainers; only
// the named ones are managed.
func TestTeams(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{Names: map[string][]string{"team": {"platform", "platform/infra", "idp"}}}, "teams", "platform, infra, idp")
	ref := b.sim.Seed(sim.Account{Login: "sarahchen", State: dayone.Active})
	b.apply(b.team(dayone.EntitlementAdd, ref, "infra", "member"))
	held := func() string {
		seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
		if err != nil || len(seen.Unread) > 0 {
			t.Fatal(seen.Unread, err)
		}
		var out []string
		for _, it := range seen.Items[1:] {
			out = append(out, it.Key.Name+"="+it.Role)
		}
		return strings.Join(out, " ")
	}
	if held() != "infra=member" {
		t.Errorf("with a team below she holds %s", held())
	}
	add := b.team(dayone.EntitlementAdd, ref, "platform", "member")
	b.apply(add)
	if held() != "platform=member infra=member" {
		t.Errorf("with both she holds %s", held())
	}
	_, err := b.try(b.team(dayone.EntitlementAdd, ref, "infra", "owner"))
	b.refused(err, dayone.ErrInvalid, "member or maintainer")
	b.sim.Synchronise("idp")
	_, err = b.try(b.team(dayone.EntitlementAdd, ref, "idp", "member"))
	b.refused(err, dayone.ErrForbidden, "identity provider synchronises")
	b.sim.Own("sarahchen")
	b.sim.Door().Forget()
	if r := b.apply(b.team(dayone.EntitlementAdd, ref, "infra", "member")); r.Changed() {
		t.Errorf("an owner, whom GitHub calls maintainer everywhere, changes from %+v to %+v", r.Before, r.Now)
	}
}
