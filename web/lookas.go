package web

import (
	"net/http"

	"github.com/dayone-hq/dayone"
)

// Viewpoint is one of those as whom the demo can be looked at. It has no sign-in, and what people see of themselves is seen by
// nobody else: here one chooses whose eyes these are. Whoever is chosen goes through the table of roles as anybody else.
type Viewpoint struct {
	ID    string // administrator, new-hire, manager or auditor
	Name  string // of whom it is; "": nobody in particular
	Login string
	Role  dayone.Role
	Home  string // where it begins
}

// viewpointCookie holds the id of a viewpoint. Only an open portal knows any.
const viewpointCookie = "look-as"

var viewpointTexts = map[string]string{
	"administrator": textAsAdministrator, "new-hire": textAsNewHire, "manager": textAsManager, "auditor": textAsAuditor,
}

// lookAs is the switch as pages show it.
type lookAs []viewpointButton

type viewpointButton struct {
	ID, Text string
	Current  bool
}

// viewpoint is as whom an open portal is looked at; none: as the administrator who runs it.
func (a access) viewpoint(r *http.Request) (Viewpoint, bool) {
	c, err := r.Cookie(viewpointCookie)
	if err != nil {
		return Viewpoint{}, false
	}
	for _, v := range a.views {
		if v.ID == c.Value {
			return v, true
		}
	}
	return Viewpoint{}, false
}

// visitor is who is in while the portal is open.
func (a access) visitor(r *http.Request) who {
	if v, ok := a.viewpoint(r); ok {
		return who{Name: v.Login, Role: v.Role, Knows: a.knows && v.Role == dayone.Administrator}
	}
	return who{Name: "demo", Role: dayone.Administrator, Knows: a.knows}
}

// lookAsOf is the switch of a page; nil where there is none.
func (p *portal) lookAsOf(r *http.Request) lookAs {
	var out lookAs
	now, chosen := p.access.viewpoint(r)
	view := p.viewerOf(r)
	for i, v := range p.access.views {
		text := view.label(viewpointTexts[v.ID])
		if v.Name != "" {
			text = view.say(viewpointTexts[v.ID], v.Name)
		}
		out = append(out, viewpointButton{v.ID, text, chosen && v.ID == now.ID || !chosen && i == 0})
	}
	return out
}

// look goes on as somebody else. There is no such address but in the demo.
func (p *portal) look(w http.ResponseWriter, r *http.Request) error {
	for _, v := range p.access.views {
		if v.ID == r.PostFormValue("as") {
			http.SetCookie(w, &http.Cookie{Name: viewpointCookie, Value: v.ID, Path: "/", Secure: p.access.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode})
			http.Redirect(w, r, v.Home, http.StatusSeeOther)
			return nil
		}
	}
	return refuse(dayone.ErrInvalid, textNobodyThere)
}
