package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// Products are shown by their domains. One that a policy gives says which; any other says who may ask for it, and who has
// to agree.

type productsView struct {
	Facts   string
	Domains []productDomain
	Empty   *empty
}

// productDomain is one group of products.
type productDomain struct {
	ID, Title, Note string
	Products        []productRow
	Choices         []productChoice
}

type productRow struct {
	ID, Title, Icon, Text string
	Owner                 string
	Parts                 []string
	Given, Offered        []link
	Needs                 string
}

// productChoice is a line that can be ticked.
type productChoice struct {
	Value, Icon, Title, Meta string
	Note                     string // why it is ticked already, or what ticking it asks for
	By                       []link // policies that give it
	Checked, Fixed           bool   // fixed: it cannot be changed here
}

var domainIcons = map[string]string{"network access": "network", "security": "shield", "collaboration": "chat", "business": "record", "devices": "device"}

func productIcon(p dayone.Product) string {
	return cmp.Or(p.Icon, domainIcons[p.Domain], "key")
}

// byDomain groups products: the domains that are known first, then the others by name.
func byDomain[T any](list []T, domain func(T) string, each func(d *productDomain, x T)) []productDomain {
	names := slices.Clone(dayone.Domains)
	var others []string
	for _, x := range list {
		if d := domain(x); !slices.Contains(names, d) && !slices.Contains(others, d) {
			others = append(others, d)
		}
	}
	slices.Sort(others)
	var out []productDomain
	for _, name := range slices.Concat(names, others) {
		d := productDomain{ID: idOf("domain-" + name), Title: sentence(name)}
		for _, x := range list {
			if domain(x) == name {
				each(&d, x)
			}
		}
		if len(d.Products)+len(d.Choices) > 0 {
			out = append(out, d)
		}
	}
	return out
}

func (p *portal) products(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, http.StatusOK, page{Template: "products", Title: "Products", Nav: "products", Crumbs: []link{{"Products", ""}}, Main: newProducts(p.flow.Active())})
}

func newProducts(set *policy.Set) productsView {
	v := productsView{Facts: plural(len(set.Products), "1 product: what belongs together under one name.", "%d products: what belongs together under one name.")}
	v.Domains = byDomain(set.Products, func(p *dayone.Product) string { return p.Domain }, func(d *productDomain, p *dayone.Product) {
		row := productRow{ID: p.ID, Title: p.Title, Icon: productIcon(*p), Text: p.Description, Owner: p.Owner, Needs: listed(productTitles(set, p.Prerequisites))}
		for _, part := range p.Parts {
			row.Parts = append(row.Parts, partText(part))
		}
		row.Given, row.Offered = offering(set, *p)
		d.Products = append(d.Products, row)
	})
	if len(v.Domains) == 0 {
		v.Facts = "What belongs together under one name."
		v.Empty = &empty{Icon: "plus", Title: "No products yet", Text: "Write products/*.yaml in the policy folder: what belongs together and what it is called. Policies say who gets it, or may ask for it."}
	}
	return v
}

func partText(p dayone.ProductPart) string {
	if p.Role == "" {
		return p.Key.String()
	}
	return fmt.Sprintf("%s as %s", p.Key, p.Role)
}

func productTitles(set *policy.Set, ids []string) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		title := id
		if p := set.Product(id); p != nil {
			title = p.Title
		}
		out = append(out, title)
	}
	return out
}

// offering are the policies that give all of a product, and those that offer something of it.
func offering(set *policy.Set, p dayone.Product) (given, offered []link) {
	for _, pol := range set.Policies {
		gives, offers := 0, 0
		for _, part := range p.Parts {
			has := func(rs []*policy.Rule) bool {
				return slices.ContainsFunc(rs, func(r *policy.Rule) bool { return r.Key == part.Key && set.Holds(r.Key, r.Role, part.Role) })
			}
			gives += btoi(has(pol.Grants))
			offers += btoi(has(pol.Offers))
		}
		to := link{cmp.Or(pol.Title, pol.ID), "/policies/" + pol.ID + "/people"}
		switch {
		case gives == len(p.Parts):
			given = append(given, to)
		case offers > 0:
			offered = append(offered, to)
		}
	}
	return given, offered
}

