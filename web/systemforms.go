package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// SystemForms write systems into the configuration. Whoever wires the server knows where that is; web knows the form.
type SystemForms interface {
	Kinds() []SystemKind
	Systems() ([]SystemSet, error)              // as the file has them now
	Form(kind, name string) (SystemForm, error) // with a name that is configured: as it is
	Write(ctx context.Context, e SystemEntry) (Written, error)
	Undo(ctx context.Context, by string) (string, error) // the last change, while nobody has changed the file since; says what was undone
	LastChange() string                                  // what Undo would undo; "": nothing
}

// SystemKind is a connector that can be added.
type SystemKind struct{ Name, Title, Summary string }

// SystemSet is a configured system, and where.
type SystemSet struct{ Name, Kind, Title, Where string }

// SystemForm is what a connector asks for.
type SystemForm struct {
	Kind, Title, Name, Where, Plan, Docs string
	New                                  bool
	Fields                               []SystemField
	Mark                                 string // of the system as the file has it; a form that is older is refused
}

// SystemField is one setting. The value of a secret is never in it.
type SystemField struct {
	Name, Type, Help, Default, Example, Value, Error string
	Choices                                          []string
	Required, Set                                    bool   // Set: a secret is there
	Held                                             string // names a secret that was typed a moment ago
}

// SystemEntry is what somebody filled in. Values hold what was typed, Held the names of secrets that were typed before.
type SystemEntry struct {
	Kind, Name string
	New        bool
	Values     map[string]string
	Held       map[string]string
	By         string
	Mark       string // of the form; "": there was none
	Try, Save  bool
}

// Written is what comes of it.
type Written struct {
	Form     SystemForm // with what is wrong, and names of held secrets
	Faults   int
	Problem  string // of the whole
	Lines    string // what is, or would be, in the file
	Files    []string
	Findings []SystemFinding
	Where    string
	Next     []string // what is still to be done
}

// SystemFinding is one thing that was tried.
type SystemFinding struct{ Is, What, Note string }

type systemFormsView struct {
	Systems, Kinds []item
	Empty          *empty
	Undo           string
}

func (p *portal) systemForms(w http.ResponseWriter, r *http.Request) error {
	var v systemFormsView
	if p.opt.SystemForms == nil {
		v.Empty = &empty{Icon: "system", Title: "Nothing is configured by a file here", Text: textSetupNone}
	} else {
		list, err := p.opt.SystemForms.Systems()
		if err != nil {
			return speaking(err)
		}
		v = newSystemForms(p.viewerOf(r), list, p.opt.SystemForms.Kinds(), p.opt.SystemForms.LastChange())
	}
	return p.show(w, r, http.StatusOK, page{Template: "systemforms", Title: "Add or change a system", Nav: "settings", Crumbs: []link{{"Settings", "/settings"}, {"Systems", ""}}, Main: v})
}

func newSystemForms(view viewer, list []SystemSet, kinds []SystemKind, undo string) systemFormsView {
	v := systemFormsView{Undo: undo}
	for _, s := range list {
		v.Systems = append(v.Systems, item{Title: link{s.Title, "/settings/systems/" + s.Name}, Meta: s.Name + ", " + s.Where, Open: &link{"Change", "/settings/systems/" + s.Name}})
	}
	for _, k := range kinds {
		v.Kinds = append(v.Kinds, item{Title: link{k.Title, "/settings/systems/new?kind=" + k.Name}, Meta: view.heard(k.Summary)})
	}
	return v
}

type systemFormView struct {
	SystemForm
	Action  string
	Fields  []formField
	Problem *notice
	Lines   string
	Files   []string
	Tried   []item
	Where   string
	Next    []string
	Saved   bool
}

// formField is a field of the form; a secret has a second, hidden one.
type formField struct {
	field
	Held, HeldName string
}

func (p *portal) systemForm(w http.ResponseWriter, r *http.Request) error {
	if p.opt.SystemForms == nil {
		return refuse(dayone.ErrUnsupported, textSetupNone)
	}
	name := r.PathValue("name")
	kind := r.URL.Query().Get("kind")
	if name == "new" {
		name = ""
	}
	f, err := p.opt.SystemForms.Form(kind, name)
	if err != nil {
		return speaking(err)
	}
	return p.showSystemForm(w, r, http.StatusOK, newSystemForm(p.viewerOf(r), Written{Form: f}, false))
}

func (p *portal) showSystemForm(w http.ResponseWriter, r *http.Request, status int, v systemFormView) error {
	title := "Change " + v.Title
	if v.New {
		title = "Add " + v.Title
	}
	return p.show(w, r, status, page{Template: "system-form", Title: title, Nav: "settings", Crumbs: []link{{"Settings", "/settings"}, {"Systems", "/settings/systems"}, {title, ""}}, Main: v})
}

