package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// path resolves a path of the file against the file's own folder.
func (c *config) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// database is the address with its secret put in and a relative SQLite file made absolute.
func (c *config) database() (string, error) {
	if file, ok := strings.CutPrefix(c.Database, "sqlite:"); ok && file != ":memory:" {
		return "sqlite:" + c.path(file), nil
	}
	return c.fill("database", c.Database)
}

// minToken is how long the portal's token is at least: whoever guesses it is its administrator.
const minToken = 16

// token is what lets people into the portal.
func (c *config) token() (dayone.Secret, error) {
	if c.Portal.Token == "" && c.Portal.SignOn.on() {
		return dayone.Secret{}, nil
	}
	if c.Portal.Token == "" {
		return dayone.Secret{}, c.wrong("portal.token", "missing", "write token: ${file:portal.token} below portal: and a long random text into that file", "portal.token is not set")
	}
	t, err := c.fill("portal.token", c.Portal.Token)
	if n := len(strings.TrimSpace(t)); err == nil && n < minToken {
		err = c.wrong("portal.token", "value", "dayone init makes a good one: token: ${file:portal.token}",
			"portal.token has %d characters; whoever guesses it is let in, so it needs %d at least", n, minToken)
	}
	return dayone.NewSecret(t), err
}

// standIns are settings in which a secret that is not there has a stand-in. The transport lets no request out that would
// carry one: whoever only looks needs no secret until something asks the source.
func (c *config) standIns(path string, m *connector.Manifest, raw map[string]string) (map[string]string, http.RoundTripper, error) {
	out, missing := map[string]string{}, map[string]error{}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		v, err := c.fill(path+".settings."+name, raw[name])
		switch {
		case err == nil:
		case m.Settings[name].Type == "secret":
			v = "not-set-" + rand.Text()
			missing[v] = err
			var f faults
			if errors.As(err, &f) { // on one line, as answers of systems are
				missing[v] = fmt.Errorf("%s: %s; %s", f[0].Position, f[0].Message, f[0].Hint)
			}
		default:
			return nil, nil, err
		}
		out[name] = v
	}
	return out, withheld(missing), nil
}

// withheld are stand-ins with what is missing.
type withheld map[string]error

func (w withheld) RoundTrip(r *http.Request) (*http.Response, error) {
	for standIn, err := range w {
		for _, values := range r.Header {
			if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, standIn) }) {
				return nil, err
			}
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

var reference = regexp.MustCompile(`\$\{(env|file):([^}]+)\}`)

// fill puts in ${env:NAME} and ${file:PATH}: the only way for a secret to get into the configuration without standing in
// it.
func (c *config) fill(path, v string) (string, error) {
	var errs []error
	out := reference.ReplaceAllStringFunc(v, func(m string) string {
		sub := reference.FindStringSubmatch(m)
		if sub[1] == "env" {
			out, ok := os.LookupEnv(sub[2])
			if !ok {
				errs = append(errs, c.wrong(path, "unset", "export "+sub[2]+"=..., or keep it in a file: ${file:PATH}", "%s: the environment has no %s", path, sub[2]))
			}
			return out
		}
		raw, err := readUpTo(c.path(sub[2]), mostSecret)
		if err != nil {
			errs = append(errs, c.wrong(path, "unset", "write it there; paths begin at the configuration", "%s: %v", path, err))
		}
		return strings.TrimRight(string(raw), "\r\n")
	})
	return out, errors.Join(errs...)
}

// settings are those of a source or system with their secrets put in.
func (c *config) settings(path string, raw map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(raw))
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		v, err := c.fill(path+".settings."+name, raw[name])
		out[name] = v
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

// system is a configured system as decisions see it: what the manifest says, with what the file says over it.
func (c *config) system(name string, m *connector.Manifest) (dayone.System, error) {
	s, path := c.Systems[name], "systems."+name
	sys := m.System(name)
	sys.Needs, sys.Protected = s.Needs, s.Protected
	if s.ProvisionedBy != "" {
		via, err := dayone.ParseKey(s.ProvisionedBy)
		if err != nil {
			return sys, c.wrong(path+".provisioned_by", "value", "write what is assigned there, such as okta/app:"+name, "%s.provisioned_by is %q", path, s.ProvisionedBy)
		}
		sys.Via = via
	}
	var found faults
	bad := func(at, word string, known []string, format string, args ...any) {
		err := c.wrongKey(at, "unknown-key", cmp.Or(dayone.Meant(word, known), "it has "+strings.Join(known, ", ")), format, args...)
		found = append(found, err.(faults)...)
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Attributes)) {
		at := path + ".attributes." + kind
		k, ok := sys.Kinds[kind]
		if !ok {
			bad(at, kind, slices.Sorted(maps.Keys(sys.Kinds)), "%s has no kind %q", m.Title, kind)
			continue
		}
		k.Mapping = k.Mapping.With(nil)
		for _, attr := range slices.Sorted(maps.Keys(s.Attributes[kind])) {
			if !slices.Contains(k.Attrs, attr) {
				bad(at+"."+attr, attr, k.Attrs, "%s has no attribute %q", m.Title, attr)
				continue
			}
			k.Mapping[attr] = dayone.Value{Kind: dayone.TemplateValue, Text: s.Attributes[kind][attr]}
		}
		sys.Kinds[kind] = k
	}
	if len(found) > 0 {
		return sys, found
	}
	return sys, nil
}
