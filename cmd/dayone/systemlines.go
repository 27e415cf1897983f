package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// changed is the file with the settings of a system as a draft has them. Lines that stay the same are not touched; comments
// stay.
func changed(text, path string, cfg *config, d *systemDraft) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	at := "systems." + d.name + ".settings"
	block, ok := cfg.stands(at)
	byHand := func(line int) error {
		return fmt.Errorf("%s:%d is written in a way that is not changed here; change it there: %w", path, line, dayone.ErrInvalid)
	}
	was := cfg.Systems[d.name].Settings
	var fresh []string
	drop := map[int]bool{}
	for _, name := range slices.Sorted(maps.Keys(d.manifest.Settings)) {
		old, had := was[name]
		v, has := d.given[name]
		if had == has && old == v {
			continue
		}
		if !had {
			fresh = append(fresh, name)
			continue
		}
		x, stands := cfg.stands(at + "." + name)
		if !stands || x.key == nil {
			return "", byHand(block.key.Line)
		}
		n := x.value.Line
		if x.key.Line != n || block.value.Style&yaml.FlowStyle != 0 || strings.Count(x.value.Value, "\n") > 0 {
			return "", byHand(n)
		}
		if !has {
			drop[n-1] = true
			continue
		}
		comment := ""
		if c := cmp.Or(x.value.LineComment, x.key.LineComment); c != "" {
			comment = "  " + c
		}
		lines[n-1] = strings.Repeat(" ", x.key.Column-1) + name + ": " + inYAML(v) + comment + "\n"
	}
	if len(fresh) > 0 {
		if !ok || len(was) == 0 || block.value.Style&yaml.FlowStyle != 0 {
			place, _ := cfg.stands("systems." + d.name)
			if ok {
				place = block
			}
			return "", byHand(place.key.Line)
		}
		first := block.value.Content[0]
		var add strings.Builder
		for _, name := range fresh {
			fmt.Fprintf(&add, "%s%s: %s\n", strings.Repeat(" ", first.Column-1), name, inYAML(d.given[name]))
		}
		lines[first.Line-1] = add.String() + lines[first.Line-1]
	}
	var b strings.Builder
	for i, l := range lines {
		if !drop[i] {
			b.WriteString(l)
		}
	}
	if !changesOnly(b.String(), path, cfg, d) { // such as one that goes on in the next line, or that another system has by an anchor
		return "", byHand(block.key.Line)
	}
	return b.String(), nil
}

// changesOnly: a text has the settings of a draft, and else what it had.
func changesOnly(text, path string, cfg *config, d *systemDraft) bool {
	var after config
	if len(readStrict(path, text, &after).faults) > 0 {
		return false
	}
	for name, s := range cfg.Systems {
		want := s.Settings
		if name == d.name {
			want = d.given
		}
		if !maps.Equal(after.Systems[name].Settings, want) {
			return false
		}
	}
	return len(after.Systems) == len(cfg.Systems)
}

// lines are those that go and come. No page and no record repeats a secret that somebody has written into the file itself.
func (d *systemDraft) lines(path string) string {
	return difference(d.withoutSecrets(string(d.was), path), d.withoutSecrets(d.text, path))
}

// withoutSecrets blanks what stands at the place of a secret: YAML can write one in many ways.
func (d *systemDraft) withoutSecrets(text, path string) string {
	var cfg config
	places := readStrict(path, text, &cfg)
	lines := strings.SplitAfter(text, "\n")
	settings := cfg.Systems[d.name].Settings
	for name, s := range d.manifest.Settings {
		x, ok := places.at["systems."+d.name+".settings."+name]
		if s.Type != "secret" || !ok || x.key == nil || settings[name] == "" || wholeReference.MatchString(settings[name]) {
			continue
		}
		for n := x.key.Line; n <= len(lines) && n < places.after(x); n++ {
			before, _, alone := strings.Cut(lines[n-1], name+":")
			switch rest := strings.TrimSpace(lines[n-1]); {
			case rest == "" || rest[0] == '#' && n > x.value.Line:
			case n == x.key.Line && alone && strings.TrimSpace(before) == "":
				lines[n-1] = before + name + ": [secret]\n"
			default:
				lines[n-1] = "[secret]\n"
			}
		}
	}
	return strings.Join(lines, "")
}

// after is the line of what is written next behind a value.
func (s *strict) after(x stands) int {
	next := len(s.lines) + 1
	for _, y := range s.at {
		if y.key != nil && y.key.Line > x.value.Line {
			next = min(next, y.key.Line)
		}
	}
	return next
}

// difference is the lines that go and come.
func difference(was, is string) string {
	a, b := strings.Split(strings.TrimRight(was, "\n"), "\n"), strings.Split(strings.TrimRight(is, "\n"), "\n")
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out strings.Builder
	gone, come := a[head:len(a)-tail], b[head:len(b)-tail]
	for _, l := range gone {
		if !slices.Contains(come, l) {
			out.WriteString("- " + l + "\n")
		}
	}
	for _, l := range come {
		if !slices.Contains(gone, l) {
			out.WriteString("+ " + l + "\n")
		}
	}
	return out.String()
}
