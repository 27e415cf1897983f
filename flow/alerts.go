package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Alerts: rules look once a minute at what stands in the books. What a rule finds is opened once, told, told again once a
// day, and resolved when the rule does not find it any more. All of it is stored before it is told, so a restart tells
// nobody twice.

// AlertRule is one thing that is watched for.
type AlertRule struct {
	Name      string // as the configuration calls it
	Title     string
	Off       bool
	Threshold Threshold
	Length    time.Duration // of after and before
	FreeMB    int           // of free
	Percent   int           // of free

	find func(*Flow, context.Context, AlertRule, time.Time) ([]dayone.Alert, error)
	over func(*Flow, context.Context, dayone.Alert) (time.Time, error) // when what it told of was over; nil or zero: when that is seen
}

// Threshold names what of a rule can be set, beside whether it is on.
type Threshold string

const (
	NoThreshold Threshold = ""
	After       Threshold = "after"  // how long something may last
	Before      Threshold = "before" // how long before an instant it counts
	Free        Threshold = "free"   // how much room has to be left: free_mb and percent
)

// AlertRules are all rules with their defaults.
func AlertRules() []AlertRule {
	return []AlertRule{
		{Name: "day-one-at-risk", Title: "Day one at risk", Threshold: Before, find: (*Flow).riskyStarts},
		{Name: "leaver-late", Title: "Leaver's accounts are not closed", Threshold: After, Length: 15 * time.Minute, find: (*Flow).lateLeavers},
		{Name: "breaker-open", Title: "A system does not answer", Threshold: After, find: (*Flow).openBreakers},
		{Name: "source-stale", Title: "Nothing heard from a source", find: (*Flow).staleSources},
		{Name: brakeOnRule, Title: "A brake holds", Threshold: After, find: (*Flow).heldBrakes, over: (*Flow).brakeClosed},
		{Name: "task-overdue", Title: "Task overdue", Threshold: After, find: (*Flow).overdueTasks},
		{Name: "approval-overdue", Title: "An approval is about to lapse", Threshold: Before, Length: 24 * time.Hour, find: (*Flow).silentApprovals},
		{Name: "run-incomplete", Title: "Run incomplete", Threshold: After, find: (*Flow).incompleteRuns},
		{Name: "disk-low", Title: "The database's volume is nearly full", Threshold: Free, FreeMB: 500, Percent: 5, find: (*Flow).lowDisk},
		{Name: "clock-back", Title: "The machine's clock went back", find: (*Flow).slippedClock},
		{Name: ledgerRule, Title: "The ledger was changed", find: (*Flow).brokenLedger},
		{Name: "policies-broken", Title: "The policy folder is broken", find: (*Flow).brokenPolicies},
		{Name: "policies-announced", Title: "Announced policies come into force", Threshold: Before, Length: 24 * time.Hour, find: (*Flow).announcedPolicies},
	}
}

// AlertSettings are whom alerts are told to, and which rules hold.
type AlertSettings struct {
	Rules []AlertRule // nil: AlertRules
	Mail  []string    // addresses
	Chat  string      // slack/channel:#it
	Names bool        // chat and webhook may name people; mails do
	Hook  Hook        // nil: no webhook
	Runs  bool        // it is told of runs that are over, too
}

// Hook carries a signed body to somebody's webhook. The same id is the same letter.
type Hook interface {
	Post(ctx context.Context, id, kind string, body []byte) error
}

// ruleTitle is what a rule is called; one that is there no more by its name.
func (f *Flow) ruleTitle(name string) string {
	for _, r := range f.rules() {
		if r.Name == name {
			return r.Title
		}
	}
	return name
}

func (f *Flow) rules() []AlertRule {
	if f.Deps.Alerts.Rules != nil {
		return f.Deps.Alerts.Rules
	}
	return AlertRules()
}

// Kinds of letters.
const (
	alertOpened   = "alert.opened"
	alertReminder = "alert.reminder"
	alertResolved = "alert.resolved"
	runFinished   = "run.finished"
)

const (
	watchEvery  = time.Minute
	failedEvery = 15 * time.Minute // at most, between two looks at a rule that cannot be looked at
	remindEvery = 24 * time.Hour
	alertsKept  = 90 * 24 * time.Hour // after they were resolved
	mostTold    = 50                  // alerts that one letter names
)

// watched is what flow remembers between two looks. Only when sources were heard would be lost by a crash, for a minute.
type watched struct {
	mu    sync.Mutex
	looks map[string]*sync.Mutex // only one looks at a rule at a time: else what the one has resolved the other keeps open
	next  time.Time
	heard map[string]time.Time // that is not in the books yet
	fails map[string]failedLook
}