func newSystemForm(view viewer, x Written, saved bool) systemFormView {
	v := systemFormView{SystemForm: x.Form, Lines: x.Lines, Files: x.Files, Where: x.Where, Next: x.Next, Saved: saved, Action: "/settings/systems/" + x.Form.Name}
	if x.Form.New {
		v.Action = "/settings/systems/new?kind=" + x.Form.Kind
	}
	for _, s := range x.Form.Fields {
		v.Fields = append(v.Fields, newFormField(view, s))
	}
	if x.Problem != "" || x.Faults > 0 {
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: "Nothing was written", Text: cmp.Or(x.Problem, plural(x.Faults, "One field is not right.", "%d fields are not right."))}
	}
	for _, f := range x.Findings {
		st := map[string]state{"ok": {Icon: "check", Class: "s-done", Text: "Good"}, "warning": {Icon: "warn", Class: "s-wait", Text: "Look"}}[f.Is]
		if st.Icon == "" {
			st = state{Icon: "x", Class: "s-fail", Text: "Wrong"}
		}
		note := afterSystem(x.Form.Name, f.Note)
		if note != x.Form.Title { // which stays as it is written
			note = sentence(view.heard(note))
		}
		it := item{State: &st, Title: link{Text: sentence(f.What)}, Meta: note}
		if st.Class == "s-fail" {
			it.Next = view.label("Look at the address and the credentials in the form, and at what they may do there; then try it again.")
		}
		v.Tried = append(v.Tried, it)
	}
	return v
}

// afterSystem leaves of a note what comes after the name of the system and what was done there: the page and the line say both.
func afterSystem(name, note string) string {
	return strings.TrimPrefix(strings.TrimPrefix(note, name+": "), "checking: ")
}

func newFormField(view viewer, s SystemField) formField {
	f := field{ID: "s-" + s.Name, Name: "set." + s.Name, Label: settingTitle(s.Name), Type: "text", Mono: true, Value: s.Value, Error: s.Error, Required: s.Required && !s.Set && s.Held == "" && s.Default == ""}
	if _, example, ok := strings.Cut(s.Error, " is an address, such as "); ok { // the label above it names it
		f.Error = view.say("Write an address, such as %s", example)
	}
	notes := []string{sentence(view.heard(s.Help))}
	switch {
	case s.Type == "secret":
		f.Type, f.Autocomplete = "password", "new-password"
		switch {
		case s.Held != "":
			notes = append(notes, view.label(textSecretHeld))
		case s.Set:
			notes = append(notes, view.label(textSecretSet))
		default:
			notes = append(notes, view.label(textSecretNew))
		}
	case len(s.Choices) > 0 || s.Type == "bool":
		choices := s.Choices
		if len(choices) == 0 {
			choices = []string{"true", "false"}
		}
		f.Options = []option{{Text: view.say(textSetupDefault, cmp.Or(s.Default, view.label("none")))}}
		for _, c := range choices {
			f.Options = append(f.Options, option{Value: c, Text: c, Selected: c == s.Value})
		}
	case s.Default != "":
		notes = append(notes, view.say(textSetupEmpty, s.Default))
	case s.Example != "":
		notes = append(notes, view.say(textSetupExample, s.Example))
	}
	f.Hint = strings.Join(slices.DeleteFunc(notes, func(s string) bool { return s == "" }), ". ")
	return formField{f, s.Held, "held." + s.Name}
}

// settingTitle is how a setting is called: URL, Client ID, Verify TLS.
func settingTitle(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words {
		if slices.Contains([]string{"url", "tls", "id", "ca", "dn", "api", "sql", "scim", "sso", "ou"}, w) {
			words[i] = strings.ToUpper(w)
		}
	}
	return sentence(strings.Join(words, " "))
}

