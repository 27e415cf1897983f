package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// RoleGiven is a role that the configuration gives, and where it does.
type RoleGiven struct {
	Role  dayone.Role
	Whom  string // "the group dayone-admins", "the token of kim@company.com"
	Where string // dayone.yaml:14
	Key   string // portal.tokens.kim@company.com.role
}

type settingsView struct{ Groups []settingsGroup }

type settingsGroup struct {
	Title string
	Rows  []item
}

// settings leads to everything that is set for the whole company. What is not for whoever asks is left out.
func (p *portal) settings(w http.ResponseWriter, r *http.Request) error {
	may := func(path string) bool { return p.shows(r, "GET "+path) }
	return p.show(w, r, http.StatusOK, page{Template: "settings", Title: "Settings", Nav: "settings", Crumbs: []link{{"Settings", ""}}, Main: newSettings(p.viewerOf(r), may)})
}

func newSettings(view viewer, may func(path string) bool) settingsView {
	var v settingsView
	for _, g := range settingsPages {
		var rows []item
		for _, x := range g.pages {
			if may(x.path) {
				rows = append(rows, item{Title: link{view.label(x.title), x.path}, Meta: view.label(x.text)})
			}
		}
		if len(rows) > 0 {
			v.Groups = append(v.Groups, settingsGroup{g.title, rows})
		}
	}
	return v
}

type rolesView struct {
	Rows  []item
	Roles []pair
	Empty *empty
	Notes []string
}

// roleList says who has which role, and which line gives it.
func (p *portal) roleList(w http.ResponseWriter, r *http.Request) error {
	v, err := p.rolesView(r)
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, page{Template: "roles", Title: "Roles", Nav: "settings", Crumbs: []link{{"Settings", "/settings"}, {"Roles", ""}}, Main: v})
}

func (p *portal) rolesView(r *http.Request) (rolesView, error) {
	list, err := p.flow.Tokens(r.Context())
	if err != nil {
		return rolesView{}, err
	}
	var v rolesView
	view := p.viewerOf(r)
	for _, g := range p.opt.Given {
		v.Rows = append(v.Rows, item{State: roleTag(g.Role), Title: link{Text: sentence(g.Whom)}, Meta: view.say(textRoleWhere, g.Key, g.Where)})
	}
	for _, t := range list {
		if t.Opens(p.now()) {
			v.Rows = append(v.Rows, item{State: roleTag(t.Role), Title: link{view.say(textRoleToken, t.Name), "/tokens"}, Meta: view.say(textRoleMade, t.By)})
		}
	}
	for _, role := range append(dayone.Roles, dayone.Employee) {
		v.Roles = append(v.Roles, pair{Name: roleTitles[role], Value: view.label(roleTexts[role])})
	}
	if len(v.Rows) == 0 {
		v.Empty = &empty{Icon: "lock", Title: "Nobody has a role here", Text: textRolesNone}
	}
	return v, nil
}

func roleTag(r dayone.Role) *state { return &state{Icon: "key", Class: "", Text: roleTitles[r]} }

type apiRole struct {
	Role  dayone.Role `json:"role"`
	Whom  string      `json:"whom"`
	Where string      `json:"where,omitempty"`
	Key   string      `json:"key,omitempty"`
	Token string      `json:"token,omitempty"` // id of one that was made here
}

func (p *portal) apiRoles(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Tokens(r.Context())
	if err != nil {
		return err
	}
	out := apiPage[apiRole]{Items: []apiRole{}}
	for _, g := range p.opt.Given {
		out.Items = append(out.Items, apiRole{Role: g.Role, Whom: g.Whom, Where: g.Where, Key: g.Key})
	}
	for _, t := range list {
		if t.Opens(p.now()) {
			out.Items = append(out.Items, apiRole{Role: t.Role, Whom: fmt.Sprintf(textRoleToken, t.Name), Token: t.ID})
		}
	}
	return answerJSON(w, http.StatusOK, out)
}

