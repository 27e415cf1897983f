package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/web"
)

// given are the roles that the configuration gives, each with the line that does.
func (c *config) given() []web.RoleGiven {
	var out []web.RoleGiven
	add := func(role dayone.Role, key, format string, args ...any) {
		out = append(out, web.RoleGiven{Role: role, Whom: fmt.Sprintf(format, args...), Key: key, Where: c.placeOf(key)})
	}
	if c.Portal.Token != "" {
		add(dayone.Administrator, "portal.token", "whoever has the portal's token")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Portal.Tokens)) {
		t := c.Portal.Tokens[name]
		add(t.Role, "portal.tokens."+name, "the token of %s%s", name, within(t.reach()))
	}
	for _, group := range slices.Sorted(maps.Keys(c.Portal.SignOn.Roles)) {
		r := c.Portal.SignOn.Roles[group]
		add(r.Role, "portal.sign_on.roles."+group, "the group %s of the identity provider%s", group, within(r.reach()))
	}
	if c.Portal.SignOn.Everyone {
		add(dayone.Employee, "portal.sign_on.everyone", "everybody else who signs in")
	}
	return out
}

// within says where a role ends, if it does.
func within(r dayone.Reach) string {
	if r.Whole() {
		return ""
	}
	return ", for " + r.String()
}

// placeOf is the file and line at which something stands.
func (c *config) placeOf(path string) string {
	if c.places == nil {
		return "the configuration"
	}
	at, ok := c.stands(path)
	switch {
	case !ok:
		return c.places.file
	case at.key != nil:
		return fmt.Sprintf("%s:%d", c.places.file, at.key.Line)
	}
	return fmt.Sprintf("%s:%d", c.places.file, at.value.Line)
}
