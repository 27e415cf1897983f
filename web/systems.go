package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// Systems, and what holds for calls to each: whether it answers, whether somebody stopped it, maintenance, work by hand.

type systemsView struct {
	Sentence string
	Systems  []systemView
	All      *decision
	Problem  *notice
}

type systemView struct {
	Calm        bool // there is nothing to say of it
	Name, Title string
	State       state
	Note        string
	Since       []pair
	Windows     []windowView
	Retiring    *windowView
	Acts        []decision
	Path, Zone  string
	List        *link // where lists of it are brought
	Connect     *link // where it is connected
}

type windowView struct {
	Text     string
	From, To *stamp
	End      decision
}

// decision is something that is done after it was confirmed with a reason.
type decision struct {
	ID, Text, Does, Button, Action string
	Kind                           string // of an order
}

// stances are how systems stand, as an icon and a word.
var stances = map[engine.Stance]state{
	engine.Free:       {Icon: "check", Class: "s-done", Text: "Answers", Tag: true},
	engine.ByHand:     {Icon: "hand", Class: "s-wait", Text: "By hand", Tag: true},
	engine.Stopped:    {Icon: "block", Class: "s-fail", Text: "Stopped", Tag: true},
	engine.Maintained: {Icon: "clock", Class: "s-wait", Text: "Maintenance", Tag: true},
	engine.Down:       {Icon: "x", Class: "s-fail", Text: "Down", Tag: true},
}

func (p *portal) systems(w http.ResponseWriter, r *http.Request) error {
	return p.showSystems(w, r, http.StatusOK, nil)
}

func (p *portal) showSystems(w http.ResponseWriter, r *http.Request, status int, problem *notice) error {
	list, stop, err := p.flow.SystemStates(r.Context())
	if err != nil {
		return err
	}
	v := newSystems(p.viewerOf(r), list, stop)
	if !p.shows(r, "GET /settings/systems/{name}") {
		for i := range v.Systems {
			v.Systems[i].Connect = nil
		}
	}
	v.Problem = problem
	return p.show(w, r, status, page{Template: "systems", Title: "Systems", Nav: "systems", Crumbs: []link{{"Systems", ""}}, Main: v})
}

func newSystems(view viewer, list []flow.SystemState, stop dayone.Order) systemsView {
	v := systemsView{All: &decision{
		ID: "stop-all", Text: "Stop everything", Button: "Stop all systems", Kind: string(dayone.OrderStop), Action: "/systems/" + flow.Everywhere + "/orders",
		Does: "Calls under way end and nothing new is called anywhere, not for leavers either: for them somebody gets a task.",
	}}
	troubled, unset := 0, 0
	for _, s := range list {
		v.Systems = append(v.Systems, newSystem(view, s, stop.ID != ""))
		troubled += btoi(s.Stance != engine.Free)
		unset += btoi(s.Unset)
	}
	v.Sentence = plural(len(list)-unset, "1 system is configured.", "%d systems are configured.")
	switch {
	case len(list) == unset:
		v.Sentence = "No system is configured."
		fallthrough
	case unset > 0:
		v.Sentence += " " + plural(unset, "1 that policies name is not: what is to be done there is somebody's task.", "%d that policies name are not: what is to be done there is somebody's task.")
	}
	switch {
	case troubled == 1 && len(list) == 1:
		v.Sentence = joined(" ", v.Sentence, "Dayone calls nothing new there by itself.")
	case troubled > 0:
		v.Sentence += " " + plural(troubled, "Dayone calls nothing new at 1 of them by itself.", "Dayone calls nothing new at %d of them by itself.")
	}
	if stop.ID != "" {
		v.All = &decision{
			ID: "start-all", Text: "Start everything again", Button: "Start all systems", Action: "/systems/" + flow.Everywhere + "/start",
			Does: "Whatever waits goes on, within the limits of each system. Systems that were stopped by themselves stay so.",
		}
	}
	return v
}

