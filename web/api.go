package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

func (p *portal) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(p.spec)
}

// apiPage is a page of a list: more are where next leads.
type apiPage[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// apiLimit is how many items a page has: ?limit=, at most 200.
func apiLimit(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || n < 1 {
		return pageSize
	}
	return min(n, 200)
}

func (p *portal) apiPeople(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), apiLimit(r)
	filter, err := peopleFilter(q, limit+1)
	if err == nil {
		filter, err = peopleFrom(q, filter)
	}
	if err != nil {
		return err
	}
	rows, err := p.flow.People(r.Context(), filter)
	if err != nil {
		return err
	}
	out := apiPage[apiPersonRow]{Items: []apiPersonRow{}}
	if len(rows) > limit {
		rows = rows[:limit]
		next := behindPerson(q, rows[limit-1])
		next.Set("limit", strconv.Itoa(limit))
		kept, _ := keptOfPeople(q)
		maps.Copy(next, kept)
		out.Next = address("/api/v1/people", next)
	}
	for _, row := range rows {
		out.Items = append(out.Items, newAPIPersonRow(row, p.zoneOf(row.Location)))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiPerson(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	row, err := p.flow.Person(r.Context(), id)
	if err != nil {
		return err
	}
	now, err := p.flow.PersonNow(r.Context(), id)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIPerson(row, p.zoneOf(row.Location), now))
}

func (p *portal) apiAccess(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.Person(r.Context(), id); err != nil {
		return err
	}
	_, list, err := p.flow.Access(r.Context(), id)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) { // a person who cannot be planned still has what they have
		return err
	}
	out := apiPage[apiAccess]{Items: []apiAccess{}}
	for _, a := range list {
		out.Items = append(out.Items, newAPIAccess(a))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiExplain(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	key, err := dayone.ParseKey(r.URL.Query().Get("key"))
	if err != nil {
		return said(err, textNoKey)
	}
	row, err := p.flow.Person(r.Context(), id)
	if err != nil {
		return err
	}
	x, err := p.flow.Explain(r.Context(), id, key)
	switch {
	case errors.Is(err, dayone.ErrInvalid):
		return said(err, plainError(err))
	case err != nil:
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIExplanation(x, row.Managed && row.Problem == ""))
}

func (p *portal) apiRuns(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), apiLimit(r)
	f := flow.RunFilter{Person: dayone.PersonID(q.Get("person")), Before: dayone.RunID(q.Get("before")), Limit: limit + 1}
	for _, s := range q["state"] {
		if s != "" {
			f.States = append(f.States, dayone.RunState(s))
		}
	}
	list, err := p.flow.Runs(r.Context(), f)
	if err != nil {
		return err
	}
	out := apiPage[apiRun]{Items: []apiRun{}}
	if len(list) > limit {
		list = list[:limit]
		out.Next = nextPage("/api/v1/runs", q, limit, string(list[limit-1].ID), "state", "person")
	}
	gone, err := p.flow.TakenBack(r.Context(), list...)
	if err != nil {
		return err
	}
	for _, run := range list {
		out.Items = append(out.Items, newAPIRun(run, gone))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiRun(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	run, err := p.flow.RunOf(r.Context(), id)
	if err != nil {
		return err
	}
	next, where, err := p.carriedOn(r.Context(), run)
	if err != nil {
		return err
	}
	gone, err := p.flow.TakenBack(r.Context(), run)
	if err != nil {
		return err
	}
	out := newAPIRun(run, gone)
	if next != nil && len(where) > 0 {
		out.ContinuedBy = next.ID
	}
	b := board{run: run, view: viewer{now: p.flow.Now()}, index: placesOf(run), where: where}
	if !run.State.Over() {
		b.pace = p.paceOf(r.Context(), run)
		out.Predicted = newAPIForecast(b.foresee())
		if b.tasks, err = p.tasksOf(r.Context(), id); err != nil {
			return err
		}
	}
	out.Steps = []apiStep{}
	for i := range run.Steps {
		step := newAPIStep(i, &run.Steps[i])
		step.Unsent = p.apiUnsent(r, &b, i)
		if c, ok := where[run.Steps[i].Step.ID]; ok {
			step.Continued = &apiContinued{c.run.ID, c.number, c.step.State}
		}
		out.Steps = append(out.Steps, step)
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiDecide(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	var in struct {
		Reason string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	if _, err := p.decideStep(r.Context(), id, r.PathValue("number"), r.PathValue("verb"), in.Reason, me(r).Name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *portal) apiTasks(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), tasksLooked
	if n, err := strconv.Atoi(q.Get("limit")); err == nil {
		limit = n
	}
	f, err := taskFilter(q, limit+1)
	if err != nil {
		return err
	}
	list, err := p.flow.TasksBy(r.Context(), f)
	if err != nil {
		return err
	}
	out := apiPage[apiTask]{Items: []apiTask{}}
	if len(list) > limit {
		list = list[:limit]
		next := url.Values{"after": {dueMark(list[limit-1].Due, string(list[limit-1].ID))}, "limit": {strconv.Itoa(limit)}}
		for _, k := range []string{"person", "run", "system"} {
			if v := q.Get(k); v != "" {
				next.Set(k, v)
			}
		}
		out.Next = address("/api/v1/tasks", next)
	}
	known, err := p.todosOf(r.Context(), list)
	if err != nil {
		return err
	}
	for _, d := range known {
		out.Items = append(out.Items, newAPITask(d))
	}
	return answerJSON(w, http.StatusOK, out)
}

// todosOf are tasks of one page, the next due first.
func (p *portal) todosOf(ctx context.Context, list []dayone.Task) ([]todo, error) {
	out, err := p.todos().all(ctx, list)
	byDue(out)
	return out, err
}

// decidedMark is where a list goes on that has those first that wait for somebody.
func decidedMark(waits bool, id string) string {
	if waits {
		return "waits." + id
	}
	return "decided." + id
}

// decidedMarkOf reads it from an address; the zero Mark: the list begins.
func decidedMarkOf(q url.Values) (flow.Mark, error) {
	mark := q.Get("after")
	if mark == "" {
		return flow.Mark{}, nil
	}
	word, id, _ := strings.Cut(mark, ".")
	if id == "" || word != "waits" && word != "decided" {
		return flow.Mark{}, refuse(dayone.ErrInvalid, textBadMark)
	}
	return flow.Mark{Waits: word == "waits", ID: id}, nil
}

// dueMark is where a list goes on that is sorted by when things are due: the last one's time and id.
func dueMark(due time.Time, id string) string {
	us := int64(0)
	if !due.IsZero() {
		us = due.UnixMicro()
	}
	return strconv.FormatInt(us, 10) + "." + id
}

// markOf reads it from an address; "": the list begins.
func markOf(q url.Values) (due time.Time, id string, err error) {
	mark := q.Get("after")
	if mark == "" {
		return due, "", nil
	}
	us, id, _ := strings.Cut(mark, ".")
	n, err := strconv.ParseInt(us, 10, 64)
	if err != nil || id == "" {
		return due, "", refuse(dayone.ErrInvalid, textBadMark)
	}
	if n != 0 {
		due = time.UnixMicro(n)
	}
	return due, id, nil
}

// taskFilter is what an address asks for.
func taskFilter(q url.Values, limit int) (flow.TaskFilter, error) {
	f := flow.TaskFilter{Person: dayone.PersonID(q.Get("person")), Run: dayone.RunID(q.Get("run")), System: q.Get("system"), Limit: limit}
	due, id, err := markOf(q)
	f.AfterDue, f.AfterID = due, dayone.TaskID(id)
	return f, err
}

func (p *portal) answerTask(w http.ResponseWriter, r *http.Request, t dayone.Task) error {
	d, err := p.todos().of(r.Context(), t)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPITask(d))
}

func (p *portal) apiTask(w http.ResponseWriter, r *http.Request) error {
	t, err := p.taskOf(r)
	if err != nil {
		return err
	}
	return p.answerTask(w, r, t)
}

// apiCompleteTask closes a task, by its id or by its step's key. Besides those who are in, somebody may whom
// Options.TaskAuth knows by the signature of what they sent.
func (p *portal) apiCompleteTask(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return tooLarge(err)
	}
	by, ok := "", false
	if caller, in := p.access.caller(r); in {
		p.known(r)
		if err := p.may(caller, r.Pattern); err != nil {
			return err
		}
		if caller, err = p.reaches(r, caller); err != nil {
			return err
		}
		r = r.WithContext(with(r.Context(), caller))
		by, ok = caller.Name, true
	} else if p.opt.TaskAuth != nil {
		by, ok = p.opt.TaskAuth(r, body)
	}
	if !ok {
		return p.unknown(w, r)
	}
	if err := narrowed(r); err != nil {
		return err
	}
	var in struct {
		Attrs dayone.Attrs `json:"attrs"`
		Note  string       `json:"note"`
		Proof string       `json:"evidence"`
	}
	if err := readJSON(bytes.NewReader(body), &in); err != nil {
		return err
	}
	t, err := p.taskOf(r)
	if err != nil {
		return err
	}
	attrs := dayone.Attrs{}
	for name, v := range in.Attrs {
		if !slices.Contains(t.Ask, name) && name != "ref" {
			return refuse(dayone.ErrInvalid, fmt.Sprintf("This task does not ask for %q. It asks for %s.", name, cmp.Or(strings.Join(t.Ask, ", "), "nothing")))
		}
		if v.Kind > dayone.ListValue { // templates and recipes come from files only
			return refuse(dayone.ErrInvalid, fmt.Sprintf("%q must be text, a number, a truth, a date or a list of texts.", name))
		}
		attrs[name] = v
	}
	if in.Note != "" {
		attrs["note"] = dayone.Text(in.Note)
	}
	if in.Proof != "" {
		attrs[dayone.Evidence] = dayone.Text(in.Proof)
	}
	if _, err := p.flow.CompleteTask(r.Context(), string(t.ID), by, attrs); err != nil {
		var not *flow.Unconfirmed
		if errors.As(err, &not) {
			return said(err, not.Text)
		}
		return err
	}
	if t, err = p.flow.Task(r.Context(), string(t.ID)); err != nil {
		return err
	}
	return p.answerTask(w, r, t)
}

// readJSON reads a small body strictly. An empty one says nothing.
func readJSON(r io.Reader, v any) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return tooLarge(err)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	switch err := dec.Decode(v); {
	case err == io.EOF:
		return nil
	case err != nil:
		return said(fmt.Errorf("%w: %w", err, dayone.ErrInvalid), whyNoJSON(err))
	}
	if _, err := dec.Token(); err != io.EOF { // half of what was said would be done
		return said(fmt.Errorf("something follows the JSON value: %w", dayone.ErrInvalid), textBadJSON)
	}
	return legibleJSON(body)
}

// whyNoJSON says which field of a body its address does not take. That nobody knows a field has no type in encoding/json.
func whyNoJSON(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		return fmt.Sprintf(textBadField, kind.Field, kind.Value)
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		if name, err := strconv.Unquote(name); err == nil {
			return fmt.Sprintf(textNoMember, name)
		}
	}
	return textBadJSON
}

// tooLarge says of a body that is larger than its address takes how much that is. Another error stays as it is.
func tooLarge(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return said(err, fmt.Sprintf(textTooLarge, large.Limit))
	}
	return err
}

// nextPage is where a list goes on after its last item, narrowed as it was asked for.
func nextPage(path string, asked url.Values, limit int, last string, keep ...string) string {
	next := url.Values{"before": {last}, "limit": {strconv.Itoa(limit)}}
	for _, k := range keep {
		for _, v := range asked[k] {
			if v != "" {
				next.Add(k, v)
			}
		}
	}
	return address(path, next)
}

func (p *portal) apiEvents(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), apiLimit(r)
	f := flow.EventFilter{State: dayone.EventState(q.Get("state")), Person: dayone.PersonID(q.Get("person")), Before: dayone.EventID(q.Get("before")), Limit: limit + 1}
	list, err := p.flow.Events(r.Context(), f)
	if err != nil {
		return err
	}
	out := apiPage[apiEvent]{Items: []apiEvent{}}
	if len(list) > limit {
		list = list[:limit]
		out.Next = nextPage("/api/v1/events", q, limit, string(list[limit-1].ID), "state", "person")
	}
	for _, in := range list {
		out.Items = append(out.Items, newAPIEvent(in))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiReplay(w http.ResponseWriter, r *http.Request) error {
	id, err := eventID(r)
	if err != nil {
		return err
	}
	if err := p.flow.Replay(r.Context(), id, me(r).Name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *portal) apiRecords(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return p.answerRecords(w, r, flow.RecordFilter{Person: dayone.PersonID(q.Get("person")), Run: dayone.RunID(q.Get("run")), System: q.Get("system")})
}

// apiPersonRecords are those of one person, for who sees people and not the whole ledger.
func (p *portal) apiPersonRecords(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.Person(r.Context(), id); err != nil {
		return err
	}
	return p.answerRecords(w, r, flow.RecordFilter{Person: id})
}

// apiRunRecords are those of one run.
func (p *portal) apiRunRecords(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.RunOf(r.Context(), id); err != nil {
		return err
	}
	return p.answerRecords(w, r, flow.RecordFilter{Run: id})
}

func (p *portal) answerRecords(w http.ResponseWriter, r *http.Request, f flow.RecordFilter) error {
	q, limit := r.URL.Query(), apiLimit(r)
	f.Limit, f.Detail = limit+1, q.Get("detail") == "true"
	f.Before, _ = strconv.ParseInt(q.Get("before"), 10, 64)
	lines, err := p.flow.Records(r.Context(), f)
	if err != nil {
		return err
	}
	out := apiPage[apiRecord]{Items: []apiRecord{}}
	if len(lines) > limit {
		lines = lines[:limit]
		out.Next = nextPage(r.URL.Path, q, limit, strconv.FormatInt(lines[limit-1].Seq, 10), "person", "run", "system", "detail")
	}
	for _, l := range lines {
		rec, err := flow.RecordOf(l)
		if err != nil {
			return err
		}
		out.Items = append(out.Items, newAPIRecord(l, rec))
	}
	return answerJSON(w, http.StatusOK, out)
}

// moment is an instant in JSON; a zero one is left out.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
