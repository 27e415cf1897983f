package web

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// A toast says what an act has done, on the page to which it led, and takes it back where that can be done by one click. It
// stands there until somebody leaves the page or closes it: nobody has to be quick.

type toast struct {
	State state
	Undo  *act
	Close string // the page without it; "": it cannot be closed
}

// takeBack is what takes an act back: the address that does so anyway, and what is sent there.
type takeBack struct {
	Action string            `json:"a"`
	Fields map[string]string `json:"f,omitempty"`
	At     int64             `json:"t"` // when it was offered
}

// undoFor is how long an address offers it. What it leads to decides by itself whether it still can.
const undoFor = 12 * time.Hour

// said leads to a page that says what was done, with what takes it back. The offer is signed for whoever is to read it: an
// address that somebody else made offers nothing.
func (p *portal) said(w http.ResponseWriter, r *http.Request, to, word string, back *takeBack) {
	q := url.Values{"said": {word}}
	if back != nil {
		back.At = p.now().Unix()
		raw, err := json.Marshal(back)
		if err != nil {
			panic("web: an offer that cannot be marshalled: " + err.Error())
		}
		offer := base64.RawURLEncoding.EncodeToString(raw)
		q.Set("undo", offer+"."+p.flow.Keeper.Token(offerThing(r, offer)))
	}
	http.Redirect(w, r, to+"?"+q.Encode(), http.StatusSeeOther)
}

func offerThing(r *http.Request, offer string) string {
	return "undo offered to " + me(r).Name + " " + offer
}

// toastOf says what an act that redirected here has done. Only words of the catalogue: an address cannot put others here.
func (p *portal) toastOf(r *http.Request) *toast {
	q := r.URL.Query()
	text, ok := toasts[q.Get("said")]
	if !ok {
		return nil
	}
	if p.spent.has(q.Get("undo"), p.now()) { // what it says was taken back since
		return nil
	}
	t := &toast{State: state{Icon: "check", Class: "s-done", Text: text}, Undo: p.offered(r, q.Get("undo"))}
	q.Del("said")
	q.Del("undo")
	t.Close = address(r.URL.Path, q)
	return t
}

func (p *portal) offered(r *http.Request, text string) *act {
	offer, sign, ok := strings.Cut(text, ".")
	if !ok || p.flow == nil || !p.flow.Keeper.Verify(offerThing(r, offer), sign) {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(offer)
	var back takeBack
	if err != nil || json.Unmarshal(raw, &back) != nil || p.now().Sub(time.Unix(back.At, 0)) > undoFor {
		return nil
	}
	out := &act{Text: "Undo", Action: back.Action, Hidden: []link{{offerField, text}}}
	names := make([]string, 0, len(back.Fields))
	for name := range back.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out.Hidden = append(out.Hidden, link{name, back.Fields[name]})
	}
	return out
}

// offerField carries an offer along with what takes the act back, so that it is not made again.
const offerField = "offer"

// spent are offers that somebody has taken up, by when. A restart forgets them: then what an offer leads to refuses by itself.
type spent struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (s *spent) has(offer string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, is := s.at[offer]
	return is && now.Sub(at) <= undoFor
}

// take notes an offer. One that is too old to be made is forgotten.
func (s *spent) take(offer string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[string]time.Time{}
	}
	maps.DeleteFunc(s.at, func(_ string, at time.Time) bool { return now.Sub(at) > undoFor })
	s.at[offer] = now
}

// takenUp carries out what takes an act back, and remembers the offer once it has.
func (p *portal) takenUp(w http.ResponseWriter, r *http.Request, h handler) error {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return h(w, r)
	}
	if err := r.ParseForm(); err != nil {
		return h(w, r) // which says so
	}
	offer := r.PostForm.Get(offerField)
	err := h(w, r)
	to := w.Header().Get("Location")
	if err != nil || to == "" || strings.Contains(to, "undo=") || p.offered(r, offer) == nil { // refused, or nothing was there yet to be taken back
		return err
	}
	p.spent.take(offer, p.now())
	return nil
}

// because are the fields of an address that wants a reason.
func because() map[string]string { return map[string]string{"reason": textUndone} }

// undoPick ends all requests that a wizard's start has made. What cannot be ended any more is said; the rest is. The run that a
// start has begun is taken back as any other, from its own page, with a look at what that means.
func (p *portal) undoPick(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.Person(r.Context(), id); err != nil {
		return err
	}
	standing, err := p.flow.Requests(r.Context(), id)
	if err != nil {
		return err
	}
	var faults []error
	asked := strings.Fields(r.PostFormValue("requests"))
	slices.Reverse(asked) // what needs another comes after it
	for _, q := range asked {
		if !slices.ContainsFunc(standing, func(x dayone.Request) bool { return string(x.ID) == q }) {
			continue
		}
		_, err := p.flow.EndRequest(r.Context(), dayone.RequestID(q), me(r).Name, textUndone)
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return told(err)
	}
	began, err := time.Parse(time.RFC3339Nano, r.PostFormValue("began"))
	if err != nil {
		p.said(w, r, "/onboard/"+string(id)+"/result", "start-undone", nil)
		return nil
	}
	runs, err := p.flow.Runs(r.Context(), flow.RunFilter{Person: id, Limit: 1})
	if err != nil {
		return err
	}
	if len(runs) == 0 || runs[0].Started.Before(began) {
		p.said(w, r, "/onboard/"+string(id)+"/result", "not-begun", pickUndo(id, nil, began))
		return nil
	}
	http.Redirect(w, r, "/runs/"+string(runs[0].ID)+"/undo", http.StatusSeeOther)
	return nil
}

// pickUndo takes back what a start has asked for, and the run that it has begun since; nil: it did neither.
func pickUndo(id dayone.PersonID, rs []dayone.Request, began time.Time) *takeBack {
	var ids []string
	for _, q := range rs {
		ids = append(ids, string(q.ID))
	}
	fields := map[string]string{}
	if len(ids) > 0 {
		fields["requests"] = strings.Join(ids, " ")
	}
	if !began.IsZero() {
		fields["began"] = began.Format(time.RFC3339Nano)
	}
	if len(fields) == 0 {
		return nil
	}
	return &takeBack{Action: "/onboard/" + string(id) + "/undo", Fields: fields}
}