// policyTitle is what a policy is called.
func (p *portal) policyTitle(id string) string {
	for _, pol := range p.flow.Active().Policies {
		if pol.ID == id {
			return cmp.Or(pol.Title, id)
		}
	}
	return id
}

// whyFacts are the lines of policies for which there is something, each by its policy's title; nil: by its id.
func whyFacts(because []dayone.Reason, title func(id string) string) (out []pair) {
	for _, r := range because {
		href := policyHref(r)
		if title != nil {
			r.Policy = title(r.Policy)
		}
		out = append(out, pair{Name: "Why", Value: r.String(), Href: href})
	}
	return out
}

// policyTitles are what several are called.
func (p *portal) policyTitles(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = p.policyTitle(id)
	}
	return out
}

func (p *portal) productTitle(id string) string {
	return productTitles(p.flow.Active(), []string{id})[0]
}

// whoAgrees says who would have to agree to a product.
func whoAgrees(as []dayone.Approval) string {
	var out []string
	for _, a := range as {
		or := " or "
		if a.Need == "all" {
			or = " and "
		}
		by := slices.Clone(a.By)
		for i, who := range by {
			if who == "manager" || who == "owner" {
				by[i] = "the " + who
			}
		}
		if text := strings.Join(by, or); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return listed(out)
}

// agrees is whoAgrees as the viewer reads it; rules and mail addresses stay as they are.
func (v viewer) agrees(as []dayone.Approval) string {
	var out []string
	for _, a := range as {
		by := slices.Clone(a.By)
		for i, who := range by {
			switch who {
			case "manager":
				by[i] = v.label("the manager")
			case "owner":
				by[i] = v.label("the owner")
			}
		}
		text := strings.Join(by, v.label(" or "))
		if a.Need == "all" {
			text = strings.Join(by, v.label(" and "))
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return v.list(out)
}

// The API's own words.

type apiProduct struct {
	ID            string    `json:"id"`
	Title         string    `json:"title"`
	Domain        string    `json:"domain"`
	Icon          string    `json:"icon,omitempty"`
	Owner         string    `json:"owner"`
	Description   string    `json:"description,omitempty"`
	Prerequisites []string  `json:"prerequisites"`
	Grants        []apiPart `json:"grants"`
	At            string    `json:"at"`
}

type apiPart struct {
	Key      dayone.Key     `json:"key"`
	Role     string         `json:"role,omitempty"`
	State    flow.PartState `json:"state,omitempty"`
	ByPolicy bool           `json:"by_policy,omitempty"`
	From     *time.Time     `json:"from,omitempty"`
}

type apiPersonProduct struct {
	apiProduct
	State    flow.ProductState `json:"state"`
	Policies []string          `json:"policies"`          // that give of it
	Agrees   []string          `json:"approvals"`         // who would have to agree
	Lasts    string            `json:"lasts,omitempty"`   // at most, once it is given
	Missing  []string          `json:"missing"`           // prerequisites that are not there
	Unsaid   []string          `json:"unsaid,omitempty"`  // attributes for which alone it waits
	Request  dayone.RequestID  `json:"request,omitempty"` // that stands
	Until    *time.Time        `json:"until,omitempty"`   // of that
}

func newAPIProduct(p dayone.Product) apiProduct {
	out := apiProduct{p.ID, p.Title, p.Domain, p.Icon, p.Owner, p.Description, append([]string{}, p.Prerequisites...), []apiPart{}, p.At}
	for _, part := range p.Parts {
		out.Grants = append(out.Grants, apiPart{Key: part.Key, Role: part.Role})
	}
	return out
}

func newAPIPersonProduct(p flow.PersonProduct) apiPersonProduct {
	out := apiPersonProduct{apiProduct: newAPIProduct(p.Product), State: p.State, Policies: []string{}, Agrees: []string{}, Missing: append([]string{}, p.Needs...), Unsaid: p.Unsaid}
	out.Grants = []apiPart{}
	for _, part := range p.Parts {
		one := apiPart{Key: part.Key, Role: part.Role, State: part.State, ByPolicy: part.Given}
		if part.State == flow.PartLater {
			one.From = moment(part.From)
		}
		out.Grants = append(out.Grants, one)
	}
	for _, r := range p.Policies {
		out.Policies = append(out.Policies, r.Policy)
	}
	for _, a := range p.Approvals {
		out.Agrees = append(out.Agrees, whoAgrees([]dayone.Approval{a}))
	}
	if p.Lasts > 0 {
		out.Lasts = hours(p.Lasts)
	}
	if p.Request != nil {
		out.Request, out.Until = p.Request.ID, moment(p.Request.Until)
	}
	return out
}

func (p *portal) apiProducts(w http.ResponseWriter, _ *http.Request) error {
	out := apiPage[apiProduct]{Items: []apiProduct{}}
	for _, x := range p.flow.Products() {
		out.Items = append(out.Items, newAPIProduct(*x))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiPersonProducts(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	_, list, err := p.flow.ProductsOf(r.Context(), id)
	if err != nil && list == nil {
		return err
	}
	out := apiPage[apiPersonProduct]{Items: []apiPersonProduct{}}
	for _, x := range list {
		out.Items = append(out.Items, newAPIPersonProduct(x))
	}
	return answerJSON(w, http.StatusOK, out)
}

// apiPick is what picking products would do.
type apiPick struct {
	Plan     string         `json:"plan"` // its hash: sent back with the pick, nothing else is begun
	Picked   []string       `json:"picked"`
	Already  []string       `json:"already"`
	Needs    []apiNeeded    `json:"needs"`
	Gains    []apiGain      `json:"gains"`
	Steps    []apiDoing     `json:"steps"`
	Seats    []apiSeats     `json:"seats"`
	Findings []string       `json:"findings"`
	Known    []string       `json:"known"` // what else is to be known of the plan
	Finish   apiForecast    `json:"finish"`
	Critical []int          `json:"critical_path"` // numbers of steps, in order
	Messages []apiLetter    `json:"messages"`
	Warnings []flow.Warning `json:"warnings"` // what nobody is to find out on the first morning
}

// apiLetter is a message as it would read.
type apiLetter struct {
	Key     dayone.Key `json:"key"`
	To      []string   `json:"to"`
	Hers    bool       `json:"to_person"`
	Subject string     `json:"subject,omitempty"`
	Text    string     `json:"text,omitempty"`
	Problem string     `json:"problem,omitempty"`
}

func newAPILetter(m flow.Foretold) apiLetter {
	return apiLetter{m.Key, append([]string{}, m.To...), m.Hers, m.Subject, m.Text, m.Problem}
}

type apiNeeded struct {
	Product string `json:"product"`
	For     string `json:"for"`
}

type apiGain struct {
	Key    dayone.Key `json:"key"`
	Role   string     `json:"role,omitempty"`
	Agrees string     `json:"approval,omitempty"`
	From   *time.Time `json:"from,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
}

type apiDoing struct {
	Number  int           `json:"number"`
	Key     dayone.Key    `json:"key"`
	Action  dayone.Action `json:"action"`
	Text    string        `json:"text"`
	Agrees  string        `json:"approval,omitempty"`
	Needs   []int         `json:"needs"`
	Usually string        `json:"usually,omitempty"`
}

type apiSeats struct {
	System string `json:"system"`
	Pool   string `json:"pool"`
	Needed int    `json:"needed"`
	Free   int    `json:"free"`
	Total  int    `json:"total"`
	Short  int    `json:"short"`
}

func (p *portal) newAPIPick(v flow.PickPreview, told []flow.Foretold) apiPick {
	out := apiPick{
		Plan: v.Hash, Picked: []string{}, Already: []string{}, Needs: []apiNeeded{}, Gains: []apiGain{}, Steps: []apiDoing{}, Seats: []apiSeats{},
		Findings: append([]string{}, v.Findings...), Known: []string{}, Finish: *newAPIForecast(v.Forecast), Critical: []int{}, Messages: []apiLetter{},
		Warnings: append([]flow.Warning{}, p.flow.Warnings(v.Look)...),
	}
	for _, x := range v.Picked {
		out.Picked = append(out.Picked, x.ID)
	}
	for _, x := range v.Already {
		out.Already = append(out.Already, x.ID)
	}
	for _, n := range v.Needs {
		out.Needs = append(out.Needs, apiNeeded(n))
	}
	for _, g := range v.Gained {
		one := apiGain{Key: g.Key, Role: g.Role, Until: moment(g.Until)}
		if slices.ContainsFunc(v.Pending, func(o dayone.Grant) bool { return o.Key == g.Key }) && g.Approval != nil {
			one.Agrees = whoAgrees([]dayone.Approval{*g.Approval})
		}
		if g.From.After(v.Look.Person.At) {
			one.From = moment(g.From)
		}
		out.Gains = append(out.Gains, one)
	}
	for _, f := range v.Look.Plan.Findings {
		if !slices.Contains(out.Findings, f.Text) && !slices.Contains(out.Known, f.Text) {
			out.Known = append(out.Known, f.Text)
		}
	}
	p.planned(&out, v)
	for _, m := range told {
		out.Messages = append(out.Messages, newAPILetter(m))
	}
	for _, s := range v.Seats {
		out.Seats = append(out.Seats, apiSeats{s.System, s.Pool, s.Needed, s.Free, s.Total, s.Short})
	}
	return out
}

// planned adds the plan: its steps, and those on which the finish hangs.
func (p *portal) planned(out *apiPick, v flow.PickPreview) {
	run := dayone.Run{Plan: v.Look.Plan}
	for _, s := range v.Look.Plan.Steps {
		run.Steps = append(run.Steps, dayone.StepRun{Step: s})
	}
	b := newBoard(board{run: run, titles: p.titles(), kinds: p.kindTitles(), pace: v.Pace})
	for i, s := range v.Look.Plan.Steps {
		one := apiDoing{Number: i + 1, Key: s.Key, Action: s.Action, Text: b.title(s), Needs: []int{}}
		if s.Approval != nil {
			one.Agrees = whoAgrees([]dayone.Approval{*s.Approval})
		}
		for _, n := range s.Needs {
			if j, ok := b.index[n.Step]; ok {
				one.Needs = append(one.Needs, j+1)
			}
		}
		if usual := b.usual(s).Median; usual > 0 {
			one.Usually = usual.String()
		}
		out.Steps = append(out.Steps, one)
	}
	for _, id := range b.graph.Critical {
		out.Critical = append(out.Critical, b.index[id]+1)
	}
}

func (p *portal) apiPreviewPick(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	v, err := p.flow.PreviewPick(r.Context(), flow.Pick{Person: id, Products: r.URL.Query()["product"], Login: me(r).Name})
	if err != nil {
		return err
	}
	var told []flow.Foretold
	if p.lets(me(r), readsLetters) {
		if told, err = p.flow.Foretell(r.Context(), v.Look); err != nil {
			return err
		}
	}
	return answerJSON(w, http.StatusOK, p.newAPIPick(v, told))
}

// picked is a pick as somebody sends it.
type picked struct {
	Products []string `json:"products"`
	By       string   `json:"by"` // who asks; empty: whoever is logged in, if that is by mail address
	Reason   string   `json:"reason"`
	Until    string   `json:"until"`
	Plan     string   `json:"plan"`
	Manage   bool     `json:"manage"`
}

// pick enters one.
func (p *portal) pick(r *http.Request, id dayone.PersonID, in picked) ([]dayone.Request, error) {
	row, err := p.flow.Person(r.Context(), id)
	if err != nil {
		return nil, err
	}
	pk := flow.Pick{Person: id, Products: in.Products, By: in.By, Login: me(r).Name, Reason: in.Reason, Plan: in.Plan, Manage: in.Manage}
	if pk.Until, err = p.endOfDay(row, in.Until); err != nil {
		return nil, err
	}
	return p.flow.PickProducts(r.Context(), pk)
}

func (p *portal) apiPickProducts(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in picked
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	rs, err := p.pick(r, id, in)
	if err != nil {
		return err
	}
	out := apiPage[apiRequest]{Items: []apiRequest{}}
	for _, q := range rs {
		out.Items = append(out.Items, p.newAPIRequest(q))
	}
	return answerJSON(w, http.StatusCreated, out)
}

func (p *portal) apiEndProduct(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(r); err != nil {
		return err
	}
	id, err := personID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.Person(r.Context(), id); err != nil {
		return err
	}
	q, err := p.flow.EndProduct(r.Context(), id, r.PathValue("product"), me(r).Name, strings.TrimSpace(r.FormValue("reason")))
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, p.newAPIRequest(q))
}
