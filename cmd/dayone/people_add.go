package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// saidSuspect is somebody who may be meant, as the API tells it.
type saidSuspect struct {
	Person, Name, Email string
	Why                 []string
	Ended               time.Time `json:"access_ended"`
}

func (s saidSuspect) String() string {
	out := s.Name
	if s.Email != "" {
		out += " <" + s.Email + ">"
	}
	out += ": " + strings.Join(s.Why, "; ")
	if !s.Ended.IsZero() {
		out += "; their access was ended here, and stays closed until dayone people reinstate"
	}
	return out
}

// saidEntered is what became of what was entered, as the API tells it.
type saidEntered struct {
	Event, State, Note, Person, Run string
	Suspects                        []saidSuspect
}

func newPeopleAdd() *cobra.Command {
	var in struct {
		Type    string            `json:"type"`
		Sponsor string            `json:"sponsor"`
		Start   string            `json:"start"`
		End     string            `json:"end"`
		Fields  map[string]string `json:"attributes"`
		Reason  string            `json:"reason"`
		Check   bool              `json:"check"`
	}
	given := map[string]*string{}
	var set []string
	var asJSON bool
	c := &cobra.Command{
		Use: "add contractor|intern|guest", Short: "Enter somebody who is in no HR system", Args: args(1, 1, "what they are: contractor, intern or guest"),
		Long: `Contractors, interns and guests are in no HR system. Somebody who works here answers for each of them, and each has a last
day, of which whoever answers is told 30, 14 and 3 days before. If they may be known already, nothing is made until somebody
has said who they are: dayone people matches.`,
		Example: `  dayone people add contractor --first Ngozi --last Eze --email ngozi@partner.example --company Partner \
      --sponsor john.doe@company.com --end 2025-03-31 --set department=Engineering --set location=Berlin`,
		RunE: func(c *cobra.Command, got []string) error {
			in.Type, in.Fields = got[0], map[string]string{}
			for name, v := range given {
				if *v != "" {
					in.Fields[name] = *v
				}
			}
			for _, s := range set {
				name, v, ok := strings.Cut(s, "=")
				if !ok || strings.TrimSpace(name) == "" {
					return &usageError{fmt.Errorf("--set %s names no attribute and value; write --set department=Sales", s)}
				}
				in.Fields[strings.TrimSpace(name)] = v
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var out saidEntered
			if err := cl.call(c.Context(), http.MethodPost, "/people", nil, in, &out); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), out)
			}
			w := c.OutOrStdout()
			switch {
			case in.Check && len(out.Suspects) == 0:
				fmt.Fprintln(w, "It can be entered, and nobody who is known may be meant. Nothing was entered.")
			case in.Check:
				fmt.Fprintln(w, "It can be entered, and would wait for a decision. Nothing was entered. They may be known already:")
			case out.State == "asked":
				fmt.Fprintln(w, "They may be known already, so nothing is made yet. dayone people matches decides it. Who may be meant:")
			case out.State == "quarantined":
				fmt.Fprintf(w, "%s cannot be used: %s\n", out.Event, out.Note)
				return nil
			default:
				fmt.Fprintf(w, "%s is added, until %s. %s answers for them.\n", out.Person, in.End, in.Sponsor)
			}
			for _, s := range out.Suspects {
				fmt.Fprintf(w, "  %s\n", s)
			}
			return nil
		},
	}
	for flag, f := range map[string]struct{ attr, help string }{
		"first": {"first_name", "first name"}, "last": {"last_name", "last name"}, "email": {"email", "work address"},
		"personal-email": {"personal_email", "personal address; mail before the first day goes there"}, "company": {"company", "whose people they are"},
	} {
		given[f.attr] = c.Flags().String(flag, "", f.help)
	}
	c.Flags().StringVar(&in.Sponsor, "sponsor", "", "mail address of somebody who works here and answers for them")
	c.Flags().StringVar(&in.Start, "start", "", "first day, such as 2025-01-31 (default: today)")
	c.Flags().StringVar(&in.End, "end", "", "last day")
	c.Flags().StringArrayVar(&set, "set", nil, "an attribute of people.yaml, such as department=Sales; may be said several times")
	c.Flags().StringVar(&in.Reason, "reason", "", "why, for the record")
	c.Flags().BoolVar(&in.Check, "check", false, "only say whether it can be entered, and who may be meant")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newPeopleExtend() *cobra.Command {
	var in struct {
		Until  string `json:"until"`
		By     string `json:"by"`
		Reason string `json:"reason"`
	}
	c := &cobra.Command{
		Use: "extend NAME", Short: "Put off the last day of somebody who is in no HR system", Args: args(1, 1, "a person, by name, mail address or id"),
		Long:    `Only who answers for them may: the sponsor, who stands in for her, or, if she has left, her manager.`,
		Example: `  dayone people extend ngozi@partner.example --until 2025-06-30 --by john.doe@company.com --reason "phase two"`,
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			var out saidEntered
			if err := cl.call(c.Context(), http.MethodPost, "/people/"+who+"/extend", nil, in, &out); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "The last day of %s is %s now.\n", got[0], in.Until)
			return err
		},
	}
	c.Flags().StringVar(&in.Until, "until", "", "the new last day, such as 2025-06-30")
	c.Flags().StringVar(&in.By, "by", "", "mail address of who decides")
	c.Flags().StringVar(&in.Reason, "reason", "", "why they stay longer")
	return c
}
