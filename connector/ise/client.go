package ise

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

type client struct{ httpc.Client }

func newClient(cfg connector.Config) *client {
	base := strings.TrimSuffix(strings.TrimSuffix(cfg.Settings["url"], "/"), "/ers/config")
	password := cfg.Secrets["password"]
	return &client{httpc.Client{
		System: cfg.System, Base: base + "/ers/config", HTTP: cfg.HTTP, Now: cfg.Now, Classify: classify,
		Auth: func(_ context.Context, r *http.Request) error {
			r.SetBasicAuth(cfg.Settings["username"], password.Reveal())
			return nil
		},
	}}
}

// message of an ERSResponse, which ISE also writes as XML where a request did not come as far as its API.
type message struct {
	Title string `json:"title" xml:"title"`
	Type  string `json:"type" xml:"type,attr"`
	Code  string `json:"code" xml:"code,attr"`
}

// classify reads {"ERSResponse":{"messages":[{"title":"...","code":"..."}]}}, or the same as XML. The codes name classes of
// exceptions and not what happened, so that is known by the words.
func classify(status int, _ http.Header, body []byte) (string, string, error) {
	if status >= 300 && status < 400 {
		return "", "ISE sends us to its login page: ERS is switched off, or this is not its address", nil
	}
	var e struct {
		Response struct {
			Messages []message `json:"messages"`
		} `json:"ERSResponse"`
	}
	said := []message{}
	if json.Unmarshal(body, &e) == nil {
		said = e.Response.Messages
	} else {
		var x struct {
			Messages []message `xml:"messages>message"`
		}
		if xml.Unmarshal(body, &x) == nil {
			said = x.Messages
		}
	}
	var code string
	var titles []string
	for _, m := range said {
		code = cmp.Or(code, m.Code)
		if m.Title != "" {
			titles = append(titles, m.Title)
		}
	}
	detail := strings.Join(titles, "; ")
	low := strings.ToLower(detail)
	switch {
	case strings.Contains(low, "already exist"):
		return code, detail, dayone.ErrConflict
	case strings.Contains(low, "csrf"):
		return code, detail, dayone.ErrForbidden
	case strings.Contains(low, "maximum number"):
		return code, detail, dayone.ErrNoSeat
	case status == http.StatusUnsupportedMediaType, status == http.StatusNotAcceptable, status == http.StatusMethodNotAllowed:
		return code, cmp.Or(detail, "this node does not do that"), dayone.ErrForbidden
	}
	return code, detail, nil
}

// advice is what an administrator does about a refusal.
func advice(err *dayone.Fault) string {
	switch {
	case errors.Is(err, dayone.ErrAuth):
		return "check username and password; the password may have ended, or the administrator is locked (Administration > System > Admin Access > Administrators)"
	case errors.Is(err, dayone.ErrForbidden) && strings.Contains(strings.ToLower(err.Detail), "csrf"):
		return "switch the CSRF check of ERS off (Administration > System > Settings > API Settings)"
	case errors.Is(err, dayone.ErrForbidden):
		return "put the administrator into the group ERS Admin, and enter the address of the primary administration node: the others only read"
	case errors.Is(err, dayone.ErrInvalid) && strings.Contains(err.Detail, "login page"):
		return "switch ERS on (Administration > System > Settings > API Settings > API Service Settings), or mend the setting url"
	}
	return ""
}

func (c *client) call(ctx context.Context, q httpc.Request, out any) (*httpc.Answer, error) {
	a, err := c.Do(ctx, q, out)
	var f *dayone.Fault
	if errors.As(err, &f) && f.Next == "" {
		said := *f
		said.Next = advice(f)
		return a, &said
	}
	return a, err
}

// resource is what lists tell of anything.
type resource struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// pageSize is the most that ERS gives at once.
const pageSize = 100

// search pages by number: the addresses of next pages name the node as it calls itself, which may be another than ours.
func (c *client) search(ctx context.Context, op, path, filter string, each func(resource) error) error {
	for page, got := 1, 0; ; page++ {
		q := url.Values{"size": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(page)}}
		if filter != "" {
			q.Set("filter", filter)
		}
		var out struct {
			Result struct {
				Total     int        `json:"total"`
				Resources []resource `json:"resources"`
				Next      *struct{}  `json:"nextPage"`
			} `json:"SearchResult"`
		}
		if _, err := c.call(ctx, httpc.Request{Op: op, Method: "GET", Path: path, Query: q}, &out); err != nil {
			return err
		}
		for _, r := range out.Result.Resources {
			if err := each(r); err != nil {
				return err
			}
		}
		got += len(out.Result.Resources)
		if out.Result.Next == nil || len(out.Result.Resources) == 0 || got >= out.Result.Total {
			return nil
		}
	}
}

// user is an internal user, whole: what we do not know is written back as it was.
type user map[string]any

func (u user) text(name string) string { s, _ := u[name].(string); return s }
func (u user) enabled() bool           { b, _ := u["enabled"].(bool); return b }

// groups are the ids of its identity groups, which are one text with commas.
func (u user) groups() []string {
	return strings.FieldsFunc(u.text("identityGroups"), func(r rune) bool { return r == ',' || r == ' ' })
}

const users = "/internaluser"

func (c *client) getUser(ctx context.Context, id string) (user, error) {
	var out struct {
		User user `json:"InternalUser"`
	}
	_, err := c.call(ctx, httpc.Request{Op: "reading user", Method: "GET", Path: users + "/" + url.PathEscape(id)}, &out)
	if err == nil && out.User.text("id") == "" {
		err = c.Fault("reading user", dayone.ErrUnavailable, "", "the answer names no user")
	}
	return out.User, err
}

// createUser answers with the address of the user alone.
func (c *client) createUser(ctx context.Context, u user) (string, error) {
	a, err := c.call(ctx, httpc.Request{Op: "creating user", Method: "POST", Path: users, JSON: map[string]any{"InternalUser": u}}, nil)
	if err != nil {
		return "", err
	}
	at, err := url.Parse(a.Header.Get("Location"))
	if err != nil || path.Base(at.Path) == "." {
		return "", c.Fault("creating user", dayone.ErrNotYet, "", "the answer does not say where the user is")
	}
	return path.Base(at.Path), nil
}

// updateUser writes a user as it is to be. The password that was read is stars, and is left out.
func (c *client) updateUser(ctx context.Context, u user) error {
	delete(u, "password")
	delete(u, "enablePassword")
	delete(u, "link")
	_, err := c.call(ctx, httpc.Request{Op: "updating user", Method: "PUT", Path: users + "/" + url.PathEscape(u.text("id")), JSON: map[string]any{"InternalUser": u}}, nil)
	return err
}

func (c *client) deleteUser(ctx context.Context, id string) error {
	_, err := c.call(ctx, httpc.Request{Op: "deleting user", Method: "DELETE", Path: users + "/" + url.PathEscape(id)}, nil)
	return err
}
