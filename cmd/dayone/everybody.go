package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// everybody is the options of plan --all.
type everybody struct {
	all          bool
	against, rev string
	version      string
	only         []string
	out          string
	list         bool
	author, note string
}

func (o *everybody) flags(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&o.all, "all", false, "what the policy folder would change for everybody, against the policies in force")
	f.StringVar(&o.rev, "rev", "", "with --all: the policies of this git commit instead of those in the folder")
	f.StringVar(&o.version, "version", "", "with --all: a version that was applied or proposed before; going back is a plan, too")
	f.StringVar(&o.against, "against", "", "with --all: compare with this git commit instead of what is in force")
	f.StringArrayVar(&o.only, "only", nil, "with --all: only people with this attribute, such as department=IT; may be repeated")
	f.StringVar(&o.out, "out", "", "with --all: write the plan to a file that dayone apply takes")
	f.BoolVar(&o.list, "list", false, "with --all: every person by name")
	f.StringVar(&o.author, "author", "", "with --out: who proposes it (default: the author of the git commit, else you)")
	f.StringVar(&o.note, "note", "", "with --out: what it is for")
	f.Bool(offlineFlag, false, "with --all: "+offlineHelp)
}

// planFile is a plan for everybody, with the policies that it is for.
type planFile struct {
	Format int    `json:"dayone_plan"`
	Made   string `json:"made"`
	Author string `json:"author"`
	Note   string `json:"note,omitempty"`
	Commit string `json:"commit,omitempty"`
	Dirty  bool   `json:"uncommitted,omitempty"` // lies in a git folder, and is not committed
	Files  []byte `json:"files"`                 // zip
	Plan   flow.Everybody
}

const planFormat = 1

// errChanges becomes the exit code that says so.
var errChanges = errors.New("something changes")

func (o *everybody) run(c *cobra.Command, asJSON bool) error {
	s, err := look(c)
	if err != nil {
		return err
	}
	defer s.close()
	only, err := onlyOf(o.only, s.flow.Active())
	if err != nil {
		return err
	}
	pr := flow.Proposal{Only: only, Note: o.note}
	dirty := false
	dir := s.cfg.path(s.cfg.Policy)
	switch {
	case o.rev != "" && o.version != "":
		return &usageError{errors.New("--rev and --version name two proposals; choose one")}
	case o.version != "":
		if pr.Set, err = s.flow.SetOf(c.Context(), o.version); err != nil {
			return err
		}
		if pr.Files, err = s.flow.FilesOf(c.Context(), o.version); err != nil {
			return err
		}
		pr.Author = o.author
	case o.rev != "":
		commit, author, files, err := fromGit(c.Context(), dir, o.rev)
		if err != nil {
			return err
		}
		if pr.Set, err = s.read(files, dir+"@"+o.rev); err != nil {
			return err
		}
		pr.Files, pr.Set.Commit, pr.Author = files, commit, cmp.Or(o.author, author)
	default:
		pr.Files = folder(dir)
		if pr.Set, err = s.read(pr.Files, dir); err != nil {
			return err
		}
		commit, author, changed := gitState(c.Context(), dir)
		dirty = changed
		if !changed {
			pr.Set.Commit = commit
		}
		pr.Author = cmp.Or(o.author, author)
	}
	pr.Author = cmp.Or(pr.Author, whoami())
	var against *flow.Proposal
	if o.against != "" {
		_, _, files, err := fromGit(c.Context(), dir, o.against)
		if err != nil {
			return err
		}
		set, err := s.read(files, dir+"@"+o.against)
		if err != nil {
			return err
		}
		against = &flow.Proposal{Set: set, Files: files}
	}
	plan, err := s.planAll(c, pr, against)
	if err != nil {
		return err
	}
	if o.out != "" {
		if against != nil {
			return &usageError{errors.New("--out plans against what is in force; leave --against out")}
		}
		files, err := flow.Pack(pr.Files)
		if err != nil {
			return err
		}
		f := planFile{planFormat, plan.At.UTC().Format(time.RFC3339), pr.Author, o.note, pr.Set.Commit, dirty, files, plan}
		raw, err := json.MarshalIndent(f, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.out, append(raw, '\n'), 0o600); err != nil {
			return err
		}
	}
	if asJSON {
		if err := writeJSON(c.OutOrStdout(), plan); err != nil {
			return err
		}
	} else {
		printEverybody(c.OutOrStdout(), plan, o.list)
		switch {
		case o.out != "" && dirty:
			fmt.Fprintf(c.OutOrStdout(), "Written to %s. The folder has changes that are not committed; commit and plan again before you apply.\n", o.out)
		case o.out != "":
			fmt.Fprintf(c.OutOrStdout(), "Written to %s. Somebody other than %s applies it: dayone apply %s --approver NAME\n", o.out, pr.Author, o.out)
		}
	}
	if len(plan.Changes) > 0 || len(plan.Policies) > 0 || len(plan.Told) > 0 || len(plan.Files) > 0 {
		return &shownError{errChanges}
	}
	return nil
}

