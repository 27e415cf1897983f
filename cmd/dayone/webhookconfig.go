package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/signed"
	"github.com/dayone-hq/dayone/flow"
)

// tellConfig is where a program hears of runs that end.
type tellConfig struct {
	URL      string   `yaml:"url"`
	Secret   string   `yaml:"secret"`
	Events   []string `yaml:"events"`
	Internal bool     `yaml:"internal"` // its address may be within our own network
}

// checkWebhooks judges what can be judged without a secret or a call.
func (c *config) checkWebhooks(bad func(error)) {
	for _, name := range slices.Sorted(maps.Keys(c.Webhooks)) {
		path, w := "webhooks."+name, c.Webhooks[name]
		if !systemName.MatchString(name) || len(name) > 60 {
			bad(c.wrongKey(path, "name", "use lower case letters, digits and -", "%q is no name for a webhook", name))
		}
		switch {
		case w.URL == "":
			bad(c.wrongKey(path, "missing", "write url: https://tickets.company.com/dayone", "%s has no url", path))
		case !reference.MatchString(w.URL):
			if err := c.webhookURL(path, w.URL, w.Internal); err != nil {
				bad(err)
			}
		}
		if w.Secret == "" {
			bad(c.wrongKey(path, "missing", "write secret: ${file:"+name+".secret} and a long random text into that file", "%s has no secret, and nobody could tell what it sends from what others send", path))
		}
		for i, e := range w.Events {
			if !slices.Contains(flow.WebhookEvents, e) {
				bad(c.wrong(path+".events."+strconv.Itoa(i), "value", cmp.Or(dayone.Meant(e, flow.WebhookEvents), "there are "+strings.Join(flow.WebhookEvents, ", ")), "%s.events names %q", path, e))
			}
		}
	}
}

func (c *config) webhookURL(path, v string, internal bool) error {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return c.wrong(path+".url", "value", "write https://tickets.company.com/dayone", "%s.url is no address", path)
	case u.Scheme == "http" && !local(u):
		return c.wrong(path+".url", "value", "write https://", "%s.url would send ids of people over plain http", path)
	case local(u) && !internal:
		return c.wrong(path+".url", "value", "write internal: true beside it", "%s.url is on this machine, which has to be said", path)
	}
	return nil
}

// webhooks are the settings as flow takes them, with secrets put in.
func (c *config) webhooks(w wiring) ([]flow.Webhook, error) {
	var out []flow.Webhook
	for _, name := range slices.Sorted(maps.Keys(c.Webhooks)) {
		path, x := "webhooks."+name, c.Webhooks[name]
		if w.offline {
			continue
		}
		at, err := c.fill(path+".url", x.URL)
		if err == nil {
			err = c.webhookURL(path, at, x.Internal)
		}
		if err != nil {
			return nil, err
		}
		key, err := c.fill(path+".secret", x.Secret)
		if n := len(key); err == nil && n < minHookSecret {
			err = c.wrong(path+".secret", "value", "openssl rand -hex 32 makes a good one", "%s.secret has %d characters; whoever guesses it can speak for Dayone, so it needs %d at least", path, n, minHookSecret)
		}
		if err != nil {
			return nil, err
		}
		u, err := url.Parse(at)
		if err != nil {
			return nil, fmt.Errorf("%s.url is no address: %w", path, dayone.ErrInvalid)
		}
		transport := w.transport
		if !x.Internal {
			transport = signed.Outside()
		}
		out = append(out, flow.Webhook{
			Name: name, Where: u.Hostname(), Events: x.Events, Hook: &signed.Sender{URL: at, Secret: dayone.NewSecret(key), Now: w.clock.Now, HTTP: transport, Place: path, Standard: true},
		})
	}
	return out, nil
}
