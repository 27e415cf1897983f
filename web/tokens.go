package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// issued is whom a token lets in that was made here.
func (p *portal) issued(ctx context.Context, text string) (who, bool) {
	t, err := p.flow.Holder(ctx, text)
	if err != nil {
		if !errors.Is(err, dayone.ErrAuth) {
			p.log.Error("whose a token is cannot be read", "error", err)
		}
		return who{}, false
	}
	return who{t.Name, t.Role, t.Role.In(p.knows()), scoped(t.Reach), false}, true
}

// knows are the roles that may know what is confidential.
func (p *portal) knows() []dayone.Role {
	if p.opt.Discreet != nil {
		return p.opt.Discreet
	}
	return discreet
}

type tokensView struct {
	Rows    []item
	Empty   *empty
	Fields  []field
	Problem *notice
	Made    string // shown once, in this answer only
	Name    string
}

func (p *portal) tokens(w http.ResponseWriter, r *http.Request) error {
	return p.showTokens(w, r, http.StatusOK, tokensView{})
}

func (p *portal) showTokens(w http.ResponseWriter, r *http.Request, status int, v tokensView) error {
	list, err := p.flow.Tokens(r.Context())
	if err != nil {
		return err
	}
	left, err := p.makersGone(r.Context(), list)
	if err != nil {
		return err
	}
	view := p.viewerOf(r)
	for _, t := range list {
		v.Rows = append(v.Rows, tokenItem(view, t, left[t.By]))
	}
	if len(list) == 0 {
		v.Empty = &empty{Icon: "lock", Title: "No tokens yet", Text: "Programs that call the API need one each: then records tell them apart, and one can be taken back without the others."}
	}
	v.Fields = append(tokenFields(p.viewerOf(r), r.PostFormValue("name"), r.PostFormValue("role"), r.PostFormValue("days")), reachFields(r)...)
	return p.show(w, r, status, page{Template: "tokens", Title: "API tokens", Nav: "sessions", Crumbs: []link{{"Sessions", "/sessions"}, {"API tokens", ""}}, Main: v})
}

// makersGone says of those who made tokens who has left: their tokens work on, because programs need them.
func (p *portal) makersGone(ctx context.Context, list []dayone.APIToken) (map[string]bool, error) {
	out := map[string]bool{}
	for _, t := range list {
		if _, known := out[t.By]; known {
			continue
		}
		gone, err := p.flow.Gone(ctx, t.By)
		if err != nil {
			return nil, err
		}
		out[t.By] = gone
	}
	return out, nil
}

func tokenItem(view viewer, t dayone.APIToken, left bool) item {
	it := item{State: &state{Icon: "check", Class: "s-done", Text: "Works"}, Title: link{Text: t.Name}}
	used := view.label("never used")
	if !t.Used.IsZero() {
		used = view.say("used %s", view.at(t.Used).Text)
	}
	it.Meta = view.say(textToken, withReach(view, t), t.By, view.date(t.Made).Text, view.date(t.Expires).Text, used)
	switch {
	case !t.Ended.IsZero() && t.EndedBy != "":
		it.State = &state{Icon: "x", Class: "s-skip", Text: "Ended"}
		it.Next = view.say(textTokenEnded, t.EndedBy, view.date(t.Ended).Text)
	case !t.Opens(view.now):
		it.State = &state{Icon: "clock", Class: "s-skip", Text: "Expired"}
	default:
		it.Acts = []act{{Text: "End", Action: "/tokens/" + t.ID + "/end"}}
		if t.Expires.Sub(view.now) < 14*24*time.Hour {
			it.State = &state{Icon: "clock", Class: "s-wait", Text: "Expires soon"}
		}
		if left {
			it.Next = view.label(textTokenLeft)
		}
	}
	return it
}

// withReach is a token's role, and how far it reaches.
func withReach(view viewer, t dayone.APIToken) string {
	role := view.label(roleTitles[t.Role])
	if t.Reach.Whole() {
		return role
	}
	return fmt.Sprintf(textRoleFor, role, t.Reach)
}

// reachFields are how far a role reaches, as it was typed.
func reachFields(r *http.Request) []field {
	return []field{
		{ID: "countries", Name: "countries", Label: "Countries", Hint: "Two letters each, such as DE, AT. Empty: all", Type: "text", Value: r.PostFormValue("countries")},
		{ID: "companies", Name: "companies", Label: "Companies", Hint: "Legal entities as HR calls them, with commas between. Empty: all", Type: "text", Value: r.PostFormValue("companies")},
		{ID: "systems", Name: "systems", Label: "Systems", Hint: "As the configuration names them. Empty: all", Type: "text", Value: r.PostFormValue("systems")},
	}
}

func reachOf(r *http.Request) dayone.Reach {
	list := func(name string) (out []string) {
		typed := strings.TrimSpace(r.PostFormValue(name))
		if typed == "" {
			return nil
		}
		for x := range strings.SplitSeq(typed, ",") { // with nothing between two commas it is refused, not everything
			out = append(out, strings.TrimSpace(x))
		}
		return out
	}
	return dayone.Reach{Countries: list("countries"), Companies: list("companies"), Systems: list("systems")}
}

