package unity

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// server is one Unity Connection as CUPI shows it.
type server struct {
	httpc.Client
	members bool // members of a list can be searched for
	zone    *time.Location
}

// pageRows is how many rows one list asks for.
const pageRows = 500

// object is one object of the wire. Every value is text there, true and numbers too; what is null or nested is not kept.
type object map[string]string

func (o object) id() string { return o["ObjectId"] }

func (o object) yes(name string) bool { return strings.EqualFold(o[name], "true") || o[name] == "1" }

// UnmarshalJSON takes what releases write for text: a number or a truth without quotes is the same.
func (o *object) UnmarshalJSON(raw []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return err
	}
	*o = object{}
	for name, v := range fields {
		switch v = bytes.TrimSpace(v); {
		case len(v) == 0 || v[0] == '{' || v[0] == '[' || string(v) == "null":
		case v[0] == '"':
			var s string
			if err := json.Unmarshal(v, &s); err != nil {
				return err
			}
			(*o)[name] = s
		default:
			(*o)[name] = string(v)
		}
	}
	return nil
}

// page is one page of a list. A list of one element comes as that element and not as an array of one, and one of none without
// any: the number of elements in all is what tells a list from something else.
type page struct {
	total int
	rows  []object
}

func (p *page) read(raw []byte, element string) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return err
	}
	p.total = -1
	for name, v := range fields {
		v = bytes.TrimSpace(v)
		switch {
		case strings.TrimLeft(name, "@-") == "total":
			n, err := strconv.Atoi(strings.Trim(string(v), `"`))
			if err != nil || n < 0 {
				return fmt.Errorf("%s is no number", name)
			}
			p.total = n
		case !strings.EqualFold(name, element) || string(v) == "null":
		case len(v) > 0 && v[0] == '[':
			if err := json.Unmarshal(v, &p.rows); err != nil {
				return err
			}
		default:
			var one object
			if err := json.Unmarshal(v, &one); err != nil {
				return err
			}
			p.rows = append(p.rows, one)
		}
	}
	if p.total < 0 {
		return errors.New("it holds no list")
	}
	return nil
}

// basic signs a request in.
func basic(user string, password dayone.Secret) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth(user, password.Reveal())
		return nil
	}
}

// classify reads a refusal. Its words are kept for the administrator; what they are is not documented, so that nothing but the
// status decides what it means.
func classify(status int, _ http.Header, body []byte) (code, detail string, kind error) {
	switch status {
	case http.StatusUnauthorized:
		return "", "the administrator's name or password is wrong, has expired or is locked; see Cisco Unity Connection Administration > Users", nil
	case http.StatusForbidden:
		return "", "the account lacks a role that provisions users; give it System Administrator, or User Administrator and Mailbox Access, in Cisco Unity Connection Administration > Users > Roles", nil
	}
	code, detail = said(body)
	return code, detail, nil
}

// said are code and message of an error, in either of the vendor's two languages.
func said(body []byte) (code, message string) {
	var tree any
	if json.Unmarshal(body, &tree) == nil {
		return find(tree, "code"), find(tree, "message")
	}
	var doc struct {
		Errors struct {
			Code    string `xml:"code"`
			Message string `xml:"message"`
		} `xml:"errors"`
	}
	if xml.Unmarshal(body, &doc) == nil {
		return doc.Errors.Code, doc.Errors.Message
	}
	return "", ""
}

// find is the first text of a name in a tree.
func find(tree any, name string) string {
	switch t := tree.(type) {
	case map[string]any:
		for k, v := range t {
			if s, ok := v.(string); ok && strings.EqualFold(k, name) {
				return s
			}
		}
		for _, v := range t {
			if s := find(v, name); s != "" {
				return s
			}
		}
	case []any:
		for _, v := range t {
			if s := find(v, name); s != "" {
				return s
			}
		}
	}
	return ""
}

// is is a query for one value, the only one that this interface knows besides "startswith". It has no way to quote.
func (s *server) is(op, column, value string) (url.Values, error) {
	if value == "" || strings.ContainsAny(value, "()") || strings.TrimSpace(value) != value {
		return nil, s.Fault(op, dayone.ErrInvalid, "", column+" is empty, holds parentheses or ends in a space: such a value cannot be searched for in Unity Connection, so give it another")
	}
	return url.Values{"query": {"(" + column + " is " + value + ")"}}, nil
}

