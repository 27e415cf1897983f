package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

// config is dayone.yaml. Every field has a place in the commented file that init writes.
type config struct {
	Company      string                  `yaml:"company"`
	Database     string                  `yaml:"database"`
	MasterKey    string                  `yaml:"master_key"`
	Policy       string                  `yaml:"policy"`
	KeepDays     int                     `yaml:"keep_bodies_days"`
	Alone        aloneConfig             `yaml:"alone"`
	Standby      bool                    `yaml:"standby"`
	clockIsRight bool                    // as serve was told
	Lease        time.Duration           `yaml:"lease"`
	UndoDays     int                     `yaml:"undo_days"`
	Privacy      privacyConfig           `yaml:"privacy"`
	Portal       portalConfig            `yaml:"portal"`
	Messages     messagesConfig          `yaml:"messages"`
	Approvals    approvalsConfig         `yaml:"approvals"`
	Tasks        tasksConfig             `yaml:"tasks"`
	Alerts       alertsConfig            `yaml:"alerts"`
	Webhooks     map[string]tellConfig   `yaml:"webhooks"`
	Brakes       brakesConfig            `yaml:"brakes"`
	Outside      outsideConfig           `yaml:"outside"`
	PreHire      preHireConfig           `yaml:"prehire"`
	Sources      map[string]sourceConfig `yaml:"sources"`
	Systems      map[string]systemConfig `yaml:"systems"`

	dir    string  // of the file: relative paths begin there
	places *strict // where everything stands in it; nil: it was made in memory
}

type portalConfig struct {
	Listen string `yaml:"listen"`
	URL    string `yaml:"url"`
	Token  string `yaml:"token"`

	Tokens       map[string]tokenConfig `yaml:"tokens"`
	Confidential []dayone.Role          `yaml:"confidential"`

	SignOn  signOnConfig  `yaml:"sign_on"`
	Setup   string        `yaml:"setup"`   // from where the set-up link works
	Session time.Duration `yaml:"session"` // how long a login holds
	Idle    time.Duration `yaml:"idle"`    // and how long if nobody does anything

	Proxies []string     `yaml:"proxies"`
	Limits  limitsConfig `yaml:"limits"`

	Language string `yaml:"language"` // of whoever has chosen none
}

// tokenConfig lets one more login in, with a role.
type tokenConfig struct {
	Role      dayone.Role `yaml:"role"`
	Token     string      `yaml:"token"`
	Countries []string    `yaml:"countries"`
	Companies []string    `yaml:"companies"`
	Systems   []string    `yaml:"systems"`
}

func (t tokenConfig) reach() dayone.Reach {
	return dayone.Reach{Countries: t.Countries, Companies: t.Companies, Systems: t.Systems}
}

// roleConfig is the role of a group: its name, or that and how far it reaches.
type roleConfig struct {
	Role      dayone.Role `yaml:"role" short:"role"`
	Countries []string    `yaml:"countries"`
	Companies []string    `yaml:"companies"`
	Systems   []string    `yaml:"systems"`
}

func (r roleConfig) reach() dayone.Reach {
	return dayone.Reach{Countries: r.Countries, Companies: r.Companies, Systems: r.Systems}
}

// aloneConfig says whether an author may approve his own proposal after a notice.
type aloneConfig struct {
	Allowed bool          `yaml:"allowed"`
	Notice  time.Duration `yaml:"notice"`
}

type messagesConfig struct {
	Mail     string        `yaml:"mail"`
	Calendar string        `yaml:"calendar"`
	OpensAt  time.Duration `yaml:"links_open_at"`
}

type approvalsConfig struct {
	Groups        map[string][]string `yaml:"groups"`
	Fallback      []string            `yaml:"fallback"`
	RemindAfter   int                 `yaml:"remind_after"`
	EscalateAfter int                 `yaml:"escalate_after"`
}

type tasksConfig struct {
	Assignee string `yaml:"assignee"`
}

