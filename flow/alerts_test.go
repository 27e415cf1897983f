package flow_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/signed"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/slack"
	slacksim "github.com/dayone-hq/dayone/connector/slack/sim"
	"github.com/dayone-hq/dayone/flow"
)

// alerted waits until so many alerts of a rule are open.
func (h *house) alerted(rule string, n int) []flow.AlertView {
	h.t.Helper()
	return until(h, rule, func() ([]flow.AlertView, bool) {
		list := h.openOf(rule)
		return list, len(list) == n
	})
}

// resolved lets time pass until no alert of a rule is open.
func (h *house) resolved(rule string) {
	h.t.Helper()
	until(h, rule+" is resolved", func() (bool, bool) {
		if len(h.openOf(rule)) == 0 {
			return true, true
		}
		h.later(time.Minute)
		return false, false
	})
}

// openOf are the open alerts of a rule.
func (h *house) openOf(rule string) (out []flow.AlertView) {
	h.t.Helper()
	list, err := h.Flow.Alerts(h.t.Context(), true, 100)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, a := range list {
		if a.Rule == rule {
			out = append(out, a)
		}
	}
	return out
}

// later lets so much time pass, and a look at all rules begin after it.
func (h *house) later(d time.Duration) { h.clock.Jump(h.clock.Now().Add(d)) }

func toldIT(d *flow.Deps) { d.Alerts.Mail = []string{"it@company.com"} }

func TestADayOneAtRiskIsAlertedAndResolves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = toldIT
	h := w.open()
	slow := func() {
		h.okta.Door().Inject(sim.Fault{Method: "POST", Path: "/api/v1/users", Status: 429, Header: map[string]string{"Retry-After": "1500"}, Body: `{"errorCode":"E0000047"}`})
	}
	retries := func(p dayone.PersonID) dayone.Run {
		t.Helper()
		return until(h, "an account that is tried again", func() (dayone.Run, bool) {
			runs, err := h.Runs(t.Context(), flow.RunFilter{Person: p, Limit: 1})
			if err != nil || len(runs) == 0 {
				return dayone.Run{}, false
			}
			r, err := h.RunOf(t.Context(), runs[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			s := r.Step("okta/account account.create")
			return r, s != nil && s.State == dayone.StepRetrying
		})
	}
	// an account takes Okta 25 minutes: that is what is learned
	in := h.judged(h.hears(h.hr.Put(employee("1", "department", "Sales")))[0].ID)
	slow()
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z"))
	retries(in.Person)
	h.later(26 * time.Minute)
	same(t, "the first run", h.rests(in.Person, "").State, dayone.RunDone)

	// ten minutes before a first day that is not enough
	h.clock.Jump(at(t, "2024-11-24T22:50:00Z"))
	slow()
	p := h.judgedAs(h.hears(h.hr.Put(employee("2", "department", "Sales")))[0].ID)
	run := retries(p)
	x, err := h.Foresee(t.Context(), run)
	if err != nil || x.At.Before(at(t, "2024-11-24T23:14:00Z")) || x.At.After(at(t, "2024-11-24T23:17:00Z")) || len(x.Without) != 0 {
		t.Fatalf("foreseen: %+v %v", x, err)
	}
	h.later(time.Minute)
	a := h.alerted("day-one-at-risk", 1)[0]
	if a.Person != p || a.Run != run.ID || a.About != "Erin No 2" || !strings.Contains(a.Note, "ready by about Mon 25 Nov 00:1") {
		t.Errorf("%+v", a)
	}
	if strings.Contains(a.Note, "Erin") {
		t.Errorf("the note names her: %s", a.Note)
	}
	until(h, "IT is told", func() (bool, bool) { return true, len(h.about("Day one at risk")) == 1 })
	h.later(26 * time.Minute)
	same(t, "the second run", h.rests(p, "").State != dayone.RunIncomplete, true)
	h.resolved("day-one-at-risk")
	until(h, "its end is told", func() (bool, bool) { n := len(h.about("Day one at risk")); return true, n == 2 })
	same(t, "the last word", h.about("Day one at risk")[1], "Resolved: Day one at risk")
}

// judgedAs is whose event it was, as soon as that is known.
func (h *house) judgedAs(id dayone.EventID) dayone.PersonID {
	h.t.Helper()
	return until(h, "whose event it is", func() (dayone.PersonID, bool) {
		in, err := h.Event(h.t.Context(), id)
		if err != nil {
			h.t.Fatal(err)
		}
		return in.Person, in.Person != ""
	})
}

// about are the mails to IT whose subject holds a text.
func (h *house) about(text string) (out []string) {
	for _, s := range h.told("it@company.com") {
		if strings.Contains(s, text) {
			out = append(out, s)
		}
	}
	return out
}

func TestALeaverWhoseAccountStaysOpenIsAlerted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = toldIT
	h := w.open()
	p, r := h.atWork("1")
	h.judged(h.hears(h.hr.Put(employee("1", "department", "Sales", "end_date", "2024-12-06")))[0].ID)
	h.okta.Door().Inject(sim.Fault{Times: -1, Method: "POST", Path: "/api/v1/users", Status: 400, Body: `{"errorCode":"E0000001","errorSummary":"not now"}`})
	h.clock.Jump(at(t, "2024-12-06T23:00:00Z"))
	r = h.rests(p, r.ID)
	h.later(10 * time.Minute)
	same(t, "too early", len(h.openOf("leaver-late")), 0)
	h.later(6 * time.Minute)
	a := h.alerted("leaver-late", 1)[0]
	if a.Person != p || a.Run != r.ID || a.Note != "not confirmed closed: Okta" {
		t.Errorf("%+v", a)
	}
	until(h, "IT is told", func() (bool, bool) { return true, len(h.about("Leaver's accounts are not closed")) == 1 })

	h.okta.Door().Heal()
	until(h, "it is tried again, and done", func() (bool, bool) {
		h.later(time.Minute)
		x, err := h.RunOf(t.Context(), r.ID)
		return true, err == nil && x.State == dayone.RunDone
	})
	h.closed("e1@company.com")
	h.resolved("leaver-late")
	h.resolved("run-incomplete")
}

