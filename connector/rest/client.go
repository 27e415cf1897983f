package rest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/defined"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// client makes calls as they are defined.
type client struct {
	httpc.Client
	def   *definition
	man   *connector.Manifest
	types map[string]string // of attributes, as the application takes them
	reach *defined.Reach
}

func newClient(cfg connector.Config, def *definition) (*client, error) {
	c := &client{def: def, man: cfg.Manifest, types: map[string]string{"id": itself, "account": itself, "once": itself}}
	for name, a := range def.Accounts.Attributes {
		c.types[name] = a.Type
	}
	c.Client = httpc.Client{
		System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now, Classify: c.classify, Header: http.Header{},
	}
	for name, v := range def.Headers {
		c.Header.Set(name, v)
	}
	return c, c.authorise(cfg)
}

// authorise says how requests are let in.
func (c *client) authorise(cfg connector.Config) error {
	need := func(names ...string) error {
		for _, name := range names {
			if cfg.Settings[name] == "" && cfg.Secrets[name].IsZero() {
				return &connector.SettingError{Setting: name, Text: "auth is " + cfg.Settings["auth"] + ", which needs the setting " + name, Hint: cfg.Manifest.Settings[name].Help}
			}
		}
		return nil
	}
	s, secrets := cfg.Settings, cfg.Secrets
	switch s["auth"] {
	case "bearer":
		c.Auth = httpc.Bearer("Bearer", secrets["token"])
		return need("token")
	case "header":
		c.Auth = func(_ context.Context, r *http.Request) error {
			r.Header.Set(s["header"], secrets["token"].Reveal())
			return nil
		}
		return need("header", "token")
	case "basic":
		c.Auth = func(_ context.Context, r *http.Request) error {
			r.SetBasicAuth(s["user"], secrets["password"].Reveal())
			return nil
		}
		return need("user", "password")
	}
	door := httpc.Client{System: cfg.System, Base: s["token_url"], HTTP: cfg.HTTP, Now: cfg.Now, Classify: refusedToken}
	c.Tokens = &httpc.Tokens{Now: cfg.Now, Fetch: func(ctx context.Context) (dayone.Secret, time.Duration, error) {
		form := url.Values{"grant_type": {"client_credentials"}}
		if s["scope"] != "" {
			form.Set("scope", s["scope"])
		}
		if s["client_auth"] == "body" {
			form.Set("client_id", s["client_id"])
			form.Set("client_secret", secrets["client_secret"].Reveal())
		} else {
			door.Auth = func(_ context.Context, r *http.Request) error { // RFC 6749, 2.3.1
				r.SetBasicAuth(url.QueryEscape(s["client_id"]), url.QueryEscape(secrets["client_secret"].Reveal()))
				return nil
			}
		}
		var out struct {
			Token string `json:"access_token"`
			Life  int    `json:"expires_in"`
		}
		if _, err := door.Do(ctx, httpc.Request{Op: "fetching a token", Method: http.MethodPost, Form: form}, &out); err != nil {
			return dayone.Secret{}, 0, next(err, dayone.ErrAuth, "look whether the client's secret has expired, and put the new one into the setting client_secret")
		}
		if out.Token == "" {
			return dayone.Secret{}, 0, door.Fault("fetching a token", dayone.ErrAuth, "", "the answer has no access_token; is token_url right?")
		}
		return dayone.NewSecret(out.Token), time.Duration(out.Life) * time.Second, nil
	}}
	return need("token_url", "client_id", "client_secret")
}

// refusedToken reads RFC 6749, 5.2: a client that is not let in is told so with 400 as well.
func refusedToken(status int, _ http.Header, body []byte) (code, detail string, kind error) {
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(body, &e)
	switch e.Error {
	case "invalid_client", "unauthorized_client", "invalid_grant":
		kind = dayone.ErrAuth
	case "invalid_scope":
		kind = dayone.ErrForbidden
	}
	return e.Error, e.Description, kind
}

// next says what somebody does about a refusal of a kind, if nobody has said so yet.
func next(err, kind error, text string) error {
	var f *dayone.Fault
	if !errors.As(err, &f) || f.Next != "" || !errors.Is(err, kind) {
		return err
	}
	out := *f
	out.Next = text
	return &out
}

