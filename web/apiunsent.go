package web

import (
	"net/http"
	"time"

	"github.com/dayone-hq/dayone"
)

// apiUnsent is a message of a run that is still to go out: what it waits for, and how it reads so far.
type apiUnsent struct {
	WaitsFor []apiWaited `json:"waits_for"`
	Goes     *time.Time  `json:"goes_without,omitempty"` // when it goes out without them
	Message  *apiLetter  `json:"message,omitempty"`
}

// apiWaited is a step for which a message waits.
type apiWaited struct {
	Number int           `json:"number"`
	Key    dayone.Key    `json:"key"`
	Task   dayone.TaskID `json:"task,omitempty"` // who does it ends the wait
}

// apiUnsent says it of a step; nil: it is no message, or it is sent.
func (p *portal) apiUnsent(r *http.Request, b *board, i int) *apiUnsent {
	if !b.toCome(i) {
		return nil
	}
	s := &b.run.Steps[i]
	waits := b.waitedFor(s)
	out := &apiUnsent{WaitsFor: []apiWaited{}, Goes: moment(b.goesAt(waits))}
	for _, j := range waits {
		o := b.run.Steps[j].Step
		out.WaitsFor = append(out.WaitsFor, apiWaited{j + 1, o.Key, b.tasks[o.ID]})
	}
	if !p.lets(me(r), readsLetters) {
		return out
	}
	m, err := p.flow.ForetellStep(r.Context(), b.run, s.Step.ID)
	if err != nil { // the run is told all the same
		p.log.Warn("how a message will read is not known", "run", b.run.ID, "step", s.Step.ID, "error", err)
		return out
	}
	letter := newAPILetter(m)
	out.Message = &letter
	return out
}
