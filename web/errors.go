package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Kinds of our own, beside those of the nouns.
var (
	errMisdirected = errors.New("misdirected")
	errMethod      = errors.New("method not allowed")
	errTooLarge    = errors.New("too large")
	errTooSlow     = errors.New("too slow")
)

// answer is how a kind of error is told.
type answer struct {
	kind        error
	status      int
	title, text string
	next        string // what to do
}

// answers is the one table from kinds of errors to HTTP statuses and to words. What an error says itself is for
// operators and stays in the log, beside the id that the answer shows.
var answers = []answer{
	{errMisdirected, http.StatusMisdirectedRequest, "Wrong address", "This server answers under another name.", "Use the address that IT gave you."},
	{errMethod, http.StatusMethodNotAllowed, "Not like this", "This address is there, but it takes another kind of request.", "Go back and use the page's own buttons."},
	{errTooLarge, http.StatusRequestEntityTooLarge, "Too much at once", "The request is larger than this address takes.", "Send less at once."},
	{errTooSlow, http.StatusRequestTimeout, "Too slow", "The request did not arrive as a whole in time.", "Try again; if it happens again, look at the connection."},
	{dayone.ErrNotFound, http.StatusNotFound, "Nothing is here", "The address may be mistyped, or what it showed is gone.", "Find it from the dashboard, or by name."},
	{dayone.ErrInvalid, http.StatusBadRequest, "This cannot be understood", "Something in the request is not as it must be.", "Go back and check what was entered."},
	{dayone.ErrConflict, http.StatusConflict, "It changed in the meantime", "Somebody or something was faster, so this was not done.", "Load the page again and look at what is so now."},
	{dayone.ErrForbidden, http.StatusForbidden, "Not for you", "This is not open to you.", "Ask IT if you need it."},
	{dayone.ErrAuth, http.StatusUnauthorized, "Not signed in", "This needs a login.", "Sign in and try again."},
	{dayone.ErrThrottled, http.StatusTooManyRequests, "Too many requests", "Too much was asked in a short time.", "What was asked for was not done."},
	{dayone.ErrUnavailable, http.StatusServiceUnavailable, "Not available now", "Something that is needed for this does not answer. Runs go on by themselves when it is back.", "Try again in a minute."},
	{dayone.ErrNotYet, http.StatusServiceUnavailable, "Not yet", "This is not ready yet.", "Try again in a minute."},
	{dayone.ErrNoSeat, http.StatusConflict, "No seat is free", "A licence is missing for this.", "Free a seat or buy one."},
	{dayone.ErrUnsupported, http.StatusNotImplemented, "Not possible here", "The system behind this cannot do it.", "Do it by hand."},
	{dayone.ErrDryRun, http.StatusConflict, "Dry run", "Nothing may be written there.", "Switch the dry run off first."},
	{nil, http.StatusInternalServerError, "This page could not be built", "Runs go on, nothing is lost.", "Load it again. If it happens again, tell IT the number below."},
}

// answerTo finds the words for an error.
func answerTo(err error) answer {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = errTooLarge
	}
	for _, a := range answers {
		if a.kind != nil && errors.Is(err, a.kind) {
			return a
		}
	}
	return answers[len(answers)-1]
}

// badForm is a form that cannot be read: whoever sent it was no page of ours, or sent too much.
func badForm(err error) error { return fmt.Errorf("%w: %w", err, dayone.ErrInvalid) }

// refusal is an error whose text was written for people.
type refusal struct {
	kind error
	text string
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

// refuse says no in words of the catalogue.
func refuse(kind error, text string) error { return &refusal{kind, text} }

type errorView struct {
	Title, Text, Next, ID string
	Again                 string // its own address, where loading it anew may help
	Home                  bool   // offer the dashboard
	Page                  bool   // it is all there is
}

// problem is an error for a program, by RFC 9457; error says the same as it was said before there were problems here.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Error  struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
		ID      string `json:"id"`
	} `json:"error"`
}

func newProblem(a answer, text, id string) problem {
	kind := kindName(a)
	out := problem{Type: "urn:dayone:problem:" + strings.ReplaceAll(kind, " ", "-"), Title: a.title, Status: a.status, Detail: text}
	out.Error.Kind, out.Error.Message, out.Error.ID = kind, text, id
	return out
}

