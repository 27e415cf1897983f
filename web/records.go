package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// runHead is what stands above the records of a run.
type runHead struct {
	Title string
	State state
	Tabs  []tab
}

// recordsPage is how many lines of the ledger a page shows.
const recordsPage = 100

func (p *portal) records(w http.ResponseWriter, r *http.Request) error {
	system := r.URL.Query().Get("system")
	v, err := p.recordRows(r, flow.RecordFilter{System: system}, "/records")
	if err != nil {
		return err
	}
	n, err := p.flow.CountRecords(r.Context())
	if err != nil {
		return err
	}
	switch v.Total = linesText(p.viewerOf(r), int(n)); {
	case !me(r).Scope.Whole():
		v.Total = textInScope
	case system != "":
		v.Total = p.viewerOf(r).say("of %s alone", systemTitle(p.titles(), system))
	}
	return p.show(w, r, http.StatusOK, page{Template: "records", Title: "Records", Nav: "records", Crumbs: []link{{"Records", ""}}, Main: v})
}

func (p *portal) personRecords(w http.ResponseWriter, r *http.Request) error {
	row, head, err := p.aboutPerson(r, "records")
	if err != nil {
		return err
	}
	v, err := p.recordRows(r, flow.RecordFilter{Person: row.ID, Detail: true}, r.URL.Path)
	if err != nil {
		return err
	}
	v.Head = &head
	return p.showPerson(w, r, "records", row, v)
}

func (p *portal) runRecords(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	b, err := p.board(r, id)
	if err != nil {
		return err
	}
	v, err := p.recordRows(r, flow.RecordFilter{Run: id, Detail: true}, r.URL.Path)
	if err != nil {
		return err
	}
	v.Run = &runHead{b.runTitle(), b.state(), runTabs(b, "records")}
	return p.show(w, r, http.StatusOK, page{Template: "records", Title: b.runTitle(), Nav: "runs", Crumbs: []link{{"Runs", "/runs"}, {b.runTitle(), b.path()}, {"Records", ""}}, Main: v})
}

// linesText is how long the ledger is.
func linesText(view viewer, n int) string { return view.plural(n, "1 line", "%d lines") }

// recordRows reads a page of the ledger, newest first.
func (p *portal) recordRows(r *http.Request, f flow.RecordFilter, path string) (recordsView, error) {
	f.Before, _ = strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	f.Limit = recordsPage + 1
	lines, err := p.flow.Records(r.Context(), f)
	if err != nil {
		return recordsView{}, err
	}
	var v recordsView
	if len(lines) > recordsPage {
		lines = lines[:recordsPage]
		next := url.Values{"before": {strconv.FormatInt(lines[recordsPage-1].Seq, 10)}}
		if f.System != "" {
			next.Set("system", f.System)
		}
		v.Next = address(path, next)
	}
	view, people := p.viewerOf(r), map[dayone.PersonID]flow.Row{}
	if f.Person == "" && f.Run == "" {
		p.meet(r, people, peopleIn(lines, func(l flow.Line) dayone.PersonID { return l.Person }))
	}
	var carried []carriedOut
	for _, l := range lines {
		rec, err := flow.RecordOf(l)
		if err != nil {
			return v, err
		}
		row := newRecordRow(view, rec)
		row.Erased = l.Erased
		if f.Person == "" && f.Run == "" && rec.Person != "" {
			row.Person = link{p.rowOf(r, people, rec.Person).Name, "/people/" + string(rec.Person)}
		}
		if f.Run != "" {
			row.Run = link{}
		}
		if i := slices.IndexFunc(carried, func(c carriedOut) bool { return c.of(rec) }); i >= 0 {
			row.Seq += ", " + v.Rows[carried[i].row].Seq
			v.Rows[carried[i].row] = row
			carried = slices.Delete(carried, i, i+1)
			continue
		}
		if answered[rec.What] != "" {
			carried = append(carried, carriedOut{rec, len(v.Rows)})
		}
		v.Rows = append(v.Rows, row)
	}
	if len(v.Rows) == 0 {
		v.Empty = &empty{Icon: "record", Title: "No records here", Text: "Every act that gives, takes or decides something leaves a line that cannot be changed unnoticed."}
	}
	return v, nil
}

// answered is what people said of a request by what its run says it was told of it.
var answered = map[string]string{"approved": "approval given", "refused": "approval " + string(dayone.ApprovalRefused)}

// carriedOut is what a run was told of an answer, and the row that says so. The ledger has the answer, too, a line or some
// before: to a reader both are one.
type carriedOut struct {
	dayone.Record
	row int
}

func (c carriedOut) of(rec dayone.Record) bool {
	return rec.What == answered[c.What] && rec.Person == c.Person && rec.Step == c.Step && rec.By == c.By && rec.At.After(c.At.Add(-time.Minute)) && (rec.Run == "" || rec.Run == c.Run)
}

func newRecordRow(view viewer, rec dayone.Record) recordRow {
	row := recordRow{Seq: strconv.FormatInt(rec.Seq, 10), At: view.clock(rec.At), What: sentence(rec.What), System: rec.System, By: rec.By, Key: string(rec.Step)}
	row.Entered = flow.Entered(rec)
	if rec.Run != "" {
		row.Run = link{view.label("Open run"), "/runs/" + string(rec.Run)}
	}
	if len(rec.Because) > 0 {
		row.Because = rec.Because[0].String()
	}
	if d := rec.Detail; d != nil {
		row.Note = d.Note
		row.Before, row.After = itemText(d.Before), itemText(d.Now)
	}
	return row
}

// itemText is an item in a line: its state, and the id under which its system knows it.
func itemText(it *dayone.Item) string {
	if it == nil {
		return ""
	}
	return joined(", ", string(it.State), it.Role, it.Ref)
}
