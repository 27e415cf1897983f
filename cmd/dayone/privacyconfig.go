package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// privacyConfig says for how long people are known after they have left.
type privacyConfig struct {
	RetainDays int                       `yaml:"retain_days"`
	Retain     map[string]map[string]int `yaml:"retain"` // by type of employment and country; "*": any
	Requests   int                       `yaml:"requests_days"`
}

// mostRetainDays is a hundred years: longer than anybody has to be known.
const mostRetainDays = 36525

func (c *config) checkPrivacy(bad func(error)) {
	if n := c.Privacy.RetainDays; n < 1 || n > mostRetainDays {
		bad(c.wrong("privacy.retain_days", "value", "write 1095", "privacy.retain_days is %d; people are kept for at least one day and at most %d days after they have left", n, mostRetainDays))
	}
	if n := c.Privacy.Requests; n < 0 || n > mostRequestsDays {
		bad(c.wrong("privacy.requests_days", "value", "write 14, or 0 for none", "privacy.requests_days is %d; the requests of steps are kept for at most %d days", n, mostRequestsDays))
	}
	for _, kind := range slices.Sorted(maps.Keys(c.Privacy.Retain)) {
		for _, country := range slices.Sorted(maps.Keys(c.Privacy.Retain[kind])) {
			at, n := "privacy.retain."+kind+"."+country, c.Privacy.Retain[kind][country]
			if n < 1 || n > mostRetainDays {
				bad(c.wrong(at, "value", "write 1095", "%s is %d; people are kept for at least one day and at most %d days after they have left", at, n, mostRetainDays))
			}
			if country != flow.Any && !dayone.IsCountry(country) {
				bad(c.wrong(at, "value", "write a country of two letters such as DE, or \"*\" for any", "%s names %q, which is no country", at, country))
			}
		}
	}
}

// What somebody looks up in the log of requests happened lately; a year is what audits ask for at most.
const (
	requestsDays     = 14
	mostRequestsDays = 366
)

// keepCalls is for how long the requests of steps are kept. None are kept: those that are there go at once.
func (p privacyConfig) keepCalls() time.Duration {
	return max(time.Duration(p.Requests)*24*time.Hour, 1)
}

// checkRetained judges types of employment against those that people.yaml knows.
func (c *config) checkRetained(set *policy.Set) error {
	known := set.Schema.Attributes["employment_type"].Values
	for _, kind := range slices.Sorted(maps.Keys(c.Privacy.Retain)) {
		if kind != flow.Any && len(known) > 0 && !slices.Contains(known, kind) {
			hint := dayone.Meant(kind, known)
			if hint == "" {
				hint = "write one of " + strings.Join(known, ", ") + ", or \"*\" for any"
			}
			return c.wrong("privacy.retain."+kind, "unknown-value", hint, "privacy.retain names the employment_type %q, which people.yaml does not have", kind)
		}
	}
	return nil
}

func (p privacyConfig) retain() map[string]map[string]time.Duration {
	out := map[string]map[string]time.Duration{}
	for kind, lines := range p.Retain {
		out[kind] = map[string]time.Duration{}
		for country, days := range lines {
			out[kind][country] = time.Duration(days) * 24 * time.Hour
		}
	}
	return out
}
