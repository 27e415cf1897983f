package flow_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	entrasim "github.com/dayone-hq/dayone/connector/entra/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
)

// Somebody of a directory whom nobody here knows is brought in by herself, and what would be done and said shows before it is.
func TestOneOfADirectoryIsBroughtIn(t *testing.T) {
	t.Parallel()
	b := openPortal(t, 2)
	ref := b.entra.Seed(sim.Account{Login: "new@company.com", Email: "new@company.com", EmployeeNumber: "E-9", FirstName: "María José", LastName: "Núñez", State: dayone.Active})
	for name, v := range map[string]string{"employeeHireDate": "2020-03-02T00:00:00Z", "officeLocation": "Berlin", "department": "Sales", "employeeType": "FTE"} {
		b.entra.Set(ref, name, v)
	}
	none := b.entra.Seed(sim.Account{Login: "x@company.com", Email: "x@company.com", EmployeeNumber: "E-10", FirstName: "No", LastName: "Date", State: dayone.Active})
	b.entra.Set(none, "employeeHireDate", "someday")

	if names := b.Directories(); !slices.Equal(names, []string{"directory"}) {
		t.Fatalf("directories: %v", names)
	}
	n, err := b.Newcomer(ctx, "directory", "E-9")
	if err != nil || n.Name != "María José Núñez" || n.Type != dayone.Imported || n.Person != "" || n.Starts != "2020-03-02" {
		t.Fatalf("the record: %+v, %v", n, err)
	}
	_, err = b.Newcomer(ctx, "hr", "E-9")
	is(t, err, dayone.ErrUnsupported)
	_, err = b.Newcomer(ctx, "directory", "E-404")
	is(t, err, dayone.ErrNotFound)
	_, _, err = b.BringIn(ctx, "directory", "E-10", "administrator")
	is(t, err, dayone.ErrInvalid)

	_, in, err := b.BringIn(ctx, "directory", "E-9", "administrator")
	if err != nil || in.ID == "" {
		t.Fatalf("brought in: %+v, %v", in, err)
	}
	in = until(b.house, "the record is looked at", func() (dayone.Intake, bool) {
		in, err := b.Event(ctx, in.ID)
		return in, err == nil && in.State != dayone.EventReceived
	})
	if in.State != dayone.EventApplied || in.Person == "" {
		t.Fatalf("the event is %+v", in)
	}
	if rows, err := b.People(ctx, flow.PeopleFilter{Limit: 10}); err != nil || len(rows) != 1 || rows[0].Name != "María José Núñez" || rows[0].Managed {
		t.Fatalf("with her came others, or she is planned already: %+v, %v", rows, err)
	}
	again, in, err := b.BringIn(ctx, "directory", "E-9", "administrator")
	if err != nil || again.Person == "" || in.ID != "" {
		t.Errorf("brought in twice: %+v, %+v, %v", again, in, err)
	}
	if again.Looked != (flow.Looked{Subject: n.Subject, Name: n.Name, Email: n.Email, Title: n.Title, Department: n.Department, Person: again.Person}) || again.Location != n.Location || again.Starts != n.Starts || again.Ends != n.Ends {
		t.Errorf("the second answer is %+v, the first %+v", again, n)
	}
	lines, err := b.Records(ctx, flow.RecordFilter{Limit: 50})
	if err != nil || !slices.ContainsFunc(lines, func(l flow.Line) bool {
		rec, err := flow.RecordOf(l)
		return err == nil && rec.What == "brought in from a directory" && rec.By == "administrator" && rec.System == "directory"
	}) {
		t.Errorf("nothing says who brought her in: %v", err)
	}
}

var linkInMail = regexp.MustCompile(`https?://\S*/(secret|progress)/\S+`)

// What somebody is going to read stands in the preview: in the words that are sent then, and with no link that opens anything.
func TestMessagesAreForetold(t *testing.T) {
	t.Parallel()
	h, ms := tenant(t)
	p, r := h.hires(employee("1", "start_date", "2024-11-15", "country", "DE"))
	sent := until(h, "the welcome", func() ([]entrasim.Mail, bool) { return ms.Sent(), len(ms.Sent()) > 0 })[0]
	if !linkInMail.MatchString(sent.Text) {
		t.Fatal("the mail that was sent has no link to compare with")
	}
	if strings.Contains(sent.Text, "Unbox") || strings.Contains(sent.Text, "Intro call") || !strings.Contains(sent.Text, "1. Log in with your account") {
		t.Errorf("who gets no laptop and is invited to nothing reads:\n%s", sent.Text)
	}
	l, err := h.Preview(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	l.Plan, l.Have = r.Plan, nil // as it was looked at before it began
	told, err := h.Foretell(ctx, l)
	if err != nil || len(told) != 1 || !told[0].Hers || told[0].Problem != "" || !slices.Equal(told[0].To, sent.To) {
		t.Fatalf("foretold: %+v, %v", told, err)
	}
	if found := linkInMail.FindString(told[0].Text); found != "" {
		t.Errorf("it shows %q", found)
	}
	blind := func(s string) string {
		return strings.Join(strings.Fields(linkInMail.ReplaceAllString(s, "(a one-time link, made when this is sent)")), " ")
	}
	if got, was := blind(told[0].Text), blind(sent.Text); got != was || told[0].Subject != sent.Subject {
		t.Errorf("foretold %q:\n%s\nsent %q:\n%s", told[0].Subject, got, sent.Subject, was)
	}
}
