package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Dialect is how a server differs from the standard. The zero value is a strict server by the book.
type Dialect struct {
	Base           string // path prefix; "": /scim/v2
	Token          string // bearer token; "": one of its own
	ContentType    string // the only one that it takes; "": application/scim+json and application/json
	User, Group    Schema // nil: the standard's
	ByValueOnly    bool   // PATCH takes no paths, but to remove
	PutOnly        bool   // there is no PATCH
	CapitalOps     bool   // Add, Replace, Remove, and nothing else
	RemoveByValue  bool   // members are removed by a list of values, and not by a filter
	ActiveText     bool   // active is text
	Silent         bool   // PATCH answers 204
	DeleteDisables bool   // DELETE makes inactive
	InactiveLeaves bool   // a user who becomes inactive is gone
	IgnoresFilters bool   // a filter that it cannot do is as good as none
	ShowsGroups    bool   // users carry their groups
	// Filters are the only names that a type can be filtered by, with eq only, in lower case, and the path that each stands
	// for; nil: all.
	Filters map[string]map[string]string
	// Number is the path of the employee number; "": externalId.
	Number string
	// Kind is what its groups are called among entitlements; "": group. Names are those it has by default.
	Kind  string
	Names []string
	// NewID makes an id; nil: a UUID.
	NewID func(r Resource) string
	// Allow is a vendor's own rule: it sees every user and one of them before and after a change; before is nil at birth,
	// after is nil at death.
	Allow func(all []Resource, before, after Resource) *Error
	// Body writes an error; nil: the standard's.
	Body func(e *Error) any
}

// Server keeps users and groups and answers for them.
type Server struct {
	d   Dialect
	opt sim.Options
	ids sim.IDs
	mux *http.ServeMux

	mu     sync.Mutex
	users  table
	groups table
}

// table is one type of resources in the order of their birth.
type table struct {
	name   string // User
	urn    string
	schema Schema
	rows   []*record
}

type record struct {
	r      Resource
	unseen int // lists that still miss it
}

// NewServer makes an empty server, but for the groups of the dialect or of o.Names.
func NewServer(o sim.Options, d Dialect) *Server {
	if d.Base == "" {
		d.Base = "/scim/v2"
	}
	if d.Token == "" {
		d.Token = "sim-scim-token"
	}
	if d.Number == "" {
		d.Number = "externalId"
	}
	if d.Kind == "" {
		d.Kind = "group"
	}
	if d.User == nil {
		d.User = UserSchema()
	}
	if d.Group == nil {
		d.Group = GroupSchema()
	}
	if d.ActiveText {
		d.User["active"] = Attribute{}
	}
	s := &Server{d: d, opt: o, users: table{name: "User", urn: userURN, schema: d.User}, groups: table{name: "Group", urn: groupURN, schema: d.Group}}
	if s.d.NewID == nil {
		s.d.NewID = func(Resource) string { return s.ids.Next("2819c223-7f76-453a-919d-", 12) }
	}
	names := o.Names[d.Kind]
	if o.Names == nil {
		names = d.Names
	}
	for _, n := range names {
		s.Put("Group", Resource{"displayName": n})
	}
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("GET "+d.Base+"/ServiceProviderConfig", s.config)
	for _, t := range []*table{&s.users, &s.groups} {
		at := d.Base + "/" + t.name + "s"
		s.mux.HandleFunc("GET "+at, s.on(t, s.list))
		s.mux.HandleFunc("POST "+at, s.on(t, s.create))
		s.mux.HandleFunc("GET "+at+"/{id}", s.on(t, s.get))
		s.mux.HandleFunc("PUT "+at+"/{id}", s.on(t, s.replace))
		s.mux.HandleFunc("PATCH "+at+"/{id}", s.on(t, s.patch))
		s.mux.HandleFunc("DELETE "+at+"/{id}", s.on(t, s.remove))
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.Fail(w, &Error{404, "", "There is no endpoint " + r.URL.Path + " for " + r.Method + "."})
	})
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Put makes a resource as it is, without any check, and returns its id.
func (s *Server) Put(name string, r Resource) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(name)
	s.born(t, r)
	t.rows = append(t.rows, &record{r: r})
	return r["id"].(string)
}

