package web

import "github.com/dayone-hq/dayone"

// Patterns are all addresses there are, for the test that compares them with the API's document.
func Patterns() []string {
	p := &portal{view: newRenderer("")}
	var out []string
	for _, r := range p.routes() {
		out = append(out, r.pattern)
	}
	return out
}

// Allowed is the table of who may go where.
func Allowed() map[string][]dayone.Role { return allowed }

// Unguarded are addresses of a list that the table does not know.
func Unguarded(patterns ...string) []string {
	var list []route
	for _, p := range patterns {
		list = append(list, route{pattern: p})
	}
	return missingRoles(list)
}
