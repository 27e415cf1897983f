package main

import (
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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
		Long:  "Init writes dayone.yaml, an access token for the portal, and a policy folder to begin with. It overwrites nothing unless you say --force.",
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

func initialise(c *cobra.Command, dir string, force bool) error {
	write := func(name string, body []byte, mode os.FileMode) error {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
		if force {
			flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		}
		f, err := os.OpenFile(path, flags, mode)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s is there already; --force overwrites it: %w", path, dayone.ErrConflict)
		}
		if err != nil {
			return err
		}
		_, err = f.Write(body)
		return errors.Join(err, f.Close())
	}
	if err := write("dayone.yaml", commented, 0o644); err != nil {
		return err
	}
	if err := write("portal.token", []byte(rand.Text()+rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	n := 0
	err := fs.WalkDir(examples.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasPrefix(name, "broken/") || strings.HasPrefix(name, "events/") {
			return nil
		}
		raw, err := examples.Files.ReadFile(name)
		if err != nil {
			return err
		}
		n++
		return write(filepath.Join("policy", filepath.FromSlash(name)), raw, 0o644)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), `wrote %s, portal.token and policy/ (%d files).
Next:
  1. name your systems and your HR source in dayone.yaml
  2. dayone policy check %s
  3. dayone serve
`, filepath.Join(dir, "dayone.yaml"), n, filepath.Join(dir, "policy"))
	return nil
}
