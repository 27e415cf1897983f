package main

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/examples"
)

//go:embed dayone.yaml
var commented []byte

func newInit() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a commented configuration and example policies",
		Long: `Init writes dayone.yaml, an access token for the portal, a secret for HR's webhook, and a policy folder to begin with.
It overwrites nothing unless you say --force.`,
		Example: `  dayone init
  dayone init /etc/dayone`,
		Args: args(0, 1, "at most one folder"),
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return initialise(c, dir, force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "overwrite files that are there")
	return c
}

// written is one file that init writes.
type written struct {
	name string
	body []byte
	mode os.FileMode
}

func initialise(c *cobra.Command, dir string, force bool) error {
	today := time.Now().Format(time.DateOnly) // the one date in the file: who starts from now on is ours
	files := []written{
		{"dayone.yaml", bytes.Replace(commented, []byte("since: 2025-01-01"), []byte("since: "+today), 1), 0o644},
		{"portal.token", secretText(), 0o600},
		{"hr.secret", secretText(), 0o600},
	}
	own := len(files)
	err := fs.WalkDir(examples.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(name, "broken/") || strings.HasPrefix(name, "events/") {
			return err
		}
		raw, err := examples.Files.ReadFile(name)
		files = append(files, written{filepath.Join("policy", filepath.FromSlash(name)), raw, 0o644})
		return err
	})
	if err != nil {
		return err
	}
	if err := free(dir, filepath.Join("policy", ".schema", "policy.schema.json"), true); err != nil {
		return err
	}
	if err := writeAll(dir, files, force); err != nil {
		return err
	}
	if err := writeSchemas(c, filepath.Join(dir, "policy")); err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "wrote %s, portal.token, hr.secret and policy/ (%d files).\nNext:\n", filepath.Join(dir, "dayone.yaml"), len(files)-own)
	if dir != "." {
		fmt.Fprintf(c.OutOrStdout(), "  cd %s\n", quoted(dir))
	}
	fmt.Fprint(c.OutOrStdout(), `  dayone policy check policy
  dayone serve
HR posts to /hooks/hr, signed with hr.secret. Whoever has portal.token is let into the portal. Name your systems in
dayone.yaml; until then what would be done there is a task for a human.
`)
	return nil
}

// writeAll writes all files or none: half a folder helps nobody, and is in the way of the next try.
func writeAll(dir string, files []written, force bool) error {
	for _, f := range files {
		if err := free(dir, f.name, force); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(dir, ".dayone-init-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	for _, f := range files { // what fails here has changed nothing
		path := filepath.Join(aside, f.name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.body, f.mode)); err != nil {
			return err
		}
	}
	var made []string
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		_, missing := os.Lstat(path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Rename(filepath.Join(aside, f.name), path)); err != nil {
			for _, path := range made {
				err = errors.Join(err, os.Remove(path))
			}
			return err
		}
		if missing != nil {
			made = append(made, path)
		}
	}
	return nil
}

// free says whether a file may be written: nothing is there, or a file that may be overwritten, and folders on the way.
func free(dir, name string, force bool) error {
	path := filepath.Join(dir, name)
	switch info, err := os.Stat(path); {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is in the way, and is no file; move it: %w", path, dayone.ErrConflict)
	case err == nil && !force:
		return fmt.Errorf("%s is there already; --force overwrites it: %w", path, dayone.ErrConflict)
	}
	for path != filepath.Dir(path) {
		path = filepath.Dir(path)
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is in the way, and is no folder; move it: %w", path, dayone.ErrConflict)
		}
		return nil
	}
	return nil
}

func secretText() []byte { return []byte(rand.Text() + rand.Text() + "\n") }

// quoted is a folder as a shell takes it.
func quoted(dir string) string {
	if strings.ContainsFunc(dir, func(r rune) bool {
		return !strings.ContainsRune("/._-+,:@%", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return "'" + strings.ReplaceAll(dir, "'", `'\''`) + "'"
	}
	return dir
}

// writeSchemas lets dayone policy schema write what editors check policies with, from this folder's own catalogue.
func writeSchemas(c *cobra.Command, dir string) error {
	schema, args, err := c.Root().Find([]string{"policy", "schema", dir})
	if err != nil || schema.Name() != "schema" {
		return nil
	}
	schema.SetContext(c.Context())
	return schema.RunE(schema, args)
}