// All are copies of every resource of a type.
func (s *Server) All(name string) []Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.table(name).all()
}

func (s *Server) table(name string) *table {
	if name == "Group" {
		return &s.groups
	}
	return &s.users
}

func (t *table) all() []Resource {
	var out []Resource
	for _, row := range t.rows {
		out = append(out, deep(row.r).(Resource))
	}
	return out
}

func (s *Server) born(t *table, r Resource) {
	now := s.opt.Time().Format(time.RFC3339Nano)
	id := s.d.NewID(r)
	r["id"], r["meta"] = id, map[string]any{"resourceType": t.name, "created": now, "lastModified": now, "version": `W/"1"`}
	if r["schemas"] == nil {
		r["schemas"] = []any{t.urn}
	}
	if t.name == "User" && r["active"] == nil {
		r["active"] = s.truth(true)
	}
}

func (s *Server) truth(v bool) any {
	if s.d.ActiveText {
		return strconv.FormatBool(v)
	}
	return v
}

func active(r Resource) bool {
	return r["active"] == true || strings.EqualFold(fmt.Sprint(r["active"]), "true")
}

// Fail writes an error.
func (s *Server) Fail(w http.ResponseWriter, e *Error) {
	if s.d.Body != nil {
		s.answer(w, e.Status, s.d.Body(e))
		return
	}
	s.answer(w, e.Status, Body(e))
}

// Body is the standard's error body.
func Body(e *Error) any {
	body := map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "detail": e.Detail, "status": strconv.Itoa(e.Status),
	}
	if e.Type != "" {
		body["scimType"] = e.Type
	}
	return body
}

func (s *Server) answer(w http.ResponseWriter, status int, v any) {
	typ := "application/scim+json"
	if s.d.ContentType != "" {
		typ = s.d.ContentType
	}
	w.Header().Set("Content-Type", typ)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// on checks who calls and with what, and holds the lock.
func (s *Server) on(t *table, handle func(http.ResponseWriter, *http.Request, *table) *Error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+s.d.Token {
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.Fail(w, &Error{401, "", "Authorization failure. The authorization header is invalid or missing."})
			return
		}
		if r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH" {
			typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
			if typ != s.d.ContentType && (s.d.ContentType != "" || typ != "application/scim+json" && typ != "application/json") {
				s.Fail(w, &Error{415, "", "Content type " + typ + " is not supported."})
				return
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := handle(w, r, t); err != nil {
			s.Fail(w, err)
		}
	}
}

func (s *Server) config(w http.ResponseWriter, _ *http.Request) {
	does := func(v bool) map[string]any { return map[string]any{"supported": v} }
	s.answer(w, 200, map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch":   does(!s.d.PutOnly), "bulk": map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter": map[string]any{"supported": true, "maxResults": s.opt.PageSize()}, "changePassword": does(false), "sort": does(false), "etag": does(false),
		"authenticationSchemes": []any{map[string]string{"type": "oauthbearertoken", "name": "Bearer", "description": "A token of the administrator."}},
	})
}

// show is a resource as it is answered.
func (s *Server) show(r *http.Request, t *table, in Resource) Resource {
	out := deep(in).(Resource)
	delete(out, "password")
	if meta, ok := out["meta"].(map[string]any); ok {
		meta["location"] = "http://" + r.Host + s.d.Base + "/" + t.name + "s/" + fmt.Sprint(out["id"])
	}
	if t.name == "User" && s.d.ShowsGroups {
		var in []any
		for _, g := range s.groups.rows {
			if member(g.r, out["id"]) {
				in = append(in, map[string]any{"value": g.r["id"], "display": g.r["displayName"], "type": "direct"})
			}
		}
		if in != nil {
			out["groups"] = in
		}
	}
	return out
}

func member(g Resource, id any) bool { return slices.Contains(leaves(g, "members"), id) }

