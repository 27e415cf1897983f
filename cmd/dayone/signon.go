package main

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/web"
)

// signOnConfig lets in whom the company's identity provider knows, by OpenID Connect.
type signOnConfig struct {
	Issuer       string                `yaml:"issuer"`
	ClientID     string                `yaml:"client_id"`
	ClientSecret string                `yaml:"client_secret"`
	Title        string                `yaml:"title"`
	Scopes       []string              `yaml:"scopes"`
	NameClaim    string                `yaml:"name_claim"`
	GroupsClaim  string                `yaml:"groups_claim"`
	Roles        map[string]roleConfig `yaml:"roles"`
	Everyone     bool                  `yaml:"everyone"`
	Trust        bool                  `yaml:"trust_addresses"`
}

func (s signOnConfig) on() bool { return s.Issuer != "" || s.ClientID != "" || len(s.Roles) > 0 }

// checkSignOn judges how people sign in, and for how long.
func (c *config) checkSignOn(bad func(error)) {
	s, path := c.Portal.SignOn, "portal.sign_on"
	for name, d := range map[string]time.Duration{"portal.session": c.Portal.Session, "portal.idle": c.Portal.Idle} {
		if _, said := c.stands(name); said && (d < time.Minute || d > 30*24*time.Hour) {
			bad(c.wrong(name, "value", "write a time such as 12h", "%s is not between a minute and 30 days", name))
		}
	}
	if !s.on() {
		return
	}
	u, err := url.Parse(s.Issuer)
	switch {
	case s.Issuer == "":
		bad(c.wrongKey(path, "missing", "write issuer: with the address that the provider calls its issuer", "%s has no issuer", path))
	case err != nil || u.Host == "" || u.Scheme != "https" && !local(u):
		bad(c.wrong(path+".issuer", "value", "write an https:// address", "%s.issuer is no address that can be trusted", path))
	}
	if s.ClientID == "" {
		bad(c.wrongKey(path, "missing", "write client_id: with what the provider calls this application", "%s has no client_id", path))
	}
	if len(s.Roles) == 0 && !s.Everyone {
		bad(c.wrongKey(path, "missing", "write roles: {NAME-OF-A-GROUP: administrator}, or everyone: true", "%s lets nobody in: no group has a role", path))
	}
	known := roleNames(dayone.Roles)
	for _, group := range slices.Sorted(maps.Keys(s.Roles)) {
		at := path + ".roles." + group
		c.checkReach(at, s.Roles[group].Role, s.Roles[group].reach(), bad)
		if r := s.Roles[group].Role; !r.In(dayone.Roles) {
			bad(c.wrong(at, "value", cmp.Or(dayone.Meant(string(r), known), "write one of "+strings.Join(known, ", ")), "%s is %q, which is no role", at, r))
		}
	}
}

// local addresses may do without TLS: nobody stands between.
func local(u *url.URL) bool {
	return u.Scheme == "http" && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.") || u.Hostname() == "::1")
}

// signOn is nil if nobody signs in that way.
func (c *config) signOn() (*web.SignOn, error) {
	s := c.Portal.SignOn
	if !s.on() {
		return nil, nil
	}
	secret, err := c.fill("portal.sign_on.client_secret", s.ClientSecret)
	if err != nil {
		return nil, err
	}
	scopes := s.Scopes
	if scopes == nil {
		scopes = []string{"email", "profile"}
	}
	roles, reaches := map[string]dayone.Role{}, map[string]dayone.Reach{}
	for group, r := range s.Roles {
		roles[group], reaches[group] = r.Role, r.reach()
	}
	return &web.SignOn{
		Title: s.Title, Issuer: s.Issuer, ClientID: s.ClientID, Secret: dayone.NewSecret(secret), Scopes: scopes, Name: s.NameClaim, Groups: s.GroupsClaim, Roles: roles, Reaches: reaches, Everyone: s.Everyone, Trusted: s.Trust,
	}, nil
}