func (s *server) read(files fs.FS, what string) (*policy.Set, error) {
	set, diags := s.flow.Load(files)
	if set != nil { // what is proposed may name no message that cannot be sent
		if diags = append(set.Unsendable(flow.Known(files)), flow.MessageFaults(files)...); len(diags) > 0 {
			set = nil
		}
	}
	if set == nil {
		printDiagnostics(os.Stderr, diags)
		return nil, &policyError{what, diags}
	}
	return set, nil
}

func onlyOf(words []string, set *policy.Set) (map[string]string, error) {
	out := map[string]string{}
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			return nil, &usageError{fmt.Errorf("--only %s: write attribute=value, such as department=IT", w)}
		}
		a, known := set.Schema.Attributes[name]
		if !known {
			return nil, &usageError{fmt.Errorf("--only %s: there is no attribute %q; there are %s", w, name, strings.Join(set.Schema.Names(), ", "))}
		}
		if a.Closed() && !slices.Contains(a.Values, value) {
			return nil, &usageError{fmt.Errorf("--only %s: %s is one of %s", w, name, strings.Join(a.Values, ", "))}
		}
		out[name] = value
	}
	return out, nil
}

func printEverybody(w io.Writer, e flow.Everybody, list bool) {
	scope := count(e.People, "person")
	if len(e.Only) > 0 {
		var words []string
		for name, value := range e.Only {
			words = append(words, name+"="+value)
		}
		slices.Sort(words)
		scope += ", only " + strings.Join(words, " ")
	}
	fmt.Fprintf(w, "%s changed, %s looked at, in force %.12s\n\n", count(len(e.Policies), "policy"), scope, e.Active)
	for _, p := range e.Policies {
		mark := map[string]string{"added": "+", "removed": "-"}[p.Change]
		fmt.Fprintf(w, "%s %-28s %s   gives to %d -> %d   (+%d -%d)\n", cmp.Or(mark, "~"), p.ID, p.At, p.Before, p.After, p.Joins, p.Leaves)
	}
	for _, id := range e.Told {
		fmt.Fprintf(w, "~ %-28s its messages differ: who is told, when, or with which template\n", id)
	}
	for _, f := range e.Files {
		fmt.Fprintln(w, f)
	}
	if len(e.Policies)+len(e.Files) > 0 {
		fmt.Fprintln(w)
	}
	gained, lost, changed, pending := 0, 0, 0, 0
	for _, k := range e.Keys {
		gained, lost, changed, pending = gained+k.Gained, lost+k.Lost, changed+k.Changed, pending+k.Pending
		for _, x := range []struct {
			mark string
			n    int
			note string
		}{{"+", k.Gained, ""}, {"-", k.Lost, ""}, {"~", k.Changed, ""}, {"?", k.Pending, " once approved"}} {
			if x.n > 0 {
				fmt.Fprintf(w, "  %s %-44s %6s%s   %s   %s\n", x.mark, k.Key, fmt.Sprintf("%s%d", strings.TrimPrefix(x.mark, "~"), x.n), x.note, names(k.First, x.n), strings.Join(k.By, ", "))
			}
			if x.mark == "~" && x.n > 0 {
				for _, line := range e.Roles(k.Key) {
					fmt.Fprintf(w, "      %s\n", line)
				}
			}
		}
	}
	for _, s := range e.Seats {
		short := ""
		if s.Short > 0 {
			short = fmt.Sprintf(", %d short", s.Short)
		}
		fmt.Fprintf(w, "  seats %s %s: %+d, %d of %d free%s   %s\n", s.System, s.Pool, s.Needed, s.Free, s.Total, short, strings.Join(s.Keys, ", "))
	}
	cases := 0
	for _, c := range e.Changes {
		for _, s := range c.Cases {
			cases++
			fmt.Fprintf(w, "! %s: %s\n", c.Name, s)
		}
	}
	for _, b := range e.Brakes {
		fmt.Fprintf(w, "! beyond a limit: %s; apply asks for --release REASON\n", b)
	}
	for i, s := range e.Skipped {
		if i == 5 {
			fmt.Fprintf(w, "! and %s more could not be planned\n", thousands(len(e.Skipped)-i))
			break
		}
		fmt.Fprintf(w, "! not planned: %s\n", s)
	}
	if list {
		fmt.Fprintln(w)
		for _, c := range e.Changes {
			fmt.Fprintf(w, "%s (%s)\n", c.Name, c.Person)
			for mark, gs := range map[string][]flow.Given{"+": c.Gained, "-": c.Lost, "~": c.Changed, "?": c.Pending} {
				for _, g := range gs {
					role := g.Role
					if g.Was != "" {
						role = g.Was + " -> " + g.Role
					}
					fmt.Fprintf(w, "  %s %s %s\n", mark, g.Key, role)
				}
			}
		}
	}
	if len(e.Keys) > 0 || cases > 0 {
		fmt.Fprintln(w)
	}
	if gained+lost+changed+pending+cases == 0 {
		if len(e.Told) > 0 {
			fmt.Fprintf(w, "Plan: nobody's access changes; the messages of %s do.\n", strings.Join(e.Told, ", "))
			return
		}
		fmt.Fprintln(w, "Plan: nothing changes for anybody.")
		return
	}
	fmt.Fprintf(w, "Plan: %d to grant, %d to revoke, %d to change, %d to ask for, for %s.\n", gained, lost, changed, pending, count(len(e.Changes), "person"))
}

