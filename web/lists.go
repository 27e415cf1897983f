package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Lists of systems that nothing can call: how the one that counts stands, and a place to bring another.

type listView struct {
	Title, Sentence, Path, Zone string
	Catalogue                   bool // the last one that was brought listed what is offered
	State, Changes              []pair
	Result, Problem             *notice
}

func newList(view viewer, l flow.SystemList) listView {
	return listView{
		Title: l.Title, Path: "/systems/" + l.System + "/list", Zone: view.zone.String(), State: listPairs(view, l),
		Sentence: "Nothing can call this system: people do what is to be done there, and it is read from the list that they bring.",
	}
}

// listPairs say of when a list is, and what is wrong with it.
func listPairs(view viewer, l flow.SystemList) []pair {
	if l.Problem != "" {
		return []pair{{Name: "List", Value: sentence(l.Problem) + "."}}
	}
	out := []pair{{Name: "List of", At: view.at(l.At)}, {Name: "Accounts in it", Value: view.number(l.Accounts)}}
	if l.Stale {
		out = append(out, pair{Name: "Too old", Value: view.say("It is believed for %s. Nothing is read from it, and a leaver cannot be checked.", l.GoodFor())})
	}
	return out
}

func (p *portal) list(w http.ResponseWriter, r *http.Request) error {
	l, err := p.flow.ListOf(r.Context(), r.PathValue("system"))
	if err != nil {
		return speaking(err)
	}
	return p.showList(w, r, http.StatusOK, newList(p.viewerOf(r), l))
}

func (p *portal) showList(w http.ResponseWriter, r *http.Request, status int, v listView) error {
	return p.show(w, r, status, page{Template: "list", Title: "List of " + v.Title, Nav: "systems", Crumbs: []link{{"Systems", "/systems"}, {v.Title, ""}}, Main: v})
}

// bringList takes the form of the page. What is wrong with a list is said above it.
func (p *portal) bringList(w http.ResponseWriter, r *http.Request) error {
	b := flow.Bringing{System: r.PathValue("system"), By: me(r).Name}
	if _, err := p.flow.ListOf(r.Context(), b.System); err != nil {
		return speaking(err)
	}
	if err := only(r, "do", "smaller", "what", "at"); err != nil {
		return err
	}
	raw, err := p.listForm(r, &b)
	var got flow.Brought
	if err == nil {
		got, err = p.flow.Bring(r.Context(), raw, b)
	}
	if err != nil && !errors.Is(err, dayone.ErrInvalid) && !errors.Is(err, dayone.ErrConflict) && !errors.Is(err, dayone.ErrDryRun) {
		return err
	}
	l, bad := p.flow.ListOf(r.Context(), b.System)
	if bad != nil {
		return bad
	}
	v := newList(p.viewerOf(r), l)
	v.Catalogue = b.Catalogue
	if err != nil {
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: "The list was not taken", Text: sentence(plainly(err)) + "."}
		return p.showList(w, r, http.StatusUnprocessableEntity, v)
	}
	v.Result, v.Changes = listResult(p.viewerOf(r), got, b.Dry), listChanges(p.viewerOf(r), got)
	return p.showList(w, r, http.StatusOK, v)
}

func (p *portal) listForm(r *http.Request, b *flow.Bringing) ([]byte, error) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return nil, fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	if do := r.FormValue("do"); do != "check" && do != "take" {
		return nil, fmt.Errorf("say whether it is only checked or taken: %w", dayone.ErrInvalid)
	}
	b.Dry, b.Smaller, b.Catalogue = r.FormValue("do") == "check", r.FormValue("smaller") != "", r.FormValue("what") == "catalogue"
	if text := r.FormValue("at"); text != "" {
		at, err := time.ParseInLocation("2006-01-02T15:04", text, p.viewerOf(r).zone)
		if err != nil {
			return nil, fmt.Errorf("enter day and time, as 2025-01-31 22:00: %w", dayone.ErrInvalid)
		}
		b.At = at
	}
	f, _, err := r.FormFile("list")
	if err != nil {
		return nil, fmt.Errorf("choose a file: %w", dayone.ErrInvalid)
	}
	defer f.Close()
	return io.ReadAll(f)
}

