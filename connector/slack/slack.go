// Package slack reaches a Slack workspace: accounts by SCIM, channels and messages by the Web API.
// https://docs.slack.dev/reference/scim-api and https://docs.slack.dev/apis/web-api
package slack

import (
	"context"
	_ "embed"
	"errors"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/scim"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Slack connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one workspace.
func New(cfg connector.Config) (connector.Connector, error) {
	c := newClient(cfg)
	paths := map[string]string{
		"login": "userName", "email": "emails", "first_name": "name.givenName", "last_name": "name.familyName", "display_name": "displayName",
		"title": "title", "department": scim.Enterprise + ":department", "employee_number": scim.Enterprise + ":employeeNumber",
	}
	if cfg.Settings["employee_number"] == "externalId" {
		paths["employee_number"] = "externalId"
	}
	unset := map[string]string{}
	if cfg.Secrets["scim_token"].IsZero() {
		for _, action := range cfg.Manifest.Account.Actions {
			unset[dayone.AccountKindName+" "+action] = "set scim_token, which takes Business+ or Enterprise"
		}
	}
	target := &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: c.check, Unset: unset,
		Accounts: accounts{scim.Accounts{Client: c.scim, Attrs: paths, Extra: extra, Finish: finish}, c},
		Kinds:    map[string]connector.Entitlements{"channel": channels{c}},
		Things:   map[string]connector.Things{"message": messages{c}},
	}
	return scim.Counted{Target: target, Client: c.scim, Title: "Slack accounts", Unit: "accounts, closed ones too", Link: "https://app.slack.com/manage"}, nil
}

type accounts struct {
	scim.Accounts
	*client
}

// guestType says what kind of guest somebody is; full members have none.
const guestType = "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User:type"

func extra(act dayone.Act) (scim.Resource, error) {
	r := scim.Resource{}
	if act.Want.Attrs["guest"].Bool() {
		r.Set(guestType, "multi")
	}
	return r, nil
}

func finish(_ context.Context, r scim.Resource, it *dayone.Item) error {
	it.Attrs["guest"] = dayone.Bool(r.Text(guestType) != "")
	return nil
}

var noHandle = regexp.MustCompile(`[^a-z0-9._-]+`)

// handle is the user name that Slack takes, made of a login or a mail address.
func handle(login string) string {
	name, _, _ := strings.Cut(strings.ToLower(login), "@")
	name = noHandle.ReplaceAllString(name, "")
	return strings.TrimRight(name[:min(len(name), 21)], "._-")
}

// Find passes over the employee number where Slack refuses to filter by it: login or mail find the account then, and the
// number on it still binds.
func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	if by == "login" {
		if value = handle(value); value == "" {
			return nil, nil
		}
	}
	items, err := a.Accounts.Find(ctx, by, value)
	if by == "employee_number" && errors.Is(err, dayone.ErrInvalid) {
		return nil, dayone.ErrUnsupported
	}
	return items, err
}

func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	want := *act.Want
	want.Attrs = want.Attrs.With(dayone.Attrs{"login": dayone.Text(handle(want.Attrs.Text("login")))})
	act.Want = &want
	return a.Accounts.Create(ctx, act)
}

func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	set := a.Values(changed)
	if guest, ok := changed["guest"]; ok {
		if !guest.Bool() {
			return &dayone.Fault{
				System: a.Client.System, Op: "updating user", Err: dayone.ErrUnsupported, Detail: "a guest becomes a full member by hand only",
				Next: "change the account type under Manage members",
			}
		}
		set[guestType] = "multi"
	}
	return a.Client.Update(ctx, scim.User, ref, set)
}

// Delete cannot be had: Slack would only deactivate.
func (a accounts) Delete(context.Context, string) error {
	return a.Client.Fault("deleting user", dayone.ErrUnsupported, "", "Slack never erases a user; disable the account")
}

type channels struct{ *client }

// Held shows no role: at Slack there is none.
func (c channels) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	in, err := c.userChannels(ctx, account)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, x := range in {
		out = append(out, dayone.Item{Key: dayone.Key{Name: "#" + x.Name}, Ref: x.ID, State: dayone.Active})
	}
	return out, nil
}

