package scim

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// Type of a resource.
type Type string

const (
	User  Type = "User"
	Group Type = "Group"
)

// Client makes the calls of RFC 7644 that provisioning needs. It has the fields of httpc.Client: a vendor with errors of
// its own puts another Classify there, which may call this package's.
type Client struct {
	httpc.Client
	Quirks Quirks
}

// Quirks are what a server does otherwise than the standard, or leaves open. The zero value is the standard.
type Quirks struct {
	ContentType    string     // of what we send; "": application/scim+json
	Page           int        // the most that it gives in one page; 0: 100
	ActiveText     bool       // active is sent as "true" and "false"
	Patch          Patch      // how changes are written
	CapitalOps     bool       // Add, Replace, Remove
	RemoveByValue  bool       // a member is taken out by a list of values, not by a filter in the path
	DeleteDisables bool       // DELETE is how a user is disabled, and nothing destroys one
	HidesInactive  bool       // an inactive user is gone as far as we can tell
	HeldBy         Membership // how the groups of a user are found
	NoCreated      bool       // meta.created tells nothing
	// Filters are the names that paths have in filters, where they have another; "": the server cannot filter by this path,
	// and everybody is read instead.
	Filters map[string]string
}

// Patch is a way to write changes.
type Patch string

const (
	ByPath  Patch = ""      // PATCH with one path per operation
	ByValue Patch = "value" // PATCH without paths: what is in the value is replaced
	ByPut   Patch = "put"   // no PATCH: the whole resource is read, changed and put back
)

// Membership is a way to find the groups of a user.
type Membership string

const (
	ByGroups Membership = ""       // every group is read with its members
	ByFilter Membership = "filter" // groups filtered by members.value
	ByUser   Membership = "user"   // the attribute groups of the user
)

// NewClient reaches the server whose /Users is below base.
func NewClient(cfg connector.Config, base string, auth func(context.Context, *http.Request) error, q Quirks) *Client {
	if q.ContentType == "" {
		q.ContentType = "application/scim+json"
	}
	if q.Page <= 0 {
		q.Page = 100
	}
	return &Client{httpc.Client{
		System: cfg.System, Base: strings.TrimSuffix(base, "/"), HTTP: cfg.HTTP, Now: cfg.Now, Auth: auth, Classify: Classify,
	}, q}
}

// Classify reads {"schemas":[...Error],"detail":"...","status":"409","scimType":"uniqueness"}, and the older
// {"Errors":{"description":"...","code":409}}. https://www.rfc-editor.org/rfc/rfc7644#section-3.12
func Classify(status int, _ http.Header, body []byte) (code, detail string, kind error) {
	type old struct {
		Description string `json:"description"`
	}
	var e struct {
		ScimType string          `json:"scimType"`
		Detail   string          `json:"detail"`
		Message  string          `json:"message"`
		Errors   json.RawMessage `json:"Errors"`
	}
	if json.Unmarshal(body, &e) != nil {
		return "", "", nil
	}
	var one old
	var many []old
	switch {
	case json.Unmarshal(e.Errors, &one) == nil:
		code = one.Description
	case json.Unmarshal(e.Errors, &many) == nil && len(many) > 0:
		code = many[0].Description
	}
	if e.ScimType != "" {
		code = e.ScimType
	}
	detail = e.Detail
	if detail == "" {
		detail = e.Message
	}
	switch e.ScimType {
	case "uniqueness":
		return code, detail, dayone.ErrConflict
	case "noTarget":
		return code, detail, dayone.ErrNotFound
	case "invalidFilter", "tooMany", "invalidSyntax", "invalidPath", "invalidValue", "mutability", "sensitive":
		return code, detail, dayone.ErrInvalid
	}
	switch status {
	case http.StatusNotImplemented:
		return code, detail, dayone.ErrUnsupported
	case http.StatusPreconditionFailed: // somebody else wrote in between
		return code, detail, dayone.ErrNotYet
	}
	return code, detail, nil
}

