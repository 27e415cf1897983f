package dayone

import "time"

// PreHireForm is what somebody who has not begun is asked for by a one-time link.
type PreHireForm struct {
	Engagement EngagementID
	Person     PersonID
	Mark       string // digest of the link that counts now
	Links      int    // how many there were: each ends the one before
	Made       time.Time
	Told       int       // how often
	Next       time.Time // when it is told again; zero: no more
	Done       time.Time // all was answered, or is known by other ways
}
