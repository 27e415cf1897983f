package manual_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/manual"
)

var (
	ctx = context.Background()
	now = time.Date(2024, 11, 22, 15, 0, 0, 0, time.UTC)
)

// payroll is a system with a list of this text, an hour old.
func payroll(t *testing.T, text string, change ...string) (*connector.Guard, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "payroll.csv")
	settings := map[string]string{"title": "Payroll", "where": "the green door", "file": file, "kinds": "role"}
	for i := 0; i+1 < len(change); i += 2 {
		settings[change[i]] = change[i+1]
	}
	if text != "" {
		lies(t, file, text, now.Add(-time.Hour))
	}
	g, err := connector.Open(manual.Factory, "payroll", func() time.Time { return now }, connector.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return g, file
}

func lies(t *testing.T, file, text string, at time.Time) {
	t.Helper()
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.Chtimes(file, at, at)); err != nil {
		t.Fatal(err)
	}
}

const two = "id,employee_number,email,state,role\nP-1,E-1,ada@company.com,active,clerk; approver=second\nP-2,E-2,bob@company.com,inactive,\n"

// The list is the system: one is seen, everybody is, and what it offers.
func TestTheListIsTheSystem(t *testing.T) {
	t.Parallel()
	g, _ := payroll(t, two)
	if err := g.Check(ctx); err != nil {
		t.Fatal(err)
	}
	var got []string
	add := func(s connector.Seen) {
		for _, it := range s.Items {
			got = append(got, it.Key.String()+" "+it.Ref+" "+string(it.State)+" "+it.Role)
		}
	}
	seen, err := g.Observe(ctx, dayone.Subject{Keys: map[string]string{"email": "ADA@company.com"}})
	if err != nil {
		t.Fatal(err)
	}
	add(seen)
	for s, err := range g.List(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		add(s)
	}
	for o, err := range g.Catalogue(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key.String()+" "+strings.Join(o.Roles, " "))
	}
	ada := []string{"payroll/account P-1 active ", "payroll/role:clerk clerk active ", "payroll/role:approver approver active second"}
	want := append(append(slices.Clone(ada), ada...), "payroll/account P-2 disabled ", "payroll/role:clerk ", "payroll/role:approver second")
	if !slices.Equal(got, want) {
		t.Errorf("it shows\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	seen, err = g.Observe(ctx, dayone.Subject{Keys: map[string]string{"employee_number": "E-9"}})
	if err != nil || len(seen.Items) != 0 {
		t.Errorf("nobody is seen as %+v, %v", seen, err)
	}
}

// What the list cannot tell is not known, which is never "nothing is there".
func TestWhatTheListCannotTellIsNotKnown(t *testing.T) {
	t.Parallel()
	subject := dayone.Subject{Keys: map[string]string{"email": "eve@company.com"}}
	for name, c := range map[string]struct {
		text string
		at   time.Duration
		want string
	}{
		"none yet":              {"", 0, "no list of its accounts was brought yet"},
		"too old":               {two, -8 * 24 * time.Hour, "is believed for 7 days"},
		"of tomorrow":           {two, 24 * time.Hour, "which is still to come"},
		"broken":                {two + "P-3\n", -time.Hour, "line 4: it has 1 fields"},
		"nobody is recognised":  {"id,name\nP-1,Ada\n", -time.Hour, "none of the columns by which they could be recognised"},
		"recognised by another": {"id,login\nP-1,ada\n", -time.Hour, "none of the columns by which they could be recognised"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, file := payroll(t, c.text)
			if c.text != "" {
				lies(t, file, c.text, now.Add(c.at))
			}
			_, err := g.Observe(ctx, subject)
			if !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it says %v, want %q", err, c.want)
			}
		})
	}
	g, _ := payroll(t, "id,email\nP-1,ada@company.com\n")
	seen, err := g.Observe(ctx, dayone.Subject{Ref: "P-1"})
	if err != nil || !slices.Equal(seen.Unread, []string{"role"}) || seen.Account().State != "" {
		t.Errorf("a list with neither state nor role is seen as %+v, %v", seen, err)
	}
}

