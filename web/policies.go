package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

type policiesView struct {
	Facts     string
	Edit      bool    // they count by version, so they can be written here
	Standing  *notice // the folder is broken, or holds what is not in force
	Announced []item  // what comes into force unless somebody withdraws it, and what did not
	Proposals []link
	Stages    []stageRow
	Files     []policyFile
	Empty     *empty
}

// stageRow is one act of putting policies into force.
type stageRow struct {
	Version, Covers string
	At              *stamp
	Approver        string
	Reason          string
}

type policyFile struct {
	Name, Hash string
	Policies   []policyRow
}

type policyRow struct {
	ID, Title, Owner string
	Anchor           string
	People           string // where it says for whom it holds; "" for what gives nobody anything
	Lines            string // lines 14 to 24
	Control          string
	Gives, Offers    []string
	Denies, Tells    []string
	Duty             []string // of what two nobody may have both
	Does             string   // how much of each, in words
	Href             string   // of its text
	Holds            string   // for how many people; "": nobody has counted them yet
	Text             []sourceLine
	Said             template.HTML // its row up to Holds, which alone is another from look to look
}

// sourceLine is one line of a policy as its file has it. References name it, so it has an anchor.
type sourceLine struct {
	Anchor string
	Number int
	Text   string
}

// yamlKey is what stands before a value: the indent, the key, and the rest of its line.
var yamlKey = regexp.MustCompile(`^( *(?:- )?)([A-Za-z_][A-Za-z0-9_-]*)(:(?: .*)?)$`)

// Parts are the line before its key, the key and what follows, so that structure is seen at a glance. A comment has no key.
func (l sourceLine) Parts() [3]string {
	if m := yamlKey.FindStringSubmatch(l.Text); m != nil {
		return [3]string(m[1:])
	}
	return [3]string{l.Text}
}

// Comment says that the line is for people alone.
func (l sourceLine) Comment() bool { return strings.HasPrefix(strings.TrimSpace(l.Text), "#") }

// policyHref leads to the line that a reason names, or to its policy.
func policyHref(r dayone.Reason) string {
	switch {
	case r.Policy == "":
		return "/policies"
	case r.At == "":
		return policyText(r.Policy)
	}
	return policyText(r.Policy) + "#" + idOf(r.At)
}

// policyText is where a policy, or a duty, is read as its file has it.
func policyText(id string) string { return "/policies/" + url.PathEscape(id) + "/text" }

// policies lists what gives whom what, as it stands in its files.
func (p *portal) policies(w http.ResponseWriter, r *http.Request) error {
	v, err := p.listed(r)
	if err != nil {
		return err
	}
	v = v.editable(p.flow.Load != nil)
	if err := p.standing(r, &v); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, page{Template: "policies", Title: "Policies", Nav: "policies", Crumbs: []link{{"Policies", ""}}, Main: v})
}

// inForce is the list of the policies in force, without their texts, as each language says it: it stays the same until
// others are.
type inForce struct {
	mu    sync.Mutex
	set   *policy.Set
	lists map[string]policiesView // by language
}

// listed is what is in force, laid out and put into words once for all who read the language.
func (p *portal) listed(r *http.Request) (policiesView, error) {
	c, set, lang := &p.inForce, p.flow.Active(), p.languageOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set != set {
		c.set, c.lists = set, map[string]policiesView{}
	}
	v, ok := c.lists[lang.Tag()]
	if !ok {
		texts, err := p.flow.PolicyFiles(r.Context())
		if err != nil {
			return policiesView{}, err
		}
		v = newPolicies(p.viewerOf(r), set, texts)
		for _, f := range v.Files {
			for i, row := range f.Policies {
				said, err := p.view.in(lang).html("policy-row", row)
				if err != nil {
					return policiesView{}, err
				}
				f.Policies[i] = policyRow{ID: row.ID, People: row.People, Said: template.HTML(said)}
			}
		}
		c.lists[lang.Tag()] = v
	}
	v.Files = slices.Clone(v.Files)
	for i := range v.Files { // each page says for itself how many hold
		v.Files[i].Policies = slices.Clone(v.Files[i].Policies)
	}
	return v, nil
}

