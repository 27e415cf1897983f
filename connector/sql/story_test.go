package sql_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/sql"
)

// bench is an application with a connector to it.
type bench struct {
	*testing.T
	*app
	guard *connector.Guard
}

// reach opens a connector; changes are pairs of old and new text in the definition.
func reach(t *testing.T, a *app, oldNew ...string) *bench {
	t.Helper()
	settings := maps.Clone(a.settings)
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(settings["definition"], oldNew[i]) {
			t.Fatalf("%q is not in the definition", oldNew[i])
		}
		settings["definition"] = strings.ReplaceAll(settings["definition"], oldNew[i], oldNew[i+1])
	}
	return with(t, a, settings)
}

func with(t *testing.T, a *app, settings map[string]string) *bench {
	t.Helper()
	g, err := connector.Open(sql.Factory, "clock", time.Now, connector.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, a, g}
}

func account(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{Action: action, Key: dayone.Key{System: "clock", Kind: "account"}, Subject: dayone.Subject{Ref: ref}, Want: want, Attempt: 1, Since: time.Now()}
	if ref == "" {
		a.Subject.Keys = map[string]string{}
		for _, k := range []string{"employee_number", "login", "email"} {
			a.Subject.Keys[k] = want.Attrs.Text(k)
		}
	}
	return a
}

func badge(action dayone.Action, ref, name, hours string) dayone.Act {
	key := dayone.Key{System: "clock", Kind: "badge", Name: name}
	a := dayone.Act{Action: action, Key: key, Account: ref, Attempt: 1, Since: time.Now()}
	it := &dayone.Item{Key: key, State: dayone.Active, Role: hours}
	if action == dayone.EntitlementAdd {
		a.Want = it
	} else {
		a.Have = it
	}
	return a
}

func (b *bench) run(a dayone.Act) dayone.Result {
	b.Helper()
	r, err := connectortest.Apply(b.Context(), b.guard, a)
	if err != nil {
		b.Fatalf("%s: %v", a.Action, err)
	}
	return r
}

func (b *bench) join(as dayone.Attrs) string {
	b.Helper()
	return b.run(account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: as})).Now.Ref
}

// everywhere runs a story on each database.
func everywhere(t *testing.T, story func(t *testing.T, on func(testing.TB) *app)) {
	t.Helper()
	t.Parallel()
	for name, on := range map[string]func(testing.TB) *app{"PostgreSQL": onPostgres, "SQLite": onSQLite, "MariaDB": nil} {
		t.Run(name, func(t *testing.T) {
			if on == nil {
				on = onMariaDB(t)
			}
			story(t, on)
		})
	}
}

