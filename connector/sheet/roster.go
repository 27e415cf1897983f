package sheet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Layout says what stands in which column.
type Layout struct {
	System  string                  // whose accounts they are
	ID      string                  // the column with the account's id; "": the first of idColumns that is there
	Attrs   []string                // attributes that may be shown
	Columns map[string]string       // attribute, state or kind: its column, if that is called otherwise
	Words   map[string]dayone.State // what stands in the state, beside what people write for it
	Kinds   []string                // entitlements: a column each, with names separated by a semicolon, and roles as NAME=ROLE
}

var idColumns = []string{"id", "ref", "employee_number", "login", "email"}

// Columns that are neither an attribute nor a kind.
const (
	StateColumn   = "state"   // whether an account is open
	CreatedColumn = "created" // when we made it
)

var states = map[string]dayone.State{
	"": dayone.Active, "active": dayone.Active, "enabled": dayone.Active, "open": dayone.Active, "yes": dayone.Active, "true": dayone.Active, "1": dayone.Active,
	"disabled": dayone.Disabled, "inactive": dayone.Disabled, "closed": dayone.Disabled, "locked": dayone.Disabled, "suspended": dayone.Disabled,
	"no": dayone.Disabled, "false": dayone.Disabled, "0": dayone.Disabled,
	"staged": dayone.Staged, "new": dayone.Staged, "pending": dayone.Pending, "invited": dayone.Pending,
}

// ParseColumns reads a setting such as "login=User name, state=Status".
func ParseColumns(words []string) (map[string]string, error) {
	out := map[string]string{}
	for _, w := range words {
		attr, column, ok := strings.Cut(w, "=")
		attr, column = strings.TrimSpace(attr), strings.TrimSpace(column)
		if !ok || attr == "" || column == "" {
			return nil, fmt.Errorf("%q is no column; write ATTRIBUTE=COLUMN: %w", w, dayone.ErrInvalid)
		}
		out[attr] = column
	}
	return out, nil
}

// Roster is a list as accounts.
type Roster struct {
	Sheet    *Sheet
	Accounts []Entry
	layout   Layout
	at       map[string]int // column by attribute or kind
	id       int
	byRef    map[string]int
}

// Entry is one account of a list.
type Entry struct {
	Item dayone.Item
	Held map[string][]dayone.Item
	Row  int
}

// Roster reads a list as accounts. All that is wrong is said at once.
func (l Layout) Roster(s *Sheet) (*Roster, error) {
	r := &Roster{Sheet: s, layout: l, at: map[string]int{}, byRef: map[string]int{}}
	var faults Faults
	for _, name := range append(append(slices.Clone(l.Attrs), StateColumn, CreatedColumn), l.Kinds...) {
		column, said := l.Columns[name]
		i := s.Column(cmp.Or(column, name))
		if i < 0 {
			if said {
				faults = append(faults, Fault{Line: 1, Text: fmt.Sprintf("it has no column %q, which is to be the %s", column, name)})
			}
			continue
		}
		r.at[name] = i
	}
	r.id = -1
	for _, name := range l.ids() {
		if r.id = s.Column(name); r.id >= 0 {
			break
		}
	}
	if r.id < 0 {
		faults = append(faults, Fault{Line: 1, Text: "it has no column with the id of each account; there has to be " + strings.Join(l.ids(), " or ")})
		return nil, faults
	}
	if len(faults) > 0 {
		return nil, faults
	}
	for i, row := range s.Rows {
		if !slices.ContainsFunc(row, func(v string) bool { return strings.TrimSpace(v) != "" }) {
			continue
		}
		e, bad := r.entry(i, row)
		if before, twice := r.byRef[e.Item.Ref]; len(bad) == 0 && twice {
			bad = Faults{{Line: s.Line(i), Column: s.Head[r.id], Text: fmt.Sprintf("this id stands in line %d as well; an id is one account's", s.Line(r.Accounts[before].Row))}}
		}
		if len(bad) > 0 {
			faults = append(faults, bad...)
			continue
		}
		r.byRef[e.Item.Ref] = len(r.Accounts)
		r.Accounts = append(r.Accounts, e)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return r, nil
}

func (l Layout) ids() []string {
	if l.ID != "" {
		return []string{l.ID}
	}
	out := slices.Clone(idColumns)
	for i, name := range out {
		out[i] = cmp.Or(l.Columns[name], name)
	}
	return out
}

func (r *Roster) entry(i int, row []string) (Entry, Faults) {
	var faults Faults
	bad := func(column int, format string, args ...any) {
		faults = append(faults, Fault{Line: r.Sheet.Line(i), Column: r.Sheet.Head[column], Text: fmt.Sprintf(format, args...)})
	}
	e := Entry{Row: i, Held: map[string][]dayone.Item{}, Item: dayone.Item{
		Key: dayone.Key{System: r.layout.System, Kind: dayone.AccountKindName}, State: dayone.Active, Ref: strings.TrimSpace(unguarded(row[r.id])), Attrs: dayone.Attrs{},
	}}
	if e.Item.Ref == "" {
		bad(r.id, "the account has no id")
	}
	for _, name := range r.layout.Attrs {
		if c, ok := r.at[name]; ok {
			e.Item.Attrs[name] = dayone.Text(unguarded(strings.TrimSpace(row[c])))
		}
	}
	if c, ok := r.at[StateColumn]; ok {
		state, known := r.layout.state(strings.TrimSpace(row[c]))
		if !known {
			bad(c, "this is no state; write active or disabled")
		}
		e.Item.State = state
	}
	if c, ok := r.at[CreatedColumn]; ok {
		e.Item.Created, _ = time.Parse(time.RFC3339, strings.TrimSpace(row[c])) // what others write there is no instant of ours
	}
	for _, kind := range r.layout.Kinds {
		if c, ok := r.at[kind]; ok {
			e.Held[kind] = names(kind, row[c])
		}
	}
	return e, faults
}

func (l Layout) state(word string) (dayone.State, bool) {
	for w, state := range l.Words {
		if strings.EqualFold(w, word) {
			return state, true
		}
	}
	state, known := states[strings.ToLower(word)]
	return state, known
}

// names are the entitlements of a cell. The role is behind the last equals sign.
func names(kind, cell string) []dayone.Item {
	var out []dayone.Item
	for _, word := range strings.Split(unguarded(cell), ";") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		name, role := word, ""
		if i := strings.LastIndexByte(word, '='); i >= 0 {
			name, role = strings.TrimSpace(word[:i]), strings.TrimSpace(word[i+1:])
		}
		out = append(out, dayone.Item{Key: dayone.Key{Kind: kind, Name: name}, Ref: name, Role: role, State: dayone.Active})
	}
	return out
}