// standing adds how the policies stand: what is in force since when, what waits, and for how many each holds.
func (p *portal) standing(r *http.Request, v *policiesView) error {
	st, err := p.flow.Policies(r.Context())
	if err != nil {
		return err
	}
	switch {
	case len(st.Broken) > 0:
		v.Standing = &notice{Kind: "bad", Icon: "x", Title: "The policy folder is broken", Text: "What is in force stays, and terminations go on. `dayone policy check` shows every fault."}
	case st.Behind():
		v.Standing = &notice{Kind: "warn", Icon: "info", Title: "The policy folder holds changes that are not in force", Text: "`dayone plan --all` shows what they would do, `dayone apply` puts them into force."}
	}
	view := p.viewerOf(r)
	for _, s := range slices.Backward(st.Stages) {
		covers := "everybody"
		if len(s.Only) > 0 {
			var words []string
			for name, value := range s.Only {
				words = append(words, name+" = "+value)
			}
			slices.Sort(words)
			covers = strings.Join(words, ", ")
		}
		v.Stages = append(v.Stages, stageRow{Version: s.Version[:min(12, len(s.Version))], Covers: covers, At: view.at(s.Applied), Approver: s.Approver, Reason: s.Reason})
	}
	if v.Announced, err = p.announced(r); err != nil {
		return err
	}
	refused, err := p.refused(r)
	if err != nil {
		return err
	}
	v.Announced = append(v.Announced, refused...)
	proposals, err := p.flow.Proposals(r.Context(), 50)
	if err != nil {
		return err
	}
	for _, x := range proposals {
		v.Proposals = append(v.Proposals, link{Href: "/proposals/" + x.ID, Text: fmt.Sprintf("%.12s by %s: %s", x.ID, x.Author, cmp.Or(x.Note, "no note"))})
	}
	holders, ready, err := p.flow.HoldersSoon(r.Context())
	if err != nil {
		return err
	}
	if !ready {
		v.Facts += ". " + textStillCounted
	}
	for i := range v.Files {
		for j := range v.Files[i].Policies {
			row := &v.Files[i].Policies[j]
			if h, ok := holders[row.ID]; ok {
				row.Holds = plural(h.Count, "1 person", "%d people")
				if h.Count == 0 {
					row.Holds = "nobody now"
				}
			}
		}
	}
	return nil
}

func (v policiesView) editable(is bool) policiesView { v.Edit = is; return v }

// newPolicies shows a set with the texts of its files.
func newPolicies(view viewer, set *policy.Set, texts map[string]string) policiesView {
	var v policiesView
	rows, lines := map[string][]policyRow{}, map[string][]string{}
	var files []string
	add := func(at policy.Position, row policyRow) {
		if _, ok := lines[at.File]; !ok {
			lines[at.File] = strings.Split(texts[at.File], "\n")
		}
		row.Anchor, row.Lines, row.Href, row.Does = idOf(row.ID), fmt.Sprintf("line %d", at.Line), policyText(row.ID), row.does()
		if row.Text = excerpt(at, lines[at.File]); len(row.Text) > 1 {
			row.Lines = fmt.Sprintf("lines %d to %d", at.Line, row.Text[len(row.Text)-1].Number)
		}
		if _, ok := rows[at.File]; !ok {
			files = append(files, at.File)
		}
		rows[at.File] = append(rows[at.File], row)
	}
	for _, pol := range set.Policies {
		row := policyRow{ID: pol.ID, Title: cmp.Or(pol.Title, pol.ID), Owner: pol.Owner, Control: strings.Join(pol.Control, ", "), People: "/policies/" + url.PathEscape(pol.ID) + "/people"}
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
			row.Duty = append(row.Duty, view.withKeys(k.String()))
		}
		add(d.At, row)
	}
	slices.Sort(files)
	for _, f := range files {
		v.Files = append(v.Files, policyFile{Name: f, Hash: set.Hashes[f], Policies: rows[f]})
	}
	if v.Facts = inFiles(plural(len(set.Policies), "1 policy", "%d policies"), len(files)); len(set.Duties) > 0 {
		v.Facts += ", " + plural(len(set.Duties), "1 rule of separation", "%d rules of separation")
	}
	if len(files) == 0 {
		v.Empty = &empty{Icon: "policy", Title: "No policies yet", Text: "A policy says who gets what and why. Write the first one into `policies/base.yaml` of the policy folder; `dayone policy check` reads it."}
	}
	return v
}