// A life: made closed before the first day, opened, moved, closed with what was open, and deleted; then what goes wrong on
// the way.
func TestJoinsMovesLeaves(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(testing.TB) *app) {
		b := reach(t, on(t))
		if err := b.guard.Check(t.Context()); err != nil {
			t.Fatalf("of an empty table: %v", err)
		}
		if seen, err := b.guard.Observe(t.Context(), dayone.Subject{Keys: map[string]string{"employee_number": "emp_789", "email": "sarah.chen@company.com"}}); err != nil || len(seen.Items) > 0 {
			t.Errorf("nothing is seen as %+v, %v", seen, err)
		}
		staged := b.guard.Manifest.System("clock").As(dayone.Staged)
		ref := b.run(account(dayone.AccountCreate, "", &dayone.Item{State: staged, Attrs: sarah.With(dayone.Attrs{"cost_center": dayone.Text("4711")})})).Now.Ref
		if got := b.Accounts(); len(got) != 1 || got[0].State != dayone.Disabled || got[0].Ref != ref {
			t.Fatalf("before her first day: %+v", got)
		}
		b.run(account(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active}))
		b.run(badge(dayone.EntitlementAdd, ref, "gate", "day"))
		b.run(badge(dayone.EntitlementAdd, ref, "canteen", "day"))
		b.do(t, `INSERT INTO session VALUES (?, 1), (?, 2)`, ref, ref)
		other := b.Seed(sim.Account{Login: "tom", Email: "tom@company.com", EmployeeNumber: "emp_1"})

		moved := dayone.Attrs{"title": dayone.Text(""), "department": dayone.Text(`'; DROP TABLE staff; -- :id \`), "cost_center": dayone.Text("12")}
		r := b.run(account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: moved}))
		if len(r.Now.Attrs.Differ(moved)) > 0 || r.Now.Attrs.Text("first_name") != "Sarah" || r.Before.Attrs.Text("title") != "Sales Engineer" || r.Now.Created.IsZero() {
			t.Errorf("after she moved: %+v, before %+v", r.Now, r.Before.Attrs)
		}
		b.run(badge(dayone.EntitlementAdd, ref, "gate", "night"))
		b.run(badge(dayone.EntitlementRemove, ref, "canteen", "day"))
		if got := b.badges(ref); !slices.Equal(got, []string{"badge:gate=night"}) {
			t.Errorf("she has %v", got)
		}
		if err := b.guard.Check(t.Context()); err != nil {
			t.Errorf("the definition as it should be: %v", err)
		}
		mistakes(b, ref, other)

		b.run(account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
		n := -1
		if err := b.QueryRow(`SELECT count(*) FROM session`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d sessions are left, %v", n, err)
		}
		if seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || seen.Account().State != dayone.Disabled || len(seen.Items) != 2 || seen.Items[1].Role != "night" {
			t.Errorf("seen is %+v, %v", seen, err)
		}
		unread(b, ref)
		b.run(account(dayone.AccountDelete, ref, nil))
		if left := b.Accounts(); len(left) != 1 || left[0].Ref != other {
			t.Errorf("there is still %+v", left)
		}
		if seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || len(seen.Items) != 0 {
			t.Errorf("what is gone is seen as %+v, %v", seen, err)
		}
	})
}

// mistakes are statements with a slip in them: none of them changes anything, and each error says where it is.
func mistakes(b *bench, ref, other string) {
	b.Helper()
	t, ctx := b.T, b.Context()
	before := b.Accounts()
	disable := account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled})

	_, err := reach(t, b.app, `SET status = 'L' WHERE id = :id`, `SET status = 'L' WHERE id = :id OR 1 = 1`).guard.Apply(ctx, disable)
	connectortest.Told(t, err, dayone.ErrInvalid, "would change 2 rows", "rolled back")
	_, err = reach(t, b.app, "emp_no = :employee_number, cost = :cost_center WHERE id = :id", "emp_no = :employee_number, cost = :cost_center WHERE :id = :id").guard.Apply(ctx,
		account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"title": dayone.Text("Boss")}}))
	connectortest.Told(t, err, dayone.ErrConflict)
	_, err = reach(t, b.app, `SET status = 'L' WHERE id = :id`, `SET status = 'L' WHERE id = :id AND 1 = 2`).guard.Apply(ctx, disable)
	connectortest.Told(t, err, dayone.ErrNotFound, "found no row")
	_, err = reach(t, b.app, `    - DELETE FROM staff WHERE id = :id`, `    - DELETE FROM staff WHERE id = :id AND 1 = 2`).guard.Apply(ctx, account(dayone.AccountDelete, ref, nil))
	connectortest.Told(t, err, dayone.ErrInvalid, "is still there", "accounts.delete")
	_, err = b.guard.Apply(ctx, account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"email": dayone.Text("tom@company.com")}}))
	connectortest.Told(t, err, dayone.ErrConflict)
	if after := b.Accounts(); !slices.EqualFunc(before, after, func(x, y sim.Account) bool {
		return x.Ref == y.Ref && x.State == y.State && x.Email == y.Email && slices.Equal(x.Entitlements, y.Entitlements)
	}) {
		t.Errorf("something changed:\n%+v\n%+v", before, after)
	}
	_, err = reach(t, b.app, "get: SELECT * FROM staff WHERE id = :id", "get: SELECT * FROM staff WHERE id = :id AND 1 = 2").guard.Observe(ctx, dayone.Subject{Ref: ref})
	connectortest.Told(t, err, dayone.ErrInvalid, "accounts.get", "would look gone") // whether or not anybody has checked it
	for change, says := range map[[2]string]string{
		{"get: SELECT * FROM staff WHERE id = :id", "get: SELECT * FROM staff WHERE id = :id AND 1 = 2"}:                                                             "accounts.get",
		{"WHERE lower(mail) = lower(:value)", "WHERE lower(mail) = lower(:value) AND 1 = 2"}:                                                                         "accounts.find.email",
		{"enable: UPDATE staff SET", "enable: UPDATE staf SET"}:                                                                                                      "checking accounts.enable",
		{"list: SELECT * FROM staff ORDER BY id", "list: SELECT id, uname FROM staff ORDER BY id"}:                                                                   "shows no column",
		{"list: SELECT id, name FROM badge ORDER BY id", "list: SELECT id FROM badge ORDER BY id"}:                                                                   "shows no column name",
		{"list: SELECT * FROM staff ORDER BY id", "list: SELECT s.* FROM staff s LEFT JOIN session x ON x.staff = s.id ORDER BY s.id"}:                               "",
		{"get: SELECT * FROM staff WHERE id = :id", "get: SELECT s.* FROM staff s LEFT JOIN session x ON x.staff = s.id WHERE s.id = :id OR s.id = 1 ORDER BY s.id"}: "a join may double",
	} {
		err := reach(t, b.app, change[0], change[1]).guard.Check(ctx)
		if says == "" {
			for _, last := range reach(t, b.app, change[0], change[1]).guard.List(ctx) {
				err = last
			}
			connectortest.Told(t, err, dayone.ErrUnavailable, "twice")
			continue
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: Check says %v", change[1], err)
		}
	}
	if other == "" {
		t.Error("there is nobody else")
	}
}

// unread: a kind or an account that cannot be read is not gone.
func unread(b *bench, ref string) {
	b.Helper()
	b.do(b.T, `ALTER TABLE staff_badge RENAME TO away`)
	if seen, err := b.guard.Observe(b.Context(), dayone.Subject{Ref: ref}); err != nil || !slices.Equal(seen.Unread, []string{"badge"}) || seen.Account() == nil {
		b.Errorf("a table that is away is seen as %+v, %v", seen, err)
	}
	b.do(b.T, `ALTER TABLE away RENAME TO staff_badge`)
	b.do(b.T, `UPDATE staff SET status = '!' WHERE id = ?`, ref)
	_, err := b.guard.Observe(b.Context(), dayone.Subject{Ref: ref})
	connectortest.Told(b.T, err, dayone.ErrInvalid, `"!"`, "accounts.state")
	b.do(b.T, `UPDATE staff SET status = 'L' WHERE id = ?`, ref)
}

// The example of the documentation is the definition that the tests use.
func TestExample(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("example.md")
	if err != nil || !strings.Contains(string(raw), "```yaml\n"+definition(t)+"```\n") {
		t.Errorf("example.md does not hold testdata/staff.yaml: %v", err)
	}
}
