package scim_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
	"github.com/dayone-hq/dayone/connector/scim"
	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/internal/lab"
)

const scimmyToken = "token-of-the-lab"

// scimmy starts the server of testdata/scimmy and returns its base URL. It ends with this test, or with the process.
func scimmy(t *testing.T) string {
	t.Helper()
	port := lab.Node(t, "scimmy", "scimmy", filepath.Join("testdata", "scimmy", "server.mjs"), "port ", "SCIMMY_TOKEN="+scimmyToken)
	return "http://127.0.0.1:" + port + "/scim/v2"
}

func client(base, token string, q scim.Quirks) *scim.Client {
	return scim.NewClient(connector.Config{System: "app", HTTP: http.DefaultClient}, base, httpc.Bearer("Bearer", dayone.NewSecret(token)), q)
}

// TestScimmy does to a server that we did not write what TestOwnServer does to ours. Three things scimmy cannot: filter
// by an extension or by the members of a group that has none, and replace a list without a path (it appends).
func TestScimmy(t *testing.T) {
	t.Parallel()
	exercise(t, scimmy(t), true)
}

func TestOwnServer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(scimsim.NewSim(sim.Options{}, scimsim.Dialect{Token: scimmyToken}))
	defer s.Close()
	exercise(t, s.URL+"/scim/v2", false)
}

