package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// catalogueView is what systems offer, as policies may name it.
type catalogueView struct {
	Facts   string
	Systems []catalogueSystem
	Empty   *empty
}

type catalogueSystem struct {
	ID, Title, Name string
	Facts           []pair
	Kinds           []catalogueKind
}

type catalogueKind struct {
	Key   string
	Note  string
	Names []catalogueName
	More  int
	Roles string
}

type catalogueName struct {
	Key     string
	GivenBy string
}

const shownNames = 200

func (p *portal) catalogue(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, http.StatusOK, page{
		Template: "catalogue", Title: "Catalogue", Nav: "policies", Crumbs: []link{{"Policies", "/policies"}, {"Catalogue", ""}}, Main: newCatalogue(p.flow.Active()),
	})
}

func newCatalogue(set *policy.Set) catalogueView {
	var v catalogueView
	by := givers(set)
	total := 0
	for _, name := range slices.Sorted(maps.Keys(set.Systems)) {
		sys := set.Systems[name]
		s := catalogueSystem{ID: idOf("system-" + name), Title: cmp.Or(sys.Title, name), Name: name}
		if sys.Via.System != "" {
			s.Facts = append(s.Facts, pair{Name: "Accounts come through", Value: sys.Via.String(), Code: true})
		}
		for _, kindName := range slices.Sorted(maps.Keys(sys.Kinds)) {
			kind := sys.Kinds[kindName]
			if kind.Shown {
				continue // no policy may name it
			}
			key := dayone.Key{System: name, Kind: kindName}
			k := catalogueKind{Key: key.String(), Note: kindNote(kind), Roles: strings.Join(kind.Roles, ", ")}
			names := kind.Names
			if len(names) == 0 {
				k.Names = append(k.Names, catalogueName{key.String(), strings.Join(by[key], ", ")})
			}
			for _, n := range names {
				if len(k.Names) == shownNames {
					k.More = len(names) - shownNames
					break
				}
				one := key
				one.Name = n
				k.Names = append(k.Names, catalogueName{one.String(), strings.Join(by[one], ", ")})
			}
			total += max(1, len(names))
			s.Kinds = append(s.Kinds, k)
		}
		v.Systems = append(v.Systems, s)
	}
	v.Facts = plural(len(v.Systems), "1 system", "%d systems") + fmt.Sprintf(", %s things that policies may give", thousands(total))
	if len(v.Systems) == 0 {
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

// kindNote says what is special about a kind, in words.
func kindNote(k dayone.Kind) string {
	var out []string
	if k.ReadOnly != "" {
		out = append(out, "cannot be given: "+k.ReadOnly)
	}
	if k.Exclusive {
		out = append(out, "one at a time"+map[bool]string{true: ", falls back to " + k.Default}[k.Default != ""])
	}
	if k.Implied {
		out = append(out, "comes along with what needs it")
	}
	if len(k.Needs) > 0 {
		out = append(out, "needs "+strings.Join(k.Needs, ", "))
	}
	if k.Supply.System != "" {
		out = append(out, "is supplied by "+k.Supply.String())
	}
	if k.Sensitive {
		out = append(out, "sensitive")
	}
	return strings.Join(out, "; ")
}

// policyPeopleView is who a policy holds for.
type policyPeopleView struct {
	ID, Title, Facts string
	Text             string // where it is read
	People           []link
	More             int
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
	v := policyPeopleView{ID: pol.ID, Text: policyText(pol.ID), Title: cmp.Or(pol.Title, pol.ID), Facts: "Holds for " + plural(h.Count, "1 person", "%d people")}
	if h.Unsure > 0 {
		v.Facts += fmt.Sprintf("; for %d it cannot be told, since an attribute is not known", h.Unsure)
	}
	for _, x := range h.First {
		v.People = append(v.People, link{x.Name, "/people/" + string(x.ID)})
	}
	slices.SortFunc(v.People, func(a, b link) int { return cmp.Compare(a.Text, b.Text) })
	v.More = h.Count - len(v.People)
	if h.Count == 0 {
		v.Empty = &empty{Icon: "people", Title: "It holds for nobody", Text: "Nobody who is managed meets its conditions now."}
	}
	return p.show(w, r, http.StatusOK, page{
		Template: "policy-people", Title: v.Title, Nav: "policies", Crumbs: []link{{"Policies", "/policies"}, {v.Title, ""}}, Main: v,
	})
}
