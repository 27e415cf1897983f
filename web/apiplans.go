package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// maxPlanned is the most that who wants a plan for everybody may send: two zips of policy folders.
const maxPlanned = 16 << 20

// apiPlans says what policies that are sent would change for everybody, in lines. Nothing is stored.
func (p *portal) apiPlans(w http.ResponseWriter, r *http.Request) error {
	var in flow.Sent
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	plan, err := p.flow.PlanSent(r.Context(), in)
	switch {
	case errors.Is(err, dayone.ErrInvalid):
		return said(err, plainError(err))
	case err != nil:
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	if err := flow.WritePlan(w, plan); err != nil {
		p.log.Info("a plan for everybody was not read to its end", "error", err)
	}
	return nil
}

// patiently answers what may take long, as reading a whole list does: a server's own deadline is for pages, and would throw
// away what was done without a word. How long it may take is up to whoever asks, who may go.
func patiently(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		rc := http.NewResponseController(w)
		_ = rc.SetWriteDeadline(time.Time{})
		return h(&renewed{w, rc}, r)
	}
}

// renewed gives each part of a late or long answer its own time: a reader may be slow, but not gone.
type renewed struct {
	http.ResponseWriter
	rc *http.ResponseController
}

func (r *renewed) Write(b []byte) (int, error) {
	_ = r.rc.SetWriteDeadline(time.Now().Add(liveWrite))
	return r.ResponseWriter.Write(b)
}

func (r *renewed) Unwrap() http.ResponseWriter { return r.ResponseWriter }
