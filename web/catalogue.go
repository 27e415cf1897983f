package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// catalogueView is what systems offer, as policies may name it.
type catalogueView struct {
	Query   string
	Systems []option
	List    catalogueList
}

type catalogueList struct {
	Says  string
	Rows  []catalogueRow
	First string
	Next  string
	Empty *empty
}

type catalogueRow struct {
	Key, Title string
	Notes      []string
	GivenBy    string
}

func catalogueOf(system string) string {
	return "/catalogue?system=" + url.QueryEscape(system)
}

func (p *portal) catalogue(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	text, err := searchedFor(q, textLongThing)
	if err != nil {
		return err
	}
	page1, total, more, err := p.flow.Offerings(r.Context(), flow.OfferingFilter{Text: text, System: q.Get("system"), After: q.Get("after"), Limit: pageSize})
	if err != nil {
		return err
	}
	set := p.flow.Active()
	list := newCatalogueList(p.viewerOf(r), giversCalled(set), q, page1, total, more)
	if isFragment(r) && r.Header.Get("HX-Target") == "catalogue-list" {
		p.part(w, r, http.StatusOK, "catalogue-list", list)
		return nil
	}
	return p.show(w, r, http.StatusOK, page{
		Template: "catalogue", Title: "Catalogue", Nav: "policies", Crumbs: []link{{"Policies", "/policies"}, {"Catalogue", ""}}, Main: newCatalogue(p.viewerOf(r), set, q, list),
	})
}

func newCatalogue(view viewer, set *policy.Set, q url.Values, list catalogueList) catalogueView {
	v := catalogueView{Query: q.Get("q"), List: list, Systems: []option{{Text: view.label("Any system")}}}
	for _, name := range slices.Sorted(maps.Keys(set.Systems)) {
		v.Systems = append(v.Systems, option{Value: name, Text: cmp.Or(set.Systems[name].Title, name), Selected: q.Get("system") == name})
	}
	return v
}

func newCatalogueList(view viewer, by map[dayone.Key][]string, q url.Values, rows []flow.Offering, total int, more bool) catalogueList {
	v := catalogueList{Says: view.counted(total, "1 thing can be given", "%s things can be given")}
	keep := url.Values{}
	for _, k := range []string{"q", "system"} {
		if q.Get(k) != "" {
			keep.Set(k, q.Get(k))
		}
	}
	if len(keep) > 0 {
		v.Says = view.counted(total, "1 thing fits", "%s things fit")
	}
	if q.Get("after") != "" {
		v.First = address("/catalogue", keep)
	}
	var last dayone.Key
	for _, o := range rows {
		row := catalogueRow{Key: o.Key.String(), Title: o.Title, GivenBy: strings.Join(by[o.Key], ", ")}
		if o.Closed {
			row.Notes = append(row.Notes, view.label(textNotNameable))
		}
		if s := o.Seats; s != nil {
			row.Notes = append(row.Notes, view.say("%s of %s licences in use", view.number(s.Used), view.number(s.Total)))
		}
		if o.Key.System != last.System || o.Key.Kind != last.Kind { // what holds for all of a kind stands at its first
			if note := view.kindNote(o.Kind); note != "" {
				row.Notes = append(row.Notes, note)
			}
			if len(o.Kind.Roles) > 0 {
				row.Notes = append(row.Notes, view.say("roles, lowest first: %s", strings.Join(o.Kind.Roles, ", ")))
			}
		}
		if text := authorityTexts[o.Authority]; text != "" {
			row.Notes = append(row.Notes, view.label(text))
		}
		last = o.Key
		v.Rows = append(v.Rows, row)
	}
	if more {
		next := maps.Clone(keep)
		next.Set("after", last.String())
		v.Next = address("/catalogue", next)
	}
	switch {
	case len(v.Rows) > 0:
	case len(keep) > 0 || q.Get("after") != "":
		v.Empty = &empty{Icon: "search", Title: "Nothing fits", Text: "Each word has to be a part of the name, as group:sales or the title."}
	default:
		v.Empty = &empty{Icon: "system", Title: "No systems yet", Text: "Name systems in dayone.yaml, or what they offer in catalog/ of the policy folder."}
	}
	return v
}

