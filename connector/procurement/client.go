package procurement

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// text is a JSON string or number; whatever else stands there says nothing.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(b, &s) == nil:
		*t = text(strings.TrimSpace(s))
	case json.Unmarshal(b, &n) == nil:
		*t = text(n)
	}
	return nil
}

type client struct {
	httpc.Client
	url *url.URL
	key []byte
}

func newClient(cfg connector.Config) (*client, error) {
	u, err := url.Parse(cfg.Settings["url"])
	if err != nil {
		return nil, fmt.Errorf("setting url: %w: %w", err, dayone.ErrInvalid)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	key, err := signingKey(cfg.Secrets["secret"])
	if err != nil {
		return nil, err
	}
	return &client{Client: httpc.Client{System: cfg.System, Base: u.Scheme + "://" + u.Host, HTTP: cfg.HTTP, Now: cfg.Now, Classify: classify}, url: u, key: key}, nil
}

// signingKey reads whsec_ and base64 as Standard Webhooks has it; any other text is the key itself.
func signingKey(s dayone.Secret) ([]byte, error) {
	b64, ok := strings.CutPrefix(s.Reveal(), "whsec_")
	if !ok {
		return []byte(s.Reveal()), nil
	}
	key, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		return nil, fmt.Errorf("setting secret: what follows whsec_ is no base64: %w", dayone.ErrInvalid)
	}
	return key, nil
}

// signature of https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, id+"."+timestamp+".")
	_, _ = mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify checks that a callback is the reseller's, and not an old one played again: it is signed as our requests are.
func Verify(secret dayone.Secret, h http.Header, body []byte, now time.Time) error {
	const window = 5 * time.Minute
	key, err := signingKey(secret)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(h.Get("Webhook-Timestamp"), 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > window {
		return fmt.Errorf("the callback is not of this moment: %w", dayone.ErrAuth)
	}
	want := signature(key, h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), body)
	for got := range strings.FieldsSeq(h.Get("Webhook-Signature")) { // several while a key is changed
		if hmac.Equal([]byte(got), []byte(want)) {
			return nil
		}
	}
	return fmt.Errorf("the callback is not signed with our key: %w", dayone.ErrAuth)
}

// classify reads {"error":{"code","message"}}, {"error":"..."} and {"code","message"}. 409 is what the Idempotency-Key
// draft has for an order that is just being taken.
// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
func classify(status int, _ http.Header, body []byte) (string, string, error) {
	type said struct {
		Code    text `json:"code"`
		Message text `json:"message"`
	}
	var outer struct {
		said
		Error json.RawMessage `json:"error"`
	}
	var inner said
	var plain text
	if json.Unmarshal(body, &outer) == nil && len(outer.Error) > 0 && json.Unmarshal(outer.Error, &inner) != nil {
		_ = json.Unmarshal(outer.Error, &plain)
	}
	code, detail := string(cmp.Or(inner.Code, outer.Code)), string(cmp.Or(inner.Message, outer.Message, plain))
	switch {
	case code == "out_of_stock":
		return code, detail, dayone.ErrNoSeat
	case status == http.StatusConflict:
		return code, detail, dayone.ErrNotYet
	}
	return code, detail, nil
}

// do signs one request with an order's key as its id.
func (c *client) do(ctx context.Context, key string, q httpc.Request) (*httpc.Answer, error) {
	signed := c.Client
	signed.Auth = func(_ context.Context, r *http.Request) error {
		var body []byte
		if r.GetBody != nil {
			b, err := r.GetBody()
			if err != nil {
				return err
			}
			if body, err = io.ReadAll(b); err != nil {
				return err
			}
			r.GetBody = nil // net/http would repeat a lost request that has an Idempotency-Key; only the engine does
		}
		at := strconv.FormatInt(c.Now().Unix(), 10)
		r.Header.Set("Webhook-Id", key)
		r.Header.Set("Webhook-Timestamp", at)
		r.Header.Set("Webhook-Signature", signature(c.key, key, at, body))
		if r.Method == http.MethodPost {
			r.Header.Set("Idempotency-Key", key)
		}
		return nil
	}
	return signed.Do(ctx, q, nil)
}

// check knocks. A webhook that takes nothing but POST says so, which is as good: somebody is there.
func (c *client) check(ctx context.Context) error {
	a, err := c.do(ctx, "check", httpc.Request{Op: "checking", Method: http.MethodHead, Path: c.url.String()})
	if a != nil && (a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed) {
		return nil
	}
	return err
}

// place posts an order; one with the same key is the same order.
func (c *client) place(ctx context.Context, o order) (placed, error) {
	a, err := c.do(ctx, o.key, httpc.Request{Op: "placing order", Method: http.MethodPost, Path: c.url.String(), JSON: o})
	if err != nil {
		return placed{}, err
	}
	return c.read("placing order", a)
}

// find reads an order by its key.
func (c *client) find(ctx context.Context, key string) (placed, error) {
	a, err := c.do(ctx, key, httpc.Request{Op: "reading order", Method: http.MethodGet, Path: c.url.JoinPath(key).String()})
	if err != nil {
		return placed{}, err
	}
	p, err := c.read("reading order", a)
	if err == nil && p.Number == "" { // a hook that says "ok" to everything must not pass for an order
		err = c.Fault("reading order", dayone.ErrInvalid, "", "the answer names no order_number; set poll to false if the reseller cannot be asked")
	}
	return p, err
}

// read takes an answer as it is meant: a plain "ok" says nothing of the order, but a broken object was cut.
func (c *client) read(op string, a *httpc.Answer) (placed, error) {
	var p placed
	body := bytes.TrimSpace(a.Body)
	if !bytes.HasPrefix(body, []byte("{")) {
		return p, nil
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return p, c.Fault(op, dayone.ErrUnavailable, fmt.Sprintf("HTTP %d", a.Status), "the answer is cut off: "+err.Error())
	}
	return p, nil
}
