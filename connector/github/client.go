package github

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
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

// client calls the REST API, and GraphQL for the one thing that REST does not tell.
type client struct {
	httpc.Client
	org   string
	graph string // path of GraphQL, or its whole URL
	app   bool   // we are a GitHub App, which may read fine-grained tokens
	sso   bool

	mu     sync.Mutex
	number int // the organization's; 0: not asked for yet
}

func newClient(cfg connector.Config) (*client, error) {
	set := cfg.Settings
	base := strings.TrimSuffix(set["url"], "/")
	slow := *cfg.HTTP
	slow.Transport = &patient{next: cfg.HTTP.Transport, now: cfg.Now}
	c := &client{org: url.PathEscape(set["organization"]), graph: "/graphql", sso: set["sso"] == "true"}
	c.Client = httpc.Client{
		System: cfg.System, Base: base, HTTP: &slow, Now: cfg.Now, Classify: classify,
		Header: http.Header{"X-Github-Api-Version": {"2022-11-28"}, "User-Agent": {"dayone"}},
	}
	if server, ok := strings.CutSuffix(base, "/api/v3"); ok {
		c.graph = server + "/api/graphql"
	}
	token, key := cfg.Secrets["token"], cfg.Secrets["private_key"]
	switch {
	case token.IsZero() == key.IsZero():
		return nil, fmt.Errorf("give either token, or app_id, installation_id and private_key: %w", dayone.ErrInvalid)
	case !token.IsZero():
		c.Auth = httpc.Bearer("Bearer", token)
		return c, nil
	case set["app_id"] == "" || set["installation_id"] == "":
		return nil, fmt.Errorf("an app needs app_id and installation_id beside its private_key: %w", dayone.ErrInvalid)
	}
	private, err := readKey(key)
	if err != nil {
		return nil, err
	}
	a := &app{id: set["app_id"], path: "/app/installations/" + url.PathEscape(set["installation_id"]) + "/access_tokens", key: private, now: cfg.Now, client: c.Client}
	a.client.Auth = a.sign
	c.app, c.Tokens = true, &httpc.Tokens{Fetch: a.fetch, Now: cfg.Now}
	return c, nil
}

// app is a GitHub App, which signs for an hour's token.
// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
type app struct {
	id, path string
	key      *rsa.PrivateKey
	now      func() time.Time
	client   httpc.Client
}

func readKey(s dayone.Secret) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(s.Reveal()))
	if block == nil {
		return nil, fmt.Errorf("setting private_key is no PEM file: %w", dayone.ErrInvalid)
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return k, nil
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	k, ok := any.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("setting private_key is no RSA key: %w", dayone.ErrInvalid)
	}
	return k, nil
}

// sign puts a JSON web token on a request that is good for nine minutes; GitHub allows ten, and clocks differ.
func (a *app) sign(_ context.Context, r *http.Request) error {
	now := a.now()
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(
		fmt.Appendf(nil, `{"iat":%d,"exp":%d,"iss":%q}`, now.Add(-time.Minute).Unix(), now.Add(9*time.Minute).Unix(), a.id))
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return a.client.Fault("signing in", dayone.ErrAuth, "", "the private key does not sign: "+err.Error())
	}
	r.Header.Set("Authorization", "Bearer "+text+"."+base64.RawURLEncoding.EncodeToString(sig))
	return nil
}

func (a *app) fetch(ctx context.Context) (dayone.Secret, time.Duration, error) {
	var out struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	_, err := a.client.Do(ctx, httpc.Request{Op: "signing in", Method: "POST", Path: a.path}, &out)
	if err == nil && out.Token == "" {
		err = a.client.Fault("signing in", dayone.ErrUnavailable, "", "the answer has no token")
	}
	return dayone.NewSecret(out.Token), out.Expires.Sub(a.now()), err
}

// patient is the transport that keeps to GitHub's word: after a refusal for calling too much nothing is sent before the time
// that it names. GitHub bans whoever goes on. It also names the time where GitHub leaves it to its documentation.
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
type patient struct {
	next http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	until time.Time
}

func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	until := p.until
	p.mu.Unlock()
	if until.After(p.now()) {
		return nil, &dayone.Fault{Op: "calling", Err: dayone.ErrThrottled, RetryAt: until, Detail: "its rate limit is used up"}
	}
	a, err := p.next.RoundTrip(r)
	if err != nil || a.StatusCode != 403 && a.StatusCode != 422 && a.StatusCode != 429 {
		return a, err
	}
	body, err := io.ReadAll(io.LimitReader(a.Body, 1<<20))
	a.Body.Close()
	if err != nil {
		return nil, err
	}
	a.Body = io.NopCloser(bytes.NewReader(body))
	_, _, kind := classify(a.StatusCode, a.Header, body)
	if kind != dayone.ErrThrottled {
		return a, nil
	}
	asked := a.Header.Get("Retry-After") != "" || a.Header.Get("X-Ratelimit-Remaining") == "0"
	switch {
	case a.StatusCode == 422: // too many invitations in a day; all other calls may go on
		a.Header.Set("Retry-After", "3600")
		return a, nil
	case !asked:
		a.Header.Set("Retry-After", "60")
	}
	p.mu.Lock()
	p.until = connector.RetryAt(a.Header, p.now())
	p.mu.Unlock()
	return a, nil
}