// fail answers with an error: a page, a fragment or JSON, each with an id that the log knows.
func (p *portal) fail(w http.ResponseWriter, r *http.Request, err error) {
	a := answerTo(err)
	id := p.ids.New("req")
	text := a.text
	var said *refusal
	switch {
	case errors.As(err, &said):
		text = said.text
	case forWhoAsks(r, err):
		text = sentence(flow.Problem(err)) + "."
	}
	level := p.log.Info
	if floodable(r, err) && p.limits.strangers.guess("log", floods) > 0 { // whoever floods us fills no disk
		level = p.log.Debug
		if n := p.limits.unlogged.one(p.now()); n > 0 {
			p.log.Warn("requests were refused that the log does not name one by one", "count", n)
		}
	}
	if a.status >= http.StatusInternalServerError && !errors.Is(a.kind, dayone.ErrUnsupported) { // which is no fault
		level = p.log.Error
	}
	level("request failed", "id", id, "method", r.Method, "path", logPath(r.URL.Path), "status", a.status, "error", err)
	if rec, ok := w.(*sent); ok && rec.begun {
		return
	}
	if isAPI(r) {
		if a.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="dayone"`)
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(a.status)
		_ = json.NewEncoder(w).Encode(newProblem(a, text, id))
		return
	}
	_, in := p.access.session(r)
	v := errorView{Title: a.title, Text: heard(p.viewerOf(r), text), Next: a.next, ID: id, Home: in}
	if isFragment(r) {
		p.part(w, r, a.status, "error", v)
		return
	}
	v.Page = true
	if a.kind == nil && r.Method == http.MethodGet {
		v.Again = r.URL.RequestURI()
	}
	if shown := p.show(w, r, a.status, page{Template: "error", Title: a.title, Plain: !in || publicPath(r.URL.Path), Main: v}); shown != nil {
		p.log.Error("an error page could not be built", "id", id, "error", shown)
		http.Error(w, a.title+" ("+id+")", a.status)
	}
}

// floodable says that a stranger may cause an error as often as he likes: too much, a wrong signature, a wrong token.
func floodable(r *http.Request, err error) bool {
	return errors.Is(err, dayone.ErrThrottled) || errors.Is(err, dayone.ErrAuth) && (area(r.URL.Path) == "hook" || bearer(r))
}

// heard is a refusal as the reader's language has it; some were made where nobody knows who reads them.
func heard(view viewer, text string) string {
	if out := view.in.Heard(text); out != text {
		return view.withNames(out)
	}
	bare := lowerFirst(strings.TrimSuffix(text, "."))
	if out := view.in.Heard(bare); out != bare {
		return view.withNames(sentence(out)) + "."
	}
	return view.withNames(text)
}

// forWhoAsks says that an error was written for whoever asked: what flow refuses of what somebody entered names nobody and
// says what to do. What senders of events sent stays in the log.
func forWhoAsks(r *http.Request, err error) bool {
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		return false
	}
	switch dayone.KindOf(err) {
	case dayone.ErrInvalid, dayone.ErrForbidden, dayone.ErrConflict:
		return true
	}
	return false
}

func kindName(a answer) string {
	if a.kind == nil {
		return "internal"
	}
	return a.kind.Error()
}

func isAPI(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/hooks/") || r.URL.Path == "/metrics"
}

// publicPath says that a page is for people who have no login.
func publicPath(path string) bool {
	return strings.HasPrefix(path, "/secret/") || strings.HasPrefix(path, "/progress/") || strings.HasPrefix(path, "/prehire/") || strings.HasPrefix(path, "/setup/") || path == "/login"
}

// logPath leaves out the part of a path that opens something.
func logPath(path string) string {
	if rest, ok := strings.CutPrefix(path, "/secret/"); ok && rest != "" {
		return "/secret/[redacted]"
	}
	if rest, ok := strings.CutPrefix(path, "/prehire/"); ok && rest != "" {
		return "/prehire/[redacted]"
	}
	if rest, ok := strings.CutPrefix(path, "/setup/"); ok && rest != "" {
		return "/setup/[redacted]"
	}
	if rest, ok := strings.CutPrefix(path, "/progress/"); ok {
		person, _, _ := strings.Cut(rest, "/")
		return "/progress/" + person + "/[redacted]"
	}
	if before, rest, ok := strings.Cut(path, "/numbers/"); ok && (before == "" || before == "/api/v1") {
		if number, more, _ := strings.Cut(rest, "/"); strings.ContainsAny(number, "+:0123456789") { // somebody's
			return strings.TrimSuffix(before+"/numbers/[redacted]/"+more, "/")
		}
	}
	return path
}

// fault is an error that is to be told: what is not there, or not for whoever looks, is left out of a page.
func fault(err error) error {
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrForbidden) {
		return nil
	}
	return err
}