// Nothing is called: every action of the manifest is a human's, who is told what to do and where.
func TestEveryActionIsAHumans(t *testing.T) {
	t.Parallel()
	g, file := payroll(t, two)
	hands := g.Manifest.ByHand()
	if !g.Manifest.Hands || len(hands) != 7 {
		t.Errorf("the manifest has words for %d actions", len(hands))
	}
	for act, text := range hands {
		if !strings.Contains(text, "in Payroll (the green door), then complete this task, or bring a new list that shows it") {
			t.Errorf("%v says %q", act, text)
		}
		key := dayone.Key{System: "payroll", Kind: act.Kind}
		_, err := g.Apply(ctx, dayone.Act{Action: act.Action, Key: key, Account: "P-1", Subject: dayone.Subject{Ref: "P-1"}, Want: &dayone.Item{Key: key}})
		var f *dayone.Fault
		if !errors.Is(err, dayone.ErrUnsupported) || !errors.As(err, &f) || f.Next != text {
			t.Errorf("%v says %v", act, err)
		}
	}
	if raw, _ := os.ReadFile(file); string(raw) != two {
		t.Error("the list was written")
	}
}

func TestCatalogues(t *testing.T) {
	t.Parallel()
	zones := filepath.Join(t.TempDir(), "roles.csv")
	g, _ := payroll(t, two, "catalogue", zones)
	l, ok := g.Listed()
	if !ok {
		t.Fatal("it takes no list")
	}
	for text, want := range map[string]string{
		"kind,name\nrole,clerk\ndoor,main\nrole,clerk\nrole,\n": `line 3, column "kind": there is no kind "door"; the setting kinds names role; line 4, column "name": "clerk" stands in line 2 as well; line 5, column "name": it has no name`,
		"a,b\n1,2\n": "a catalogue has the columns kind and name",
	} {
		if _, err := l.Bring(ctx, []byte(text), connector.Brought{Catalogue: true}); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q says %v", text, err)
		}
	}
	if _, err := l.Bring(ctx, []byte("kind,name,title,roles\nrole,clerk,Clerk,first; second\n"), connector.Brought{Catalogue: true}); err != nil {
		t.Fatal(err)
	}
	for o, err := range g.Catalogue(ctx) {
		if err != nil || o.Key.String() != "payroll/role:clerk" || o.Title != "Clerk" || !slices.Equal(o.Roles, []string{"first", "second"}) {
			t.Errorf("it offers %+v, %v", o, err)
		}
	}
}

// A list in the place of one before it is there whole, or not at all; another system's list of the same length is noticed.
func TestAnotherSystemsListIsNoticed(t *testing.T) {
	t.Parallel()
	g, file := payroll(t, two)
	l, _ := g.Listed()
	other := strings.NewReplacer("P-", "X-").Replace(two)
	if _, err := l.Bring(ctx, []byte(other), connector.Brought{}); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "of the 2 of the list before 2 are missing") {
		t.Errorf("it says %v", err)
	}
	if _, err := l.Bring(ctx, []byte("id,email,state\nP-1,a@company.com,active\nP-2,b@company.com,active\n"), connector.Brought{}); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "had a column for role") {
		t.Errorf("a column that is gone says %v", err)
	}
	for text, want := range map[string]string{two + "P-3,c@comp\x00any.com,active,\n": "line 4: it holds a control character", two + "P-3,\xe4@company.com,active,\n": "line 4: it is not UTF-8"} {
		for _, b := range []connector.Brought{{}, {Dry: true}, {Catalogue: true}} {
			if _, err := l.Bring(ctx, []byte(text), b); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("what is no text says %v, want %q", err, want)
			}
		}
	}
	if raw, _ := os.ReadFile(file); string(raw) != two {
		t.Error("a list that was refused was kept")
	}
	if c, err := l.Bring(ctx, []byte(strings.Replace(two, "inactive", "active", 1)), connector.Brought{}); err != nil || !slices.Equal(c.Changed, []string{"P-2"}) || len(c.New)+len(c.Missing) != 0 {
		t.Errorf("a change of one line is %+v, %v", c, err)
	}
	st, err := l.Listed(ctx)
	if err != nil || !st.At.Equal(now) || st.Accounts != 2 {
		t.Errorf("the list is %+v, %v", st, err)
	}
}
