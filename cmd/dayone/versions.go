package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newVersions() *cobra.Command {
	return &cobra.Command{
		Use:     "versions",
		Short:   "List the policy versions that are and were in force, and what waits",
		Example: "  dayone policy versions",
		Args:    args(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := look(c)
			if err != nil {
				return err
			}
			defer s.close()
			st, err := s.flow.Policies(c.Context())
			if err != nil {
				return err
			}
			waiting, err := s.flow.Waiting(c.Context())
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			for _, x := range slices.Backward(st.Stages) {
				fmt.Fprintf(out, "%3d  %.12s  %s  %-20s  %-28s  %s\n", x.Seq, x.Version, clockOf(x.Applied), covers(x.Only), x.Approver, x.Reason)
			}
			for _, a := range waiting {
				fmt.Fprintf(out, "in force from %s unless withdrawn: %s  %.12s  %s  %s, for %s  %s\n",
					clockOf(a.Due), a.ID, a.Version, covers(a.Only), a.Approver, count(a.People, "person"), a.Reason)
			}
			acts, err := s.flow.Acts(c.Context(), 5)
			if err != nil {
				return err
			}
			for _, a := range acts {
				if a.State == dayone.ActRefused {
					fmt.Fprintf(out, "refused at %s: %s  %.12s: %s\n", clockOf(a.Ended), a.ID, a.Version, a.Why)
				}
			}
			switch {
			case len(st.Stages) == 0:
				fmt.Fprintln(out, "Nothing is in force yet; the first dayone serve takes the folder.")
			case st.Folder == "":
				fmt.Fprintln(out, "The folder is broken; dayone policy check shows why. What is in force stays.")
			case st.Behind():
				fmt.Fprintln(out, "The folder holds changes that are not in force; dayone plan --all shows them.")
			}
			return nil
		},
	}
}

// covers says for whom a version counts.
func covers(only map[string]string) string {
	if len(only) == 0 {
		return "everybody"
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(only)) {
		words = append(words, name+"="+only[name])
	}
	return strings.Join(words, " ")
}

func newWithdraw() *cobra.Command {
	var by, reason string
	c := &cobra.Command{
		Use:   "withdraw [ACT]",
		Short: "Take back what its author alone approved, before its notice is over",
		Long: `Withdraw ends a plan that dayone apply --alone announced: it will not take effect. ACT is its id or the beginning of its
version, as dayone policy versions shows them; if only one waits, it may be left out. What is in force stays.`,
		Example: `  dayone policy withdraw
  dayone policy withdraw act_01jd9x0000000000000000000a --reason "kim found a fault"`,
		Args: args(0, 1, "at most one act"),
		RunE: func(c *cobra.Command, args []string) error {
			if goesThere(c) {
				return withdrawThere(c, strings.Join(args, ""), reason)
			}
			s, err := open(c)
			if err != nil {
				return err
			}
			defer s.close()
			a, err := s.flow.Withdraw(c.Context(), strings.Join(args, ""), cmp.Or(by, whoami()), reason)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Withdrawn: %s, version %.12s. What is in force stays.\n", a.ID, a.Version)
			return err
		},
	}
	c.Flags().StringVar(&by, "by", "", "who withdraws it (default: you)")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	mayGoThere(c)
	return c
}