func newSystem(view viewer, s flow.SystemState, allStopped bool) systemView {
	v := systemView{Name: s.Name, Title: systemTitle(map[string]string{s.Name: s.Title}, s.Name), State: stances[s.Stance], Path: "/systems/" + s.Name, Zone: view.zone.String()}
	v.Acts = systemActs(s, v.Path, allStopped)
	if s.Unset && s.Stance == engine.Free {
		v.State = state{Icon: "hand", Class: "s-wait", Text: "Not configured: by hand", Tag: true}
		v.Note = view.label("No connector is configured for it, so each step is a task for somebody. Add it under systems in dayone.yaml to connect it.")
		v.Connect = &link{"Connect it", "/settings/systems/" + s.Name}
	}
	switch s.Stance {
	case engine.Down:
		v.Note = view.say("It said: %s. Steps wait without using up their tries, and go on when it answers.", cmp.Or(s.Circuit.Note, view.label("nothing")))
		v.Since = append(v.Since, pair{Name: "Down since", At: view.at(s.Circuit.Since)})
		if s.Circuit.State == dayone.CircuitOpen {
			v.Since = append(v.Since, pair{Name: "Asked again", At: view.clock(s.Circuit.Next)})
		}
	case engine.Maintained:
		// what is under way stands among the windows below, with its reason and its end
		if !slices.ContainsFunc(s.Ahead, func(o dayone.Order) bool { return o.ID == s.Order.ID }) {
			v.Note = s.Order.Reason
			v.Since = append(v.Since, pair{Name: "Until", At: view.at(s.Order.Until)})
		}
	case engine.Stopped:
		v.Note = s.Order.Reason
		v.Since = append(v.Since, pair{Name: "Stopped by", Value: s.Order.By}, pair{Name: "Since", At: view.at(s.Order.From)})
	case engine.ByHand:
		v.Note = view.label("Each step is a task for somebody, as the configuration says.")
		if s.Order.Reason != "" {
			v.Note = view.say("Each step is a task for somebody: %s", s.Order.Reason)
		}
	}
	if l := s.List; l != nil {
		v.Note = view.label("Nothing can call it: each step is a task for somebody, and it is read from lists that people bring.")
		v.List = &link{"Bring a list", v.Path + "/list"}
		v.Since = append(v.Since, listPairs(view, *l)...)
	}
	if s.Waiting > 0 {
		v.Since = append(v.Since, pair{Name: "Waiting", Value: view.plural(s.Waiting, "1 step", "%d steps")})
	}
	if o := s.Retiring; o.ID != "" {
		v.State = state{Icon: "block", Class: "s-wait", Text: "Retiring", Tag: true}
		v.Retiring = &windowView{Text: view.say("%s By %s: %s", view.label(retireTexts[o.Kind].now), o.By, o.Reason), From: view.at(o.From), End: decision{
			ID: string(o.ID), Text: "Take the retirement back", Button: "Take it back", Action: "/systems/orders/" + string(o.ID) + "/lift",
			Does: "Policies count there again, and give again what they took.",
		}}
	}
	for _, o := range s.Ahead {
		v.Windows = append(v.Windows, windowView{Text: o.Reason, From: view.at(o.From), To: view.at(o.Until), End: decision{
			ID: string(o.ID), Text: "End the maintenance", Button: "End it now", Action: "/systems/orders/" + string(o.ID) + "/lift", Does: "Whatever waits for its end goes on.",
		}})
	}
	v.Calm = v.Note == "" && len(v.Since) == 0 && v.Retiring == nil && len(v.Windows) == 0
	return v
}

// systemActs are what somebody may order about a system now, beside maintenance.
func systemActs(s flow.SystemState, path string, allStopped bool) []decision {
	byHand := decision{ID: "manual-" + s.Name, Text: "Work there by hand", Button: "Work by hand", Kind: string(dayone.OrderManual), Does: "Each step becomes a task that says what to do, until somebody lets it work by itself again."}
	itself := decision{ID: "automatic-" + s.Name, Text: "Let it work by itself", Button: "Let it work by itself", Kind: string(dayone.OrderAutomatic), Does: "What is done stays done. Open tasks are looked at again and done, unless somebody is faster."}
	stop := decision{ID: "stop-" + s.Name, Text: "Stop it", Button: "Stop the system", Kind: string(dayone.OrderStop), Does: "Calls under way end and nothing new is called there, not for leavers either: for them somebody gets a task."}
	for _, d := range []*decision{&byHand, &itself, &stop} {
		d.Action = path + "/orders"
	}
	start := decision{ID: "start-" + s.Name, Text: "Start it again", Button: "Start the system", Does: "Whatever waits goes on, within the limits of the system.", Action: path + "/start"}
	ends := retireActs(s, path)
	switch {
	case s.Stance == engine.ByHand && s.List != nil: // nothing can call it
		return ends
	case s.Stance == engine.ByHand:
		return append([]decision{itself}, ends...)
	case s.Stance == engine.Stopped && s.Order.System != "":
		return append([]decision{start, byHand}, ends...)
	case allStopped: // to stop one of them would change nothing
		return append([]decision{byHand}, ends...)
	case s.Unset:
		return ends
	}
	return append([]decision{stop, byHand}, ends...)
}

