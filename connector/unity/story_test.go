package unity_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
	unitysim "github.com/dayone-hq/dayone/connector/unity/sim"
)

// hire is the step that makes Sarah's mailbox.
func (b *server) hire(state dayone.State) dayone.Act {
	return b.Account(dayone.AccountCreate, "", &dayone.Item{State: state, Attrs: sarah()}, nil)
}

func (b *server) change(ref string, as dayone.Attrs) dayone.Act {
	return b.Account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: as}, nil)
}

func (b *server) turn(ref string, to dayone.State) dayone.Act {
	action := dayone.AccountEnable
	if to != dayone.Active {
		action = dayone.AccountDisable
	}
	return b.Account(action, ref, &dayone.Item{Ref: ref, State: to}, nil)
}

// gives is a step that gives something of a kind.
func (b *server) gives(ref, kind, name string) dayone.Act {
	key := dayone.Key{System: "unity", Kind: kind, Name: name}
	return dayone.Act{Action: dayone.EntitlementAdd, Key: key, Account: ref, Want: &dayone.Item{Key: key, State: dayone.Active}, Attempt: 1, Since: b.Now()}
}

// answers is a step that puts a number at a place.
func (b *server) answers(ref, place, number string) dayone.Act {
	a := b.gives(ref, "alternate_extension", place)
	a.Want.Attrs = dayone.Attrs{"number": dayone.Text(number)}
	return a
}

func (b *server) takes(ref, kind, name string, have *dayone.Item) dayone.Act {
	a := b.gives(ref, kind, name)
	a.Action, a.Want, a.Have = dayone.EntitlementRemove, nil, have
	return a
}

// opens is a step that gives a PIN or a web password.
func (b *server) opens(ref, kind, secret string) dayone.Act {
	a := b.gives(ref, kind, "")
	a.Secrets = map[string]dayone.Secret{kind: dayone.NewSecret(secret)}
	b.secrets = append(b.secrets, secret)
	return a
}

func (b *server) try(a dayone.Act) error {
	_, err := b.tries(a)
	return err
}

func (b *server) tries(a dayone.Act) (dayone.Result, error) {
	r, err := b.Guard.Apply(b.Context(), a)
	b.hear(r, err)
	return r, err
}

// Do does one step, and hears its result.
func (b *server) Do(a dayone.Act) dayone.Result {
	b.Helper()
	r := b.Story.Do(a)
	b.hear(r)
	return r
}

func (b *server) again(a dayone.Act) dayone.Result {
	b.Helper()
	a.Attempt++
	return b.Do(a)
}

// ref is the id of a login, whose run it is from now on.
func (b *server) ref(login string) string {
	for _, a := range b.Sim.Accounts() {
		if a.Login == login {
			b.people = append(b.people, a.Ref)
			return a.Ref
		}
	}
	b.Fatalf("there is no %s", login)
	return ""
}

// sent counts requests by method and the end of their path.
func (b *server) sent(method, end string) (n int) {
	for _, r := range b.Sim.Door().Requests() {
		if r.Method == method && strings.HasSuffix(r.Path, end) {
			n++
		}
	}
	return n
}

