package entra_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sim"
)

func (b *bench) source(settings ...string) connector.Source {
	b.Helper()
	s, ok := b.reach(b.sim.Settings(b.base), settings...).Source()
	if !ok {
		b.Fatal("it is no source")
	}
	return s
}

// A record is whole, under the names of HR webhooks; what is not there is empty, and what was not asked is not said.
func TestRecord(t *testing.T) {
	b := open(t, sim.Options{})
	b.sim.Seed(sim.Account{Login: "john.doe@company.com", Email: "john@company.com", State: dayone.Active})
	attrs := person()
	attrs["manager"] = dayone.Text("john@company.com")
	ref := b.joins(attrs)
	b.sim.Set(ref, "employeeOrgData", map[string]any{"costCenter": "CC-1", "division": "EMEA"})
	b.sim.Set(ref, "employeeLeaveDateTime", "2025-12-31T00:00:00Z")

	e, err := b.source().Read(t.Context(), "emp_789")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"employee_id": "emp_789", "email": "sarah.chen@company.com", "first_name": "Sarah", "start_date": "2025-01-31", "manager_email": "john@company.com",
		"cost_center": "CC-1", "company": "", "mobile": "",
	} {
		if v, there := e.Fields[name]; !there || v.Text != want {
			t.Errorf("%s is %+v, want %q", name, v, want)
		}
	}
	if _, said := e.Fields["end_date"]; said || !e.Full || e.Type != dayone.Updated || !e.At.Equal(*b.clock) {
		t.Errorf("the record is %+v", e)
	}
	e, err = b.source("leave_date=true", "subject=id").Read(t.Context(), ref)
	if err != nil || e.Subject != ref || e.Fields["end_date"].Text != "2025-12-31" {
		t.Errorf("by id it is %+v, %v", e, err)
	}
	_, err = b.source().Read(t.Context(), "it isn't")
	b.refused(err, dayone.ErrNotFound, "")
	if err := b.source().Verify(nil, []byte(`{}`), *b.clock); !errors.Is(err, dayone.ErrAuth) {
		t.Errorf("a webhook of nobody is taken: %v", err)
	}
}

// Guests, rooms and services are no people; two users of one number are nobody's record, and hide no other.
func TestEverybody(t *testing.T) {
	b := open(t, sim.Options{})
	for i := range 5 {
		b.sim.Seed(sim.Account{Login: fmt.Sprintf("p%d@company.com", i), EmployeeNumber: fmt.Sprintf("E-%d", i), State: dayone.Active})
	}
	b.sim.Seed(sim.Account{Login: "admin.p1@company.com", EmployeeNumber: "E-1", State: dayone.Active})
	b.sim.Seed(sim.Account{Login: "room@company.com"})
	guest := b.sim.Seed(sim.Account{Login: "kim_other.example#EXT#@company.onmicrosoft.com", EmployeeNumber: "E-9", State: dayone.Active})
	b.sim.Set(guest, "userType", "Guest")
	var told []string
	bad := 0
	for e, err := range b.source().Everybody(t.Context()) {
		switch {
		case errors.Is(err, dayone.ErrInvalid):
			bad++
		case err != nil:
			t.Fatal(err)
		default:
			told = append(told, e.Subject)
		}
	}
	if fmt.Sprint(told) != "[E-0 E-1 E-2 E-3 E-4]" || bad != 1 {
		t.Errorf("told were %v, and %d bad ones", told, bad)
	}
	_, err := b.source().Read(t.Context(), "E-1")
	b.refused(err, dayone.ErrInvalid, "2 users")
	if _, err := b.source().Read(t.Context(), "E-9"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("a guest is read: %v", err)
	}
}

// What breaks off in the middle is an error: nobody is gone because a page is.
func TestBrokenList(t *testing.T) {
	b := open(t, sim.Options{})
	for i := range 7 {
		b.sim.Seed(sim.Account{Login: fmt.Sprintf("p%d@company.com", i), EmployeeNumber: fmt.Sprintf("E-%d", i), State: dayone.Active})
	}
	for name, f := range map[string]sim.Fault{
		"throttled":  {Status: 429, Header: map[string]string{"Retry-After": "30"}},
		"cut":        {Drop: true, Times: -1},
		"no list":    {Status: 200, Body: `{}`},
		"other host": {Status: 200, Body: `{"value":[],"@odata.nextLink":"https://evil.example/v1.0/users"}`},
	} {
		f.Path, f.Skip = "/v1.0/users", 1
		b.sim.Door().Heal()
		b.sim.Door().Inject(f)
		var last error
		for _, err := range b.source().Everybody(t.Context()) {
			last = err
		}
		if last == nil {
			t.Errorf("%s: the list seems whole", name)
		}
	}
}

