package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"unicode"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// remindTasks gives tasks that nobody has to whoever gets them, and tells those who have one that it waits: when it is
// due, or after a working day, and every third one from then on.
func (f *Flow) remindTasks(ctx context.Context) error {
	for {
		now := f.Clock.Now()
		due, err := f.Store.TasksToRemind(ctx, now, 100)
		if err != nil || len(due) == 0 {
			return err
		}
		down := false
		for _, t := range due {
			if !t.Remind.IsZero() && !down {
				if err := f.sayTask(ctx, t); err != nil {
					if ctx.Err() != nil {
						return ctx.Err()
					}
					f.Log.Warn("a message about a task waits", "task", t.ID, "error", err)
					down = comesBack(err)
				}
			}
			if _, err := f.Store.ChangeTask(ctx, t.ID, func(is *dayone.Task) error {
				site := f.Active().Sites[""]
				switch {
				case !is.Remind.Equal(t.Remind): // somebody was given it meanwhile
				case is.Remind.IsZero():
					is.Assignee = cmp.Or(is.Assignee, f.Asking.Owners[is.System], f.Asking.Tasks)
					if is.Remind = f.workdays(is.Opened, cmp.Or(f.Asking.RemindAfter, 1), site); is.Due.After(is.Remind) {
						is.Remind = is.Due
					}
				case down:
					is.Remind = now.Add(mailAgain)
				default:
					if f.Mails() { // else only the portal shows it
						is.Reminded = now
					}
					is.Remind = f.workdays(now, cmp.Or(f.Asking.EscalateAfter, 3), site)
				}
				return nil
			}); err != nil && !errors.Is(err, dayone.ErrConflict) {
				return err
			}
		}
	}
}

func (f *Flow) sayTask(ctx context.Context, t dayone.Task) error {
	v, err := f.viewOf(ctx, t.Person)
	if err != nil {
		return err
	}
	zone, _ := f.Active().Sites[""].Location()
	v.Task = &message.Task{
		Title: t.Title, Since: t.Opened.In(zone), Proof: t.Proof, Link: f.Base + "/tasks/" + string(t.ID), Late: !t.Due.IsZero() && !f.Clock.Now().Before(t.Due),
	}
	if !t.Due.IsZero() {
		v.Task.Due = t.Due.In(zone)
	}
	to, err := f.addresses(ctx, t.Assignee)
	if err != nil {
		return err
	}
	for _, one := range to {
		if err := f.mail(ctx, dayone.Person{}, "task", fmt.Sprintf("task.%s.%d", t.ID, t.Remind.Unix()), one, v); err != nil {
			return err
		}
	}
	return nil
}

// addresses of a mail address or of group:NAME.
func (f *Flow) addresses(ctx context.Context, who string) ([]string, error) {
	group, ok := strings.CutPrefix(who, "group:")
	switch {
	case who == "":
		return nil, nil
	case !ok:
		return []string{who}, nil
	}
	d := &directory{Flow: f, ctx: ctx}
	return d.Members(group), d.err
}

// Mails says that a mail system is configured: else nobody is told of anything, and the portal alone shows it.
func (f *Flow) Mails() bool { return f.Systems[f.Mail] != nil }

// Unheard says why nobody will hear of a task that is given to who; "": somebody will. Nothing speaks against it: whoever it
// is may look at the portal.
func (f *Flow) Unheard(ctx context.Context, who string) (string, error) {
	group, isGroup := strings.CutPrefix(who, "group:")
	switch {
	case who == "":
		return "", nil
	case isGroup:
		to, err := f.addresses(ctx, who)
		if err == nil && len(to) == 0 {
			return fmt.Sprintf("nobody is in %q, so nobody hears of it; name its members under approvals.groups, or another group", group), nil
		}
		if err != nil {
			return "", err
		}
	default:
		if _, err := f.Named(ctx, who); errors.Is(err, dayone.ErrNotFound) {
			return fmt.Sprintf("nobody here has the address %q, so maybe nobody hears of it; check how it is written", who), nil
		} else if err != nil && !errors.Is(err, dayone.ErrConflict) {
			return "", err
		}
	}
	if !f.Mails() {
		return "no mail system is configured, so nobody is told; the portal shows it", nil
	}
	return "", nil
}

