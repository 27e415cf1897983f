package flow

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing/fstest" // a folder in memory; it brings no tests along

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// filesInForce are the files of the policies in force, by name. The result is the caller's own.
func (f *Flow) filesInForce(ctx context.Context) (fstest.MapFS, error) {
	files := f.Files
	if f.Load != nil {
		if seq, err := f.Store.LastStage(ctx); err != nil {
			return nil, err
		} else if seq > 0 {
			if files, err = f.FilesOf(ctx, f.Active().Hash); err != nil {
				return nil, err
			}
		}
	}
	out := fstest.MapFS{}
	return out, eachCounting(files, func(name string, raw []byte) error {
		out[name] = &fstest.MapFile{Data: raw, Mode: 0o444}
		return nil
	})
}

// PolicyFiles lists what can be edited, with its text.
func (f *Flow) PolicyFiles(ctx context.Context) (map[string]string, error) {
	files, err := f.filesInForce(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, file := range files {
		out[name] = string(file.Data)
	}
	return out, nil
}

// draft is the policies in force with one file written anew. Without text the file is taken out.
func (f *Flow) draft(ctx context.Context, name, text string) (fs.FS, *policy.Set, []policy.Diagnostic, error) {
	switch {
	case f.Load == nil:
		return nil, nil, nil, fmt.Errorf("policies are fixed here: %w", dayone.ErrUnsupported)
	case !fs.ValidPath(name) || path.Ext(name) != ".yaml" || !strings.HasPrefix(name, "policies/"):
		return nil, nil, nil, fmt.Errorf("%q is no policy file; write policies/NAME.yaml: %w", name, dayone.ErrInvalid)
	}
	files, err := f.filesInForce(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if strings.TrimSpace(text) == "" {
		delete(files, name)
	} else {
		files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o444}
	}
	set, diags := f.Active().Recheck(files, Known(files))
	return files, set, slices.DeleteFunc(diags, func(d policy.Diagnostic) bool { // what is only odd elsewhere was so before
		return d.Severity == policy.Warning && d.File != name
	}), nil
}

// JudgeFile says what it would mean if a policy file read like this: its faults, and what it changes for everybody.
func (f *Flow) JudgeFile(ctx context.Context, name, text string) (Draft, error) {
	_, set, diags, err := f.draft(ctx, name, text)
	if err != nil {
		return Draft{}, err
	}
	if set == nil {
		return Draft{Diagnostics: diags}, nil
	}
	out, err := f.Judge(ctx, nil, set)
	for _, d := range out.Diagnostics {
		if d.File == name {
			diags = append(diags, d)
		}
	}
	policy.Sort(diags)
	out.Diagnostics = diags
	return out, err
}

// Propose keeps a policy file as somebody wrote it, as a version that can be planned and applied. What is in force stays.
func (f *Flow) Propose(ctx context.Context, name, text, by, note string) (dayone.PolicyVersion, error) {
	files, set, diags, err := f.draft(ctx, name, text)
	if err != nil {
		return dayone.PolicyVersion{}, err
	}
	if set == nil {
		return dayone.PolicyVersion{}, &BrokenPolicies{diags}
	}
	if set.Hash == f.Active().Hash {
		return dayone.PolicyVersion{}, fmt.Errorf("this is what is in force already: %w", dayone.ErrInvalid)
	}
	v, err := f.version(files, set, by, note)
	if err != nil {
		return v, err
	}
	return v, f.Store.SaveVersion(ctx, v)
}

// Proposals are versions that were kept and are not in force, newest first.
func (f *Flow) Proposals(ctx context.Context, limit int) ([]dayone.PolicyVersion, error) {
	if f.Load == nil {
		return nil, nil
	}
	stages, err := f.Store.Stages(ctx)
	if err != nil {
		return nil, err
	}
	all, err := f.Store.Versions(ctx, limit)
	return slices.DeleteFunc(all, func(v dayone.PolicyVersion) bool {
		return slices.ContainsFunc(stages, func(s dayone.Stage) bool { return s.Version == v.ID })
	}), err
}

// ProposalOf is a version that was kept, to be planned and applied.
func (f *Flow) ProposalOf(ctx context.Context, version string) (Proposal, dayone.PolicyVersion, error) {
	if f.Load == nil {
		return Proposal{}, dayone.PolicyVersion{}, errFixed
	}
	v, err := f.Store.Version(ctx, version)
	if err != nil {
		return Proposal{}, v, err
	}
	set, err := f.SetOf(ctx, v.ID)
	if err != nil {
		return Proposal{}, v, err
	}
	files, err := unpack(v.Files)
	return Proposal{Set: set, Files: files, Author: v.Author, Note: v.Note}, v, err
}
