// Package notion reaches a Notion workspace by SCIM: its members, and its groups, which we call spaces. All of it is
// standard SCIM with quirks; there is no HTTP of its own.
// https://www.notion.com/help/provision-users-and-groups-with-scim
package notion

import (
	_ "embed"

	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/scim"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Notion connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one workspace.
func New(cfg connector.Config) (connector.Connector, error) {
	c := newClient(cfg)
	target := &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: c.Ping,
		Accounts: scim.Accounts{Client: c, Attrs: paths},
		Kinds:    map[string]connector.Entitlements{"space": scim.Groups{Client: c}},
	}
	return scim.Counted{Target: target, Client: c, Title: "Notion users", Link: "https://www.notion.so"}, nil
}