type sourceConfig struct {
	Connector    string            `yaml:"connector"`
	Since        string            `yaml:"since"`
	StaleAfter   time.Duration     `yaml:"stale_after"`
	Confidential string            `yaml:"confidential"`
	ReadAt       string            `yaml:"read_at"`
	Absent       string            `yaml:"absent"`
	Brakes       sourceBrakes      `yaml:"brakes"`
	Settings     map[string]string `yaml:"settings"`
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
	Mode          string                       `yaml:"mode"`
	Owner         string                       `yaml:"owner"`
	Breaker       breakerConfig                `yaml:"breaker"`
	HoldLeavers   bool                         `yaml:"maintenance_holds_leavers"`
	ReadAt        string                       `yaml:"read_at"` // of a telephone system
}

// breakerConfig says when a system counts as down, and how often it is asked then whether it is back.
type breakerConfig struct {
	Failures int           `yaml:"failures"`
	Retry    time.Duration `yaml:"retry"`
	Longest  time.Duration `yaml:"longest"`
}

// readConfig reads and judges a file: all faults at once, each with its place. Secrets are put in later, by whoever needs
// them: a command that calls nobody works without.
func readConfig(path string) (*config, error) {
	raw, err := readUpTo(path, mostFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s; dayone init writes one, --config names another: %w", path, dayone.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return configOf(path, raw)
}

// configOf is what the file at a path says once raw stands in it.
func configOf(path string, raw []byte) (*config, error) {
	c := &config{dir: filepath.Dir(path)}
	c.places = readStrict(path, string(raw), c)
	if len(c.places.faults) > 0 {
		return nil, c.places.faults
	}
	c.defaults()
	c.check()
	if len(c.places.faults) > 0 {
		return nil, c.places.faults
	}
	return c, nil
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
	if _, said := c.stands("keep_bodies_days"); !said {
		c.KeepDays = 30
	}
	if _, said := c.stands("lease"); !said {
		c.Lease = store.DefaultLease
	}
	if _, said := c.stands("brakes.lists_at"); !said {
		c.Brakes.ListsAt = "03:30"
	}
	if _, said := c.stands("undo_days"); !said {
		c.UndoDays = 30
	}
	if _, said := c.stands("privacy.requests_days"); !said {
		c.Privacy.Requests = requestsDays
	}
	if _, said := c.stands("privacy.retain_days"); !said {
		c.Privacy.RetainDays = int(flow.RetainFor / (24 * time.Hour))
	}
	def(&c.Portal.Listen, "127.0.0.1:8080")
	def(&c.Portal.URL, "http://"+c.Portal.Listen)
	if _, said := c.stands("messages.links_open_at"); !said {
		c.Messages.OpensAt = 7 * time.Hour
	}
	if _, said := c.stands("alone.allowed"); !said {
		c.Alone.Allowed = true
	}
	if _, said := c.stands("alone.notice"); !said {
		c.Alone.Notice = flow.Notice
	}
	if _, said := c.stands("approvals.remind_after"); !said {
		c.Approvals.RemindAfter = 1
	}
	if _, said := c.stands("approvals.escalate_after"); !said {
		c.Approvals.EscalateAfter = 3
	}
	c.outsideDefaults()
	c.Portal.URL = strings.TrimSuffix(c.Portal.URL, "/")
	for name, s := range c.Sources {
		def(&s.Connector, name)
		def(&s.ReadAt, "02:00")
		def(&s.Absent, absentReport)
		c.Sources[name] = s
	}
	for name, s := range c.Systems {
		def(&s.Connector, name)
		c.Systems[name] = s
	}
}

// stands is where the value of a path is written, if it is.
func (c *config) stands(path string) (stands, bool) {
	if c.places == nil {
		return stands{}, false
	}
	at, ok := c.places.at[path]
	return at, ok
}

// wrong is a fault of the value at a path of the file; if nothing is written there, of the nearest key above.
func (c *config) wrong(path, code, hint, format string, args ...any) error {
	at, ok := c.stands(path)
	if !ok {
		return c.wrongKey(path, code, hint, format, args...)
	}
	return faults{c.places.fault(at.value, code, hint, format, args...)}
}

// wrongKey is a fault of the key itself.
func (c *config) wrongKey(path, code, hint, format string, args ...any) error {
	places := c.places
	if places == nil {
		places = &strict{file: "the configuration"}
	}
	at, ok := c.stands(path)
	for !ok && strings.Contains(path, ".") {
		path = path[:strings.LastIndexByte(path, '.')]
		at, ok = c.stands(path)
	}
	return faults{places.fault(at.key, code, hint, format, args...)}
}
