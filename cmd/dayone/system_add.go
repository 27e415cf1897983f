package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/all"
	"github.com/dayone-hq/dayone/connector/sheet"
)

func newSystemAdd() *cobra.Command {
	var name string
	var set []string
	var printOnly bool
	c := &cobra.Command{
		Use:   "add KIND",
		Short: "Write a system into dayone.yaml, with a comment for each of its settings",
		Long: `Add writes the connector's settings below systems: (or sources:, where people come from) of the configuration. It asks for
what has no default, which --set says beforehand; a secret is a reference to where it lies, ${env:NAME} if nothing else is
said, and never stands in the file. What has a default is written as a comment. Nothing that is there is changed.`,
		Example: `  dayone system add okta --set url=https://company.okta.com
  dayone system add gitlab --name gitlab-eu --set 'token=${file:gitlab.token}'
  dayone system add webex --print`,
		Args: args(1, 1, "a connector, such as okta; docs/systems.md names all"),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := manifestOf(args[0])
			if err != nil {
				known := slices.Sorted(maps.Keys(all.Factories()))
				return fmt.Errorf("there is no connector %q; %s: %w", args[0], cmp.Or(dayone.Meant(args[0], known), "there are "+strings.Join(known, ", ")), dayone.ErrNotFound)
			}
			a := addition{manifest: m, name: cmp.Or(name, m.Name), given: map[string]string{}}
			if err := a.read(set); err != nil {
				return err
			}
			if err := a.ask(c, printOnly); err != nil {
				return err
			}
			if printOnly {
				_, err := fmt.Fprint(c.OutOrStdout(), a.heading()+":\n"+a.stanza("  "))
				return err
			}
			path, err := c.Flags().GetString("config")
			if err != nil {
				return err
			}
			if err := a.write(path); err != nil {
				return err
			}
			return a.tell(c, path)
		},
	}
	c.Flags().StringVar(&name, "name", "", "what it is called here (default: the connector's name)")
	c.Flags().StringArrayVar(&set, "set", nil, "SETTING=VALUE; may be given several times")
	c.Flags().BoolVar(&printOnly, "print", false, "only print what would be written")
	return c
}

// addition is a system that is to be written.
type addition struct {
	manifest *connector.Manifest
	name     string
	given    map[string]string
}

// heading is where it belongs.
func (a *addition) heading() string {
	if slices.Equal(a.manifest.Capabilities, []string{"source"}) {
		return "sources"
	}
	return "systems"
}

var wholeReference = regexp.MustCompile(`^\$\{(env|file):[^}]+\}$`)

// read takes what was said beforehand.
func (a *addition) read(set []string) error {
	if !systemName.MatchString(a.name) {
		return &usageError{fmt.Errorf("%q is no name for a system; use lower case letters, digits and -", a.name)}
	}
	known := slices.Sorted(maps.Keys(a.manifest.Settings))
	for _, s := range set {
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return &usageError{fmt.Errorf("--set is %q; write SETTING=VALUE", s)}
		}
		if _, ok := a.manifest.Settings[k]; !ok {
			return &usageError{fmt.Errorf("%s has no setting %q; %s", a.manifest.Title, k, cmp.Or(dayone.Meant(k, known), "it has "+strings.Join(known, ", ")))}
		}
		if err := a.take(k, v); err != nil {
			return &usageError{err}
		}
	}
	return nil
}

// take judges a value. No error repeats a secret.
func (a *addition) take(name, v string) error {
	s := a.manifest.Settings[name]
	switch {
	case strings.ContainsAny(v, "\r\n"):
		return fmt.Errorf("%s has several lines; keep it in a file and write ${file:PATH}", name)
	case s.Type == "secret" && !wholeReference.MatchString(v):
		return fmt.Errorf("%s is a secret, which does not stand in the configuration; write ${env:NAME} or ${file:PATH}", name)
	case len(s.Choices) > 0 && !slices.Contains(s.Choices, v) && !wholeReference.MatchString(v):
		return fmt.Errorf("%s can be %s", name, strings.Join(s.Choices, ", "))
	}
	if u, err := url.Parse(v); s.Type == "url" && !reference.MatchString(v) && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("%s is an address, such as %s", name, cmp.Or(s.Example, "https://company.com"))
	}
	a.given[name] = v
	return nil
}