func (s *Server) record(r *http.Request, t *table) (*record, *Error) {
	for _, row := range t.rows {
		if row.r["id"] == r.PathValue("id") {
			return row, nil
		}
	}
	return nil, &Error{404, "", "Resource " + r.PathValue("id") + " not found."}
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, t *table) *Error {
	row, err := s.record(r, t)
	if err == nil {
		s.answer(w, 200, s.show(r, t, row.r))
	}
	return err
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, t *table) *Error {
	q := r.URL.Query()
	f, err := s.filter(q.Get("filter"), t)
	if err != nil {
		return err
	}
	from, count := 1, s.opt.PageSize()
	for name, to := range map[string]*int{"startIndex": &from, "count": &count} {
		if v := q.Get(name); v != "" {
			n, bad := strconv.Atoi(v)
			if bad != nil {
				return invalid("invalidValue", "%s is no number.", name)
			}
			*to = n
		}
	}
	from, count = max(from, 1), min(max(count, 0), s.opt.PageSize())
	var found []any
	for _, row := range t.rows {
		switch {
		case f != nil && !f.Match(row.r):
		case row.unseen > 0:
			row.unseen--
		default:
			found = append(found, s.show(r, t, row.r))
		}
	}
	page := found[min(from-1, len(found)):min(from-1+count, len(found))]
	out := map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": len(found), "startIndex": from, "itemsPerPage": len(page),
	}
	if len(page) > 0 { // there may be no Resources if there are none
		out["Resources"] = page
	}
	s.answer(w, 200, out)
	return nil
}

// filter parses one, and refuses what this server cannot filter by.
func (s *Server) filter(text string, t *table) (*Filter, *Error) {
	if text == "" {
		return nil, nil
	}
	f, err := ParseFilter(text)
	if err != nil {
		return nil, invalid("invalidFilter", "%v", err)
	}
	known := true
	for _, l := range f.Leaves() {
		if s.d.Filters[t.name] == nil {
			known = known && t.knows(l.Path)
			continue
		}
		path, ok := s.d.Filters[t.name][l.Path]
		known = known && ok && l.Op == "eq"
		l.Path = path
	}
	switch {
	case known:
		return f, nil
	case s.d.IgnoresFilters:
		return nil, nil
	default:
		return nil, invalid("invalidFilter", "The specified filter is not supported.")
	}
}

func (t *table) knows(path string) bool {
	name, _, _ := strings.Cut(path, ".")
	if i := urnEnd(path); i > 0 {
		name = path[:i]
	}
	_, _, ok := named(t.schema, name)
	return ok
}

func (s *Server) create(w http.ResponseWriter, r *http.Request, t *table) *Error {
	n, err := s.body(r, t)
	if err != nil {
		return err
	}
	s.born(t, n)
	if err := s.check(t, nil, n); err != nil {
		return err
	}
	t.rows = append(t.rows, &record{r: n, unseen: s.opt.Lag})
	out := s.show(r, t, n)
	w.Header().Set("Location", fmt.Sprint(out["meta"].(map[string]any)["location"]))
	s.answer(w, 201, out)
	return nil
}

// body reads a whole resource.
func (s *Server) body(r *http.Request, t *table) (Resource, *Error) {
	var in map[string]any
	if sim.Read(r, &in) != nil {
		return nil, invalid("invalidSyntax", "The request body is no JSON object.")
	}
	n, err := read(in, t.schema)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(elements(n["schemas"]), any(t.urn)) {
		return nil, invalid("invalidSyntax", "The schema %s is not declared.", t.urn)
	}
	return n, nil
}

// check says whether a resource may be as it is now.
func (s *Server) check(t *table, before, after Resource) *Error {
	if after != nil {
		if err := complete(after, t.schema); err != nil {
			return err
		}
		for _, row := range t.rows {
			for name, a := range t.schema {
				if a.Unique && row.r["id"] != after["id"] && strings.EqualFold(fmt.Sprint(row.r[name]), fmt.Sprint(after[name])) {
					return &Error{409, "uniqueness", t.name + " already exists in the database."}
				}
			}
		}
		for _, id := range leaves(after, "members") {
			if !slices.ContainsFunc(s.users.rows, func(u *record) bool { return u.r["id"] == id }) {
				return invalid("invalidValue", "There is no user %v.", id)
			}
		}
	}
	if t.name == "User" && s.d.Allow != nil {
		return s.d.Allow(t.all(), before, after)
	}
	return nil
}

