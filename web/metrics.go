package web

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/dayone-hq/dayone"
)

// metrics answers Prometheus. Everything is counted when it is asked for, so that it is what the pages show.
func (p *portal) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(newMeasured(p), p.limits)
	p.opt.Meters.register(reg)
	return p.measures(reg)
}

const leaderHelp = "1 if this server is at work, 0 if it stands by."

// standbyMetrics is what one that stands by can tell: that it does, and whether it could take over.
func (s standby) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	gauge := func(name, help string, is func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, is))
	}
	gauge("dayone_leader", leaderHelp, func() float64 { return 0 })
	gauge("dayone_standby_ready", "1 if this server could take over; 0: the database does not let it, and the log says why.", func() float64 { return truth(s.standing().Trouble == nil) })
	s.opt.Meters.register(reg)
	return s.measures(reg)
}

// measures answers with what a registry holds, to whoever may know.
func (p *portal) measures(reg *prometheus.Registry) http.Handler {
	answer := promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 2})
	return p.anyone(func(w http.ResponseWriter, r *http.Request) error {
		caller, ok := p.access.caller(r)
		if (!ok || p.opt.Open) && !here(r) { // the demo lets in everybody who is here
			return p.unknown(w, r)
		}
		if err := p.may(caller, r.Pattern); ok && err != nil {
			return err
		}
		answer.ServeHTTP(w, r)
		return nil
	})
}

// here says that somebody on this machine asks, and not through a proxy: by an address of this machine, which a page
// whose name was pointed at us does not know, and which a proxy leaves out.
func here(r *http.Request) bool {
	for name := range r.Header {
		if proxied(name) {
			return false
		}
	}
	return loopback(hostOf(r.RemoteAddr)) && loopback(hostOf(r.Host)) && ownPort(r)
}

// proxied says that a header is one that proxies add.
func proxied(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "forwarded", "via", "x-real-ip", "x-original-host", "x-original-forwarded-for", "x-cluster-client-ip":
		return true
	}
	return strings.HasPrefix(name, "x-forwarded-") || strings.HasPrefix(name, "cf-") || strings.HasSuffix(name, "client-ip")
}

// ownPort says that the port that is asked for is the one that answers: a proxy listens on another.
func ownPort(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	port := portOf(r.Host)
	if port == "" {
		port = "80"
		if r.TLS != nil {
			port = "443"
		}
	}
	return port == portOf(at.String())
}

// measured is what flow counts, as metrics. A room that measures something of its own adds to it here.
type measured struct {
	p *portal

	broken, behind, info, announced, people, runs, tasks, complete       *prometheus.Desc
	steps, oldest, due, alerts, letters, down, approvals, leader, parked *prometheus.Desc
}

func newMeasured(p *portal) *measured {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("dayone_"+name, help, labels, nil)
	}
	return &measured{
		p:         p,
		broken:    desc("policies_broken", "1 if the policy folder has errors; what is in force stays."),
		behind:    desc("policies_behind", "1 if the policy folder holds something that is not in force."),
		info:      desc("policies_info", "The policy version in force.", "version", "commit"),
		announced: desc("policies_announced", "Policies that come into force when their notice is over."),
		people:    desc("people", "People by status.", "status"),
		runs:      desc("runs", "Runs that are not over, by state.", "state"),
		tasks:     desc("tasks_open", "Open tasks."),
		steps:     desc("steps", "Steps of runs that are not over, by system and state.", "system", "state"),
		oldest:    desc("queue_oldest_seconds", "How long the oldest step waits that is ready to be called, and the oldest event that was not looked at.", "queue"),
		due:       desc("wakes_due", "People who are due to be looked at."),
		alerts:    desc("alerts_open", "Open alerts by rule.", "rule"),
		down:      desc("breaker_open", "1 if steps wait since a system does not answer.", "system"),
		letters:   desc("letters_waiting", "Alerts and notes of runs that were not taken yet, by way out.", "via"),
		approvals: desc("approvals_open", "Approvals that wait for an answer."),
		parked:    desc("steps_parked", "Steps that wait since their system does not answer, or was stopped.", "system"),
		leader:    desc("leader", leaderHelp),
		complete:  desc("measured", "1 if everything could be counted, else 0; the log says why."),
	}
}

// Describe says which metrics there are.
func (m *measured) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.broken, m.behind, m.info, m.announced, m.people, m.runs, m.tasks, m.complete, m.steps, m.oldest, m.due, m.alerts, m.letters, m.down, m.approvals, m.leader, m.parked} {
		ch <- d
	}
}

// measureWithin is how long counting may take.
const measureWithin = 10 * time.Second

// Collect counts.
func (m *measured) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), measureWithin)
	defer cancel()
	now, err := m.p.flow.Measure(ctx)
	if err != nil {
		m.p.log.Error("counting for metrics", "error", err)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(m.broken, truth(len(now.Standing.Broken) > 0))
	gauge(m.behind, truth(now.Standing.Behind()))
	set := m.p.flow.Active()
	gauge(m.info, 1, short12(set.Hash), short12(set.Commit))
	gauge(m.announced, float64(now.Announced))
	for _, s := range dayone.Statuses {
		gauge(m.people, float64(now.People[s]), string(s))
	}
	for _, s := range []dayone.RunState{dayone.RunRunning, dayone.RunWaiting, dayone.RunUndoing, dayone.RunHeld} {
		gauge(m.runs, float64(now.Runs[s]), string(s))
	}
	gauge(m.tasks, float64(now.Tasks))
	gauge(m.approvals, float64(now.Approvals))
	gauge(m.leader, 1) // whoever stands by answers with a page of its own
	for of, n := range now.Load.Steps {
		gauge(m.steps, float64(n), of.System, string(of.State))
	}
	gauge(m.oldest, now.Ready.Seconds(), "steps")
	gauge(m.oldest, now.Waiting.Seconds(), "events")
	gauge(m.due, float64(now.Due))
	for rule, n := range now.Alerts {
		gauge(m.alerts, float64(n), rule)
	}
	for system, is := range now.Down {
		gauge(m.down, truth(is), system)
		gauge(m.parked, float64(now.Load.Parked[system]), system)
	}
	for via, n := range now.Letters {
		gauge(m.letters, float64(n), via)
	}
	gauge(m.complete, truth(err == nil))
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