// inFiles says in how many files something stands.
func inFiles(what string, n int) string {
	if n == 1 {
		return fmt.Sprintf("%s in 1 file", what)
	}
	return fmt.Sprintf("%s in %d files", what, n)
}

// does is what a policy does, counted.
func (r policyRow) does() string {
	var parts []string
	for _, x := range []struct {
		n         int
		one, many string
	}{
		{len(r.Gives), "gives 1 thing", "gives %d things"},
		{len(r.Offers), "offers 1 thing", "offers %d things"},
		{len(r.Denies), "denies 1 thing", "denies %d things"},
		{len(r.Tells), "sends 1 message", "sends %d messages"},
	} {
		if x.n > 0 {
			parts = append(parts, plural(x.n, x.one, x.many))
		}
	}
	switch n := len(r.Duty); n {
	case 0:
	case 2:
		parts = append(parts, fmt.Sprintf("nobody may have both %s and %s", r.Duty[0], r.Duty[1]))
	default:
		parts = append(parts, plural(n, "nobody may have this one", "nobody may have all %d of these"))
	}
	return sentence(strings.Join(parts, ", "))
}

// policyPage is one policy as its file has it.
type policyPage struct {
	policyRow
	File, Version string
}

// policyText shows one policy, or duty, with every line that reasons name.
func (p *portal) policyText(w http.ResponseWriter, r *http.Request) error {
	texts, err := p.flow.PolicyFiles(r.Context())
	if err != nil {
		return err
	}
	for _, f := range newPolicies(p.viewerOf(r), p.flow.Active(), texts).Files {
		if i := slices.IndexFunc(f.Policies, func(x policyRow) bool { return x.ID == r.PathValue("id") }); i >= 0 {
			v := policyPage{f.Policies[i], f.Name, f.Hash}
			return p.show(w, r, http.StatusOK, page{Template: "policy-text", Title: v.Title, Nav: "policies", Crumbs: []link{{"Policies", "/policies"}, {v.Title, ""}}, Main: v})
		}
	}
	return fmt.Errorf("there is no policy %q in force: %w", r.PathValue("id"), dayone.ErrNotFound)
}

func ruleText(r *policy.Rule) string {
	if r.Role != "" {
		return r.Key.String() + " as " + r.Role
	}
	return r.Key.String()
}

// excerpt is the item of a list that begins at a line: everything that is indented deeper than its dash.
func excerpt(at policy.Position, all []string) []sourceLine {
	if at.Line < 1 || at.Line > len(all) {
		return nil
	}
	depth := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	blank := func(line string) bool {
		line = strings.TrimSpace(line)
		return line == "" || strings.HasPrefix(line, "#")
	}
	first := at.Line - 1
	last := first
	for i := first + 1; i < len(all) && (blank(all[i]) || depth(all[i]) > depth(all[first])); i++ {
		if !blank(all[i]) {
			last = i
		}
	}
	var out []sourceLine
	for i := first; i <= last; i++ {
		text, _ := strings.CutPrefix(strings.TrimRight(all[i], " \r"), strings.Repeat(" ", depth(all[first])))
		out = append(out, sourceLine{idOf(fmt.Sprintf("%s:%d", at.File, i+1)), i + 1, text})
	}
	return out
}
