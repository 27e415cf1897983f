package connectortest_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/connector/connectortest"
)

func TestSpecificationCatchesWrongRequests(t *testing.T) {
	const file = "okta/okta-management-2026.06.3-lifecycle.json"
	if connectortest.SpecificationFile(file) == "" {
		t.Skip("the vendors' specifications are not here; set DAYONE_SPECS to the folder that has them")
	}
	v := connectortest.OpenAPI(file, "")(t)
	for _, c := range []struct {
		method, path, body string
		ok                 bool
	}{
		{"POST", "/api/v1/users?activate=false", `{"profile":{"login":"a@x.com","email":"a@x.com","firstName":"A","lastName":"B"}}`, true},
		{"POST", "/api/v1/users?activate=false", `{"profile":5}`, false},
		{"POST", "/api/v1/users?activate=perhaps", `{"profile":{}}`, false},
		{"PUT", "/api/v1/nothing", ``, false},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		if err := v.Validate(r, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s %s %s: %v", c.method, c.path, c.body, err)
		}
	}
}
