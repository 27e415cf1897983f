package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type confidentialView struct {
	Total string
	Rows  []item
	Empty *empty
}

// confidential lists what few may know: who leaves or comes, and from when on everybody may know.
func (p *portal) confidential(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Confidentials(r.Context())
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, page{Template: "confidential", Title: "Confidential", Nav: "confidential", Crumbs: []link{{"Confidential", ""}}, Main: newConfidentials(p.viewerOf(r), list)})
}

func newConfidentials(view viewer, list []flow.Confidential) confidentialView {
	v := confidentialView{Total: plural(len(list), "1 person", "%d people")}
	for _, c := range list {
		v.Rows = append(v.Rows, item{
			State: &state{Icon: "lock", Class: "s-wait", Text: confidentialKind(c)}, Title: link{c.Name, "/people/" + string(c.Person)}, Meta: confidentialText(view, c),
		})
	}
	if len(list) == 0 {
		v.Empty = &empty{Icon: "lock", Title: "Nothing is confidential now", Text: "A termination or a hire that HR marks as confidential stands here, and nowhere else, until everybody may know."}
	}
	return v
}

func confidentialKind(c flow.Confidential) string {
	if c.Hire {
		return "Hire"
	}
	return "Termination"
}

// confidentialText says what comes, and when everybody may know.
func confidentialText(view viewer, c flow.Confidential) string {
	zone, _ := c.Site.Location()
	day := func(t time.Time) string { return view.there(zone).day(t, zone).Text }
	known := view.there(zone).at(c.Until).Text
	switch {
	case c.Hire && c.Ends.IsZero():
		return view.say("First day %s. Everybody may know from %s.", day(c.Starts), known)
	case c.Hire:
		return view.say("First day %s, last day of what was before %s. Everybody may know from %s.", day(c.Starts), day(c.LastDay()), known)
	default:
		return view.say("Last day %s. Everybody may know from %s.", day(c.LastDay()), known)
	}
}

// inConfidence is what stands on a person's page for those who may know; nil: nothing is confidential.
func (p *portal) inConfidence(r *http.Request, id dayone.PersonID) (*notice, error) {
	c, err := p.flow.ConfidentialOf(r.Context(), id)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return confidentialNotice(p.viewerOf(r), c), nil
}

func confidentialNotice(view viewer, c flow.Confidential) *notice {
	return &notice{
		Kind: "warn", Icon: "lock", Title: "Confidential: only you and others who may know see this",
		Text: confidentialText(view, c) + " " + view.label("Until then nothing is planned, ordered or said because of it."),
	}
}

type apiConfidential struct {
	Person   dayone.PersonID `json:"person"`
	Name     string          `json:"name"`
	Kind     string          `json:"kind"`
	Hidden   bool            `json:"hidden"`
	FirstDay string          `json:"first_day,omitempty"`
	LastDay  string          `json:"last_day,omitempty"`
	Until    time.Time       `json:"until"`
}

func (p *portal) apiConfidential(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Confidentials(r.Context())
	if err != nil {
		return err
	}
	out := apiPage[apiConfidential]{Items: []apiConfidential{}}
	for _, c := range list {
		x := apiConfidential{Person: c.Person, Name: c.Name, Kind: "termination", Hidden: c.Hidden, Until: c.Until.UTC()}
		zone, _ := c.Site.Location()
		if c.Hire {
			x.Kind, x.FirstDay = "hire", c.Starts.In(zone).Format(time.DateOnly)
		}
		if !c.Ends.IsZero() {
			x.LastDay = c.LastDay().In(zone).Format(time.DateOnly)
		}
		out.Items = append(out.Items, x)
	}
	return answerJSON(w, http.StatusOK, out)
}
