package web

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sampleNames are people of the company that was made up, in the scripts that people write.
var sampleNames = []string{
	"Ngozi Eze", "Zoë Łukasiewicz-Ørsted", "Raj Patel", "Ελένη Δημητρίου", "Jürgen Groß", "María José Núñez Delgado", "Ольга Шевченко", "Siobhán O’Brien", "ليلى حداد", "Łucja Đặng",
	"Ben Cole", "Αλέξης Ιωάννου", "Aino Mäkelä", "Tomáš Dvořák", "Дмитро Коваленко", "João Gonçalves", "يوسف منصور", "Chloé Lefèvre", "Виктория Лысенко", "Özge Yılmaz",
	"Priya Patel", "Mateo Ibáñez", "Agnès Roux", "Νίκος Παππάς", "Håkon Sæther", "Ewa Wiśniewska", "Мария Петренко", "Rhys Llewellyn", "سارة خوري", "Björn Ólafsson",
	"Amara Okafor", "Κατερίνα Νικολάου", "Lê Thị Hương", "Ștefan Ionescu", "Борис Ткаченко", "Inês Carvalho", "عمر فاروق", "Andrés Muñoz", "Ирина Савченко", "Jiří Novák",
	"Fatou Diop", "Petra Šimić", "Σοφία Μακρή", "Gábor Szabó", "Лариса Марченко", "Tove Lindqvist", "هدى سليمان", "Kwame Mensah", "Oisín Ó Murchú", "Dalia Žukauskienė",
}

// sampleJobs are what they do, in turn.
var sampleJobs = []struct{ title, department, location string }{
	{"Account Executive", "Sales", "London"},
	{"Site Reliability Engineer", "Engineering", "Berlin"},
	{"Support Engineer", "Customer Success", "San Francisco"},
	{"Legal Counsel", "Legal", "London"},
	{"Facilities Lead", "Workplace", "Berlin"},
	{"Accountant", "Finance", "San Francisco"},
	{"Data Analyst", "Finance", "Berlin"},
	{"Solutions Architect", "Sales", "London"},
	{"Product Designer", "Design", "London"},
	{"Recruiter", "Talent", "Berlin"},
}

// samplePeople are so many people, who begin on a day.
func samplePeople(n int, day time.Time) []flow.Row {
	out := make([]flow.Row, 0, n)
	for i, name := range sampleNames[:n] {
		job := sampleJobs[i%len(sampleJobs)]
		out = append(out, flow.Row{
			ID: dayone.PersonID(fmt.Sprintf("per_%026d", i+1)), Managed: true, Name: name, Title: job.title, Department: job.department, Location: job.location, Status: dayone.PreHire, Starts: day,
		})
	}
	return out
}