// retireTexts say what a retirement does, and what it is while it stands.
var retireTexts = map[dayone.OrderKind]struct{ text, button, does, now string }{
	dayone.OrderRelease: {
		"Retire it, and leave what is there", "Stop managing it",
		"%s. All of it stays as it is, and nothing is changed there any more: whoever leaves keeps what they have there until you see to it.",
		"Nothing is given, changed or taken there.",
	},
	dayone.OrderClose: {
		"Retire it, and close what is there", "Close its accounts",
		"%s. All that Dayone gave is taken, of as many people a day as the brakes let through. What was there before stays.",
		"What Dayone gave is taken, within the brakes.",
	},
}

// retireActs are the two ways to give a system up, with what people hold there. What carries messages is given up in the
// configuration.
func retireActs(s flow.SystemState, path string) (out []decision) {
	if s.Retiring.ID != "" || s.Messages || s.Held.People == 0 {
		return nil
	}
	holds := heldThere(s.Held.Accounts+s.Held.Others, plural(s.Held.People, "1 person", "%d people"))
	for _, k := range []dayone.OrderKind{dayone.OrderRelease, dayone.OrderClose} {
		t := retireTexts[k]
		out = append(out, decision{ID: string(k) + "-" + s.Name, Text: t.text, Button: t.button, Kind: string(k), Does: fmt.Sprintf(t.does, holds), Action: path + "/orders"})
	}
	return out
}

// heldThere says how many things people hold at a system.
func heldThere(n int, people string) string {
	if n == 1 {
		return fmt.Sprintf("1 thing is held there, of %s", people)
	}
	return inEnglish.Say("%d things are held there, of %s", n, people)
}

// stopNotice stands on every page while something is stopped.
func stopNotice(view viewer, stops []dayone.Order, titles map[string]string) *notice {
	if len(stops) == 0 {
		return nil
	}
	n := &notice{Kind: "bad", Icon: "block", Title: "Everything is stopped", Act: &link{"Systems", "/systems"}}
	i := slices.IndexFunc(stops, func(o dayone.Order) bool { return o.System == "" })
	if i < 0 {
		var names []string
		for _, o := range stops {
			names = append(names, systemTitle(titles, o.System))
		}
		slices.Sort(names)
		n.Title, i = view.say("Stopped: %s", strings.Join(names, ", ")), 0
	}
	o := stops[i]
	n.Text = view.say("Nothing new is called there. By %s, %s: %s", o.By, view.at(o.From).Text, o.Reason)
	return n
}

// banner is what every page says first.
func (p *portal) banner(r *http.Request) *notice {
	stops, err := p.flow.Stops(r.Context())
	if err != nil {
		p.log.Error("whether something is stopped cannot be read", "error", err)
		return nil
	}
	return stopNotice(p.viewerOf(r), stops, p.titles())
}

// order takes the forms of the page. What is wrong with one is said above it.
func (p *portal) order(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	if err := only(r, "kind", "reason", "from", "until"); err != nil {
		return err
	}
	f, zone := r.PostForm, p.viewerOf(r).zone
	o := dayone.Order{Kind: dayone.OrderKind(f.Get("kind")), System: r.PathValue("system"), Reason: f.Get("reason"), By: me(r).Name}
	for name, to := range map[string]*time.Time{"from": &o.From, "until": &o.Until} {
		text := f.Get(name)
		if text == "" {
			continue
		}
		at, err := time.ParseInLocation("2006-01-02T15:04", text, zone)
		if err != nil {
			return p.showSystems(w, r, http.StatusUnprocessableEntity, &notice{Kind: "bad", Icon: "x", Title: "Not done", Text: "Enter day and time, as 2025-01-31 22:00."})
		}
		*to = at
	}
	given, err := p.flow.Order(r.Context(), o)
	return p.ordered(w, r, err, string(o.Kind), orderUndo(given))
}

