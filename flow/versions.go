package flow

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// The policies that count are a version in the database, not what happens to lie in the folder. The folder, a git
// commit or the editor bring proposals; a plan for everybody shows what one would do, and applying that plan makes it
// count.

// inForce is the policies that count, for everybody and for those who are ahead.
type inForce struct {
	seq    int64 // of the latest stage
	base   *policy.Set
	stages []stageSet
}

type stageSet struct {
	dayone.Stage
	set *policy.Set
}

// Active is the policy set that events are evaluated against, for whoever no later stage names.
func (f *Flow) Active() *policy.Set { return f.force.Load().base }

// LastStage is the number of the latest stage that counts here.
func (f *Flow) LastStage() int64 { return f.force.Load().seq }

// ActiveFor is the policy set that counts for somebody.
func (f *Flow) ActiveFor(p dayone.Person) *policy.Set { return f.force.Load().of(p) }

func (in *inForce) of(p dayone.Person) *policy.Set {
	for _, s := range slices.Backward(in.stages) {
		if s.Covers(p) {
			return s.set
		}
	}
	return in.base
}

// Pack is the part of a folder that decides, as a zip.
func Pack(fsys fs.FS) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	err := eachCounting(fsys, func(name string, raw []byte) error {
		w, err := z.Create(name)
		if err != nil {
			return err
		}
		_, err = w.Write(raw)
		return err
	})
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}

// eachCounting gives the files of a folder that a version holds.
func eachCounting(fsys fs.FS, each func(name string, raw []byte) error) error {
	return eachNamed(fsys, func(name string) error {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		return each(name, raw)
	})
}

func eachNamed(fsys fs.FS, each func(name string) error) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !policy.Counts(name):
			return nil
		}
		return each(name)
	})
}

// sumOf tells two states of a folder apart, by all that a version holds of it.
func sumOf(fsys fs.FS) (out [sha256.Size]byte, err error) {
	sum := sha256.New()
	err = eachNamed(fsys, func(name string) error {
		file, err := fsys.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		fmt.Fprintf(sum, "%q\n", name)
		n, err := io.Copy(sum, file)
		fmt.Fprintf(sum, "\n%d\n", n)
		return err
	})
	sum.Sum(out[:0])
	return out, err
}

// unpack is the folder of a version.
func unpack(files []byte) (fs.FS, error) {
	z, err := zip.NewReader(bytes.NewReader(files), int64(len(files)))
	if err != nil {
		return nil, fmt.Errorf("the files of a policy version do not read: %w", err)
	}
	return z, nil
}

// FilesOf is the folder of a version.
func (f *Flow) FilesOf(ctx context.Context, version string) (fs.FS, error) {
	v, err := f.Store.Version(ctx, version)
	if err != nil {
		return nil, err
	}
	return unpack(v.Files)
}

// OpenPolicies finds out what counts. With first, what lies in the folder does if nothing ever did.
func (f *Flow) OpenPolicies(ctx context.Context, first bool) error {
	if err := f.readRetiring(ctx); err != nil {
		return err
	}
	if _, err := f.Brand(ctx); err != nil {
		return err
	}
	if f.Load == nil {
		return nil
	}
	last, err := f.Store.LastStage(ctx)
	if err != nil {
		return err
	}
	if last == 0 {
		set, diags := f.read(nil, f.Files)
		if set == nil {
			return &BrokenPolicies{diags}
		}
		if !first {
			f.force.Store(&inForce{base: set})
			return nil
		}
		v, err := f.version(f.Files, set, "", "the first policies")
		if err != nil {
			return err
		}
		err = f.Store.AddStage(ctx, v, dayone.Stage{Approver: "dayone", Reason: "the first policies", Applied: f.Clock.Now()}, 0, nil)
		if err != nil && !errors.Is(err, dayone.ErrConflict) {
			return err
		}
	}
	return f.reload(ctx)
}

