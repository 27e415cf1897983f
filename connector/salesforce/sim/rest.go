package sim

import (
	"crypto/subtle"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	stamp    = "2006-01-02T15:04:05.000-0700"
	dataPath = "/services/data/" + version
)

func created(u record) time.Time {
	t, _ := time.Parse(stamp, u.text("CreatedDate"))
	return t.UTC()
}

// fault is one error of the array that Salesforce answers.
type fault struct {
	status  int
	code    string
	message string
	fields  []string
}

func (f *fault) write(w http.ResponseWriter) {
	e := map[string]any{"message": f.message, "errorCode": f.code}
	if f.fields != nil {
		e["fields"] = f.fields
	}
	sim.JSON(w, f.status, []any{e})
}

var missing = &fault{404, "NOT_FOUND", "The requested resource does not exist", nil}

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/services/oauth2/token" {
		s.token(w, r)
		return
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	scim := strings.HasPrefix(r.URL.Path, scimPath)
	s.calls++
	w.Header().Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", min(s.calls, s.limit), s.limit))
	switch rest, isData := strings.CutPrefix(r.URL.Path, dataPath+"/"); {
	case !s.sessions[bearer] && !(scim && bearer == provisioner) && !sim.Replaying(r):
		(&fault{401, "INVALID_SESSION_ID", "Session expired or invalid", nil}).write(w)
	case s.calls > s.limit:
		(&fault{403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", nil}).write(w)
	case scim:
		s.serveSCIM(w, r)
	case isData && strings.HasPrefix(rest, "query"):
		s.query(w, r, strings.TrimPrefix(strings.TrimPrefix(rest, "query"), "/"))
	case isData && strings.HasPrefix(rest, "sobjects/"):
		s.sobject(w, r, strings.Split(strings.TrimPrefix(rest, "sobjects/"), "/"))
	default:
		missing.write(w)
	}
}

// token is the client credentials flow: no word about when it ends.
func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	fail := func(code, text string) { sim.JSON(w, 400, map[string]string{"error": code, "error_description": text}) }
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	switch {
	case r.Method != "POST" || r.ParseForm() != nil:
		fail("invalid_request", "must use HTTP POST")
	case r.PostForm.Get("grant_type") != "client_credentials":
		fail("unsupported_grant_type", "grant type not supported")
	case !same(r.PostForm.Get("client_id"), clientID):
		fail("invalid_client_id", "client identifier invalid")
	case !same(r.PostForm.Get("client_secret"), clientSecret):
		fail("invalid_client", "invalid client credentials")
	default:
		t := s.ids.Next("00Dsim!AQ", 12)
		s.sessions[t] = true
		sim.JSON(w, 200, map[string]string{
			"access_token": t, "instance_url": "http://" + r.Host, "id": "http://" + r.Host + "/id/00Dsim/005sim", "token_type": "Bearer",
			"issued_at": strconv.FormatInt(s.opt.Time().UnixMilli(), 10), "scope": "api",
		})
	}
}

// query runs SOQL, or goes on where a page ended.
func (s *Sim) query(w http.ResponseWriter, r *http.Request, cursor string) {
	if r.Method != "GET" {
		(&fault{405, "METHOD_NOT_ALLOWED", "HTTP Method '" + r.Method + "' not allowed. Allowed are GET", nil}).write(w)
		return
	}
	from := 0
	var all []map[string]any
	if cursor != "" {
		id, n, _ := strings.Cut(cursor, "-")
		at, err := strconv.Atoi(n)
		known := false
		if all, known = s.cursors[id]; !known || err != nil || at > len(all) {
			(&fault{400, "INVALID_QUERY_LOCATOR", "invalid query locator", nil}).write(w)
			return
		}
		cursor, from = id, at
	} else {
		q, f := s.parse(r.URL.Query().Get("q"))
		if f == nil {
			all, f = s.run(q)
		}
		if f != nil {
			f.write(w)
			return
		}
	}
	to := min(from+s.opt.PageSize(), len(all))
	out := map[string]any{"totalSize": len(all), "done": to == len(all), "records": append([]map[string]any{}, all[from:to]...)}
	if to < len(all) {
		if cursor == "" {
			cursor = s.pages.Next("01g", 15)
			s.cursors[cursor] = all
		}
		out["nextRecordsUrl"] = fmt.Sprintf("%s/query/%s-%d", dataPath, cursor, to)
	}
	sim.JSON(w, 200, out)
}

