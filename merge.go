package dayone

import "time"

// Merge says that two ids of ours are one person: what stands of Other is in the books of Person since then. It is undone by
// splitting an employment off that it brought.
type Merge struct {
	ID          MergeID
	Person      PersonID // who stays
	Other       PersonID // whose id points to her since
	Made        time.Time
	By          string
	Reason      string
	Undone      time.Time // zero: it stands
	UndoneBy    string
	Why         string         // it was undone
	Engagements []EngagementID // that it brought
}