// People are read by the thousand: a big company in a few requests.
func TestMany(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 2_000
	}
	b := open(t, sim.Options{Page: 999})
	b.sim.Door().Validate(nil)
	for i := range n {
		b.sim.Seed(sim.Account{Login: fmt.Sprintf("p%d@company.com", i), EmployeeNumber: fmt.Sprintf("E-%d", i), State: dayone.Active})
	}
	began, got := time.Now(), 0
	for _, err := range b.source().Everybody(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got++
	}
	if want := (n+998)/999 + 1; got != n || len(b.sim.Door().Requests()) != want {
		t.Errorf("%d people in %d requests, want %d in %d", got, len(b.sim.Door().Requests()), n, want)
	}
	t.Logf("%d people in %v", got, time.Since(began))
}

// What changed is told once, whole and with its manager, many in one call; who is gone, and who is no person, is not told of.
func TestChanges(t *testing.T) {
	b := open(t, sim.Options{Page: 7})
	ids := map[string]string{}
	for i := range 30 {
		login := fmt.Sprintf("p%02d@company.com", i)
		ids[login] = b.sim.Seed(sim.Account{Login: login, Email: login, EmployeeNumber: fmt.Sprintf("E-%02d", i), State: dayone.Active})
	}
	src := b.source().(connector.Changing)
	ask := func(since string, want ...string) string {
		t.Helper()
		records, next, err := src.Changes(t.Context(), since)
		if err != nil || next == "" {
			t.Fatalf("asked for changes it says %q, %v", next, err)
		}
		var got []string
		for _, e := range records {
			got = append(got, e.Subject+" "+e.Fields["department"].Text+" "+e.Fields["manager_email"].Text)
			if !e.Full || e.Type != dayone.Updated {
				t.Errorf("a record is %+v", e)
			}
		}
		slices.Sort(got)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("changed are %q, want %q", got, want)
		}
		return next
	}
	mark := ask("")
	mark = ask(mark)
	b.sim.Set(ids["p01@company.com"], "department", "Sales")
	b.sim.Set(ids["p01@company.com"], "department", "Legal")
	b.apply(b.act(dayone.AccountUpdate, ids["p02@company.com"], &dayone.Item{Attrs: dayone.Attrs{"manager": dayone.Text("p00@company.com")}}))
	guest := b.sim.Seed(sim.Account{Login: "kim@company.com", EmployeeNumber: "E-99", State: dayone.Active})
	b.sim.Set(guest, "userType", "Guest")
	b.sim.Seed(sim.Account{Login: "room@company.com"})
	b.apply(b.act(dayone.AccountDelete, ids["p03@company.com"], nil))
	mark = ask(mark, "E-01 Legal ", "E-02  p00@company.com")
	mark = ask(mark)

	var all []string
	for i := range 30 {
		if i == 3 {
			continue
		}
		b.sim.Set(ids[fmt.Sprintf("p%02d@company.com", i)], "department", "IT")
		all = append(all, fmt.Sprintf("E-%02d IT %s", i, map[bool]string{true: "p00@company.com"}[i == 2]))
	}
	before := len(b.sim.Door().Requests())
	next := ask(mark, all...)
	batches, alone := 0, 0
	for _, r := range b.sim.Door().Requests()[before:] {
		switch {
		case r.Path == "/v1.0/$batch":
			batches++
		case r.Path == "/v1.0/users":
			alone++
		}
	}
	if batches != 2 || alone != 0 {
		t.Errorf("29 people were read by %d batches, and %d alone", batches, alone)
	}

	b.sim.Set(ids["p05@company.com"], "department", "HR")
	b.sim.Door().Inject(sim.Fault{Path: "/v1.0/$batch", Status: 200, Body: `{"responses":[{"id":"1","status":429,"headers":{"Retry-After":"9"},"body":{"error":{"code":"TooManyRequests","message":"slow down"}}}]}`})
	if _, _, err := src.Changes(t.Context(), next); !errors.Is(err, dayone.ErrThrottled) {
		t.Errorf("one that was throttled in a batch says %v", err)
	}
	b.sim.Door().Inject(sim.Fault{Path: "/v1.0/$batch", Status: 200, Body: `{"responses":[]}`})
	if _, _, err := src.Changes(t.Context(), next); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a batch without an answer says %v", err)
	}
	ask(next, "E-05 HR ")
	b.sim.Forget()
	if _, _, err := src.Changes(t.Context(), next); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("a mark that is too old says %v", err)
	}
}

