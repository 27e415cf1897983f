package main

import (
	"strings"
	"time"

	"github.com/dayone-hq/dayone/flow"
)

// sourceBrakes are the limits of one source; what is left out has its default.
type sourceBrakes struct {
	Terminations int    `yaml:"terminations"`
	Percent      int    `yaml:"percent"`
	Smaller      int    `yaml:"smaller"`
	Shift        int    `yaml:"shift"`
	Off          string `yaml:"off"`
}

// brakesConfig are the limits of what is taken away at one system.
type brakesConfig struct {
	People      int    `yaml:"people"`
	Percent     int    `yaml:"percent"`
	EmptiedFrom int    `yaml:"emptied_from"`
	SecondFrom  int    `yaml:"second_from"`
	ListsAt     string `yaml:"lists_at"`
	Smaller     int    `yaml:"smaller"`
	Off         string `yaml:"off"`
}

const (
	absentReport = "report"
	absentLeaves = "leaves"
	readNever    = "never"
)

// limit judges one number of a path: what nobody wrote is not judged.
func (c *config) limit(path string, n, most int, bad func(error)) {
	if _, said := c.stands(path); said && (n <= 0 || n > most) {
		hint := "write a number above 0"
		if most == 100 {
			hint = "write percent, above 0 and at most 100"
		}
		bad(c.wrong(path, "value", hint+"; off: and a reason turns brakes off", "%s is %d", path, n))
	}
}

const mostPeople = 1_000_000_000

// checkBrakes judges how a source is read, and what it may take away.
func (c *config) checkBrakes(path string, s sourceConfig, bad func(error)) {
	if _, err := time.Parse("15:04", s.ReadAt); err != nil && s.ReadAt != readNever {
		bad(c.wrong(path+".read_at", "value", "write \"02:00\", or never", "%s.read_at is %q, which is no time of day", path, s.ReadAt))
	}
	if s.Absent != absentReport && s.Absent != absentLeaves {
		bad(c.wrong(path+".absent", "value", "write report or leaves", "%s.absent is %q", path, s.Absent))
	}
	b := s.Brakes
	c.limit(path+".brakes.terminations", b.Terminations, mostPeople, bad)
	c.limit(path+".brakes.percent", b.Percent, 100, bad)
	c.limit(path+".brakes.smaller", b.Smaller, 100, bad)
	c.limit(path+".brakes.shift", b.Shift, 100, bad)
	c.off(path+".brakes.off", b.Off, bad)
}

func (c *config) checkRemovals(bad func(error)) {
	b := c.Brakes
	c.limit("brakes.people", b.People, mostPeople, bad)
	c.limit("brakes.percent", b.Percent, 100, bad)
	c.limit("brakes.emptied_from", b.EmptiedFrom, mostPeople, bad)
	c.limit("brakes.smaller", b.Smaller, 100, bad)
	if _, err := time.Parse("15:04", b.ListsAt); err != nil && b.ListsAt != readNever {
		bad(c.wrong("brakes.lists_at", "value", "write \"03:30\", or never", "brakes.lists_at is %q, which is no time of day", b.ListsAt))
	}
	c.limit("brakes.second_from", b.SecondFrom, mostPeople, bad)
	c.off("brakes.off", b.Off, bad)
}

// off wants a reason: true is none.
func (c *config) off(path, why string, bad func(error)) {
	switch strings.ToLower(strings.TrimSpace(why)) {
	case "true", "yes", "on", "false", "no":
		bad(c.wrong(path, "value", "write why, such as \"the source is a test system\"", "%s takes the reason why there are no brakes, and is %q", path, why))
	}
}

// removals are the limits as flow takes them.
func (c *config) removals() flow.RemovalBrakes {
	b := c.Brakes
	at := b.ListsAt
	if at == readNever {
		at = ""
	}
	return flow.RemovalBrakes{ListsAt: at, Smaller: float64(b.Smaller), Off: strings.TrimSpace(b.Off), People: b.People, Percent: float64(b.Percent), EmptiedFrom: b.EmptiedFrom, SecondFrom: b.SecondFrom}
}

// read adds how a source is read, and its limits.
func (s sourceConfig) read(to flow.Source) flow.Source {
	if s.ReadAt != readNever {
		to.ReadAt = s.ReadAt
	}
	to.AbsentLeaves = s.Absent == absentLeaves
	b := s.Brakes
	to.Brakes = flow.SourceBrakes{Off: strings.TrimSpace(b.Off), Terminations: b.Terminations, Percent: float64(b.Percent), Smaller: float64(b.Smaller), Shift: float64(b.Shift)}
	return to
}
