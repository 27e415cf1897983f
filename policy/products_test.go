package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

const chatProducts = `products:
  - id: directory
    title: Okta
    domain: Security
    icon: key
    owner: it@company.com
    grant:
      - {to: okta/account}
  - id: chat
    title: Slack
    domain: collaboration
    owner: it@company.com
    prerequisites: [directory]
    grant:
      - {to: slack/account}
      - {to: "slack/channel:#x", role: member}
`

const chatPolicies = `policies:
  - id: everybody
    owner: it@company.com
    match: everyone
    grant:
      - {product: directory}
  - id: may-chat
    owner: it@company.com
    match: {department: Sales}
    offer:
      - {product: chat, approval: {by: [manager]}, for: 30d}
`

func withProducts(products, policies string) (*policy.Set, []policy.Diagnostic) {
	files := house(policies)
	f := *files["policies/a.yaml"]
	f.Data = []byte(products)
	files["products/p.yaml"] = &f
	return policy.Check(files, policy.Known{})
}

func TestProductsAreGivenAndOfferedByPolicies(t *testing.T) {
	t.Parallel()
	set, diags := withProducts(chatProducts, chatPolicies)
	if set == nil {
		t.Fatal(findings(diags))
	}
	chat := set.Product("chat")
	if chat == nil || chat.Domain != "collaboration" || !slices.Equal(chat.Prerequisites, []string{"directory"}) || chat.At != "products/p.yaml:9" {
		t.Fatalf("chat is %+v", chat)
	}
	now := time.Date(2025, 6, 2, 9, 0, 0, 0, time.UTC)
	seller := dayone.Person{ID: "per_1", Status: dayone.Working, Start: now.AddDate(-1, 0, 0), Attrs: dayone.Attrs{"department": dayone.Text("Sales"), "team": dayone.Text("A")}}
	w := set.Want(seller, policy.Context{Now: now})
	if got := keysOfGrants(w.Grants); !slices.Equal(got, []string{"okta/account"}) {
		t.Errorf("given: %v", got)
	}
	if got := keysOfGrants(w.Offers); !slices.Equal(got, []string{"slack/account", "slack/channel:#x member"}) {
		t.Errorf("offered: %v", got)
	}
	for _, g := range w.Offers {
		if g.Approval == nil || !slices.Equal(g.Approval.By, []string{"manager"}) || g.Because[0].Policy != "may-chat" {
			t.Errorf("%s: who must agree, and why: %+v", g.Key, g)
		}
	}

	ask := dayone.Request{ID: "req_1", Person: "per_1", Product: "chat", Made: now}
	agreed := func(dayone.Key, string) bool { return true }
	w = set.Want(seller, policy.Context{Now: now, Requested: set.Asked([]dayone.Request{ask}), Approved: agreed})
	if got := keysOfGrants(w.Grants); !slices.Equal(got, []string{"okta/account", "slack/account", "slack/channel:#x member"}) {
		t.Errorf("with the product: %v", got)
	}
	// one who starts in a month may ask ahead, and gets it with the account
	later := seller
	later.Status, later.Start = dayone.PreHire, now.AddDate(0, 1, 0)
	w = set.Want(later, policy.Context{Now: now})
	if len(w.Offers) != 2 || slices.ContainsFunc(w.Later, func(g dayone.Grant) bool { return g.Key.System == "slack" }) {
		t.Errorf("ahead: offers %v, later %v", keysOfGrants(w.Offers), keysOfGrants(w.Later))
	}
	w = set.Want(later, policy.Context{Now: now, Requested: set.Asked([]dayone.Request{ask}), Approved: agreed})
	if len(w.Offers) != 0 || len(w.Later) != 3 {
		t.Errorf("asked ahead: offers %v, later %v", keysOfGrants(w.Offers), keysOfGrants(w.Later))
	}
	// of two requests for the same, the last end counts; one for a product that there is no more asks for nothing
	own := dayone.Request{ID: "req_2", Person: "per_1", Key: dayone.Key{System: "slack", Kind: "account"}, Made: now, Until: now.AddDate(0, 0, 3)}
	ask.Until = now.AddDate(0, 0, 9)
	gone := dayone.Request{ID: "req_3", Person: "per_1", Product: "fax", Made: now}
	w = set.Want(seller, policy.Context{Now: now, Requested: set.Asked([]dayone.Request{own, ask, gone}), Approved: agreed})
	for _, g := range w.Grants {
		if g.Key == own.Key && !g.Until.Equal(ask.Until) {
			t.Errorf("%s until %v", g.Key, g.Until)
		}
	}
}

