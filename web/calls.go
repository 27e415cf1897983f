package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// callsOfStep is where the API has the requests of a step. Who may not go there sees none on the run's page, either.
const callsOfStep = "GET /api/v1/runs/{id}/steps/{number}/calls"

// callLogView are the requests of one attempt.
type callLogView struct {
	Title string
	Rows  []callRow
	Left  string
}

type callRow struct {
	Method, Host, Path string
	Sent, Again        string
	State              state
	ID, Took           string
	At                 *stamp
}

// CallsNote says what the log is, below it.
func (v detailView) CallsNote() string {
	if len(v.Calls) == 0 {
		return ""
	}
	return textCallsNote
}

// callsInto puts the requests of the chosen step into its detail, for who may act on its system.
func (p *portal) callsInto(r *http.Request, b *board, v *detailView) error {
	if v.Number == 0 || !p.shows(r, callsOfStep) {
		return nil
	}
	list, err := p.flow.CallsOf(r.Context(), b.run.ID, v.Number)
	if errors.Is(err, dayone.ErrForbidden) || errors.Is(err, dayone.ErrNotFound) {
		return nil // she may look at the step, and not into it
	}
	if err != nil {
		return err
	}
	v.Calls, v.Silent = newCalls(b.view, list)
	return nil
}

func newCalls(view viewer, list []flow.CallLog) (out []callLogView, silent string) {
	if len(list) == 0 {
		return nil, textNoCalls
	}
	for _, c := range list {
		v := callLogView{Title: view.say("Call %d, %s", c.Attempt, view.plural(len(c.Calls)+c.Left, "1 request", "%d requests"))}
		if c.After != "" {
			v.Title += view.say(", made again after: %s", view.label(c.After))
		}
		if c.Kind != "" {
			v.Title += view.say("; it ended with: %s", view.label(c.Kind))
		}
		for _, x := range c.Calls {
			v.Rows = append(v.Rows, newCallRow(view, x))
		}
		if c.Left > 0 {
			v.Left = view.plural(c.Left, "1 request between the first and the last is not kept.", "%d requests between the first and the last are not kept.")
		}
		out = append(out, v)
	}
	return out, ""
}

func newCallRow(view viewer, c dayone.Call) callRow {
	row := callRow{Method: c.Method, Host: c.Host, Path: c.Path, ID: c.ID, Took: view.in.Point(tookText(c.Took)), At: view.clock(c.At)}
	if c.Op != "" {
		row.Path += " " + c.Op
	}
	if len(c.Query) > 0 {
		row.Path += "?" + strings.Join(c.Query, "=…&") + "=…"
	}
	var sent []string
	if len(c.Keys) > 0 {
		sent = append(sent, view.say("sent %s", strings.Join(c.Keys, ", ")))
	}
	if c.More > 0 {
		sent = append(sent, view.plural(c.More, "1 name more", "%d names more"))
	}
	if c.Bytes > 0 {
		sent = append(sent, view.plural(int(c.Bytes), "1 byte", "%d bytes"))
	}
	row.Sent = sentence(strings.Join(sent, "; "))
	if c.Again != "" {
		row.Again = view.say("Made again, since %s", view.label(c.Again))
		if strings.HasPrefix(c.Again, "no") || strings.HasPrefix(c.Again, "cut") {
			row.Again = view.say("Made again after %s", view.label(c.Again))
		}
	}
	switch {
	case c.Status == 0:
		row.State = state{Icon: "x", Class: "s-fail", Text: sentence(view.label(c.Fault))}
	case c.Status >= 400 && c.Status < 500 && c.Status != http.StatusUnauthorized && c.Status != http.StatusForbidden && c.Status != http.StatusTooManyRequests:
		row.State = state{Icon: "warn", Class: "s-wait", Text: statusText(c.Status)} // looked for and not there, mostly
	case c.Status >= 400:
		row.State = state{Icon: "x", Class: "s-fail", Text: statusText(c.Status)}
	default:
		row.State = state{Icon: "check", Class: "s-done", Text: statusText(c.Status)}
	}
	return row
}

// statusText is a status with its name: 404 Not Found.
func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// tookText is a time as short as it is read.
func tookText(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	default:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
}

type apiCallLog struct {
	Attempt int        `json:"attempt"`
	System  string     `json:"system"`
	At      *time.Time `json:"at"`
	After   string     `json:"after,omitempty"`
	Error   string     `json:"error,omitempty"`
	Left    int        `json:"left_out,omitempty"`
	Calls   []apiCall  `json:"calls"`
}

type apiCall struct {
	At     *time.Time `json:"at"`
	Method string     `json:"method"`
	Host   string     `json:"host"`
	Path   string     `json:"path"`
	Op     string     `json:"operation,omitempty"`
	Query  []string   `json:"query,omitempty"`
	Keys   []string   `json:"keys,omitempty"`
	More   int        `json:"more_names,omitempty"`
	Bytes  int64      `json:"bytes,omitempty"`
	Status int        `json:"status,omitempty"`
	Fault  string     `json:"fault,omitempty"`
	TookMS float64    `json:"took_ms"`
	ID     string     `json:"request_id,omitempty"`
	Again  string     `json:"again,omitempty"`
}

func (p *portal) apiCalls(w http.ResponseWriter, r *http.Request) error {
	out, err := p.callsFor(r.Context(), r)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) callsFor(ctx context.Context, r *http.Request) (apiPage[apiCallLog], error) {
	out := apiPage[apiCallLog]{Items: []apiCallLog{}}
	id, err := runID(r)
	if err != nil {
		return out, err
	}
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		return out, fmt.Errorf("a step has a number: %w", dayone.ErrNotFound)
	}
	list, err := p.flow.CallsOf(ctx, id, number)
	if err != nil {
		return out, err
	}
	for _, c := range list {
		x := apiCallLog{c.Attempt, c.System, moment(c.At), c.After, c.Kind, c.Left, []apiCall{}}
		for _, k := range c.Calls {
			x.Calls = append(x.Calls, apiCall{moment(k.At), k.Method, k.Host, k.Path, k.Op, k.Query, k.Keys, k.More, k.Bytes, k.Status, k.Fault, float64(k.Took.Microseconds()) / 1000, k.ID, k.Again})
		}
		out.Items = append(out.Items, x)
	}
	return out, nil
}
