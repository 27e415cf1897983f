package web

import (
	"net/http"

	"github.com/dayone-hq/dayone/flow"
)

// apiRenaming is one name as it is, and as it would be made today.
type apiRenaming struct {
	Attribute string `json:"attribute"`
	Now       string `json:"now"`
	New       string `json:"new"`
}

func newAPIRenamings(list []flow.Renaming) apiPage[apiRenaming] {
	out := apiPage[apiRenaming]{Items: []apiRenaming{}}
	for _, n := range list {
		out.Items = append(out.Items, apiRenaming{n.Attr, n.Now, n.New})
	}
	return out
}

func (p *portal) apiRenamings(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	list, err := p.flow.Renamings(r.Context(), id)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIRenamings(list))
}

func (p *portal) apiRename(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in struct {
		On     string `json:"on"`
		Reason string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	list, _, err := p.flow.Rename(r.Context(), id, in.On, me(r).Name, in.Reason)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIRenamings(list))
}
