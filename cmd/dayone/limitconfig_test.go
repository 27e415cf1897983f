package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/web"
)

func TestLimitsAreTheDefaultsWithWhatTheFileSays(t *testing.T) {
	t.Parallel()
	c, err := configText(t, `portal:
  proxies: [127.0.0.1, "::1", 10.1.2.3/8, "::ffff:192.0.2.1"]
  limits: {token: {per_second: 500}, door: {at_once: 7}, hook: {per_second: 0}, live: 0}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := web.DefaultLimits
	want.Token, want.Door.AtOnce, want.Hook.PerSecond, want.Live = web.Limit{PerSecond: 500, AtOnce: 500}, 7, 0, 0
	if got := c.limits(); got != want {
		t.Errorf("limits %+v, want %+v", got, want)
	}
	var networks []netip.Prefix
	for _, s := range []string{"127.0.0.1/32", "::1/128", "10.0.0.0/8", "192.0.2.1/32"} {
		networks = append(networks, netip.MustParsePrefix(s))
	}
	if got := c.proxies(); !slices.Equal(got, networks) {
		t.Errorf("proxies %v, want %v", got, networks)
	}
	if c, err = configText(t, "company: Acme\n"); err != nil || c.limits() != web.DefaultLimits || len(c.proxies()) > 0 {
		t.Errorf("without a word of it: %+v, %v, %v", c.limits(), c.proxies(), err)
	}
}

func TestBadLimitsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, says, hint string }{
		{"portal: {proxies: [proxy.company.com]}", `"proxy.company.com", which is no address`, "10.0.0.0/8"},
		{"portal: {proxies: [10.0.0.0/99]}", "which is no address and no network", "127.0.0.1"},
		{"portal: {limits: {token: {per_second: 5, at_once: 0}}}", "portal.limits.token.at_once is 0", "per_second: 0"},
		{"portal: {limits: {token: {per_second: -1}}}", "", ""},
		{"portal: {limits: {token: {per_second: 1000000}}}", "more than one server answers", "per_second: 0"},
		{"portal: {limits: {tokens: {per_second: 1}}}", `"tokens"`, "token"},
	} {
		_, err := configText(t, c.text+"\n")
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s\n says %v\n and not %q and %q", c.text, err, c.says, c.hint)
		}
	}
}