// failedLook is the last look at a rule that could not be looked at.
type failedLook struct {
	why  string
	wait time.Duration // each time twice as long
	next time.Time
}

// rests says that a rule could not be looked at, and that it is not time for it again.
func (w *watched) rests(rule string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fails[rule].next.After(now)
}

// looked keeps how a look at a rule has ended, and what it said before; "": it went well.
func (w *watched) looked(rule, why string, now time.Time) (was string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.fails[rule]
	if why == "" {
		delete(w.fails, rule)
		return last.why
	}
	if w.fails == nil {
		w.fails = map[string]failedLook{}
	}
	wait := min(max(2*last.wait, watchEvery), failedEvery)
	w.fails[rule] = failedLook{why, wait, now.Add(wait)}
	return last.why
}

// heardFrom notes that a source spoke, or answered.
func (f *Flow) heardFrom(source string) {
	w := &f.watched
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heard == nil {
		w.heard = map[string]time.Time{}
	}
	w.heard[source] = f.Clock.Now()
}

// looking is the lock of the looks at one rule.
func (w *watched) looking(rule string) *sync.Mutex {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.looks == nil {
		w.looks = map[string]*sync.Mutex{}
	}
	if w.looks[rule] == nil {
		w.looks[rule] = &sync.Mutex{}
	}
	return w.looks[rule]
}

// again lets all rules be looked at as soon as the look under way is over, and one of them though it rests.
func (w *watched) again(rule string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = time.Time{}
	if last, ok := w.fails[rule]; ok {
		last.next = time.Time{}
		w.fails[rule] = last
	}
}

