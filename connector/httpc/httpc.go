// Package httpc is what connectors share for HTTP: requests, JSON and form bodies, error classes, Link paging and tokens
// that expire. It must not know a vendor, retry or sleep; a call that was refused for its token alone is no retry.
package httpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// MaxAnswer is the most that is read of one answer.
const MaxAnswer = 16 << 20

// Client talks to one base URL.
type Client struct {
	System string
	Base   string // without a slash at the end
	HTTP   *http.Client
	Auth   func(ctx context.Context, r *http.Request) error
	Tokens *Tokens     // instead of Auth: tokens that are fetched, and fetched anew when they are refused
	Header http.Header // sent with every request
	// Classify reads a vendor's error body: its code, its words and our kind. A nil kind leaves the status to decide.
	Classify func(status int, header http.Header, body []byte) (code, detail string, kind error)
	Now      func() time.Time // nil: time.Now
}

// Request is one call.
type Request struct {
	Op     string // "creating user": a gerund, for errors
	Method string
	Path   string // begins with a slash, or a whole URL that a server gave as the next page
	Query  url.Values
	JSON   any        // body as JSON; nil: none
	Form   url.Values // body as a form
	Body   []byte     // body as it is, with Type
	Type   string     // content type of Body, or of JSON if it is not application/json
	Accept string
	OK     []int // statuses that are no errors; empty: all 2xx
}

// Answer is a status, headers and a body that has been read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes one call and decodes a JSON answer into out, if out is not nil and there is a body. A call that is refused for
// a fetched token is made again, once, with a new one: tokens end on the way, and are revoked before their end.
func (c *Client) Do(ctx context.Context, q Request, out any) (*Answer, error) {
	a, token, err := c.once(ctx, q)
	if err == nil && a.Status == http.StatusUnauthorized && c.Tokens != nil {
		c.Tokens.refused(token)
		a, _, err = c.once(ctx, q)
	}
	if err != nil {
		return nil, err
	}
	if !accepted(a.Status, q.OK) {
		return a, c.refusal(q.Op, a)
	}
	if out != nil && len(bytes.TrimSpace(a.Body)) > 0 {
		if err := json.Unmarshal(a.Body, out); err != nil {
			return a, c.fault(q.Op, dayone.ErrUnavailable, fmt.Sprintf("HTTP %d", a.Status), "the answer is no JSON that we understand: "+err.Error())
		}
	}
	return a, nil
}

// once makes a call and reads its answer, whatever that is; token is the fetched one that it carried.
func (c *Client) once(ctx context.Context, q Request) (a *Answer, token dayone.Secret, err error) {
	req, err := c.request(ctx, q)
	if err != nil {
		return nil, token, err
	}
	switch {
	case c.Tokens != nil:
		token, err = c.Tokens.put(ctx, req)
	case c.Auth != nil:
		err = c.Auth(ctx, req)
	}
	if err != nil {
		return nil, token, err
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, token, c.lost(ctx, q.Op, err)
	}
	defer resp.Body.Close()
	a = &Answer{Status: resp.StatusCode, Header: resp.Header}
	a.Body, err = io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return nil, token, c.lost(ctx, q.Op, err)
	}
	if len(a.Body) > MaxAnswer {
		return nil, token, c.fault(q.Op, dayone.ErrInvalid, "", fmt.Sprintf("the answer is longer than %d bytes", MaxAnswer))
	}
	return a, token, nil
}

func (c *Client) request(ctx context.Context, q Request) (*http.Request, error) {
	target := q.Path
	if !strings.HasPrefix(target, "http://") && !strings.HasPrefix(target, "https://") {
		target = c.Base + q.Path
	} else if !strings.HasPrefix(target, c.origin()) {
		return nil, c.fault(q.Op, dayone.ErrInvalid, "", "the server sent us to another host")
	}
	if climbs(target) {
		return nil, c.fault(q.Op, dayone.ErrInvalid, "", "an id is . or .., which would make another address of the path")
	}
	if len(q.Query) > 0 {
		sep := "?"
		if strings.Contains(target, "?") {
			sep = "&"
		}
		target += sep + q.Query.Encode()
	}
	var body io.Reader
	typ := q.Type
	switch {
	case q.JSON != nil:
		b, err := json.Marshal(q.JSON)
		if err != nil {
			return nil, c.fault(q.Op, dayone.ErrInvalid, "", err.Error())
		}
		body = bytes.NewReader(b)
		if typ == "" {
			typ = "application/json"
		}
	case q.Form != nil:
		body, typ = strings.NewReader(q.Form.Encode()), "application/x-www-form-urlencoded"
	case q.Body != nil:
		body = bytes.NewReader(q.Body)
	}
	req, err := http.NewRequestWithContext(ctx, q.Method, target, body)
	if err != nil {
		return nil, c.fault(q.Op, dayone.ErrInvalid, "", "no valid request: "+err.Error())
	}
	for name, vs := range c.Header {
		req.Header[name] = vs
	}
	if typ != "" {
		req.Header.Set("Content-Type", typ)
	}
	req.Header.Set("Accept", "application/json")
	if q.Accept != "" {
		req.Header.Set("Accept", q.Accept)
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "dayone")
	}
	return req, nil
}

