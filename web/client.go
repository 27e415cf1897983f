package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Client calls the API of a running server with the token that lets in: what is decided there goes on at once, and the
// server's books say who was logged in.
type Client struct {
	Base  string
	Token dayone.Secret
}

// answerWithin is how long an answer may take.
const answerWithin = 30 * time.Second

// Do calls an address; in and out may be nil.
func (r *Client) Do(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.Base+"/api/v1"+path, body)
	if err != nil {
		return fmt.Errorf("calling the server: %w: %w", err, dayone.ErrInvalid)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(r.Token.Reveal()))
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the token goes nowhere else
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s does not answer; start dayone serve, or look at portal.url: %w", r.Base, dayone.ErrUnavailable)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return fmt.Errorf("reading the server's answer: %w: %w", err, dayone.ErrUnavailable)
	}
	if res.StatusCode >= 300 {
		return refusedWith(res.StatusCode, raw)
	}
	if out == nil || len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s is no dayone server, or of another version: %w", r.Base, dayone.ErrInvalid)
	}
	return nil
}

// refusedWith makes an error again of what the server says.
func refusedWith(status int, raw []byte) error {
	var e struct {
		Error struct{ Message string }
	}
	_ = json.Unmarshal(raw, &e)
	text := strings.TrimSuffix(strings.TrimSpace(e.Error.Message), ".")
	if text == "" {
		text = fmt.Sprintf("the server answers %d", status)
	}
	kind := map[int]error{
		http.StatusBadRequest: dayone.ErrInvalid, http.StatusUnauthorized: dayone.ErrAuth, http.StatusForbidden: dayone.ErrForbidden, http.StatusNotFound: dayone.ErrNotFound,
		http.StatusConflict: dayone.ErrConflict, http.StatusServiceUnavailable: dayone.ErrUnavailable, http.StatusTooManyRequests: dayone.ErrThrottled,
	}[status]
	if kind == nil {
		return errors.New(text)
	}
	return fmt.Errorf("%s: %w", text, kind)
}
