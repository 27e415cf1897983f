package connector

import (
	"cmp"
	"slices"
	"time"
)

// RateLimit is a limit of requests to a system, and how much of it is used now.
type RateLimit struct {
	Path      string // that it is about; "": every other one
	Method    string // "": every one
	PerMinute int    // zero: it knows none
	Burst     int    // at once, after a rest
	Used      int    // of Burst, now, in tenths of it: how much goes on, and not that somebody was just looked up
	Shut      time.Time
}

// Limits are the limits of requests, those that are used most first, and how many calls may be under way at a time.
func (g *Guard) Limits() (list []RateLimit, calls int) {
	now := g.limits.now()
	for _, b := range g.limits.buckets {
		l := RateLimit{Path: b.Match, Method: b.Method, PerMinute: b.PerMinute}
		if b.PerMinute > 0 {
			l.Burst = b.Burst
			l.Used = min(b.Burst, max(0, b.Burst-int(b.rate.TokensAt(time.Now()))))
			l.Used -= l.Used % max(1, b.Burst/10)
		}
		b.mu.Lock()
		if b.shut.After(now) {
			l.Shut = b.shut
		}
		b.mu.Unlock()
		list = append(list, l)
	}
	slices.SortStableFunc(list, func(a, b RateLimit) int { return cmp.Compare(b.Used*max(1, a.Burst), a.Used*max(1, b.Burst)) })
	return list, g.width
}
