package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

func (p *portal) standIns(ctx context.Context, view viewer, own dayone.PersonID) ([]item, error) {
	list, err := p.flow.Delegations(ctx)
	if err != nil {
		return nil, err
	}
	others, err := p.flow.ForOthers(ctx)
	if err != nil {
		return nil, err
	}
	rows := map[dayone.PersonID]flow.Row{}
	if err := p.know(ctx, rows, slices.Concat(peopleIn(list, func(g dayone.Delegation) dayone.PersonID { return g.Person }), peopleIn(list, func(g dayone.Delegation) dayone.PersonID { return g.Delegate }))); err != nil {
		return nil, err
	}
	var out []item
	for _, g := range list {
		st := state{Icon: "check", Class: "s-done", Text: "Now"}
		if g.From.After(view.now) {
			st = state{Icon: "clock", Class: "s-wait", Text: "Later"}
		}
		it := item{
			State: &st, Title: link{Text: view.say("%s decides for %s", rows[g.Delegate].Name, rows[g.Person].Name)},
			Meta: view.say("From %s until", view.at(g.From).Text), At: view.at(g.Until), Acts: []act{{Text: "End it", Action: "/delegations/" + g.ID + "/end"}},
		}
		if !others && g.Person != own {
			it.Acts = nil
		}
		out = append(out, it)
	}
	return out, nil
}

// delegate takes the form of who decides for whom. Days count to their end, where the viewer is.
func (p *portal) delegate(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	fields := []string{"who", "to", "from", "until"}
	if err := only(r, fields...); err != nil {
		return err
	}
	given := map[string]string{}
	for _, name := range fields {
		given[name] = strings.TrimSpace(r.PostForm.Get(name))
	}
	from, until, err := days(given["from"], given["until"], p.viewerOf(r).zone)
	var d dayone.Delegation
	if err == nil {
		d, err = p.flow.LetDecide(r.Context(), given["who"], given["to"], from, until, me(r).Name)
	}
	switch {
	case err == nil:
		p.said(w, r, "/approvals", "delegated", &takeBack{Action: "/delegations/" + d.ID + "/end"})
		return nil
	case errors.Is(err, dayone.ErrInvalid), errors.Is(err, dayone.ErrNotFound), errors.Is(err, dayone.ErrConflict):
		return p.showApprovals(w, r, http.StatusUnprocessableEntity, &notice{Kind: "bad", Icon: "x", Title: "This was not kept", Text: p.viewerOf(r).problem(err)}, given)
	default:
		return err
	}
}

// days reads two days, the second to its end; the first may be empty.
func days(from, until string, zone *time.Location) (a, b time.Time, err error) {
	if from != "" {
		if a, err = time.ParseInLocation(time.DateOnly, from, zone); err != nil {
			return a, b, fmt.Errorf("write the first day as 2025-01-31: %w", dayone.ErrInvalid)
		}
	}
	if b, err = time.ParseInLocation(time.DateOnly, until, zone); err != nil {
		return a, b, fmt.Errorf("write the last day as 2025-01-31: %w", dayone.ErrInvalid)
	}
	return a, b.AddDate(0, 0, 1), nil
}

func (p *portal) endDelegation(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.EndDelegation(r.Context(), r.PathValue("id"), me(r).Name); err != nil {
		return err
	}
	http.Redirect(w, r, "/approvals?said=taken+back", http.StatusSeeOther)
	return nil
}
