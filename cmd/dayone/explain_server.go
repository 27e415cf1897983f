package main

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// saidExplanation is why somebody has something, as the API has it.
type saidExplanation struct {
	Answer  string
	There   bool
	Planned bool
	Role    string
	From    time.Time
	Agreed  []struct {
		By, Reason string
		Entered    string `json:"entered_by"`
		At         time.Time
	}
	Finding   string
	Requested *struct{ By, Reason string }
	Brought   []saidAlong `json:"brought_by"`
	Lines     []policy.Line
	Authority dayone.Authority
	Seen      string `json:"seen_first"`
}

// saidAlong is what brings an access along, as the API has it.
type saidAlong struct {
	Key     dayone.Key
	Lines   []policy.Line
	Brought []saidAlong `json:"brought_by"`
}

func alongOf(said []saidAlong) (out []policy.Along) {
	for _, a := range said {
		out = append(out, policy.Along{Key: a.Key, Lines: a.Lines, By: alongOf(a.Brought)})
	}
	return out
}

// explainThere has a server explain. What is printed is the same as of the configuration's own database.
func explainThere(c *cobra.Command, person string, key dayone.Key, asJSON bool) error {
	cl, who, err := askedAbout(c, person)
	if err != nil {
		return err
	}
	path, q := "/people/"+who+"/explain", url.Values{"key": {key.String()}}
	if asJSON {
		var raw any
		if err := cl.call(c.Context(), http.MethodGet, path, q, nil, &raw); err != nil {
			return listed(err, "person", person, "dayone people list")
		}
		return writeJSON(c.OutOrStdout(), raw)
	}
	var said saidExplanation
	if err := cl.call(c.Context(), http.MethodGet, path, q, nil, &said); err != nil {
		return listed(err, "person", person, "dayone people list")
	}
	x := policy.Explanation{Key: key, Answer: said.Answer, There: said.There, Finding: said.Finding, Lines: said.Lines, By: alongOf(said.Brought)}
	if x.Authority = said.Authority; said.Seen != "" {
		x.Seen, _ = time.Parse(time.DateOnly, said.Seen)
	}
	if said.Role != "" || !said.From.IsZero() {
		x.Grant = &dayone.Grant{Key: key, Role: said.Role, From: said.From}
	}
	for _, a := range said.Agreed {
		x.Votes = append(x.Votes, dayone.Vote{Of: a.By, By: cmp.Or(a.Entered, a.By), Reason: a.Reason, At: a.At, Yes: true})
	}
	if r := said.Requested; r != nil {
		x.Asked = &policy.Asked{By: r.By, Reason: r.Reason}
	}
	var is struct{ Name string }
	if err := cl.call(c.Context(), http.MethodGet, "/people/"+who, nil, nil, &is); err != nil {
		return listed(err, "person", person, "dayone people list")
	}
	printExplanation(c.OutOrStdout(), cmp.Or(is.Name, person), x)
	if !said.Planned {
		return noteUnplanned(c, cmp.Or(is.Name, person))
	}
	return nil
}
