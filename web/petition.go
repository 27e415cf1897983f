package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// petition is a request with all that a page says of it.
type petition struct {
	req  dayone.Petition
	row  flow.Row
	what string // Okta group admins
	run  link
	mute bool // no mail system tells anybody of it

	reader string                 // the login of whoever reads it
	policy func(id string) string // what one is called; nil: as its id
}

func (p *portal) petitions(ctx context.Context, view viewer, list []dayone.Petition) ([]petition, error) {
	rows := map[dayone.PersonID]flow.Row{}
	if err := p.know(ctx, rows, peopleIn(list, func(r dayone.Petition) dayone.PersonID { return r.Person })); err != nil {
		return nil, err
	}
	titles, kinds := p.titles(), p.kindTitles()
	out := make([]petition, 0, len(list))
	for _, r := range list {
		x := petition{req: r, row: rows[r.Person], mute: !p.flow.Mails(), policy: p.policyTitle, what: view.access(titles, kinds, r.Key)}
		if r.Run != "" {
			if x.run = (link{"The run that asked for it", "/runs/" + string(r.Run)}); r.State == dayone.ApprovalOpen {
				x.run.Text = "The run that waits for it"
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// petition is one of them.
func (p *portal) petition(ctx context.Context, view viewer, q dayone.Petition) (petition, error) {
	list, err := p.petitions(ctx, view, []dayone.Petition{q})
	if err != nil {
		return petition{}, err
	}
	return list[0], nil
}

// wish is what is asked for, in the viewer's language.
func (x petition) wish(view viewer) string {
	if x.req.Role == "" {
		return x.what
	}
	return view.say("%s as %s", x.what, x.req.Role)
}

// deciders are those whom a rule names: a group by its name.
func (v viewer) deciders(by []string) string {
	out := make([]string, len(by))
	for i, x := range by {
		out[i] = v.label(x)
		if name, ok := strings.CutPrefix(x, "group:"); ok {
			out[i] = v.kind("group") + " " + name
		}
	}
	return strings.Join(out, ", ")
}

var approvalTexts = map[dayone.ApprovalState]state{
	dayone.ApprovalOpen:      {Icon: "hand", Class: "s-wait", Text: "Waits for an answer"},
	dayone.ApprovalGiven:     {Icon: "check", Class: "s-done", Text: "Approved"},
	dayone.ApprovalRefused:   {Icon: "x", Class: "s-fail", Text: "Refused"},
	dayone.ApprovalExpired:   {Icon: "clock", Class: "s-skip", Text: "Nobody answered"},
	dayone.ApprovalWithdrawn: {Icon: "skip", Class: "s-skip", Text: "Not wanted any more"},
}

func approvalState(r dayone.Petition, now time.Time) state {
	s := approvalTexts[r.State]
	if r.Why != "" {
		s.Text = "Nobody has to answer now"
	}
	if r.State == dayone.ApprovalOpen && r.Due.Sub(now) < 24*time.Hour {
		s.Text = "Due within a day"
	}
	return s
}

func approvalItem(view viewer, x petition) item {
	st := approvalState(x.req, view.now)
	it := item{State: &st, Title: link{fmt.Sprintf("%s: %s", x.row.Name, x.wish(view)), "/approvals/" + string(x.req.ID)}}
	var agreed, who []string
	for _, vote := range x.req.Votes {
		agreed = append(agreed, strings.ToLower(vote.Of))
	}
	for _, d := range x.req.Deciders {
		if !slices.Contains(agreed, strings.ToLower(d.Mail)) && !slices.Contains(who, d.Mail) { // whoever has answered is not asked again
			who = append(who, d.Mail)
		}
	}
	switch x.req.State {
	case dayone.ApprovalOpen:
		it.Meta, it.At = view.label("Due"), view.at(x.req.Due)
		if it.Next = view.label("Nobody is found who may decide."); len(who) > 0 {
			switch names := strings.Join(who, ", "); {
			case slices.Contains(agreed, strings.ToLower(x.reader)):
				it.Next = view.say("You approved; waits for %s.", names)
			case len(agreed) > 0:
				it.Next = view.say("%s approved; waits for %s.", strings.Join(agreed, ", "), names)
			default:
				it.Next = view.say("Asks %s.", names)
			}
		}
		if why := x.req.Reason(); why != "" {
			it.Next += " " + view.say("Needed for: %s", why)
		}
	default:
		it.At = view.at(cmp.Or(x.req.Decided, x.req.Ended))
		if n := len(x.req.Votes); n > 0 {
			vote := x.req.Votes[n-1]
			if it.Meta = view.say("By %s", vote.Of); vote.Who() != vote.Of {
				it.Meta = view.say("By %s, entered by %s", vote.Of, vote.By)
			}
			it.Next = x.req.Votes[n-1].Reason
		}
		if x.req.Why != "" {
			it.Next = sentence(view.in.Heard(x.req.Why)) + "."
		}
	}
	return it
}