func listResult(view viewer, got flow.Brought, dry bool) *notice {
	if dry {
		return &notice{Kind: "good", Icon: "check", Title: "The list is right", Text: "It was only checked; the one before still counts."}
	}
	n := &notice{Kind: "good", Icon: "check", Title: "The list is taken", Text: "It counts from now on."}
	if got.Done > 0 {
		n.Text = view.label("It counts from now on.") + " " + view.plural(got.Done, "1 task that it shows to be done is completed.", "%d tasks that it shows to be done are completed.")
	}
	return n
}

// listChanges name the first of what differs.
func listChanges(view viewer, got flow.Brought) []pair {
	out := []pair{{Name: "Lines", Value: view.say("%d, %d before", got.Rows, got.Were)}}
	for _, c := range []struct {
		name string
		ids  []string
	}{{"New", got.New}, {"Changed", got.Changed}, {"Missing", got.Missing}} {
		text := strconv.Itoa(len(c.ids))
		if len(c.ids) > 0 {
			text += ": " + strings.Join(c.ids[:min(len(c.ids), 10)], ", ")
		}
		if len(c.ids) > 10 {
			text += ", ..."
		}
		out = append(out, pair{Name: c.name, Value: text})
	}
	return out
}

// ---- API ----

type apiSystemList struct {
	System   string     `json:"system"`
	Title    string     `json:"title"`
	At       *time.Time `json:"as_of,omitempty"`
	Accounts int        `json:"accounts"`
	Good     string     `json:"believed_for"`
	Stale    bool       `json:"stale"`
	Problem  string     `json:"problem,omitempty"`
}

type apiListBrought struct {
	Kept    bool     `json:"kept"`
	Rows    int      `json:"rows"`
	Before  int      `json:"before"`
	New     []string `json:"new"`
	Changed []string `json:"changed"`
	Missing []string `json:"missing"`
	Done    int      `json:"tasks_done"`
}

func (p *portal) apiList(w http.ResponseWriter, r *http.Request) error {
	l, err := p.flow.ListOf(r.Context(), r.PathValue("system"))
	if err != nil {
		return outspoken(err)
	}
	return answerJSON(w, http.StatusOK, apiSystemList{l.System, l.Title, moment(l.At), l.Accounts, l.GoodFor(), l.Stale, l.Problem})
}

func (p *portal) apiBringList(w http.ResponseWriter, r *http.Request) error {
	b := flow.Bringing{System: r.PathValue("system"), By: me(r).Name}
	q := r.URL.Query()
	for name, to := range map[string]*bool{"dry_run": &b.Dry, "smaller": &b.Smaller, "catalogue": &b.Catalogue} {
		v, err := strconv.ParseBool(q.Get(name))
		if err != nil && q.Get(name) != "" {
			return refuse(dayone.ErrInvalid, fmt.Sprintf("%s is true or false.", name))
		}
		*to = v
	}
	if text := q.Get("as_of"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return refuse(dayone.ErrInvalid, "as_of is an instant, such as 2025-01-31T22:00:00Z.")
		}
		b.At = at
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("reading the list: %w", tooLarge(err))
	}
	got, err := p.flow.Bring(r.Context(), raw, b)
	if err != nil {
		return outspoken(err)
	}
	list := func(ids []string) []string { return append([]string{}, ids...) }
	return answerJSON(w, http.StatusOK, apiListBrought{!b.Dry, got.Rows, got.Were, list(got.New), list(got.Changed), list(got.Missing), got.Done})
}

// outspoken lets flow say itself what is wrong with a list.
func outspoken(err error) error {
	for _, kind := range []error{dayone.ErrNotFound, dayone.ErrInvalid, dayone.ErrConflict, dayone.ErrUnsupported, dayone.ErrUnavailable, dayone.ErrDryRun} {
		if errors.Is(err, kind) {
			return refuse(kind, sentence(plainly(err))+".")
		}
	}
	return err
}
