package dayone

import "time"

// Request is somebody's wish for an entitlement that policies offer to a person: while it stands the offer is a grant,
// once whoever has to has agreed.
type Request struct {
	ID     RequestID
	Person PersonID
	Key    Key
	Role   string
	By     string // who asks, as a mail address; "": nobody said
	Login  string // who was logged in
	Reason string
	Made   time.Time
	Until  time.Time // the end that was asked for, or that the offer has once it is given; zero: none
	Ended  time.Time // zero: it stands
	EndBy  string
}