func differences(before, after map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] != before[name] {
			out = append(out, name+": "+before[name]+" -> "+after[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, was := before[name]; !was {
			out = append(out, name+" is new")
		}
	}
	return out
}

// TestJoinerMoverLeaver: a mailbox comes before the first day, closed and with a PIN of its own; it moves with its owner and its
// lamp; it is closed on the last day, kept, and deleted once nothing needs it. Nobody beside her is touched.
func TestJoinerMoverLeaver(t *testing.T) {
	b := begin(t)
	before := b.Sim.Snapshot()

	made := b.Do(b.hire(dayone.Disabled))
	ref := made.Now.Ref
	if made.Before != nil || made.Now.State != dayone.Disabled || made.Now.Attrs.Text("extension") != "2199" || made.Now.Attrs.Text("employee_number") != "emp_789" {
		t.Fatalf("ahead of her first day it is %+v", made.Now)
	}
	b.Do(b.opens(ref, "pin", "58203947"))
	b.Do(b.opens(ref, "password", "Lange.Nacht-7Wege"))
	if b.Sim.SignIn("schen", "pin", "58203947") {
		t.Error("her PIN opens the mailbox ahead of her first day")
	}
	b.Do(b.gives(ref, "distribution_list", "sales"))
	other := b.Do(b.answers(ref, "work-phone", "+14085552198"))
	if r := b.Do(b.answers(ref, "work-phone", "+14085552199")); r.Now.Attrs.Text("number") != "+14085552199" || r.Before == nil {
		t.Errorf("another number at the same place: %+v", r)
	}

	if r := b.Do(b.turn(ref, dayone.Active)); r.Now.State != dayone.Active {
		t.Fatalf("on her first day it is %+v", r.Now)
	}
	if !b.Sim.SignIn("schen", "pin", "58203947") || !b.Sim.SignIn("schen", "password", "Lange.Nacht-7Wege") || !b.Sim.MustChange("schen", "pin") {
		t.Error("on her first day her PIN and password do not open it, or need not be changed")
	}
	if b.Sim.SignIn("schen", "pin", "12345") || b.Sim.SignIn("schen", "password", "ecsbulab") {
		t.Error("what the template gives everybody opens it")
	}

	b.Sim.Message("schen")
	b.Sim.OwnLamp("schen", "2199")
	moved := dayone.Attrs{"last_name": dayone.Text("Chen-Łukasiewicz"), "extension": dayone.Text("2150"), "title": dayone.Text("Führungskraft")}
	if r := b.Do(b.change(ref, moved)); len(r.Now.Attrs.Differ(moved)) > 0 || r.Before.Attrs.Text("extension") != "2199" {
		t.Errorf("after the move: %+v, before: %+v", r.Now, r.Before)
	}
	if b.Sim.Lamp("2199") || !b.Sim.Lamp("2150") {
		t.Error("the lamp did not move with her")
	}
	b.Do(b.takes(ref, "distribution_list", "sales", nil))
	b.Do(b.gives(ref, "distribution_list", "everybody-berlin"))
	b.Do(b.takes(ref, "alternate_extension", "work-phone", other.Now))
	for _, a := range b.Sim.Accounts() {
		if a.Ref == ref && strings.Join(a.Entitlements, " ") != "distribution_list:everybody-berlin password pin" {
			t.Errorf("after the move she has %v", a.Entitlements)
		}
	}

	leave := b.turn(ref, dayone.Disabled)
	if r := b.Do(leave); r.Now.State != dayone.Disabled {
		t.Errorf("after her last day it is %+v", r.Now)
	}
	if b.Sim.SignIn("schen", "pin", "58203947") || b.Sim.SignIn("schen", "password", "Lange.Nacht-7Wege") {
		t.Error("after her last day it opens")
	}
	if again := b.Do(leave); again.Changed() {
		t.Error("closing twice changes twice")
	}
	gone := b.Account(dayone.AccountDelete, ref, nil, nil)
	connectortest.Refused(t, b.try(gone), dayone.ErrConflict, "messages in it (1)", "export")
	b.Sim.Empty("schen")
	b.Do(gone)
	b.Do(gone) // gone is gone
	if d := differences(before, b.Sim.Snapshot()); len(d) > 0 {
		t.Errorf("after she went these are not what they were: %v", d)
	}
}

// TestDeleteIsNeverForced: while something names a mailbox it stays, and the conflict says what.
func TestDeleteIsNeverForced(t *testing.T) {
	b := begin(t)
	gone := b.Account(dayone.AccountDelete, b.ref("mboss"), nil, nil)
	b.Sim.Name("handlers/interviewhandlers", "Bewerbung", "RecipientSubscriberObjectId", "mboss")
	b.Sim.Name("handlers/directoryhandlers", "System Directory Handler", "ZeroTargetHandlerObjectId", "mboss")
	b.Sim.Handler("Support", "99001")
	b.Sim.Name("handlers/callhandlers", "Support", "AfterMessageTargetHandlerObjectId", "mboss")
	before := b.Sim.Snapshot()
	connectortest.Refused(t, b.try(gone), dayone.ErrConflict, `call handler "Opening Greeting" (key 3 leads to them)`, `call handler "Support" (callers are sent to them after a message)`,
		`interview handler "Bewerbung"`, `directory handler "System Directory Handler"`, "Show Dependencies")
	if n := b.sent("DELETE", ""); n != 0 || len(differences(before, b.Sim.Snapshot())) > 0 {
		t.Errorf("%d requests delete something", n)
	}
	found, checked, unread, err := b.Guard.Remains(t.Context(), dayone.Item{Ref: b.ref("mboss")})
	if err != nil || len(found) != 4 || len(checked) != 1 || len(unread) != 0 || found[0].Class != dayone.KeptOwnership {
		t.Errorf("of a leaver remain %v of %v, unread %v, %v", found, checked, unread, err)
	}

	b.Sim.Name("handlers/callhandlers", "Opening Greeting", "key 3", "")
	b.Sim.Name("handlers/callhandlers", "Support", "AfterMessageTargetHandlerObjectId", "")
	b.Sim.Name("handlers/interviewhandlers", "Bewerbung", "RecipientSubscriberObjectId", "")
	b.Sim.Name("handlers/directoryhandlers", "System Directory Handler", "ZeroTargetHandlerObjectId", "")
	b.Sim.Name("handlers/callhandlers", "hhunt", "AfterMessageTargetHandlerObjectId", "mboss") // another user's own: the server alone knows
	connectortest.Refused(t, b.try(gone), dayone.ErrConflict, "referenced by other objects", "Show Dependencies")
	b.Sim.Name("handlers/callhandlers", "hhunt", "AfterMessageTargetHandlerObjectId", "")
	b.Sim.Mount(false)
	connectortest.Refused(t, b.try(gone), dayone.ErrConflict, "not mounted", "Show Dependencies")
	b.Sim.Mount(true)
	b.Do(gone)

	b.Sim.Door().Inject(sim.Fault{Path: "/vmrest/handlers/interviewhandlers", Status: 503})
	connectortest.Refused(t, b.try(b.Account(dayone.AccountDelete, b.ref("hhunt"), nil, nil)), dayone.ErrUnavailable)
	b.ref("hhunt") // what could not be looked through is not deleted
}

// TestDeleteWithMessages where somebody decided that.
func TestDeleteWithMessages(t *testing.T) {
	b := begin(t, "delete_messages", "true")
	b.Do(b.Account(dayone.AccountDelete, b.ref("agent"), nil, nil))
	if n := len(b.Sim.Accounts()); n != 6 {
		t.Errorf("there are %d", n)
	}
}

// TestDirectory: a joiner waits for the directory, is imported, and what it masters is changed there. Who it lets go of becomes a
// regular user in the night after the next; what we locked stays locked.
func TestDirectory(t *testing.T) {
	b := begin(t, "accounts", "ldap")
	hire := b.hire(dayone.Active)
	r := b.Do(hire)
	if r.Wait == nil || r.Wait.Kind != dayone.WaitPropagation || !r.Wait.Check.After(b.Now()) || len(b.Sim.Accounts()) != 7 {
		t.Fatalf("ahead of the directory: %+v, and there are %d", r, len(b.Sim.Accounts()))
	}
	entry := unitysim.Entry{ID: "schen", First: "Sarah", Last: "Chen", Mail: "sarah.chen@company.com", Title: "Engineer"}
	b.Sim.Directory(entry, unitysim.Entry{ID: "schenk", First: "Anna", Last: "Schenk"})
	b.Sim.Synchronize()
	made := b.again(hire)
	if made.Wait != nil || made.Now.Attrs.Text("directory") != "ldap" || made.Now.Attrs.Text("employee_number") != "emp_789" || made.Now.State != dayone.Active {
		t.Fatalf("after it came: %+v", made)
	}
	ref := made.Now.Ref
	b.Do(b.opens(ref, "pin", "58203947"))
	connectortest.Refused(t, b.try(b.opens(ref, "password", "Lange.Nacht-7Wege")), dayone.ErrUnsupported, "directory")
	connectortest.Refused(t, b.try(b.change(ref, dayone.Attrs{"last_name": dayone.Text("Neu")})), dayone.ErrUnsupported, "last name", "synchronization")
	b.Do(b.change(ref, dayone.Attrs{"extension": dayone.Text("2150"), "display_name": dayone.Text("Sarah C.")}))

	entry.Disabled = true
	b.Sim.Directory(entry)
	b.Sim.Synchronize()
	if is := b.observe(ref); is.State != dayone.Disabled {
		t.Errorf("after the directory let go of her it is %s", is.State)
	}
	b.Later(72 * time.Hour)
	if is := b.observe(ref); is.State != dayone.Active || is.Attrs.Text("directory") != "" || !b.Sim.SignIn("schen", "pin", "58203947") {
		t.Errorf("the trap is not there: %s", is.State) // a regular user, as open as before
	}
	b.Do(b.turn(ref, dayone.Disabled))
	if b.observe(ref).State != dayone.Disabled || b.Sim.SignIn("schen", "pin", "58203947") || b.Sim.SignIn("schen", "password", "ecsbulab") {
		t.Error("she still gets in")
	}

	anna := dayone.Attrs{"login": dayone.Text("schenk"), "employee_number": dayone.Text("emp_790"), "extension": dayone.Text("2160"), "last_name": dayone.Text("Schenk")}
	b.Sim.Directory(unitysim.Entry{ID: "schenk", First: "Anna", Last: "Schenk"})
	b.Sim.Synchronize()
	two := b.Do(b.Account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: anna}, nil)).Now.Ref
	b.Do(b.turn(two, dayone.Disabled))
	b.Sim.Directory()
	b.Sim.Synchronize()
	b.Later(72 * time.Hour)
	if is := b.observe(two); is.State != dayone.Disabled || is.Attrs.Text("directory") != "" {
		t.Errorf("what we locked is %s after the directory let go", is.State)
	}
}