// ask asks for what has no default and was not said. Where nobody can be asked, all of it is named at once.
func (a *addition) ask(c *cobra.Command, example bool) error {
	var open []string
	for _, name := range slices.Sorted(maps.Keys(a.manifest.Settings)) {
		s := a.manifest.Settings[name]
		if _, said := a.given[name]; said || !s.Required || s.Default != "" {
			continue
		}
		switch {
		case s.Type == "secret":
			a.given[name] = "${env:" + strings.ToUpper(strings.ReplaceAll(a.name, "-", "_")+"_"+name) + "}"
		case example:
			a.given[name] = cmp.Or(s.Example, "...")
		default:
			open = append(open, name)
		}
	}
	if len(open) == 0 {
		return nil
	}
	if !isTerminal(c.InOrStdin()) {
		lines := make([]string, 0, len(open))
		for _, name := range open {
			s := a.manifest.Settings[name]
			lines = append(lines, fmt.Sprintf("--set %s=%s", name, cmp.Or(s.Example, "...")))
		}
		return &usageError{fmt.Errorf("%s needs what nobody can be asked for here: %s", a.manifest.Title, strings.Join(lines, " "))}
	}
	in := bufio.NewScanner(c.InOrStdin())
	for _, name := range open {
		s := a.manifest.Settings[name]
		for a.given[name] == "" {
			fmt.Fprintf(c.OutOrStdout(), "%s (%s): ", name, strings.Join(slices.DeleteFunc([]string{s.Help, "such as " + s.Example}, func(t string) bool { return t == "" || t == "such as " }), "; "))
			if !in.Scan() {
				return fmt.Errorf("nothing was written: %s was not said: %w", name, dayone.ErrInvalid)
			}
			if v := strings.TrimSpace(in.Text()); v != "" {
				if err := a.take(name, v); err != nil {
					fmt.Fprintln(c.OutOrStdout(), err)
				}
			}
		}
	}
	return nil
}

// stanza is what is written, at an indentation.
func (a *addition) stanza(in string) string {
	var b strings.Builder
	m := a.manifest
	fmt.Fprintf(&b, "%s%s:  # %s\n", in, a.name, oneLine(m.Title+": docs/systems/"+m.Name+".md"))
	if m.Plan != "" {
		fmt.Fprintf(&b, "%s%s# made for: %s\n", in, in, oneLine(m.Plan))
	}
	fmt.Fprintf(&b, "%s%sconnector: %s\n%s%ssettings:\n", in, in, m.Name, in, in)
	written := false
	for _, name := range slices.Sorted(maps.Keys(m.Settings)) {
		s := m.Settings[name]
		note := oneLine(s.Help)
		if len(s.Choices) > 0 {
			note = strings.TrimPrefix(note+"; one of "+strings.Join(s.Choices, ", "), "; ")
		}
		if note != "" {
			note = "  # " + note
		}
		v, said := a.given[name]
		if said {
			written = true
			fmt.Fprintf(&b, "%s%s%s%s: %s%s\n", in, in, in, name, inYAML(v), note)
			continue
		}
		example := cmp.Or(s.Default, s.Example)
		if s.Type == "secret" {
			example = "${env:" + strings.ToUpper(strings.ReplaceAll(a.name, "-", "_")+"_"+name) + "}"
		}
		fmt.Fprintf(&b, "%s%s%s# %s: %s%s\n", in, in, in, name, inYAML(example), note)
	}
	if !written {
		return strings.Replace(b.String(), in+in+"settings:\n", in+in+"settings: {}  # none of these is needed in every case\n", 1)
	}
	return b.String()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// inYAML is a value as it is written.
func inYAML(v string) string {
	raw, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%q", v)
	}
	out := strings.TrimSpace(string(raw))
	if strings.HasPrefix(out, "${") || strings.Contains(out, "\n") {
		return fmt.Sprintf("%q", v)
	}
	return out
}

// write puts the stanza into the file, which is replaced as a whole once it reads: whatever happens, there is an old one or a
// new one.
func (a *addition) write(path string) error {
	raw, err := readUpTo(path, mostFile)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no %s; dayone init writes one: %w", path, dayone.ErrNotFound)
	}
	if err != nil {
		return err
	}
	text, err := a.into(string(raw), path)
	if err != nil {
		return err
	}
	return replaceConfig(path, text, raw)
}

