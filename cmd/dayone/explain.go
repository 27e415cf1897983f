package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

func newExplain() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain PERSON SYSTEM/ENTITLEMENT",
		Short: "Say why somebody has an access, or why not",
		Long: `Explain names every policy that speaks of the entitlement, with the value of each condition. PERSON is a mail address, a
name or an id.`,
		Example: `  dayone explain sarah.chen@company.com gitlab/group:customer-solutions
  dayone explain "Sarah Chen" aws/permission-set:prod-readonly`,
		Args: args(2, 2, "a person and an entitlement such as okta/group:sales-team"),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := dayone.ParseKey(args[1])
			if err != nil {
				return &usageError{err}
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
			if asJSON {
				return writeJSON(c.OutOrStdout(), x)
			}
			printExplanation(c.OutOrStdout(), row.Name, x)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

var answers = map[string]string{
	"given": "has %s%s", "pending": "gets %s%s once it is approved", "offered": "may ask for %s%s", "later": "will get %s%s", "kept": "keeps %s%s, since a condition is unknown",
	"denied": "must not have %s%s", "withheld": "does not get %s%s: separation of duty", "not given": "does not get %s%s",
}

func printExplanation(w io.Writer, name string, x policy.Explanation) {
	role := ""
	if x.Grant != nil && x.Grant.Role != "" {
		role = " as " + x.Grant.Role
	}
	fmt.Fprintf(w, "%s %s", name, fmt.Sprintf(answers[x.Answer], x.Key, role))
	switch {
	case x.Answer == "later" && x.Grant != nil:
		fmt.Fprintf(w, " from %s\n", x.Grant.From.Format("Mon 2 Jan 2006"))
	case len(x.Lines) == 0:
		fmt.Fprintln(w, ": no policy names it")
	default:
		fmt.Fprintln(w, ", because:")
	}
	for _, l := range x.Lines {
		fmt.Fprintf(w, "  policy %s (%s, content %s) %s it%s: condition is %s\n", l.Policy, l.At, l.Hash, l.Does, asRole(l.Role), map[string]string{"yes": "true", "no": "false", "unknown": "unknown"}[l.Truth])
		if l.Reason != "" {
			fmt.Fprintf(w, "      reason: %s\n", l.Reason)
		}
		for _, c := range l.Conditions {
			var reads []string
			for _, r := range c.Reads {
				value := r.Value
				if !r.Known {
					value = "not known"
				}
				reads = append(reads, r.Name+" = "+value)
			}
			fmt.Fprintf(w, "      %-7s %s   %s\n", c.Truth, c.Text, strings.Join(reads, ", "))
		}
	}
	if x.Finding != "" {
		fmt.Fprintf(w, "  note: %s\n", x.Finding)
	}
}

func asRole(role string) string {
	if role == "" {
		return ""
	}
	return " as " + role
}