func exercise(t *testing.T, base string, limited bool) {
	ctx, token := t.Context(), scimmyToken
	number, ways := scim.Enterprise+":employeeNumber", []scim.Membership{scim.ByGroups, scim.ByFilter}
	q := scim.Quirks{Page: 3}
	if limited {
		q.Filters, ways = map[string]string{number: ""}, ways[:1]
	}
	c := client(base, token, q)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	is := func(err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("says %v, want %v", err, want)
		}
	}
	must(c.Ping(ctx))
	is(client(base, "wrong", scim.Quirks{}).Ping(ctx), dayone.ErrAuth)

	accounts := scim.Accounts{Client: c, Attrs: map[string]string{
		"login": "userName", "email": "emails", "first_name": "name.givenName", "last_name": "name.familyName", "title": "title",
		"department": scim.Enterprise + ":department", "number": number, "employee_number": "externalId",
		"phone": `phoneNumbers[type eq "work"].value`,
	}}
	want := dayone.Attrs{
		"login": dayone.Text("sarah.o'neil+x@company.com"), "email": dayone.Text("sarah@company.com"), "first_name": dayone.Text("美咲"),
		"last_name": dayone.Text("Łukasiewicz & Co"), "title": dayone.Text("Engineer"), "department": dayone.Text("Sales"),
		"number": dayone.Text("701984"), "employee_number": dayone.Text("emp_789"), "phone": dayone.Text("+49 89 1"),
	}
	r, err := accounts.Create(ctx, dayone.Act{Want: &dayone.Item{State: dayone.Disabled, Attrs: want}})
	must(err)
	ref := r.Now.Ref
	shows := func(state dayone.State) {
		t.Helper()
		it, err := accounts.Get(ctx, ref)
		must(err)
		if it.State != state || len(it.Attrs.Differ(want)) > 0 || it.Created.IsZero() {
			t.Errorf("it shows %s %v made %v, want %s %v", it.State, it.Attrs, it.Created, state, want)
		}
	}
	shows(dayone.Disabled)
	_, err = accounts.Create(ctx, dayone.Act{Want: &dayone.Item{State: dayone.Active, Attrs: want}})
	is(err, dayone.ErrConflict)

	for by, value := range map[string]string{
		"login": "sarah.o'neil+x@company.com", "email": "sarah@company.com", "employee_number": "emp_789", "number": "701984", "first_name": "美咲",
	} {
		found, err := accounts.Find(ctx, by, value)
		if err != nil {
			t.Errorf("by %s: %v", by, err)
		}
		if len(found) != 1 || found[0].Ref != ref {
			t.Errorf("by %s %s are found %v", by, value, found)
		}
	}

	must(accounts.Switch(ctx, ref, dayone.Disabled, dayone.Active))
	shows(dayone.Active)
	changed := dayone.Attrs{
		"title": dayone.Text(""), "department": dayone.Text("Presales"), "email": dayone.Text("sarah.oneil@company.com"),
		"phone": dayone.Text("+49 89 2"), "first_name": dayone.Text("Sarah"),
	}
	want = want.With(changed)
	must(accounts.Update(ctx, ref, changed))
	shows(dayone.Active)
	must(accounts.Update(ctx, ref, dayone.Attrs{"title": dayone.Text("Engineer"), "phone": dayone.Text("")}))
	want = want.With(dayone.Attrs{"title": dayone.Text("Engineer"), "phone": dayone.Text("")})
	shows(dayone.Active)

	for name, way := range map[string]scim.Patch{"X one": scim.ByValue, "X two": scim.ByPut} {
		other := scim.Accounts{Client: client(base, token, scim.Quirks{Patch: way}), Attrs: accounts.Attrs}
		changed := dayone.Attrs{"title": dayone.Text(name), "last_name": dayone.Text(name), "email": dayone.Text("new@company.com"), "department": dayone.Text(name)}
		if limited && way == scim.ByValue {
			delete(changed, "email")
		}
		want = want.With(changed)
		must(other.Update(ctx, ref, changed))
		shows(dayone.Active)
		must(other.Switch(ctx, ref, dayone.Active, dayone.Disabled))
		shows(dayone.Disabled)
		must(other.Switch(ctx, ref, dayone.Disabled, dayone.Active))
	}

	var ids []string
	for _, name := range []string{"sales", "staff", "design", "legal"} {
		g, err := c.Create(ctx, scim.Group, scim.Resource{"displayName": name})
		must(err)
		ids = append(ids, g.ID())
	}
	groups := scim.Groups{Client: c}
	held := func(names ...string) {
		t.Helper()
		for _, by := range ways {
			items, err := scim.Groups{Client: client(base, token, scim.Quirks{HeldBy: by, Page: 3})}.Held(ctx, ref)
			must(err)
			var got []string
			for _, it := range items {
				got = append(got, it.Key.Name)
			}
			if slices.Sort(got); !slices.Equal(got, names) {
				t.Errorf("%q shows %v, want %v", by, got, names)
			}
		}
	}
	for _, id := range []string{ids[0], ids[1], ids[1]} {
		must(groups.Add(ctx, ref, dayone.Item{Ref: id}))
	}
	held("sales", "staff")
	must(groups.Remove(ctx, ref, dayone.Item{Ref: ids[0]}))
	held("staff")
	if err := groups.Remove(ctx, ref, dayone.Item{Ref: ids[0]}); err != nil && !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("taken twice says %v", err)
	}
	put := client(base, token, scim.Quirks{Patch: scim.ByPut})
	must(put.AddMember(ctx, ids[2], ref))
	held("design", "staff")
	must(put.RemoveMember(ctx, ids[2], ref))
	held("staff")
	offers := 0
	for o, err := range groups.Offers(ctx) {
		must(err)
		if o.Ref != "" && o.Key.Name != "" {
			offers++
		}
	}
	if offers != len(ids) {
		t.Errorf("%d groups are offered, want %d", offers, len(ids))
	}

	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		_, err := c.Create(ctx, scim.User, scim.Resource{
			"userName": name, "title": "T" + name, "active": false, "name": map[string]any{"familyName": "F"},
			"emails": []any{map[string]any{"value": name + "@x.de", "type": "work"}},
		})
		must(err)
	}
	n := 0
	for _, err := range accounts.All(ctx) {
		must(err)
		n++
	}
	if n != 7 {
		t.Errorf("%d users are listed, want 7", n)
	}
	for filter, want := range map[string]int{
		`title sw "T" and not (userName eq "a")`: 5, `title pr`: 7, `title co "a" or title co "b"`: 2, `name.familyName eq "F"`: 6,
		`emails[type eq "work" and value co "a@x"]`: 1, `userName eq "a" and (title eq "Ta" or title eq "x")`: 1, `active eq true`: 1,
	} {
		n := 0
		for _, err := range c.List(ctx, scim.User, filter) {
			must(err)
			n++
		}
		if n != want {
			t.Errorf("%s lists %d, want %d", filter, n, want)
		}
	}
	for _, err := range c.List(ctx, scim.User, `userName is "x"`) {
		is(err, dayone.ErrInvalid)
	}

	must(accounts.Delete(ctx, ref))
	_, err = accounts.Get(ctx, ref)
	is(err, dayone.ErrNotFound)
	is(accounts.Delete(ctx, ref), dayone.ErrNotFound)
}
