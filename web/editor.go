package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// editorView is a policy file as somebody writes it. What is in force stays; saving makes a proposal.
type editorView struct {
	Files    []link
	File     string
	Text     string
	Note     string
	New      bool
	ReadOnly bool // nothing can be proposed
	Judged   judgement
	Problem  *notice
	Title    string
}

// judgement is what a draft means, while it is written.
type judgement struct {
	Idle    bool // nothing was changed yet
	Faults  []faultRow
	Errors  int
	Summary string
	Shifts  []shiftRow
	More    int
	Moved   []pair  // policies, and for how many they hold
	Reads   *letter // the message as somebody made up would get it
}

type faultRow struct {
	State state
	Line  int
	Text  string
	Hint  string
}

type shiftRow struct {
	Key                    string
	Thing                  string // what pages call it
	Gain, Lose, Alter, Ask string
	Names                  string
	By                     string
}

const shownShifts = 50

func (p *portal) editPolicy(w http.ResponseWriter, r *http.Request) error {
	files, err := p.flow.PolicyFiles(r.Context())
	if err != nil {
		return err
	}
	v := editorView{File: r.URL.Query().Get("file"), Judged: judgement{Idle: true}}
	names := policyFileNames(files)
	if v.File == "" && len(names) > 0 {
		v.File = names[0]
	}
	text, ok := files[v.File]
	v.Text, v.New = text, !ok
	switch begun, err := p.beginning(r.Context(), v.File); {
	case err != nil:
		return err
	case v.New && begun != "":
		v.Text, v.New = begun, false
	case v.New && v.File != "new":
		return fmt.Errorf("there is no policy file %q: %w", v.File, dayone.ErrNotFound)
	case v.New:
		v.File, v.Text = "policies/new.yaml", newPolicyText
	}
	return p.showEditor(w, r, http.StatusOK, v, names)
}

// beginning is what a file that is not there yet begins with: a message with the built-in text. "": nothing is begun there.
func (p *portal) beginning(ctx context.Context, file string) (string, error) {
	if file == policy.HolidaysFile {
		return policy.Holidays{}.String(), nil
	}
	name, ok := templateOf(file)
	if !ok {
		return "", nil
	}
	t, err := p.flow.MessageTemplate(ctx, name)
	if errors.Is(err, dayone.ErrNotFound) {
		return newTemplateText, nil
	}
	return t.Text, err
}

// templateOf is the name of the message whose file this is.
func templateOf(file string) (string, bool) {
	name, is := strings.CutPrefix(file, "templates/")
	name, txt := strings.CutSuffix(name, ".txt")
	return name, is && txt && name != "" && !strings.ContainsAny(name, "/\\")
}

// newTemplateText is what a message of the company's own begins with.
const newTemplateText = "Subject: Hello {{.Person.First}}\n\nWrite here what {{.Company}} has to say.\n"

// newPolicyText is what an empty file begins with.
const newPolicyText = `policies:
  - id: my-policy
    title: What it is for
    owner: team@company.com
    match: {department: Sales}
    grant:
      - {to: okta/account}
`

