package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// progressView is the manager's page: made for a phone, in words of people who do not run systems.
type progressView struct {
	Name, First string
	Facts       string
	Starts      *stamp
	In          string
	State       state
	Sentence    string
	Bar         int // percent
	BarText     string
	Things      []thing
	Laptop      []thing
	Waits       []string // what she does herself on the first day
	Code        string
	CodeFrom    *stamp // not shown before
	Opens       *stamp
	Over        bool   // she works here already
	Missing     string // what the new hire was asked for and has not said
}

// thing is one line: what it is for, and whether it is there.
type thing struct {
	Icon        string
	Title, Note string
	System      string
	State       state
}

func (p *portal) progress(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("person")
	if !dayone.ValidID("per", id) {
		return dayone.ErrNotFound
	}
	got, err := p.flow.Progress(r.Context(), dayone.PersonID(id), r.PathValue("token"))
	if err != nil {
		return err
	}
	zone, _ := got.Look.Person.Location()
	v := newProgress(p.viewerOf(r), zone, got, p.connectors())
	if s, err := p.flow.PreHireOf(r.Context(), got.Look.Person); err == nil {
		v.Missing = p.viewerOf(r).labels(s.Missing)
	}
	return p.show(w, r, http.StatusOK, page{Template: "progress", Title: p.viewerOf(r).say("Onboarding of %s", v.Name), Plain: true, Phone: true, Main: v})
}

// newProgress tells times as they are where the new hire works: whoever reads it has no other zone here.
func newProgress(view viewer, zone *time.Location, got flow.Progress, connectors map[string]string) progressView {
	view = view.there(zone)
	first, _, _ := strings.Cut(got.Row.Name, " ")
	v := progressView{
		Name: got.Row.Name, First: cmp.Or(got.Look.Person.Attrs.Text("preferred_name"), got.Look.Person.Attrs.Text("first_name"), first), Facts: joined(", ", got.Row.Title, got.Row.Team),
		Starts: view.day(got.Row.Starts, zone), In: view.away(view.days(got.Row.Starts, zone)), Opens: view.timed(got.Opens, "15:04"), Over: got.Row.Status != dayone.PreHire,
	}
	if got.Opens.After(view.now) {
		v.Opens = view.at(got.Opens)
	}
	switch {
	case got.Code == "":
	case got.Shows.IsZero() || !view.now.Before(got.Shows):
		v.Code = got.Code
	default:
		v.CodeFrom = view.at(got.Shows)
	}
	failed := failedSystems(got.Run)
	v.Things = things(view, got, failed, connectors)
	var parcel string
	v.Laptop, parcel = laptop(view, got)
	ready, back, off := 0, 0, 0
	for _, t := range v.Things {
		back += btoi(t.State.Text == takenBack)
		off += btoi(t.State.Text == notAsItShould)
		ready += btoi(t.State.Class == "s-done" || t.State.Icon == "key")
		if t.State.Icon == "key" {
			v.Waits = append(v.Waits, t.Title)
		}
	}
	total := len(v.Things)
	if total > 0 {
		v.Bar = ready * 100 / total
	}
	v.BarText = view.say("%d of %d ready", ready, total)
	switch {
	case len(failed) > 0, got.Stuck:
		v.State, v.Sentence = state{Icon: "warn", Class: "s-wait", Text: "Not everything is ready yet"}, "IT is on it. You do not have to do anything about that."
	case off > 0:
		v.State, v.Sentence = state{Icon: "warn", Class: "s-wait", Text: "Not everything is as it should be"}, "IT has been told. You do not have to do anything about that."
	case back > 0:
		v.State, v.Sentence = state{Icon: "pause", Class: "s-wait", Text: takenBack}, backSentence
	case total == 0 && v.Over:
		v.State, v.Sentence = state{Icon: "dot", Text: "Not set up from here"}, "Nothing that was there before is listed here."
	case total == 0:
		v.State, v.Sentence = state{Icon: "dot", Text: "Not begun yet"}, "IT sets everything up in time. Look again closer to the first day."
	case ready < total:
		v.State, v.Sentence = state{Icon: "run", Class: "s-run", Text: "Being set up"}, "This goes on by itself."
	case parcel != "":
		v.State, v.Sentence = state{Icon: "check", Class: "s-done", Text: "Every account is ready"}, parcel
	case v.Over:
		v.State, v.Sentence = state{Icon: "check", Class: "s-done", Text: "Everything is ready"}, "Nothing is left to do."
	default:
		v.State, v.Sentence = state{Icon: "check", Class: "s-done", Text: "Ready for the first day"}, "Everything is prepared."
	}
	return v
}

// takenBack is how something looks that somebody undid: for as long as it is held nothing brings it about again.
const takenBack = "Taken back for now"

// notAsItShould is how something looks that its system showed otherwise than the books have it.
const notAsItShould = "Not as it should be"

const backSentence = "IT has taken something back for now, and looks at it again."

// failedSystems are those in which something did not work.
func failedSystems(run *dayone.Run) map[string]bool {
	out := map[string]bool{}
	if run == nil {
		return out
	}
	for i := range run.Steps {
		s := &run.Steps[i]
		if s.Step.Action != dayone.MessageSend && (s.State == dayone.StepFailed || s.State == dayone.StepBlocked || s.State == dayone.StepUndoFailed) {
			out[s.Step.Key.System] = true
		}
	}
	return out
}

