package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sheets are the lists that are tables, too, by their addresses: of pages and of the API.
var sheets = map[string]func(p *portal, r *http.Request, zone *time.Location) (sheet, error){
	"GET /people": (*portal).peopleSheet, "GET /api/v1/people": (*portal).peopleSheet,
	"GET /runs": (*portal).runsSheet, "GET /people/{id}/runs": (*portal).runsSheet, "GET /api/v1/runs": (*portal).runsSheet,
	"GET /approvals": (*portal).approvalsSheet, "GET /api/v1/approvals": (*portal).approvalsSheet,
	"GET /tasks": (*portal).tasksSheet, "GET /api/v1/tasks": (*portal).tasksSheet,
	"GET /systems": (*portal).systemsSheet, "GET /api/v1/systems": (*portal).systemsSheet,
	"GET /numbers/all": (*portal).numbersSheet, "GET /api/v1/numbers": (*portal).numbersSheet,
	"GET /numbers": (*portal).poolsSheet, "GET /api/v1/numbers/pools": (*portal).poolsSheet,
	"GET /sessions": (*portal).sessionsSheet, "GET /api/v1/sessions": (*portal).sessionsSheet,
	"GET /tokens": (*portal).tokensSheet, "GET /api/v1/tokens": (*portal).tokensSheet,
	"GET /numbers/audit": (*portal).auditSheet, "GET /api/v1/numbers/audit": (*portal).auditSheet,
	"GET /numbers/audit/{system}": (*portal).platformSheet, "GET /api/v1/numbers/audit/{system}": (*portal).platformSheet,
	"GET /records": (*portal).recordsSheet, "GET /people/{id}/records": (*portal).recordsSheet, "GET /runs/{id}/records": (*portal).recordsSheet,
	"GET /api/v1/records": (*portal).recordsSheet, "GET /api/v1/people/{id}/records": (*portal).recordsSheet, "GET /api/v1/runs/{id}/records": (*portal).recordsSheet,
	"GET /events": (*portal).eventsSheet, "GET /api/v1/events": (*portal).eventsSheet,
	"GET /brakes": (*portal).brakesSheet, "GET /api/v1/brakes": (*portal).brakesSheet,
	"GET /matches": (*portal).matchesSheet, "GET /api/v1/matches": (*portal).matchesSheet,
	"GET /products": (*portal).productsSheet, "GET /api/v1/products": (*portal).productsSheet,
	"GET /people/{id}": (*portal).requestsSheet, "GET /api/v1/people/{id}/requests": (*portal).requestsSheet,
	"GET /alerts": (*portal).alertsSheet, "GET /api/v1/alerts": (*portal).alertsSheet,
	"GET /drift": (*portal).driftSheet, "GET /api/v1/drift": (*portal).driftSheet,
}

func (p *portal) peopleSheet(r *http.Request, _ *time.Location) (sheet, error) {
	f, err := peopleFilter(r.URL.Query(), sheetPage)
	if err != nil {
		return sheet{}, err
	}
	rows := paged(func(last *flow.Row) ([]flow.Row, error) {
		if last != nil { // from the first on, wherever the page stands
			f = f.Behind(*last)
		}
		return p.flow.People(r.Context(), f)
	})
	type row = flow.Row
	return sheetOf("people", rows,
		column[row]{"Id", func(x row) string { return string(x.ID) }}, column[row]{"Name", func(x row) string { return x.Name }}, column[row]{"Mail", func(x row) string { return x.Email }},
		column[row]{"Title", func(x row) string { return x.Title }}, column[row]{"Department", func(x row) string { return x.Department }}, column[row]{"Team", func(x row) string { return x.Team }},
		column[row]{"Location", func(x row) string { return x.Location }}, column[row]{"Manager", func(x row) string { return x.Manager }}, column[row]{"Status", func(x row) string { return statusState(x.Status).Text }},
		column[row]{"First day (where they work)", func(x row) string { return dayIn(x.Starts, p.zoneOf(x.Location)) }},
		column[row]{"Last day (where they work)", func(x row) string { return dayIn(x.LastDay(), p.zoneOf(x.Location)) }},
		column[row]{"Planned for", func(x row) string { return yesNo(x.Managed) }}, column[row]{"Problem", func(x row) string { return x.Problem }},
	), nil
}