func (c *Client) call(ctx context.Context, op, method, path string, query url.Values, in, out any) (*httpc.Answer, error) {
	q := httpc.Request{Op: op, Method: method, Path: path, Query: query, Accept: "application/scim+json, application/json"}
	if in != nil {
		q.JSON, q.Type = in, c.Quirks.ContentType
	}
	return c.Do(ctx, q, out)
}

func place(t Type, id string) string { return "/" + string(t) + "s/" + url.PathEscape(id) }

func (t Type) word() string { return strings.ToLower(string(t)) }

func (t Type) schema() string { return "urn:ietf:params:scim:schemas:core:2.0:" + string(t) }

// Ping says whether we are let in. Discovery is often open to all, so it asks for a user.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.call(ctx, "asking for a user", "GET", "/Users", url.Values{"startIndex": {"1"}, "count": {"1"}}, nil, nil)
	return err
}

// Get reads one. https://www.rfc-editor.org/rfc/rfc7644#section-3.4.1
func (c *Client) Get(ctx context.Context, t Type, id string) (Resource, error) {
	if id == "" {
		return nil, c.Fault("reading "+t.word(), dayone.ErrNotFound, "", "it has no id")
	}
	var r Resource
	if _, err := c.call(ctx, "reading "+t.word(), "GET", place(t, id), nil, nil, &r); err != nil {
		return nil, err
	}
	if c.hides(t, r) {
		return nil, c.Fault("reading "+t.word(), dayone.ErrNotFound, "", "it is not active any more")
	}
	return r, nil
}

func (c *Client) hides(t Type, r Resource) bool {
	return t == User && c.Quirks.HidesInactive && !r.Active()
}

// List streams what matches a filter; "" is everything. A list that changes while it is read is an error: what is missing
// from it would look gone. https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.4
func (c *Client) List(ctx context.Context, t Type, filter string) iter.Seq2[Resource, error] {
	op := "listing " + t.word() + "s"
	return func(yield func(Resource, error) bool) {
		seen, total := map[string]bool{}, -1
		for total < 0 || len(seen) < total {
			q := url.Values{"startIndex": {strconv.Itoa(len(seen) + 1)}, "count": {strconv.Itoa(c.Quirks.Page)}}
			if filter != "" {
				q.Set("filter", filter)
			}
			var page struct {
				Total     number     `json:"totalResults"`
				Resources []Resource `json:"Resources"`
			}
			if _, err := c.call(ctx, op, "GET", "/"+string(t)+"s", q, nil, &page); err != nil {
				yield(nil, err)
				return
			}
			before := len(seen)
			for _, r := range page.Resources {
				seen[r.ID()] = true
			}
			switch {
			case len(seen)-before != len(page.Resources), total >= 0 && int(page.Total) != total:
				yield(nil, c.Fault(op, dayone.ErrUnavailable, "", "it changed while it was read"))
				return
			case len(page.Resources) == 0 && before < int(page.Total):
				yield(nil, c.Fault(op, dayone.ErrUnavailable, "", fmt.Sprintf("it ended after %d of %d", before, page.Total)))
				return
			}
			total = int(page.Total)
			for _, r := range page.Resources {
				if !c.hides(t, r) && !yield(r, nil) {
					return
				}
			}
		}
	}
}

// Count is how many of a type the server says there are, by one request.
func (c *Client) Count(ctx context.Context, t Type) (int, error) {
	op := "counting " + t.word() + "s"
	var page struct {
		Total *number `json:"totalResults"`
	}
	if _, err := c.call(ctx, op, "GET", "/"+string(t)+"s", url.Values{"startIndex": {"1"}, "count": {"1"}}, nil, &page); err != nil {
		return 0, err
	}
	if page.Total == nil {
		return 0, c.Fault(op, dayone.ErrUnavailable, "", "the answer says no total")
	}
	return int(*page.Total), nil
}