// BrokenPolicies is a folder that cannot be used, and why.
type BrokenPolicies struct{ Diagnostics []policy.Diagnostic }

func (e *BrokenPolicies) Error() string {
	n := 0
	first := ""
	for _, d := range e.Diagnostics {
		if d.Severity == policy.Error {
			if n++; first == "" {
				first = fmt.Sprintf("%s: %s", d.Position, d.Message)
			}
		}
	}
	return fmt.Sprintf("the policies have %d errors, first %s; dayone policy check shows all", n, first)
}

// Unwrap gives the kind.
func (e *BrokenPolicies) Unwrap() error { return dayone.ErrInvalid }

func (f *Flow) version(fsys fs.FS, set *policy.Set, author, note string) (dayone.PolicyVersion, error) {
	files, err := Pack(fsys)
	return dayone.PolicyVersion{ID: set.Hash, Files: files, Commit: set.Commit, Author: author, Note: note, Made: f.Clock.Now()}, err
}

// reload reads what counts, if it is not what we have.
func (f *Flow) reload(ctx context.Context) error {
	if f.Load == nil {
		return nil
	}
	last, err := f.Store.LastStage(ctx)
	if err != nil || last == 0 {
		return err
	}
	if now := f.force.Load(); now != nil && now.base != nil && now.seq == last {
		return nil
	}
	stages, err := f.Store.Stages(ctx)
	if err != nil {
		return err
	}
	next := &inForce{seq: last}
	sets := map[string]*policy.Set{}
	from := 0
	for i, s := range stages {
		if len(s.Only) == 0 {
			from = i
		}
	}
	for i, s := range stages[from:] {
		set, ok := sets[s.Version]
		if !ok {
			if set, err = f.SetOf(ctx, s.Version); err != nil {
				return err
			}
			sets[s.Version] = set
		}
		if i == 0 {
			next.base = set
			continue
		}
		next.stages = append(next.stages, stageSet{s, set})
	}
	f.force.Store(next)
	f.Log.Info("policies in force", "version", short(next.base.Hash), "stage", last, "ahead", len(next.stages))
	return nil
}

func short(id string) string { return id[:min(12, len(id))] }

// SetOf is a version, ready to decide with.
func (f *Flow) SetOf(ctx context.Context, version string) (*policy.Set, error) {
	v, err := f.Store.Version(ctx, version)
	if err != nil {
		return nil, err
	}
	fsys, err := unpack(v.Files)
	if err != nil {
		return nil, err
	}
	set, diags := f.Load(fsys)
	if set == nil {
		return nil, fmt.Errorf("policy version %s: %w", short(v.ID), &BrokenPolicies{diags})
	}
	set.Commit = v.Commit
	return set, nil
}

// Folder is what lies in the policy folder now. Its set is nil if it is broken.
func (f *Flow) Folder() (*policy.Set, []policy.Diagnostic) {
	if f.Load == nil {
		return f.Active(), nil
	}
	sum, err := sumOf(f.Files)
	last := f.folder.Load()
	if err == nil && last != nil && last.sum == sum {
		return last.set, slices.Clone(last.diags)
	}
	// What is in force was mostly read from the same files: what is as it was is not read, nor kept, twice.
	before := f.Active()
	if last != nil && last.set != nil {
		before = last.set
	}
	set, diags := f.read(before, f.Files)
	if err == nil {
		if again, err := sumOf(f.Files); err == nil && again == sum { // nobody wrote meanwhile
			f.folder.Store(&folder{sum, set, diags})
		}
	}
	return set, diags
}

// folder is what lay in the policy folder.
type folder struct {
	sum   [sha256.Size]byte
	set   *policy.Set // nil: it was broken
	diags []policy.Diagnostic
}