func (c channels) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		stopped := false
		err := c.listChannels(ctx, func(x channel) bool {
			stopped = !yield(dayone.Offer{Key: dayone.Key{Name: "#" + x.Name}, Ref: x.ID, Title: x.Purpose.Value}, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}

func (c channels) Add(ctx context.Context, account string, want dayone.Item) error {
	return c.inside(ctx, want.Ref, func() error { return c.invite(ctx, want.Ref, account) })
}

func (c channels) Remove(ctx context.Context, account string, is dayone.Item) error {
	err := c.inside(ctx, is.Ref, func() error { return c.kick(ctx, is.Ref, account) })
	if code(err) == "not_in_channel" { // the app is in it by now, so it is the member who is not
		return c.web.Fault("removing from channel", dayone.ErrNotFound, "not_in_channel", "")
	}
	return err
}

// inside makes the app a member of a public channel, if a call fails for want of that, and calls once more.
func (c *client) inside(ctx context.Context, channel string, call func() error) error {
	err := call()
	if code(err) != "not_in_channel" {
		return err
	}
	if err := c.join(ctx, channel); err != nil {
		return err
	}
	return call()
}

func code(err error) string {
	var f *dayone.Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

type messages struct{ *client }

// clocks may differ by so much when a message is looked for.
const clocks = time.Minute

// Look knows what the books say. When the answer to an earlier try was lost, the channels are asked; where the app may not
// read, it has to post again: twice is better than never.
func (m messages) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	switch {
	case a.Have != nil:
		is := *a.Have
		return &is, nil
	case a.Attempt <= 1 || a.Want == nil:
		return nil, nil
	}
	var is *dayone.Item
	for _, name := range a.Want.Attrs["to"].Items() {
		x, err := m.named(ctx, name)
		if err == nil {
			err = m.history(ctx, x.ID, a.Since.Add(-clocks), func(p post) bool {
				found := p.once() == a.Once
				if found {
					is = with(is, name, posted{x.ID, p.TS})
				}
				return !found
			})
		}
		if err != nil && !errors.Is(err, dayone.ErrForbidden) && !errors.Is(err, dayone.ErrNotFound) {
			return nil, err
		}
	}
	return is, nil
}

// named finds a channel by name; ErrNotFound.
func (m messages) named(ctx context.Context, name string) (channel, error) {
	var found channel
	err := m.listChannels(ctx, func(x channel) bool {
		if x.Name == strings.TrimPrefix(name, "#") {
			found = x
		}
		return found.ID == ""
	})
	if err == nil && found.ID == "" {
		err = m.refusal("looking for channel", nil, answer{Error: "channel_not_found"})
	}
	return found, err
}

// Put posts to every channel that has not got it yet.
func (m messages) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	to, text := a.Want.Attrs["to"].Items(), mrkdwn(a.Want.Attrs.Text("text"))
	if len(to) == 0 || text == "" {
		return dayone.Result{}, m.web.Fault("sending message", dayone.ErrInvalid, "", "it has no text, or goes to no channel")
	}
	now := a.Have
	for _, name := range to {
		if now != nil && slices.Contains(now.Attrs["to"].Items(), name) {
			continue
		}
		p, err := m.send(ctx, name, text, a.Once)
		if err != nil {
			return dayone.Result{}, err
		}
		now = with(now, name, p)
	}
	return dayone.Result{Now: now}, nil
}

// send posts by the channel's name; its id is looked up only if the app has to join.
func (m messages) send(ctx context.Context, name, text, once string) (posted, error) {
	p, err := m.postMessage(ctx, name, text, once)
	if code(err) != "not_in_channel" {
		return p, err
	}
	x, err := m.named(ctx, name)
	if err != nil {
		return posted{}, err
	}
	if err := m.join(ctx, x.ID); err != nil {
		return posted{}, err
	}
	return m.postMessage(ctx, x.ID, text, once)
}

// with is what is kept of a message: where it stands, never its text.
func with(is *dayone.Item, name string, p posted) *dayone.Item {
	out := dayone.Item{State: dayone.Active, Attrs: dayone.Attrs{}}
	if is != nil {
		out = *is
	}
	link := p.Channel + "/p" + strings.ReplaceAll(p.TS, ".", "") // the end of its permalink
	out.Ref = strings.TrimSpace(out.Ref + " " + link)
	out.Attrs = out.Attrs.With(dayone.Attrs{
		"to": dayone.List(append(out.Attrs["to"].Items(), name)...), "ts": dayone.List(append(out.Attrs["ts"].Items(), p.TS)...),
	})
	return &out
}

// Drop cannot be had.
func (m messages) Drop(context.Context, dayone.Act) error {
	return m.web.Fault("taking back message", dayone.ErrUnsupported, "", "a message that was read stays read")
}

// Of cannot be had: nobody tells what somebody was sent.
func (messages) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}

var (
	escape   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	linkLine = regexp.MustCompile(`^(\s*(?:[-*•] )?)(\S.*): (https?://\S+)$`)
)

// mrkdwn is plain text as Slack reads it. What people typed makes no mention and no link; a line such as
// "View the log: https://..." is one. https://docs.slack.dev/messaging/formatting-message-text
func mrkdwn(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		if m := linkLine.FindStringSubmatch(line); m != nil {
			url := strings.ReplaceAll(m[3], "|", "%7C")
			lines[i] = m[1] + "<" + escape.Replace(url) + "|" + escape.Replace(m[2]) + ">"
			continue
		}
		lines[i] = escape.Replace(line)
	}
	return strings.Join(lines, "\n")
}
