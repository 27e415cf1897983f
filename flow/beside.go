package flow

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing/fstest" // a folder in memory; it brings no tests along

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/policy"
)

// Messages and device profiles are part of a version: what policies name decides as much as they do, and going back to
// them without it would be no way back.

// filesOf are the files beside the policies of a set.
func filesOf(set *policy.Set) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range set.Beside {
		out[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o444}
	}
	return out
}

// templates are the messages of the policies that count for somebody.
func (f *Flow) templates(p dayone.Person) message.Templates {
	if f.Load == nil {
		t := f.Templates
		t.Language = f.Language
		return t
	}
	return message.Templates{Files: filesOf(f.ActiveFor(p)), Language: f.Language}
}

// MessageFaults are those of the messages in a folder, as those of every other file.
func MessageFaults(fsys fs.FS) []policy.Diagnostic {
	var in message.Faults
	if err := (message.Templates{Files: fsys}).Check(); !errors.As(err, &in) {
		return nil
	}
	out := make([]policy.Diagnostic, 0, len(in))
	for _, x := range in {
		out = append(out, policy.Diagnostic{
			Position: policy.Position{File: x.File, Line: x.Line, Col: x.Col}, Code: "template", Message: x.Text, Hint: x.Hint, Source: x.Source, Width: x.Width,
		})
	}
	return out
}

// Known are the messages that there are with a folder, and which of them are invitations. One that cannot be put into
// words counts as whatever it is used for: what is wrong with it is said elsewhere.
func Known(fsys fs.FS) policy.Known {
	t := message.Templates{Files: fsys}
	known := policy.Known{Templates: t.Names(), Invitations: []string{}}
	for _, name := range known.Templates {
		if r, err := t.Render(name, message.View{}); err != nil || r.Header["summary"] != "" {
			known.Invitations = append(known.Invitations, name)
		}
	}
	return known
}

// InForce is the folder of what counts, as far as connectors read it: device profiles. A version that counts for some
// comes first, since a connector does not know for whom it is asked.
func (f *Flow) InForce() fs.FS { return inForceFiles{f} }

type inForceFiles struct{ f *Flow }

// Open opens the latest file of that name which counts for anybody.
func (x inForceFiles) Open(name string) (fs.File, error) {
	in := x.f.force.Load()
	for _, s := range slices.Backward(in.stages) {
		if file, err := filesOf(s.set).Open(name); err == nil {
			return file, nil
		}
	}
	return filesOf(in.base).Open(name)
}

// Glob names them all.
func (x inForceFiles) Glob(pattern string) ([]string, error) {
	in := x.f.force.Load()
	names := map[string]bool{}
	for _, set := range append([]*policy.Set{in.base}, setsOf(in.stages)...) {
		for name := range set.Beside {
			ok, err := path.Match(pattern, name)
			if err != nil {
				return nil, err
			}
			if ok {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func setsOf(stages []stageSet) []*policy.Set {
	var out []*policy.Set
	for _, s := range stages {
		out = append(out, s.set)
	}
	return out
}

// toldShift names the policies that tell other people, at other times or with other templates.
func toldShift(before, after *policy.Set) []string {
	was, is := before.Told(), after.Told()
	var out []string
	for id, text := range is {
		if was[id] != text {
			out = append(out, id)
		}
	}
	for id := range was {
		if _, still := is[id]; !still {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// besideShift says which files beside the policies differ, and which products: + new, - gone, ~ changed.
func besideShift(before, after *policy.Set) []string {
	was, is := besideTexts(before), besideTexts(after)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(is)) {
		switch text, had := was[name]; {
		case !had:
			out = append(out, "+ "+name)
		case text != is[name]:
			out = append(out, "~ "+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, has := is[name]; !has {
			out = append(out, "- "+name)
		}
	}
	return out
}

// besideTexts are the files beside the policies, and the files of products by what they hash to.
func besideTexts(set *policy.Set) map[string]string {
	out := maps.Clone(set.Beside)
	if out == nil {
		out = map[string]string{}
	}
	for name, hash := range set.Hashes {
		if strings.HasPrefix(name, "products/") {
			out[name] = hash
		}
	}
	return out
}
