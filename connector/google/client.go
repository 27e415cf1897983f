package google

import (
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
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// user of https://developers.google.com/workspace/admin/directory/reference/rest/v1/users
// The lists stay open: a patch replaces them whole, so what others wrote into them has to be sent back.
type user struct {
	ID            string           `json:"id"`
	CustomerID    string           `json:"customerId"`
	PrimaryEmail  string           `json:"primaryEmail"`
	Name          *name            `json:"name"` // missing in the first answers after a create
	Suspended     bool             `json:"suspended"`
	Archived      bool             `json:"archived"`
	CreationTime  time.Time        `json:"creationTime"`
	OrgUnitPath   string           `json:"orgUnitPath"`
	RecoveryEmail string           `json:"recoveryEmail"`
	ExternalIDs   []map[string]any `json:"externalIds"`
	Organizations []map[string]any `json:"organizations"`
	Relations     []map[string]any `json:"relations"`
}

type name struct {
	GivenName  string `json:"givenName"`
	FamilyName string `json:"familyName"`
}

type group struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

type assignment struct {
	UserID string `json:"userId"` // the mail address
	SKU    string `json:"skuId"`
}

type client struct {
	httpc.Client                                // the Directory API
	licensing    httpc.Client                   // another host, and a scope of its own: not everybody authorises it
	security     httpc.Client                   // sessions, tokens and application passwords: another scope that not everybody authorises
	mailbox      func(user string) httpc.Client // the Gmail API as one user; nil: nobody authorised that
	customer     string
	licenses     []license
}

const scope = "https://www.googleapis.com/auth/"

func newClient(cfg connector.Config) (*client, error) {
	key, err := readKey(cfg.Secrets["credentials"])
	if err != nil {
		return nil, err
	}
	licenses, err := readLicenses(cfg.Settings["licenses"])
	if err != nil {
		return nil, err
	}
	api := func(base, scopes string) httpc.Client {
		tokens := &httpc.Tokens{Now: cfg.Now, Fetch: key.fetch(cfg, cfg.Settings["admin"], scopes)}
		return httpc.Client{
			System: cfg.System, Base: strings.TrimSuffix(base, "/"), HTTP: cfg.HTTP, Now: cfg.Now, Tokens: tokens, Classify: classify,
		}
	}
	c := &client{
		Client:    api(cfg.Settings["url"], scope+"admin.directory.user "+scope+"admin.directory.group.readonly "+scope+"admin.directory.group.member"),
		licensing: api(cfg.Settings["licensing_url"], scope+"apps.licensing"),
		security:  api(cfg.Settings["url"], scope+"admin.directory.user.security"),
		customer:  cfg.Settings["customer"], licenses: licenses,
	}
	if cfg.Settings["mail_forwards"] == "true" {
		c.mailbox = func(user string) httpc.Client {
			return httpc.Client{
				System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["gmail_url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now, Classify: classify,
				Tokens: &httpc.Tokens{Now: cfg.Now, Fetch: key.fetch(cfg, user, scope+"gmail.settings.basic")},
			}
		}
	}
	return c, nil
}

// key is a service account's JSON key.
type key struct {
	ID    string `json:"private_key_id"`
	PEM   string `json:"private_key"`
	Email string `json:"client_email"`
	URL   string `json:"token_uri"`

	private *rsa.PrivateKey
}

func readKey(raw dayone.Secret) (*key, error) {
	bad := func(why string) error {
		return fmt.Errorf("setting credentials is no JSON key of a service account: %s: %w", why, dayone.ErrInvalid)
	}
	k := &key{}
	if json.Unmarshal([]byte(raw.Reveal()), k) != nil {
		return nil, bad("it is no JSON")
	}
	k.URL = cmp.Or(k.URL, "https://oauth2.googleapis.com/token")
	block, _ := pem.Decode([]byte(k.PEM))
	if k.Email == "" || block == nil {
		return nil, bad("it lacks client_email or private_key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, bad("its private_key is not PKCS 8")
	}
	var ok bool
	if k.private, ok = parsed.(*rsa.PrivateKey); !ok {
		return nil, bad("its private_key is not RSA")
	}
	return k, nil
}

// fetch trades a signed assertion for an access token of somebody: the administrator, or the owner of a mailbox.
// https://developers.google.com/identity/protocols/oauth2/service-account#httprest
func (k *key) fetch(cfg connector.Config, as, scopes string) func(context.Context) (dayone.Secret, time.Duration, error) {
	tokens := httpc.Client{System: cfg.System, Base: k.URL, HTTP: cfg.HTTP, Now: cfg.Now, Classify: classifyToken}
	return func(ctx context.Context) (dayone.Secret, time.Duration, error) {
		now := cfg.Now()
		assertion, err := k.sign(map[string]any{
			"iss": k.Email, "sub": as, "scope": scopes, "aud": k.URL, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		})
		if err != nil {
			return dayone.Secret{}, 0, tokens.Fault("signing in", dayone.ErrAuth, "", err.Error())
		}
		var out struct {
			Token   string `json:"access_token"`
			Seconds int    `json:"expires_in"`
		}
		_, err = tokens.Do(ctx, httpc.Request{Op: "signing in", Method: "POST", Form: url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion},
		}}, &out)
		return dayone.NewSecret(out.Token), time.Duration(out.Seconds) * time.Second, err
	}
}

// sign makes a JSON web token by RS256.
func (k *key) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": k.ID})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k.private, crypto.SHA256, sum[:])
	return text + "." + base64.RawURLEncoding.EncodeToString(sig), err
}

