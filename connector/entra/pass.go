package entra

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// passes are temporary access passes: a code that stands in for a password on the first day.
type passes struct{ *client }

// pass as the wire has it; the code is there only in the answer that made it.
// https://learn.microsoft.com/graph/api/resources/temporaryaccesspassauthenticationmethod
type pass struct {
	ID     string `json:"id"`
	Code   string `json:"temporaryAccessPass"`
	Usable bool   `json:"isUsable"`
	Starts string `json:"startDateTime"`
	Reason string `json:"methodUsabilityReason"`
}

// live says that the pass can be used now, or once its time has come.
func (p pass) live() bool { return p.Usable || p.Reason == "NotYetValid" }

func passPath(user string) string {
	return userPath(user) + "/authentication/temporaryAccessPassMethods"
}

func (c *client) passes(ctx context.Context, user string) (out []pass, err error) {
	err = pages(ctx, c, &c.Client, httpc.Request{Op: "listing passes", Method: "GET", Path: passPath(user)}, func(p pass) bool {
		out = append(out, p)
		return true
	})
	return out, err
}

func (c *client) deletePass(ctx context.Context, user, id string) error {
	return c.call(ctx, &c.Client, httpc.Request{Op: "deleting pass", Method: "DELETE", Path: passPath(user) + "/" + url.PathEscape(id)}, nil)
}

// Look finds the pass that was made. One whose answer may have been lost counts as none: nobody could read its code.
func (p passes) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	list, err := p.passes(ctx, a.Account)
	switch {
	case errors.Is(err, dayone.ErrNotFound) && a.Want == nil:
		return nil, nil // with its account it is gone, too
	case err != nil:
		return nil, p.late(a, err)
	}
	for _, x := range list {
		if a.Have != nil && a.Have.Ref != "" && x.ID == a.Have.Ref {
			return &dayone.Item{Ref: x.ID, State: dayone.Active}, nil // also if it was used: that is what it was for
		}
		if a.Have == nil && a.Attempt <= 1 && x.live() {
			return &dayone.Item{Ref: x.ID, State: dayone.Active}, nil
		}
	}
	if a.Have != nil && a.Want != nil {
		is := *a.Have // it was used or has run out, and Graph has cleared it away: it was given all the same
		return &is, nil
	}
	return nil, nil
}

// late is "not yet" for an account that was made a moment ago.
func (p passes) late(a dayone.Act, err error) error {
	if errors.Is(err, dayone.ErrNotFound) && p.Now().Sub(a.Since) < p.lag {
		return p.Fault("making pass", dayone.ErrNotYet, "", "the account is made but not shown yet")
	}
	return err
}

// Put makes a pass; a user can have one only, so what is in the way goes first.
// https://learn.microsoft.com/graph/api/authentication-post-temporaryaccesspassmethods
func (p passes) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	const op = "making pass"
	b := map[string]any{"isUsableOnce": p.set["pass_once"] == "true"}
	if m := p.set["pass_minutes"]; m != "" {
		n, err := strconv.Atoi(m)
		if err != nil || n < 10 || n > 43200 {
			return dayone.Result{}, p.Fault(op, dayone.ErrInvalid, "", "pass_minutes is no number from 10 to 43200")
		}
		b["lifetimeInMinutes"] = n
	}
	if s := a.Want.Attrs.Text("starts"); s != "" {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return dayone.Result{}, p.Fault(op, dayone.ErrInvalid, "", "starts is no time such as 2025-01-31T07:00:00Z")
		}
		if at.After(p.Now()) {
			b["startDateTime"] = at.UTC().Format(time.RFC3339)
		}
	}
	old, err := p.passes(ctx, a.Account)
	if err != nil {
		return dayone.Result{}, p.late(a, err)
	}
	for _, x := range old {
		if err := p.deletePass(ctx, a.Account, x.ID); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return dayone.Result{}, err
		}
	}
	var made pass
	if err := p.call(ctx, &p.Client, httpc.Request{Op: op, Method: "POST", Path: passPath(a.Account), JSON: b}, &made); err != nil {
		return dayone.Result{}, p.late(a, err)
	}
	if made.ID == "" || made.Code == "" {
		return dayone.Result{}, p.Fault(op, dayone.ErrUnavailable, "", "the answer has no pass")
	}
	return dayone.Result{
		Now:     &dayone.Item{Ref: made.ID, State: dayone.Active},
		Secrets: map[string]dayone.Secret{"code": dayone.NewSecret(made.Code)},
	}, nil
}

func (p passes) Drop(ctx context.Context, a dayone.Act) error {
	if a.Have == nil {
		return nil
	}
	return p.deletePass(ctx, a.Account, a.Have.Ref)
}

// Of are passes that the subject could still use.
func (p passes) Of(ctx context.Context, s dayone.Subject) ([]dayone.Item, error) {
	if s.Ref == "" {
		return nil, dayone.ErrUnsupported
	}
	list, err := p.passes(ctx, s.Ref)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return nil, nil
	case errors.Is(err, dayone.ErrForbidden): // then none is ours; what remains of a leaver says that it is unread
		return nil, dayone.ErrUnsupported
	case err != nil:
		return nil, err
	}
	var out []dayone.Item
	for _, x := range list {
		if x.live() {
			out = append(out, dayone.Item{Ref: x.ID, State: dayone.Active})
		}
	}
	return out, nil
}