func (p *portal) start(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	return p.ordered(w, r, p.flow.LiftStop(r.Context(), r.PathValue("system"), me(r).Name, r.PostForm.Get("reason")), "started", nil)
}

func (p *portal) lift(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	return p.ordered(w, r, p.flow.Lift(r.Context(), dayone.OrderID(r.PathValue("order")), me(r).Name, r.PostForm.Get("reason")), "lifted", nil)
}

// orderUndo takes an order about a system back, where that puts things as they were: a system that is retired is given up, and a
// decision about that is taken on its own.
func orderUndo(o dayone.Order) *takeBack {
	switch o.Kind {
	case dayone.OrderStop:
		return &takeBack{Action: "/systems/" + url.PathEscape(o.System) + "/start", Fields: because()}
	case dayone.OrderMaintenance, dayone.OrderManual:
		return &takeBack{Action: "/systems/orders/" + string(o.ID) + "/lift", Fields: because()}
	default:
		return nil
	}
}

func (p *portal) ordered(w http.ResponseWriter, r *http.Request, err error, said string, back *takeBack) error {
	if errors.Is(err, dayone.ErrInvalid) || errors.Is(err, dayone.ErrConflict) {
		return p.showSystems(w, r, http.StatusUnprocessableEntity, &notice{Kind: "bad", Icon: "x", Title: "Not done", Text: sentence(plainly(err)) + "."})
	}
	if err != nil {
		return err
	}
	p.said(w, r, "/systems", said, back)
	return nil
}

// plainly is an error of flow without the word for its kind: it was written for whoever ordered.
func plainly(err error) string {
	text := err.Error()
	if kind := dayone.KindOf(err); kind != nil {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	return text
}

// ---- runs as a whole ----

// decideRun carries out cancel, pause and resume.
func (p *portal) decideRun(v engine.Verb) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := runID(r)
		if err != nil {
			return err
		}
		if err := r.ParseForm(); err != nil {
			return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
		}
		if strings.TrimSpace(r.PostForm.Get("reason")) == "" {
			return refuse(dayone.ErrInvalid, textNoReason)
		}
		if err := p.flow.DecideRun(r.Context(), id, v, me(r).Name, r.PostForm.Get("reason")); err != nil {
			return err
		}
		var back *takeBack
		if v == engine.Pause {
			back = &takeBack{Action: "/runs/" + string(id) + "/resume", Fields: because()}
		}
		p.said(w, r, "/runs/"+string(id), runSaid(v), back)
		return nil
	}
}

func runSaid(v engine.Verb) string { return "run-" + string(v) }

// runActs are what somebody may decide about a run now.
func runActs(run dayone.Run) []decision {
	path := "/runs/" + string(run.ID) + "/"
	pause := decision{ID: "pause", Text: "Pause", Button: "Pause the run", Does: "Calls under way come back, nothing new starts until somebody resumes it. Somebody who leaves is cut off all the same."}
	cancel := decision{ID: "cancel", Text: "Cancel", Button: "Cancel the run", Does: "Calls under way come back, nothing new starts, its tasks are closed. What is done stays. Nothing is planned for this person again until HR says something new or somebody resumes it."}
	resume := decision{ID: "resume", Text: "Resume", Button: "Resume"}
	var out []decision
	switch {
	case run.Ending != "" && !run.State.Over():
	case run.State == dayone.RunHeld:
		resume.Does = "It goes on where it was; if HR has said something new since, it is planned anew."
		out = []decision{resume, cancel}
	case run.State == dayone.RunUndoing:
		out = []decision{cancel}
	case !run.State.Over():
		out = []decision{pause, cancel}
	case run.State == dayone.RunCancelled && run.Ending != "":
		resume.Does = "The person is planned again, from what is there and wanted now."
		out = []decision{resume}
	}
	for i := range out {
		out[i].Action = path + out[i].ID
	}
	return out
}