func TestASourceThatFallsSilentIsAlerted(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open() // a Friday at 15:00
	until(h, "it is counted from now on", func() (bool, bool) {
		heard, err := h.Store.Heard(t.Context())
		return true, err == nil && !heard["hr"].IsZero()
	})
	h.clock.Jump(at(t, "2024-11-18T05:00:00Z")) // the weekend does not count
	h.clock.Jump(at(t, "2024-11-18T12:00:00Z"))
	until(h, "a look", func() (bool, bool) {
		n, err := h.Store.CountDue(t.Context(), h.clock.Now())
		return true, err == nil && n == 0
	})
	same(t, "on Monday at noon", len(h.openOf("source-stale")), 0)
	h.clock.Jump(at(t, "2024-11-18T23:30:00Z"))
	if a := h.alerted("source-stale", 1)[0]; a.Subject != "hr" || a.Person != "" || !strings.Contains(a.Note, "Fri 15 Nov") {
		t.Errorf("%+v", a)
	}
	h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2025-03-03")))[0].ID)
	h.resolved("source-stale")
}

// hook is somebody's webhook: it checks what comes as docs/alerts.md says.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []flow.LetterBody
	raw    []string
	bad    []string
	then   func(r *http.Request) // after it took one
}

const hookSecret = "a-secret-of-the-webhook"

func newHook(t *testing.T) *hook {
	x := &hook{}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte(hookSecret))
		mac.Write([]byte(r.Header.Get("Dayone-Timestamp") + "."))
		mac.Write(raw)
		var b flow.LetterBody
		err := json.Unmarshal(raw, &b)
		x.mu.Lock()
		if "v1="+hex.EncodeToString(mac.Sum(nil)) != r.Header.Get("Dayone-Signature") || err != nil || b.ID != r.Header.Get("Dayone-Id") || b.Kind != r.Header.Get("Dayone-Kind") {
			x.bad = append(x.bad, string(raw))
		}
		x.bodies, x.raw = append(x.bodies, b), append(x.raw, string(raw))
		then := x.then
		x.mu.Unlock()
		if then != nil {
			then(r)
		}
	}))
	t.Cleanup(x.Close)
	return x
}

func (x *hook) got() ([]flow.LetterBody, []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]flow.LetterBody{}, x.bodies...), append([]string{}, x.raw...)
}

func TestALetterOutlivesACrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	x := newHook(t)
	w.joined = func(d *flow.Deps) {
		d.Alerts.Rules = []flow.AlertRule{}
		d.Alerts.Hook, d.Alerts.Runs = &signed.Sender{URL: x.URL, Secret: dayone.NewSecret(hookSecret), Now: w.clock.Now}, true
	}
	h := w.open()
	x.then = func(r *http.Request) { // it has the letter, and we die before we note that
		go h.stopRun()
		<-r.Context().Done()
	}
	in := h.judged(h.hears(h.hr.Put(employee("1", "department", "Sales")))[0].ID)
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z"))
	until(h, "the webhook hears of it", func() (bool, bool) { b, _ := x.got(); return true, len(b) == 1 })
	h.stop()
	x.mu.Lock()
	x.then = nil
	x.mu.Unlock()
	h = w.open()
	until(h, "the webhook hears of it again", func() (bool, bool) { b, _ := x.got(); return true, len(b) == 2 })
	h.later(2 * time.Hour)
	until(h, "nothing waits", func() (bool, bool) {
		n, err := h.Store.CountLetters(t.Context())
		return true, err == nil && len(n) == 0
	})
	bodies, raw := x.got()
	if len(bodies) != 2 || bodies[0].ID != bodies[1].ID || raw[0] != raw[1] {
		t.Errorf("it hears %q", raw)
	}
	if len(x.bad) > 0 {
		t.Errorf("the signature is not right: %q", x.bad)
	}
	r := bodies[0].Run
	if bodies[0].Kind != "run.finished" || r == nil || r.Person != in.Person || r.State != dayone.RunDone || r.Name != "" || r.URL != "https://dayone.company.com/runs/"+string(r.ID) {
		t.Errorf("it hears %+v", bodies[0])
	}
	if strings.Contains(raw[0], "Erin") || strings.Contains(raw[0], "company.com\"") {
		t.Errorf("it names her: %s", raw[0])
	}
}

func TestAnAlertIsToldOnceADayAndOverARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	x := newHook(t)
	free := new(atomic.Uint64)
	free.Store(100 << 20)
	door := slacksim.New(sim.Options{Now: w.clock.Now, Page: 50})
	srv := httptest.NewServer(door)
	t.Cleanup(srv.Close)
	w.joined = func(d *flow.Deps) {
		g, err := connector.Open(slack.Factory, "slack", w.clock.Now, connector.Options{Settings: door.Settings(srv.URL)})
		if err != nil {
			t.Fatal(err)
		}
		d.Systems["slack"] = g
		toldIT(d)
		d.Alerts.Rules = slices.DeleteFunc(flow.AlertRules(), func(r flow.AlertRule) bool { return r.Name != "disk-low" })
		d.Alerts.Chat, d.Alerts.Hook = "slack/channel:#general", &signed.Sender{URL: x.URL, Secret: dayone.NewSecret(hookSecret), Now: w.clock.Now}
		d.Room = func() (uint64, uint64, error) { return free.Load(), 100 << 30, nil }
	}
	h := w.open()
	h.alerted("disk-low", 1)
	heard := func(n int) {
		t.Helper()
		until(h, "all ways out", func() (bool, bool) {
			b, _ := x.got()
			return true, len(h.about("volume is nearly full")) == n && len(b) == n
		})
	}
	heard(1)
	posted := func() {
		t.Helper()
		until(h, "the channel", func() (bool, bool) {
			n, err := h.Store.CountLetters(t.Context())
			return true, err == nil && n["chat"]+n["mail"]+n["webhook"] == 0
		})
	}
	posted()
	h.stop() // who starts again tells nobody again
	h = w.open()
	h.later(2 * time.Minute)
	h.alerted("disk-low", 1)
	h.later(23 * time.Hour)
	h.later(time.Hour)
	heard(2)
	free.Store(50 << 30)
	h.later(time.Minute)
	h.alerted("disk-low", 0)
	heard(3)
	posted()
	posts := 0
	for _, r := range door.Door().Requests() {
		if strings.Contains(r.Path, "chat.postMessage") {
			posts++
		}
	}
	same(t, "posts, and one before we had joined the channel", posts, 4)
	got := h.about("volume is nearly full")
	if !strings.HasPrefix(got[1], "Still open: ") || !strings.HasPrefix(got[2], "Resolved: ") {
		t.Errorf("IT reads %q", got)
	}
	bodies, _ := x.got()
	if bodies[0].Kind != "alert.opened" || bodies[1].Kind != "alert.reminder" || bodies[2].Kind != "alert.resolved" || bodies[2].Alerts[0].ID != bodies[0].Alerts[0].ID || len(x.bad) > 0 {
		t.Errorf("the webhook hears %+v", bodies)
	}
}

func TestASystemThatIsDownIsAlerted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	h.okta.Door().Inject(sim.Fault{Times: -1, Status: 503})
	h.judgedAs(h.hears(h.hr.Put(employee("1", "department", "Sales")))[0].ID)
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z"))
	passes := func(rule string) flow.AlertView {
		t.Helper()
		return until(h, rule, func() (flow.AlertView, bool) {
			if list := h.openOf(rule); len(list) == 1 {
				return list[0], true
			}
			h.later(20 * time.Second)
			return flow.AlertView{}, false
		})
	}
	if a := passes("breaker-open"); a.Subject != "okta" || a.About != "Okta" || a.Path != "/systems" {
		t.Errorf("%+v", a)
	}
	h.okta.Door().Heal()
	h.resolved("breaker-open")
}
