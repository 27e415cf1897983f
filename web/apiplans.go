package web

import (
	"errors"
	"io"
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
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // the first one after a start reads everybody
	plan, err := p.flow.PlanSent(r.Context(), in)
	switch {
	case errors.Is(err, dayone.ErrInvalid):
		return said(err, plainError(err))
	case err != nil:
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	if err := flow.WritePlan(&renewed{w, http.NewResponseController(w)}, plan); err != nil {
		p.log.Info("a plan for everybody was not read to its end", "error", err)
	}
	return nil
}

// renewed gives each part of a long answer its own time: a reader may be slow, but not gone.
type renewed struct {
	to io.Writer
	rc *http.ResponseController
}

func (r *renewed) Write(b []byte) (int, error) {
	_ = r.rc.SetWriteDeadline(time.Now().Add(liveWrite))
	return r.to.Write(b)
}
