package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
)

// configText reads a configuration as serve does.
func configText(t *testing.T, text string) (*config, error) {
	t.Helper()
	at := filepath.Join(t.TempDir(), "dayone.yaml")
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return readConfig(at)
}

func TestBadAlertsAreRefused(t *testing.T) {
	t.Parallel()
	const slack = "systems: {slack: {connector: slack, settings: {token: x, scim_token: y}}}\n"
	for _, c := range []struct{ text, says, hint string }{
		{"alerts: {rules: {leaver-lat: {after: 5m}}}", `there is no rule "leaver-lat"`, "leaver-late"},
		{"alerts: {rules: {leaver-late: {free_mb: 5}}}", `the rule leaver-late has no "free_mb"`, "it has on, after"},
		{"alerts: {rules: {disk-low: {percent: 500}}}", "alerts.rules.disk-low.percent is 500", "write 5"},
		{"alerts: {rules: {leaver-late: {after: 15}}}", "no length of time", "15m"},
		{"alerts: {mail: [it@company.com]}", "no system sends mails", "messages: {mail: NAME}"},
		{"alerts: {mail: [it]}", `"it" is no mail address`, "it@company.com"},
		{"alerts: {chat: it}", `alerts.chat is "it"`, "slack/channel:#it"},
		{"alerts: {chat: 'slack/channel:#it'}", `names the system "slack", which is not configured`, ""},
		{"alerts: {webhook: {url: 'http://hooks.company.com/x', secret: y}}", "plain http", "https://hooks.company.com/x"},
		{"alerts: {webhook: {url: 'https://hooks.company.com/x'}}", "alerts.webhook has no secret", "${file:alerts.secret}"},
		{"alerts: {webhook: {secret: y}}", "alerts.webhook has no url", "https://"},
		{"alerts: {websocket: y}", `alerts has no "websocket"`, "webhook"},
		{"sources: {hr: {connector: webhook, stale_after: 5m, settings: {secret: x}}}", "sources.hr.stale_after is 5m0s", "24h"},
	} {
		_, err := configText(t, c.text+"\n")
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s\n says %v\n and not %q and %q", c.text, err, c.says, c.hint)
		}
	}
	c, err := configText(t, slack+`
alerts:
  chat: 'slack/channel:#it'
  webhook: {url: 'https://hooks.company.com/x', secret: short}
  rules: {leaver-late: {after: 5m}, task-overdue: {on: false}, disk-low: {free_mb: 1}}
`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.alerts(wiring{clock: clock.System{}}); err == nil || !strings.Contains(err.Error(), "has 5 characters") || strings.Contains(err.Error(), `"short"`) {
		t.Errorf("a secret that is guessed: %v", err)
	}
	c.Alerts.Webhook.Secret = "long-enough-to-be-one"
	a, err := c.alerts(wiring{clock: clock.System{}})
	if err != nil || a.Hook == nil {
		t.Fatal(err)
	}
	is := map[string]flow.AlertRule{}
	for _, r := range a.Rules {
		is[r.Name] = r
	}
	if r := is["leaver-late"]; r.Off || r.Length != 5*time.Minute {
		t.Errorf("%+v", r)
	}
	if r := is["disk-low"]; r.Off || r.FreeMB != 1 || r.Percent != 5 {
		t.Errorf("%+v", r)
	}
	if !is["task-overdue"].Off || is["run-incomplete"].Off {
		t.Error("what is off is on, or the other way round")
	}
}
