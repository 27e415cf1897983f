package main

import (
	"errors"

	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/all"
)

// manifest is what a configured system is: its connector's manifest, in the shape that the settings describe. A definition
// may stand in a file of its own, which is read; nothing else is filled in, least of all a secret.
func (c *config) manifest(name string) (*connector.Manifest, error) {
	s, path := c.Systems[name], "systems."+name
	m, err := c.connector(path, s.Connector)
	if err != nil {
		return nil, err
	}
	shape := all.Factories()[s.Connector].Shape
	if shape == nil {
		return m, nil
	}
	plain := map[string]string{}
	for setting, is := range m.Settings {
		v, given := s.Settings[setting]
		switch {
		case is.Type == "secret":
			continue
		case !given && is.Required && is.Default == "": // that it is missing is said elsewhere
			return m, nil
		case !given:
			v = is.Default
		case setting == "definition":
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

// files are settings with the paths of files begun at the configuration.
func (c *config) files(m *connector.Manifest, settings map[string]string) map[string]string {
	for name, v := range settings {
		if m.Settings[name].Type == "file" && v != "" {
			settings[name] = c.path(v)
		}
	}
	return settings
}