func names(first []string, n int) string {
	out := strings.Join(first, ", ")
	if n > len(first) {
		out += ", ..."
	}
	return out
}

// stranger says of an approver who was named that nobody here has that name, which is no reason to refuse: whoever may write to
// the books may name anybody, and before the first people are there it has to be so. "": somebody has it.
func (s *server) stranger(ctx context.Context, name string) (string, error) {
	if _, token := s.cfg.Portal.Tokens[name]; name == "" || token {
		return "", nil
	}
	row, err := s.flow.Mine(ctx, name)
	switch {
	case err == nil && row.Status == dayone.Left:
		return fmt.Sprintf("%s has left. The records will name them as who approved; name somebody who works here.", name), nil
	case err == nil || !errors.Is(err, dayone.ErrNotFound):
		return "", err
	}
	tokens, err := s.flow.Tokens(ctx)
	if err != nil || slices.ContainsFunc(tokens, func(t dayone.APIToken) bool { return t.Name == name }) {
		return "", err
	}
	local, err := s.store.LocalLogin(ctx)
	if err == nil && strings.EqualFold(local.Name, name) || err != nil && !errors.Is(err, dayone.ErrNotFound) {
		return "", err
	}
	return fmt.Sprintf("Nobody here is called %s. The records will name them as who approved; name the mail address of somebody who works here, or a login.", name), nil
}