// ---- messages ----

// letter is a message as whoever gets it reads it.
type letter struct {
	Heads []pair
	Lines []string
}

func newLetter(r flow.Rendered) *letter {
	l := &letter{Lines: strings.Split(strings.TrimRight(r.Text, "\n"), "\n")}
	for _, h := range []struct{ key, name string }{{"subject", "Subject"}, {"summary", "Invitation"}, {"start", "Begins at"}, {"minutes", "Minutes"}, {"location", "Where"}} {
		if v := r.Header[h.key]; v != "" {
			l.Heads = append(l.Heads, pair{Name: h.name, Value: v})
		}
	}
	return l
}

type templatesView struct{ Rows []item }

// Sentence says what stands on the page.
func (templatesView) Sentence() string {
	return "Every mail, post and invitation that is sent, as it would read. Your own stand in `templates/` of the policy folder: a file there with the name of one of these replaces it, any other is a message that policies can send."
}

func (p *portal) messageTemplates(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.MessageTemplates(r.Context())
	if err != nil {
		return err
	}
	var v templatesView
	view := p.viewerOf(r)
	for _, t := range list {
		it := item{State: &state{Icon: "mail", Text: "Message"}, Title: link{t.Name, "/settings/templates/" + t.Name}, Meta: view.label(textTemplateBuiltIn)}
		if t.Invite {
			it.State = &state{Icon: "calendar", Text: "Invitation"}
		}
		if t.Own {
			it.Meta = view.say(textTemplateOwn, t.File)
		}
		if len(t.UsedBy) > 0 {
			it.Next = view.say(textTemplateUsed, strings.Join(p.policyTitles(t.UsedBy), ", "))
		}
		v.Rows = append(v.Rows, it)
	}
	return p.show(w, r, http.StatusOK, page{Template: "templates", Title: "Messages", Nav: "settings", Crumbs: []link{{"Settings", "/settings"}, {"Messages", ""}}, Main: v})
}

type templateView struct {
	Name, File, Text string
	Facts            []pair
	Letter           *letter
	Problem          *notice
	For              string // whose preview it is
	Query            string
	Found            []item // people of that name
	None             bool
	Edit             string
}

// messageTemplate shows one message as it is written, and as somebody reads it: somebody made up, or a person who is chosen.
func (p *portal) messageTemplate(w http.ResponseWriter, r *http.Request) error {
	t, err := p.flow.MessageTemplate(r.Context(), r.PathValue("name"))
	if err != nil {
		return speaking(err)
	}
	v := templateView{Name: t.Name, File: t.File, Text: t.Text, For: textTemplateSample, Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	v.Facts = []pair{{Name: "File", Value: t.File, Code: true}, {Name: "Written by", Value: map[bool]string{true: "you", false: "Dayone; a file of that name replaces it"}[t.Own]}}
	if len(t.UsedBy) > 0 {
		v.Facts = append(v.Facts, pair{Name: "Sent by", Value: strings.Join(p.policyTitles(t.UsedBy), ", ")})
	}
	if p.shows(r, "GET /policies/edit") {
		v.Edit = "/policies/edit?file=" + t.File
	}
	id := dayone.PersonID(r.URL.Query().Get("person"))
	if id != "" {
		if !dayone.ValidID("per", string(id)) {
			return dayone.ErrNotFound
		}
		row, err := p.flow.Person(r.Context(), id)
		if err != nil {
			return err
		}
		v.For = row.Name
	}
	if v.Query != "" {
		if v.Found, err = p.choices(r, v.Query, "/settings/templates/"+t.Name); err != nil {
			return err
		}
		v.None = len(v.Found) == 0
	}
	read, err := p.flow.PreviewMessage(r.Context(), t.Name, "", id)
	switch {
	case err == nil:
		v.Letter = newLetter(read)
	case dayone.KindOf(err) == nil:
		return err
	default:
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: "It cannot be put into words", Text: plainError(err)}
	}
	return p.show(w, r, http.StatusOK, page{
		Template: "template", Title: "Message " + t.Name, Nav: "settings", Crumbs: []link{{"Settings", "/settings"}, {"Messages", "/settings/templates"}, {t.Name, ""}}, Main: v,
	})
}

