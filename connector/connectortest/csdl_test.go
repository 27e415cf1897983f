package connectortest_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/connector/connectortest"
)

func TestSchemaCatchesWrongRequests(t *testing.T) {
	const file = "msgraph/graph-v1.0-lifecycle.csdl.xml"
	if connectortest.SpecificationFile(file) == "" {
		t.Skip("the vendors' specifications are not here; set DAYONE_SPECS to the folder that has them")
	}
	v := connectortest.CSDL(file, "/v1.0")(t)
	for _, c := range []struct {
		method, path, body string
		ok                 bool
	}{
		{"POST", "/v1.0/users", `{"accountEnabled":true,"passwordProfile":{"password":"x"},"displayName":null}`, true},
		{"POST", "/v1.0/users", `{"accountEnabled":"yes"}`, false},
		{"POST", "/v1.0/users", `{"acountEnabled":true}`, false},
		{"POST", "/v1.0/users", `{"passwordProfile":{"passwort":"x"}}`, false},
		{"POST", "/v1.0/users", `{"employeeHireDate":"2025-01-31"}`, false},
		{"PATCH", "/v1.0/users", `{"jobTitle":"x"}`, false},
		{"GET", "/v1.0/users?$select=id,jobTitle&$filter=employeeId%20eq%20'it%20is''nt'", ``, true},
		{"GET", "/v1.0/users?$select=id,jobtitle", ``, false},
		{"GET", "/v1.0/users?$filter=employeeNumber%20eq%20'1'", ``, false},
		{"GET", "/v1.0/users?$limit=5", ``, false},
		{"GET", "/v1.0/users?$expand=manager($select=mail)", ``, true},
		{"GET", "/v1.0/users?$expand=manager($select=nothing)", ``, false},
		{"GET", "/v1.0/users?$expand=jobTitle", ``, false},
		{"GET", "/v1.0/user/1", ``, false},
		{"GET", "/v1.0/users/delta", ``, true},
		{"GET", "/v1.0/users/1/revokeSignInSessions", ``, false},
		{"POST", "/v1.0/users/1/revokeSignInSessions", ``, true},
		{"POST", "/v1.0/users/1/assignLicense", `{"addLicenses":[{"skuId":"no"}],"removeLicenses":[]}`, false},
		{"POST", "/v1.0/users/1/assignLicense", ``, false},
		{"POST", "/v1.0/groups/1/members/$ref", `{"@odata.id":"https://x/directoryObjects/2"}`, true},
		{"POST", "/v1.0/groups/1/members/$ref", `{"id":"2"}`, false},
		{"DELETE", "/v1.0/groups/1/members", ``, false},
		{"POST", "/v1.0/users/1/sendMail", `{"message":{"body":{"contentType":"html","content":"x"}},"saveToSentItems":false}`, true},
		{"POST", "/v1.0/users/1/sendMail", `{"message":{"body":{"contentType":"markdown"}}}`, false},
		{"POST", "/v1.0/users/1/events", `{"attendees":[{"type":"must"}]}`, false},
		{"GET", "/v1.0/directory/deletedItems/microsoft.graph.user?$select=employeeId", ``, true},
		{"GET", "/v1.0/directory/deletedItems/microsoft.graph.message", ``, false},
		{"POST", "/elsewhere", `{}`, true},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		if err := v.Validate(r, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s %s %s: %v", c.method, c.path, c.body, err)
		}
	}
}