func newApply() *cobra.Command {
	var approver, reason, release string
	var yes, alone bool
	c := &cobra.Command{
		Use:   "apply FILE",
		Short: "Put a plan for everybody into force, exactly as it was shown",
		Long: `Apply takes a file that plan --all --out wrote. It plans again first: if people, holdings, the catalogue or the policies in
force changed in a way that changes the plan, nothing happens and it says for whom. Then the policies of the plan are in
force, and the server brings every person concerned up to date.

Whoever approves must not be who proposed it. --approver is the mail address of somebody who works here, or a login. It proves
nothing, it stands in the records as you write it: of a name that nobody here has apply says so, and goes on. A plan that takes something from many people, or the last member from a
group, needs --release with a reason.

Where there is nobody else, --alone takes the author's own approval. It takes effect only after a notice (alone.notice in
dayone.yaml, 24h if nothing is written): until then everybody sees it in the portal, and dayone policy withdraw takes it
back. If the plan is not the same any more by then, nothing happens. The server does it; it must run.`,
		Example: `  dayone plan --all --out change.json
  dayone apply change.json --approver kim@company.com --reason "CHG-1234"
  dayone apply change.json --alone --reason "CHG-1234"`,
		Args: args(1, 1, "a plan file"),
		RunE: func(c *cobra.Command, args []string) error {
			raw, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("%s cannot be read; dayone plan --all --out %s writes one: %w", args[0], args[0], dayone.ErrNotFound)
			}
			var f planFile
			if err := json.Unmarshal(raw, &f); err != nil || f.Format != planFormat {
				return fmt.Errorf("%s is no plan for everybody; dayone plan --all --out writes one: %w", args[0], dayone.ErrInvalid)
			}
			if f.Dirty {
				return fmt.Errorf("these policies were not committed when they were planned; commit, plan again, apply that: %w", dayone.ErrForbidden)
			}
			s, err := open(c)
			if err != nil {
				return err
			}
			defer s.close()
			ask, err := s.askServer(c)
			if err != nil {
				return err
			}
			if ask != nil {
				s.flow.Planned = func(ctx context.Context, pr flow.Proposal) (flow.Everybody, error) { return ask(ctx, &pr, nil) }
			}
			z, err := zip.NewReader(bytes.NewReader(f.Files), int64(len(f.Files)))
			if err != nil {
				return fmt.Errorf("%s is damaged: %w", args[0], dayone.ErrInvalid)
			}
			set, err := s.read(z, args[0])
			if err != nil {
				return err
			}
			set.Commit = f.Commit
			out := c.OutOrStdout()
			pr := flow.Proposal{Set: set, Files: z, Only: f.Plan.Only, Author: f.Author, Note: f.Note}
			if st, is, err := s.flow.Stands(c.Context(), pr, f.Plan); err != nil || is {
				if err == nil {
					fmt.Fprintf(out, "In force already, since %s as stage %d, version %.12s. Nothing was done.\n", clockOf(st.Applied), st.Seq, st.Version)
				}
				return err
			}
			if alone {
				if a, is, err := s.flow.AlreadyAnnounced(c.Context(), pr, f.Plan); err != nil || is {
					if err == nil {
						fmt.Fprintf(out, "Announced already, by %s: version %.12s is in force from %s. It stands, and nothing was done; dayone policy withdraw %s takes it back.\n", a.Approver, a.Version, clockOf(a.Due), a.ID)
					}
					return err
				}
			}
			printEverybody(out, f.Plan, false)
			if note, err := s.stranger(c.Context(), approver); err != nil {
				return err
			} else if note != "" {
				fmt.Fprintln(out, note)
			}
			question := "Put this into force?"
			if alone {
				question = "Announce this?"
			}
			if !yes {
				if err := sure(c, question); err != nil {
					return err
				}
			}
			if alone {
				a, err := s.flow.ApplyAlone(c.Context(), pr, f.Plan, cmp.Or(approver, whoami()), reason, release)
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "Announced: version %.12s is in force from %s. The portal shows it until then; dayone policy withdraw %s takes it back.\n",
					a.Version, clockOf(a.Due), a.ID)
				return nil
			}
			st, err := s.flow.Apply(c.Context(), pr, f.Plan, cmp.Or(approver, whoami()), reason, release)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "In force since %s as stage %d, version %.12s. The server brings %s up to date; dayone plan --all --version goes back.\n",
				clockOf(st.Applied), st.Seq, st.Version, count(st.People, "person"))
			return nil
		},
	}
	c.Flags().StringVar(&approver, "approver", "", "who approves (default: you)")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().StringVar(&release, "release", "", "why a limit may be passed")
	c.Flags().BoolVar(&alone, "alone", false, "the author approves it; it takes effect after a notice")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.Flags().Bool(offlineFlag, false, offlineHelp)
	return c
}