// classify reads {"message":"Validation Failed","errors":[{"resource":"..","field":"..","code":"..","message":".."}]}, where
// an error may be a plain text, and SCIM's {"detail":"..","scimType":".."}.
// https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
func classify(status int, header http.Header, body []byte) (code, detail string, kind error) {
	var e struct {
		Message  string            `json:"message"`
		Detail   string            `json:"detail"`
		ScimType string            `json:"scimType"`
		Errors   []json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &e) != nil {
		if status == 403 && header.Get("Retry-After") != "" {
			return "", "", dayone.ErrThrottled
		}
		return "", "", nil
	}
	words := []string{e.Message, e.Detail}
	code = e.ScimType
	for _, raw := range e.Errors {
		var one struct{ Field, Code, Message string }
		var text string
		if json.Unmarshal(raw, &text) != nil && json.Unmarshal(raw, &one) == nil {
			code = cmp.Or(code, one.Code)
			text = cmp.Or(one.Message, strings.TrimSpace(one.Field+" "+one.Code))
		}
		words = append(words, text)
	}
	detail = strings.Join(strings.Fields(strings.Join(words, " ")), " ")
	said := strings.ToLower(detail)
	switch {
	case status == 403 || status == 429:
		switch {
		case status == 429, header.Get("Retry-After") != "", header.Get("X-Ratelimit-Remaining") == "0",
			strings.Contains(said, "secondary rate limit"), strings.Contains(said, "abuse detection"):
			return cmp.Or(code, "rate limit"), detail, dayone.ErrThrottled
		case strings.HasPrefix(header.Get("X-Github-Sso"), "required"):
			return "sso_required", detail, dayone.ErrForbidden
		}
	case code == "no_seat":
		return code, detail, dayone.ErrNoSeat
	case code == "uniqueness", strings.Contains(said, "already a part of this organization"):
		return code, detail, dayone.ErrConflict
	case status == 422 && strings.Contains(said, "invitation") && strings.Contains(said, "limit"):
		return "invitation limit", detail, dayone.ErrThrottled
	}
	return code, detail, nil
}

// ping asks for what only an owner may see.
func (c *client) ping(ctx context.Context) error {
	one := url.Values{"per_page": {"1"}}
	_, err := c.Do(ctx, httpc.Request{Op: "asking for invitations", Method: "GET", Path: "/orgs/" + c.org + "/invitations", Query: one}, nil)
	if err != nil || !c.sso {
		return c.unseen(err)
	}
	_, err = c.Do(ctx, httpc.Request{Op: "asking for authorized credentials", Method: "GET", Path: "/orgs/" + c.org + "/credential-authorizations", Query: one}, nil)
	var f *dayone.Fault
	if hidden(err) && errors.As(err, &f) && f.Code != "sso_required" {
		out := *f
		out.Err, out.Next = dayone.ErrForbidden, "let the token read the organization's administration (admin:org), or set sso to false if there is no SAML single sign-on"
		return &out
	}
	return err
}

// unseen explains a 404 for the organization itself, which GitHub also gives to whoever may not see it.
func (c *client) unseen(err error) error {
	var f *dayone.Fault
	if errors.As(err, &f) && f.Err == dayone.ErrNotFound {
		out := *f
		out.Err, out.Next = dayone.ErrForbidden, "check the setting organization; the token has to be one of its owners, with admin:org or Members: read and write"
		return &out
	}
	return err
}

// orgID is the organization's number, which never changes.
func (c *client) orgID(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.number == 0 {
		var o struct {
			ID int `json:"id"`
		}
		if _, err := c.Do(ctx, httpc.Request{Op: "reading organization", Method: "GET", Path: "/orgs/" + c.org}, &o); err != nil {
			return "", err
		}
		c.number = o.ID
	}
	return strconv.Itoa(c.number), nil
}

// user of GitHub, in short.
type user struct {
	ID    int    `json:"id"`
	Login string `json:"login"`
}

func (u user) ref() string { return strconv.Itoa(u.ID) }

// byID is a user under the login that they have today. https://docs.github.com/rest/users/users#get-a-user-using-their-id
func (c *client) byID(ctx context.Context, ref string) (user, error) {
	if _, err := strconv.Atoi(ref); err != nil {
		return user{}, c.Fault("reading user", dayone.ErrNotFound, "", "the id of a GitHub user is a number")
	}
	var u user
	_, err := c.Do(ctx, httpc.Request{Op: "reading user", Method: "GET", Path: "/user/" + ref}, &u)
	return u, err
}

// pages follows Link. https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
func pages[T any](ctx context.Context, c *client, op, path string, query url.Values) ([]T, error) {
	q := httpc.Request{Op: op, Method: "GET", Path: path, Query: url.Values{"per_page": {"100"}}}
	for name, vs := range query {
		q.Query[name] = vs
	}
	var out []T
	for later := false; ; later = true {
		var page []T
		a, err := c.Do(ctx, q, &page)
		if later {
			err = httpc.BrokeOff(err)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		next := httpc.NextLink(a.Header)
		if next == "" {
			return out, nil
		}
		q.Path, q.Query = next, nil
	}
}
