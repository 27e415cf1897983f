package main

import (
	"errors"

	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/all"
	"github.com/dayone-hq/dayone/connector/defined"
)

// manifest is what a configured system is: its connector's manifest, in the shape that the settings describe. A definition
// may stand in a file of its own, which is read; nothing else is filled in, least of all a secret.
func (c *config) manifest(name string) (*connector.Manifest, error) {
	s, path := c.Systems[name], "systems."+name
	m, err := c.connector(path, s.Connector)
	if err != nil {
		return nil, err
	}
	shape, definition := all.Factories()[s.Connector].Shape, s.Settings[defined.Setting]
	if shape == nil || definition == "" { // that it is missing is said elsewhere
		return m, nil
	}
	plain := map[string]string{}
	for setting, v := range s.Settings {
		if m.Settings[setting].Type == "secret" {
			continue
		}
		if setting == defined.Setting {
			if v, err = c.fill(path+".settings."+setting, v); err != nil {
				var f faults
				errors.As(err, &f)
				return nil, f
			}
		}
		plain[setting] = v
	}
	if err := shape(m, plain); err != nil {
		return nil, c.unopened(path, err)
	}
	return m, nil
}
