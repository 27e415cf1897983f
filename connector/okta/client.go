package okta

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// user of https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
type user struct {
	ID      string    `json:"id,omitempty"`
	Status  string    `json:"status,omitempty"`
	Created time.Time `json:"created,omitzero"`
	Profile profile   `json:"profile"`
	// LastLogin is null for somebody who never signed in; where it is missing nothing is known.
	LastLogin json.RawMessage `json:"lastLogin,omitempty"`
}

// profile holds the attributes that we set; others of the organisation are left alone by partial updates.
type profile map[string]any

type group struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Profile struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"profile"`
}

type app struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

type client struct{ httpc.Client }

// classify reads {"errorCode":"E0000007","errorSummary":"...","errorCauses":[...]}: conflicts come as 400.
// https://developer.okta.com/docs/reference/error-codes/
func classify(status int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Code    string `json:"errorCode"`
		Summary string `json:"errorSummary"`
		Causes  []struct {
			Summary string `json:"errorSummary"`
		} `json:"errorCauses"`
	}
	if json.Unmarshal(body, &e) != nil || e.Code == "" {
		return "", "", nil
	}
	detail := e.Summary
	for _, c := range e.Causes {
		detail += "; " + c.Summary
	}
	switch e.Code {
	case "E0000007":
		return e.Code, detail, dayone.ErrNotFound
	case "E0000011":
		return e.Code, detail, dayone.ErrAuth
	case "E0000006", "E0000023", "E0000075":
		return e.Code, detail, dayone.ErrForbidden
	case "E0000016", "E0000038": // it is in that state already, or cannot get there from here
		return e.Code, detail, dayone.ErrConflict
	case "E0000047":
		return e.Code, detail, dayone.ErrThrottled
	case "E0000112": // still being activated
		return e.Code, detail, dayone.ErrNotYet
	case "E0000001":
		if strings.Contains(detail, "already exists") {
			return e.Code, detail, dayone.ErrConflict
		}
		return e.Code, detail, dayone.ErrInvalid
	}
	return e.Code, detail, nil
}

// getUser reads by id. https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/getUser
func (c *client) getUser(ctx context.Context, id string) (user, error) {
	var u user
	_, err := c.Do(ctx, httpc.Request{Op: "reading user", Method: "GET", Path: "/api/v1/users/" + url.PathEscape(id)}, &u)
	return u, err
}

// listUsers pages through a search or, with none, through everybody, those deprovisioned included.
func (c *client) listUsers(ctx context.Context, search string, each func(user) bool) error {
	q := httpc.Request{Op: "listing users", Method: "GET", Path: "/api/v1/users", Query: url.Values{"limit": {"200"}, "search": {search}}}
	return pages(ctx, c, q, each)
}

// pages follows Link headers; cursors are never built by hand.
func pages[T any](ctx context.Context, c *client, q httpc.Request, each func(T) bool) error {
	for later := false; ; later = true {
		var page []T
		a, err := c.Do(ctx, q, &page)
		if later {
			err = httpc.BrokeOff(err)
		}
		if err != nil {
			return err
		}
		for _, item := range page {
			if !each(item) {
				return nil
			}
		}
		next := httpc.NextLink(a.Header)
		if next == "" {
			return nil
		}
		q.Path, q.Query = next, nil
	}
}

// createUser makes a staged user: activate=true would send mail.
func (c *client) createUser(ctx context.Context, p profile, password dayone.Secret) (user, error) {
	body := map[string]any{"profile": p}
	if !password.IsZero() {
		body["credentials"] = map[string]any{"password": map[string]string{"value": password.Reveal()}}
	}
	var u user
	_, err := c.Do(ctx, httpc.Request{Op: "creating user", Method: "POST", Path: "/api/v1/users", Query: url.Values{"activate": {"false"}}, JSON: body}, &u)
	return u, err
}

// updateUser is a partial update: what is not named stays.
func (c *client) updateUser(ctx context.Context, id string, p profile) error {
	_, err := c.Do(ctx, httpc.Request{Op: "updating user", Method: "POST", Path: "/api/v1/users/" + url.PathEscape(id), JSON: map[string]any{"profile": p}}, nil)
	return err
}

// lifecycle calls activate, suspend, unsuspend, deactivate.
func (c *client) lifecycle(ctx context.Context, id, op string) error {
	q := httpc.Request{Op: op + " user", Method: "POST", Path: "/api/v1/users/" + url.PathEscape(id) + "/lifecycle/" + op}
	if op == "activate" || op == "deactivate" {
		q.Query = url.Values{"sendEmail": {"false"}}
	}
	_, err := c.Do(ctx, q, nil)
	return err
}

// deleteUser deletes a deprovisioned user; an active one is only deprovisioned by the first call.
func (c *client) deleteUser(ctx context.Context, id string) error {
	_, err := c.Do(ctx, httpc.Request{Op: "deleting user", Method: "DELETE", Path: "/api/v1/users/" + url.PathEscape(id), Query: url.Values{"sendEmail": {"false"}}}, nil)
	return err
}

func (c *client) userGroups(ctx context.Context, id string, each func(group) bool) error {
	return pages(ctx, c, httpc.Request{Op: "reading groups of user", Method: "GET", Path: "/api/v1/users/" + url.PathEscape(id) + "/groups"}, each)
}

func (c *client) listGroups(ctx context.Context, each func(group) bool) error {
	return pages(ctx, c, httpc.Request{Op: "listing groups", Method: "GET", Path: "/api/v1/groups", Query: url.Values{"limit": {"200"}}}, each)
}

// member puts a user into a group (PUT) or takes it out (DELETE); both answer 204 when it is so already.
func (c *client) member(ctx context.Context, method, group, user string) error {
	_, err := c.Do(ctx, httpc.Request{Op: "changing group member", Method: method, Path: "/api/v1/groups/" + url.PathEscape(group) + "/users/" + url.PathEscape(user)}, nil)
	return err
}

func (c *client) listApps(ctx context.Context, query url.Values, each func(app) bool) error {
	return pages(ctx, c, httpc.Request{Op: "listing applications", Method: "GET", Path: "/api/v1/apps", Query: query}, each)
}

// assign gives an application to a user. https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationUsers/
func (c *client) assign(ctx context.Context, app, user string) error {
	_, err := c.Do(ctx, httpc.Request{
		Op: "assigning application", Method: "POST", Path: "/api/v1/apps/" + url.PathEscape(app) + "/users",
		JSON: map[string]string{"id": user, "scope": "USER"},
	}, nil)
	return err
}

func (c *client) unassign(ctx context.Context, app, user string) error {
	_, err := c.Do(ctx, httpc.Request{
		Op: "unassigning application", Method: "DELETE", Path: "/api/v1/apps/" + url.PathEscape(app) + "/users/" + url.PathEscape(user),
		Query: url.Values{"sendEmail": {"false"}},
	}, nil)
	return err
}