// onlyOpen says whether what is over is left out: the API leaves it out unless it is asked for all, a page shows both.
func onlyOpen(r *http.Request, word string) bool {
	state := r.URL.Query().Get("state")
	return state == word || state == "" && strings.HasPrefix(r.Pattern, "GET /api/")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// namesKept is how many names a table keeps at hand.
const namesKept = 5000

// nameOf is what somebody is called, for rows that only have an id.
func (p *portal) nameOf(r *http.Request) func(dayone.PersonID) string {
	cache := map[dayone.PersonID]flow.Row{}
	return func(id dayone.PersonID) string {
		if len(cache) > namesKept {
			clear(cache)
		}
		return p.rowRead(r, viewer{}, cache, id).Name
	}
}

func (p *portal) runsSheet(r *http.Request, zone *time.Location) (sheet, error) {
	q, z, name := r.URL.Query(), inZone{zone}, p.nameOf(r)
	f := flow.RunFilter{Person: dayone.PersonID(q.Get("person")), Limit: sheetPage}
	if id := r.PathValue("id"); id != "" {
		f.Person = dayone.PersonID(id)
	}
	for _, s := range q["state"] {
		if states, ok := runStates[s]; ok {
			f.States = append(f.States, states...)
		} else if s != "" {
			f.States = append(f.States, dayone.RunState(s))
		}
	}
	rows := paged(func(last *dayone.Run) ([]dayone.Run, error) {
		if last != nil {
			f.Before = last.ID
		}
		return p.flow.Runs(r.Context(), f)
	})
	type row = dayone.Run
	return sheetOf("runs", rows,
		column[row]{"Id", func(x row) string { return string(x.ID) }}, column[row]{"Title", func(x row) string { return x.Title }}, column[row]{"Person", func(x row) string { return string(x.Person) }},
		column[row]{"Name", func(x row) string { return name(x.Person) }}, column[row]{"State", func(x row) string { return runState(x.State).Text }},
		column[row]{z.head("Started"), func(x row) string { return z.at(x.Started) }}, column[row]{z.head("Ended"), func(x row) string { return z.at(x.Ended) }},
		column[row]{"Takes back", func(x row) string { return string(x.Of) }}, column[row]{"Event", func(x row) string { return string(x.Event) }},
	), nil
}

func (p *portal) approvalsSheet(r *http.Request, zone *time.Location) (sheet, error) {
	q, z := r.URL.Query(), inZone{zone}
	f := flow.ApprovalFilter{Person: dayone.PersonID(q.Get("person")), Limit: sheetPage}
	rows := paged(func(last *petition) ([]petition, error) {
		if last != nil {
			f.Before = last.req.ID
		}
		list, err := p.flow.Approvals(r.Context(), f)
		if err != nil {
			return nil, err
		}
		return p.petitions(r.Context(), viewer{}, list)
	})
	if onlyOpen(r, "open") {
		list, err := p.flow.Approvals(r.Context(), flow.ApprovalFilter{Person: f.Person, Open: true, Limit: listMost + 1})
		if err != nil {
			return sheet{}, err
		}
		open, err := p.petitions(r.Context(), viewer{}, list)
		if err != nil {
			return sheet{}, err
		}
		if rows, err = wholeUpTo(open, listMost); err != nil {
			return sheet{}, err
		}
	}
	type row = petition
	mails := func(x row) (out []string) {
		for _, d := range x.req.Deciders {
			out = append(out, d.Mail)
		}
		return out
	}
	vote := func(x row, of func(dayone.Vote) string) string {
		if n := len(x.req.Votes); n > 0 {
			return of(x.req.Votes[n-1])
		}
		return ""
	}
	return sheetOf("approvals", rows,
		column[row]{"Id", func(x row) string { return string(x.req.ID) }}, column[row]{"Person", func(x row) string { return string(x.req.Person) }}, column[row]{"Name", func(x row) string { return x.row.Name }},
		column[row]{"Access", func(x row) string { return x.req.Key.String() }}, column[row]{"Role", func(x row) string { return x.req.Role }}, column[row]{"State", func(x row) string { return approvalTexts[x.req.State].Text }},
		column[row]{"Asks", func(x row) string { return strings.Join(mails(x), ", ") }}, column[row]{"Asked by", func(x row) string { return x.req.Requester() }}, column[row]{"Needed for", func(x row) string { return x.req.Reason() }},
		column[row]{"Answered by", func(x row) string { return vote(x, func(v dayone.Vote) string { return v.Of }) }},
		column[row]{"Entered by", func(x row) string { return vote(x, func(v dayone.Vote) string { return v.By }) }}, column[row]{"Reason", func(x row) string { return vote(x, func(v dayone.Vote) string { return v.Reason }) }},
		column[row]{z.head("Opened"), func(x row) string { return z.at(x.req.Opened) }}, column[row]{z.head("Due"), func(x row) string { return z.at(x.req.Due) }},
		column[row]{z.head("Decided"), func(x row) string { return z.at(x.req.Decided) }}, column[row]{"Run", func(x row) string { return string(x.req.Run) }},
	), nil
}

func (p *portal) tasksSheet(r *http.Request, zone *time.Location) (sheet, error) {
	q, z := r.URL.Query(), inZone{zone}
	q.Del("after")
	f, err := taskFilter(q, sheetPage)
	if err != nil {
		return sheet{}, err
	}
	l := p.todos()
	type row = todo
	rows := paged(func(last *row) ([]row, error) {
		if last != nil {
			f.AfterDue, f.AfterID = last.task.Due, last.task.ID
		}
		list, err := p.flow.TasksBy(r.Context(), f)
		if err != nil {
			return nil, err
		}
		return l.all(r.Context(), list)
	})
	return sheetOf("tasks", rows,
		column[row]{"Id", func(x row) string { return string(x.task.ID) }}, column[row]{"Task", row.title}, column[row]{"Person", func(x row) string { return string(x.task.Person) }},
		column[row]{"Name", func(x row) string { return x.row.Name }}, column[row]{"System", func(x row) string { return x.system }}, column[row]{"Who has it", func(x row) string { return x.task.Assignee }},
		column[row]{z.head("Opened"), func(x row) string { return z.at(x.task.Opened) }},
		column[row]{z.head("Due"), func(x row) string { due, _ := x.due(); return z.at(due) }},
		column[row]{"What to do", func(x row) string { return strings.Join(x.instructions(), "; ") }}, column[row]{"Note", func(x row) string { return x.task.Note }}, column[row]{"Run", func(x row) string { return string(x.task.Run) }},
	), nil
}

func (p *portal) systemsSheet(r *http.Request, zone *time.Location) (sheet, error) {
	z := inZone{zone}
	list, _, err := p.flow.SystemStates(r.Context())
	if err != nil {
		return sheet{}, err
	}
	type row = flow.SystemState
	return sheetOf("systems", whole(list),
		column[row]{"System", func(x row) string { return x.Name }}, column[row]{"Title", func(x row) string { return x.Title }}, column[row]{"Stands", row.Word},
		column[row]{"Steps that wait", func(x row) string { return strconv.Itoa(x.Waiting) }}, column[row]{"Reason", func(x row) string { return joined("; ", x.Order.Reason, x.Circuit.Note) }},
		column[row]{"By", func(x row) string { return x.Order.By }}, column[row]{z.head("From"), func(x row) string { return z.at(x.Order.From) }}, column[row]{z.head("Until"), func(x row) string { return z.at(x.Order.Until) }},
		column[row]{"Maintenance to come", func(x row) string { return strconv.Itoa(len(x.Ahead)) }}, column[row]{"Is retired", func(x row) string { return yesNo(x.Retiring.ID != "") }},
	), nil
}

func (p *portal) numbersSheet(r *http.Request, zone *time.Location) (sheet, error) {
	q, z := r.URL.Query(), inZone{zone}
	q.Del("after")
	f, err := p.numberFilter(r.Context(), q, sheetPage)
	if err != nil {
		return sheet{}, err
	}
	rows := paged(func(last *flow.NumberView) ([]flow.NumberView, error) {
		if last != nil {
			f.After = last.ID
		}
		return p.flow.Numbers(r.Context(), f)
	})
	type row = flow.NumberView
	return sheetOf("numbers", rows,
		column[row]{"Number", func(x row) string { return x.E164 }}, column[row]{"Pattern", func(x row) string { return x.Pattern }}, column[row]{"Pool", func(x row) string { return x.Number.Pool }}, column[row]{"Range", func(x row) string { return x.Number.Range }},
		column[row]{"Platform", func(x row) string { return x.Platform }}, column[row]{"Partition", func(x row) string { return x.Partition }}, column[row]{"State", func(x row) string { return numberState(x.State).Text }},
		column[row]{"Person", func(x row) string { return string(x.Owner) }}, column[row]{"Name", func(x row) string { return x.Name }}, column[row]{"Location", func(x row) string { return x.Location }},
		column[row]{z.head("Since"), func(x row) string { return z.at(x.Since) }}, column[row]{z.head("Until"), func(x row) string { return z.at(x.Until) }}, column[row]{z.head("Confirmed"), func(x row) string { return z.at(x.Confirmed) }},
	), nil
}

// recordLine is a line of the ledger, with what it says.
type recordLine struct {
	flow.Line
	rec dayone.Record
}

func (p *portal) recordsSheet(r *http.Request, zone *time.Location) (sheet, error) {
	q, z, name := r.URL.Query(), inZone{zone}, p.nameOf(r)
	f := flow.RecordFilter{Person: dayone.PersonID(q.Get("person")), Run: dayone.RunID(q.Get("run")), System: q.Get("system"), Detail: q.Get("detail") == "true", Limit: sheetPage}
	switch id := r.PathValue("id"); {
	case strings.Contains(r.Pattern, "/people/"):
		f.Person, f.Detail = dayone.PersonID(id), true
	case strings.Contains(r.Pattern, "/runs/"):
		if _, err := p.flow.RunOf(r.Context(), dayone.RunID(id)); err != nil {
			return sheet{}, err
		}
		f.Run, f.Detail = dayone.RunID(id), true
	}
	rows := paged(func(last *recordLine) ([]recordLine, error) {
		if last != nil {
			f.Before = last.Seq
		}
		return p.recordLines(r.Context(), f)
	})
	type row = recordLine
	because := func(x row) string {
		var out []string
		for _, b := range x.rec.Because {
			out = append(out, b.String())
		}
		return strings.Join(out, "; ")
	}
	note := func(x row) string {
		if x.rec.Detail == nil {
			return ""
		}
		return x.rec.Detail.Note
	}
	return sheetOf("records", rows,
		column[row]{"No.", func(x row) string { return strconv.FormatInt(x.rec.Seq, 10) }}, column[row]{z.head("At"), func(x row) string { return z.at(x.rec.At) }}, column[row]{"What", func(x row) string { return x.rec.What }},
		column[row]{"Person", func(x row) string { return string(x.rec.Person) }}, column[row]{"Name", func(x row) string { return name(x.rec.Person) }}, column[row]{"System", func(x row) string { return x.rec.System }},
		column[row]{"Step", func(x row) string { return string(x.rec.Step) }}, column[row]{"By", func(x row) string { return x.rec.By }}, column[row]{"Because", because}, column[row]{"Note", note},
		column[row]{"Run", func(x row) string { return string(x.rec.Run) }}, column[row]{"Chain", func(x row) string { return x.Chain }},
	), nil
}

func (p *portal) recordLines(ctx context.Context, f flow.RecordFilter) ([]recordLine, error) {
	lines, err := p.flow.Records(ctx, f)
	if err != nil {
		return nil, err
	}
	out := make([]recordLine, 0, len(lines))
	for _, l := range lines {
		rec, err := flow.RecordOf(l)
		if err != nil {
			return nil, err
		}
		out = append(out, recordLine{l, rec})
	}
	return out, nil
}

func (p *portal) eventsSheet(r *http.Request, zone *time.Location) (sheet, error) {
	q, z, name := r.URL.Query(), inZone{zone}, p.nameOf(r)
	f := flow.EventFilter{State: dayone.EventState(q.Get("state")), Person: dayone.PersonID(q.Get("person")), Limit: sheetPage}
	rows := paged(func(last *dayone.Intake) ([]dayone.Intake, error) {
		if last != nil {
			f.Before = last.ID
		}
		return p.flow.Events(r.Context(), f)
	})
	type row = dayone.Intake
	return sheetOf("events", rows,
		column[row]{"Id", func(x row) string { return string(x.ID) }}, column[row]{"Source", func(x row) string { return x.Source }}, column[row]{"Type", func(x row) string { return string(x.Type) }}, column[row]{"Id there", func(x row) string { return x.Subject }},
		column[row]{"State", func(x row) string { return eventState(x.State).Text }}, column[row]{"Note", func(x row) string { return x.Note }},
		column[row]{z.head("Received"), func(x row) string { return z.at(x.Received) }}, column[row]{z.head("Said"), func(x row) string { return z.at(x.At) }},
		column[row]{"Person", func(x row) string { return string(x.Person) }}, column[row]{"Name", func(x row) string { return name(x.Person) }}, column[row]{"Run", func(x row) string { return string(x.Run) }},
	), nil
}

// listMost is how much a list that has no pages may be: one that is longer is an error and no table.
const listMost = 100_000

func (p *portal) brakesSheet(r *http.Request, zone *time.Location) (sheet, error) {
	z := inZone{zone}
	list, err := p.flow.Brakes(r.Context(), onlyOpen(r, "on"), listMost+1)
	if err != nil {
		return sheet{}, err
	}
	rows, err := wholeUpTo(list, listMost)
	if err != nil {
		return sheet{}, err
	}
	type row = dayone.Brake
	return sheetOf("brakes", rows,
		column[row]{"Id", func(x row) string { return string(x.ID) }}, column[row]{"Brake", brakeTitle}, column[row]{"Scope", func(x row) string { return x.Scope }}, column[row]{"State", func(x row) string { return string(x.State) }},
		column[row]{"Holds", func(x row) string { return strconv.Itoa(x.Held) }}, column[row]{"Note", func(x row) string { return x.Note }}, column[row]{z.head("Opened"), func(x row) string { return z.at(x.Opened) }},
		column[row]{z.head("Closed"), func(x row) string { return z.at(x.Closed) }}, column[row]{"By", func(x row) string { return x.By }}, column[row]{"Second", func(x row) string { return x.Second }}, column[row]{"Reason", func(x row) string { return x.Reason }},
		column[row]{"Proposed by", func(x row) string { return proposedOf(x).By }}, column[row]{z.head("Proposed"), func(x row) string { return z.at(proposedOf(x).At) }},
	), nil
}

// proposedOf is what somebody wants let through, as long as that counts.
func proposedOf(b dayone.Brake) dayone.ProposedRelease {
	if b.Proposed == nil || b.Proposed.Stale {
		return dayone.ProposedRelease{}
	}
	return *b.Proposed
}

func (p *portal) matchesSheet(r *http.Request, zone *time.Location) (sheet, error) {
	z, name := inZone{zone}, p.nameOf(r)
	list, err := p.flow.Matches(r.Context(), onlyOpen(r, "open"), listMost+1)
	if err != nil {
		return sheet{}, err
	}
	rows, err := wholeUpTo(list, listMost)
	if err != nil {
		return sheet{}, err
	}
	type row = dayone.Match
	suspects := func(x row) string {
		var out []string
		for _, s := range x.Suspects {
			out = append(out, name(s.Person))
		}
		return strings.Join(slices.Compact(out), "; ")
	}
	return sheetOf("matches", rows,
		column[row]{"Id", func(x row) string { return string(x.ID) }}, column[row]{"Source", func(x row) string { return x.Source }}, column[row]{"Id there", func(x row) string { return x.Subject }}, column[row]{"Says", saidName},
		column[row]{"May be", suspects}, column[row]{"State", func(x row) string { return string(x.State) }}, column[row]{"Decided for", func(x row) string { return name(x.Person) }}, column[row]{"By", func(x row) string { return x.By }},
		column[row]{z.head("Opened"), func(x row) string { return z.at(x.Opened) }}, column[row]{z.head("Decided"), func(x row) string { return z.at(x.Decided) }},
	), nil
}

func (p *portal) productsSheet(*http.Request, *time.Location) (sheet, error) {
	type row = *dayone.Product
	parts := func(x row) string {
		var out []string
		for _, part := range x.Parts {
			out = append(out, partText(part))
		}
		return strings.Join(out, "; ")
	}
	return sheetOf("products", whole(p.flow.Products()),
		column[row]{"Id", func(x row) string { return x.ID }}, column[row]{"Title", func(x row) string { return x.Title }}, column[row]{"Domain", func(x row) string { return x.Domain }}, column[row]{"Owner", func(x row) string { return x.Owner }},
		column[row]{"Description", func(x row) string { return x.Description }}, column[row]{"Needs", func(x row) string { return strings.Join(x.Prerequisites, ", ") }}, column[row]{"What belongs to it", parts},
	), nil
}

func (p *portal) requestsSheet(r *http.Request, zone *time.Location) (sheet, error) {
	z := inZone{zone}
	id, err := personID(r)
	if err != nil {
		return sheet{}, err
	}
	if _, err := p.flow.Person(r.Context(), id); err != nil {
		return sheet{}, err
	}
	list, err := p.flow.Requests(r.Context(), id)
	if err != nil {
		return sheet{}, err
	}
	type row = dayone.Request
	return sheetOf("requests", whole(list),
		column[row]{"Id", func(x row) string { return string(x.ID) }}, column[row]{"What", row.What}, column[row]{"Asked by", func(x row) string { return x.By }}, column[row]{"Entered by", func(x row) string { return x.Login }},
		column[row]{"Needed for", func(x row) string { return x.Reason }}, column[row]{z.head("Made"), func(x row) string { return z.at(x.Made) }}, column[row]{z.head("Until"), func(x row) string { return z.at(x.Until) }},
		column[row]{z.head("Ended"), func(x row) string { return z.at(x.Ended) }}, column[row]{"Ended by", func(x row) string { return x.EndBy }},
	), nil
}

func (p *portal) alertsSheet(r *http.Request, zone *time.Location) (sheet, error) {
	z := inZone{zone}
	list, err := p.flow.Alerts(r.Context(), onlyOpen(r, "open"), listMost+1)
	if err != nil {
		return sheet{}, err
	}
	rows, err := wholeUpTo(list, listMost)
	if err != nil {
		return sheet{}, err
	}
	type row = flow.AlertView
	return sheetOf("alerts", rows,
		column[row]{"Id", func(x row) string { return x.ID }}, column[row]{"Rule", func(x row) string { return x.Rule }}, column[row]{"Alert", func(x row) string { return x.Title }}, column[row]{"About", func(x row) string { return x.About }},
		column[row]{"Note", func(x row) string { return x.Note }}, column[row]{z.head("Opened"), func(x row) string { return z.at(x.Opened) }}, column[row]{z.head("Resolved"), func(x row) string { return z.at(x.Resolved) }},
		column[row]{z.head("Told"), func(x row) string { return z.at(x.Told) }}, column[row]{"Person", func(x row) string { return string(x.Person) }}, column[row]{"Run", func(x row) string { return string(x.Run) }},
	), nil
}
