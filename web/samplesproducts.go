package web

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// samplePersonProducts are products in every state.
func samplePersonProducts(now time.Time) []flow.PersonProduct {
	key := func(s string) dayone.Key { k, _ := dayone.ParseKey(s); return k }
	product := func(id, title, domain, about string, state flow.ProductState, keys ...string) flow.PersonProduct {
		p := flow.PersonProduct{Product: dayone.Product{ID: id, Title: title, Domain: domain, Description: about, Owner: "it-platform@company.com", At: "products/products.yaml:4"}, State: state}
		for _, k := range keys {
			part := dayone.ProductPart{Key: key(k)}
			p.Product.Parts = append(p.Product.Parts, part)
			p.Parts = append(p.Parts, flow.PersonPart{ProductPart: part, State: flow.PartGiven, Given: state == flow.ProductGiven})
		}
		return p
	}
	given := product("sign-in", "Okta", "security", "One sign-in for everything, with a second factor", flow.ProductGiven, "okta/account", "okta/group:base-employee")
	given.Policies = []dayone.Reason{{Policy: "base-employee", At: "policies/base.yaml:14"}, {Policy: "sales-team", At: "policies/sales.yaml:7"}}
	asked := product("chat", "Slack", "collaboration", "Messages with everybody, and what is announced", flow.ProductRequested, "slack/account", "slack/channel:#general")
	asked.Request = &dayone.Request{ID: "req_01jd9x0000000000000000000a", Person: samplePerson, Product: "chat", Reason: "Covers for Max during his parental leave", Made: now.Add(-time.Hour)}
	offered := product("mid-market", "Salesforce for mid-market", "business", "New requests of mid-market customers in Salesforce", flow.ProductOffered, "salesforce/queue:mid-market")
	offered.Lasts, offered.Needs, offered.Prerequisites = 90*24*time.Hour, []string{"chat"}, []string{"chat", "sign-in"}
	offered.Approvals = []dayone.Approval{{By: []string{"manager", "owner"}, Need: "all"}}
	free := product("customer-code", "GitLab for customers", "business", "", flow.ProductOffered, "gitlab/account", "gitlab/group:customer-solutions")
	none := product("fax", "Fax", "archive", "For those who still need it", flow.ProductNone, "phone/line")
	return []flow.PersonProduct{given, asked, offered, free, none}
}

// samplePick is a preview with everything that can stand against it.
func samplePick(now time.Time, b *board) flow.PickPreview {
	all := samplePersonProducts(now)
	v := flow.PickPreview{
		Picked: all[2:4], Already: all[:1], Needs: []flow.Prerequisite{{Product: "chat", For: "mid-market"}}, Hash: "8991c0c00105",
		Seats:    []flow.SeatCount{{System: "salesforce", Pool: "Sales Cloud", Total: 120, Used: 118, Free: 2, Needed: 1}, {System: "gitlab", Pool: "Premium", Total: 50, Used: 50, Needed: 1, Short: 1}},
		Findings: []string{"quote-and-approve: nobody both writes a quote and approves its discount"},
		Pace:     b.pace, Forecast: engine.Forecast{At: now.Add(26*time.Hour + 9*time.Minute), Early: now.Add(20*time.Hour + 4*time.Minute), Late: now.Add(50*time.Hour + 26*time.Minute), Without: []int{13}},
	}
	for i := range b.run.Steps {
		v.Look.Plan.Steps = append(v.Look.Plan.Steps, b.run.Steps[i].Step)
	}
	queue := b.run.Steps[15].Step // what was picked in Salesforce needs the account there
	queue.ID, queue.Key, queue.Action, queue.Needs = "salesforce/queue:mid-market entitlement.add", sampleKey("salesforce/queue:mid-market"), dayone.EntitlementAdd, []dayone.Need{{Step: queue.ID}}
	queue.Approval = &offeredApproval
	v.Pace = maps.Clone(b.pace)
	v.Pace[paceKey(queue)] = b.pace[paceKey(b.run.Steps[15].Step)]
	v.Look.Plan.Steps = slices.Insert(v.Look.Plan.Steps, 16, queue)
	v.Look.Person = dayone.Person{ID: samplePerson, At: now}
	v.Gained = []dayone.Grant{{Key: queue.Key, Approval: &offeredApproval}}
	v.Pending, v.Look.Want.Later = v.Gained, []dayone.Grant{{Key: sampleOffer, From: now.AddDate(0, 0, 3)}}
	return v
}

