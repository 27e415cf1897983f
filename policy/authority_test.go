package policy_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Who decides about an entitlement is written in the catalogue: for a kind, and for a name where that differs.
func TestTheCatalogueSaysWhoDecides(t *testing.T) {
	t.Parallel()
	base := "policies:\n  - id: a\n    owner: b\n    match: everyone\n    grant: [{to: okta/account}, {to: \"okta/group:base\"}]\n"
	folder := func(kinds, policies string) fstest.MapFS {
		files := house(policies)
		files["catalog/b.yaml"] = &fstest.MapFile{Data: []byte("systems:\n  okta:\n    group: {names: [base, vpn, fun], needs: account, authority: exclusive, authority_of: {fun: observe, base: additive}}\n" + kinds)}
		return files
	}
	set, diags := policy.Load(folder("", base), nil)
	if set == nil {
		t.Fatal(diags)
	}
	for name, want := range map[string]dayone.Authority{"base": dayone.Additive, "vpn": dayone.Exclusive, "fun": dayone.Observe} {
		if got := set.Systems["okta"].Authority(dayone.Key{System: "okta", Kind: "group", Name: name, As: dayone.Admin}); got != want {
			t.Errorf("%s: %s decides, not %s", name, got, want)
		}
	}
	if got := set.Systems["slack"].Authority(dayone.Key{System: "slack", Kind: "channel", Name: "#x"}); got != dayone.Additive {
		t.Errorf("where nothing is said, it is %s", got)
	}
	for _, c := range []struct{ kinds, policies, want string }{
		{"    account: {authority: exclusive}\n", base, "an account follows the life of its owner"},
		{"    vault: {authority: exclsive}\n", base, `authority is "exclsive"; it can be exclusive, additive, observe`},
		{"    synced: {authority: exclusive}\n", base, "okta/synced cannot be written"},
		{"    slot: {names: [one], exclusive: true, authority: exclusive}\n", base, "okta/slot cannot be empty"},
		{"    vault: {authority_of: {kyes: observe}}\n", base, `"kyes", which is none of the names of okta/vault`},
		{"", strings.Replace(base, "group:base", "group:fun", 1), "okta/group:fun is only observed, so no policy gives it"},
		{"", base + "    offer: [{to: \"okta/group:fun\"}]\n", "okta/group:fun is only observed, so no policy gives it"},
	} {
		_, diags := policy.Check(folder(c.kinds, c.policies), policy.Known{})
		if got := strings.Join(findings(diags), "\n"); !strings.Contains(got, c.want) {
			t.Errorf("%s%s says %q, not %q", c.kinds, c.policies, got, c.want)
		}
	}
}

// Who asks why somebody has something reads who decides about it, and since when it is known.
func TestAnExplanationSaysWhoDecides(t *testing.T) {
	t.Parallel()
	files := house("policies:\n  - id: a\n    owner: b\n    match: everyone\n    grant: [{to: okta/account}]\n")
	files["catalog/b.yaml"] = &fstest.MapFile{Data: []byte("systems:\n  okta:\n    group: {names: [vpn], needs: account, authority: exclusive}\n")}
	set, diags := policy.Load(files, nil)
	if set == nil {
		t.Fatal(diags)
	}
	vpn, day := dayone.Key{System: "okta", Kind: "group", Name: "vpn"}, time.Date(2025, 6, 2, 0, 0, 0, 0, time.UTC)
	why := dayone.SeenFirst(day.Add(13 * time.Hour))
	if why.String() != "baseline (seen 2025-06-02)" {
		t.Errorf("the reason is %s", why)
	}
	p := dayone.Person{ID: "per_1", Status: dayone.Working, Attrs: dayone.Attrs{"department": dayone.Text("IT")}}
	have := map[dayone.Key]dayone.Holding{vpn: {Item: dayone.Item{Key: vpn, State: dayone.Active}, Because: []dayone.Reason{why}}}
	x := set.Explain(p, policy.Context{Now: day, Held: have}, vpn)
	if x.Authority != dayone.Exclusive || !x.Seen.Equal(day) || !x.There || x.Answer != "not given" {
		t.Errorf("it says %+v", x)
	}
	if x := set.Explain(p, policy.Context{Now: day, Held: have}, vpn.Account()); x.Authority != "" || !x.Seen.IsZero() {
		t.Errorf("of an account it says %+v", x)
	}
}
