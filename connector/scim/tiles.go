package scim

import (
	"cmp"
	"context"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// Counted is a target whose server tells how many users it has. Title is how they are called, Link where the vendor shows
// them.
type Counted struct {
	*connector.Target
	Client      *Client
	Title, Link string
	Unit        string // "": users. A system that keeps closed accounts counts them, too, and has to say so
}

var _ connector.Teller = Counted{}

// Tiles counts users, by one request.
func (c Counted) Tiles(ctx context.Context) ([]dayone.Tile, error) {
	n, err := c.Client.Count(ctx, User)
	if err != nil {
		return nil, err
	}
	return []dayone.Tile{{Title: c.Title, Value: n, Unit: cmp.Or(c.Unit, "users"), Link: c.Link}}, nil
}
