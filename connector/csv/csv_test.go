package csv_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/csv"
	csvsim "github.com/dayone-hq/dayone/connector/csv/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

var ctx = context.Background()

func TestCSV(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: csv.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return csvsim.In(t.TempDir(), o) },
		Serve:   func(*testing.T, sim.Simulator) string { return "" },
		Person: dayone.Attrs{
			"login": dayone.Text("sarah.chen@company.com"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"),
			"last_name": dayone.Text("Chen"), "title": dayone.Text("Sales Engineer"), "employee_number": dayone.Text("emp_789"),
		},
		Grants: []dayone.Grant{{Key: dayone.Key{Kind: "zone", Name: "office"}}, {Key: dayone.Key{Kind: "zone", Name: "lab"}}},
		// TestWhatCannotBeReadIsNotGone, TestSomebodyElseWrites, TestAnAccountWhoseMakingWasCutIsFoundAgain and
		// TestACancelledCallWritesNothing have them as they happen to a file, which has no credentials and no requests.
		Elsewhere: []string{"BadCredentials", "Cancel", "ErrorKinds", "CutAnswer", "ObserveNothing"},
	})
}

// doors are a program with its file, and Dayone beside it.
type doors struct {
	*csvsim.Program
	t *testing.T
	*connector.Guard
}

func open(t *testing.T, change ...string) doors {
	t.Helper()
	d := doors{Program: csvsim.In(t.TempDir(), sim.Options{}), t: t}
	d.Guard = d.again(change...)
	return d
}

// again is the next life of the connector.
func (d doors) again(change ...string) *connector.Guard {
	d.t.Helper()
	settings := d.Settings("")
	for i := 0; i+1 < len(change); i += 2 {
		settings[change[i]] = change[i+1]
	}
	g, err := connector.Open(csv.Factory, "doors", time.Now, connector.Options{Settings: settings})
	if err != nil {
		d.t.Fatal(err)
	}
	return g
}

func act(action dayone.Action, want *dayone.Item, ref string) dayone.Act {
	a := dayone.Act{Once: "0123456789abcdef", Action: action, Key: dayone.Key{System: "doors", Kind: dayone.AccountKindName}, Want: want, Subject: dayone.Subject{Ref: ref}, Since: time.Now(), Attempt: 1}
	if want != nil && ref == "" {
		a.Subject.Keys = map[string]string{"employee_number": want.Attrs.Text("employee_number"), "email": want.Attrs.Text("email")}
	}
	return a
}

func ada() *dayone.Item {
	return &dayone.Item{State: dayone.Active, Attrs: dayone.Attrs{"email": dayone.Text("ada@company.com"), "first_name": dayone.Text("Ada"), "last_name": dayone.Text("Lovelace"), "employee_number": dayone.Text("E-1")}}
}

func (d doors) does(a dayone.Act) dayone.Result {
	d.t.Helper()
	r, err := connectortest.Apply(ctx, d.Guard, a)
	if err != nil {
		d.t.Fatalf("%s %s: %v", a.Action, a.Key, err)
	}
	return r
}

func (d doors) raw() string {
	d.t.Helper()
	raw, err := os.ReadFile(d.File)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(raw)
}

func (d doors) writes(text string) {
	d.t.Helper()
	if err := os.WriteFile(d.File, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d doors) zone(name, account string, give bool) dayone.Act {
	key := dayone.Key{System: "doors", Kind: "zone", Name: name}
	it := &dayone.Item{Key: key, Ref: name, State: dayone.Active}
	a := dayone.Act{Once: "fedcba98", Action: dayone.EntitlementAdd, Key: key, Account: account, Want: it, Attempt: 1, Since: time.Now()}
	if !give {
		a.Action, a.Want, a.Have = dayone.EntitlementRemove, nil, it
	}
	return a
}

// Somebody joins, moves and leaves, and the file of the other program stays its own: its columns, its order, its line ends.
func TestJoinerMoverLeaver(t *testing.T) {
	t.Parallel()
	d := open(t)
	first := d.raw()
	made := d.does(act(dayone.AccountCreate, ada(), ""))
	if !strings.HasPrefix(d.raw(), first) {
		t.Errorf("what was there is not as it was:\n%s", d.raw())
	}
	ref := made.Now.Ref
	d.does(d.zone("office", ref, true))
	d.writes(strings.Replace(d.raw(), ";office;;", ";office;9f86d081;", 1)) // the program keeps something of its own there
	d.does(d.zone("lab", ref, true))
	d.does(d.zone("office", ref, false))
	d.does(act(dayone.AccountUpdate, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"last_name": dayone.Text("King")}}, ref))
	line := func() string {
		for _, l := range strings.Split(d.raw(), "\r\n") {
			if strings.HasPrefix(l, ref+";") {
				return l
			}
		}
		return ""
	}
	if got := line(); !strings.Contains(got, ";King;") || !strings.Contains(got, ";active;lab;9f86d081;") {
		t.Errorf("after the move the line is %q", got)
	}
	d.does(act(dayone.AccountDisable, &dayone.Item{Ref: ref, State: dayone.Disabled}, ref))
	if got := line(); !strings.Contains(got, ";blocked;lab;9f86d081;") {
		t.Errorf("after the last day the line is %q", got)
	}
	seen, err := d.Observe(ctx, dayone.Subject{Ref: ref})
	if err != nil || seen.Account().State != dayone.Disabled {
		t.Errorf("a certificate would see %+v, %v", seen, err)
	}
	d.does(act(dayone.AccountEnable, &dayone.Item{Ref: ref, State: dayone.Active}, ref)) // undo
	d.does(act(dayone.AccountDelete, nil, ref))
	if d.raw() != first {
		t.Errorf("after the delete the file is not as before:\n%s", d.raw())
	}
}