// writeSystem takes the form: it shows what would be written and what was tried, and writes once that was seen.
func (p *portal) writeSystem(w http.ResponseWriter, r *http.Request) error {
	if p.opt.SystemForms == nil {
		return refuse(dayone.ErrUnsupported, textSetupNone)
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	e := SystemEntry{Kind: r.URL.Query().Get("kind"), Name: r.PathValue("name"), Values: map[string]string{}, Held: map[string]string{}, By: me(r).Name}
	if e.Name == "new" {
		e.New, e.Name = true, strings.TrimSpace(r.PostForm.Get("name"))
	}
	for k := range r.PostForm {
		if name, ok := strings.CutPrefix(k, "set."); ok {
			e.Values[name] = strings.TrimSpace(r.PostForm.Get(k))
		}
		if name, ok := strings.CutPrefix(k, "held."); ok {
			e.Held[name] = r.PostForm.Get(k)
		}
	}
	e.Mark = r.PostForm.Get("mark")
	e.Try, e.Save = r.PostForm.Get("do") == "try", r.PostForm.Get("do") == "save"
	out, err := p.opt.SystemForms.Write(r.Context(), e)
	if err != nil {
		return speaking(err)
	}
	status, bad := http.StatusOK, out.Problem != "" || out.Faults > 0
	if bad {
		status = http.StatusUnprocessableEntity
	}
	return p.showSystemForm(w, r, status, newSystemForm(p.viewerOf(r), out, e.Save && !bad))
}

func (p *portal) undoSystem(w http.ResponseWriter, r *http.Request) error {
	if p.opt.SystemForms == nil {
		return refuse(dayone.ErrUnsupported, textSetupNone)
	}
	if _, err := p.opt.SystemForms.Undo(r.Context(), me(r).Name); err != nil {
		return speaking(err)
	}
	http.Redirect(w, r, "/settings/systems?said=setup-undone", http.StatusSeeOther)
	return nil
}

// apiUndoSystemForm takes the last change of the file back, while nobody has changed it since.
func (p *portal) apiUndoSystemForm(w http.ResponseWriter, r *http.Request) error {
	if p.opt.SystemForms == nil {
		return refuse(dayone.ErrUnsupported, textSetupNone)
	}
	undone, err := p.opt.SystemForms.Undo(r.Context(), me(r).Name)
	if err != nil {
		return spoken(err)
	}
	return answerJSON(w, http.StatusOK, struct {
		Undone string `json:"undone"`
	}{undone})
}

type apiSetting struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Help     string   `json:"help,omitempty"`
	Default  string   `json:"default,omitempty"`
	Example  string   `json:"example,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Required bool     `json:"required"`
	Value    string   `json:"value,omitempty"`
	Set      bool     `json:"set"` // also a secret, whose value is never told
	Error    string   `json:"error,omitempty"`
}

type apiSystemForm struct {
	System   string       `json:"system"`
	Kind     string       `json:"connector"`
	Title    string       `json:"title"`
	Where    string       `json:"where,omitempty"`
	Settings []apiSetting `json:"settings"`
	Saved    bool         `json:"saved"`
	Problem  string       `json:"problem,omitempty"`
	Lines    string       `json:"lines,omitempty"`
	Files    []string     `json:"files,omitempty"`
	Tried    []apiTried   `json:"tried,omitempty"`
	Next     []string     `json:"next,omitempty"`
}

type apiTried struct {
	Is   string `json:"is"`
	What string `json:"what"`
	Note string `json:"note,omitempty"`
}

func newAPISystemForm(x Written, saved bool) apiSystemForm {
	out := apiSystemForm{System: x.Form.Name, Kind: x.Form.Kind, Title: x.Form.Title, Where: cmp.Or(x.Where, x.Form.Where), Settings: []apiSetting{}, Saved: saved, Problem: x.Problem, Lines: x.Lines, Files: x.Files, Next: x.Next}
	for _, f := range x.Form.Fields {
		out.Settings = append(out.Settings, apiSetting{f.Name, f.Type, f.Help, f.Default, f.Example, f.Choices, f.Required, f.Value, f.Set || f.Value != "", f.Error})
	}
	for _, t := range x.Findings {
		out.Tried = append(out.Tried, apiTried(t))
	}
	return out
}

func (p *portal) apiSystemForms(w http.ResponseWriter, _ *http.Request) error {
	if p.opt.SystemForms == nil {
		return refuse(dayone.ErrUnsupported, textSetupNone)
	}
	list, err := p.opt.SystemForms.Systems()
	if err != nil {
		return speaking(err)
	}
	out := apiPage[apiSystemForm]{Items: []apiSystemForm{}}
	for _, s := range list {
		f, err := p.opt.SystemForms.Form("", s.Name)
		switch {
		case errors.Is(err, dayone.ErrForbidden): // it is set up by hand only: no form shows its settings
			f = SystemForm{Name: s.Name, Kind: s.Kind, Title: s.Title, Where: s.Where}
		case err != nil:
			return speaking(err)
		}
		out.Items = append(out.Items, newAPISystemForm(Written{Form: f}, true))
	}
	return answerJSON(w, http.StatusOK, out)
}

// apiWriteSystem adds a system or changes its settings; what the body does not name stays. An empty value takes a setting out.
func (p *portal) apiWriteSystem(w http.ResponseWriter, r *http.Request) error {
	if p.opt.SystemForms == nil {
		return refuse(dayone.ErrUnsupported, textSetupNone)
	}
	var in struct {
		Kind     string            `json:"connector"`
		Settings map[string]string `json:"settings"`
		Try      bool              `json:"try"`
		DryRun   bool              `json:"dry_run"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	e := SystemEntry{Kind: in.Kind, Name: r.PathValue("name"), Values: map[string]string{}, By: me(r).Name, Try: in.Try, Save: !in.DryRun}
	if list, err := p.opt.SystemForms.Systems(); err != nil {
		return speaking(err)
	} else if e.New = !slices.ContainsFunc(list, func(s SystemSet) bool { return s.Name == e.Name }); !e.New {
		f, err := p.opt.SystemForms.Form("", e.Name)
		if err != nil {
			return speaking(err)
		}
		for _, s := range f.Fields {
			e.Values[s.Name] = s.Value
		}
	}
	for k, v := range in.Settings {
		e.Values[k] = v
	}
	out, err := p.opt.SystemForms.Write(r.Context(), e)
	if err != nil {
		return speaking(err)
	}
	status, bad := http.StatusOK, out.Problem != "" || out.Faults > 0
	if bad {
		status = http.StatusUnprocessableEntity
	}
	return answerJSON(w, status, newAPISystemForm(out, e.Save && !bad))
}
