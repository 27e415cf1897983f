package atlassian

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
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
)

// client has two of the three doors; the directory's is SCIM's client.
type client struct {
	system          string
	site, org       httpc.Client
	hasSite, hasOrg bool
	orgID, orgDir   string
}

// Where an operation was refused: it says who has to do what.
const (
	atSite = " at the site"
	atOrg  = " at the organization"
)

func newClient(cfg connector.Config) (*client, error) {
	set := cfg.Settings
	c := &client{system: cfg.System, orgID: set["organization"], orgDir: set["organization_directory"]}
	door := httpc.Client{System: cfg.System, HTTP: cfg.HTTP, Now: cfg.Now, Classify: classify}
	c.org, c.site = door, door
	c.org.Base, c.site.Base = strings.TrimSuffix(set["url"], "/"), strings.TrimSuffix(set["site"], "/")
	key, token := cfg.Secrets["organization_key"], cfg.Secrets["site_token"]
	c.hasOrg, c.hasSite = !key.IsZero(), !token.IsZero()
	c.org.Auth = httpc.Bearer("Bearer", key)
	c.site.Auth = func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth(set["site_user"], token.Reveal())
		return nil
	}
	switch {
	case c.hasOrg && c.orgID == "":
		return nil, fmt.Errorf("organization_key needs organization: %w", dayone.ErrInvalid)
	case c.hasSite && (set["site"] == "" || set["site_user"] == ""):
		return nil, fmt.Errorf("site_token needs site and site_user: %w", dayone.ErrInvalid)
	case set["accounts"] == "scim" && (set["directory"] == "" || cfg.Secrets["scim_token"].IsZero()):
		return nil, fmt.Errorf("accounts by scim need directory and scim_token: %w", dayone.ErrInvalid)
	case set["accounts"] == "site" && !c.hasSite:
		return nil, fmt.Errorf("accounts of a site need site, site_user and site_token: %w", dayone.ErrInvalid)
	}
	return c, nil
}

