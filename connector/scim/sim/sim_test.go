package sim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// TestFilter: examples of RFC 7644, section 3.4.2.2, and what has to be refused.
func TestFilter(t *testing.T) {
	t.Parallel()
	user := scimsim.Resource{
		"id": "Ab1", "userName": "bjensen", "title": "Tour Guide", "userType": "Employee", "active": true,
		"name": map[string]any{"familyName": "O'Malley"}, "meta": map[string]any{"lastModified": "2011-05-13T04:42:34Z"},
		"emails":           []any{map[string]any{"type": "work", "value": "bjensen@example.com"}, map[string]any{"type": "home", "value": "babs@jensen.org"}},
		scimsim.Enterprise: map[string]any{"employeeNumber": "701984", "manager": map[string]any{"value": "26118915"}},
	}
	for text, want := range map[string]bool{
		`userName eq "BJENSEN"`:         true,
		`USERNAME Eq "bjensen"`:         true,
		`id eq "ab1"`:                   false, // ids are exact
		`name.familyName co "O'Malley"`: true,
		`userName sw "bj"`:              true,
		`userName ew "sen"`:             true,
		`title pr`:                      true,
		`nickName pr`:                   false,
		`meta.lastModified gt "2011-05-13T06:00:00+02:00"`:         true,
		`meta.lastModified le "2011-05-13T04:42:34Z"`:              true,
		`title pr and userType eq "Employee"`:                      true,
		`title pr and userType eq "Intern" or active eq true`:      true,
		`title pr and (userType eq "Intern" or active eq false)`:   false,
		`not (userType eq "Employee")`:                             false,
		`userType ne "Employee" and not (emails co "example.com")`: false,
		`emails[type eq "work" and value co "@example.com"]`:       true,
		`emails[type eq "home" and value co "@example.com"]`:       false,
		`emails.value eq "babs@jensen.org"`:                        true,
		`emails eq "babs@jensen.org"`:                              true,
		`emails ne "babs@jensen.org"`:                              false,
		scimsim.Enterprise + `:employeeNumber eq "701984"`:         true,
		scimsim.Enterprise + `:manager.value eq "26118915"`:        true,
		`active eq true`:                true,
		`active eq "true"`:              false,
		`title eq "a \" or (title pr)"`: false,
	} {
		f, err := scimsim.ParseFilter(text)
		if err != nil || f.Match(user) != want {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	for _, text := range []string{
		``, `userName`, `userName eq`, `userName eq bjensen`, `userName is "x"`, `(title pr`, `title pr)`, `title pr or`, `not title pr`, `emails[type eq "work"`, `title eq ["x"]`, `title pr and and title pr`,
	} {
		if _, err := scimsim.ParseFilter(text); err == nil {
			t.Errorf("%q is taken for a filter", text)
		}
	}
}

// TestPatch: the operations of RFC 7644, section 3.5.2, and what has to be refused.
func TestPatch(t *testing.T) {
	t.Parallel()
	work, home := map[string]any{"type": "work", "value": "a@x.de", "primary": true}, map[string]any{"type": "home", "value": "b@x.de"}
	for name, c := range map[string]struct {
		ops  string
		path string // attribute to look at
		want any
		fail string // scimType
	}{
		"replace":                    {`{"op":"replace","path":"title","value":"Boss"}`, "title", "Boss", ""},
		"add where nothing is":       {`{"op":"add","path":"nickName","value":"Babs"}`, "nickName", "Babs", ""},
		"remove":                     {`{"op":"remove","path":"title"}`, "title", nil, ""},
		"name in another case":       {`{"op":"replace","path":"TITLE","value":"Boss"}`, "title", "Boss", ""},
		"sub-attribute":              {`{"op":"replace","path":"name.givenName","value":"Babs"}`, "name", map[string]any{"givenName": "Babs", "familyName": "Jensen"}, ""},
		"complex merges":             {`{"op":"replace","path":"name","value":{"givenName":"Babs"}}`, "name", map[string]any{"givenName": "Babs", "familyName": "Jensen"}, ""},
		"without a path":             {`{"op":"replace","value":{"title":"Boss","name":{"givenName":"Babs"}}}`, "name", map[string]any{"givenName": "Babs", "familyName": "Jensen"}, ""},
		"extension":                  {`{"op":"add","path":"` + scimsim.Enterprise + `:department","value":"Sales"}`, scimsim.Enterprise, map[string]any{"department": "Sales"}, ""},
		"extension without a path":   {`{"op":"add","value":{"` + scimsim.Enterprise + `":{"department":"Sales"}}}`, scimsim.Enterprise, map[string]any{"department": "Sales"}, ""},
		"sub-attribute of extension": {`{"op":"add","path":"` + scimsim.Enterprise + `:manager.value","value":"1"}`, scimsim.Enterprise, map[string]any{"manager": map[string]any{"value": "1"}}, ""},
		"chosen element":             {`{"op":"replace","path":"emails[type eq \"home\"].value","value":"c@x.de"}`, "emails", []any{work, map[string]any{"type": "home", "value": "c@x.de"}}, ""},
		"remove chosen":              {`{"op":"remove","path":"emails[type eq \"home\"]"}`, "emails", []any{work}, ""},
		"remove part of chosen":      {`{"op":"remove","path":"emails[type eq \"home\"].type"}`, "emails", []any{work, map[string]any{"value": "b@x.de"}}, ""},
		"add element":                {`{"op":"add","path":"emails","value":[{"type":"other","value":"c@x.de"}]}`, "emails", []any{work, home, map[string]any{"type": "other", "value": "c@x.de"}}, ""},
		"add element again":          {`{"op":"add","path":"emails","value":[{"type":"home","value":"b@x.de"}]}`, "emails", []any{work, home}, ""},
		"new primary":                {`{"op":"add","path":"emails","value":[{"value":"c@x.de","primary":true}]}`, "emails", []any{map[string]any{"type": "work", "value": "a@x.de"}, home, map[string]any{"value": "c@x.de", "primary": true}}, ""},
		"replace the list":           {`{"op":"replace","path":"emails","value":[{"value":"c@x.de"}]}`, "emails", []any{map[string]any{"value": "c@x.de"}}, ""},
		"nothing chosen":             {`{"op":"replace","path":"emails[type eq \"other\"].value","value":"c@x.de"}`, "", nil, "noTarget"},
		"remove without a path":      {`{"op":"remove"}`, "", nil, "noTarget"},
		"remove with a value":        {`{"op":"remove","path":"title","value":"x"}`, "", nil, "invalidSyntax"},
		"unknown attribute":          {`{"op":"replace","path":"shoeSize","value":"42"}`, "", nil, "invalidPath"},
		"unknown sub-attribute":      {`{"op":"replace","path":"name.shoeSize","value":"42"}`, "", nil, "invalidPath"},
		"unknown schema":             {`{"op":"replace","path":"urn:x:y:User:size","value":"42"}`, "", nil, "invalidPath"},
		"list without a choice":      {`{"op":"replace","path":"emails.value","value":"c@x.de"}`, "", nil, "invalidPath"},
		"bad filter":                 {`{"op":"replace","path":"emails[type is \"x\"].value","value":"c@x.de"}`, "", nil, "invalidFilter"},
		"read-only":                  {`{"op":"replace","path":"id","value":"42"}`, "", nil, "mutability"},
		"wrong type":                 {`{"op":"replace","path":"active","value":"false"}`, "", nil, "invalidValue"},
		"required":                   {`{"op":"remove","path":"userName"}`, "", nil, "invalidValue"},
		"no value":                   {`{"op":"replace","path":"title"}`, "", nil, "invalidValue"},
		"capital":                    {`{"op":"Replace","path":"title","value":"Boss"}`, "", nil, "invalidSyntax"},
		"taken name":                 {`{"op":"replace","path":"userName","value":"OTHER"}`, "", nil, "uniqueness"},
		"all or nothing":             {`{"op":"replace","path":"title","value":"Boss"},{"op":"replace","path":"shoeSize","value":"42"}`, "", nil, "invalidPath"},
	} {
		t.Run(name, func(t *testing.T) {
			s := scimsim.New(sim.Options{})
			s.Put("User", scimsim.Resource{"userName": "other"})
			id := s.Put("User", scimsim.Resource{
				"userName": "bjensen", "title": "Guide", "name": map[string]any{"givenName": "Barbara", "familyName": "Jensen"},
				"emails": []any{map[string]any{"type": "work", "value": "a@x.de", "primary": true}, map[string]any{"type": "home", "value": "b@x.de"}},
			})
			before := s.All("User")[1]
			body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + c.ops + `]}`
			status, answer := call(s, "PATCH", "/scim/v2/Users/"+id, body)
			after := s.All("User")[1]
			if c.fail != "" {
				if answer["scimType"] != c.fail {
					t.Errorf("answers %d %v, want %s", status, answer, c.fail)
				}
				if !reflect.DeepEqual(before, after) {
					t.Errorf("a refused change has changed %v to %v", before, after)
				}
				return
			}
			if status != 200 || !reflect.DeepEqual(after[c.path], c.want) {
				t.Errorf("answers %d %v; %s is %v, want %v", status, answer, c.path, after[c.path], c.want)
			}
		})
	}
}

func call(h http.Handler, method, path, body string) (int, map[string]any) {
	r := httptest.NewRequest(method, path, bytes.NewBufferString(body))
	r.Header.Set("Authorization", "Bearer sim-scim-token")
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var out map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &out)
	return w.Code, out
}

// TestStrict: what a careless client sends is refused.
func TestStrict(t *testing.T) {
	t.Parallel()
	const core = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"fine":                  {`{` + core + `,"userName":"a"}`, 201},
		"taken in another case": {`{` + core + `,"userName":"TAKEN"}`, 409},
		"no schema":             {`{"userName":"a"}`, 400},
		"no name":               {`{` + core + `}`, 400},
		"unknown attribute":     {`{` + core + `,"userName":"a","shoeSize":"42"}`, 400},
		"undeclared extension":  {`{` + core + `,"userName":"a","` + scimsim.Enterprise + `":{"department":"x"}}`, 400},
		"text for truth":        {`{` + core + `,"userName":"a","active":"true"}`, 400},
		"two primaries":         {`{` + core + `,"userName":"a","emails":[{"value":"x","primary":true},{"value":"y","primary":true}]}`, 400},
		"no JSON":               {`userName=a`, 400},
	} {
		s := scimsim.New(sim.Options{})
		s.Put("User", scimsim.Resource{"userName": "taken"})
		if status, answer := call(s, "POST", "/scim/v2/Users", c.body); status != c.status {
			t.Errorf("%s: %d %v, want %d", name, status, answer, c.status)
		}
	}
	s := scimsim.New(sim.Options{})
	id := s.Put("Group", scimsim.Resource{"displayName": "g"})
	body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"nobody"}]}]}`
	if status, _ := call(s, "PATCH", "/scim/v2/Groups/"+id, body); status != 400 {
		t.Errorf("a member who does not exist: %d", status)
	}
	for _, query := range []string{"?startIndex=x", "?filter=shoeSize+eq+%2242%22", "?filter=userName"} {
		if status, _ := call(s, "GET", "/scim/v2/Users"+query, ""); status != 400 {
			t.Errorf("%s: %d", query, status)
		}
	}
}