// classify reads a refusal: by the definition's rules first. A page where JSON belongs is no answer about an account: a
// proxy's "not found" must not pass for the application's.
func (c *client) classify(status int, header http.Header, raw []byte) (code, detail string, kind error) {
	answer, err := decode(raw)
	if err == nil {
		if c.def.Error.Code != "" {
			code, _ = c.def.Error.Code.text(answer)
		}
		if c.def.Error.Detail != "" {
			detail, _ = c.def.Error.Detail.text(answer)
		}
	}
	if r := c.def.rule(status, answer); r != nil {
		return code, detail, r.err
	}
	if (status == http.StatusNotFound || status == http.StatusGone) && strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		return code, "a page came instead of an answer; is the setting url right, and is nothing between that answers itself?", dayone.ErrUnavailable
	}
	return code, detail, nil
}

// rule is the first one that fits an answer, or nil.
func (d *definition) rule(status int, answer any) *rule {
	for i := range d.Errors {
		r := &d.Errors[i]
		if len(r.Status) > 0 && !slices.Contains(r.Status, status) {
			continue
		}
		if len(r.Is) > 0 {
			if word, ok := r.At.text(answer); !ok || !slices.Contains(r.Is, word) {
				continue
			}
		}
		if len(r.Status) == 0 && status < 400 {
			continue // a rule for every refusal is none for a success
		}
		return r
	}
	return nil
}

// do makes a call and reads its answer; nil: there was none.
func (c *client) do(ctx context.Context, op string, q *call, v values, only dayone.Attrs) (any, *httpc.Answer, error) {
	path, err := q.path.path(v)
	if err != nil {
		return nil, nil, c.Fault(op, dayone.ErrInvalid, "", err.Error())
	}
	req := httpc.Request{Op: op, Method: q.Method, Path: path, Query: url.Values{}}
	for name, t := range q.query {
		req.Query.Set(name, t.fill(v))
	}
	switch {
	case len(q.form) > 0:
		req.Form = url.Values{}
		for name, t := range q.form {
			b := body{shape: words, text: t}
			text, said, err := b.render(v, nil, only)
			if err != nil {
				return nil, nil, c.Fault(op, dayone.ErrInvalid, "", err.Error())
			}
			if said {
				req.Form.Set(name, fmt.Sprint(text))
			}
		}
	case q.body.shape != 0:
		tree, _, err := q.body.render(v, c.types, only)
		if err != nil {
			return nil, nil, c.Fault(op, dayone.ErrInvalid, "", err.Error())
		}
		req.JSON = tree
	}
	return c.send(ctx, req)
}

func (c *client) send(ctx context.Context, req httpc.Request) (any, *httpc.Answer, error) {
	a, err := c.Do(ctx, req, nil)
	if err != nil {
		return nil, a, c.advise(err, a)
	}
	if len(bytes.TrimSpace(a.Body)) == 0 {
		return nil, a, nil
	}
	answer, err := decode(a.Body)
	if err != nil {
		return nil, a, c.Fault(req.Op, dayone.ErrUnavailable, fmt.Sprintf("HTTP %d", a.Status), err.Error())
	}
	if r := c.def.rule(a.Status, answer); r != nil { // an application that says no with 200
		code, detail, _ := c.classify(a.Status, a.Header, a.Body)
		return nil, a, c.advise(c.Fault(req.Op, r.err, cmp.Or(code, fmt.Sprintf("HTTP %d", a.Status)), detail), a)
	}
	return answer, a, nil
}

// advise says what somebody does about a refusal.
func (c *client) advise(err error, a *httpc.Answer) error {
	if a != nil {
		answer, _ := decode(a.Body)
		if r := c.def.rule(a.Status, answer); r != nil && r.Next != "" {
			return next(err, r.err, r.Next)
		}
	}
	err = next(err, dayone.ErrAuth, "look in "+c.man.Title+" whether the credential has expired or was revoked, and put a new one into the settings")
	return next(err, dayone.ErrForbidden, "give the owner of the credential the right to do this in "+c.man.Title)
}

// listing is one list while it is read.
type listing struct {
	seen  map[string]bool // pages' addresses or cursors
	ids   map[string]bool
	total int // -1: nobody said
}