// climbs says that a segment of a path is a dot or two, written as they are or escaped: servers and proxies on the way would take
// it for a step up. Nothing that stands in a path is one; what looks so is an id that somebody chose.
func climbs(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	for segment := range strings.SplitSeq(path, "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".", "..":
			return true
		}
	}
	return false
}

func (c *Client) origin() string {
	u, err := url.Parse(c.Base)
	if err != nil {
		return c.Base
	}
	return u.Scheme + "://" + u.Host + "/"
}

func accepted(status int, ok []int) bool {
	if len(ok) == 0 {
		return status >= 200 && status < 300
	}
	for _, s := range ok {
		if s == status {
			return true
		}
	}
	return false
}

// lost is a call without an answer: nobody knows whether it was carried out.
func (c *Client) lost(ctx context.Context, op string, err error) error {
	if cause := ctx.Err(); cause != nil && errors.Is(cause, context.Canceled) {
		return cause
	}
	var f *dayone.Fault
	if errors.As(err, &f) { // the limiter's
		out := *f
		out.System, out.Op = c.System, op
		return &out
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the URL: it may hold what nobody should read
	}
	return c.fault(op, dayone.ErrUnavailable, "", err.Error())
}

// refusal classifies an answer: by the vendor's own code first, by status else.
func (c *Client) refusal(op string, a *Answer) error {
	var kind error
	code, detail := "", ""
	if c.Classify != nil {
		code, detail, kind = c.Classify(a.Status, a.Header, a.Body)
	}
	if kind == nil {
		kind = KindOf(a.Status)
	}
	if code == "" {
		code = fmt.Sprintf("HTTP %d", a.Status)
	}
	f := c.fault(op, kind, code, detail)
	if errors.Is(kind, dayone.ErrThrottled) || a.Header.Get("Retry-After") != "" {
		f.RetryAt = connector.RetryAt(a.Header, c.now())
	}
	return f
}

// KindOf is what a status means if the body does not say more.
func KindOf(status int) error {
	switch {
	case status == http.StatusUnauthorized:
		return dayone.ErrAuth
	case status == http.StatusForbidden:
		return dayone.ErrForbidden
	case status == http.StatusNotFound, status == http.StatusGone:
		return dayone.ErrNotFound
	case status == http.StatusConflict:
		return dayone.ErrConflict
	case status == http.StatusTooManyRequests:
		return dayone.ErrThrottled
	case status == http.StatusRequestTimeout, status >= 500:
		return dayone.ErrUnavailable
	case status >= 300 && status < 400:
		return dayone.ErrInvalid // a redirect is a wrong base URL
	default:
		return dayone.ErrInvalid
	}
}

func (c *Client) fault(op string, kind error, code, detail string) *dayone.Fault {
	const most = 300
	detail = strings.Join(strings.Fields(detail), " ")
	if len(detail) > most {
		detail = strings.ToValidUTF8(detail[:most], "") + "..."
	}
	return &dayone.Fault{System: c.System, Op: op, Err: kind, Code: code, Detail: detail}
}

// Fault makes an error of this client's system, for what only the connector can see.
func (c *Client) Fault(op string, kind error, code, detail string) error {
	return c.fault(op, kind, code, detail)
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// BrokeOff is what a refusal means that came instead of a later page of a list: the link or mark ran out, or the list changed
// while it was read. What was read is not all of it, a page that is gone is no word that something is not there, and reading it
// again from its beginning is none the worse.
func BrokeOff(err error) error {
	var f *dayone.Fault
	if !errors.As(err, &f) || !errors.Is(err, dayone.ErrInvalid) && !errors.Is(err, dayone.ErrNotFound) && !errors.Is(err, dayone.ErrConflict) {
		return err
	}
	out := *f
	out.Err, out.Detail = dayone.ErrUnavailable, strings.TrimSuffix("the list broke off: "+f.Detail, ": ")
	return &out
}

// NextLink is the rel="next" of Link headers, or "".
func NextLink(h http.Header) string {
	for _, line := range h.Values("Link") {
		for _, link := range strings.Split(line, ",") {
			target, params, ok := strings.Cut(strings.TrimSpace(link), ">")
			if !ok || !strings.HasPrefix(target, "<") {
				continue
			}
			for _, p := range strings.Split(params, ";") {
				p = strings.ReplaceAll(strings.TrimSpace(p), `"`, "")
				if strings.EqualFold(p, "rel=next") {
					return target[1:]
				}
			}
		}
	}
	return ""
}
