package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone/policy"
)

type policiesView struct {
	Facts string
	Files []policyFile
	Empty *empty
}

type policyFile struct {
	Name, Hash string
	Policies   []policyRow
}

type policyRow struct {
	ID, Title, Owner string
	At               string
	Control          string
	Gives, Offers    []string
	Denies, Tells    []string
	Duty             []string // of what two nobody may have both
}

// policies lists what gives whom what; where each stands in its file.
func (p *portal) policies(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, http.StatusOK, page{Template: "policies", Title: "Policies", Nav: "policies", Crumbs: []link{{"Policies", ""}}, Main: newPolicies(p.flow.Active())})
}

func newPolicies(set *policy.Set) policiesView {
	var v policiesView
	rows := map[string][]policyRow{}
	var files []string
	add := func(at policy.Position, row policyRow) {
		row.At = fmt.Sprintf("%s:%d", at.File, at.Line)
		if _, ok := rows[at.File]; !ok {
			files = append(files, at.File)
		}
		rows[at.File] = append(rows[at.File], row)
	}
	for _, pol := range set.Policies {
		row := policyRow{ID: pol.ID, Title: cmp.Or(pol.Title, pol.ID), Owner: pol.Owner, Control: strings.Join(pol.Control, ", ")}
		for _, g := range pol.Grants {
			row.Gives = append(row.Gives, ruleText(g))
		}
		for _, o := range pol.Offers {
			row.Offers = append(row.Offers, ruleText(o))
		}
		for _, d := range pol.Denies {
			row.Denies = append(row.Denies, d.Key.String())
		}
		for _, n := range pol.Notices {
			row.Tells = append(row.Tells, n.Template)
		}
		add(pol.At, row)
	}
	for _, d := range set.Duties {
		row := policyRow{ID: d.ID, Title: cmp.Or(d.Title, d.ID), Owner: d.Owner, Control: strings.Join(d.Control, ", ")}
		for _, k := range d.Never {
			row.Duty = append(row.Duty, k.String())
		}
		add(d.At, row)
	}
	slices.Sort(files)
	for _, f := range files {
		v.Files = append(v.Files, policyFile{Name: f, Hash: set.Hashes[f], Policies: rows[f]})
	}
	v.Facts = plural(len(set.Policies), "1 policy", "%d policies") + plural(len(files), " in 1 file", " in %d files")
	if len(files) == 0 {
		v.Empty = &empty{Icon: "policy", Title: "No policies yet", Text: "A policy says who gets what and why. Write the first one into policies/base.yaml of the policy folder; dayone policy check reads it."}
	}
	return v
}

func ruleText(r *policy.Rule) string {
	if r.Role != "" {
		return r.Key.String() + " as " + r.Role
	}
	return r.Key.String()
}
