package main

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/signed"
	"github.com/dayone-hq/dayone/flow"
)

// alertsConfig says what is watched for, and who is told.
type alertsConfig struct {
	Mail    []string              `yaml:"mail"`
	Chat    string                `yaml:"chat"`
	Names   bool                  `yaml:"names"`
	Webhook hookConfig            `yaml:"webhook"`
	Rules   map[string]ruleConfig `yaml:"rules"`
}

type hookConfig struct {
	URL    string `yaml:"url"`
	Secret string `yaml:"secret"`
	Runs   bool   `yaml:"runs"`
}

// ruleConfig is what of a rule differs from its default. Which of the thresholds a rule has, it says itself.
type ruleConfig struct {
	On      bool          `yaml:"on"`
	After   time.Duration `yaml:"after"`
	Before  time.Duration `yaml:"before"`
	FreeMB  int           `yaml:"free_mb"`
	Percent int           `yaml:"percent"`
}

// thresholdKeys are the keys of a rule that belong to its kind of threshold.
func thresholdKeys(t flow.Threshold) []string {
	switch t {
	case flow.NoThreshold:
		return nil
	case flow.Free:
		return []string{"free_mb", "percent"}
	}
	return []string{string(t)}
}

// minHookSecret is how long the webhook's secret is at least: whoever guesses it can speak for us.
const minHookSecret = 16

// checkAlerts judges what can be judged without a secret or a call.
func (c *config) checkAlerts(bad func(error)) {
	a := c.Alerts
	if len(a.Mail) > 0 && c.Messages.Mail == "" {
		bad(c.wrongKey("alerts.mail", "missing", "write messages: {mail: NAME} with the system that sends mails", "alerts.mail names addresses, and no system sends mails"))
	}
	for i, to := range a.Mail {
		if strings.Count(to, "@") != 1 || strings.ContainsAny(to, " \t,<>") || strings.HasPrefix(to, "@") || strings.HasSuffix(to, "@") {
			bad(c.wrong("alerts.mail."+strconv.Itoa(i), "value", "write it@company.com", "%q is no mail address", to))
		}
	}
	c.checkChat(bad)
	c.checkHook(bad)
	known := map[string]flow.AlertRule{}
	for _, r := range flow.AlertRules() {
		known[r.Name] = r
	}
	for _, name := range slices.Sorted(maps.Keys(a.Rules)) {
		path, names := "alerts.rules."+name, slices.Sorted(maps.Keys(known))
		r, ok := known[name]
		if !ok {
			bad(c.wrongKey(path, "unknown-rule", cmp.Or(dayone.Meant(name, names), "there are "+strings.Join(names, ", ")), "there is no rule %q", name))
			continue
		}
		has := thresholdKeys(r.Threshold)
		for _, key := range []string{"after", "before", "free_mb", "percent"} {
			if _, said := c.stands(path + "." + key); said && !slices.Contains(has, key) {
				bad(c.wrongKey(path+"."+key, "unknown-key", strings.Join(append([]string{"it has on"}, has...), ", "), "the rule %s has no %q", name, key))
			}
		}
		if p := a.Rules[name].Percent; p > 100 {
			bad(c.wrong(path+".percent", "value", "write 5", "%s.percent is %d", path, p))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if at := c.Sources[name].StaleAfter; at > 0 && at < time.Hour {
			bad(c.wrong("sources."+name+".stale_after", "value", "write 24h, or 0s for never", "sources.%s.stale_after is %s, and HR is silent for longer than that", name, at))
		}
	}
}

func (c *config) checkChat(bad func(error)) {
	const hint = "write slack/channel:#it"
	if c.Alerts.Chat == "" {
		return
	}
	key, err := dayone.ParseKey(c.Alerts.Chat)
	if err != nil || key.Name == "" {
		bad(c.wrong("alerts.chat", "value", hint, "alerts.chat is %q, which names no channel of a system", c.Alerts.Chat))
		return
	}
	s, ok := c.Systems[key.System]
	if !ok {
		bad(c.wrong("alerts.chat", "unknown-system", cmp.Or(dayone.Meant(key.System, slices.Sorted(maps.Keys(c.Systems))), "configure it below systems:"), "alerts.chat names the system %q, which is not configured", key.System))
		return
	}
	if m, err := c.connector("systems."+key.System, s.Connector); err == nil && (!m.Can("messenger") || sendsMail(m)) {
		bad(c.wrong("alerts.chat", "value", hint, "alerts.chat names %s, and %s has no channels to write to", key.System, m.Title))
	}
}

func (c *config) checkHook(bad func(error)) {
	h := c.Alerts.Webhook
	if h == (hookConfig{}) {
		return
	}
	if h.URL == "" {
		bad(c.wrongKey("alerts.webhook", "missing", "write url: https://hooks.company.com/dayone", "alerts.webhook has no url"))
	} else if !reference.MatchString(h.URL) {
		bad(c.hookURL(h.URL))
	}
	if h.Secret == "" {
		bad(c.wrongKey("alerts.webhook", "missing", "write secret: ${file:alerts.secret} and a long random text into that file", "alerts.webhook has no secret, and nobody could tell what it sends from what others send"))
	}
}

func (c *config) hookURL(v string) error {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return c.wrong("alerts.webhook.url", "value", "write https://hooks.company.com/dayone", "alerts.webhook.url is no address")
	case u.Scheme == "http" && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()):
		return c.wrong("alerts.webhook.url", "value", "write https://"+u.Host+u.Path, "alerts.webhook.url would send ids of people over plain http")
	}
	return nil
}

// alerts are the settings as flow takes them, with secrets put in.
func (c *config) alerts(w wiring) (flow.AlertSettings, error) {
	a := c.Alerts
	out := flow.AlertSettings{Mail: a.Mail, Chat: a.Chat, Names: a.Names, Runs: a.Webhook.Runs}
	for _, r := range flow.AlertRules() {
		set, path := a.Rules[r.Name], "alerts.rules."+r.Name+"."
		if _, said := c.stands(path + "on"); said {
			r.Off = !set.On
		}
		for key, to := range map[string]*time.Duration{"after": &r.Length, "before": &r.Length} {
			if _, said := c.stands(path + key); said {
				*to = map[string]time.Duration{"after": set.After, "before": set.Before}[key]
			}
		}
		if _, said := c.stands(path + "free_mb"); said {
			r.FreeMB = set.FreeMB
		}
		if _, said := c.stands(path + "percent"); said {
			r.Percent = set.Percent
		}
		out.Rules = append(out.Rules, r)
	}
	if a.Webhook.URL == "" || w.offline {
		return out, nil
	}
	at, err := c.fill("alerts.webhook.url", a.Webhook.URL)
	if err == nil {
		err = c.hookURL(at)
	}
	if err != nil {
		return out, err
	}
	key, err := c.fill("alerts.webhook.secret", a.Webhook.Secret)
	if n := len(key); err == nil && n < minHookSecret {
		err = c.wrong("alerts.webhook.secret", "value", "openssl rand -hex 32 makes a good one", "alerts.webhook.secret has %d characters; whoever guesses it can speak for Dayone, so it needs %d at least", n, minHookSecret)
	}
	if err != nil {
		return out, err
	}
	transport := w.transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	out.Hook = &signed.Sender{URL: at, Secret: dayone.NewSecret(key), Now: w.clock.Now, HTTP: transport}
	return out, nil
}