// Find lists those that have a value; any of their mail addresses counts. What comes back is compared again, as some servers
// ignore a filter that they do not understand. Logins and mails are compared in any case, all else exactly.
func (c *Client) Find(ctx context.Context, t Type, attr, value string) ([]Resource, error) {
	p := parse(attr)
	name, other := c.Quirks.Filters[attr]
	if !other {
		name = p.filter()
	}
	filter := ""
	if name != "" {
		filter = name + " eq " + quote(value)
	}
	var out []Resource
	for r, err := range c.List(ctx, t, filter) {
		if err != nil {
			return nil, err
		}
		have := []string{r.Text(attr)}
		if p.main() {
			have = r.Values("emails")
		}
		if slices.ContainsFunc(have, func(h string) bool {
			return h == value || (p.main() || p.name == "userName") && strings.EqualFold(h, value)
		}) {
			out = append(out, r)
		}
	}
	return out, nil
}

// Create makes one; schemas are filled in. https://www.rfc-editor.org/rfc/rfc7644#section-3.3
func (c *Client) Create(ctx context.Context, t Type, r Resource) (Resource, error) {
	r = c.sendable(t, r)
	var made Resource
	a, err := c.call(ctx, "creating "+t.word(), "POST", "/"+string(t)+"s", nil, r, &made)
	if err != nil {
		return nil, err
	}
	if made.ID() == "" { // a server may answer with no more than the place
		if made == nil {
			made = r
		}
		if at, err := url.Parse(a.Header.Get("Location")); err == nil {
			made.Set("id", at.Path[strings.LastIndex(at.Path, "/")+1:])
		}
	}
	return made, nil
}

// sendable is a resource as a server takes it: with the schemas it uses, without what only the server writes.
func (c *Client) sendable(t Type, r Resource) Resource {
	r = r.Clone()
	schemas := []string{t.schema()}
	for k := range r {
		if strings.HasPrefix(k, "urn:") {
			schemas = append(schemas, k)
		}
	}
	slices.Sort(schemas[1:])
	r.Set("schemas", schemas)
	r.Set("meta", nil)
	if t == User {
		r.Set("groups", nil)
		if r.Text("active") != "" {
			r.Set("active", c.truth(r.Active()))
		}
	}
	return r
}

func (c *Client) truth(v bool) any {
	if c.Quirks.ActiveText {
		return strconv.FormatBool(v)
	}
	return v
}

