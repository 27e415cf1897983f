package webex

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
	"github.com/dayone-hq/dayone/connector/scim"
)

// client has two doors with one token: the admin API, and the SCIM of Webex Identity, which alone knows the employee number
// and closes an account.
type client struct {
	httpc.Client
	scim *scim.Client

	org string

	mu       sync.Mutex
	licences map[string]string // names by id
	read     time.Time
	people   string // what the ids of people begin with
}

// namesAge is how long names of licences are trusted.
const namesAge = 10 * time.Minute

func newClient(cfg connector.Config) *client {
	base := strings.TrimSuffix(cfg.Settings["url"], "/")
	tokens := login(cfg, base)
	c := &client{Client: httpc.Client{System: cfg.System, Base: base, HTTP: cfg.HTTP, Now: cfg.Now, Tokens: tokens, Classify: classify}, org: cfg.Settings["org"]}
	c.scim = scim.NewClient(cfg, base+"/identity/scim/"+url.PathEscape(cfg.Settings["org"])+"/v2", nil, scim.Quirks{
		ContentType: "application/json", Filters: map[string]string{numberPath: "employeeNumber"},
	})
	c.scim.Tokens, c.scim.Classify = tokens, classify
	return c
}

// login trades the refresh token of a Service App for access tokens. A use renews the refresh token; should Webex answer
// with another one, that is used while this process lives.
// https://developer.webex.com/docs/integrations#using-the-refresh-token
func login(cfg connector.Config, base string) *httpc.Tokens {
	door := httpc.Client{System: cfg.System, Base: base, HTTP: cfg.HTTP, Now: cfg.Now, Classify: classifyLogin}
	refresh := cfg.Secrets["refresh_token"]
	return &httpc.Tokens{Now: cfg.Now, Fetch: func(ctx context.Context) (dayone.Secret, time.Duration, error) { // one at a time: Tokens sees to it
		var t struct {
			Token   string `json:"access_token"`
			Seconds int    `json:"expires_in"`
			Refresh string `json:"refresh_token"`
		}
		_, err := door.Do(ctx, httpc.Request{Op: "signing in", Method: "POST", Path: "/access_token", Form: url.Values{
			"grant_type": {"refresh_token"}, "client_id": {cfg.Settings["client_id"]},
			"client_secret": {cfg.Secrets["client_secret"].Reveal()}, "refresh_token": {refresh.Reveal()},
		}}, &t)
		switch {
		case errors.Is(err, dayone.ErrAuth):
			return dayone.Secret{}, 0, advised(err)
		case err == nil && t.Token == "":
			err = door.Fault("signing in", dayone.ErrUnavailable, "", "the answer holds no token")
		case err == nil && t.Refresh != "":
			refresh = dayone.NewSecret(t.Refresh)
		}
		return dayone.NewSecret(t.Token), time.Duration(t.Seconds) * time.Second, err
	}}
}

// classifyLogin takes every refusal of a sign-in for one of its credentials; it comes with 400 or 401.
func classifyLogin(status int, header http.Header, body []byte) (string, string, error) {
	code, detail, _ := classify(status, header, body)
	if status == http.StatusBadRequest || status == http.StatusUnauthorized {
		return "invalid_grant", detail, dayone.ErrAuth
	}
	return code, detail, nil
}