func keysOfGrants(gs []dayone.Grant) []string {
	var out []string
	for _, g := range gs {
		out = append(out, strings.TrimSpace(g.Key.String()+" "+g.Role))
	}
	slices.Sort(out)
	return out
}

func TestFaultsOfProducts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		products, policies string
		want               []string
	}{
		"what it cannot say": {
			strings.Replace(chatProducts, "{to: okta/account}", "{to: okta/account, if: true, approval: {by: [manager]}}", 1), chatPolicies,
			[]string{"products/p.yaml:8:28 unknown-key: a grant of a product has no \"if\"", "products/p.yaml:8:38 unknown-key: a grant of a product has no \"approval\""},
		},
		"unknown things": {
			strings.NewReplacer("[directory]", "[directry]", "okta/account", "okta/acount", "icon: key", "icon: keyy").Replace(chatProducts), chatPolicies,
			[]string{
				"products/p.yaml:5:11 value: icon is \"keyy\"; it can be chat, cloud, code, device, key, lock, mail, network, people, phone, record, shield, system, video",
				"products/p.yaml:8:14 unknown-entitlement: okta has no kind \"acount\"",
				"products/p.yaml:13:21 unknown-product: there is no product \"directry\"",
			},
		},
		"a circle": {
			strings.Replace(chatProducts, "icon: key", "prerequisites: [chat]", 1), chatPolicies,
			[]string{"products/p.yaml:5:21 cycle: product \"directory\" needs itself: directory, chat, directory", "products/p.yaml:13:21 cycle: product \"chat\" needs itself: chat, directory, chat"},
		},
		"twice, nameless and empty": {
			strings.Replace(chatProducts, "id: chat", "id: directory", 1) + "  - id: Big Thing\n    owner: it@company.com\n    domain: x\n    title: y\n", strings.Replace(chatPolicies, "product: chat", "product: char", 1),
			[]string{
				"11:19 unknown-product: there is no product \"char\"",
				"7:5 empty: policy \"may-chat\" does nothing",
				"products/p.yaml:9:9 duplicate: the product \"directory\" stands at products/p.yaml:2, too",
				"products/p.yaml:17:5 empty: product \"Big Thing\" holds nothing",
				"products/p.yaml:17:9 value: \"Big Thing\" is no id of a product",
			},
		},
		"what says nothing on its line": {
			chatProducts, strings.Replace(chatPolicies, "{product: directory}", "{product: directory, role: member}", 1),
			[]string{"6:36 bundle: role says nothing on a line that names a bundle or product"},
		},
		"nobody can have it": {
			chatProducts, strings.Replace(chatPolicies, "{product: chat, approval: {by: [manager]}, for: 30d}", "{to: slack/account}", 1),
			[]string{"products/p.yaml:16:9 unoffered: nobody can have product \"chat\": no policy gives or offers slack/channel:#x as member"},
		},
		"an anchor": {
			strings.Replace(chatProducts, "title: Okta", "title: &a Okta", 1), "policies:\n  - {id: a, owner: b, match: everyone, grant: [{to: okta/account}]}\n",
			[]string{"products/p.yaml:3:12 anchor: YAML anchors are not allowed in policies"},
		},
	} {
		_, diags := withProducts(c.products, c.policies)
		got := slices.DeleteFunc(findings(diags), func(s string) bool { return strings.HasPrefix(s, "people.yaml") })
		if diff := cmp.Diff(c.want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestALineThatNamesABundleSaysHowItIsGiven(t *testing.T) {
	t.Parallel()
	set, diags := policy.Check(house(`bundles:
  talk: [{to: slack/account}, {to: "slack/channel:#x", role: guest}]
policies:
  - id: a
    owner: b@company.com
    match: everyone
    offer:
      - {bundle: talk, approval: {by: [owner]}, for: 7d}
`), policy.Known{})
	if set == nil {
		t.Fatal(findings(diags))
	}
	for _, r := range set.Policies[0].Offers {
		if r.Approval == nil || r.For != 7*24*time.Hour {
			t.Errorf("%s is offered without what its line says: %+v", r.Key, r)
		}
	}
}
