package main

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/dayone-hq/dayone/connector"
)

// phonesReadAt is the time of day at which a telephone system is read, if nothing else is said.
const phonesReadAt = "02:00"

// phonesAt is when each telephone system is read, by name; who is never read by itself is not in it. No other system has such
// a time.
func (c *config) phonesAt(guards map[string]*connector.Guard) (map[string]string, error) {
	out := map[string]string{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Systems)) {
		at, path, g := c.Systems[name].ReadAt, "systems."+name+".read_at", guards[name]
		phones := g != nil && g.Phones()
		_, err := time.Parse("15:04", at)
		switch {
		case at != "" && !phones:
			errs = append(errs, c.wrongKey(path, "setting", "take it out", "%s: %s is no telephone system, and only these are read at a time of day", path, name))
		case at != "" && at != readNever && err != nil:
			errs = append(errs, c.wrong(path, "value", "write \"02:00\", or never", "%s is %q, which is no time of day", path, at))
		case at == "" && phones:
			out[name] = phonesReadAt
		case phones && at != readNever:
			out[name] = at
		}
	}
	return out, errors.Join(errs...)
}
