package flow_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const namingPeople = `
attributes:
  login: {type: string, optional: true, made: "${preferred_name|first_name}.${last_name}", max: 20}
  email: {type: string, from: hr.email, made: "${login}@company.com", free_in: [okta]}
letters: {ü: ue}
`

// naming is a world whose people.yaml says how logins and addresses are made.
func naming(t *testing.T) *world {
	w := newWorld(t)
	files := w.folder(housePolicy).(fstest.MapFS)
	files["people.yaml"] = &fstest.MapFile{Data: []byte(namingPeople)}
	w.files = files
	return w
}

func nameless(id, first, last string, pairs ...string) map[string]any {
	r := employee(id, append([]string{"first_name", first, "last_name", last, "start_date", here}, pairs...)...)
	delete(r, "email")
	return r
}

func (h *house) called(p dayone.PersonID) (login, email string) {
	h.t.Helper()
	l, err := h.Preview(ctx, p)
	if err != nil {
		h.t.Fatal(err)
	}
	return l.Person.Attrs.Text("login"), l.Person.Attrs.Text("email")
}

func TestNamesAreMadeOnceAndForEver(t *testing.T) {
	t.Parallel()
	w := naming(t)
	w.okta.Seed(sim.Account{Login: "jorg.muller3@company.com", Email: "jorg.muller3@company.com"})
	h := w.open()
	first, run := h.hires(nameless("1", "Jorg", "Muller"))
	second, _ := h.hires(nameless("2", "Jörg", "Muller"))
	third, _ := h.hires(nameless("3", "Jørg", "Muller"))
	long, _ := h.hires(nameless("4", "Maria-Magdalena Theodora", "Müller-Lüdenscheidt zu Hohenstein"))
	for p, want := range map[dayone.PersonID][2]string{
		first:  {"jorg.muller", "jorg.muller@company.com"},
		second: {"jorg.muller2", "jorg.muller2@company.com"},
		third:  {"jorg.muller3", "jorg.muller32@company.com"}, // okta has an account of the address that would follow
		long:   {"maria-magdalenatheod", "maria-magdalenatheod@company.com"},
	} {
		login, email := h.called(p)
		same(t, "login", login, want[0])
		same(t, "address", email, want[1])
	}
	h.shows(h.okta, "jorg.muller@company.com", dayone.Active, "group:base-employee")

	// who leaves keeps the name for ever, and has it again when coming back
	left := h.changes(first, run.ID, nameless("1", "Jorg", "Muller", "end_date", "2024-11-14"))
	fifth, _ := h.hires(nameless("5", "Jorg", "Muller"))
	if login, _ := h.called(fifth); login != "jorg.muller4" {
		t.Errorf("a leaver's login was given again: %s", login)
	}
	h.hears(h.says("rehired", nameless("1", "Jorg", "Muller")))
	h.rests(first, left.ID)
	if login, email := h.called(first); login != "jorg.muller" || email != "jorg.muller@company.com" {
		t.Errorf("who came back is called %s, %s", login, email)
	}
}

func TestANameThatIsSomebodysIsNotTakenFromHREither(t *testing.T) {
	t.Parallel()
	h := naming(t).open()
	h.hires(nameless("1", "Ada", "Day"))
	in := h.judged(h.hears(h.hr.Put(employee("2", "email", "ada.day@company.com", "start_date", here)))[0].ID)
	if !strings.Contains(in.Note, "never given twice") {
		t.Errorf("nothing is said of it: %s", in.Note)
	}
	if _, email := h.called(in.Person); email != "" {
		t.Errorf("the address is taken over: %s", email)
	}
}

func TestARenamedPersonKeepsTheLoginUntilADayIsConfirmed(t *testing.T) {
	t.Parallel()
	h := naming(t).open()
	p, run := h.hires(nameless("1", "Ada", "Day"))
	run = h.changes(p, run.ID, nameless("1", "Ada", "Night"))
	if row, _ := h.Person(ctx, p); row.Name != "Ada Night" {
		t.Errorf("the display name is %s", row.Name)
	}
	if login, _ := h.called(p); login != "ada.day" {
		t.Errorf("the login changed by itself: %s", login)
	}
	_, _, err := h.Rename(ctx, p, "2023-01-01", "kim@company.com", "")
	is(t, err, dayone.ErrInvalid)
	tasks, err := h.Tasks(ctx, p, "")
	if err != nil || len(tasks) != 1 || !strings.Contains(tasks[0].Note, "ada.day@company.com becomes ada.night@company.com") {
		t.Fatalf("nobody is asked from when on: %v %v", tasks, err)
	}
	_, err = h.CompleteTask(ctx, string(tasks[0].ID), "kim@company.com", dayone.Attrs{"rename_on": dayone.Text("soon")})
	is(t, err, dayone.ErrInvalid)
	if _, err = h.CompleteTask(ctx, string(tasks[0].ID), "kim@company.com", dayone.Attrs{"rename_on": dayone.Text("2024-11-18"), "note": dayone.Text("married")}); err != nil {
		t.Fatal(err)
	}
	if login, _ := h.called(p); login != "ada.day" {
		t.Errorf("it came before its day: %s", login)
	}
	h.clock.Jump(begin.AddDate(0, 0, 4))
	h.rests(p, run.ID)
	login, email := h.called(p)
	same(t, "login", login, "ada.night")
	same(t, "address", email, "ada.night@company.com")
	h.shows(h.okta, "ada.night@company.com", dayone.Active, "group:base-employee")
	other, _ := h.hires(nameless("2", "Ada", "Day"))
	if login, _ := h.called(other); login != "ada.day2" {
		t.Errorf("the old login went to somebody else: %s", login)
	}
	_, _, err = h.Rename(ctx, other, "2024-11-25", "kim@company.com", "")
	is(t, err, dayone.ErrInvalid)
}