// sure asks, and is an error unless somebody wrote yes: where nobody can be asked, --yes has to say it.
func sure(c *cobra.Command, question string) error {
	if !isTerminal(c.InOrStdin()) {
		return &usageError{errors.New("nobody can be asked here, so nothing was done; add --yes to do it")}
	}
	fmt.Fprintf(c.OutOrStdout(), "%s Write yes: ", question)
	var answer string
	if _, _ = fmt.Fscanln(c.InOrStdin(), &answer); answer != "yes" {
		return fmt.Errorf("nothing was done: the answer was not yes: %w", dayone.ErrForbidden)
	}
	return nil
}

func whoami() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// git runs a git command in a folder. The environment of hooks is left out.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "GIT_DIR=") || strings.HasPrefix(s, "GIT_INDEX_FILE=")
	})
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %s: %w", args[0], cmp.Or(strings.TrimSpace(errs.String()), err.Error()), dayone.ErrNotFound)
	}
	return out, nil
}

// gitState says of which commit a folder is and whether it was changed since; empty if it is not kept in git.
func gitState(ctx context.Context, dir string) (commit, author string, changed bool) {
	head, err := git(ctx, dir, "log", "-1", "--format=%H %ae", "--", ".")
	if err != nil || len(head) == 0 {
		return "", "", false
	}
	commit, author, _ = strings.Cut(strings.TrimSpace(string(head)), " ")
	dirt, err := git(ctx, dir, "status", "--porcelain", "--", ".")
	return commit, author, err != nil || len(dirt) > 0
}

// fromGit is the folder as it was in a commit.
func fromGit(ctx context.Context, dir, rev string) (commit, author string, files fs.FS, err error) {
	head, err := git(ctx, dir, "log", "-1", "--format=%H %ae", "--end-of-options", rev)
	if err != nil {
		return "", "", nil, err
	}
	commit, author, _ = strings.Cut(strings.TrimSpace(string(head)), " ")
	prefix, err := git(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return "", "", nil, err
	}
	top, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", "", nil, err
	}
	raw, err := git(ctx, strings.TrimSpace(string(top)), "archive", "--format=tar", commit+":"+strings.TrimSuffix(strings.TrimSpace(string(prefix)), "/"))
	if err != nil {
		return "", "", nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for t := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", "", nil, err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		w, err := z.Create(filepath.ToSlash(h.Name))
		if err != nil {
			return "", "", nil, err
		}
		if _, err := io.Copy(w, t); err != nil {
			return "", "", nil, err
		}
	}
	if err := z.Close(); err != nil {
		return "", "", nil, err
	}
	files, err = zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	return commit, author, files, err
}
