package main

import (
	"fmt"
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// outsideConfig is about people who are in no HR system.
type outsideConfig struct {
	LongestDays int `yaml:"longest_days"`
}

// preHireConfig is what people are asked for before they begin.
type preHireConfig struct {
	Ask        []string `yaml:"ask"`
	RemindDays int      `yaml:"remind_days"`
}

func (c *config) outsideDefaults() {
	if _, said := c.stands("outside.longest_days"); !said {
		c.Outside.LongestDays = 365
	}
	if _, said := c.stands("prehire.remind_days"); !said {
		c.PreHire.RemindDays = 3
	}
}

// mostOutsideDays: whoever stays for longer belongs into an HR system.
const mostOutsideDays = 1826

func (c *config) checkOutside(bad func(error)) {
	if n := c.Outside.LongestDays; n < 1 || n > mostOutsideDays {
		bad(c.wrong("outside.longest_days", "value", "write 365", "outside.longest_days is %d; it is at least one day and at most %d", n, mostOutsideDays))
	}
	if n := c.PreHire.RemindDays; n < 1 || n > 90 {
		bad(c.wrong("prehire.remind_days", "value", "write 3", "prehire.remind_days is %d; write 1 to 90", n))
	}
}

// checkAsked judges what is asked for against the attributes that there are.
func (c *config) checkAsked(set *policy.Set) error {
	for _, name := range c.PreHire.Ask {
		a, known := set.Schema.Attributes[name]
		if !known || a.Derived || slices.Contains([]string{"id", "start_date", "end_date"}, name) {
			hint := dayone.Meant(name, set.Schema.Names())
			if hint == "" {
				hint = "add it to people.yaml, or leave it out"
			}
			return c.wrong("prehire.ask", "unknown-attribute", hint, "%s", fmt.Sprintf("prehire.ask names %q, which people.yaml does not have", name))
		}
	}
	return nil
}
