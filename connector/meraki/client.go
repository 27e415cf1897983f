package meraki

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

type client struct {
	httpc.Client
	org  string
	only []string // names or ids of networks; empty: all
	now  func() time.Time

	mu    sync.Mutex
	cache places
}

func newClient(cfg connector.Config) *client {
	return &client{
		Client: httpc.Client{
			System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now, Classify: classify,
			Auth: httpc.Bearer("Bearer", cfg.Secrets["api_key"]),
		},
		org: cfg.Settings["org"], only: list(cfg.Settings["networks"]), now: cfg.Now,
	}
}

// list reads a setting that holds several names. Names may have blanks in them.
func list(setting string) []string {
	var out []string
	for _, name := range strings.Split(setting, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// classify reads {"errors":["..."]}. There are no codes, so what 400 does not tell apart is known by its words.
// https://developer.cisco.com/meraki/api-v1/errors/
func classify(status int, header http.Header, body []byte) (string, string, error) {
	if status >= 300 && status < 400 {
		to, _ := url.Parse(header.Get("Location"))
		if to == nil || to.Host == "" {
			return "", "", nil
		}
		return "", "it sends us to " + to.Host + "; enter that host in the setting url", nil
	}
	var e struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(body, &e) != nil {
		return "", "", nil
	}
	detail := strings.Join(e.Errors, "; ")
	said := strings.ToLower(detail)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(said, w) {
				return true
			}
		}
		return false
	}
	switch {
	case status != http.StatusBadRequest:
	case has("taken", "already", "unique"):
		return "", detail, dayone.ErrConflict
	case has("limit", "maximum"):
		return "", detail, dayone.ErrNoSeat
	}
	return "", detail, nil
}

// advice for an administrator, by kind.
var advice = map[error]string{
	dayone.ErrAuth:      "make another API key in the dashboard (Organization > API & Webhooks > API keys) and enter it as api_key; keys end with the administrator whose they are",
	dayone.ErrForbidden: "give the administrator whose API key this is full access to the organisation or to these networks (Organization > Administrators), and see that the API is enabled for the organisation",
}

func (c *client) call(ctx context.Context, q httpc.Request, out any) (*httpc.Answer, error) {
	a, err := c.Do(ctx, q, out)
	var f *dayone.Fault
	if errors.As(err, &f) && f.Next == "" && advice[f.Err] != "" {
		said := *f
		said.Next = advice[f.Err]
		return a, &said
	}
	return a, err
}

func (c *client) refuse(op string, kind error, detail, next string) error {
	return &dayone.Fault{System: c.System, Op: op, Err: kind, Detail: detail, Next: next}
}

func (c *client) get(ctx context.Context, op, path string, out any) error {
	_, err := c.call(ctx, httpc.Request{Op: op, Method: "GET", Path: path}, out)
	return err
}

func (c *client) write(ctx context.Context, op, method, path string, body, out any) error {
	_, err := c.call(ctx, httpc.Request{Op: op, Method: method, Path: path, JSON: body}, out)
	return err
}

// check reads the organisation and the networks that are configured.
func (c *client) check(ctx context.Context) error {
	var org struct {
		ID  string `json:"id"`
		API struct {
			Enabled *bool `json:"enabled"`
		} `json:"api"`
	}
	err := c.get(ctx, "reading organisation", "/organizations/"+url.PathEscape(c.org), &org)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return c.refuse("reading organisation", dayone.ErrForbidden, "the API key sees no organisation "+c.org,
			"check the setting org; the key has to be one of an administrator of that very organisation")
	case err != nil:
		return err
	case org.API.Enabled != nil && !*org.API.Enabled:
		return c.refuse("reading organisation", dayone.ErrForbidden, "its API is switched off", "switch it on in the dashboard (Organization > Settings > Dashboard API access)")
	}
	c.forget()
	_, err = c.networks(ctx)
	return err
}

// network of https://developer.cisco.com/meraki/api-v1/get-organization-networks/
type network struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Products []string `json:"productTypes"`
}

// called says whether somebody may mean this network.
func (n network) called(name string) bool { return n.ID == name || strings.EqualFold(n.Name, name) }