// decisions are what whoever looks may decide about the run now.
func (b *board) decisions() []decision {
	if !b.may {
		return nil
	}
	return runActs(b.run)
}

// undoAt is where the run is undone; "": it is over that, or on its way.
func (b *board) undoAt() string {
	if b.run.Of != "" || b.run.State == dayone.RunUndoing || b.gone.Whole || b.gone.Under {
		return ""
	}
	return b.path() + "/undo"
}

// offers names what the page of the run has buttons for.
func (b *board) offers() string {
	var out []string
	if b.undoAt() != "" {
		out = append(out, "undo")
	}
	for _, a := range b.decisions() {
		out = append(out, a.ID)
	}
	return strings.Join(out, ".")
}

// keptBy are the systems that keep steps of a run waiting, and until when.
func (p *portal) keptBy(r *http.Request, b *board) []notice {
	parked := map[string]int{}
	for i := range b.run.Steps {
		if s := &b.run.Steps[i]; !s.Parked.IsZero() && !s.State.Over() {
			parked[s.Step.Key.System]++
		}
	}
	if len(parked) == 0 {
		return nil
	}
	list, _, err := p.flow.SystemStates(r.Context())
	if err != nil {
		p.log.Warn("why steps wait cannot be read", "run", b.run.ID, "error", err)
		return nil
	}
	var out []notice
	for _, s := range list {
		if n := parked[s.Name]; n > 0 && s.Stance != engine.Free {
			out = append(out, keeps(b.view, s, n))
		}
	}
	return out
}

// keeps says how a system keeps steps waiting.
func keeps(view viewer, s flow.SystemState, steps int) notice {
	n := notice{Kind: "warn", Icon: stances[s.Stance].Icon, Act: &link{"Open the system", "/systems/" + s.Name}}
	wait := plural(steps, "1 step waits", "%d steps wait")
	switch s.Stance {
	case engine.Down:
		n.Title = fmt.Sprintf("%s has been down since %s", s.Title, view.clock(s.Circuit.Since).Text)
		n.Text = wait + "; it is asked just now whether it is back."
		if at := view.clock(s.Circuit.Next); at != nil && s.Circuit.State == dayone.CircuitOpen {
			n.Text = fmt.Sprintf("%s; it is tried again at %s, and goes on by itself.", wait, at.Text)
		}
	case engine.Maintained:
		n.Title, n.Text = fmt.Sprintf("%s is in maintenance until %s", s.Title, view.clock(s.Order.Until).Text), fmt.Sprintf("%s for its end: %s", wait, s.Order.Reason)
	case engine.Stopped:
		n.Title, n.Text = fmt.Sprintf("%s is stopped", s.Title), fmt.Sprintf("%s until somebody starts it again. By %s: %s", wait, s.Order.By, s.Order.Reason)
	default:
		n.Title, n.Text = fmt.Sprintf("People work in %s by hand", s.Title), fmt.Sprintf("%s for somebody: see the tasks.", wait)
	}
	return n
}

// ---- API ----