// classify reads Jira's {"errorMessages":["..."],"errors":{"field":".."}}, the organization's {"key":"forbidden.action"} or
// {"code":"..","message":".."} and the {"error":"..","traceId":".."} of the gate before them.
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/#status-codes
func classify(status int, header http.Header, body []byte) (code, detail string, kind error) {
	if status == http.StatusTooManyRequests && header.Get("Retry-After") == "" {
		// Jira's reset is a date, which nobody else's is. https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
		for _, form := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
			if at, err := time.Parse(form, header.Get("X-Ratelimit-Reset")); err == nil {
				header.Set("Retry-After", at.UTC().Format(http.TimeFormat))
			}
		}
	}
	var e struct {
		Messages []string          `json:"errorMessages"`
		Fields   map[string]string `json:"errors"`
		Key      string            `json:"key"`
		Code     any               `json:"code"`
		Message  string            `json:"message"`
		Error    string            `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil {
		return "", "", nil
	}
	words := append(slices.Clone(e.Messages), e.Message, e.Error)
	for _, f := range slices.Sorted(maps.Keys(e.Fields)) {
		words = append(words, f+": "+e.Fields[f])
	}
	code, detail = e.Key, strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), "; ")
	if s, ok := e.Code.(string); ok {
		code = cmp.Or(code, s)
	}
	said := strings.ToLower(detail)
	switch {
	case status == http.StatusBadRequest && strings.Contains(said, "already a member"):
		return code, detail, dayone.ErrConflict
	case status == http.StatusBadRequest && (strings.Contains(said, "licen") || strings.Contains(said, "user limit")):
		return code, detail, dayone.ErrNoSeat
	}
	return code, detail, nil
}

// onSite makes one call of Jira's. https://developer.atlassian.com/cloud/jira/platform/rest/v3/
func (c *client) onSite(ctx context.Context, op, method, path string, query url.Values, in, out any) error {
	_, err := c.site.Do(ctx, httpc.Request{Op: op + atSite, Method: method, Path: "/rest/api/3" + path, Query: query, JSON: in}, out)
	return err
}

// mayAdminister says whether our user has the rights that we need.
func (c *client) mayAdminister(ctx context.Context) error {
	const op = "reading our rights"
	var a struct {
		Permissions map[string]struct {
			Have bool `json:"havePermission"`
		} `json:"permissions"`
	}
	if err := c.onSite(ctx, op, "GET", "/mypermissions", url.Values{"permissions": {"ADMINISTER,USER_PICKER"}}, nil, &a); err != nil {
		return err
	}
	for _, p := range []string{"ADMINISTER", "USER_PICKER"} {
		if !a.Permissions[p].Have {
			return c.site.Fault(op+atSite, dayone.ErrForbidden, p, "our user has not the global permission "+p)
		}
	}
	return nil
}

// siteUser is a user of Jira's.
type siteUser struct {
	ID     string `json:"accountId"`
	Type   string `json:"accountType"` // atlassian, app or customer
	Email  string `json:"emailAddress"`
	Name   string `json:"displayName"`
	Active bool   `json:"active"`
}

func (c *client) siteUser(ctx context.Context, id string) (siteUser, error) {
	var u siteUser
	err := c.onSite(ctx, "reading user", "GET", "/user", url.Values{"accountId": {id}}, nil, &u)
	return u, err
}

// everybody are all users of the site, the inactive ones as well.
func (c *client) everybody(ctx context.Context) ([]siteUser, error) {
	return sitePages[siteUser](ctx, c, "listing users", "/users/search", nil)
}

// sitePages asks on until a page is empty: Jira may give less than was asked for before the end.
func sitePages[T any](ctx context.Context, c *client, op, path string, query url.Values) ([]T, error) {
	var out []T
	for {
		q := url.Values{"startAt": {strconv.Itoa(len(out))}, "maxResults": {"200"}}
		maps.Copy(q, query)
		var page []T
		if err := c.onSite(ctx, op, "GET", path, q, nil, &page); err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return out, nil
		}
		out = append(out, page...)
	}
}

// directories of the organization. https://developer.atlassian.com/cloud/admin/organization/rest/
func (c *client) directories(ctx context.Context) ([]string, error) {
	var a struct {
		Data []struct {
			ID string `json:"directoryId"`
		} `json:"data"`
	}
	_, err := c.org.Do(ctx, httpc.Request{Op: "listing directories" + atOrg, Method: "GET", Path: "/admin/v2/orgs/" + url.PathEscape(c.orgID) + "/directories"}, &a)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, c.org.Fault("listing directories"+atOrg, dayone.ErrForbidden, "", "there is no such organization, or the key is another's")
	}
	var out []string
	for _, d := range a.Data {
		out = append(out, d.ID)
	}
	return out, err
}

// access suspends or restores somebody's access to the organization's products.
func (c *client) access(ctx context.Context, id, verb string) error {
	op := "calling " + verb + atOrg
	if !c.hasOrg {
		return &dayone.Fault{
			System: c.system, Op: op, Err: dayone.ErrUnsupported, Detail: "without a key of the organization nobody's access can be suspended or restored by us",
			Next: "do it in Atlassian Administration under Directory > Users, or set organization and organization_key and retry",
		}
	}
	dir := c.orgDir
	if dir == "" {
		all, err := c.directories(ctx)
		if err != nil {
			return err
		}
		if len(all) != 1 {
			return &dayone.Fault{
				System: c.system, Op: op, Err: dayone.ErrInvalid, Detail: fmt.Sprintf("the organization has %d directories", len(all)),
				Next: "set organization_directory to the one in which people are: " + strings.Join(all, ", "),
			}
		}
		dir = all[0]
	}
	_, err := c.org.Do(ctx, httpc.Request{
		Op: op, Method: "POST", Path: "/admin/v2/orgs/" + url.PathEscape(c.orgID) + "/directories/" + url.PathEscape(dir) + "/users/" + url.PathEscape(id) + "/" + verb,
	}, nil)
	return err
}
