package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

func newPolicy() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Check and test policies",
		Long: `Policies are YAML files with CEL conditions in a folder: people.yaml (what may be read), sites.yaml, catalog/ (what
systems offer), policies/ and tests/. docs/policy.md describes the language.`,
	}
	c.AddCommand(newPolicyCheck(), newPolicyTest(), newVersions(),
		newWhy("why", "Say why somebody has an access", "  dayone policy why sarah.chen@company.com gitlab/group:customer-solutions --at 2025-06-02"),
		newWhy("why-not", "Say why somebody does not have an access", "  dayone policy why-not sarah.chen@company.com aws/permission-set:prod-readonly"))
	return c
}

func newPolicyCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check DIR [FILE...]",
		Short: "Check every file of a folder and report every fault with its place",
		Long:  "Check reads every file of the folder, and any further FILE below it, and reports all faults at once, each with file, line and column.",
		Example: `  dayone policy check examples
  dayone policy check examples broken/broken.yaml`,
		Args: args(1, 1000, "a folder, and files in it"),
		RunE: func(c *cobra.Command, args []string) error {
			fsys, err := policyFolder(args[0])
			if err != nil {
				return err
			}
			set, diags := policy.Load(fsys, nil, args[1:]...)
			errs, warnings := printDiagnostics(c.OutOrStdout(), diags)
			if set == nil {
				return &shownError{fmt.Errorf("%s, %s: %w", count(errs, "error"), count(warnings, "warning"), dayone.ErrInvalid)}
			}
			fmt.Fprintf(c.OutOrStdout(), "%s, %s, %s: no errors, %s\n", count(len(set.Policies), "policy"), count(len(set.Duties), "separation of duty"),
				count(len(set.Hashes), "file"), count(warnings, "warning"))
			return nil
		},
	}
}

func policyFolder(dir string) (fs.FS, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, dayone.ErrNotFound)
	}
	if !info.IsDir() {
		return nil, &usageError{fmt.Errorf("%s is a file; name the folder first, then files in it", dir)}
	}
	return os.DirFS(dir), nil
}

func printDiagnostics(w io.Writer, diags []policy.Diagnostic) (errs, warnings int) {
	for _, d := range diags {
		fmt.Fprintln(w, d)
		if d.Severity == policy.Error {
			errs++
		} else {
			warnings++
		}
	}
	return errs, warnings
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	switch word {
	case "person":
		word = "people"
	case "policy":
		word = "policies"
	case "separation of duty":
		word = "separations of duty"
	default:
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

func newPolicyTest() *cobra.Command {
	return &cobra.Command{
		Use:     "test DIR",
		Short:   "Run the tests that stand beside the policies",
		Long:    "Test runs every tests/*.test.yaml: a person, a day, a change, and what must follow. Exit code 1 if one fails.",
		Example: "  dayone policy test examples",
		Args:    args(1, 1, "one folder"),
		RunE: func(c *cobra.Command, args []string) error {
			fsys, err := policyFolder(args[0])
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			set, diags := policy.Load(fsys, nil)
			if set == nil {
				printDiagnostics(out, diags)
				return &shownError{fmt.Errorf("the policies do not load: %w", dayone.ErrInvalid)}
			}
			stories, diags := set.Stories(fsys)
			faults, _ := printDiagnostics(out, diags)
			failed := 0
			for _, s := range stories {
				o := set.Tell(s)
				if len(o.Faults) == 0 {
					fmt.Fprintf(out, "ok    %s\n", s.Name)
					continue
				}
				failed++
				fmt.Fprintf(out, "FAIL  %s\n", s.Name)
				for _, f := range o.Faults {
					fmt.Fprintf(out, "      %s\n", f)
				}
			}
			if failed+faults > 0 {
				return &shownError{fmt.Errorf("%d of %d failed: %w", failed, len(stories), dayone.ErrInvalid)}
			}
			if len(stories) == 0 {
				return fmt.Errorf("there are no tests in %s; docs/policy.md shows how to write one: %w", args[0], dayone.ErrNotFound)
			}
			fmt.Fprintf(out, "%s passed\n", count(len(stories), "test"))
			return nil
		},
	}
}