// Cell writes entitlements as names reads them.
func Cell(items []dayone.Item) (string, error) {
	words := make([]string, 0, len(items))
	for _, it := range items {
		if strings.Contains(it.Key.Name, ";") || strings.ContainsAny(it.Role, ";=") {
			return "", fmt.Errorf("%q cannot stand in a list that is separated by semicolons: %w", it.Key.Name, dayone.ErrInvalid)
		}
		word := it.Key.Name
		if it.Role != "" || strings.Contains(word, "=") {
			word += "=" + it.Role
		}
		words = append(words, word)
	}
	return strings.Join(words, "; "), nil
}

// Shows says whether the list has a column for an attribute, the state or a kind.
func (r *Roster) Shows(name string) bool {
	_, ok := r.at[name]
	return ok
}

// Of is the account of an id, or nil.
func (r *Roster) Of(ref string) *Entry {
	i, ok := r.byRef[ref]
	if !ok {
		return nil
	}
	return &r.Accounts[i]
}

// Find are the accounts that have a value. Mail addresses and logins are compared as people write them.
func (r *Roster) Find(attr, value string) []dayone.Item {
	var out []dayone.Item
	for _, e := range r.Accounts {
		if have := e.Item.Attrs.Text(attr); have == value || attr != "employee_number" && strings.EqualFold(have, value) {
			out = append(out, e.Item)
		}
	}
	return out
}

// Compare says what differs from the list before: what is new, what is otherwise, what is missing, by id.
func (r *Roster) Compare(before *Roster) (added, changed, missing []string) {
	for _, e := range r.Accounts {
		old := before.Of(e.Item.Ref)
		switch {
		case old == nil:
			added = append(added, e.Item.Ref)
		case old.Item.State != e.Item.State || !maps.Equal(old.Item.Attrs, e.Item.Attrs) || !maps.EqualFunc(old.Held, e.Held, sameHeld):
			changed = append(changed, e.Item.Ref)
		}
	}
	for _, e := range before.Accounts {
		if r.Of(e.Item.Ref) == nil {
			missing = append(missing, e.Item.Ref)
		}
	}
	return added, changed, missing
}

func sameHeld(a, b []dayone.Item) bool {
	return slices.EqualFunc(a, b, func(x, y dayone.Item) bool { return x.Key == y.Key && x.Role == y.Role })
}

// Set writes values into a row, by attribute, state or kind. ErrUnsupported names the first that the list has no column for.
func (r *Roster) Set(row int, values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		c, ok := r.at[name]
		if !ok {
			return fmt.Errorf("the list has no column for %s: %w", name, dayone.ErrUnsupported)
		}
		r.Sheet.Rows[row][c] = values[name]
	}
	return nil
}

// Add puts an empty row with an id at the end.
func (r *Roster) Add(ref string) int {
	row := make([]string, len(r.Sheet.Head))
	row[r.id] = ref
	r.Sheet.Append(row)
	return len(r.Sheet.Rows) - 1
}

// Holds says that the column of an attribute is the one that holds ids.
func (r *Roster) Holds(attr string) bool {
	c, ok := r.at[attr]
	return ok && c == r.id
}

// IDColumn is the head of the column that holds ids.
func (r *Roster) IDColumn() string { return r.Sheet.Head[r.id] }

// MuchSmaller says that so much of a list is missing that what came in its place is rather half a list, or another: all of
// it, more than half, or more than a fifth and more than five.
func MuchSmaller(missing, before int) bool {
	return before > 0 && (missing == before || missing*2 > before || missing > 5 && missing*5 > before)
}
