package dayone

import "time"

// Effort is how many minutes a human needs for a step of each action, as the customer says: the baseline against which hours are
// counted that nobody had to work.
type Effort struct {
	Seq     int64
	Minutes map[Action]float64
	At      time.Time
	By      string
	Note    string
}

// EffortActions are those that are counted: reading back and confirming is nobody's work.
var EffortActions = []Action{AccountCreate, AccountUpdate, AccountEnable, AccountDisable, AccountDelete, EntitlementAdd, EntitlementRemove, MessageSend}