// Update sets the values at these paths and leaves every other; nil takes one out. The resource is read first: whether a
// mail address is replaced or added depends on what is there.
func (c *Client) Update(ctx context.Context, t Type, id string, set map[string]any) error {
	r, err := c.Get(ctx, t, id)
	if err != nil {
		return err
	}
	paths := make([]string, 0, len(set))
	for p := range set {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	after := r.Clone()
	for _, p := range paths {
		after.Set(p, set[p])
	}
	switch c.Quirks.Patch {
	case ByPut:
		return c.replace(ctx, t, id, after)
	case ByValue:
		part := Resource{}
		for _, at := range paths {
			p, v := parse(at), set[at]
			switch {
			case p.many():
				in := map[string]any(part)
				if p.urn != "" {
					in = under(in, p.urn, true)
				}
				in[p.name] = after.whole(p)
			case v == nil:
				part.set(p, "") // there is no other way to say it without a path
			default:
				part.set(p, v)
			}
		}
		return c.patch(ctx, t, id, operation{Op: "replace", Value: part})
	}
	var ops []operation
	for _, p := range paths {
		ops = append(ops, change(r, parse(p), set[p])...)
	}
	return c.patch(ctx, t, id, ops...)
}

// change is what brings one value about, seen from what is there.
func change(r Resource, p path, v any) []operation {
	there := r.at(p) != nil
	at := p.String()
	if p.many() {
		es := list(r.whole(p))
		i := p.pick(es)
		if i < 0 {
			if v == nil {
				return nil
			}
			return []operation{{Op: "add", Path: p.head(), Value: []any{p.element(v)}}}
		}
		by, match := p.key, p.match
		if p.main() {
			by, match = "type", text(es[i]["type"])
			same := 0
			for _, e := range es {
				if text(e["type"]) == match {
					same++
				}
			}
			if match == "" || same > 1 { // the type would mean others as well
				by, match = "value", text(es[i]["value"])
			}
		}
		at = p.head() + "[" + by + " eq " + quote(match) + "]"
		if v != nil {
			at += "." + orValue(p.sub)
		}
	}
	switch {
	case v != nil:
		return []operation{{Op: "replace", Path: at, Value: v}}
	case there:
		return []operation{{Op: "remove", Path: at}}
	}
	return nil
}

// SetActive opens or closes a user.
func (c *Client) SetActive(ctx context.Context, id string, active bool) error {
	if c.Quirks.Patch == ByPut {
		return c.Update(ctx, User, id, map[string]any{"active": active})
	}
	op := operation{Op: "replace", Path: "active", Value: c.truth(active)}
	if c.Quirks.Patch == ByValue {
		op = operation{Op: "replace", Value: Resource{"active": c.truth(active)}}
	}
	return c.patch(ctx, User, id, op)
}

// Delete removes one, or disables it where the server means that.
func (c *Client) Delete(ctx context.Context, t Type, id string) error {
	_, err := c.call(ctx, "deleting "+t.word(), "DELETE", place(t, id), nil, nil, nil)
	return err
}

// AddMember puts a user into a group; it may be there already. https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.1
func (c *Client) AddMember(ctx context.Context, group, user string) error {
	one := []any{map[string]any{"value": user}}
	switch c.Quirks.Patch {
	case ByPut:
		return c.members(ctx, group, func(in []any) []any { return append(in, one...) }, user, true)
	case ByValue:
		return c.patch(ctx, Group, group, operation{Op: "add", Value: Resource{"members": one}})
	}
	return c.patch(ctx, Group, group, operation{Op: "add", Path: "members", Value: one})
}

// RemoveMember takes a user out of a group.
func (c *Client) RemoveMember(ctx context.Context, group, user string) error {
	switch {
	case c.Quirks.Patch == ByPut:
		return c.members(ctx, group, func(in []any) []any {
			return slices.DeleteFunc(in, func(e any) bool { return text(e) == user })
		}, user, false)
	case c.Quirks.RemoveByValue:
		return c.patch(ctx, Group, group, operation{Op: "remove", Path: "members", Value: []any{map[string]any{"value": user}}})
	}
	return c.patch(ctx, Group, group, operation{Op: "remove", Path: "members[value eq " + quote(user) + "]"})
}

// members writes the whole set, unless the user is in it, or is not, already.
func (c *Client) members(ctx context.Context, group string, change func([]any) []any, user string, want bool) error {
	g, err := c.Get(ctx, Group, group)
	if err != nil || slices.Contains(g.Values("members"), user) == want {
		return err
	}
	in, _ := g.at(parse("members")).([]any)
	g.Set("members", change(in))
	return c.replace(ctx, Group, group, g)
}

func (c *Client) replace(ctx context.Context, t Type, id string, r Resource) error {
	_, err := c.call(ctx, "updating "+t.word(), "PUT", place(t, id), nil, c.sendable(t, r), nil)
	return err
}

// operation of a PATCH. https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

func (c *Client) patch(ctx context.Context, t Type, id string, ops ...operation) error {
	if len(ops) == 0 {
		return nil
	}
	if c.Quirks.CapitalOps {
		for i, o := range ops {
			ops[i].Op = strings.ToUpper(o.Op[:1]) + o.Op[1:]
		}
	}
	body := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}
	_, err := c.call(ctx, "updating "+t.word(), "PATCH", place(t, id), nil, body, nil)
	return err
}

// number is an integer that some servers write as a string.
type number int

func (n *number) UnmarshalJSON(b []byte) error {
	i, err := strconv.Atoi(strings.Trim(string(b), `"`))
	*n = number(i)
	return err
}
