package dayone

import (
	"fmt"
	"slices"
	"strings"
)

// Scope is how far a role reaches: the reaches together. None is everything.
type Scope []Reach

// Reach is one part of a scope: people of these countries who are of these companies, and what concerns these systems. An
// list that is not there leaves nothing out. Of whom it is not known where she is, she is in no reach that names countries: what is
// missing is unknown.
type Reach struct {
	Countries []string `json:"countries,omitempty"` // ISO 3166-1 alpha-2
	Companies []string `json:"companies,omitempty"` // legal entities, as HR calls them
	Systems   []string `json:"systems,omitempty"`
}

// Whole says that nothing is left out.
func (r Reach) Whole() bool { return r.AllPeople() && len(r.Systems) == 0 }

// AllPeople says that nobody is left out.
func (r Reach) AllPeople() bool { return len(r.Countries) == 0 && len(r.Companies) == 0 }

// Has says whether somebody is in reach.
func (r Reach) Has(country, company string) bool {
	return among(r.Countries, country) && among(r.Companies, company)
}

// Covers says whether what is done at a system is in reach.
func (r Reach) Covers(system string) bool {
	return len(r.Systems) == 0 || slices.Contains(r.Systems, system)
}

func among(list []string, v string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, v) })
}

func (r Reach) String() string {
	var out []string
	for _, x := range []struct {
		one, many string
		of        []string
	}{{"country", "countries", r.Countries}, {"company", "companies", r.Companies}, {"system", "systems", r.Systems}} {
		switch len(x.of) {
		case 0:
		case 1:
			out = append(out, x.one+" "+x.of[0])
		default:
			out = append(out, x.many+" "+strings.Join(x.of, ", "))
		}
	}
	return strings.Join(out, ", ")
}

// Whole says that nothing is left out.
func (s Scope) Whole() bool { return len(s) == 0 || slices.ContainsFunc(s, Reach.Whole) }

// AllPeople says that nobody is left out.
func (s Scope) AllPeople() bool { return len(s) == 0 || slices.ContainsFunc(s, Reach.AllPeople) }

// AllSystems says that no system is left out, for anybody.
func (s Scope) AllSystems() bool {
	return len(s) == 0 || !slices.ContainsFunc(s, func(r Reach) bool { return len(r.Systems) > 0 })
}

// Has says whether somebody is in sight.
func (s Scope) Has(country, company string) bool {
	return len(s) == 0 || slices.ContainsFunc(s, func(r Reach) bool { return r.Has(country, company) })
}

// Covers says whether what is done for somebody at a system is in reach.
func (s Scope) Covers(country, company, system string) bool {
	return len(s) == 0 || slices.ContainsFunc(s, func(r Reach) bool { return r.Has(country, company) && r.Covers(system) })
}

// Runs says whether a system as a whole is in reach, with all the people who are there.
func (s Scope) Runs(system string) bool {
	return len(s) == 0 || slices.ContainsFunc(s, func(r Reach) bool { return r.AllPeople() && r.Covers(system) })
}

// Judge refuses a reach that means nothing to a role: what is said to keep somebody out must keep her out.
func (r Reach) Judge(role Role) error {
	for _, list := range []struct {
		many, one string
		of        []string
	}{{"countries", "country", r.Countries}, {"companies", "company", r.Companies}, {"systems", "system", r.Systems}} {
		if list.of != nil && len(list.of) == 0 {
			return fmt.Errorf("an empty list of %s would be every %s; name one, or leave the list out: %w", list.many, list.one, ErrInvalid)
		}
	}
	switch {
	case r.Whole():
		return nil
	case role == Administrator:
		return fmt.Errorf("an administrator has no scope, since tokens, policies and settings are of the whole company; choose another role: %w", ErrInvalid)
	case role == HR && len(r.Systems) > 0:
		return fmt.Errorf("the role hr is about people and has no systems; name countries or companies: %w", ErrInvalid)
	}
	for _, c := range r.Countries {
		if !IsCountry(c) {
			return fmt.Errorf("country %q is not two capital letters of a country in ISO 3166-1, such as DE: %w", c, ErrInvalid)
		}
	}
	for _, list := range [][]string{r.Companies, r.Systems} {
		for _, x := range list {
			if strings.TrimSpace(x) == "" || strings.TrimSpace(x) != x || len(x) > 200 {
				return fmt.Errorf("%q is no name of a company or a system: %w", x, ErrInvalid)
			}
		}
	}
	return nil
}

func (s Scope) String() string {
	out := make([]string, len(s))
	for i, r := range s {
		out[i] = r.String()
	}
	return strings.Join(out, "; ")
}