// classify reads {"message":"...","errors":[{"description":"..."}],"trackingId":"ROUTER_..."}, and SCIM's own body. 423 says
// that something is locked for a while.
func classify(status int, header http.Header, body []byte) (string, string, error) {
	var e struct {
		Message  string `json:"message"`
		Tracking string `json:"trackingId"`
		Errors   []struct {
			Description string `json:"description"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &e) != nil || e.Tracking == "" {
		return scim.Classify(status, header, body)
	}
	detail := e.Message
	for _, x := range e.Errors {
		if x.Description != "" && x.Description != e.Message {
			detail += "; " + x.Description
		}
	}
	detail += " (" + e.Tracking + ")"
	switch {
	case status == http.StatusLocked:
		return "", detail, dayone.ErrUnavailable
	case status == http.StatusConflict, status == http.StatusBadRequest && strings.Contains(detail, "already exists"):
		return "", detail, dayone.ErrConflict
	}
	return "", detail, nil
}

// advised adds what an administrator does about a refusal.
func advised(err error) error {
	var f *dayone.Fault
	if !errors.As(err, &f) {
		return err
	}
	said := *f
	switch {
	case f.Code == "invalid_grant":
		said.Next = cmp.Or(f.Next, "in Control Hub, Apps > Service Apps, authorise the app again and enter its new refresh token; it ends after 90 days without use")
	case errors.Is(err, dayone.ErrForbidden):
		said.Next = cmp.Or(f.Next, "give the Service App the scopes of the notes and have a full administrator authorise it again in Control Hub; check that the setting org is this organisation's id")
	}
	return &said
}

func (c *client) call(ctx context.Context, op, method, path string, query url.Values, in, out any) (*httpc.Answer, error) {
	a, err := c.Do(ctx, httpc.Request{Op: op, Method: method, Path: path, Query: query, JSON: in}, out)
	return a, advised(err)
}

// person of https://developer.webex.com/docs/api/v1/people
type person struct {
	ID        string    `json:"id"`
	Emails    []string  `json:"emails"`
	Org       string    `json:"orgId"`
	Created   time.Time `json:"created"`
	Type      string    `json:"type"`
	Licenses  []string  `json:"licenses"`
	Location  string    `json:"locationId"`
	Extension string    `json:"extension"`
	Phones    []struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	} `json:"phoneNumbers"`
}

// phone is the number at work without the spaces in which Webex shows it.
func (p person) phone() string {
	for _, n := range p.Phones {
		if n.Type == "work" {
			return strings.NewReplacer(" ", "", "-", "").Replace(n.Value)
		}
	}
	return ""
}

// parts of a vendor's id: it is the base64 of ciscospark://us/PEOPLE/ and the id that SCIM has.
func parts(ref string) (before, id string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(ref, "=")))
	at := strings.LastIndexByte(string(raw), '/')
	if err != nil || at < 0 || at == len(raw)-1 {
		return "", "", false
	}
	return string(raw[:at+1]), string(raw[at+1:]), true
}

// identity is the id of a person in SCIM.
func (c *client) identity(ref string) (string, error) {
	_, id, ok := parts(ref)
	if !ok {
		return "", c.Fault("reading person", dayone.ErrNotFound, "", "this is no id of a Webex person")
	}
	return id, nil
}

// ref is the id of a person whom SCIM shows. It begins as that of any other person of the organisation.
func (c *client) ref(ctx context.Context, identity string) (string, error) {
	c.mu.Lock()
	before := c.people
	c.mu.Unlock()
	if before == "" {
		before = "ciscospark://us/PEOPLE/"
		err := list(ctx, c, "listing people", "/people", url.Values{"max": {"1"}}, func(p person) bool {
			if at, _, ok := parts(p.ID); ok {
				before = at
			}
			return false
		})
		if err != nil {
			return "", err
		}
		c.mu.Lock()
		c.people = before
		c.mu.Unlock()
	}
	return base64.RawURLEncoding.EncodeToString([]byte(before + identity)), nil
}

// foreign says that a person belongs to another organisation, which a partner may see as well.
func (c *client) foreign(p person) bool {
	_, org, ok := parts(p.Org)
	return ok && !strings.EqualFold(org, c.org)
}

// list pages by Link headers. https://developer.webex.com/docs/basics#pagination
func list[T any](ctx context.Context, c *client, op, path string, query url.Values, each func(T) bool) error {
	for path != "" {
		var page struct {
			Items []T `json:"items"`
		}
		a, err := c.call(ctx, op, "GET", path, query, nil, &page)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if !each(item) {
				return nil
			}
		}
		path, query = httpc.NextLink(a.Header), nil
	}
	return nil
}

func all[T any](ctx context.Context, c *client, op, path string, query url.Values) (out []T, err error) {
	err = list(ctx, c, op, path, query, func(item T) bool { out = append(out, item); return true })
	return out, err
}

func (c *client) findPeople(ctx context.Context, email string) ([]person, error) {
	return all[person](ctx, c, "finding person", "/people", url.Values{"email": {email}})
}

// getPerson shows licences and, for a calling user, the number.
func (c *client) getPerson(ctx context.Context, id string) (person, error) {
	var p person
	_, err := c.call(ctx, "reading person", "GET", "/people/"+url.PathEscape(id), url.Values{"callingData": {"true"}}, nil, &p)
	return p, err
}

// createPerson makes a person without a licence; 400 does not mean that nobody was made.
// https://developer.webex.com/docs/api/v1/people/create-a-person
func (c *client) createPerson(ctx context.Context, body map[string]any) (person, error) {
	var p person
	_, err := c.call(ctx, "creating person", "POST", "/people", nil, body, &p)
	return p, err
}

func (c *client) deletePerson(ctx context.Context, id string) error {
	_, err := c.call(ctx, "deleting person", "DELETE", "/people/"+url.PathEscape(id), nil, nil, nil)
	return err
}

// licence of https://developer.webex.com/docs/api/v1/licenses
type licence struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Total        int    `json:"totalUnits"`
	Consumed     int    `json:"consumedUnits"`
	Subscription string `json:"subscriptionId"`
	Site         string `json:"siteUrl"`
}

// getLicences gives each a name of its own: with its site, if it has one, and with its subscription, if two are alike.
func (c *client) getLicences(ctx context.Context) ([]licence, error) {
	ls, err := all[licence](ctx, c, "listing licences", "/licenses", nil)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for i := range ls {
		if ls[i].Site != "" {
			ls[i].Name += " (" + ls[i].Site + ")"
		}
		count[ls[i].Name]++
	}
	names := map[string]string{}
	for i := range ls {
		if count[ls[i].Name] > 1 {
			ls[i].Name += " [" + cmp.Or(ls[i].Subscription, ls[i].ID) + "]"
		}
		names[ls[i].ID] = ls[i].Name
	}
	c.mu.Lock()
	c.licences, c.read = names, c.Now()
	c.mu.Unlock()
	return ls, nil
}

// licenceNames are those of every licence of the organisation.
func (c *client) licenceNames(ctx context.Context) (map[string]string, error) {
	c.mu.Lock()
	names, fresh := c.licences, c.Now().Sub(c.read) < namesAge
	c.mu.Unlock()
	if names != nil && fresh {
		return names, nil
	}
	if _, err := c.getLicences(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.licences, nil
}

// assigned is what a person has after a change of licences.
type assigned struct {
	Licenses []string `json:"licenses"`
	Pending  []string `json:"pendingLicenses"`
}

// setLicence adds or removes one; 206 says that it was done in part.
// https://developer.webex.com/docs/api/v1/licenses/assign-licenses-to-users
func (c *client) setLicence(ctx context.Context, person string, change map[string]any) (assigned, error) {
	var got assigned
	_, err := c.call(ctx, "changing licence", "PATCH", "/licenses/users", nil, map[string]any{"personId": person, "licenses": []any{change}}, &got)
	return got, err
}

// authorization that a person gave an application. https://developer.webex.com/docs/api/v1/authorizations
type authorization struct {
	ID          string `json:"id"`
	Application string `json:"applicationName"`
	Type        string `json:"type"`
}

func (c *client) authorizations(ctx context.Context, person string) ([]authorization, error) {
	return all[authorization](ctx, c, "listing authorisations of person", "/authorizations", url.Values{"personId": {person}})
}

func (c *client) deleteAuthorization(ctx context.Context, id string) error {
	_, err := c.call(ctx, "revoking authorisation", "DELETE", "/authorizations/"+url.PathEscape(id), nil, nil, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	return err
}

// device of https://developer.webex.com/docs/api/v1/devices
type device struct {
	ID      string `json:"id"`
	Person  string `json:"personId"`
	Product string `json:"product"`
	MAC     string `json:"mac"`
	Serial  string `json:"serial"`
	Status  string `json:"connectionStatus"`
}

func (c *client) getDevice(ctx context.Context, id string) (device, error) {
	var d device
	_, err := c.call(ctx, "reading device", "GET", "/devices/"+url.PathEscape(id), nil, nil, &d)
	return d, err
}

func (c *client) devicesOf(ctx context.Context, person string) ([]device, error) {
	return all[device](ctx, c, "listing devices of person", "/devices", url.Values{"personId": {person}, "max": {"100"}})
}

func (c *client) createDevice(ctx context.Context, person, mac, model string) (device, error) {
	var d device
	_, err := c.call(ctx, "creating device", "POST", "/devices", nil, map[string]string{"mac": mac, "model": model, "personId": person}, &d)
	return d, err
}

func (c *client) deleteDevice(ctx context.Context, id string) error {
	_, err := c.call(ctx, "deleting device", "DELETE", "/devices/"+url.PathEscape(id), nil, nil, nil)
	return err
}

// code that activates one device. https://developer.webex.com/docs/api/v1/devices/create-a-device-activation-code
type code struct {
	Code    string    `json:"code"`
	Expires time.Time `json:"expiryTime"`
}

func (c *client) activationCode(ctx context.Context, person, model string) (code, error) {
	body := map[string]string{"personId": person}
	if model != "" { // without one it is good for devices of RoomOS only
		body["model"] = model
	}
	var got code
	_, err := c.call(ctx, "making activation code", "POST", "/devices/activationCode", nil, body, &got)
	if err == nil && got.Code == "" {
		err = c.Fault("making activation code", dayone.ErrUnavailable, "", "the answer holds no code")
	}
	return got, err
}

// workspace of https://developer.webex.com/docs/api/v1/workspaces
type workspace struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"displayName"`
	Type  string `json:"type,omitempty"`
	Notes string `json:"notes,omitempty"`
}

func (c *client) workspaces(ctx context.Context, name string) ([]workspace, error) {
	return all[workspace](ctx, c, "finding workspace", "/workspaces", url.Values{"displayName": {name}, "max": {"100"}})
}

func (c *client) getWorkspace(ctx context.Context, id string) (workspace, error) {
	var w workspace
	_, err := c.call(ctx, "reading workspace", "GET", "/workspaces/"+url.PathEscape(id), nil, nil, &w)
	return w, err
}

func (c *client) createWorkspace(ctx context.Context, w workspace) (workspace, error) {
	var made workspace
	_, err := c.call(ctx, "creating workspace", "POST", "/workspaces", nil, w, &made)
	return made, err
}

func (c *client) deleteWorkspace(ctx context.Context, id string) error {
	_, err := c.call(ctx, "deleting workspace", "DELETE", "/workspaces/"+url.PathEscape(id), nil, nil, nil)
	return err
}

// devicesIn a workspace.
func (c *client) devicesIn(ctx context.Context, workspace string) ([]device, error) {
	return all[device](ctx, c, "listing devices of workspace", "/devices", url.Values{"workspaceId": {workspace}, "max": {"100"}})
}

// check reads one of each kind that is needed for people; whoever may not read will not write either.
func (c *client) check(ctx context.Context) error {
	if err := c.scim.Ping(ctx); err != nil {
		return advised(err)
	}
	if err := list(ctx, c, "listing people", "/people", url.Values{"max": {"1"}}, func(person) bool { return false }); err != nil {
		return err
	}
	_, err := c.getLicences(ctx)
	return err
}