// replaceConfig puts another text in the place of the configuration, once it reads and while the file is what the text was made
// of: whoever edits it by hand is not overwritten.
func replaceConfig(path, text string, was []byte) error {
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if _, err := configOf(path, []byte(text)); err != nil {
		if _, before := configOf(path, was); before != nil {
			return fmt.Errorf("nothing was written, for the configuration has faults already; mend them first:\n%w", before)
		}
		return fmt.Errorf("nothing was written, for the configuration would be wrong then:\n%w", err)
	}
	if now, err := readUpTo(file, mostFile); err != nil {
		return err
	} else if !bytes.Equal(now, was) {
		return changedSince(path)
	}
	return sheet.Replace(file, []byte(text), time.Time{})
}

func changedSince(path string) error {
	return fmt.Errorf("nothing was written, for somebody has changed %s meanwhile; look at it and begin again: %w", path, dayone.ErrConflict)
}

// into is the file with the stanza in it; all else stays as it was, comments too.
func (a *addition) into(text, path string) (string, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return "", fmt.Errorf("%s does not read: %w: %w", path, err, dayone.ErrInvalid)
	}
	lines := strings.SplitAfter(text, "\n")
	if n := len(lines); n > 0 && lines[n-1] != "" && !strings.HasSuffix(lines[n-1], "\n") {
		lines[n-1] += "\n"
	}
	end := func(tail []string) string { return strings.Join(lines, "") + strings.Join(tail, "") }
	if len(doc.Content) == 0 {
		return end([]string{a.heading() + ":\n", a.stanza("  ")}), nil
	}
	key, value := child(doc.Content[0], a.heading())
	switch {
	case key == nil:
		return end([]string{"\n" + a.heading() + ":\n", a.stanza("  ")}), nil
	case value.Kind == yaml.ScalarNode && value.Tag == "!!null": // every line below it is a comment, or none
		return a.after(lines, key.Line, a.stanza("  ")), nil
	case value.Kind != yaml.MappingNode:
		return "", fmt.Errorf("%s:%d: %s is no mapping: %w", path, key.Line, a.heading(), dayone.ErrInvalid)
	case value.Style&yaml.FlowStyle != 0 && len(value.Content) == 0:
		line := lines[key.Line-1]
		lines[key.Line-1] = strings.Replace(line, "{}", "", 1)
		return a.after(lines, key.Line, a.stanza("  ")), nil
	case value.Style&yaml.FlowStyle != 0:
		return "", fmt.Errorf("%s:%d: %s is written in one line, into which nothing is put; write one system a line, indented: %w", path, key.Line, a.heading(), dayone.ErrInvalid)
	}
	if is, _ := child(value, a.name); is != nil {
		return "", fmt.Errorf("%s:%d: %s is there already; --name calls this one otherwise: %w", path, is.Line, a.name, dayone.ErrConflict)
	}
	first := value.Content[0]
	return a.after(lines, first.Line-1, a.stanza(strings.Repeat(" ", first.Column-1))), nil
}

// after puts text behind a line, counted from 1.
func (a *addition) after(lines []string, n int, text string) string {
	return strings.Join(lines[:n], "") + text + strings.Join(lines[n:], "")
}

// child is a key of a mapping with its value.
func child(n *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// tell says what is still to be done.
func (a *addition) tell(c *cobra.Command, path string) error {
	out := c.OutOrStdout()
	fmt.Fprintf(out, "%s stands in %s as %s.\n", a.manifest.Title, path, a.name)
	for _, name := range slices.Sorted(maps.Keys(a.given)) {
		v := a.given[name]
		if m := reference.FindStringSubmatch(v); m != nil && a.manifest.Settings[name].Type == "secret" {
			where := "the environment variable " + m[2]
			if m[1] == "file" {
				where = "the file " + m[2]
			}
			fmt.Fprintf(out, "  %s: put it into %s (%s)\n", name, where, oneLine(a.manifest.Settings[name].Help))
		}
	}
	if a.heading() == "sources" {
		_, err := fmt.Fprintln(out, "It counts when the server is started again.")
		return err
	}
	if a.manifest.Name == "manual" {
		_, err := fmt.Fprintf(out, "Start the server again, so that it counts. Then: dayone system upload %s FILE, a list of its accounts.\n", a.name)
		return err
	}
	_, err := fmt.Fprintf(out, "Then: dayone system check %s. It counts when the server is started again.\n", a.name)
	return err
}
