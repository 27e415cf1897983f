package main

import (
	"time"

	"github.com/dayone-hq/dayone/engine"
)

// How a system is treated: who works there, when it counts as down, and what a maintenance window holds.

const (
	byHand      = "manual"
	byItself    = "automatic"
	longestEver = 24 * time.Hour
)

// checkCare judges what the file says of it.
func (c *config) checkCare(path string, s systemConfig, bad func(error)) {
	if s.Mode != "" && s.Mode != byHand && s.Mode != byItself {
		bad(c.wrong(path+".mode", "value", "write "+byHand+" if people do what is to be done there, or leave it out", "%s.mode is %q", path, s.Mode))
	}
	b := s.Breaker
	if _, said := c.stands(path + ".breaker.failures"); b.Failures < 0 || said && b.Failures == 0 {
		bad(c.wrong(path+".breaker.failures", "value", "write 5", "%s.breaker.failures is %d, and a system is never down before anything has failed", path, b.Failures))
	}
	for name, d := range map[string]time.Duration{"retry": b.Retry, "longest": b.Longest} {
		if _, said := c.stands(path + ".breaker." + name); d < 0 || d > longestEver || said && d < time.Second {
			bad(c.wrong(path+".breaker."+name, "value", "write 30s, at least 1s and at most 24h", "%s.breaker.%s is %s", path, name, d))
		}
	}
	if b.Retry > 0 && b.Longest > 0 && b.Longest < b.Retry {
		bad(c.wrong(path+".breaker.longest", "value", "write "+b.Retry.String()+" or more", "%s.breaker.longest is shorter than its retry", path))
	}
}

// care is how each system is treated.
func (c *config) care() map[string]engine.Care {
	out := map[string]engine.Care{}
	for name, s := range c.Systems {
		out[name] = engine.Care{
			Breaker: engine.BreakerConfig{Failures: s.Breaker.Failures, Base: s.Breaker.Retry, Max: s.Breaker.Longest},
			Manual:  s.Mode == byHand || s.Mode == "" && c.byHands(name), HoldLeavers: s.HoldLeavers,
		}
	}
	return out
}

// byHands says that people do what is to be done at a system because nothing else can.
func (c *config) byHands(name string) bool {
	m, err := manifestOf(c.Systems[name].Connector)
	return err == nil && m.Hands
}

// owners are who gets the tasks of each system.
func (c *config) owners() map[string]string {
	out := map[string]string{}
	for name, s := range c.Systems {
		if s.Owner != "" {
			out[name] = s.Owner
		}
	}
	return out
}