// classifyToken reads {"error":"invalid_grant","error_description":"..."}.
func classifyToken(status int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Code   string `json:"error"`
		Detail string `json:"error_description"`
	}
	if json.Unmarshal(body, &e) != nil || e.Code == "" || status == http.StatusTooManyRequests || status >= 500 {
		return "", "", nil
	}
	return e.Code, e.Detail, dayone.ErrAuth
}

// classify reads {"error":{"code":409,"message":"...","errors":[{"reason":"duplicate"}],"details":[{"reason":"..."}]}}: rate
// limits come as 403, and a licence that is used up as one of many unmet conditions.
// https://developers.google.com/workspace/admin/directory/v1/limits
// https://developers.google.com/workspace/admin/licensing/v1/how-tos/using#errors
func classify(status int, _ http.Header, body []byte) (string, string, error) {
	if status == http.StatusAccepted {
		return "HTTP 202", "an unmanaged account has this address; its owner was invited", dayone.ErrConflict
	}
	var e struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
			Details []struct {
				Reason string `json:"reason"`
			} `json:"details"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil || e.Error.Message == "" {
		return "", "", nil
	}
	code, detail := e.Error.Status, e.Error.Message
	for _, x := range e.Error.Errors {
		code = cmp.Or(x.Reason, code)
	}
	for _, x := range e.Error.Details { // the newer kind says more
		code = cmp.Or(x.Reason, code)
	}
	for _, x := range []struct {
		words string
		kind  error
	}{
		{"creation is not complete", dayone.ErrNotYet},
		{"Conflicting requests", dayone.ErrNotYet},
		{"enough available licenses", dayone.ErrNoSeat},
		{"Domain user limit", dayone.ErrNoSeat},
		{"with a different SKU", dayone.ErrInvalid}, // one that the setting licenses does not name
		{"already has a license", dayone.ErrConflict},
		{"User email not valid", dayone.ErrNotFound}, // the Licensing API does not know her yet
	} {
		if strings.Contains(detail, x.words) {
			return code, detail, x.kind
		}
	}
	switch code {
	case "duplicate":
		return code, detail, dayone.ErrConflict
	case "notFound", "resourceNotFound":
		return code, detail, dayone.ErrNotFound
	case "authError":
		return code, detail, dayone.ErrAuth
	case "userRateLimitExceeded", "rateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "quotaExceeded", "dailyLimitExceeded":
		return code, detail, dayone.ErrThrottled
	case "limitExceeded":
		return code, detail, dayone.ErrNoSeat
	}
	return code, detail, nil
}

// advice for an administrator, by Google's code.
var advice = map[string]string{
	"unauthorized_client":             "authorise the client id with its scopes for domain-wide delegation in the Admin console",
	"invalid_grant":                   "check the setting admin, the key, and the clock of this machine",
	"ACCESS_TOKEN_SCOPE_INSUFFICIENT": "authorise the missing scope for domain-wide delegation in the Admin console",
	"SERVICE_DISABLED":                "switch the API on in the service account's project",
	"HTTP 202":                        "wait until the account is taken over, or have it renamed; then try again",
}

// quotaRest is how long a used-up quota is left alone: Google does not say when it is filled again.
const quotaRest = time.Hour

// call adds to a refusal what follows from its code alone.
func (c *client) call(ctx context.Context, api *httpc.Client, q httpc.Request, out any) error {
	_, err := api.Do(ctx, q, out)
	var f *dayone.Fault
	if !errors.As(err, &f) {
		return err
	}
	said := *f
	said.Next = cmp.Or(f.Next, advice[f.Code])
	if f.Code == "quotaExceeded" || f.Code == "dailyLimitExceeded" {
		said.RetryAt = c.Now().Add(quotaRest)
	}
	return &said
}

const users = "/admin/directory/v1/users"

func userPath(key string) string { return users + "/" + url.PathEscape(key) }

// getUser reads by id or by any of its addresses. https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/get
func (c *client) getUser(ctx context.Context, key string) (user, error) {
	var u user
	err := c.call(ctx, &c.Client, httpc.Request{Op: "reading user", Method: "GET", Path: userPath(key), Query: url.Values{"projection": {"full"}}}, &u)
	return u, err
}

// listUsers pages through a search or, with none, through everybody.
// https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list
func (c *client) listUsers(ctx context.Context, search string, each func(user) bool) error {
	query := url.Values{"customer": {c.customer}, "maxResults": {"500"}, "projection": {"full"}}
	if search != "" {
		query.Set("query", search)
	}
	return pages(ctx, c, &c.Client, "users", httpc.Request{Op: "listing users", Method: "GET", Path: users, Query: query}, each)
}

// pages reads the list that stands under a name in each answer, and follows nextPageToken.
func pages[T any](ctx context.Context, c *client, api *httpc.Client, under string, q httpc.Request, each func(T) bool) error {
	for later := false; ; later = true {
		var page map[string]json.RawMessage
		err := c.call(ctx, api, q, &page)
		if later {
			err = httpc.BrokeOff(err)
		}
		if err != nil {
			return err
		}
		var items []T
		var next string
		for name, into := range map[string]any{under: &items, "nextPageToken": &next} {
			if raw := page[name]; raw != nil {
				if err := json.Unmarshal(raw, into); err != nil {
					return c.Fault(q.Op, dayone.ErrUnavailable, "", "the answer is no JSON that we understand: "+err.Error())
				}
			}
		}
		for _, item := range items {
			if !each(item) {
				return nil
			}
		}
		if next == "" {
			return nil
		}
		q.Query.Set("pageToken", next)
	}
}

// insertUser makes a user. 202 is none: an unmanaged account was invited.
// https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/insert
func (c *client) insertUser(ctx context.Context, body map[string]any) (user, error) {
	var u user
	err := c.call(ctx, &c.Client, httpc.Request{Op: "creating user", Method: "POST", Path: users, JSON: body, OK: []int{http.StatusOK, http.StatusCreated}}, &u)
	return u, err
}

// patchUser leaves what is not named as it is, but replaces lists whole.
// https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/patch
func (c *client) patchUser(ctx context.Context, id string, body map[string]any) (user, error) {
	var u user
	err := c.call(ctx, &c.Client, httpc.Request{Op: "updating user", Method: "PATCH", Path: userPath(id), JSON: body}, &u)
	return u, err
}

// deleteUser can be taken back for 20 days. https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/delete
func (c *client) deleteUser(ctx context.Context, id string) error {
	return c.call(ctx, &c.Client, httpc.Request{Op: "deleting user", Method: "DELETE", Path: userPath(id)}, nil)
}

// listGroups lists those of one user or, with none, all of the customer.
// https://developers.google.com/workspace/admin/directory/reference/rest/v1/groups/list
func (c *client) listGroups(ctx context.Context, user string, each func(group) bool) error {
	query := url.Values{"maxResults": {"200"}}
	if user != "" {
		query.Set("userKey", user)
	} else {
		query.Set("customer", c.customer)
	}
	return pages(ctx, c, &c.Client, "groups", httpc.Request{Op: "listing groups", Method: "GET", Path: "/admin/directory/v1/groups", Query: query}, each)
}

func memberPath(group string) string {
	return "/admin/directory/v1/groups/" + url.PathEscape(group) + "/members"
}

// insertMember names the user by id: addresses change. https://developers.google.com/workspace/admin/directory/reference/rest/v1/members/insert
func (c *client) insertMember(ctx context.Context, group, user string) error {
	return c.call(ctx, &c.Client, httpc.Request{Op: "adding group member", Method: "POST", Path: memberPath(group), JSON: map[string]string{"id": user, "role": "MEMBER"}}, nil)
}

func (c *client) deleteMember(ctx context.Context, group, user string) error {
	return c.call(ctx, &c.Client, httpc.Request{Op: "removing group member", Method: "DELETE", Path: memberPath(group) + "/" + url.PathEscape(user)}, nil)
}

func (l license) path() string {
	return "/apps/licensing/v1/product/" + url.PathEscape(l.product) + "/sku/" + url.PathEscape(l.sku) + "/user"
}

// hasLicense says whether a user has exactly this licence; there is no call for "which one".
// https://developers.google.com/workspace/admin/licensing/reference/rest/v1/licenseAssignments/get
func (c *client) hasLicense(ctx context.Context, l license, email string) (bool, error) {
	err := c.call(ctx, &c.licensing, httpc.Request{Op: "reading licence", Method: "GET", Path: l.path() + "/" + url.PathEscape(email)}, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// listLicenses lists who has what of a product. https://developers.google.com/workspace/admin/licensing/reference/rest/v1/licenseAssignments/listForProduct
func (c *client) listLicenses(ctx context.Context, product, customer string, each func(assignment) bool) error {
	return pages(ctx, c, &c.licensing, "items", httpc.Request{
		Op: "listing licences", Method: "GET", Path: "/apps/licensing/v1/product/" + url.PathEscape(product) + "/users",
		Query: url.Values{"customerId": {customer}, "maxResults": {"1000"}},
	}, each)
}

// assignLicense gives a first licence of a product. https://developers.google.com/workspace/admin/licensing/reference/rest/v1/licenseAssignments/insert
func (c *client) assignLicense(ctx context.Context, l license, email string) error {
	return c.call(ctx, &c.licensing, httpc.Request{Op: "assigning licence", Method: "POST", Path: l.path(), JSON: map[string]string{"userId": email}}, nil)
}

// reassignLicense replaces one licence by another of the same product.
// https://developers.google.com/workspace/admin/licensing/reference/rest/v1/licenseAssignments/update
func (c *client) reassignLicense(ctx context.Context, from, to license, email string) error {
	return c.call(ctx, &c.licensing, httpc.Request{
		Op: "changing licence", Method: "PUT", Path: from.path() + "/" + url.PathEscape(email),
		JSON: map[string]string{"productId": to.product, "skuId": to.sku, "userId": email},
	}, nil)
}

func (c *client) removeLicense(ctx context.Context, l license, email string) error {
	return c.call(ctx, &c.licensing, httpc.Request{Op: "removing licence", Method: "DELETE", Path: l.path() + "/" + url.PathEscape(email)}, nil)
}
