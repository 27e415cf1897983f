package web

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/dayone-hq/dayone"
)

// dataTeller speaks JSON: one event a changed step, one when the run itself has moved.
type dataTeller struct {
	p     *portal
	id    dayone.RunID
	last  string // what the reader said it remembers
	mem   memory
	state dayone.RunState
}

// apiRunLive streams a run. Without Last-Event-ID or ?seen= it begins with every step as it is now.
func (p *portal) apiRunLive(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.RunOf(r.Context(), id); err != nil {
		return err
	}
	return p.follow(w, r, id, &dataTeller{p: p, id: id, last: lastSeen(r)})
}

func (t *dataTeller) tell(ctx context.Context, s *stream) (bool, error) {
	run, err := t.p.flow.RunOf(ctx, t.id)
	if err != nil {
		return false, err
	}
	b := board{run: run}
	if len(t.mem) != 3*len(run.Steps) {
		t.mem, _ = b.remember(t.last)
	}
	for _, i := range b.changed(t.mem) {
		b.note(t.mem, i)
		if err := t.send(s, "step", newAPIStep(i, &run.Steps[i])); err != nil {
			return false, err
		}
	}
	if run.State != t.state {
		t.state = run.State
		gone, err := t.p.flow.TakenBack(ctx, run)
		if err != nil {
			return false, err
		}
		if err := t.send(s, "run", newAPIRun(run, gone)); err != nil {
			return false, err
		}
	}
	return run.State.Over(), nil
}

func (t *dataTeller) pass(_ context.Context, s *stream, long bool) error {
	if !long {
		return nil
	}
	return s.write(": still here\n\n")
}

func (t *dataTeller) send(s *stream, event string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.event(event, t.mem.String(), string(raw))
}
