package exec_test

import (
	"errors"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
)

// Somebody joins, moves and leaves by the program that we give as an example, and her leaving is undone.
func TestTheExampleJoinsMovesAndLeaves(t *testing.T) {
	t.Parallel()
	dir := closedDir(t)
	program, file := filepath.Join(dir, "badges"), filepath.Join(dir, "office.json")
	if out, err := osexec.Command("go", "build", "-o", program, "../../examples/exec").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(`{"secret":"`+"office-secret"+`","doors":["main","lab"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	g := open(t, connector.Options{}, "program", program, "args", file, "secret", "office-secret", "actions", "create, update, enable, disable, delete")
	if err := g.Check(ctx); err != nil {
		t.Fatal(err)
	}
	if err := open(t, connector.Options{}, "program", program, "args", file, "secret", "another-secret").Check(ctx); !errors.Is(err, dayone.ErrAuth) {
		t.Errorf("with another secret: %v", err)
	}
	does := func(a dayone.Act) dayone.Result {
		t.Helper()
		r, err := connectortest.Apply(ctx, g, a)
		if err != nil {
			t.Fatalf("%s %s: %v", a.Action, a.Key, err)
		}
		return r
	}
	door := func(name, account string, give bool) dayone.Act {
		key := dayone.Key{System: "badges", Kind: "door", Name: name}
		it := &dayone.Item{Key: key, Ref: name, State: dayone.Active}
		a := dayone.Act{Once: "fedcba98", Action: dayone.EntitlementAdd, Key: key, Account: account, Want: it, Attempt: 1, Since: time.Now()}
		if !give {
			a.Action, a.Want, a.Have = dayone.EntitlementRemove, nil, it
		}
		return a
	}
	who := dayone.Attrs{"email": dayone.Text("ada@company.com"), "employee_number": dayone.Text("E-1"), "first_name": dayone.Text("Ada $(rm -rf /)"), "last_name": dayone.Text("Łovelace 'x'")}
	join := account(dayone.AccountCreate, &dayone.Item{State: dayone.Active, Attrs: who}, "")
	join.Subject.Keys = map[string]string{"employee_number": "E-1", "email": "ada@company.com"}
	made := does(join)
	ref := made.Now.Ref
	if made.Before != nil || made.Now.Attrs.Text("first_name") != "Ada $(rm -rf /)" {
		t.Errorf("she joined as %+v", made)
	}
	join.Attempt = 2 // the first answer was lost
	if again := does(join); again.Now.Ref != ref {
		t.Errorf("the second try made %s beside %s", again.Now.Ref, ref)
	}
	does(door("main", ref, true))
	does(door("lab", ref, true))
	does(door("main", ref, false)) // she moves
	does(account(dayone.AccountUpdate, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"last_name": dayone.Text("King")}}, ref))
	does(account(dayone.AccountDisable, &dayone.Item{Ref: ref, State: dayone.Disabled}, ref))
	shows := func() string {
		seen, err := g.Observe(ctx, dayone.Subject{Ref: ref})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, it := range seen.Items {
			out = append(out, it.Key.String()+" "+string(it.State)+" "+it.Attrs.Text("last_name"))
		}
		return strings.Join(out, ", ")
	}
	if got := shows(); got != "badges/account disabled King, badges/door:lab active " {
		t.Errorf("a certificate sees %s", got)
	}
	does(account(dayone.AccountEnable, &dayone.Item{Ref: ref, State: dayone.Active}, ref))
	n := 0
	for seen, err := range g.List(ctx) {
		if err != nil || len(seen.Items) != 2 || seen.Items[1].Key.String() != "badges/door:lab" {
			t.Errorf("the list has %+v, %v", seen, err)
		}
		n++
	}
	var offers []string
	for o, err := range g.Catalogue(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		offers = append(offers, o.Key.String())
	}
	if n != 1 || strings.Join(offers, " ") != "badges/door:main badges/door:lab" {
		t.Errorf("%d accounts, offers %v", n, offers)
	}
	does(account(dayone.AccountDelete, nil, ref))
	if got := shows(); got != "" {
		t.Errorf("after the delete: %s", got)
	}
	if err := os.WriteFile(file, []byte(`{"half`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Observe(ctx, dayone.Subject{Ref: ref}); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("what cannot be read says %v", err)
	}
}
