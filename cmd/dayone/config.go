package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// config is dayone.yaml. Every field has a place in the commented file that init writes.
type config struct {
	Company   string                  `yaml:"company"`
	Database  string                  `yaml:"database"`
	MasterKey string                  `yaml:"master_key"`
	Policy    string                  `yaml:"policy"`
	Portal    portalConfig            `yaml:"portal"`
	Messages  messagesConfig          `yaml:"messages"`
	Sources   map[string]sourceConfig `yaml:"sources"`
	Systems   map[string]systemConfig `yaml:"systems"`

	dir string // of the file: relative paths begin there
}

type portalConfig struct {
	Listen string `yaml:"listen"`
	URL    string `yaml:"url"`
	Token  string `yaml:"token"`
}

type messagesConfig struct {
	Mail     string        `yaml:"mail"`
	Calendar string        `yaml:"calendar"`
	OpensAt  time.Duration `yaml:"links_open_at"`
}

type sourceConfig struct {
	Connector string            `yaml:"connector"`
	Since     string            `yaml:"since"`
	Settings  map[string]string `yaml:"settings"`
}

type systemConfig struct {
	Connector     string                       `yaml:"connector"`
	Settings      map[string]string            `yaml:"settings"`
	Needs         []string                     `yaml:"needs"`
	ProvisionedBy string                       `yaml:"provisioned_by"`
	Attributes    map[string]map[string]string `yaml:"attributes"` // kind: attribute: template
	Protected     []string                     `yaml:"protected"`
	Concurrency   int                          `yaml:"concurrency"`
	PerMinute     map[string]int               `yaml:"per_minute"`
	Timeout       time.Duration                `yaml:"timeout"`
	DryRun        bool                         `yaml:"dry_run"`
}

// readConfig reads a file strictly: an unknown field is an error, with its line.
func readConfig(path string) (*config, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s; dayone init writes one: %w", path, dayone.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	c := &config{dir: filepath.Dir(path)}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", path, strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "yaml: "), dayone.ErrInvalid)
	}
	if err := c.expand(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.defaults()
	return c, c.check()
}

func (c *config) defaults() {
	def := func(to *string, v string) {
		if *to == "" {
			*to = v
		}
	}
	def(&c.Company, "Company")
	def(&c.Database, "sqlite:dayone.db")
	def(&c.MasterKey, "master.key")
	def(&c.Policy, "policy")
	def(&c.Portal.Listen, "127.0.0.1:8080")
	def(&c.Portal.URL, "http://"+c.Portal.Listen)
	if c.Messages.OpensAt == 0 {
		c.Messages.OpensAt = 7 * time.Hour
	}
	c.Portal.URL = strings.TrimSuffix(c.Portal.URL, "/")
}

func (c *config) check() error {
	if u, err := url.Parse(c.Portal.URL); err != nil || u.Host == "" {
		return fmt.Errorf("portal.url is %q; write https://dayone.company.com: %w", c.Portal.URL, dayone.ErrInvalid)
	}
	for name, s := range c.Sources {
		if s.Since != "" {
			if _, err := time.Parse(time.DateOnly, s.Since); err != nil {
				return fmt.Errorf("sources.%s.since is %q; write 2025-01-31: %w", name, s.Since, dayone.ErrInvalid)
			}
		}
	}
	for name := range c.Systems {
		if !systemName.MatchString(name) {
			return fmt.Errorf("%q is no name for a system; use lower case letters, digits and -: %w", name, dayone.ErrInvalid)
		}
	}
	for _, ref := range []string{c.Messages.Mail, c.Messages.Calendar} {
		if _, ok := c.Systems[ref]; ref != "" && !ok {
			return fmt.Errorf("messages names the system %q, which is not configured: %w", ref, dayone.ErrInvalid)
		}
	}
	return nil
}

var systemName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// path resolves a path of the file against the file's own folder.
func (c *config) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// database is the address with a relative SQLite file made absolute.
func (c *config) database() string {
	if file, ok := strings.CutPrefix(c.Database, "sqlite:"); ok && file != ":memory:" {
		return "sqlite:" + c.path(file)
	}
	return c.Database
}

var reference = regexp.MustCompile(`\$\{(env|file):([^}]+)\}`)

// expand puts in ${env:NAME} and ${file:PATH}: the only way for a secret to get into the configuration without standing
// in it.
func (c *config) expand() error {
	var errs []error
	put := func(where, v string) string {
		return reference.ReplaceAllStringFunc(v, func(m string) string {
			sub := reference.FindStringSubmatch(m)
			if sub[1] == "env" {
				out, ok := os.LookupEnv(sub[2])
				if !ok {
					errs = append(errs, fmt.Errorf("%s: the environment has no %s: %w", where, sub[2], dayone.ErrInvalid))
				}
				return out
			}
			raw, err := os.ReadFile(c.path(sub[2]))
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w: %w", where, err, dayone.ErrInvalid))
			}
			return strings.TrimRight(string(raw), "\r\n")
		})
	}
	c.Database = put("database", c.Database)
	c.Portal.Token = put("portal.token", c.Portal.Token)
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		for k, v := range c.Sources[name].Settings {
			c.Sources[name].Settings[k] = put("sources."+name+".settings."+k, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Systems)) {
		for k, v := range c.Systems[name].Settings {
			c.Systems[name].Settings[k] = put("systems."+name+".settings."+k, v)
		}
	}
	return errors.Join(errs...)
}

// system is a configured system as decisions see it: what the manifest says, with what the file says over it.
func (s systemConfig) system(name string, m *connector.Manifest) (dayone.System, error) {
	sys := m.System(name)
	sys.Needs, sys.Protected = s.Needs, s.Protected
	if s.ProvisionedBy != "" {
		via, err := dayone.ParseKey(s.ProvisionedBy)
		if err != nil {
			return sys, fmt.Errorf("systems.%s.provisioned_by: %w", name, err)
		}
		sys.Via = via
	}
	for kind, attrs := range s.Attributes {
		k, ok := sys.Kinds[kind]
		if !ok {
			return sys, fmt.Errorf("systems.%s.attributes: %s has no kind %q; it has %s: %w", name, m.Title, kind, strings.Join(slices.Sorted(maps.Keys(sys.Kinds)), ", "), dayone.ErrInvalid)
		}
		k.Mapping = k.Mapping.With(nil)
		for attr, text := range attrs {
			if !slices.Contains(k.Attrs, attr) {
				return sys, fmt.Errorf("systems.%s.attributes.%s: %s has no attribute %q; it has %s: %w", name, kind, m.Title, attr, strings.Join(k.Attrs, ", "), dayone.ErrInvalid)
			}
			k.Mapping[attr] = dayone.Value{Kind: dayone.TemplateValue, Text: text}
		}
		sys.Kinds[kind] = k
	}
	return sys, nil
}
