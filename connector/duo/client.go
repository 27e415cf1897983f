package duo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

type client struct {
	httpc.Client
	sign *signer
}

func newClient(cfg connector.Config) *client {
	s := &signer{key: cfg.Settings["integration_key"], secret: cfg.Secrets["secret_key"], json: cfg.Settings["signature"] == "5", now: cfg.Now}
	return &client{
		Client: httpc.Client{
			System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now, Auth: s.sign, Classify: classify,
		},
		sign: s,
	}
}

// classify reads {"stat":"FAIL","code":40002,"message":"...","message_detail":"..."}: the code is the status and two digits.
// https://duo.com/docs/adminapi#response-format
func classify(_ int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Detail  string `json:"message_detail"`
	}
	if json.Unmarshal(body, &e) != nil || e.Code == 0 {
		return "", "", nil
	}
	code, detail := strconv.Itoa(e.Code), e.Message
	if e.Detail != "" {
		detail += ": " + e.Detail
	}
	said := strings.ToLower(detail)
	switch {
	case e.Code == 40003, strings.HasPrefix(code, "400") && strings.Contains(said, "already exists"):
		return code, detail, dayone.ErrConflict
	case strings.HasPrefix(code, "400") && strings.Contains(said, "user limit"):
		return code, detail, dayone.ErrNoSeat
	}
	return code, detail, nil
}

// advice for an administrator, by Duo's code.
var advice = map[string]string{
	"40101": "check integration_key and secret_key against the Admin API application in the Duo Admin Panel",
	"40102": "the integration key is not known at this address; check url and integration_key against the Admin API application in the Duo Admin Panel",
	"40103": "check secret_key against the Admin API application in the Duo Admin Panel; it may have been reset there",
	"40104": "set the clock of this machine",
	"40105": "set the clock of this machine",
	"40301": "in the Duo Admin Panel give the Admin API application the permissions Grant read resource and Grant write resource",
}

// call unwraps {"stat":"OK","response":...,"metadata":{"next_offset":...}}. A call that was refused for its time is made
// again, once, by Duo's clock.
func (c *client) call(ctx context.Context, op, method, path string, params url.Values, out any) (meta metadata, err error) {
	q := httpc.Request{Op: op, Method: method, Path: path}
	switch {
	case method == http.MethodGet || method == http.MethodDelete:
		q.Query = params
	case c.sign.json:
		body := map[string]string{}
		for k := range params {
			body[k] = params.Get(k)
		}
		q.JSON = body
	default:
		q.Form = params
	}
	var answer struct {
		Response json.RawMessage `json:"response"`
		Metadata metadata        `json:"metadata"`
	}
	a, err := c.Do(ctx, q, &answer)
	var f *dayone.Fault
	if errors.As(err, &f) && (f.Code == "40104" || f.Code == "40105") && a != nil && c.sign.learn(a.Header) {
		_, err = c.Do(ctx, q, &answer)
	}
	if errors.As(err, &f) {
		said := *f
		said.Next = cmp.Or(f.Next, advice[f.Code])
		return meta, &said
	}
	if err == nil && out != nil {
		if bad := json.Unmarshal(answer.Response, out); bad != nil {
			return meta, c.Fault(op, dayone.ErrUnavailable, "", "the answer is no JSON that we understand: "+bad.Error())
		}
	}
	return answer.Metadata, err
}

// metadata of a list.
type metadata struct {
	Next  int  `json:"next_offset"` // 0: this was the last page
	Total *int `json:"total_objects"`
}

// pageSize is what every list of Duo's gives at once.
const pageSize = 100

// list follows next_offset.
func list[T any](ctx context.Context, c *client, op, path string, params url.Values, each func(T) bool) error {
	if params == nil {
		params = url.Values{}
	}
	params.Set("limit", strconv.Itoa(pageSize))
	for at := 0; ; {
		params.Set("offset", strconv.Itoa(at))
		var page []T
		meta, err := c.call(ctx, op, "GET", path, params, &page)
		if err != nil {
			return err
		}
		for _, item := range page {
			if !each(item) {
				return nil
			}
		}
		if meta.Next <= at {
			return nil
		}
		at = meta.Next
	}
}

// user of https://duo.com/docs/adminapi#users
type user struct {
	ID        string            `json:"user_id"`
	Username  string            `json:"username"`
	Email     string            `json:"email"`
	First     string            `json:"firstname"`
	Last      string            `json:"lastname"`
	Real      string            `json:"realname"`
	Status    string            `json:"status"`
	Enrolled  bool              `json:"is_enrolled"`
	Created   int64             `json:"created"`
	Synced    int64             `json:"last_directory_sync"`
	LastLogin *int64            `json:"last_login"`
	Aliases   map[string]string `json:"aliases"`
	Groups    []group           `json:"groups"`
	Phones    []phone           `json:"phones"`
	Tokens    []token           `json:"tokens"`
}