type apiSystem struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	Stance  string     `json:"stance"`
	Reason  string     `json:"reason,omitempty"`
	By      string     `json:"by,omitempty"`
	Since   *time.Time `json:"since,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
	Next    *time.Time `json:"next_probe,omitempty"`
	Breaker string     `json:"breaker"`
	Waiting int        `json:"waiting_steps"`
	Orders  []apiOrder `json:"maintenance"`
	Retires *apiOrder  `json:"retiring,omitempty"`
}

type apiOrder struct {
	ID     dayone.OrderID   `json:"id"`
	Kind   dayone.OrderKind `json:"kind"`
	System string           `json:"system"`
	From   *time.Time       `json:"from,omitempty"`
	Until  *time.Time       `json:"until,omitempty"`
	Reason string           `json:"reason"`
	By     string           `json:"by"`
}

func newAPIOrder(o dayone.Order) apiOrder {
	return apiOrder{o.ID, o.Kind, cmp.Or(o.System, flow.Everywhere), moment(o.From), moment(o.Until), o.Reason, o.By}
}

func newAPISystem(s flow.SystemState) apiSystem {
	out := apiSystem{
		Name: s.Name, Title: s.Title, Stance: s.Word(), Reason: s.Order.Reason, By: s.Order.By, Since: moment(s.Order.From), Until: moment(s.Order.Until),
		Breaker: string(cmp.Or(s.Circuit.State, dayone.CircuitClosed)), Waiting: s.Waiting, Orders: []apiOrder{},
	}
	if s.Stance == engine.Down {
		out.Reason, out.Since = s.Circuit.Note, moment(s.Circuit.Since)
	}
	if s.Circuit.State == dayone.CircuitOpen {
		out.Next = moment(s.Circuit.Next)
	}
	for _, o := range s.Ahead {
		out.Orders = append(out.Orders, newAPIOrder(o))
	}
	if s.Retiring.ID != "" {
		o := newAPIOrder(s.Retiring)
		out.Retires = &o
	}
	return out
}

// apiRetirement is what it would mean to retire a system, or means.
type apiRetirement struct {
	System   string    `json:"system"`
	Title    string    `json:"title"`
	People   int       `json:"people"`
	Accounts int       `json:"accounts"`
	Open     int       `json:"open_accounts"`
	Others   int       `json:"other_things"`
	Limit    int       `json:"people_a_day"`
	Policies []string  `json:"policies"`
	Needed   []string  `json:"needed"`
	Order    *apiOrder `json:"retiring,omitempty"`
}

func (p *portal) apiRetirement(w http.ResponseWriter, r *http.Request) error {
	x, err := p.flow.Retirement(r.Context(), r.PathValue("system"))
	if err != nil {
		return speaking(err)
	}
	out := apiRetirement{
		System: x.System, Title: x.Title, People: x.Held.People, Accounts: x.Held.Accounts, Open: x.Held.Open, Others: x.Held.Others, Limit: x.Limit,
		Policies: append([]string{}, x.Policies...), Needed: append([]string{}, x.Needed...),
	}
	if x.Standing.ID != "" {
		o := newAPIOrder(x.Standing)
		out.Order = &o
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiSystems(w http.ResponseWriter, r *http.Request) error {
	list, _, err := p.flow.SystemStates(r.Context())
	if err != nil {
		return err
	}
	out := apiPage[apiSystem]{Items: []apiSystem{}}
	for _, s := range list {
		out.Items = append(out.Items, newAPISystem(s))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiOrder(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Kind   dayone.OrderKind `json:"kind"`
		From   time.Time        `json:"from"`
		Until  time.Time        `json:"until"`
		Reason string           `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	o, err := p.flow.Order(r.Context(), dayone.Order{Kind: in.Kind, System: r.PathValue("system"), From: in.From, Until: in.Until, Reason: in.Reason, By: me(r).Name})
	if err != nil {
		return speaking(err)
	}
	return answerJSON(w, http.StatusCreated, newAPIOrder(o))
}

// speaking lets flow say itself what is not there: which systems are.
func speaking(err error) error {
	if errors.Is(err, dayone.ErrNotFound) {
		return said(err, sentence(plainly(err))+".")
	}
	return err
}

// withReason reads what every decision needs.
func withReason(do func(ctx context.Context, r *http.Request, by, reason string) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var in struct {
			Reason string `json:"reason"`
		}
		if err := readJSON(r.Body, &in); err != nil {
			return err
		}
		if err := do(r.Context(), r, me(r).Name, in.Reason); err != nil {
			return speaking(err)
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

func (p *portal) apiStart() handler {
	return withReason(func(ctx context.Context, r *http.Request, by, reason string) error {
		return p.flow.LiftStop(ctx, r.PathValue("system"), by, reason)
	})
}

func (p *portal) apiLift() handler {
	return withReason(func(ctx context.Context, r *http.Request, by, reason string) error {
		return p.flow.Lift(ctx, dayone.OrderID(r.PathValue("order")), by, reason)
	})
}

func (p *portal) apiDecideRun(v engine.Verb) handler {
	return withReason(func(ctx context.Context, r *http.Request, by, reason string) error {
		id, err := runID(r)
		if err != nil {
			return err
		}
		return p.flow.DecideRun(ctx, id, v, by, reason)
	})
}