// store puts a changed resource in the place of the old one.
func (s *Server) store(t *table, row *record, after Resource) *Error {
	if err := s.check(t, row.r, after); err != nil {
		return err
	}
	if !reflect.DeepEqual(row.r, after) {
		meta := after["meta"].(map[string]any)
		var v int
		_, _ = fmt.Sscanf(fmt.Sprint(meta["version"]), `W/"%d"`, &v)
		meta["lastModified"], meta["version"] = s.opt.Time().Format(time.RFC3339Nano), fmt.Sprintf(`W/"%d"`, v+1)
	}
	row.r = after
	if t.name == "User" && s.d.InactiveLeaves && !active(after) {
		s.drop(t, row)
	}
	return nil
}

// drop forgets a resource, and who was in its groups.
func (s *Server) drop(t *table, row *record) {
	t.rows = slices.DeleteFunc(t.rows, func(o *record) bool { return o == row })
	for _, g := range s.groups.rows {
		_ = subtract(g.r, "members", []any{map[string]any{"value": row.r["id"]}})
	}
}

func (s *Server) replace(w http.ResponseWriter, r *http.Request, t *table) *Error {
	row, err := s.record(r, t)
	if err != nil {
		return err
	}
	n, err := s.body(r, t)
	if err != nil {
		return err
	}
	n["id"], n["meta"] = row.r["id"], deep(row.r["meta"])
	if t.name == "User" && n["active"] == nil {
		n["active"] = s.truth(true)
	}
	if err := s.store(t, row, n); err != nil {
		return err
	}
	s.answer(w, 200, s.show(r, t, row.r))
	return nil
}

func (s *Server) patch(w http.ResponseWriter, r *http.Request, t *table) *Error {
	row, err := s.record(r, t)
	switch {
	case err != nil:
		return err
	case s.d.PutOnly:
		return &Error{501, "", "PATCH is not supported."}
	}
	var in struct {
		Schemas    []string    `json:"schemas"`
		Operations []operation `json:"Operations"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if d.Decode(&in) != nil || !slices.Contains(in.Schemas, "urn:ietf:params:scim:api:messages:2.0:PatchOp") || len(in.Operations) == 0 {
		return invalid("invalidSyntax", "The request body is no PatchOp.")
	}
	after := deep(row.r).(Resource)
	for _, o := range in.Operations {
		if s.d.CapitalOps {
			if o.Op == "" || o.Op[0] < 'A' || o.Op[0] > 'Z' {
				return invalid("invalidSyntax", "There is no operation %q.", o.Op)
			}
			o.Op = strings.ToLower(o.Op[:1]) + o.Op[1:]
		}
		if err := s.d.apply(after, t.schema, o); err != nil {
			return err
		}
	}
	for name := range t.schema { // an operation may bring an extension along
		if strings.HasPrefix(name, "urn:") && after[name] != nil && !slices.Contains(elements(after["schemas"]), any(name)) {
			after["schemas"] = append(elements(after["schemas"]), name)
		}
	}
	if err := s.store(t, row, after); err != nil {
		return err
	}
	if s.d.Silent {
		w.WriteHeader(204)
		return nil
	}
	s.answer(w, 200, s.show(r, t, row.r))
	return nil
}

func (s *Server) remove(w http.ResponseWriter, r *http.Request, t *table) *Error {
	row, err := s.record(r, t)
	if err != nil {
		return err
	}
	if t.name == "User" && s.d.DeleteDisables {
		after := deep(row.r).(Resource)
		after["active"] = s.truth(false)
		if err := s.store(t, row, after); err != nil {
			return err
		}
		w.WriteHeader(204)
		return nil
	}
	if err := s.check(t, row.r, nil); err != nil {
		return err
	}
	s.drop(t, row)
	w.WriteHeader(204)
	return nil
}

func deep(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := maps.Clone(x)
		for k, e := range out {
			out[k] = deep(e)
		}
		return out
	case []any:
		out := slices.Clone(x)
		for i, e := range out {
			out[i] = deep(e)
		}
		return out
	default:
		return v
	}
}