// CompleteTask closes a task with what it asked for. who is the id of the task, by the user who did it.
func (f *Flow) CompleteTask(ctx context.Context, who, by string, attrs dayone.Attrs) (dayone.Task, error) {
	t, err := f.Store.Task(ctx, who)
	if err != nil {
		return t, err
	}
	if !t.Closed.IsZero() {
		return t, f.complete(ctx, t, by, attrs)
	}
	for name := range attrs {
		if !slices.Contains(t.Ask, name) && name != "ref" && name != "note" && name != dayone.Evidence {
			return t, fmt.Errorf("this task does not ask for %q; it asks for %s: %w", name, strings.Join(t.Ask, ", "), dayone.ErrInvalid)
		}
	}
	for _, name := range t.Ask {
		if attrs.Text(name) == "" {
			return t, fmt.Errorf("this task asks for %q; write it down to complete it: %w", name, dayone.ErrInvalid)
		}
	}
	for name, v := range attrs {
		if why := people.Unprintable(v.Text, name == "note" || name == dayone.Evidence); why != nil {
			return t, fmt.Errorf("%q: %w: %w", name, why, dayone.ErrInvalid)
		}
	}
	if err := mayAdopt(ctx, t, attrs); err != nil {
		return t, err
	}
	if err := f.maySettle(ctx, t); err != nil {
		return t, err
	}
	switch proof := strings.TrimSpace(attrs.Text(dayone.Evidence)); {
	case t.Proof && proof == "":
		return t, fmt.Errorf("this task is done when somebody shows that it is; give %q, a sentence or a link: %w", dayone.Evidence, dayone.ErrInvalid)
	case len(proof) > 4000:
		return t, fmt.Errorf("%q is longer than 4000 characters; keep it elsewhere and give a link: %w", dayone.Evidence, dayone.ErrInvalid)
	}
	evidence, err := f.readBack(ctx, t, attrs)
	if err != nil {
		return t, err
	}
	if evidence != "" && evidence != attrs.Text("note") {
		attrs = attrs.With(dayone.Attrs{"note": dayone.Text(strings.TrimPrefix(attrs.Text("note")+"; "+evidence, "; "))})
	}
	return t, f.complete(ctx, t, by, attrs)
}

// mayAdopt lets whoever is asked say only whether the account that was found is this person's. Another one, which nobody has
// looked at, is for those who run systems to name: it would be changed to hers, and be closed with hers.
func mayAdopt(ctx context.Context, t dayone.Task, attrs dayone.Attrs) error {
	v, asked := ctx.Value(viewerKey{}).(dayone.Viewer)
	id := cmp.Or(attrs.Text("adopt"), attrs.Text("ref"))
	if !slices.Contains(t.Ask, "adopt") || !asked || v.Role == dayone.Administrator || v.Role == dayone.Operator || id == engine.Adoptable(t.Note) {
		return nil
	}
	return fmt.Errorf("you can say that the account that was found is theirs; another one is for an operator or an administrator to name: %w", dayone.ErrForbidden)
}

// maySettle keeps what a task decides for those who may decide it elsewhere, too: holds, reviews and new names are for operators,
// and for whoever is asked.
func (f *Flow) maySettle(ctx context.Context, t dayone.Task) error {
	v, asked := ctx.Value(viewerKey{}).(dayone.Viewer)
	decides := slices.ContainsFunc([]string{holdTask, reviewTask, renameTask}, func(what string) bool { return strings.HasPrefix(t.Once, what) })
	if !decides || !asked || v.Role == dayone.Administrator || v.Role == dayone.Operator {
		return nil
	}
	hers, err := f.HasTask(ctx, t, v.Login)
	if err == nil && !hers {
		err = fmt.Errorf("this is for whoever has the task, an operator or an administrator to decide: %w", dayone.ErrForbidden)
	}
	return err
}