// sampleStaff are a page of people in every status, by name. Whoever is among those who begin next is so here, too.
func sampleStaff(day time.Time) []flow.Row {
	out := sampleStarters(pageSize, day)
	for i := range out {
		r := &out[i]
		r.Status = []dayone.Status{dayone.Working, dayone.Working, dayone.OnLeave, dayone.Working, dayone.PreHire, dayone.Working, dayone.Working}[i%7]
		if i < startersShown-1 {
			r.Status = dayone.PreHire
		}
		if r.Status != dayone.PreHire {
			r.Starts = day.AddDate(0, 0, -7*(30+i*37%330))
			if i%8 == 0 {
				r.Ends = day.AddDate(0, 0, 5*i+1)
			}
		}
	}
	slices.SortFunc(out, func(a, b flow.Row) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// samplePeopleList is a page of them, with more behind it.
func samplePeopleList(view viewer, q url.Values, rows []flow.Row, unplanned string) peopleList {
	var v peopleList
	for _, r := range rows {
		one := personRow{Name: link{r.Name, "/people/" + string(r.ID)}, Title: r.Title, Department: r.Department, Location: r.Location, Status: statusState(r.Status)}
		one.First, one.Note, one.Last = firstAndLast(view, r, time.UTC)
		if r.Name == unplanned {
			one.Problem = &unplannedState
		}
		v.Rows = append(v.Rows, one)
	}
	v.finish(view, q, rows, true)
	return v
}

// sampleStarters are who begins next, the nearest first.
func sampleStarters(n int, day time.Time) []flow.Row {
	out := samplePeople(n, day)
	for i := range out {
		out[i].Starts = day.AddDate(0, 0, i/4*7)
	}
	return out
}

// sampleRunRows are a page of runs, newest first, in every state; strips are of those at its top.
func sampleRunRows(view viewer, running, waiting, over, bad *board) []runRow {
	people := samplePeople(pageSize, view.now)
	title := func(i int) string {
		switch {
		case i < startersShown-1: // who is still to begin is onboarded
		case i%5 == 3:
			return "Change the access of " + people[i].Name
		case i%5 == 4:
			return "Offboard " + people[i].Name
		}
		return "Onboard " + people[i].Name
	}
	var out []runRow
	for i := range pageSize {
		b := over
		began := view.now.Add(-time.Duration(i*i+i) * 4 * time.Minute)
		row := runRow{Title: link{view.runTitle(title(i)), "/runs"}, State: runState(dayone.RunDone), Took: view.took(time.Duration(40+i*17%200) * time.Second)}
		switch {
		case i < 3:
			b, row.State = running, runState([]dayone.RunState{dayone.RunRunning, dayone.RunRunning, dayone.RunWaiting}[i])
			began = view.now.Add(-21 * time.Second << (2 * i))
			row.Took = view.say("%s so far", view.took(view.now.Sub(began)))
			if i == 2 {
				b = waiting
			}
		case i == 4 || i%11 == 0: // as the dashboard has them
			b, row.State = bad, runState(dayone.RunIncomplete)
		case i%13 == 0:
			row.Back = &link{goneText(flow.TakenBack{}), "/runs"}
		case i == 10 || i%17 == 0:
			row.State, row.Back = runState(dayone.RunUndone), &link{goneText(flow.TakenBack{Whole: true}), "/runs"}
		case i%19 == 0:
			row.State = runState(dayone.RunCancelled)
		}
		row.Started = view.at(began)
		if i < 10 {
			row.Strip, row.Steps = b.strip()
		}
		out = append(out, row)
	}
	out[0].Title.Text = view.runTitle("Onboard Sarah Chen")
	return out
}

// sampleRecords are a page of a ledger of so many lines.
func sampleRecords(view viewer, total int, run dayone.RunID) (out []recordRow) {
	people := samplePeople(sampleCrowd, view.now)
	did := []struct {
		step, what, system, note string
		is                       dayone.State
	}{
		{"mail/message:welcome message.send", "sent", "mail", "", ""},
		{"slack/channel:#general entitlement.add", "granted", "slack", "read back", dayone.Active},
		{"slack/account account.create", "granted", "slack", "read back", dayone.Active},
		{"okta/group:base-employee entitlement.add", "granted", "okta", "was there already", dayone.Active},
		{"okta/account account.create", "granted", "okta", "read back", dayone.Active},
	}
	for i := range recordsPage {
		who, d := people[i/len(did)%len(people)], did[i%len(did)]
		rec := dayone.Record{
			Seq: int64(total - i), At: view.now.Add(-time.Duration(i*7) * time.Second), Person: who.ID, Run: run, Step: dayone.StepID(d.step), What: d.what, System: d.system,
			Because: []dayone.Reason{{Policy: "base-employee", At: "policies/base.yaml:14"}}, Detail: &dayone.Detail{Note: d.note},
		}
		if d.is != "" {
			rec.Detail.Now = &dayone.Item{State: d.is, Ref: fmt.Sprintf("00u%d", 1+i/len(did))}
		}
		if i%len(did) == 3 {
			rec.By = "kim@company.com"
		}
		row := newRecordRow(view, rec)
		row.Person = link{who.Name, "/people/" + string(who.ID)}
		out = append(out, row)
	}
	return out
}

// sampleCrowd is how many of them are told apart where rows are many.
const sampleCrowd = 40