func policyFileNames(files map[string]string) []string {
	var out []string
	for name := range files {
		if strings.HasPrefix(name, "policies/") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (p *portal) showEditor(w http.ResponseWriter, r *http.Request, status int, v editorView, names []string) error {
	pg := page{Template: "editor", Title: "Edit policies", Nav: "policies", Crumbs: []link{{"Policies", "/policies"}, {"Edit", ""}}}
	name, message := templateOf(v.File)
	switch {
	case message:
		v.Title, pg.Title, pg.Nav, pg.Crumbs = "Edit message "+name, "Edit message "+name, "settings", []link{{"Settings", "/settings"}, {"Messages", "/settings/templates"}, {name, "/settings/templates/" + name}, {"Edit", ""}}
	case v.File == policy.HolidaysFile || v.File == "sites.yaml":
		v.Title, pg.Title, pg.Nav, pg.Crumbs = "Edit "+v.File, "Edit "+v.File, "settings", []link{{"Settings", "/settings"}, {"Calendars", "/settings/calendars"}, {"Edit", ""}}
	default:
		v.Title = "Edit policies"
		for _, n := range names {
			v.Files = append(v.Files, link{n, "/policies/edit?file=" + n})
		}
	}
	v.ReadOnly = !p.shows(r, "POST /policies/propose")
	pg.Main = v
	return p.show(w, r, status, pg)
}

// judgePolicy answers while somebody types.
func (p *portal) judgePolicy(w http.ResponseWriter, r *http.Request) error {
	file, text, err := draftOf(r)
	if err != nil {
		return err
	}
	d, err := p.flow.JudgeFile(r.Context(), file, text)
	if err != nil && dayone.KindOf(err) == nil {
		return err
	}
	v := newJudgement(d, file)
	if err != nil {
		v = judgement{Errors: 1, Faults: []faultRow{{State: faultState(policy.Error), Text: plainError(err)}}}
	}
	if name, is := templateOf(file); is && v.Errors == 0 && strings.TrimSpace(text) != "" {
		if read, err := p.flow.PreviewMessage(r.Context(), name, text, ""); err == nil {
			v.Reads = newLetter(read)
		}
	}
	p.part(w, r, http.StatusOK, "judgement", v)
	return nil
}

func draftOf(r *http.Request) (file, text string, err error) {
	if err := r.ParseForm(); err != nil {
		return "", "", fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	return strings.TrimSpace(r.PostForm.Get("file")), strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n"), nil
}

func faultState(s policy.Severity) state {
	if s == policy.Error {
		return state{Icon: "x", Class: "s-fail", Text: "Error"}
	}
	return state{Icon: "warn", Class: "s-wait", Text: "Warning"}
}

// newJudgement shows what a draft of a file means. Faults elsewhere say where.
func newJudgement(d flow.Draft, file string) judgement {
	var v judgement
	for _, x := range d.Diagnostics {
		row := faultRow{State: faultState(x.Severity), Line: x.Line, Text: sentence(x.Message), Hint: sentence(x.Hint)}
		if file != "" && x.File != file {
			row.Text = x.File + ": " + row.Text
		}
		if x.Severity == policy.Error {
			v.Errors++
		}
		v.Faults = append(v.Faults, row)
	}
	slices.SortStableFunc(v.Faults, func(a, b faultRow) int { return cmp.Compare(b.State.Class, a.State.Class) })
	if d.Set == nil {
		v.Faults = slices.DeleteFunc(v.Faults, func(f faultRow) bool { return f.State.Class != "s-fail" })
		return v
	}
	slices.SortFunc(v.Faults, func(a, b faultRow) int {
		return cmp.Or(cmp.Compare(a.State.Class, b.State.Class), cmp.Compare(a.Line, b.Line))
	})
	gain, lose, alter := 0, 0, 0
	for _, k := range d.Impact.Keys {
		g, l, a := int(k.Gain.GetCardinality()), int(k.Lose.GetCardinality()), int(k.Alter.GetCardinality())
		gain, lose, alter = gain+g, lose+l, alter+a
		if len(v.Shifts) == shownShifts {
			v.More++
			continue
		}
		names := d.Names[k.Key]
		some := slices.Concat(names.Gain, names.Lose, names.Alter)
		if len(some) > 4 {
			some = append(some[:4], "...")
		}
		v.Shifts = append(v.Shifts, shiftRow{
			Key: k.Key.String(), Gain: signed("+", g), Lose: signed("\u2212", l), Alter: signed("~", a), Ask: signed("", k.Asks), Names: strings.Join(some, ", "), By: strings.Join(k.By, ", "),
		})
	}
	for _, s := range d.Impact.Policies {
		v.Moved = append(v.Moved, pair{Name: s.ID, Value: fmt.Sprintf("%s: holds for %s, was %s (+%s \u2212%s)", s.Change, thousands(s.After), thousands(s.Before), thousands(s.Joins), thousands(s.Leaves))})
	}
	n := int(d.Impact.Affected.GetCardinality())
	switch {
	case len(d.Impact.Keys) == 0 && len(v.Moved) == 0:
		v.Summary = fmt.Sprintf("Nothing changes for any of %s people.", thousands(d.Impact.People))
	default:
		v.Summary = fmt.Sprintf("%s of %s people: %s to grant, %s to revoke, %s to change.", thousands(n), thousands(d.Impact.People), thousands(gain), thousands(lose), thousands(alter))
	}
	return v
}

// proposePolicy keeps what was written. It is not in force until somebody else applies its plan.
func (p *portal) proposePolicy(w http.ResponseWriter, r *http.Request) error {
	file, text, err := draftOf(r)
	if err != nil {
		return err
	}
	note := strings.TrimSpace(r.PostForm.Get("note"))
	_, err = p.flow.Propose(r.Context(), file, text, me(r).Name, note)
	var broken *flow.BrokenPolicies
	if err == nil {
		http.Redirect(w, r, "/policies?said=proposed", http.StatusSeeOther)
		return nil
	}
	if dayone.KindOf(err) == nil {
		return err
	}
	files, ferr := p.flow.PolicyFiles(r.Context())
	if ferr != nil {
		return ferr
	}
	v := editorView{File: file, Text: text, Note: note, Problem: &notice{Kind: "bad", Icon: "x", Title: "It was not saved", Text: plainError(err)}}
	if errors.As(err, &broken) {
		v.Judged = newJudgement(flow.Draft{Diagnostics: broken.Diagnostics}, file)
	} else {
		v.Judged.Idle = true
	}
	return p.showEditor(w, r, http.StatusUnprocessableEntity, v, policyFileNames(files))
}

// plainError is an error without the word for its kind.
func plainError(err error) string {
	text := err.Error()
	if kind := dayone.KindOf(err); kind != nil {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	first, size := utf8.DecodeRuneInString(text)
	if text = string(unicode.ToUpper(first)) + text[size:]; strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}
