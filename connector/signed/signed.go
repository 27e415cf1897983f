// Package signed posts bodies to somebody's webhook, signed so that the receiver knows whom they are from and that nobody
// changed them. It must not retry, wait, or know what a body says; docs/alerts.md tells receivers how to check one.
package signed

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
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
	stamp := strconv.FormatInt(at.Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "dayone")
	req.Header.Set("Dayone-Id", id)
	req.Header.Set("Dayone-Kind", kind)
	req.Header.Set("Dayone-Timestamp", stamp)
	req.Header.Set("Dayone-Signature", "v1="+s.sign(stamp, body))
	c := http.Client{Transport: s.HTTP, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // who is meant stands in the configuration, and nobody else
	}}
	res, err := c.Do(req)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return err
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
		return s.fault(dayone.ErrInvalid, code, "it leads elsewhere; write the last address into alerts.webhook.url")
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return s.fault(dayone.ErrAuth, code, "it does not accept the signature; compare alerts.webhook.secret with what it checks by")
	default:
		return s.fault(dayone.ErrInvalid, code, "it refused the body")
	}
}

// sign is HMAC-SHA256 over the timestamp, a dot and the body.
func (s *Sender) sign(stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(s.Secret.Reveal()))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Sender) fault(kind error, code, detail string) *dayone.Fault {
	return &dayone.Fault{System: "alerts.webhook", Op: "posting", Code: code, Err: kind, Detail: detail}
}
