package flow

import (
	"context"
	"fmt"
	"io"
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

// editable says whether a file of the folder is one that people write in the portal: policies, messages, and the sites and
// holidays by which days are counted.
func editable(name string) bool {
	switch {
	case !fs.ValidPath(name) || len(name) > 200:
		return false
	case name == "sites.yaml" || name == policy.HolidaysFile:
		return true
	case path.Dir(name) == "templates":
		return path.Ext(name) == ".txt"
	}
	return path.Ext(name) == ".yaml" && strings.HasPrefix(name, "policies/")
}

// draft is the policies in force with one file written anew. Without text the file is taken out.
func (f *Flow) draft(ctx context.Context, name, text string) (fs.FS, *policy.Set, []policy.Diagnostic, error) {
	switch {
	case f.Load == nil:
		return nil, nil, nil, fmt.Errorf("policies are fixed here: %w", dayone.ErrUnsupported)
	case !editable(name):
		return nil, nil, nil, fmt.Errorf("%q is no file that is written here; write policies/NAME.yaml, templates/NAME.txt, sites.yaml or %s: %w", name, policy.HolidaysFile, dayone.ErrInvalid)
	}
	files, err := f.filesInForce(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if strings.TrimSpace(text) == "" {
		delete(files, name)
	} else {
		files[name] = mapFile(text)
	}
	set, diags := f.Active().Recheck(files, Known(files))
	if faults := MessageFaults(files); len(faults) > 0 {
		set, diags = nil, append(diags, faults...)
		policy.Sort(diags)
	}
	return files, set, slices.DeleteFunc(diags, func(d policy.Diagnostic) bool { // what is only odd elsewhere was so before
		return d.Severity == policy.Warning && d.File != name
	}), nil
}

func mapFile(text string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(text), Mode: 0o444}
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

// Proposals are versions that were kept and never came into force, newest first.
func (f *Flow) Proposals(ctx context.Context, limit int) ([]dayone.PolicyVersion, error) {
	if f.Load == nil {
		return nil, nil
	}
	return f.Store.ProposedVersions(ctx, limit)
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

// Sent is what somebody who is not here proposes: the files of a folder, or a version that was kept, for those whom Only
// names, against other files instead of what is in force.
type Sent struct {
	Files   []byte            `json:"files"` // zip, as Pack makes it
	Version string            `json:"version"`
	Against []byte            `json:"against"` // zip; empty: what is in force
	Only    map[string]string `json:"only"`
}

// PlanSent is PlanAll for what is sent. Nothing is kept.
func (f *Flow) PlanSent(ctx context.Context, in Sent) (Everybody, error) {
	if f.Load == nil {
		return Everybody{}, errFixed
	}
	if (len(in.Files) == 0) == (in.Version == "") {
		return Everybody{}, fmt.Errorf("send the files of a policy folder or the id of a version, one of them: %w", dayone.ErrInvalid)
	}
	if err := f.reload(ctx); err != nil { // a command may have put others into force a moment ago
		return Everybody{}, err
	}
	for attr := range in.Only {
		if _, known := f.Active().Schema.Attributes[attr]; !known {
			return Everybody{}, fmt.Errorf("there is no attribute %q: %w", attr, dayone.ErrInvalid)
		}
	}
	var pr Proposal
	var err error
	if in.Version != "" {
		pr, _, err = f.ProposalOf(ctx, in.Version)
	} else {
		pr, err = f.sent(in.Files)
	}
	if err != nil {
		return Everybody{}, err
	}
	pr.Only = in.Only
	var against *policy.Set
	if len(in.Against) > 0 {
		old, err := f.sent(in.Against)
		if err != nil {
			return Everybody{}, fmt.Errorf("what it is compared with: %w", err)
		}
		against = old.Set
	}
	return f.PlanAll(ctx, pr, against, nil)
}

// maxSent is how large a folder that somebody sends may be, unpacked.
const maxSent = 64 << 20

// sent reads policies that come from elsewhere, as Pack packs them. BrokenPolicies: they have faults.
func (f *Flow) sent(files []byte) (Proposal, error) {
	zipped, err := unpack(files)
	if err != nil {
		return Proposal{}, fmt.Errorf("the files are no zip of a policy folder: %w", dayone.ErrInvalid)
	}
	folder, size := fstest.MapFS{}, 0
	err = fs.WalkDir(zipped, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !policy.Counts(name) {
			return err
		}
		file, err := zipped.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		raw, err := io.ReadAll(io.LimitReader(file, int64(maxSent-size)+1)) // whatever the zip says of its size
		if size += len(raw); size > maxSent {
			return fmt.Errorf("%s and what comes before it are larger than %d MB: %w", name, maxSent>>20, dayone.ErrInvalid)
		}
		folder[name] = &fstest.MapFile{Data: raw, Mode: 0o444}
		return err
	})
	if err != nil {
		return Proposal{}, fmt.Errorf("the zip of the policy folder does not read: %w: %w", err, dayone.ErrInvalid)
	}
	set, diags := f.read(f.Active(), folder)
	if set != nil {
		if diags = set.Unsendable(Known(folder)); len(diags) > 0 {
			set = nil
		}
	}
	if set == nil {
		return Proposal{}, &BrokenPolicies{diags}
	}
	return Proposal{Set: set, Files: folder}, nil
}