// TestDirectoryWebIsTheDirectorys where the release lets nobody touch it: the step says what to set, and then the PIN is what counts.
func TestDirectoryWebIsTheDirectorys(t *testing.T) {
	for _, ours := range []string{"true", "false"} {
		t.Run(ours, func(t *testing.T) {
			b := begin(t, "accounts", "ldap", "lock_directory_web", ours)
			b.Sim.DirectoryWeb(false)
			b.Sim.Directory(unitysim.Entry{ID: "schen", First: "Sarah", Last: "Chen"})
			b.Sim.Synchronize()
			_, err := b.Guard.Apply(t.Context(), b.hire(dayone.Active))
			if ours == "true" {
				connectortest.Refused(t, err, dayone.ErrInvalid, "lock_directory_web")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r := b.Do(b.turn(b.ref("schen"), dayone.Disabled)); r.Now.State != dayone.Disabled {
				t.Errorf("closed it is %s", r.Now.State)
			}
		})
	}
}

func (b *server) observe(ref string) *dayone.Item {
	b.Helper()
	seen, err := b.Guard.Observe(b.Context(), dayone.Subject{Ref: ref})
	b.hear(seen)
	if err != nil || len(seen.Unread) > 0 || seen.Account() == nil {
		b.Fatalf("it is seen as %+v, %v", seen, err)
	}
	return seen.Account()
}

// TestLostAnswers: every write was carried out and its answer lost. The retry ends it, and nothing is done twice.
func TestLostAnswers(t *testing.T) {
	cut := func(b *server, method, path string, a dayone.Act) dayone.Result {
		b.Helper()
		b.Sim.Door().Inject(sim.Fault{Method: method, Path: path, Cut: true})
		if err := b.try(a); !errors.Is(err, dayone.ErrUnavailable) {
			b.Fatalf("a cut answer of %s %s says %v", method, path, err)
		}
		return b.again(a)
	}
	b := begin(t)
	made := cut(b, "POST", "/vmrest/users", b.hire(dayone.Disabled))
	ref := made.Now.Ref
	if made.Before != nil || len(b.Sim.Accounts()) != 8 || b.Sim.SignIn("schen", "pin", "12345") || b.observe(ref).State != dayone.Disabled {
		t.Errorf("there are %d, and it was %+v", len(b.Sim.Accounts()), made.Before)
	}
	if b.sent("PUT", "/credential/pin") == 0 || b.sent("PUT", "/credential/password") == 0 {
		t.Error("the template's PIN and password are still there")
	}
	at := "/vmrest/users/" + ref
	cut(b, "PUT", at+"/credential/password", b.turn(ref, dayone.Active))
	pin := b.opens(ref, "pin", "58203947")
	if r := cut(b, "PUT", at+"/credential/pin", pin); r.Now == nil || !b.Sim.SignIn("schen", "pin", "58203947") {
		t.Errorf("after the retry her PIN is %+v", r)
	}
	b.Sim.Message("schen")
	for _, path := range []string{"PUT " + at, "POST " + at} { // the number, then the lamp
		method, path, _ := strings.Cut(path, " ")
		to := map[string]string{"PUT": "2150", "POST": "2151"}[method]
		cut(b, method, path, b.change(ref, dayone.Attrs{"extension": dayone.Text(to)}))
		if !b.Sim.Lamp(to) {
			t.Errorf("the lamp of %s is not on", to)
		}
	}
	b.Sim.Door().Inject(sim.Fault{Method: "POST", Path: at, Status: 503}) // not carried out
	move := b.change(ref, dayone.Attrs{"extension": dayone.Text("2152")})
	if err := b.try(move); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a lamp that was not set says %v", err)
	}
	if b.again(move); !b.Sim.Lamp("2152") || b.Sim.Lamp("2151") {
		t.Error("the lamp is still the old one's")
	}
	cut(b, "POST", at+"/alternateextensions", b.answers(ref, "mobile-phone", "2777"))
	cut(b, "PUT", at+"/alternateextensions", b.answers(ref, "mobile-phone", "2778"))
	cut(b, "POST", "/vmrest/distributionlists/", b.gives(ref, "distribution_list", "sales"))
	if got := b.Sim.Accounts()[7]; strings.Join(got.Entitlements, " ") != "alternate_extension:mobile-phone distribution_list:sales pin" {
		t.Errorf("she has %v", got.Entitlements)
	}
	b.Sim.Empty("schen")
	cut(b, "DELETE", at, b.Account(dayone.AccountDelete, ref, nil, nil))
}

