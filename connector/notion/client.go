package notion

import (
	"encoding/json"
	"net/http"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
	"github.com/dayone-hq/dayone/connector/scim"
)

// paths of our attributes in Notion's schema. https://www.notion.com/help/provision-users-and-groups-with-scim#users
var paths = map[string]string{
	"login": "userName", "email": "emails", "display_name": "name.formatted", "title": "title", "employee_number": scim.Enterprise + ":employeeNumber",
	"department": scim.Enterprise + ":department", "manager": scim.Enterprise + ":manager.value",
}

// quirks: Notion filters users by email, given_name and family_name only; a member who is not active has been removed;
// meta.created "does not reflect meaningful timestamp values".
var quirks = scim.Quirks{
	ContentType: "application/json", Page: 100, HidesInactive: true, NoCreated: true,
	Filters: map[string]string{"userName": "email", "emails": "email", paths["employee_number"]: ""},
}

func newClient(cfg connector.Config) *scim.Client {
	c := scim.NewClient(cfg, cfg.Settings["url"], httpc.Bearer("Bearer", cfg.Secrets["token"]), quirks)
	c.Classify = classify
	return c
}

// classify reads Notion's own errors, {"object":"error","status":429,"code":"rate_limited","message":"..."}, beside SCIM's.
// https://developers.notion.com/reference/status-codes
func classify(status int, header http.Header, body []byte) (string, string, error) {
	var e struct {
		Object  string `json:"object"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &e) != nil || e.Object != "error" {
		return scim.Classify(status, header, body)
	}
	switch e.Code {
	case "unauthorized":
		return e.Code, e.Message, dayone.ErrAuth
	case "restricted_resource":
		return e.Code, e.Message, dayone.ErrForbidden
	case "object_not_found":
		return e.Code, e.Message, dayone.ErrNotFound
	case "conflict_error": // two writes at the same time, not a taken name
		return e.Code, e.Message, dayone.ErrNotYet
	case "rate_limited":
		return e.Code, e.Message, dayone.ErrThrottled
	case "internal_server_error", "service_unavailable", "gateway_timeout", "database_connection_unavailable":
		return e.Code, e.Message, dayone.ErrUnavailable
	}
	return e.Code, e.Message, nil
}