// list streams what a list holds. One that goes in a circle, shows something twice or ends too early is an error: what it
// misses would look gone.
func (c *client) list(ctx context.Context, op string, q *call, v values, id pointer) iter.Seq2[any, error] {
	p := cmp.Or(q.Paging, c.def.Paging)
	return func(yield func(any, error) bool) {
		l := listing{seen: map[string]bool{}, ids: map[string]bool{}, total: -1}
		page := *q
		extra := map[string]string{}
		if p.Size != "" {
			extra[p.Size] = strconv.Itoa(p.Most)
		}
		switch p.By {
		case "page":
			extra[p.Parameter] = strconv.Itoa(p.First)
		case "offset":
			extra[p.Parameter] = "0"
		}
		address := ""
		for n := 0; ; n++ {
			page.query = map[string]template{}
			for name, t := range q.query {
				page.query[name] = t
			}
			for name, text := range extra {
				page.query[name] = template{{text: text}}
			}
			var answer any
			var a *httpc.Answer
			var err error
			if address == "" {
				answer, a, err = c.do(ctx, op, &page, v, nil)
			} else {
				answer, a, err = c.send(ctx, httpc.Request{Op: op, Method: q.Method, Path: address})
			}
			var items []any
			if errors.Is(err, dayone.ErrNotFound) && len(q.path.refs()) == 0 {
				err = c.Fault(op, dayone.ErrUnavailable, "HTTP 404", "the list itself is not found; is its path right in the definition?")
			}
			if err == nil {
				items, err = c.items(op, q, answer)
			}
			if err == nil {
				err = c.orderly(op, &l, p, answer, items, id)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, it := range items {
				if !yield(it, nil) {
					return
				}
			}
			more := false
			if address, more, err = c.turn(op, &l, p, extra, answer, a, len(items), n); err != nil {
				yield(nil, err)
				return
			}
			if !more {
				if l.total >= 0 && len(l.ids) != l.total {
					yield(nil, c.Fault(op, dayone.ErrUnavailable, "", fmt.Sprintf("the list ends after %d of %d", len(l.ids), l.total)))
				}
				return
			}
		}
	}
}

// items are the list in an answer. null is an empty one; nothing at all is none.
func (c *client) items(op string, q *call, answer any) ([]any, error) {
	at, ok := q.Items.in(answer)
	if !ok {
		return nil, c.Fault(op, dayone.ErrUnavailable, "", fmt.Sprintf("the answer has nothing at %q; is items right in the definition?", *q.Items))
	}
	switch list := at.(type) {
	case nil:
		if answer == nil { // not even an answer
			return nil, c.Fault(op, dayone.ErrUnavailable, "", "the answer is empty")
		}
		return nil, nil
	case []any:
		return list, nil
	}
	return nil, c.Fault(op, dayone.ErrUnavailable, "", fmt.Sprintf("what stands at %q is no list; is items right in the definition?", *q.Items))
}

// orderly finds what shows that a list cannot be believed.
func (c *client) orderly(op string, l *listing, p *paging, answer any, items []any, id pointer) error {
	for _, it := range items {
		ref, ok := id.text(it)
		if !ok || ref == "" {
			return c.Fault(op, dayone.ErrUnavailable, "", fmt.Sprintf("an entry has no id at %q; is it right in the definition?", id))
		}
		if l.ids[ref] {
			return c.Fault(op, dayone.ErrUnavailable, "", "the list shows "+ref+" twice: it changed while it was read, or its paging is not what the definition says")
		}
		l.ids[ref] = true
	}
	if p.Total == "" {
		return nil
	}
	text, _ := p.Total.text(answer)
	total, err := strconv.Atoi(text)
	if err != nil {
		return c.Fault(op, dayone.ErrUnavailable, "", fmt.Sprintf("there is no number at %q; is paging.total right in the definition?", p.Total))
	}
	if l.total >= 0 && l.total != total {
		return c.Fault(op, dayone.ErrUnavailable, "", "the list changed while it was read")
	}
	l.total = total
	return nil
}

// turn goes to the next page, if there is one. address is where it is, if the application says so by itself.
func (c *client) turn(op string, l *listing, p *paging, extra map[string]string, answer any, a *httpc.Answer, got, n int) (address string, more bool, err error) {
	switch p.By {
	case "page":
		extra[p.Parameter] = strconv.Itoa(p.First + n + 1)
		return "", got > 0 && (l.total < 0 || len(l.ids) < l.total), nil
	case "offset":
		extra[p.Parameter] = strconv.Itoa(len(l.ids))
		return "", got > 0 && (l.total < 0 || len(l.ids) < l.total), nil
	case "none":
		return "", false, nil
	}
	mark := ""
	switch {
	case p.By == "link" && p.Next == "":
		mark = httpc.NextLink(a.Header)
	default:
		mark, _ = p.Next.text(answer)
	}
	if mark == "" {
		return "", false, nil
	}
	if l.seen[mark] {
		return "", false, c.Fault(op, dayone.ErrUnavailable, "", "the list goes in a circle")
	}
	l.seen[mark] = true
	if p.By == "cursor" {
		extra[p.Parameter] = mark
		return "", true, nil
	}
	at, err := url.Parse(c.Base + "/")
	if err == nil {
		at, err = at.Parse(mark)
	}
	if err != nil {
		return "", false, c.Fault(op, dayone.ErrUnavailable, "", "the next page has no address that we understand")
	}
	return at.String(), true, nil
}
