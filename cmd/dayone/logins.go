package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/web"
)

// What sources.NAME.confidential may say.
const (
	marked       = "marked"       // what the source marks as such; nobody else sees its events before they were looked at
	terminations = "terminations" // every termination, unless the source says otherwise
)

// loginName is a name that goes into records: a mail address or a short name. Its length is not counted here: an expression that
// counts a hundred of all the world's letters takes megabytes.
var loginName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._@+-]*$`)

const longestLogin = 100 // letters

// takenNames are logins of our own.
var takenNames = []string{"administrator", "api", "demo"}

func roleNames(roles []dayone.Role) []string {
	out := make([]string, 0, len(roles))
	for _, r := range roles {
		out = append(out, string(r))
	}
	return out
}

// checkLogins judges who else is let in, and who may know what is confidential.
func (c *config) checkLogins(bad func(error)) {
	known := roleNames(dayone.Roles)
	wrongRole := func(path string, r dayone.Role) error {
		return c.wrong(path, "value", cmp.Or(dayone.Meant(string(r), known), "write one of "+strings.Join(known, ", ")), "%s is %q, which is no role", path, r)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Portal.Tokens)) {
		path, t := "portal.tokens."+name, c.Portal.Tokens[name]
		switch {
		case slices.Contains(takenNames, name):
			bad(c.wrongKey(path, "name", "call it by the name or the mail address of whoever has the token", "%q is a name of Dayone's own", name))
		case !loginName.MatchString(name) || utf8.RuneCountInString(name) > longestLogin:
			bad(c.wrongKey(path, "name", "write a mail address, or letters and digits", "%q is no name for a login", name))
		}
		if !t.Role.In(dayone.Roles) {
			bad(wrongRole(path+".role", t.Role))
		}
		c.checkReach(path, t.Role, t.reach(), bad)
		if t.Token == "" {
			bad(c.wrong(path+".token", "missing", "write token: ${file:"+name+".token} and a long random text into that file", "%s has no token", path))
		}
	}
	for _, r := range c.Portal.Confidential {
		if !r.In(dayone.Roles) {
			bad(wrongRole("portal.confidential", r))
		}
	}
	if _, said := c.stands("portal.confidential"); said && len(c.Portal.Confidential) == 0 {
		bad(c.wrong("portal.confidential", "value", "write [administrator, hr], or leave it out", "portal.confidential names nobody, and somebody has to know"))
	}
}

// checkReach judges how far a role reaches: what is mistyped there would keep everybody out, or nobody.
func (c *config) checkReach(path string, role dayone.Role, reach dayone.Reach, bad func(error)) {
	for _, list := range []struct {
		name string
		of   []string
	}{{"countries", reach.Countries}, {"companies", reach.Companies}, {"systems", reach.Systems}} {
		if _, said := c.stands(path + "." + list.name); said && len(list.of) == 0 {
			bad(c.wrong(path+"."+list.name, "value", "name one, or leave the line out", "%s.%s is empty, which would be everything", path, list.name))
			return
		}
	}
	if err := reach.Judge(role); err != nil {
		bad(c.wrongKey(path, "value", "write countries: [DE], companies: [Acme GmbH] or systems: [okta]", "%s: %s", path, strings.TrimSuffix(err.Error(), ": "+dayone.ErrInvalid.Error())))
	}
	known := slices.Sorted(maps.Keys(c.Systems))
	for i, name := range reach.Systems {
		if !slices.Contains(known, name) {
			at := fmt.Sprintf("%s.systems.%d", path, i)
			bad(c.wrong(at, "value", cmp.Or(dayone.Meant(name, known), "name one of systems: "+strings.Join(known, ", ")), "%s.systems has %q, which is no system of this configuration", path, name))
		}
	}
}

// checkDiscretion judges what a source keeps to few.
func (c *config) checkDiscretion(path, said string, bad func(error)) {
	if known := []string{marked, terminations}; said != "" && !slices.Contains(known, said) {
		bad(c.wrong(path+".confidential", "value", cmp.Or(dayone.Meant(said, known), "write "+terminations+" or "+marked), "%s.confidential is %q", path, said))
	}
}

// logins are the tokens beside the administrator's. Two that are the same would be one login with two names.
func (c *config) logins() ([]web.Token, error) {
	var out []web.Token
	main, err := c.fill("portal.token", c.Portal.Token)
	if err != nil {
		return nil, err
	}
	given := []string{main}
	for _, name := range slices.Sorted(maps.Keys(c.Portal.Tokens)) {
		path, t := "portal.tokens."+name, c.Portal.Tokens[name]
		text, err := c.fill(path+".token", t.Token)
		if err != nil {
			return nil, err
		}
		if n := len(strings.TrimSpace(text)); n < minToken {
			return nil, c.wrong(path+".token", "value", "write a long random text into its file", "the token of %s has %d characters; whoever guesses it is let in, so it needs %d at least", name, n, minToken)
		}
		if slices.Contains(given, text) {
			return nil, c.wrong(path+".token", "value", "give each login a token of its own", "the token of %s is somebody else's, too", name)
		}
		given = append(given, text)
		out = append(out, web.Token{Name: name, Role: t.Role, Reach: t.reach(), Token: dayone.NewSecret(text)})
	}
	return out, nil
}