// watch looks at all rules, each by itself. A rule that cannot be looked at keeps its alerts as they are: unknown is not resolved.
func (f *Flow) watch(ctx context.Context) error {
	f.watched.mu.Lock()
	f.watched.next = f.Clock.Now().Add(watchEvery)
	f.watched.mu.Unlock()
	rules := slices.Clone(f.rules())
	all, err := f.Store.Alerts(ctx, store.AlertFilter{Open: true})
	if err != nil {
		return fmt.Errorf("reading alerts: %w", err)
	}
	for _, a := range all {
		if !slices.ContainsFunc(rules, func(r AlertRule) bool { return r.Name == a.Rule }) { // of another version of this program
			rules = append(rules, AlertRule{Name: a.Rule, Off: true})
		}
	}
	for _, r := range rules {
		if err := f.lookInTurn(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// lookInTurn looks at a rule unless it rests from a look that failed. What fails again in the same way is logged once.
func (f *Flow) lookInTurn(ctx context.Context, r AlertRule) error {
	look := f.watched.looking(r.Name)
	look.Lock()
	defer look.Unlock()
	now := f.Clock.Now()
	if f.watched.rests(r.Name, now) {
		return nil
	}
	err := f.lookFor(ctx, r, now)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		if was := f.watched.looked(r.Name, err.Error(), now); was != err.Error() {
			f.Log.Error("looking for what is to be alerted of", "rule", r.Name, "error", err)
		}
		return nil
	}
	if was := f.watched.looked(r.Name, "", now); was != "" {
		f.Log.Info("what is to be alerted of can be looked for again", "rule", r.Name)
	}
	return nil
}

// watchRule looks at one rule at once: somebody has done something about what it tells of. They do not wait for a look that is
// under way: it may have looked before, so there is another one after it.
func (f *Flow) watchRule(ctx context.Context, name string, now time.Time) error {
	look := f.watched.looking(name)
	if !look.TryLock() {
		f.watched.again(name)
		return nil
	}
	defer look.Unlock()
	for _, r := range f.rules() {
		if r.Name == name {
			return f.lookFor(ctx, r, now)
		}
	}
	return nil
}

// lookFor looks at one rule.
func (f *Flow) lookFor(ctx context.Context, r AlertRule, now time.Time) error {
	was, err := f.Store.Alerts(ctx, store.AlertFilter{Open: true, Rule: r.Name})
	if err != nil {
		return fmt.Errorf("reading alerts: %w", err)
	}
	var found []dayone.Alert
	if !r.Off {
		if found, err = r.find(f, ctx, r, now); err != nil {
			return err
		}
	}
	return f.keepAlerts(ctx, r, was, found, now)
}

// keepAlerts makes of what a rule finds what is opened, told again and resolved, and stores it with its letters.
func (f *Flow) keepAlerts(ctx context.Context, r AlertRule, was, found []dayone.Alert, now time.Time) error {
	var opened, again, resolved, quiet []dayone.Alert
	known := map[string]dayone.Alert{}
	for _, a := range was {
		known[a.Subject] = a
	}
	for _, a := range found {
		old, ok := known[a.Subject]
		delete(known, a.Subject)
		switch {
		case !ok:
			a.ID, a.Rule, a.Told = f.IDs.New("alt"), r.Name, now
			if a.Opened.IsZero() { // the rule does not know since when
				a.Opened = now
			}
			opened = append(opened, a)
		case now.Sub(old.Told) >= remindEvery:
			old.Note, old.Run, old.Told = a.Note, a.Run, now
			again = append(again, old)
		case old.Note != a.Note || old.Run != a.Run:
			old.Note, old.Run = a.Note, a.Run
			quiet = append(quiet, old)
		}
	}
	for _, a := range was {
		if _, gone := known[a.Subject]; gone {
			a.Resolved = now
			if r.over != nil {
				at, err := r.over(f, ctx, a)
				if err != nil {
					return fmt.Errorf("asking when it was over: %w", err)
				}
				if at.After(a.Opened) { // a list closes a brake as of when its reading began
					a.Resolved = at
				}
			}
			resolved = append(resolved, a)
		}
	}
	var letters []dayone.Letter
	if !r.Off {
		letters = slices.Concat(f.letters(alertOpened, r, opened, now), f.letters(alertReminder, r, again, now), f.letters(alertResolved, r, resolved, now))
	}
	if err := f.Store.SaveAlerts(ctx, slices.Concat(opened, again, quiet, resolved), letters); err != nil {
		return fmt.Errorf("keeping alerts: %w", err)
	}
	for _, a := range opened {
		f.Log.Warn("an alert is open", "rule", a.Rule, "alert", a.ID, "subject", a.Subject, "person", a.Person, "run", a.Run)
	}
	for _, a := range resolved {
		f.Log.Info("an alert is resolved", "rule", a.Rule, "alert", a.ID, "subject", a.Subject)
	}
	return nil
}

// LetterBody is what a letter says, and what a webhook gets. It names nobody unless the configuration says so.
type LetterBody struct {
	ID     string        `json:"id"`
	Kind   string        `json:"kind"`
	At     time.Time     `json:"at"`
	Rule   string        `json:"rule,omitempty"`
	Title  string        `json:"title,omitempty"`
	Count  int           `json:"count,omitempty"`
	Alerts []LetterAlert `json:"alerts,omitempty"` // the first 50
	Run    *LetterRun    `json:"run,omitempty"`
}

// LetterAlert is one alert of a letter.
type LetterAlert struct {
	ID       string          `json:"id"`
	Subject  string          `json:"subject"`
	Person   dayone.PersonID `json:"person,omitempty"`
	Name     string          `json:"name,omitempty"` // put in when it is sent, if it may
	Run      dayone.RunID    `json:"run,omitempty"`
	Note     string          `json:"note,omitempty"`
	Opened   time.Time       `json:"opened"`
	Resolved *time.Time      `json:"resolved,omitempty"`
	URL      string          `json:"url"`
}

// LetterRun is a run that is over.
type LetterRun struct {
	ID      dayone.RunID    `json:"id"`
	Person  dayone.PersonID `json:"person"`
	Name    string          `json:"name,omitempty"`
	State   dayone.RunState `json:"state"`
	Started time.Time       `json:"started"`
	Ended   time.Time       `json:"ended"`
	URL     string          `json:"url"`
}

// letters tell of several alerts of one rule at once, by every way out there is.
func (f *Flow) letters(kind string, r AlertRule, alerts []dayone.Alert, now time.Time) []dayone.Letter {
	if len(alerts) == 0 {
		return nil
	}
	body := LetterBody{Kind: kind, At: now.UTC(), Rule: r.Name, Title: r.Title, Count: len(alerts)}
	for _, a := range alerts[:min(len(alerts), mostTold)] {
		l := LetterAlert{ID: a.ID, Subject: a.Subject, Person: a.Person, Run: a.Run, Note: a.Note, Opened: a.Opened.UTC(), URL: f.Base + AlertPath(a)}
		if !a.Resolved.IsZero() {
			at := a.Resolved.UTC()
			l.Resolved = &at
		}
		body.Alerts = append(body.Alerts, l)
	}
	var out []dayone.Letter
	for _, via := range f.ways() {
		out = append(out, letter(via, f.IDs.New("ltr"), r.Name, body))
	}
	return out
}

// over tells a webhook that a run has ended. It is kept in the transaction of the end.
func (f *Flow) over(r dayone.Run) []dayone.Letter {
	id := "ltr_" + string(r.ID) + "." + strconv.FormatInt(r.Ended.UnixMicro(), 36) // a run that is taken up again ends again
	return []dayone.Letter{letter(viaHook, id, string(r.ID), LetterBody{Kind: runFinished, At: r.Ended.UTC(), Run: &LetterRun{
		ID: r.ID, Person: r.Person, State: r.State, Started: r.Started.UTC(), Ended: r.Ended.UTC(), URL: f.Base + "/runs/" + string(r.ID),
	}})}
}

func letter(via, id, about string, body LetterBody) dayone.Letter {
	body.ID = id
	raw, err := json.Marshal(body)
	if err != nil {
		panic("flow: a letter that cannot be marshalled: " + err.Error())
	}
	return dayone.Letter{Once: id, Via: via, Kind: body.Kind, About: about, Body: string(raw), Made: body.At}
}

// AlertPath is the page that shows what an alert is about.
func AlertPath(a dayone.Alert) string {
	switch {
	case a.Rule == "task-overdue":
		return "/tasks/" + a.Subject
	case a.Rule == "policies-broken", a.Rule == "policies-announced":
		return "/policies"
	case a.Rule == ledgerRule:
		return "/records"
	case a.Rule == "approval-overdue":
		return "/approvals/" + a.Subject
	case a.Rule == brakeOnRule:
		return "/brakes/" + a.Subject
	case a.Rule == "breaker-open":
		return "/systems"
	case a.Rule == "source-stale":
		return "/events"
	case a.Run != "":
		return "/runs/" + string(a.Run)
	case a.Person != "":
		return "/people/" + string(a.Person)
	}
	return "/"
}

// AlertView is an alert as it is shown to somebody who may know whom it is about.
type AlertView struct {
	dayone.Alert
	Title string
	About string // a name; "" if the title and the note say it all
	Path  string
}

// AlertFilter chooses alerts.
type AlertFilter = store.AlertFilter

// Alerts lists alerts: open ones first, the newest first of both.
func (f *Flow) Alerts(ctx context.Context, open bool, limit int) ([]AlertView, error) {
	return f.AlertsBy(ctx, AlertFilter{Open: open, Limit: limit})
}

// CountAlerts is how many are open, so many at the most.
func (f *Flow) CountAlerts(ctx context.Context, most int) (int, error) {
	return f.Store.CountAlertsBy(ctx, f.alertsInSight(ctx, AlertFilter{Open: true, Limit: most}))
}

// AlertsBy lists those of a filter, in the same order.
func (f *Flow) AlertsBy(ctx context.Context, q AlertFilter) ([]AlertView, error) {
	list, err := f.Store.Alerts(ctx, f.alertsInSight(ctx, q))
	if err != nil {
		return nil, err
	}
	names := map[dayone.PersonID]string{}
	var out []AlertView
	for _, a := range list {
		v := AlertView{Alert: a, Title: f.ruleTitle(a.Rule), Path: AlertPath(a)}
		if v.About, err = f.thingOf(ctx, a.Rule, a.Subject); err != nil {
			return nil, err
		}
		if a.Person != "" {
			if _, ok := names[a.Person]; !ok {
				names[a.Person] = f.nameOf(ctx, a.Person)
			}
			v.About = names[a.Person]
		}
		out = append(out, v)
	}
	return out, nil
}

// thingOf is what an alert about nobody is about, as people call it. Where a rule knows its subject by an id alone, or there is
// only one of it, the title and the note say what it is.
func (f *Flow) thingOf(ctx context.Context, rule, subject string) (string, error) {
	switch rule {
	case "breaker-open":
		return f.systemTitle(subject), nil
	case "source-stale":
		return subject, nil
	case brakeOnRule:
		b, err := f.Store.Brake(ctx, dayone.BrakeID(subject))
		if errors.Is(err, dayone.ErrNotFound) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if system, ok := strings.CutPrefix(b.Scope, "system:"); ok {
			return f.systemTitle(system), nil
		}
		return strings.TrimPrefix(b.Scope, "source:"), nil
	}
	return "", nil
}

// alertsInSight narrows a filter to alerts about people of whoever asks, or about the systems as a whole that are hers.
func (f *Flow) alertsInSight(ctx context.Context, q AlertFilter) AlertFilter {
	if q.Within, q.Public = scopeOf(ctx), !mayKnow(ctx); !q.Within.Whole() {
		q.Systems = slices.DeleteFunc(f.systemNames(), func(name string) bool { return !q.Within.Runs(name) })
	}
	return q
}

func (f *Flow) isSystem(name string) bool { return slices.Contains(f.systemNames(), name) }

// nameOf is what somebody is called; "" if nobody knows her.
func (f *Flow) nameOf(ctx context.Context, id dayone.PersonID) string {
	if id == "" {
		return ""
	}
	row, err := f.Store.Person(ctx, id)
	if err != nil {
		return ""
	}
	return row.Name
}