// sampleForetold are messages of a plan: one that she reads, and what others get.
func sampleForetold(now time.Time) []flow.Foretold {
	key := func(kind, name string) dayone.Key { return dayone.Key{System: "mail", Kind: kind, Name: name} }
	return []flow.Foretold{
		{Key: key("message", "welcome"), To: []string{"sarah@home.example"}, Hers: true, Subject: "Welcome to Company! Your onboarding guide", Text: "Hi Sarah,\n\nYour first password:\n- Okta: (a one-time link, made when this is sent)\n\nTeam handbook: https://handbook.company.com\n"},
		{Key: key("invitation", "intro-call"), To: []string{"sarah@home.example", "john.doe@company.com"}, Hers: true, Subject: "Intro call: Sarah Chen", Start: now.Format(time.RFC3339)},
		{Key: key("message", "manager-ready"), To: []string{"john.doe@company.com"}, Subject: "Sarah Chen is ready"},
	}
}

// sampleUnwritten is a message of a plan that cannot be written.
var sampleUnwritten = flow.Foretold{Key: dayone.Key{System: "mail", Kind: "message", Name: "codes"}, To: []string{"sarah@home.example"}, Hers: true, Problem: "template codes, line 3: there is no field Person.Nickname"}

var offeredApproval = dayone.Approval{By: []string{"manager", "owner"}, Need: "all"}