// writable are the methods that objects take, and the fields that may be set.
var writable = map[string]map[string][]string{
	"User":                    {"PATCH": {"Username", "Email", "FirstName", "LastName", "Title", "Department", "EmployeeNumber", "FederationIdentifier", "IsActive", "ProfileId"}},
	"AuthSession":             {"DELETE": nil},
	"OauthToken":              {"DELETE": nil},
	"UserLogin":               {"PATCH": {"IsFrozen"}},
	"GroupMember":             {"POST": {"GroupId", "UserOrGroupId"}, "DELETE": nil},
	"PermissionSetAssignment": {"POST": {"PermissionSetId", "AssigneeId"}, "DELETE": nil},
}

// sobject writes one row: sobjects/NAME to make it, sobjects/NAME/ID to change or delete it.
func (s *Sim) sobject(w http.ResponseWriter, r *http.Request, path []string) {
	o := s.objects[path[0]]
	fields, allowed := writable[path[0]][r.Method]
	switch {
	case o == nil || len(path) > 2 || len(path) == 1 != (r.Method == "POST"):
		missing.write(w)
		return
	case !allowed:
		may := strings.Join(slices.Sorted(maps.Keys(writable[path[0]])), ",")
		(&fault{405, "METHOD_NOT_ALLOWED", "HTTP Method '" + r.Method + "' not allowed. Allowed are HEAD,GET," + may, nil}).write(w)
		return
	}
	var in record
	if r.Method != "DELETE" && sim.Read(r, &in) != nil {
		(&fault{400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.", nil}).write(w)
		return
	}
	for f := range in {
		if !slices.Contains(fields, f) {
			(&fault{400, "INVALID_FIELD", "No such column '" + f + "' on sobject of type " + path[0], []string{f}}).write(w)
			return
		}
	}
	if r.Method == "POST" {
		made, f := s.tie(path[0], in)
		if f != nil {
			f.write(w)
			return
		}
		sim.JSON(w, 201, map[string]any{"id": made["Id"], "success": true, "errors": []any{}})
		return
	}
	i := slices.IndexFunc(o.rows, func(r record) bool { return r["Id"] == path[1] })
	if i < 0 {
		missing.write(w)
		return
	}
	if r.Method == "DELETE" {
		o.rows = slices.Delete(o.rows, i, i+1)
		w.WriteHeader(204)
		return
	}
	after := record(maps.Clone(o.rows[i]))
	for f, v := range in {
		if after[f] = v; v == nil {
			delete(after, f)
		}
	}
	if path[0] == "User" {
		if f := s.check(o.rows[i], after); f != nil {
			f.write(w)
			return
		}
	}
	s.change(o.rows[i], after)
	w.WriteHeader(204)
}

// tie makes a row between a user and a queue or a permission set.
func (s *Sim) tie(name string, in record) (record, *fault) {
	for _, f := range writable[name]["POST"] {
		if in.text(f) == "" {
			return nil, &fault{400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [" + f + "]", []string{f}}
		}
	}
	user, target, other := "UserOrGroupId", "Group", "GroupId"
	if name == "PermissionSetAssignment" {
		user, target, other = "AssigneeId", "PermissionSet", "PermissionSetId"
	}
	if s.find("User", "Id", in[user]) == nil || s.find(target, "Id", in[other]) == nil {
		return nil, &fault{400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []string{}}
	}
	for _, r := range s.objects[name].rows {
		if r[user] == in[user] && r[other] == in[other] {
			return nil, &fault{400, "DUPLICATE_VALUE", "duplicate value found: <unknown> duplicates value on record with id: <unknown>", []string{}}
		}
	}
	return s.insert(name, in), nil
}