// TestHalfAMailbox: it was made, and the server went before its doors were closed.
func TestHalfAMailbox(t *testing.T) {
	b := begin(t)
	b.Sim.Door().Inject(sim.Fault{Method: "PUT", Path: "/vmrest/users/", Drop: true, Times: 1})
	hire := b.hire(dayone.Active)
	if err := b.try(hire); !errors.Is(err, dayone.ErrUnavailable) || !b.Sim.SignIn("schen", "pin", "12345") {
		t.Fatalf("half a mailbox says %v", err)
	}
	if r := b.again(hire); r.Before != nil || b.Sim.SignIn("schen", "pin", "12345") || b.Sim.SignIn("schen", "password", "ecsbulab") {
		t.Error("the retry leaves the template's PIN")
	}
}

// TestHalfOpenHalfClosed: one door was moved and the other was not. The retry moves it.
func TestHalfOpenHalfClosed(t *testing.T) {
	b := begin(t)
	ref := b.ref("hhunt")
	pin, web := "8321046", "Own.Choice-2104"
	for _, cut := range []bool{true, false} { // carried out and not heard of, or not carried out
		for _, door := range []string{"password", "pin"} {
			b.Do(b.turn(ref, dayone.Disabled))
			f := sim.Fault{Method: "PUT", Path: "/vmrest/users/" + ref + "/credential/" + door, Cut: cut, Drop: !cut}
			b.Sim.Door().Inject(f)
			open := b.turn(ref, dayone.Active)
			if err := b.try(open); !errors.Is(err, dayone.ErrUnavailable) {
				t.Fatalf("half open says %v", err)
			}
			if b.again(open); !b.Sim.SignIn("hhunt", "pin", pin) || !b.Sim.SignIn("hhunt", "password", web) {
				t.Errorf("after the retry it is not open; the %s was cut: %v", door, cut)
			}
			b.Sim.Door().Inject(f)
			shut := b.turn(ref, dayone.Disabled)
			if err := b.try(shut); !errors.Is(err, dayone.ErrUnavailable) {
				t.Fatalf("half closed says %v", err)
			}
			if b.again(shut); b.Sim.SignIn("hhunt", "pin", pin) || b.Sim.SignIn("hhunt", "password", web) {
				t.Errorf("after the retry it is not closed; the %s was cut: %v", door, cut)
			}
		}
	}
}