type group struct {
	ID   string `json:"group_id"`
	Name string `json:"name"`
	Desc string `json:"desc"`
}

type phone struct {
	ID        string `json:"phone_id"`
	Number    string `json:"number"`
	Platform  string `json:"platform"`
	Activated bool   `json:"activated"`
	Users     []struct {
		ID string `json:"user_id"`
	} `json:"users"`
}

type token struct {
	ID     string `json:"token_id"`
	Serial string `json:"serial"`
	Type   string `json:"type"`
}

const users = "/admin/v1/users"

// countUsers is how many there are, by one request.
func (c *client) countUsers(ctx context.Context) (int, error) {
	meta, err := c.call(ctx, "counting users", "GET", users, url.Values{"limit": {"1"}, "offset": {"0"}}, nil)
	if err == nil && meta.Total == nil {
		err = c.Fault("counting users", dayone.ErrUnavailable, "", "the answer says no total")
	}
	if err != nil {
		return 0, err
	}
	return *meta.Total, nil
}

func userPath(id string) string { return users + "/" + url.PathEscape(id) }

func (c *client) getUser(ctx context.Context, id string) (user, error) {
	var u user
	_, err := c.call(ctx, "reading user", "GET", userPath(id), nil, &u)
	if err == nil && u.ID == "" {
		err = c.Fault("reading user", dayone.ErrUnavailable, "", "the answer names no user")
	}
	return u, err
}

// listUsers pages through those that a search finds or, with none, through everybody.
func (c *client) listUsers(ctx context.Context, search url.Values, each func(user) bool) error {
	return list(ctx, c, "listing users", users, search, each)
}

// createUser makes one without telling them. https://duo.com/docs/adminapi#create-user
func (c *client) createUser(ctx context.Context, fields url.Values) (user, error) {
	var u user
	_, err := c.call(ctx, "creating user", "POST", users, fields, &u)
	return u, err
}

// enroll makes one and mails a link to enrol a device. The answer is the link's code, which is for the mail alone.
// https://duo.com/docs/adminapi#enroll-user
func (c *client) enroll(ctx context.Context, fields url.Values) error {
	_, err := c.call(ctx, "enrolling user", "POST", users+"/enroll", fields, nil)
	return err
}

func (c *client) updateUser(ctx context.Context, id string, fields url.Values) error {
	_, err := c.call(ctx, "updating user", "POST", userPath(id), fields, nil)
	return err
}

func (c *client) deleteUser(ctx context.Context, id string) error {
	_, err := c.call(ctx, "deleting user", "DELETE", userPath(id), nil, nil)
	return err
}

// setBypassCode takes the place of every code that was there. https://duo.com/docs/adminapi#create-bypass-codes-for-user
func (c *client) setBypassCode(ctx context.Context, id string, code dayone.Secret, seconds int) error {
	_, err := c.call(ctx, "making bypass code", "POST", userPath(id)+"/bypass_codes", url.Values{
		"codes": {code.Reveal()}, "reuse_count": {"1"}, "valid_secs": {strconv.Itoa(seconds)},
	}, nil)
	return err
}

// bypassCode as it is listed: never the code itself.
type bypassCode struct {
	ID string `json:"bypass_code_id"`
}

func (c *client) bypassCodes(ctx context.Context, id string) (out []bypassCode, err error) {
	err = list(ctx, c, "listing bypass codes of user", userPath(id)+"/bypass_codes", nil, func(b bypassCode) bool {
		out = append(out, b)
		return true
	})
	return out, err
}

// drop deletes; what is gone is gone.
func (c *client) drop(ctx context.Context, op, path string) error {
	_, err := c.call(ctx, op, "DELETE", path, nil, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	return err
}

func (c *client) listGroups(ctx context.Context, each func(group) bool) error {
	return list(ctx, c, "listing groups", "/admin/v1/groups", nil, each)
}

func (c *client) findPhones(ctx context.Context, number string) (out []phone, err error) {
	err = list(ctx, c, "finding phone", "/admin/v1/phones", url.Values{"number": {number}}, func(p phone) bool {
		out = append(out, p)
		return true
	})
	return out, err
}

func (c *client) createPhone(ctx context.Context, fields url.Values) (phone, error) {
	var p phone
	_, err := c.call(ctx, "creating phone", "POST", "/admin/v1/phones", fields, &p)
	return p, err
}

func (c *client) getPhone(ctx context.Context, id string) (phone, error) {
	var p phone
	_, err := c.call(ctx, "reading phone", "GET", "/admin/v1/phones/"+url.PathEscape(id), nil, &p)
	return p, err
}