// ssid of https://developer.cisco.com/meraki/api-v1/get-network-wireless-ssids/
type ssid struct {
	Number  int    `json:"number"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	Auth    string `json:"authMode"`
}

const identityPSK = "ipsk-without-radius"

// places are where codes and users can be, as they stood a little while ago.
type places struct {
	read     time.Time
	networks []network
	ssids    map[string][]ssid // by network
}

// placesAge is how long networks and SSIDs are trusted: they change when somebody builds.
const placesAge = 10 * time.Minute

func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cache = places{}
}

// known is the cache, if it is young enough.
func (c *client) known() places {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Sub(c.cache.read) >= placesAge {
		c.cache = places{}
	}
	return places{read: c.cache.read, networks: c.cache.networks, ssids: c.cache.ssids}
}

// networks are those that we manage. One that is configured and not there is an error, not one less. Configuration templates
// are no networks, but have SSIDs as if they were: whoever means one says its id.
func (c *client) networks(ctx context.Context) ([]network, error) {
	if k := c.known(); k.networks != nil {
		return k.networks, nil
	}
	all := []network{}
	next := "/organizations/" + url.PathEscape(c.org) + "/networks?perPage=1000"
	for next != "" {
		var page []network
		a, err := c.call(ctx, httpc.Request{Op: "listing networks", Method: "GET", Path: next}, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		next = httpc.NextLink(a.Header)
	}
	out := []network{}
	for _, n := range all {
		if len(c.only) == 0 {
			out = append(out, n)
		}
	}
	for _, name := range c.only {
		found := false
		for _, n := range all {
			if n.called(name) {
				out, found = append(out, n), true
			}
		}
		if !found && (strings.HasPrefix(name, "L_") || strings.HasPrefix(name, "N_")) {
			out, found = append(out, network{ID: name, Name: name, Products: []string{"wireless"}}), true
		}
		if !found {
			return nil, c.refuse("listing networks", dayone.ErrInvalid, "the organisation has no network "+name, "correct the setting networks")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cache = places{read: c.now(), networks: out, ssids: map[string][]ssid{}}
	return out, nil
}

// network by name or id. One that is not there is a setting to correct: it says nothing of who was in it.
func (c *client) network(ctx context.Context, name string) (network, error) {
	all, err := c.networks(ctx)
	if err != nil {
		return network{}, err
	}
	for _, n := range all {
		if n.called(name) {
			return n, nil
		}
	}
	return network{}, c.refuse("finding network", dayone.ErrInvalid, "we manage no network "+name, "if it was renamed, write its new name or its id into the settings; else add it to the setting networks")
}

// ssids of a network; none where there is no wireless.
func (c *client) ssids(ctx context.Context, n network) ([]ssid, error) {
	if s, ok := c.known().ssids[n.ID]; ok {
		return s, nil
	}
	out := []ssid{}
	for _, p := range n.Products {
		if p != "wireless" {
			continue
		}
		if err := c.get(ctx, "listing SSIDs", "/networks/"+url.PathEscape(n.ID)+"/wireless/ssids", &out); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cache.ssids != nil {
		fresh := map[string][]ssid{n.ID: out}
		for id, s := range c.cache.ssids {
			if id != n.ID {
				fresh[id] = s
			}
		}
		c.cache.ssids = fresh // a new map: whoever reads the old one goes on
	}
	return out, nil
}

// groupPolicy of https://developer.cisco.com/meraki/api-v1/get-network-group-policies/
type groupPolicy struct {
	ID   string `json:"groupPolicyId"`
	Name string `json:"name"`
}

func (c *client) groupPolicies(ctx context.Context, network string) (out []groupPolicy, err error) {
	err = c.get(ctx, "listing group policies", "/networks/"+url.PathEscape(network)+"/groupPolicies", &out)
	return out, err
}

// psk is an identity PSK. https://developer.cisco.com/meraki/api-v1/get-network-wireless-ssid-identity-psks/
type psk struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Policy     string `json:"groupPolicyId"`
	Passphrase string `json:"passphrase"`
}

// at is where an identity PSK lies. Its text is the vendor id of a code.
type at struct {
	network string
	number  int
	psk     string
}

func (p at) String() string { return p.network + "/" + strconv.Itoa(p.number) + "/" + p.psk }

func parseAt(ref string) (at, bool) {
	parts := strings.Split(ref, "/")
	if len(parts) != 3 || parts[2] == "" {
		return at{}, false
	}
	n, err := strconv.Atoi(parts[1])
	return at{parts[0], n, parts[2]}, err == nil
}

func (p at) list() string {
	return "/networks/" + url.PathEscape(p.network) + "/wireless/ssids/" + strconv.Itoa(p.number) + "/identityPsks"
}
func (p at) path() string { return p.list() + "/" + url.PathEscape(p.psk) }

func (c *client) psks(ctx context.Context, p at) (out []psk, err error) {
	err = c.get(ctx, "listing identity PSKs", p.list(), &out)
	return out, err
}

// getPSK believes that one is gone only if its list, which can be read, has it no more.
func (c *client) getPSK(ctx context.Context, p at) (out psk, err error) {
	const op = "reading identity PSK"
	err = c.get(ctx, op, p.path(), &out)
	switch {
	case err == nil && out.ID == "":
		return out, c.Fault(op, dayone.ErrUnavailable, "", "the answer names no identity PSK")
	case !errors.Is(err, dayone.ErrNotFound):
		return out, err
	}
	all, bad := c.psks(ctx, p)
	if bad != nil {
		return out, c.unseen(op, p.network, bad)
	}
	for _, k := range all {
		if k.ID == p.psk {
			return k, nil
		}
	}
	return out, err
}

// unseen is a network that does not even show its list: Meraki says "not found" of what a key may not see, too.
func (c *client) unseen(op, network string, err error) error {
	if !errors.Is(err, dayone.ErrNotFound) {
		return err
	}
	return c.refuse(op, dayone.ErrForbidden, "the API key sees nothing of the network "+network+", so nobody knows what is there",
		"give the administrator whose API key this is full access to it; if the network was deleted, see that in the dashboard and complete the step by hand")
}

// user of https://developer.cisco.com/meraki/api-v1/get-network-meraki-auth-users/
type user struct {
	ID             string          `json:"id"`
	Email          string          `json:"email"`
	Name           string          `json:"name"`
	Created        time.Time       `json:"createdAt"`
	Type           string          `json:"accountType"`
	Admin          bool            `json:"isAdmin"`
	Authorizations []authorization `json:"authorizations"`
}

type authorization struct {
	SSID    *int   `json:"ssidNumber,omitempty"` // none for client VPN
	Expires string `json:"expiresAt,omitempty"`
}

func usersPath(network, id string) string {
	p := "/networks/" + url.PathEscape(network) + "/merakiAuthUsers"
	if id != "" {
		p += "/" + url.PathEscape(id)
	}
	return p
}

func (c *client) users(ctx context.Context, network string) (out []user, err error) {
	err = c.get(ctx, "listing users", usersPath(network, ""), &out)
	return out, err
}

// getUser believes that one is gone only if the list, which can be read, has them no more.
func (c *client) getUser(ctx context.Context, network, id string) (out user, err error) {
	const op = "reading user"
	err = c.get(ctx, op, usersPath(network, id), &out)
	switch {
	case err == nil && out.ID == "":
		return out, c.Fault(op, dayone.ErrUnavailable, "", "the answer names no user")
	case !errors.Is(err, dayone.ErrNotFound):
		return out, err
	}
	all, bad := c.users(ctx, network)
	if bad != nil {
		return out, c.unseen(op, network, bad)
	}
	for _, u := range all {
		if u.ID == id {
			return u, nil
		}
	}
	return out, err
}

// deleteUser deletes one of this network alone, and deauthorises one of several. The account of an administrator stays.
func (c *client) deleteUser(ctx context.Context, network string, u user) error {
	q := httpc.Request{Op: "deleting user", Method: "DELETE", Path: usersPath(network, u.ID)}
	if !u.Admin {
		q.Query = url.Values{"delete": {"true"}}
	}
	_, err := c.call(ctx, q, nil)
	return err
}

func never(expires string) string { return cmp.Or(expires, "Never") }