// choices are the first people of a name, each a link to a page with that person.
func (p *portal) choices(r *http.Request, q, path string) ([]item, error) {
	filter, err := peopleFilter(map[string][]string{"q": {q}}, 8)
	if err != nil {
		return nil, err
	}
	rows, err := p.flow.People(r.Context(), filter)
	if err != nil {
		return nil, err
	}
	var out []item
	for _, row := range rows {
		out = append(out, item{Title: link{row.Name, path + "?person=" + string(row.ID)}, Meta: joined(", ", row.Title, row.Department)})
	}
	return out, nil
}

type apiTemplate struct {
	Name   string   `json:"name"`
	File   string   `json:"file"`
	Own    bool     `json:"own"`
	Invite bool     `json:"invitation"`
	UsedBy []string `json:"used_by"`
	Text   string   `json:"text"`
}

func (p *portal) apiTemplates(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.MessageTemplates(r.Context())
	if err != nil {
		return err
	}
	out := apiPage[apiTemplate]{Items: []apiTemplate{}}
	for _, t := range list {
		out.Items = append(out.Items, apiTemplate{t.Name, t.File, t.Own, t.Invite, append([]string{}, t.UsedBy...), t.Text})
	}
	return answerJSON(w, http.StatusOK, out)
}

// apiPreview puts a message into words: as it is in force, or as the body has it.
func (p *portal) apiPreview(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Text   string          `json:"text"`
		Person dayone.PersonID `json:"person"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	if in.Text == "" {
		if _, err := p.flow.MessageTemplate(r.Context(), r.PathValue("name")); err != nil {
			return speaking(err)
		}
	}
	read, err := p.flow.PreviewMessage(r.Context(), r.PathValue("name"), in.Text, in.Person)
	if err != nil {
		if dayone.KindOf(err) == dayone.ErrInvalid {
			return refuse(dayone.ErrInvalid, plainError(err))
		}
		return err
	}
	return answerJSON(w, http.StatusOK, struct {
		Header map[string]string `json:"header"`
		Text   string            `json:"text"`
	}{read.Header, read.Text})
}

// apiFile judges a file of the policy folder, and keeps it as a proposal unless it is only to be judged.
func (p *portal) apiFile(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		File   string `json:"file"`
		Text   string `json:"text"`
		Note   string `json:"note"`
		DryRun bool   `json:"dry_run"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	d, err := p.flow.JudgeFile(r.Context(), in.File, in.Text)
	if err != nil {
		if dayone.KindOf(err) == dayone.ErrInvalid {
			return refuse(dayone.ErrInvalid, plainError(err))
		}
		return err
	}
	out := struct {
		OK      bool       `json:"ok"`
		Faults  []apiFault `json:"faults"`
		Summary string     `json:"summary,omitempty"`
		Version string     `json:"version,omitempty"`
	}{OK: d.Set != nil, Faults: newAPIFaults(d.Diagnostics)}
	status := http.StatusOK
	if d.Set == nil {
		return answerJSON(w, http.StatusUnprocessableEntity, out)
	}
	out.Summary = newJudgement(d, in.File).Summary
	if !in.DryRun {
		v, err := p.flow.Propose(r.Context(), in.File, in.Text, me(r).Name, strings.TrimSpace(in.Note))
		if err != nil {
			if dayone.KindOf(err) == dayone.ErrInvalid {
				return refuse(dayone.ErrInvalid, plainError(err))
			}
			return err
		}
		out.Version, status = v.ID, http.StatusCreated
	}
	return answerJSON(w, status, out)
}