// with is an address with a query. A space is %20 there, and a plus sign is one: extensions have it.
func with(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

// list pages through a list, and ends with an error if it was not the whole: what was missed would be taken for gone.
func (s *server) list(ctx context.Context, op, path, element string, query url.Values, each func(object) (bool, error)) error {
	seen := map[string]bool{}
	first := -1
	for n := 1; ; n++ {
		q := url.Values{"rowsPerPage": {strconv.Itoa(pageRows)}, "pageNumber": {strconv.Itoa(n)}}
		for k, v := range query {
			q[k] = v
		}
		a, err := s.Do(ctx, httpc.Request{Op: op, Method: "GET", Path: with(path, q)}, nil)
		if errors.Is(err, dayone.ErrNotFound) {
			return s.gone(ctx, op, err)
		}
		if err != nil {
			return err
		}
		var p page
		if err := p.read(a.Body, element); err != nil {
			return s.Fault(op, dayone.ErrUnavailable, fmt.Sprintf("HTTP %d", a.Status), "the answer is none that we understand: "+err.Error())
		}
		if first < 0 {
			first = p.total
		}
		for _, o := range p.rows {
			id := o.id()
			if id == "" {
				id = o["pkid"]
			}
			if id == "" {
				return s.Fault(op, dayone.ErrUnavailable, "", "a row has no id")
			}
			if seen[id] {
				continue
			}
			seen[id] = true
			if goOn, err := each(o); err != nil || !goOn {
				return err
			}
		}
		switch {
		case p.total < first:
			return s.Fault(op, dayone.ErrUnavailable, "", "something was deleted while the list was read, so that a row may be missing: it is read again later")
		case len(seen) >= p.total:
			return nil
		case len(p.rows) == 0:
			return s.Fault(op, dayone.ErrUnavailable, "", fmt.Sprintf("the server shows %d of %d", len(seen), p.total))
		}
	}
}

// all is a whole list.
func (s *server) all(ctx context.Context, op, path, element string, query url.Values) ([]object, error) {
	var out []object
	err := s.list(ctx, op, path, element, query, func(o object) (bool, error) {
		out = append(out, o)
		return true, nil
	})
	return out, err
}

// get reads one object. ErrNotFound: it is gone, and the service is there to say so.
func (s *server) get(ctx context.Context, op, path string) (object, *httpc.Answer, error) {
	var o object
	a, err := s.Do(ctx, httpc.Request{Op: op, Method: "GET", Path: path}, &o)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, a, s.gone(ctx, op, err)
	}
	if err == nil && len(o) == 0 {
		err = s.Fault(op, dayone.ErrUnavailable, "", "the answer is empty")
	}
	return o, a, err
}

// write makes a call that may change something.
func (s *server) write(ctx context.Context, op, method, path string, query url.Values, body any) (*httpc.Answer, error) {
	a, err := s.Do(ctx, httpc.Request{Op: op, Method: method, Path: with(path, query), JSON: body}, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, s.gone(ctx, op, err)
	}
	return a, err
}

// gone believes "not found" only where the service itself answers: a server that is starting, or another one at the same
// address, says the same of everything.
func (s *server) gone(ctx context.Context, op string, notFound error) error {
	if err := s.Ping(ctx); err != nil {
		return s.Fault(op, dayone.ErrUnavailable, "HTTP 404", "nothing answers at /vmrest/: the Connection REST service is not running, or the address is another server's (Cisco Unity Connection Serviceability > Tools > Service Management)")
	}
	return notFound
}

// Ping asks for one user.
func (s *server) Ping(ctx context.Context) error {
	a, err := s.Do(ctx, httpc.Request{Op: "checking access", Method: "GET", Path: "/vmrest/users?rowsPerPage=1&pageNumber=1"}, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return s.Fault("checking access", dayone.ErrUnavailable, "HTTP 404", "nothing answers at /vmrest/: the Connection REST service is not running, or the address is another server's")
	}
	if err != nil {
		return err
	}
	var p page
	if err := p.read(a.Body, "User"); err != nil {
		return s.Fault("checking access", dayone.ErrUnavailable, fmt.Sprintf("HTTP %d", a.Status), "the answer is none that we understand: "+err.Error())
	}
	return nil
}

// made is the id of what a call made: the end of the address that it answers with.
func (s *server) made(op string, a *httpc.Answer) (string, error) {
	at := a.Header.Get("Location")
	if at == "" {
		at = strings.TrimSpace(string(a.Body))
	}
	at = strings.TrimSuffix(at, "/")
	i := strings.LastIndex(at, "/")
	if i < 0 || i == len(at)-1 {
		return "", s.Fault(op, dayone.ErrNotYet, "", "the answer names no id")
	}
	return at[i+1:], nil
}

// user is where one user lies.
func user(ref string) string { return "/vmrest/users/" + url.PathEscape(ref) }