// Somebody is found by words of the name, by mail address or login; quotes are no way into the query.
func TestSearch(t *testing.T) {
	b := open(t, sim.Options{})
	for i, n := range [][2]string{{"Sarah", "Chen"}, {"Sara", "Cheney-Smith"}, {"John", "Doe"}, {"美咲", "山田"}} {
		b.sim.Seed(sim.Account{Login: fmt.Sprintf("user%d@company.com", i), Email: fmt.Sprintf("mail%d@company.com", i), FirstName: n[0], LastName: n[1], EmployeeNumber: fmt.Sprint(i), State: dayone.Active})
	}
	guest := b.sim.Seed(sim.Account{Login: "guest@company.com", FirstName: "Sarah", LastName: "Guest", EmployeeNumber: "9", State: dayone.Active})
	b.sim.Set(guest, "userType", "Guest")
	dir := b.source().(connector.Directory)
	for text, want := range map[string]string{
		"sarah": "[0]", "sar ch": "[0 1]", "chen": "[0 1]", "山田": "[3]", "mail2@": "[2]", "user1": "[1]", `Chen" OR "displayName:John`: "[]", "nobody": "[]", "  ": "[]", `sa"rah`: "[]",
	} {
		found, err := dir.Search(t.Context(), text, 10)
		got := []string{}
		for _, e := range found {
			got = append(got, e.Subject)
		}
		slices.Sort(got)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q finds %v, want %s: %v", text, got, want, err)
		}
	}
	if found, err := dir.Search(t.Context(), "sar", 1); err != nil || len(found) != 1 {
		t.Errorf("at most one is %d, %v", len(found), err)
	}
}

// A picture is what it is, whatever it is called; who has none, or where nobody asked for pictures, shows none.
func TestPhoto(t *testing.T) {
	b := open(t, sim.Options{})
	b.sim.Door().Validate(nil) // the excerpt of the specification has no photos
	ref := b.sim.Seed(sim.Account{Login: "sarah@company.com", EmployeeNumber: "1", State: dayone.Active})
	fake := b.sim.Seed(sim.Account{Login: "max@company.com", EmployeeNumber: "2", State: dayone.Active})
	b.sim.Seed(sim.Account{Login: "kim@company.com", EmployeeNumber: "3", State: dayone.Active})
	jpeg := "\xff\xd8\xff\xe0 a picture"
	b.sim.SetPhoto(ref, []byte(jpeg))
	b.sim.SetPhoto(fake, []byte("<html><script>alert(1)</script>"))
	photo := func(subject string, settings ...string) (string, string, error) {
		image, kind, err := b.source(settings...).(connector.Pictured).Photo(t.Context(), subject)
		return string(image), kind, err
	}
	if image, kind, err := photo("1", "photos=true"); err != nil || image != jpeg || kind != "image/jpeg" {
		t.Errorf("her picture is %q, %s, %v", image, kind, err)
	}
	if image, _, err := photo(ref, "photos=true", "subject=id"); err != nil || image != jpeg {
		t.Errorf("by id her picture is %q, %v", image, err)
	}
	for subject, want := range map[string]error{"2": dayone.ErrInvalid, "3": dayone.ErrNotFound, "404": dayone.ErrNotFound} {
		if image, _, err := photo(subject, "photos=true"); !errors.Is(err, want) || image != "" {
			t.Errorf("the picture of %s is %q, %v", subject, image, err)
		}
	}
	if _, _, err := photo("1"); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("without the setting it says %v", err)
	}
}

// A display name says what somebody goes by, where it is a first name and the surname; else it says nothing of that.
func TestWhatSomebodyGoesBy(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.sim.Seed(sim.Account{Login: "max@company.com", EmployeeNumber: "E-1", FirstName: "Maximilian", LastName: "Berg", State: dayone.Active})
	for display, want := range map[string]string{
		"Maximilian Berg": "", "Max Berg": "Max", "Berg, Max": "", "Max Berg (IT)": "", "Berg": "", "": "", "Jean Luc Berg": "Jean Luc",
	} {
		b.sim.Set(ref, "displayName", display)
		e, err := b.source().Read(t.Context(), "E-1")
		if err != nil || e.Fields["preferred_name"].Text != want {
			t.Errorf("%q: goes by %q, want %q (%v)", display, e.Fields["preferred_name"].Text, want, err)
		}
	}
}