// things puts each system into one line, in plain words.
func things(view viewer, got flow.Progress, failed map[string]bool, connectors map[string]string) []thing {
	type sum struct {
		title                     string
		total, there, login, asks int
		back                      int  // taken back for a while
		shut                      bool // and the account with it
		lacks                     bool // its system did not show it so
		unseen                    bool // no telephone system has shown the line
	}
	sums := map[string]*sum{}
	var order []string
	for _, a := range got.Access {
		if a.State == flow.ToGo || a.State == flow.NotOurs || a.State == flow.Observed || a.State == flow.Planned || a.State == flow.NotPlanned || a.Key.Kind == "order" {
			continue
		}
		s := sums[a.Key.System]
		if s == nil {
			s = &sum{title: a.Title}
			sums[a.Key.System] = s
			order = append(order, a.Key.System)
		}
		s.total++
		s.lacks = s.lacks || got.Lacks[a.Key] && a.State != flow.Held
		s.unseen = s.unseen || got.Unseen && a.Key.Kind == "line"
		switch a.State {
		case flow.WaitsLogin:
			s.login++
		case flow.Asks:
			s.asks++
		case flow.ToCome, flow.ToChange:
		case flow.Held:
			if a.Holding != nil && !a.Closed {
				s.there++ // a hold keeps as well as it withholds
				break
			}
			s.back++
			s.shut = s.shut || a.Key.Kind == dayone.AccountKindName
		default:
			s.there++
		}
	}
	var out []thing
	for _, system := range order {
		s := sums[system]
		words, ok := plain[connectors[system]]
		t := thing{Icon: cmp.Or(words.icon, "system"), Title: view.label(words.text), System: s.title}
		if !ok {
			t.Title, t.System = s.title, ""
		}
		switch {
		case failed[system]:
			t.State, t.Note = state{Icon: "warn", Class: "s-wait", Text: "IT is on it"}, "IT is on it"
		case s.shut, s.back > 0 && s.back == s.total:
			t.State, t.Note = state{Icon: "pause", Class: "s-wait", Text: takenBack}, "taken back for now"
		case s.lacks:
			t.State, t.Note = state{Icon: "warn", Class: "s-wait", Text: notAsItShould}, "not as it should be: IT has been told"
		case got.Stuck && s.there+s.login+s.asks+s.back < s.total: // nothing of it goes on before somebody has mended the plan
			t.State, t.Note = state{Icon: "warn", Class: "s-wait", Text: "IT is on it"}, "IT is on it"
		case s.there+s.login+s.asks+s.back < s.total, s.unseen && s.asks == 0:
			t.State, t.Note = state{Icon: "run", Class: "s-run", Text: "Being set up"}, "being set up"
		case s.login > 0:
			t.State, t.Note = state{Icon: "key", Class: "s-wait", Text: "Ready after the first sign-in"}, "ready after the first sign-in"
		case s.asks > 0:
			t.State, t.Note = state{Icon: "hand", Class: "s-wait", Text: "Waiting for approval"}, "waits for approval"
		default:
			t.State = state{Icon: "check", Class: "s-done", Text: "Ready"}
		}
		t.Note = sentence(view.label(t.Note))
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b thing) int { return cmp.Compare(a.Title, b.Title) })
	return out
}

// laptop says how far it is, from what the reseller told, and what of it keeps somebody from having everything. Nobody
// tells when a parcel has arrived: from its day on it should be there, and who has it not has to say so.
func laptop(view viewer, got flow.Progress) (things []thing, left string) {
	var order *dayone.Item
	for i := range got.Look.Have {
		if h := &got.Look.Have[i]; h.Key.Kind == "order" && h.State != dayone.Gone {
			order = &h.Item
		}
	}
	if order == nil {
		return nil, ""
	}
	t := thing{Icon: "device", Title: view.label("Laptop"), System: order.Attrs.Text("model"), State: state{Icon: "run", Class: "s-run", Text: "Ordered"}, Note: "ordered, the tracking number follows"}
	left = "The laptop is ordered; the tracking number follows."
	if tracking := order.Attrs.Text("tracking"); tracking != "" {
		carrier := cmp.Or(order.Attrs.Text("carrier"), view.label("the carrier"))
		t.State = state{Icon: "run", Class: "s-run", Text: "On its way"}
		t.Note = view.say("on its way with %s, tracking number %s", carrier, tracking)
		left = "The laptop is on its way."
		if day, err := time.Parse(time.DateOnly, order.Attrs.Text("arrives")); err == nil {
			text := view.day(day, time.UTC).Text
			t.Note = view.say("arrives %s, with %s, tracking number %s", text, carrier, tracking)
			left = view.say("The laptop arrives %s.", text)
			today := time.Date(view.now.In(view.zone).Year(), view.now.In(view.zone).Month(), view.now.In(view.zone).Day(), 0, 0, 0, 0, time.UTC)
			if day.Before(today) {
				t.State = state{Icon: "clock", Class: "s-wait", Text: "Should have arrived"}
				t.Note = view.say("should have arrived %s, with %s, tracking number %s", text, carrier, tracking)
				left = view.say("The laptop should have arrived %s. If it has not, tell IT.", text)
			}
		}
	}
	t.Note = sentence(view.label(t.Note))
	return []thing{t}, left
}
