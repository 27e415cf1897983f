package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/people"
)

// Messages as they would read, before anybody gets one.

// Rendered is a message in words.
type Rendered = message.Rendered

// MessageTemplate is a template of the policies in force.
type MessageTemplate struct {
	Name   string
	File   string // in the policy folder
	Text   string
	Own    bool     // the company wrote it; else it is built in
	Invite bool     // it is an invitation
	UsedBy []string // ids of policies that send it
}

// MessageTemplates are all there are, by name.
func (f *Flow) MessageTemplates(ctx context.Context) ([]MessageTemplate, error) {
	files, err := f.filesInForce(ctx)
	if err != nil {
		return nil, err
	}
	t := message.Templates{Files: files, Language: f.Language}
	known := Known(files)
	used := map[string][]string{}
	for _, p := range f.Active().Policies {
		for _, n := range p.Notices {
			if !slices.Contains(used[n.Template], p.ID) {
				used[n.Template] = append(used[n.Template], p.ID)
			}
		}
	}
	var out []MessageTemplate
	for _, name := range slices.Sorted(slices.Values(slices.Concat(t.Names(), t.Variants()))) {
		text, err := t.Text(name)
		if err != nil {
			return nil, err
		}
		out = append(out, MessageTemplate{
			Name: name, File: "templates/" + name + ".txt", Text: text, Own: t.Own(name), Invite: slices.Contains(known.Invitations, name), UsedBy: used[message.Base(name)],
		})
	}
	return out, nil
}

// MessageTemplate is one of them. ErrNotFound.
func (f *Flow) MessageTemplate(ctx context.Context, name string) (MessageTemplate, error) {
	list, err := f.MessageTemplates(ctx)
	if err != nil {
		return MessageTemplate{}, err
	}
	var names []string
	for _, t := range list {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return MessageTemplate{}, fmt.Errorf("there is no template %q; there are %s: %w", name, strings.Join(names, ", "), dayone.ErrNotFound)
}

// PreviewMessage puts a template into words for a person, or for somebody made up. text is what it says then; "": what is in
// force. No link in it opens anything.
func (f *Flow) PreviewMessage(ctx context.Context, name, text string, id dayone.PersonID) (message.Rendered, error) {
	files, err := f.filesInForce(ctx)
	if err != nil {
		return message.Rendered{}, err
	}
	if text != "" {
		files["templates/"+name+".txt"] = mapFile(text)
	}
	v := message.Sample()
	v.Now, v.Company = f.Clock.Now(), f.CompanyName(ctx)
	if id != "" {
		if err := f.previewOf(ctx, id, &v); err != nil {
			return message.Rendered{}, err
		}
	}
	v.Language = f.Language
	v.Site = f.helpFacts(ctx, v.Site)
	v.Links = message.Links{
		Log: f.Base + "/runs/...", Report: f.Base + "/runs/...#report", Progress: f.Base + "/progress/...", Portal: f.Base,
		Secrets: []message.Secret{{Title: "Okta: first password", URL: f.Base + "/secret/...", From: v.Start.Add(f.OpensAt)}},
	}
	r, err := message.Templates{Files: files, Language: f.Language}.Render(name, v)
	if err == nil && r.Header["summary"] == "" {
		r.Text = f.underMail(ctx, r.Text)
	}
	return r, err
}

// previewOf puts a person into a view in place of the one made up, and what her last run did, if she had one.
func (f *Flow) previewOf(ctx context.Context, id dayone.PersonID, v *message.View) error {
	row, err := f.Person(ctx, id)
	if err != nil {
		return err
	}
	t, err := f.Timeline(ctx, id)
	if err != nil {
		return err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	zone, _ := p.Location()
	v.Person, v.Now, v.Site, v.Laptop = human(row, p), now.In(zone), p.Site.Facts, nil
	v.Start = p.Start.In(zone)
	if p.Start.IsZero() {
		v.Start = now.In(zone)
	}
	v.LastDay = time.Time{}
	if !p.End.IsZero() {
		v.LastDay = p.End.Add(-time.Second).In(zone)
	}
	if v.Manager, err = f.known(ctx, p.Attrs.Text("manager")); err != nil {
		return err
	}
	if v.Buddy, err = f.known(ctx, p.Attrs.Text("buddy")); err != nil {
		return err
	}
	runs, err := f.Store.Runs(ctx, RunFilter{Person: id, Limit: 1})
	if err != nil || len(runs) == 0 {
		return err
	}
	run, err := f.Store.Run(ctx, runs[0].ID)
	if err != nil {
		return err
	}
	v.Laptop, v.Run = laptopOf(run, p), f.summary(run)
	return nil
}