// Without a catalogue any name can be given, also one that nobody has yet; with one, only what it has.
func TestNamesThatNobodyHasYetCanBeGiven(t *testing.T) {
	t.Parallel()
	d := open(t, "catalogue", "")
	ref := d.does(act(dayone.AccountCreate, ada(), "")).Now.Ref
	garage := d.zone("garage", ref, true)
	garage.Want.Ref = "" // as a plan has it
	d.does(garage)
	if !strings.Contains(d.raw(), ";garage;") {
		t.Errorf("the file has %q", d.raw())
	}
	d.Guard = d.again()
	if _, err := d.Apply(ctx, garage); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("what the catalogue has not says %v", err)
	}
}

// Where closing takes the line out, the manifest says so beforehand.
func TestALeaverCanBeTakenOut(t *testing.T) {
	t.Parallel()
	d := open(t, "closed", "removed")
	if s := d.Manifest.System("doors"); s.As(dayone.Disabled) != dayone.Gone || !s.CanDelete {
		t.Errorf("a plan would not delete: %+v", s)
	}
	ref := d.does(act(dayone.AccountCreate, ada(), "")).Now.Ref
	d.does(act(dayone.AccountDelete, nil, ref))
	if strings.Contains(d.raw(), ref) {
		t.Errorf("it is still there:\n%s", d.raw())
	}
}

// Half a file, a broken one, one that lost most of its lines, and one that is not there: nothing is known then, whatever the
// file still shows, and nothing is written.
func TestWhatCannotBeReadIsNotGone(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(d doors, whole string){
		"cut in a line":  func(d doors, whole string) { d.writes(whole[:len(whole)-9]) },
		"cut in a quote": func(d doors, whole string) { d.writes(whole + "\"half") },
		"a short line":   func(d doors, whole string) { d.writes(whole + "C-9;x@company.com\r\n") },
		"no state":       func(d doors, whole string) { d.writes(strings.Replace(whole, ";active;", ";perhaps;", 1)) },
		"an id twice":    func(d doors, whole string) { d.writes(strings.Replace(whole, "C-002", "C-001", 1)) },
		"only a head":    func(d doors, _ string) { d.writes(csvsim.Head + "\r\n") },
		"most is gone":   func(d doors, whole string) { d.writes(strings.Join(strings.SplitAfter(whole, "\r\n")[:3], "")) },
		"empty":          func(d doors, _ string) { d.writes("") },
		"away":           func(d doors, _ string) { _ = os.Remove(d.File) },
		"a folder":       func(d doors, _ string) { _ = os.Remove(d.File); _ = os.Mkdir(d.File, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			for range 9 {
				d.Seed(sim.Account{Email: "x@company.com", State: dayone.Active})
			}
			if err := d.Check(ctx); err != nil {
				t.Fatal(err)
			}
			change(d, d.raw())
			d.Guard = d.again() // the next life has not forgotten either
			if _, err := d.Observe(ctx, dayone.Subject{Ref: "C-001"}); !errors.Is(err, dayone.ErrUnavailable) {
				t.Errorf("what cannot be read says %v", err)
			}
			for _, err := range d.List(ctx) {
				if !errors.Is(err, dayone.ErrUnavailable) {
					t.Errorf("the list says %v", err)
				}
				break
			}
			before, _ := os.ReadFile(d.File)
			if _, err := d.Apply(ctx, act(dayone.AccountCreate, ada(), "")); !errors.Is(err, dayone.ErrUnavailable) {
				t.Errorf("a step says %v", err)
			}
			if after, _ := os.ReadFile(d.File); string(after) != string(before) {
				t.Error("it was written into what could not be read")
			}
		})
	}
}

// That a small file is right is said by taking the memory away.
func TestASmallFileCanBeMeant(t *testing.T) {
	t.Parallel()
	d := open(t)
	for range 9 {
		d.Seed(sim.Account{Email: "x@company.com", State: dayone.Active})
	}
	if err := d.Check(ctx); err != nil {
		t.Fatal(err)
	}
	d.writes(csvsim.Head + "\r\nC-001;a@company.com;;;;;;;active;;;\r\n")
	err := d.Check(ctx)
	if !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "remove "+d.File+".dayone") {
		t.Fatalf("it says %v", err)
	}
	if err := os.Remove(d.File + ".dayone"); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(ctx); err != nil {
		t.Errorf("after somebody meant it: %v", err)
	}
}

