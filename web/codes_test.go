package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/web"
)

const wifiManifest = `
name: wifi
title: Wifi
capabilities: [target]
kinds:
  code: {title: Network code, actions: [add, remove], attributes: {code: {secret: "code:16"}}}
`

// withWifi is a company where everybody has a code for the network.
func withWifi(t *testing.T, fake connector.Connector) setting {
	return func(_ *web.Options, d *flow.Deps) {
		g, err := connector.Open(connector.Factory{Manifest: []byte(wifiManifest), New: func(connector.Config) (connector.Connector, error) { return fake, nil }}, "wifi", time.Now, connector.Options{})
		if err != nil {
			t.Fatal(err)
		}
		d.Systems = maps.Clone(d.Systems)
		delete(d.Systems, "okta")
		d.Systems["wifi"] = g
		files := maps.Clone(fewPolicies)
		files["policies/base.yaml"] = &fstest.MapFile{Data: []byte(`policies:
  - id: everybody
    title: Everyone on the payroll
    owner: it@company.com
    when: person.employment_type == "FTE"
    grant:
      - {to: wifi/code}
`)}
		set, diags := policy.Load(files, []dayone.System{g.Manifest.System("wifi")})
		if set == nil {
			t.Fatal(diags)
		}
		d.Policy, d.Files = set, files
	}
}

// Whoever helps people finds the link that was lost, renews a code that was seen, and never sees what a link shows; the old
// link is over.
func TestCodesAreRenewedInThePortal(t *testing.T) {
	t.Parallel()
	b := newBench(t, withWifi(t, &anything{}))
	p, _ := b.hire("emp_1", "Ngozi", "Eze", "Sales", b.flow.Now().AddDate(0, -1, 0))
	at := "/people/" + string(p)
	links := func() (urls []string) {
		var out struct {
			Items []struct {
				Key, System, Thing, URL string
				Waits                   bool
			}
		}
		b.api("GET", "/api/v1"+at+"/links", "", 200, &out)
		for _, l := range out.Items {
			if !l.Waits && l.Key == "wifi/code" && l.System == "Wifi" && l.Thing == "Network code" {
				urls = append(urls, strings.TrimPrefix(l.URL, b.url))
			}
		}
		return urls
	}
	b.until("the code is there", func() bool { return len(links()) == 1 })
	first := links()[0]
	want(t, "the person", b.page(at), at+"/codes")
	want(t, "the codes", b.page(at+"/codes"), "Wifi: Network code", first, "/renew?key=wifi%2Fcode")
	want(t, "before it is renewed", b.page(at+"/renew?key=wifi%2Fcode"), "Renew Wifi: network code", "opens nothing from then on", `name="key" value="wifi/code"`)
	want(t, "without a reason", text(t, b.post(at+"/renew", url.Values{"key": {"wifi/code"}, "reason": {" "}})), "It was not renewed", "Say why")
	want(t, "what nobody made here", text(t, b.post(at+"/renew", url.Values{"key": {"wifi/account"}, "reason": {"lost"}})), "It was not renewed", "has no wifi/account")
	res := b.post(at+"/renew", url.Values{"key": {"wifi/code"}, "reason": {"seen on a whiteboard"}})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != at+"/codes?said=renewed" {
		t.Fatal(res.Status, text(t, res))
	}
	b.until("another link", func() bool { l := links(); return len(l) == 1 && l[0] != first })
	want(t, "the old link", text(t, b.get(first)), "not good any more")
	if res := b.post(first, url.Values{"code": {b.keeper.Code(string(p))}}); res.StatusCode != http.StatusGone {
		t.Errorf("the old link answers %s", res.Status)
	} else {
		want(t, "the old link opened", text(t, res), "not good any more")
	}
	second := links()[0]
	want(t, "the new link", text(t, b.get(second)), "Wifi: Network code", "Show the code")
	want(t, "opened", text(t, b.post(second, url.Values{"code": {b.keeper.Code(string(p))}})), "shown now and never again")
	want(t, "when all are opened", b.page(at+"/codes"), "None. What was opened once is gone from here; a code can be renewed.", "Network code", "/renew?key=wifi%2Fcode")
	var asked struct {
		URL   string
		Waits bool
	}
	b.api("POST", "/api/v1"+at+"/renew", `{"key":"wifi/code","reason":"lost"}`, 202, &asked)
	if !asked.Waits || strings.HasSuffix(asked.URL, second) {
		t.Errorf("the answer is %+v", asked)
	}
	b.until("the third", func() bool { return slices.Contains(links(), strings.TrimPrefix(asked.URL, b.url)) })
	want(t, "the records", b.page(at+"/records"), "wifi/code", "seen on a whiteboard")
}
