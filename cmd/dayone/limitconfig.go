package main

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/dayone-hq/dayone/web"
)

// limitsConfig is how much may be asked of the portal, where it is otherwise than web.DefaultLimits.
type limitsConfig struct {
	Token   limitConfig `yaml:"token"`
	Session limitConfig `yaml:"session"`
	Address limitConfig `yaml:"address"`
	Door    limitConfig `yaml:"door"`
	Hook    limitConfig `yaml:"hook"`
	Live    int         `yaml:"live"`
}

// limitConfig of 0 per_second is none.
type limitConfig struct {
	PerSecond int `yaml:"per_second"`
	AtOnce    int `yaml:"at_once"`
}

// named are the limits by their names in the file, each with where it is kept in l.
func (c limitsConfig) named(l *web.Limits) map[string]struct {
	said limitConfig
	to   *web.Limit
} {
	return map[string]struct {
		said limitConfig
		to   *web.Limit
	}{"token": {c.Token, &l.Token}, "session": {c.Session, &l.Session}, "address": {c.Address, &l.Address}, "door": {c.Door, &l.Door}, "hook": {c.Hook, &l.Hook}}
}

// limits are the defaults with what the file says over them.
func (c *config) limits() web.Limits {
	l := web.DefaultLimits
	for name, x := range c.Portal.Limits.named(&l) {
		if _, said := c.stands("portal.limits." + name + ".per_second"); said {
			x.to.PerSecond = x.said.PerSecond
			x.to.AtOnce = max(x.to.AtOnce, x.said.PerSecond)
		}
		if _, said := c.stands("portal.limits." + name + ".at_once"); said {
			x.to.AtOnce = x.said.AtOnce
		}
	}
	if _, said := c.stands("portal.limits.live"); said {
		l.Live = c.Portal.Limits.Live
	}
	return l
}

// mostPerSecond is more than one server answers.
const mostPerSecond = 100_000

// checkLimits judges what may be asked, and who may say for whom they ask.
func (c *config) checkLimits(bad func(error)) {
	effective := c.limits()
	of := c.Portal.Limits.named(&effective)
	for _, name := range slices.Sorted(maps.Keys(of)) {
		path, x := "portal.limits."+name, of[name]
		if x.to.PerSecond > mostPerSecond || x.to.AtOnce > mostPerSecond {
			bad(c.wrongKey(path, "value", "write per_second: 0 for no limit", "%s is more than one server answers", path))
		}
		if x.to.PerSecond > 0 && x.to.AtOnce < 1 {
			bad(c.wrongKey(path, "value", "write at_once: 100, or per_second: 0 for no limit", "%s.at_once is %d, and then nothing may be asked", path, x.to.AtOnce))
		}
	}
	for _, p := range c.Portal.Proxies {
		if _, err := prefix(p); err != nil {
			bad(c.wrong("portal.proxies", "value", "write addresses such as 127.0.0.1, or networks such as 10.0.0.0/8", "portal.proxies names %q, which is no address and no network", p))
		}
	}
}

// proxies are the networks of portal.proxies; what is none was found before.
func (c *config) proxies() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range c.Portal.Proxies {
		if net, err := prefix(p); err == nil {
			out = append(out, net)
		}
	}
	return out
}

func prefix(s string) (netip.Prefix, error) {
	if net, err := netip.ParsePrefix(s); err == nil {
		return net.Masked(), nil
	}
	at, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return at.Unmap().Prefix(at.Unmap().BitLen())
}
