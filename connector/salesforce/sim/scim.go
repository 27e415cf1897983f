package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
)

const (
	scimPath   = "/services/scim/v2"
	coreUser   = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterprise = scimsim.Enterprise
)

// serveSCIM is the same users through another door. There is no way to delete one: DELETE deactivates.
func (s *Sim) serveSCIM(w http.ResponseWriter, r *http.Request) {
	id, one := strings.CutPrefix(r.URL.Path, scimPath+"/Users/")
	u := s.find("User", "Id", id)
	switch {
	case r.URL.Path == scimPath+"/Users" && r.Method == "GET":
		s.listUsers(w, r)
	case r.URL.Path == scimPath+"/Users" && r.Method == "POST":
		s.createUser(w, r)
	case !one || u == nil:
		failSCIM(w, &fault{404, "", "Resource " + r.URL.Path + " not found.", nil})
	case r.Method == "GET":
		answer(w, 200, s.resource(r, u))
	case r.Method == "PATCH":
		s.patchUser(w, r, u)
	case r.Method == "DELETE":
		after := record(maps.Clone(u))
		after["IsActive"] = false
		s.save(w, r, u, after, 204)
	default:
		failSCIM(w, &fault{405, "", "Method not allowed.", nil})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// failSCIM writes the standard's body, with Salesforce's own code before the text.
func failSCIM(w http.ResponseWriter, f *fault) {
	body := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "status": strconv.Itoa(f.status), "detail": f.message}
	if f.code != "" {
		body["detail"] = f.code + ": " + f.message
	}
	status := f.status
	if strings.HasPrefix(f.code, "DUPLICATE_") {
		status = 409
		body["status"], body["scimType"] = "409", "uniqueness"
	}
	answer(w, status, body)
}

// resource is a user as SCIM shows it.
func (s *Sim) resource(r *http.Request, u record) map[string]any {
	profile := s.find("Profile", "Id", u["ProfileId"])
	out := map[string]any{
		"schemas": []any{coreUser, enterprise}, "id": u["Id"], "userName": u["Username"], "active": u["IsActive"] == true,
		"name":        map[string]any{"givenName": u.text("FirstName"), "familyName": u.text("LastName"), "formatted": u.text("Name")},
		"displayName": u.text("Name"), "emails": []any{map[string]any{"value": u.text("Email"), "type": "work", "primary": true}},
		"userType": u.text("UserType"), "locale": u.text("LocaleSidKey"), "timezone": u.text("TimeZoneSidKey"), "title": u.text("Title"),
		"entitlements": []any{map[string]any{"value": profile.text("Id"), "display": profile.text("Name"), "type": "Profile", "primary": true}},
		enterprise:     map[string]any{"employeeNumber": u.text("EmployeeNumber"), "department": u.text("Department")},
		"meta": map[string]any{
			"resourceType": "User", "created": created(u).Format("2006-01-02T15:04:05Z"),
			"location": "http://" + r.Host + scimPath + "/Users/" + u.text("Id"),
		},
	}
	if f := u.text("FederationIdentifier"); f != "" {
		out["externalId"] = f
	}
	return out
}

func (s *Sim) listUsers(w http.ResponseWriter, r *http.Request) {
	var filter *scimsim.Filter
	if text := r.URL.Query().Get("filter"); text != "" {
		var err error
		if filter, err = scimsim.ParseFilter(text); err != nil {
			failSCIM(w, &fault{400, "", err.Error(), nil})
			return
		}
	}
	var all []any
	for _, u := range s.objects["User"].rows {
		if x := s.resource(r, u); u["UserType"] == "Standard" && (filter == nil || filter.Match(x)) {
			all = append(all, x)
		}
	}
	from, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("startIndex"), "1"))
	page := all[min(max(from, 1)-1, len(all)):]
	page = page[:min(len(page), s.opt.PageSize())]
	answer(w, 200, map[string]any{
		"schemas":      []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		"totalResults": len(all), "startIndex": from, "itemsPerPage": len(page), "Resources": append([]any{}, page...),
	})
}

// attributes are what SCIM may set, and the field that each stands for; "" is taken and not kept.
var attributes = map[string]string{
	"schemas": "", "userName": "Username", "externalId": "FederationIdentifier", "title": "Title", "active": "IsActive", "name.givenName": "FirstName",
	"name.familyName": "LastName", "name.formatted": "", "displayName": "", "emails": "Email", "entitlements": "ProfileId", "nickName": "CommunityNickname",
	enterprise + ".employeeNumber": "EmployeeNumber", enterprise + ".department": "Department", enterprise + ".manager.value": "",
}

// apply puts what a body says into a user.
func apply(u record, in map[string]any, prefix string) *fault {
	for _, k := range slices.Sorted(maps.Keys(in)) {
		field, known := attributes[prefix+k]
		switch v := in[k].(type) {
		case map[string]any:
			if f := apply(u, v, prefix+k+"."); f != nil {
				return f
			}
			continue
		case []any:
			if field != "" {
				u[field] = first(v)
			}
		case nil:
			delete(u, field)
		case bool, string:
			if field != "" {
				u[field] = v
			}
			if _, truth := v.(bool); truth != (field == "IsActive") {
				return &fault{400, "", fmt.Sprintf("%s has a value of the wrong type.", k), nil}
			}
		default:
			return &fault{400, "", fmt.Sprintf("%s has a value of the wrong type.", k), nil}
		}
		if !known {
			return &fault{400, "", "There is no attribute " + prefix + k + ".", nil}
		}
	}
	return nil
}

func first(list []any) string {
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			return fmt.Sprint(m["value"])
		}
	}
	return ""
}

func (s *Sim) createUser(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		failSCIM(w, &fault{400, "", "The request body is no JSON object.", nil})
		return
	}
	u := record{"IsActive": true}
	if s.byDefault != "" {
		u["ProfileId"] = s.byDefault
	}
	f := apply(u, in, "")
	if f == nil {
		f = s.check(nil, u)
	}
	if f != nil {
		failSCIM(w, f)
		return
	}
	answer(w, 201, s.resource(r, s.born(u)))
}

// patchUser takes operations with and without a path.
func (s *Sim) patchUser(w http.ResponseWriter, r *http.Request, u record) {
	var in struct {
		Operations []struct {
			Op    string `json:"op"`
			Path  string `json:"path"`
			Value any    `json:"value"`
		} `json:"Operations"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || len(in.Operations) == 0 {
		failSCIM(w, &fault{400, "", "The request body is no PatchOp.", nil})
		return
	}
	after := record(maps.Clone(u))
	for _, o := range in.Operations {
		value, whole := o.Value.(map[string]any)
		if o.Path != "" {
			value, whole = map[string]any{o.Path: o.Value}, true
		}
		if !whole || !strings.EqualFold(o.Op, "replace") && !strings.EqualFold(o.Op, "add") {
			failSCIM(w, &fault{400, "", "There is no such operation.", nil})
			return
		}
		if f := apply(after, value, ""); f != nil {
			failSCIM(w, f)
			return
		}
	}
	s.save(w, r, u, after, 200)
}

func (s *Sim) save(w http.ResponseWriter, r *http.Request, u, after record, status int) {
	if f := s.check(u, after); f != nil {
		failSCIM(w, f)
		return
	}
	s.change(u, after)
	if status == 204 {
		w.WriteHeader(204)
		return
	}
	answer(w, status, s.resource(r, u))
}
