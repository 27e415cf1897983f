package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

func newPolicySchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [DIR]",
		Short: "Write the JSON Schemas with which editors complete and check the files",
		Long: `Schema writes JSON Schemas (draft-07) of all files into .schema/ of the folder, with the attributes, values, entitlements,
roles and templates that there are. Editors with a YAML language server find them by the first line of a file:

  # yaml-language-server: $schema=../.schema/policy.schema.json

Run it again when people.yaml or the catalogue has changed. Policies with errors are no hindrance.`,
		Example: `  dayone policy schema
  dayone policy schema examples`,
		Args: args(0, 1, "one folder"),
		RunE: func(c *cobra.Command, args []string) error {
			f, _, err := folderOf(c, args)
			if err != nil {
				return err
			}
			schemas, diags := policy.Schemas(f.fsys, f.known)
			if schemas == nil {
				printDiagnostics(c.OutOrStdout(), diags)
				return &shownError{fmt.Errorf("people.yaml, sites.yaml or the catalogue has errors: %w", dayone.ErrInvalid)}
			}
			dir := filepath.Join(f.dir, ".schema")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			for name, body := range schemas {
				if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
					return err
				}
			}
			fmt.Fprintf(c.OutOrStdout(), "wrote %s (%s)\n", dir, count(len(schemas), "file"))
			return nil
		},
	}
}

func newPolicyFormat() *cobra.Command {
	var write, check bool
	c := &cobra.Command{
		Use:   "fmt [DIR | FILE...]",
		Short: "Lay files out as they are written by convention",
		Long: `Fmt puts keys in their order, indents by two, puts short grants on one line and takes out quotes that say nothing. Comments,
and columns that you aligned, stay. What a file says never changes.

A file is printed; of a folder, the names of the files that would change are.`,
		Example: `  dayone policy fmt policy/policies/base.yaml
  dayone policy fmt -w
  dayone policy fmt --check examples`,
		Args: args(0, 1000, "a folder, or files"),
		RunE: func(c *cobra.Command, args []string) error {
			if write && check {
				return &usageError{errors.New("-w writes and --check writes nothing; choose one")}
			}
			names, folder, err := toFormat(c, args)
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			changed, refused := 0, 0
			for _, name := range names {
				raw, err := readFile(name.path)
				if err != nil {
					return err
				}
				text, err := policy.Format(name.in, string(raw))
				if err != nil {
					refused++
					fmt.Fprintln(c.ErrOrStderr(), plain(err))
					continue
				}
				same := text == string(raw)
				if !same {
					changed++
				}
				switch {
				case write && !same:
					if err := os.WriteFile(name.path, []byte(text), 0o644); err != nil {
						return err
					}
					fmt.Fprintln(out, name.path)
				case write:
				case !folder && !check:
					fmt.Fprint(out, text)
				case !same:
					fmt.Fprintln(out, name.path)
				}
			}
			if refused > 0 || check && changed > 0 {
				return &shownError{fmt.Errorf("%s to lay out, %d refused: %w", count(changed, "file"), refused, dayone.ErrInvalid)}
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&write, "write", "w", false, "write the files, and print the names of those that changed")
	c.Flags().BoolVar(&check, "check", false, "print the names of files that are not laid out so, and exit with 1 if there are any")
	return c
}

// fileToFormat is a file and its name in a policy folder, which says what is in it.
type fileToFormat struct{ path, in string }

func toFormat(c *cobra.Command, args []string) ([]fileToFormat, bool, error) {
	if len(args) > 0 {
		if info, err := os.Stat(args[0]); err == nil && !info.IsDir() {
			var out []fileToFormat
			for _, path := range args {
				if !policy.IsFile(filepath.ToSlash(path)) {
					return nil, false, fmt.Errorf("%s is no file of a policy folder; it holds people.yaml, sites.yaml, catalog/, policies/, exceptions/ and tests/: %w", path, dayone.ErrInvalid)
				}
				out = append(out, fileToFormat{path, filepath.ToSlash(path)})
			}
			return out, false, nil
		}
	}
	f, rest, err := folderOf(c, args)
	if err != nil {
		return nil, false, err
	}
	if len(rest) == 0 {
		rest = policy.Files(f.fsys)
	}
	slices.Sort(rest)
	var out []fileToFormat
	for _, name := range rest {
		out = append(out, fileToFormat{filepath.Join(f.dir, filepath.FromSlash(name)), name})
	}
	return out, true, nil
}
