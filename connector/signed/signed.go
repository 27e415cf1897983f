// Package signed posts bodies to somebody's webhook, signed so that the receiver knows whom they are from and that nobody
// changed them. It must not retry, wait, or know what a body says; docs/alerts.md tells receivers how to check one.
package signed

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// within is how long one post may take.
const within = 15 * time.Second

// Sender posts to one address.
type Sender struct {
	URL    string
	Secret dayone.Secret
	Now    func() time.Time
	HTTP   http.RoundTripper // nil: http.DefaultTransport
	Place  string            // where the configuration has it; "": alerts.webhook
	// Standard signs as Standard Webhooks do, which libraries check: webhook-id, webhook-timestamp, webhook-signature.
	Standard bool
}

// Post sends a body once. id is the same whenever the same body is sent again.
func (s *Sender) Post(ctx context.Context, id, kind string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	at := s.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return s.fault(dayone.ErrInvalid, "", "its address cannot be called")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "dayone")
	s.stamp(req.Header, id, kind, strconv.FormatInt(at.Unix(), 10), body)
	c := http.Client{Transport: s.HTTP, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // who is meant stands in the configuration, and nobody else
	}}
	res, err := c.Do(req)
	if err != nil {
		switch {
		case errors.Is(err, context.Canceled):
			return err
		case errors.Is(err, errWithin):
			return s.fault(dayone.ErrInvalid, "", "its address is within our own network, and only internal: true lets it be")
		}
		return s.fault(dayone.ErrUnavailable, "", "it does not answer") // the address may hold a secret: it is not shown
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	code := fmt.Sprintf("HTTP %d", res.StatusCode)
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return nil
	case res.StatusCode == http.StatusTooManyRequests:
		err := s.fault(dayone.ErrThrottled, code, "it takes no more for now")
		err.RetryAt = connector.RetryAt(res.Header, at)
		return err
	case res.StatusCode >= 500:
		return s.fault(dayone.ErrUnavailable, code, "it failed")
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return s.fault(dayone.ErrInvalid, code, "it leads elsewhere; write the last address into "+s.place()+".url")
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return s.fault(dayone.ErrAuth, code, "it does not accept the signature; compare "+s.place()+".secret with what it checks by")
	default:
		return s.fault(dayone.ErrInvalid, code, "it refused the body")
	}
}

// stamp puts on what the receiver knows a body by.
func (s *Sender) stamp(h http.Header, id, kind, at string, body []byte) {
	if s.Standard {
		h.Set("Webhook-Id", id)
		h.Set("Webhook-Timestamp", at)
		h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac(keyOf(s.Secret), id+"."+at+".", body)))
		return
	}
	h.Set("Dayone-Id", id)
	h.Set("Dayone-Kind", kind)
	h.Set("Dayone-Timestamp", at)
	h.Set("Dayone-Signature", "v1="+hex.EncodeToString(mac([]byte(s.Secret.Reveal()), at+".", body)))
}

// keyOf is the key of a secret as Standard Webhooks writes it: whsec_ and base64. Any other text is the key itself.
func keyOf(secret dayone.Secret) []byte {
	text, ok := strings.CutPrefix(secret.Reveal(), "whsec_")
	if key, err := base64.StdEncoding.DecodeString(text); ok && err == nil {
		return key
	}
	return []byte(secret.Reveal())
}

// mac is HMAC-SHA256.
func mac(key []byte, before string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(before))
	m.Write(body)
	return m.Sum(nil)
}

func (s *Sender) place() string { return cmp.Or(s.Place, "alerts.webhook") }

func (s *Sender) fault(kind error, code, detail string) *dayone.Fault {
	return &dayone.Fault{System: s.place(), Op: "posting", Code: code, Err: kind, Detail: detail}
}
