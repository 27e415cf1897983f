package gitlab

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
	"github.com/dayone-hq/dayone/connector/scim"
)

// client has two doors: SCIM for accounts, REST for what they are and hold. Each has its own token.
type client struct {
	scim *scim.Client
	rest httpc.Client
	top  string // path of the top-level group
}

// quirks of https://docs.gitlab.com/development/internal_api/#group-scim-api: active is text, and the only filters are eq on
// id, externalId and userName, where a mail address is understood as well.
var quirks = scim.Quirks{ActiveText: true, Page: 100, NoCreated: true, Filters: map[string]string{"emails": "userName"}}

func newClient(cfg connector.Config) *client {
	base := strings.TrimSuffix(cfg.Settings["url"], "/")
	c := &client{top: strings.Trim(cfg.Settings["group"], "/")}
	c.scim = scim.NewClient(cfg, base+"/api/scim/v2/groups/"+url.PathEscape(c.top), httpc.Bearer("Bearer", cfg.Secrets["scim_token"]), quirks)
	c.scim.Classify = classifySCIM
	token := cfg.Secrets["token"]
	c.rest = httpc.Client{
		System: cfg.System, Base: base + "/api/v4", HTTP: cfg.HTTP, Now: cfg.Now, Classify: classify,
		Auth: func(_ context.Context, r *http.Request) error {
			r.Header.Set("PRIVATE-TOKEN", token.Reveal())
			return nil
		},
	}
	return c
}

// classifySCIM: 412 is a collision with an account that the group does not manage, or no longer does.
// https://docs.gitlab.com/user/group/saml_sso/troubleshooting_scim/
func classifySCIM(status int, header http.Header, body []byte) (string, string, error) {
	code, detail, kind := scim.Classify(status, header, body)
	if status == http.StatusPreconditionFailed {
		kind = dayone.ErrConflict
	}
	return code, detail, kind
}

// classify reads {"message":"..."}, {"message":{"field":["..."]}}, {"error":"...","error_description":"..."} and plain text.
// There are no codes, so two cases that the status does not tell apart are known by their words.
// https://docs.gitlab.com/api/rest/troubleshooting/
func classify(status int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Message     any    `json:"message"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &e) != nil {
		if status == http.StatusTooManyRequests {
			return "", string(body), nil // "Retry later"
		}
		return "", "", nil
	}
	detail := words(e.Message)
	if detail == "" {
		detail = strings.TrimSpace(e.Error + " " + e.Description)
	}
	switch {
	case strings.Contains(detail, "not linked to a SAML account"):
		return "", detail, dayone.ErrNotYet
	case strings.Contains(detail, "available seats"):
		return "", detail, dayone.ErrNoSeat
	}
	return e.Error, detail, nil
}

func words(message any) string {
	switch m := message.(type) {
	case string:
		return m
	case []any:
		var out []string
		for _, e := range m {
			out = append(out, words(e))
		}
		return strings.Join(out, ", ")
	case map[string]any:
		var out []string
		for _, k := range slices.Sorted(maps.Keys(m)) {
			out = append(out, k+" "+words(m[k]))
		}
		return strings.Join(out, "; ")
	}
	return ""
}

// samlUser is a user whom SAML has linked to the group. https://docs.gitlab.com/api/groups/#list-all-saml-users
type samlUser struct {
	ID         int        `json:"id"`
	Username   string     `json:"username"`
	Email      string     `json:"email"`
	LastSignIn *time.Time `json:"last_sign_in_at"`
	Identities []identity `json:"identities"`
}

type identity struct {
	Provider  string `json:"provider"`
	ExternUID string `json:"extern_uid"`
}

// linked says whether SAML knows the user by this external id.
func (u samlUser) linked(uid string) bool {
	return slices.ContainsFunc(u.Identities, func(i identity) bool { return i.Provider == "group_saml" && i.ExternUID == uid })
}

// samlUsers pages through those that match; query may be empty.
func (c *client) samlUsers(ctx context.Context, query url.Values) ([]samlUser, error) {
	return pages[samlUser](ctx, c, "listing SAML users", "/groups/"+url.PathEscape(c.top)+"/saml_users", query)
}

type group struct {
	ID       int    `json:"id"`
	FullPath string `json:"full_path"`
	FullName string `json:"full_name"`
}

// subgroups are all groups below the top-level one. https://docs.gitlab.com/api/groups/#list-descendant-groups
func (c *client) subgroups(ctx context.Context) ([]group, error) {
	return pages[group](ctx, c, "listing groups", "/groups/"+url.PathEscape(c.top)+"/descendant_groups", nil)
}

// pages follows X-Next-Page. https://docs.gitlab.com/api/rest/#pagination
func pages[T any](ctx context.Context, c *client, op, path string, query url.Values) ([]T, error) {
	q := url.Values{"per_page": {"100"}}
	maps.Copy(q, query)
	var out []T
	for next := "1"; next != ""; {
		q.Set("page", next)
		var page []T
		a, err := c.rest.Do(ctx, httpc.Request{Op: op, Method: "GET", Path: path, Query: q}, &page)
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		next = a.Header.Get("X-Next-Page")
	}
	return out, nil
}

// userID is the number that memberships need. https://docs.gitlab.com/api/scim/#get-a-single-scim-identity
func (c *client) userID(ctx context.Context, uid string) (int, error) {
	var i struct {
		UserID int `json:"user_id"`
	}
	_, err := c.rest.Do(ctx, httpc.Request{Op: "reading SCIM identity", Method: "GET", Path: "/groups/" + url.PathEscape(c.top) + "/scim/" + url.PathEscape(uid)}, &i)
	return i.UserID, err
}

func memberPath(group string, user int) string {
	return "/groups/" + url.PathEscape(group) + "/members/" + strconv.Itoa(user)
}

// member is the access level of a direct member; ErrNotFound. https://docs.gitlab.com/api/members/
func (c *client) member(ctx context.Context, group string, user int) (int, error) {
	var m struct {
		Level int `json:"access_level"`
	}
	_, err := c.rest.Do(ctx, httpc.Request{Op: "reading member", Method: "GET", Path: memberPath(group, user)}, &m)
	return m.Level, err
}

func (c *client) addMember(ctx context.Context, group string, user, level int) error {
	_, err := c.rest.Do(ctx, httpc.Request{
		Op: "adding member", Method: "POST", Path: "/groups/" + url.PathEscape(group) + "/members",
		JSON: map[string]int{"user_id": user, "access_level": level},
	}, nil)
	return err
}

func (c *client) editMember(ctx context.Context, group string, user, level int) error {
	_, err := c.rest.Do(ctx, httpc.Request{Op: "changing member", Method: "PUT", Path: memberPath(group, user), JSON: map[string]int{"access_level": level}}, nil)
	return err
}

// removeMember leaves direct memberships in groups below, which are grants of their own.
func (c *client) removeMember(ctx context.Context, group string, user int) error {
	_, err := c.rest.Do(ctx, httpc.Request{Op: "removing member", Method: "DELETE", Path: memberPath(group, user), Query: url.Values{"skip_subresources": {"true"}}}, nil)
	return err
}

// levels of access. https://docs.gitlab.com/api/members/#roles
var levels = map[string]int{"minimal": 5, "guest": 10, "planner": 15, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}

func role(level int) string {
	for name, l := range levels {
		if l == level {
			return name
		}
	}
	return fmt.Sprintf("level %d", level)
}
