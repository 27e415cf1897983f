package github

import (
	"context"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// ask puts one question to GraphQL, which answers 200 whatever happens. https://docs.github.com/graphql
func ask[T any](ctx context.Context, c *client, op, query string, vars map[string]any) (data T, err error) {
	var a struct {
		Data   T
		Errors []struct{ Type, Message string }
	}
	vars["org"] = c.org
	_, err = c.Do(ctx, httpc.Request{Op: op, Method: "POST", Path: c.graph, JSON: map[string]any{"query": query, "variables": vars}}, &a)
	if err == nil && len(a.Errors) > 0 {
		err = c.Fault(op, graphKind(a.Errors[0].Type), a.Errors[0].Type, a.Errors[0].Message)
	}
	return a.Data, err
}

func graphKind(kind string) error {
	switch kind {
	case "RATE_LIMITED":
		return dayone.ErrThrottled
	case "FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND":
		return dayone.ErrForbidden
	default:
		return dayone.ErrUnavailable
	}
}

// pageInfo of a list in GraphQL.
type pageInfo struct {
	More bool   `json:"hasNextPage"`
	End  string `json:"endCursor"`
}

const teamsQuery = `query($org: String!, $login: String!, $after: String) {
  organization(login: $org) { teams(first: 100, after: $after, userLogins: [$login]) {
    nodes { databaseId slug members(first: 100, query: $login, membership: IMMEDIATE) { edges { role node { login } } } }
    pageInfo { hasNextPage endCursor }
  } }
}`

// seat is somebody's in a team.
type seat struct {
	ID   int
	Slug string
	Role string // member or maintainer
}

// seats are the teams that somebody is in directly: for GitHub whoever is in a team below is in it as well. REST would have to
// be asked for each team by itself.
func (c *client) seats(ctx context.Context, login string) ([]seat, error) {
	type answer struct {
		Organization struct {
			Teams struct {
				Nodes []struct {
					ID      int `json:"databaseId"`
					Slug    string
					Members struct {
						Edges []struct {
							Role string
							Node struct{ Login string }
						}
					}
				}
				Page pageInfo `json:"pageInfo"`
			}
		}
	}
	var out []seat
	vars := map[string]any{"login": login}
	for {
		a, err := ask[answer](ctx, c, "listing teams of member", teamsQuery, vars)
		if err != nil {
			return nil, err
		}
		for _, t := range a.Organization.Teams.Nodes {
			for _, e := range t.Members.Edges {
				if strings.EqualFold(e.Node.Login, login) { // the search also finds names
					out = append(out, seat{t.ID, t.Slug, strings.ToLower(e.Role)})
				}
			}
		}
		if !a.Organization.Teams.Page.More {
			return out, nil
		}
		vars["after"] = a.Organization.Teams.Page.End
	}
}
