package dayone

// Tile is one number that a system shows on the dashboard: how many users it has, how many seats are left.
type Tile struct {
	Title   string
	Value   int
	AtLeast bool   // there may be more: nobody counted further
	Of      int    // out of how many; 0: nobody knows
	Unit    string // users, devices, seats
	State   TileState
	Link    string // where more of it stands: https:// in the vendor's console, or a path of the portal; "": nowhere
}

// TileState says whether somebody should look.
type TileState string

const (
	TileFine TileState = ""
	TileLow  TileState = "low"
	TileNone TileState = "none left"
)
