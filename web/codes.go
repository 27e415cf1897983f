package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// codesView are the one-time links of somebody that nobody has opened, and what can be made anew.
type codesView struct {
	Head   personHead
	Links  []sealedLinkView
	Renews []item
	Alone  bool // no manager is known, who would have the hand-over code
}

// sealedLinkView is a link that can be passed on again. It opens with the hand-over code alone, which is not on this page.
type sealedLinkView struct {
	ID, Title, Key, URL, Note string
	Opens                     *stamp
}

func newCodes(view viewer, head personHead, manager string, kinds map[string]string, links []flow.SecretLink, renewable []dayone.Key) codesView {
	v := codesView{Head: head, Alone: manager == ""}
	for i, l := range links {
		s := sealedLinkView{ID: "link-" + thousands(i+1), Title: l.System + ": first password", Key: l.Key.String(), URL: l.URL}
		if l.Thing != "" {
			s.Title = l.System + ": " + l.Thing
		}
		switch {
		case l.Waits:
			s.Note = "It is being made. The link shows it once the system has taken it; the one before ends then."
		case view.now.Before(l.Opens):
			s.Opens = view.at(l.Opens)
		}
		v.Links = append(v.Links, s)
	}
	for _, k := range renewable {
		v.Renews = append(v.Renews, item{Title: link{view.thing(kinds, k), ""}, Meta: k.String(), Open: &link{"Renew", renewPage(head.ID, k)}})
	}
	return v
}

func renewPage(person string, k dayone.Key) string {
	return "/people/" + person + "/renew?key=" + queryEscape(k.String())
}

func (p *portal) codes(w http.ResponseWriter, r *http.Request) error {
	row, head, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	links, err := p.flow.Links(r.Context(), row.ID)
	if err != nil {
		return err
	}
	_, list, err := p.flow.Access(r.Context(), row.ID)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return err
	}
	var renewable []dayone.Key
	for _, a := range list {
		if a.Holding != nil && p.flow.Renewable(r.Context(), row, *a.Holding) {
			renewable = append(renewable, a.Key)
		}
	}
	view := p.viewerOf(r).there(p.zoneOf(row.Location))
	return p.show(w, r, http.StatusOK, page{
		Template: "codes", Title: "Codes of " + row.Name, Nav: "people", Crumbs: []link{{"People", "/people"}, {row.Name, "/people/" + head.ID}, {"Codes", ""}},
		Main: newCodes(view, head, row.Manager, p.kindTitles(), links, renewable),
	})
}

func newRenew(view viewer, head personHead, titles, kinds map[string]string, key string) orderView {
	what := key
	if k, err := dayone.ParseKey(key); err == nil {
		what = view.thingAt(titles, kinds, k)
	}
	return orderView{
		Head: head, Title: view.say("Renew %s", what), Action: "renew", Back: "codes", Button: "Renew it", Danger: true, Fields: []field{reasonField(hintReason)}, Carried: []link{{"key", key}},
		Lead: "It is made anew, and the one before opens nothing from then on: devices that know it have to be told the new one. Its owner gets a link that opens once, with the hand-over code that their manager has.",
	}
}

func (p *portal) renew(w http.ResponseWriter, r *http.Request) error {
	return p.showRenew(w, r, http.StatusOK, r.URL.Query().Get("key"), nil)
}

func (p *portal) showRenew(w http.ResponseWriter, r *http.Request, status int, key string, problem *notice) error {
	row, head, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	k, err := dayone.ParseKey(key)
	if err != nil {
		return refuse(dayone.ErrInvalid, "Choose what to renew on the page of the person, under Codes.")
	}
	v := newRenew(p.viewerOf(r), head, p.titles(), p.kindTitles(), k.String())
	v.Problem, v.Fields[0].Value = problem, r.PostFormValue("reason")
	crumbs := []link{{"People", "/people"}, {row.Name, "/people/" + head.ID}, {"Codes", "/people/" + head.ID + "/codes"}, {"Renew", ""}}
	return p.show(w, r, status, page{Template: "order", Title: v.Title + ": " + row.Name, Nav: "people", Crumbs: crumbs, Main: v})
}

func (p *portal) renewIt(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	key := r.PostFormValue("key")
	k, err := dayone.ParseKey(key)
	if err != nil {
		return err
	}
	_, err = p.flow.Renew(r.Context(), id, k, me(r).Name, r.PostFormValue("reason"))
	for _, kind := range []error{dayone.ErrConflict, dayone.ErrInvalid, dayone.ErrUnsupported} {
		if errors.Is(err, kind) {
			return p.showRenew(w, r, http.StatusConflict, key, &notice{Kind: "bad", Icon: "x", Title: "It was not renewed", Text: p.viewerOf(r).problem(err) + "."})
		}
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/people/"+string(id)+"/codes?said=renewed", http.StatusSeeOther)
	return nil
}

// apiSecretLink is a one-time link: where it leads, and from when it opens.
type apiSecretLink struct {
	Key    string     `json:"key"`
	System string     `json:"system"`
	Thing  string     `json:"thing,omitempty"`
	URL    string     `json:"url"`
	Opens  *time.Time `json:"opens,omitempty"`
	Waits  bool       `json:"waits"`
}

func newAPISecretLink(l flow.SecretLink) apiSecretLink {
	return apiSecretLink{l.Key.String(), l.System, l.Thing, l.URL, moment(l.Opens), l.Waits}
}

func (p *portal) apiLinks(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	list, err := p.flow.Links(r.Context(), id)
	if err != nil {
		return err
	}
	out := apiPage[apiSecretLink]{Items: []apiSecretLink{}}
	for _, l := range list {
		out.Items = append(out.Items, newAPISecretLink(l))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiRenew(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in struct {
		Key    string `json:"key"`
		Reason string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	k, err := dayone.ParseKey(in.Key)
	if err != nil {
		return err
	}
	l, err := p.flow.Renew(r.Context(), id, k, me(r).Name, in.Reason)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusAccepted, newAPISecretLink(l))
}
