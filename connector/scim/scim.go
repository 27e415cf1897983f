// Package scim speaks SCIM 2.0 (RFC 7643, RFC 7644) to any server: a client with the quirks that servers have, users and
// groups as connector verbs for vendors' folders, and the connector "scim" for a server that has no folder of its own. It
// must not know a vendor: what one does otherwise is a quirk here or code there.
//
// A vendor's folder needs a client and the two verbs:
//
//	c := scim.NewClient(cfg, base, httpc.Bearer("Bearer", cfg.Secrets["token"]), scim.Quirks{RemoveByValue: true})
//	accounts := scim.Accounts{Client: c, Attrs: map[string]string{"login": "userName", "email": "emails"}}
//	groups := scim.Groups{Client: c}
package scim

import (
	_ "embed"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes connectors to any SCIM server.
var Factory = connector.Factory{Manifest: manifest, New: New}

// attrs are our attributes in the core and enterprise schemas. https://www.rfc-editor.org/rfc/rfc7643#section-4
func attrs() map[string]string {
	return map[string]string{
		"login": "userName", "email": "emails", "first_name": "name.givenName", "last_name": "name.familyName", "display_name": "displayName",
		"title": "title", "department": Enterprise + ":department", "phone": `phoneNumbers[type eq "work"].value`, "employee_number": "externalId",
	}
}

// New reaches one server.
func New(cfg connector.Config) (connector.Connector, error) {
	s := cfg.Settings
	as := attrs()
	if s["employee_number"] == "employeeNumber" {
		as["employee_number"] = Enterprise + ":employeeNumber"
	}
	page, _ := strconv.Atoi(s["page"])
	q := Quirks{
		ContentType: s["content_type"], Page: page, ActiveText: s["active"] == "text", CapitalOps: s["operations"] == "capital",
		RemoveByValue: s["member_removal"] == "value", DeleteDisables: s["disable"] == "delete", Filters: map[string]string{},
	}
	switch s["patch"] {
	case "value":
		q.Patch = ByValue
	case "put":
		q.Patch = ByPut
	}
	switch s["memberships"] {
	case "filter":
		q.HeldBy = ByFilter
	case "user":
		q.HeldBy = ByUser
	}
	for _, name := range strings.FieldsFunc(s["no_filter"], func(r rune) bool { return r == ',' || r == ' ' }) {
		q.Filters[as[name]] = ""
	}
	c := NewClient(cfg, s["url"], httpc.Bearer("Bearer", cfg.Secrets["token"]), q)
	target := &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: c.Ping,
		Accounts: Accounts{Client: c, Attrs: as},
		Kinds:    map[string]connector.Entitlements{"group": Groups{c}},
	}
	return Counted{Target: target, Client: c, Title: "Users at " + cfg.System}, nil
}
