package webex

import (
	"context"
	"net/url"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/scim"
)

// org is a target that tells how large it is.
type org struct {
	client *client
	*connector.Target
}

var _ connector.Teller = org{}

// console is where administrators look.
const console = "https://admin.webex.com"

// mostDevices is how far devices are counted: Webex tells no total of them.
const mostDevices = 2000

// Tiles counts users by one request, and devices in pages.
func (o org) Tiles(ctx context.Context) ([]dayone.Tile, error) {
	users, err := o.client.scim.Count(ctx, scim.User)
	if err != nil {
		return nil, advised(err)
	}
	devices := dayone.Tile{Title: "Webex devices", Unit: "devices", Link: console + "/devices"}
	err = list(ctx, o.client, "counting devices", "/devices", url.Values{"max": {"100"}}, func(device) bool {
		devices.Value++
		devices.AtLeast = devices.Value >= mostDevices
		return !devices.AtLeast
	})
	if err != nil {
		return nil, err
	}
	return []dayone.Tile{{Title: "Webex users", Value: users, Unit: "users", Link: console + "/users"}, devices}, nil
}