// read reads a folder that is proposed: unlike what is in force, it must have no message that cannot be written.
func (f *Flow) read(before *policy.Set, fsys fs.FS) (set *policy.Set, diags []policy.Diagnostic) {
	if before != nil {
		set, diags = before.Reload(fsys)
	} else {
		set, diags = f.Load(fsys)
	}
	if faults := MessageFaults(fsys); len(faults) > 0 {
		diags = append(diags, faults...)
		policy.Sort(diags)
		set = nil
	}
	return set, diags
}

// Standing is how policies stand: for pages, metrics and whoever asks.
type Standing struct {
	Version string
	Stages  []dayone.Stage
	Folder  string              // version that lies in the folder; "": it is broken
	Broken  []policy.Diagnostic // why
}

// Behind says that the folder holds something that was not applied.
func (s Standing) Behind() bool { return s.Folder != s.Version }

// Policies says how policies stand.
func (f *Flow) Policies(ctx context.Context) (Standing, error) {
	out := Standing{Version: f.Active().Hash, Folder: f.Active().Hash}
	if f.Load == nil {
		return out, nil
	}
	var err error
	if out.Stages, err = f.Store.Stages(ctx); err != nil {
		return out, err
	}
	set, diags := f.Folder()
	if set == nil {
		out.Folder, out.Broken = "", diags
		return out, nil
	}
	out.Folder = set.Hash
	return out, nil
}

// SetAt is the set that counted for somebody at an instant: what a past decision is explained with.
func (f *Flow) SetAt(ctx context.Context, p dayone.Person, at time.Time) (*policy.Set, error) {
	if f.Load == nil {
		return f.Active(), nil
	}
	stages, err := f.Store.Stages(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range slices.Backward(stages) {
		if !s.Applied.After(at) && s.Covers(p) {
			return f.SetOf(ctx, s.Version)
		}
	}
	return nil, fmt.Errorf("no policies were in force at %s: %w", at.Format(time.RFC3339), dayone.ErrNotFound)
}

// Author of a proposal, where nobody says who.
func author(who string) string { return cmp.Or(strings.TrimSpace(who), "unknown") }

// WhyAt explains an entitlement of a person on any day. A past day is judged as it was then: by what was known and by the
// policies that were in force; a day to come by what is known now and by the policies of now. at zero: now.
func (f *Flow) WhyAt(ctx context.Context, id dayone.PersonID, key dayone.Key, at time.Time) (policy.Explanation, dayone.Person, error) {
	if _, err := f.Person(ctx, id); err != nil {
		return policy.Explanation{}, dayone.Person{}, err
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return policy.Explanation{}, dayone.Person{}, err
	}
	now := f.Clock.Now()
	at = cmp.Or(at, now)
	if !at.Before(now) {
		p := people.At(&t, at, now, f.Active())
		have, err := f.Store.Holdings(ctx, id, false)
		if err != nil {
			return policy.Explanation{}, p, err
		}
		holds, err := f.Store.Holds(ctx, HoldFilter{Person: id})
		if err != nil {
			return policy.Explanation{}, p, err
		}
		as, err := f.Store.Approvals(ctx, store.ApprovalFilter{Person: id, Live: true})
		if err != nil {
			return policy.Explanation{}, p, err
		}
		asked, err := f.Store.Requests(ctx, id, true)
		if err != nil {
			return policy.Explanation{}, p, err
		}
		holds = slices.DeleteFunc(holds, func(h dayone.Hold) bool { return at.After(now) && !h.Until.After(at) })
		set, held := f.ActiveFor(p), heldOf(have)
		return answers(as).agreedTo(id, withHold(set.Explain(p, policy.Context{Now: at, Held: held, Requested: set.Asked(asked), Approved: agreed(id, set, held, set.Asked(asked), as)}, key), holds, p.Status)), p, nil
	}
	p := people.At(&t, at, at, f.Active())
	set, err := f.SetAt(ctx, p, at)
	if err != nil {
		return policy.Explanation{}, p, err
	}
	p = people.At(&t, at, at, set)
	return set.Explain(p, policy.Context{Now: at}, key), p, nil
}
