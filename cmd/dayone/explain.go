package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

func newExplain() *cobra.Command {
	var asJSON bool
	var v view
	c := &cobra.Command{
		Use:   "explain PERSON SYSTEM/ENTITLEMENT",
		Short: "Say why somebody has an access, or why not",
		Long: `Explain names every policy that speaks of the entitlement, with the value of each condition. PERSON is a mail address, a
name or an id. With --demo it uses the examples and the simulated systems instead of a configuration; with --server it asks
that server by its API.`,
		Example: `  dayone explain --demo sarah.chen@company.com gitlab/group:customer-solutions
  dayone explain "Sarah Chen" aws/permission-set:prod-readonly
  dayone explain "Sarah Chen" okta/group:sales-team --server https://dayone.company.com`,
		Args: args(2, 2, "a person and an entitlement such as okta/group:sales-team"),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := dayone.ParseKey(args[1])
			if err != nil {
				return &usageError{fmt.Errorf("%w; write it as policies do, such as okta/group:sales-team", err)}
			}
			show := func(name string, x policy.Explanation) error {
				if asJSON {
					return writeJSON(c.OutOrStdout(), x)
				}
				printExplanation(c.OutOrStdout(), name, x)
				return nil
			}
			switch {
			case v.demo && goesThere(c):
				return &usageError{fmt.Errorf("say --demo or --server, not both")}
			case goesThere(c):
				return explainThere(c, args[0], key, asJSON)
			case v.demo:
				return v.show(c, args[0], func(s *server, l flow.Look) error {
					if err := s.flow.Active().Offered(key); err != nil {
						return err
					}
					return show(l.Person.Name(), s.flow.Why(l, key))
				})
			}
			s, err := look(c)
			if err != nil {
				return err
			}
			defer s.close()
			row, err := s.flow.Named(c.Context(), args[0])
			if err != nil {
				return err
			}
			x, err := s.flow.Explain(c.Context(), row.ID, key)
			if err != nil {
				return err
			}
			if err := show(row.Name, x); err != nil || asJSON || row.Managed {
				return err
			}
			return noteUnplanned(c, row.Name)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().BoolVar(&v.demo, "demo", false, "use the examples and simulated systems")
	looksThere(c)
	return c
}

// noteUnplanned says that what policies would do does not happen by itself.
func noteUnplanned(c *cobra.Command, name string) error {
	_, err := fmt.Fprintf(c.OutOrStdout(), "  note: %s is known from an import: this is what policies would do; nothing is planned unless they are hired again\n", name)
	return err
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

var answers = map[string]string{
	"given": "has %s%s", "brought along": "has %s%s", "pending": "gets %s%s once it is approved", "offered": "may ask for %s%s", "later": "will get %s%s", "kept": "keeps %s%s, since a condition is unknown",
	"unknown": "does not get %s%s yet, since a fact is not known", "denied": "must not have %s%s", "withheld": "does not get %s%s: separation of duty", "not given": "does not get %s%s",
}

// authorities say what it means that policies do not just add.
var authorities = map[dayone.Authority]string{
	dayone.Exclusive: "policies alone decide; what they do not give goes, whoever gave it",
	dayone.Observe:   "others decide; it is neither given nor taken before its owner leaves",
}

func printExplanation(w io.Writer, name string, x policy.Explanation) {
	role := ""
	if x.Grant != nil && x.Grant.Role != "" {
		role = " as " + x.Grant.Role
	}
	answer := answers[x.Answer]
	if !x.There && (x.Answer == "given" || x.Answer == "brought along") {
		answer = "is to get %s%s"
	}
	fmt.Fprintf(w, "%s %s", name, fmt.Sprintf(answer, x.Key, role))
	switch {
	case x.Answer == "later" && x.Grant != nil:
		fmt.Fprintf(w, " from %s\n", x.Grant.From.Format("Mon 2 Jan 2006"))
	case len(x.By) > 0:
		fmt.Fprintln(w, ", because something else brings it along:")
	case len(x.Lines) == 0:
		fmt.Fprintln(w, ": no policy names it")
	default:
		fmt.Fprintln(w, ", because:")
	}
	if text := authorities[x.Authority]; text != "" {
		fmt.Fprintf(w, "  authority %s: %s\n", x.Authority, text)
	}
	if !x.Seen.IsZero() {
		fmt.Fprintf(w, "  baseline: nobody here gave it; it was seen first on %s\n", x.Seen.Format("Mon 2 Jan 2006"))
	}
	if x.Asked != nil {
		fmt.Fprintf(w, "  requested by %s: %s\n", x.Asked.By, x.Asked.Reason)
	}
	for _, v := range x.Votes {
		fmt.Fprintf(w, "  agreed to by %s on %s\n", v.Who(), clockOf(v.At))
	}
	if missing := x.Missing(); len(missing) > 0 {
		fmt.Fprintf(w, "  waits for what nobody has said: %s; HR says it, or dayone people correct\n", strings.Join(missing, ", "))
	}
	printAlong(w, x.By, "  ")
	printLines(w, x.Lines, "  ")
	if x.Finding != "" {
		fmt.Fprintf(w, "  note: %s\n", x.Finding)
	}
}

// printAlong says what brings it along, and why that is given, down to the policies.
func printAlong(w io.Writer, by []policy.Along, in string) {
	for _, a := range by {
		fmt.Fprintf(w, "%sbrought along by %s\n", in, a.Key)
		printLines(w, a.Lines, in+"  ")
		printAlong(w, a.By, in+"  ")
	}
}

func printLines(w io.Writer, lines []policy.Line, in string) {
	for _, l := range lines {
		fmt.Fprintf(w, "%spolicy %s (%s, content %s) %s it%s: condition is %s\n", in, l.Policy, l.At, l.Hash, l.Does, asRole(l.Role), map[string]string{"yes": "true", "no": "false", "unknown": "unknown"}[l.Truth])
		if l.Reason != "" {
			fmt.Fprintf(w, "%s    reason: %s\n", in, l.Reason)
		}
		for _, c := range l.Conditions {
			var reads []string
			for _, r := range c.Reads {
				value := r.Value
				if !r.Known {
					value = "not known"
				}
				if r.From != "" {
					value += " (" + r.From + ")"
				}
				reads = append(reads, r.Name+" = "+value)
			}
			fmt.Fprintf(w, "%s    %-7s %s   %s\n", in, c.Truth, c.Text, strings.Join(reads, ", "))
		}
	}
}

func asRole(role string) string {
	if role == "" {
		return ""
	}
	return " as " + role
}