// givers are the policies that give or offer each thing.
func givers(set *policy.Set) map[dayone.Key][]string {
	by := map[dayone.Key][]string{}
	for _, pol := range set.Policies {
		for _, g := range slices.Concat(pol.Grants, pol.Offers) {
			if !slices.Contains(by[g.Key], pol.ID) {
				by[g.Key] = append(by[g.Key], pol.ID)
			}
		}
	}
	return by
}

// giversCalled are givers as pages call them.
func giversCalled(set *policy.Set) map[dayone.Key][]string {
	titles := map[string]string{}
	for _, pol := range set.Policies {
		titles[pol.ID] = pol.Title
	}
	by := givers(set)
	for _, ids := range by {
		for i, id := range ids {
			ids[i] = cmp.Or(titles[id], id)
		}
	}
	return by
}

// kindNote says what is special about a kind, in words.
func (v viewer) kindNote(k dayone.Kind) string {
	var out []string
	if k.ReadOnly != "" {
		out = append(out, v.say("cannot be given: %s", v.heard(k.ReadOnly)))
	}
	switch {
	case k.Exclusive && k.Default != "":
		out = append(out, v.say("one at a time, falls back to %s", k.Default))
	case k.Exclusive:
		out = append(out, v.label("one at a time"))
	}
	if k.Implied {
		out = append(out, v.label("comes along with what needs it"))
	}
	if len(k.Needs) > 0 {
		out = append(out, v.say("needs %s", strings.Join(k.Needs, ", ")))
	}
	if k.Supply.System != "" {
		out = append(out, v.say("is supplied by %s", k.Supply.String()))
	}
	if k.Sensitive {
		out = append(out, v.label("sensitive"))
	}
	return strings.Join(out, "; ")
}

// policyPeopleView is who a policy holds for.
type policyPeopleView struct {
	ID, Title, Facts string
	Text             string // where it is read
	People           []link
	More             string // how many
	Empty            *empty
}

const shownHolders = 200

// holdersOf is whom the policy of an address holds for.
func (p *portal) holdersOf(r *http.Request) (flow.PolicyHolders, *policy.Policy, error) {
	id := r.PathValue("id")
	set := p.flow.Active()
	i := slices.IndexFunc(set.Policies, func(x *policy.Policy) bool { return x.ID == id })
	if i < 0 {
		return flow.PolicyHolders{}, nil, fmt.Errorf("there is no policy %q in force: %w", id, dayone.ErrNotFound)
	}
	all, err := p.flow.Holders(r.Context(), shownHolders)
	return all[id], set.Policies[i], err
}

func (p *portal) policyPeople(w http.ResponseWriter, r *http.Request) error {
	h, pol, err := p.holdersOf(r)
	if err != nil {
		return err
	}
	v := policyPeopleView{ID: pol.ID, Text: policyText(pol.ID), Title: cmp.Or(pol.Title, pol.ID), Facts: fmt.Sprintf("Holds for %s", plural(h.Count, "1 person", "%d people"))}
	if h.Unsure > 0 {
		v.Facts += inEnglish.Say("; for %d it cannot be told, since an attribute is not known", h.Unsure)
	}
	for _, x := range h.First {
		v.People = append(v.People, link{x.Name, "/people/" + string(x.ID)})
	}
	slices.SortFunc(v.People, func(a, b link) int { return cmp.Compare(a.Text, b.Text) })
	if more := h.Count - len(v.People); more > 0 {
		v.More = p.viewerOf(r).number(more)
	}
	if h.Count == 0 {
		v.Empty = &empty{Icon: "people", Title: "It holds for nobody", Text: "Nobody who is managed meets its conditions now."}
	}
	return p.show(w, r, http.StatusOK, page{
		Template: "policy-people", Title: v.Title, Nav: "policies", Crumbs: []link{{"Policies", "/policies"}, {v.Title, ""}}, Main: v,
	})
}