func (f *Flow) complete(ctx context.Context, t dayone.Task, by string, attrs dayone.Attrs) error {
	if !t.Closed.IsZero() {
		return fmt.Errorf("this task was closed by %s: %w", cmp.Or(t.By, "the run"), dayone.ErrConflict)
	}
	if hold, ok := strings.CutPrefix(t.Once, holdTask); ok {
		return f.decideHold(ctx, dayone.HoldID(hold), by, attrs)
	}
	if strings.HasPrefix(t.Once, reviewTask) {
		return f.decideReview(ctx, t, by, attrs)
	}
	if strings.HasPrefix(t.Once, renameTask) {
		return f.decideRename(ctx, t, by, attrs)
	}
	if strings.HasPrefix(t.Once, store.SecondTask) {
		if err := f.secondDone(ctx, t); err != nil {
			return err
		}
	}
	if t.Step != "" {
		return f.Engine.Decide(ctx, t.Run, t.Step, engine.Human{By: by, Verb: engine.Complete, Attrs: attrs, Reason: attrs.Text("note")})
	}
	now := f.Clock.Now()
	_, err := f.Store.ChangeTask(ctx, t.ID, func(t *dayone.Task) error {
		t.Closed, t.By, t.Attrs, t.Evidence = now, by, attrs, attrs.Text(dayone.Evidence)
		return nil
	}, dayone.Record{At: now, Person: t.Person, Run: t.Run, What: "issue closed", By: by, Detail: &dayone.Detail{Note: attrs.Text("note")}})
	return err
}

// Assign gives a task to somebody, by mail address, or to group:NAME; "": to nobody.
func (f *Flow) Assign(ctx context.Context, id, who, by string) (dayone.Task, error) {
	t, err := f.Store.Task(ctx, id)
	if err != nil {
		return t, err
	}
	who = strings.TrimSpace(who)
	word, name, isGroup := strings.Cut(who, ":")
	if isGroup = isGroup && strings.EqualFold(word, "group"); isGroup {
		who = "group:" + name // a name is as it is written
	} else {
		who = strings.ToLower(who)
	}
	if who != "" && (isGroup && name == "" || !isGroup && !isMail(who) || len(who) > 320) {
		return t, fmt.Errorf("write a mail address, or group:NAME: %w", dayone.ErrInvalid)
	}
	now := f.Clock.Now()
	t, err = f.Store.ChangeTask(ctx, t.ID, func(t *dayone.Task) error {
		if t.Assignee != who && who != "" {
			t.Remind = now // she hears of it at once
		}
		t.Assignee = who
		return nil
	}, dayone.Record{At: now, Person: t.Person, Run: t.Run, Step: t.Step, What: "task assigned", By: by})
	f.look()
	return t, err
}

// isMail says whether a text is one mail address and nothing else.
func isMail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && strings.EqualFold(a.Address, s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// ReportIssue opens a task about a run, for whoever gets tasks.
func (f *Flow) ReportIssue(ctx context.Context, run dayone.RunID, text, by string) (dayone.Task, error) {
	r, err := f.Store.Run(ctx, run)
	if err != nil {
		return dayone.Task{}, err
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return dayone.Task{}, fmt.Errorf("say what is wrong: %w", dayone.ErrInvalid)
	case len(text) > 4000:
		return dayone.Task{}, fmt.Errorf("this is longer than 4000 characters; say it shorter: %w", dayone.ErrInvalid)
	}
	now := f.Clock.Now()
	t := dayone.Task{
		ID: dayone.TaskID(f.IDs.New("tsk")), Person: r.Person, Run: r.ID, Title: fmt.Sprintf("Issue: %s", r.Title), Note: text, Opened: now, Due: f.workdays(now, 2, f.Active().Sites[""]),
	}
	t.Once = string(t.ID)
	err = f.Store.OpenTask(ctx, t, dayone.Record{At: now, Person: r.Person, Run: r.ID, What: "issue reported", By: by, Detail: &dayone.Detail{Note: text}})
	f.look()
	return t, err
}
