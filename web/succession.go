package web

import (
	"net/http"

	"github.com/dayone-hq/dayone"
)

// heirView is what became of what somebody looked after.
type heirView struct {
	To   string
	Rows []item
	None string
}

func newHeir(view viewer, s dayone.Succession) *heirView {
	v := &heirView{To: view.label("nobody is found who takes it over"), None: textHeirNone}
	if s.To != "" {
		v.To = view.say("goes to %s, %s", s.To, view.heard(s.Why))
	}
	if s.Done.IsZero() {
		v.None = textHeirSoon
	}
	for _, h := range s.Items {
		it := item{Title: link{h.Name, handedAt(h)}, Meta: view.label(handedTexts[h.Kind])}
		if h.Kind == dayone.HandedDelegation { // no name, but a sentence of ours
			it.Title.Text = sentence(view.heard(h.Name))
		}
		switch {
		case h.Act != "":
			it.State, it.Next = &state{Icon: "clock", Class: "s-wait", Text: "A human has something to do"}, sentence(view.heard(h.Act))+"."
		case h.To != "":
			it.State, it.Meta = &state{Icon: "check", Class: "s-done", Text: "Moved"}, view.say("%s: now with %s", it.Meta, h.To)
		case h.Over:
			it.State = &state{Icon: "check", Class: "s-done", Text: "Ended"}
		default:
			it.State = &state{Icon: "clock", Class: "s-wait", Text: "Under way"}
		}
		v.Rows = append(v.Rows, it)
	}
	if s.Task != "" {
		v.Rows = append(v.Rows, item{Title: link{view.label("The task that lists what is left"), "/tasks/" + string(s.Task)}})
	}
	return v
}

// handedAt is where a thing is looked at; "": nowhere of its own.
func handedAt(h dayone.Handed) string {
	switch h.Kind {
	case dayone.HandedTask:
		return "/tasks/" + h.Ref
	case dayone.HandedApproval:
		return "/approvals/" + h.Ref
	case dayone.HandedReport:
		return "/people/" + h.Ref
	}
	return ""
}

func (p *portal) apiSuccession(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	s, err := p.flow.Succession(r.Context(), id)
	if err != nil {
		return orderFound(err)
	}
	if s.Items == nil {
		s.Items = []dayone.Handed{}
	}
	type out struct {
		dayone.Succession
		Items []dayone.Handed `json:"items"`
	}
	return answerJSON(w, http.StatusOK, out{s, s.Items})
}