func sampleProducts(view viewer, row flow.Row, head personHead, access []flow.Access) []sample {
	now := view.now
	all := samplePersonProducts(now)
	set := &policy.Set{Policies: []*policy.Policy{
		{ID: "base-employee", Title: "Everyone on the payroll", Grants: []*policy.Rule{{Key: all[0].Product.Parts[0].Key}, {Key: all[0].Product.Parts[1].Key}}, Offers: []*policy.Rule{{Key: all[1].Product.Parts[0].Key}}},
		{ID: "sales-team", Title: "Sales department", Grants: []*policy.Rule{{Key: all[0].Product.Parts[0].Key}, {Key: all[0].Product.Parts[1].Key}}, Offers: []*policy.Rule{{Key: all[2].Product.Parts[0].Key}, {Key: all[3].Product.Parts[0].Key}, {Key: all[3].Product.Parts[1].Key}}},
	}}
	for i := range all {
		set.Products = append(set.Products, &all[i].Product)
	}
	title := func(id string) string {
		for _, x := range all {
			if x.ID == id {
				return x.Title
			}
		}
		for _, x := range set.Policies {
			if x.ID == id {
				return x.Title
			}
		}
		return id
	}
	known := row
	known.ID, known.Name, known.Title, known.Email, known.Location = "per_01jd9x0000000000000000000c", "Mariam Haddad", "Account Executive", "mariam.haddad@company.com", "London"
	known.Managed, known.Status, known.Starts = false, dayone.Working, row.Starts.AddDate(0, 0, -7*90)
	b := samplePaced(view, 0)
	pick := samplePick(now, b)
	preview := func(pv flow.PickPreview, products ...string) onboardPreviewView {
		return newOnboardPreview(view, head, pv, products, b.titles, map[string]string{"salesforce/permset": "permission set"}, title)
	}
	good := pick
	good.Needs, good.Findings, good.Seats, good.Now.Person.Managed = nil, nil, nil, true
	good.Handed = map[dayone.StepID]flow.Handed{}
	for _, s := range good.Look.Plan.Steps {
		if s.Key.System == "procurement" {
			good.Handed[s.ID] = flow.Handed{To: "group:procurement"}
		}
	}
	whole := preview(good, "mid-market")
	whole.Numbers = []item{nextNumber(view, flow.NumberGiven{Number: dayone.Number{ID: "+14155550117", Pool: "san-francisco", State: dayone.NumberFree}, Why: "the one that is free for longest", Title: "San Francisco direct dial"})}
	whole.letters(view, sampleForetold(now), true)
	alone := pick // Slack was not picked, so that its steps are not in the plan
	alone.Look.Plan.Steps = nil
	for _, s := range pick.Look.Plan.Steps {
		if s.Key.System == "slack" {
			continue
		}
		s.Needs = slices.DeleteFunc(slices.Clone(s.Needs), func(n dayone.Need) bool { return strings.HasPrefix(string(n.Step), "slack/") })
		alone.Look.Plan.Steps = append(alone.Look.Plan.Steps, s)
	}
	unsent := preview(alone, "mid-market")
	unsent.letters(view, []flow.Foretold{sampleUnwritten}, true)
	list := newOnboardPeople(view, "mar", []flow.Row{known}, true)
	list.Live.Ask, list.Live.Whole = "", "" // nobody is asked again
	list.Live.Rows = newcomerOptions("entra", []flow.Looked{{Subject: "E-9", Name: "Martina Kovačević", Email: "martina.kovacevic@company.com", Title: "Accountant", Department: "Finance"}})
	list.Live.Problems = []string{fmt.Sprintf(textNoDirectory, "Google")}
	list.Live = list.Live.said()
	newcomer := flow.Newcomer{
		Looked: flow.Looked{Subject: "E-9", Name: "Martina Kovačević", Email: "martina.kovacevic@company.com", Title: "Accountant", Department: "Finance"},
		Source: "entra", Location: "", Starts: "2021-09-13", Type: dayone.Imported, Findings: []string{"the location Atlantis is not known"},
	}
	stale := preview(good, "mid-market")
	stale.letters(view, nil, false)
	stale.Problem = &notice{Kind: "bad", Icon: "x", Title: "It was not started", Text: "What would be done has changed since you looked at it; look again."}
	nothing := flow.PickPreview{Already: all[:1]}
	nothing.Now.Person.Managed = true
	long := slices.Clone(all[4:])
	long[0].Title = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
	look := flow.Look{Person: dayone.Person{ID: samplePerson, Managed: true}}
	result := func(l resultList) onboardResultView {
		l.More = false // nobody answers for what is made up
		return onboardResultView{Head: head, Steps: wizard(3, "/onboard", "/onboard/"+samplePerson, "/onboard/"+samplePerson+"/preview"), Live: l, Products: "/onboard/" + samplePerson}
	}
	return []sample{
		{"products", "Products", "products", false, false, newProducts(set)},
		{"products-none", "Products, none", "products", false, false, newProducts(&policy.Set{})},
		{"onboard", "Onboard, who starts next", "onboard", false, false, onboardView{Steps: wizard(0), List: newOnboardPeople(view, "", append([]flow.Row{row}, sampleStarters(6, row.Starts)...), false)}},
		{"onboard-found", "Onboard, found here and in a directory", "onboard", false, false, onboardView{Steps: wizard(0), Query: "mar", List: list}},
		{"onboard-bring", "Onboard, bring somebody in", "newcomer", false, false, newNewcomer(view, newcomer)},
		{"onboard-none", "Onboard, nobody matches", "onboard", false, false, onboardView{Steps: wizard(0), Query: "zzz", List: newOnboardPeople(view, "zzz", nil, false)}},
		{"onboard-empty", "Onboard, nobody starts", "onboard", false, false, onboardView{Steps: wizard(0), List: newOnboardPeople(view, "", nil, false)}},
		{"onboard-products", "Onboard, products", "onboard-products", false, false, newOnboardProducts(view, head, true, all, []string{"mid-market"}, title)},
		{"onboard-products-known", "Onboard, known from a directory", "onboard-products", false, false, newOnboardProducts(view, head, false, all, nil, title)},
		{"onboard-products-none", "Onboard, no products", "onboard-products", false, false, newOnboardProducts(view, head, true, nil, nil, title)},
		{"onboard-preview", "Onboard, preview", "onboard-preview", false, false, whole},
		{"onboard-preview-against", "Onboard, what stands against it", "onboard-preview", false, false, unsent},
		{"onboard-preview-stale", "Onboard, the plan has changed", "onboard-preview", false, false, stale},
		{"onboard-preview-nothing", "Onboard, nothing to start", "onboard-preview", false, false, preview(nothing)},
		{"onboard-result", "Onboard, result", "onboard-result", false, false, result(newResultList(view, look, all, access, b))},
		{"onboard-result-none", "Onboard, no product", "onboard-result", false, false, result(newResultList(view, look, long, access, nil))},
	}
}