func tokenFields(view viewer, name, role, days string) []field {
	roles := field{ID: "role", Name: "role", Label: "Role", Hint: "What it may do, as for people"}
	for _, r := range dayone.Roles {
		// the auditor, who writes nothing, unless another was chosen
		roles.Options = append(roles.Options, option{Value: string(r), Text: view.label(roleTitles[r]), Selected: string(r) == cmp.Or(role, string(dayone.Auditor))})
	}
	return []field{
		{ID: "name", Name: "name", Label: "What uses it", Hint: "Goes into records, such as ticket-system", Type: "text", Required: true, Value: name},
		roles,
		{ID: "days", Name: "days", Label: "Days", Hint: fmt.Sprintf("Then it expires; at most %d", flow.TokenDaysMax), Type: "number", Required: true, Value: cmp.Or(days, strconv.Itoa(flow.TokenDays))},
	}
}

// makeToken answers with the page that shows it: it is in no address, and nowhere afterwards.
func (p *portal) makeToken(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	if err := only(r, "name", "role", "days", "countries", "companies", "systems"); err != nil {
		return err
	}
	days, err := strconv.Atoi(strings.TrimSpace(r.PostForm.Get("days")))
	if err != nil {
		days = 0
	}
	t, opens, err := p.makesToken(r, r.PostForm.Get("name"), dayone.Role(r.PostForm.Get("role")), reachOf(r), days)
	if errors.Is(err, dayone.ErrInvalid) || errors.Is(err, dayone.ErrConflict) {
		return p.showTokens(w, r, http.StatusUnprocessableEntity, tokensView{Problem: &notice{Kind: "bad", Icon: "x", Title: "It was not made", Text: p.viewerOf(r).problem(err) + "."}})
	}
	if err != nil {
		return err
	}
	return p.showTokens(w, r, http.StatusOK, tokensView{Made: opens.Reveal(), Name: t.Name})
}

func (p *portal) makesToken(r *http.Request, name string, role dayone.Role, reach dayone.Reach, days int) (dayone.APIToken, dayone.Secret, error) {
	if slices.ContainsFunc(p.access.keys, func(k key) bool { return strings.EqualFold(k.who.Name, strings.TrimSpace(name)) }) {
		return dayone.APIToken{}, dayone.Secret{}, fmt.Errorf("a login of the configuration has this name; call it otherwise: %w", dayone.ErrConflict)
	}
	return p.flow.MakeToken(r.Context(), name, role, reach, days, me(r).Name)
}

func (p *portal) endToken(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.EndToken(r.Context(), r.PathValue("id"), me(r).Name); err != nil && !errors.Is(err, dayone.ErrConflict) {
		return err
	}
	http.Redirect(w, r, "/tokens?said=token-ended", http.StatusSeeOther)
	return nil
}

type apiToken struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
	dayone.Reach
	Made    time.Time  `json:"made"`
	By      string     `json:"by"`
	Left    bool       `json:"by_left,omitempty"` // who made it has left
	Expires time.Time  `json:"expires"`
	Used    *time.Time `json:"used,omitempty"`
	Ended   *time.Time `json:"ended,omitempty"`
	Token   string     `json:"token,omitempty"` // once
}

func newAPIToken(t dayone.APIToken) apiToken {
	out := apiToken{ID: t.ID, Name: t.Name, Role: string(t.Role), Reach: t.Reach, Made: t.Made.UTC(), By: t.By, Expires: t.Expires.UTC()}
	if !t.Used.IsZero() {
		u := t.Used.UTC()
		out.Used = &u
	}
	if !t.Ended.IsZero() {
		e := t.Ended.UTC()
		out.Ended = &e
	}
	return out
}

func (p *portal) apiTokens(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Tokens(r.Context())
	if err != nil {
		return err
	}
	left, err := p.makersGone(r.Context(), list)
	if err != nil {
		return err
	}
	out := struct {
		Tokens []apiToken `json:"tokens"`
	}{[]apiToken{}}
	for _, t := range list {
		row := newAPIToken(t)
		row.Left = left[t.By]
		out.Tokens = append(out.Tokens, row)
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiMakeToken(w http.ResponseWriter, r *http.Request) error {
	if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer dayone_") { // else one that was stolen would live for ever
		return refuse(dayone.ErrForbidden, textTokenMakesToken)
	}
	in := struct {
		Name string `json:"name"`
		Role string `json:"role"`
		Days int    `json:"days"`
		dayone.Reach
	}{Days: flow.TokenDays}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	t, opens, err := p.makesToken(r, in.Name, dayone.Role(in.Role), in.Reach, in.Days)
	if err != nil {
		return err
	}
	out := newAPIToken(t)
	out.Token = opens.Reveal()
	return answerJSON(w, http.StatusCreated, out)
}

func (p *portal) apiEndToken(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.EndToken(r.Context(), r.PathValue("id"), me(r).Name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