// Whoever calls themselves a formula stays a name: in every spreadsheet that opens the file, and when it is read back.
func TestNamesAreNoFormulas(t *testing.T) {
	t.Parallel()
	evil := ada()
	evil.Attrs["first_name"] = dayone.Text(`=HYPERLINK("http://evil","x")`)
	evil.Attrs["last_name"] = dayone.Text("'=1+1")
	evil.Attrs["title"] = dayone.Text("+49 30 1234")
	for _, c := range []struct{ setting, first, last string }{
		{"guard", `"'=HYPERLINK(""http://evil"",""x"")"`, "''=1+1"}, {"plain", `"=HYPERLINK(""http://evil"",""x"")"`, "'=1+1"},
	} {
		d := open(t, "formulas", c.setting)
		r := d.does(act(dayone.AccountCreate, evil, ""))
		if !strings.Contains(d.raw(), ";"+c.first+";"+c.last+";+49 30 1234;") {
			t.Errorf("%s: the file has %q", c.setting, d.raw())
		}
		if got := r.Now.Attrs.Text("first_name"); c.setting == "guard" && got != evil.Attrs.Text("first_name") {
			t.Errorf("it reads back as %q", got)
		}
	}
}

// A lock is waited for, one that was left by somebody who died is not, and nobody's change is lost.
func TestSomebodyElseWrites(t *testing.T) {
	t.Parallel()
	d := open(t)
	lock := d.File + ".lock"
	if err := os.WriteFile(lock, []byte("nightly import\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := d.Apply(ctx, act(dayone.AccountCreate, ada(), ""))
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrThrottled) || !errors.As(err, &f) || f.RetryAt.IsZero() {
		t.Fatalf("with somebody's lock it says %v", err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(lock, old, old); err != nil {
		t.Fatal(err)
	}
	d.does(act(dayone.AccountCreate, ada(), ""))
	if _, err := os.Stat(lock); err == nil {
		t.Error("the lock was kept")
	}
	host, _ := os.Hostname()
	if err := os.WriteFile(lock, []byte("dayone "+host+" 1999999999\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ref := d.Accounts()[1].Ref
	d.does(act(dayone.AccountDisable, &dayone.Item{Ref: ref, State: dayone.Disabled}, ref)) // we died, and are back at once
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(d.File), ".*.new"))
	if len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
}

// A making that was cut off after the file was written is found again: by the employee number, or by when it was made.
func TestAnAccountWhoseMakingWasCutIsFoundAgain(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"E-1", ""} {
		d := open(t)
		who := ada()
		who.Attrs["employee_number"] = dayone.Text(number)
		a := act(dayone.AccountCreate, who, "")
		if number == "" {
			delete(a.Subject.Keys, "employee_number")
		}
		ref := d.does(a).Now.Ref
		a.Attempt = 2
		again := d.does(a)
		if again.Now.Ref != ref || len(d.Accounts()) != 2 {
			t.Errorf("the second try made %v beside %v", again.Now, d.Accounts())
		}
	}
}

// What the file has no column for is a human's, said before anything is half done.
func TestAMissingColumnIsATask(t *testing.T) {
	t.Parallel()
	d := open(t, "columns", "", "id", "email")
	d.writes("email;employee_number;last_name\nada@company.com;E-1;Lovelace\n")
	if err := d.Check(ctx); !errors.Is(err, dayone.ErrUnsupported) || !strings.Contains(err.Error(), `no column for zone`) {
		t.Errorf("a check says %v", err)
	}
	for _, a := range []dayone.Act{
		act(dayone.AccountDisable, &dayone.Item{Ref: "ada@company.com", State: dayone.Disabled}, "ada@company.com"), d.zone("office", "ada@company.com", true),
	} {
		_, err := d.Apply(ctx, a)
		var f *dayone.Fault
		if !errors.Is(err, dayone.ErrUnsupported) || !errors.As(err, &f) || !strings.Contains(f.Next, "complete this task") {
			t.Errorf("%s says %v", a.Action, err)
		}
	}
	seen, err := d.Observe(ctx, dayone.Subject{Ref: "ada@company.com"})
	if err != nil || len(seen.Unread) != 1 || seen.Unread[0] != "zone" {
		t.Errorf("it sees %+v, %v", seen, err)
	}
}

func TestACancelledCallWritesNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	before := d.raw()
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := d.Apply(gone, act(dayone.AccountCreate, ada(), "")); err == nil || d.raw() != before {
		t.Errorf("a cancelled call says %v", err)
	}
}

func TestSettingsAreJudged(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{{"kinds", "account"}, {"columns", "login"}, {"lock_stale", "soon"}, {"active", "blocked"}, {"closed", "perhaps"}} {
		settings := csvsim.In(t.TempDir(), sim.Options{}).Settings("")
		settings[c[0]] = c[1]
		_, err := connector.Open(csv.Factory, "doors", time.Now, connector.Options{Settings: settings})
		if !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s = %q says %v", c[0], c[1], err)
		}
	}
}
