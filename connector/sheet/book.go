package sheet

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// Book is a list that lies in a file, and is read again when somebody has written it.
type Book struct {
	File   string
	Layout Layout
	Whole  bool // its last line has to end: else somebody is still writing it

	mu   sync.Mutex
	read *Roster // of the file as it was then
	then Stamp
}

// Parse reads a list as the book's layout has it.
func (b *Book) Parse(raw []byte) (*Roster, error) {
	if b.Whole && len(raw) > 0 && raw[len(raw)-1] != '\n' {
		return nil, fmt.Errorf("its last line has no end, so somebody is still writing it: %w", dayone.ErrUnavailable)
	}
	s, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	return b.Layout.Roster(s)
}

// Latest is the list as it lies there, and of when it is. Whoever gets it leaves it as it is: others have it, too.
func (b *Book) Latest() (*Roster, time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	stamp, err := Look(b.File)
	if err == nil && b.read != nil && b.then.Is(stamp) {
		return b.read, stamp.At(), nil
	}
	if err != nil {
		return nil, stamp.At(), err
	}
	raw, stamp, err := Load(b.File)
	if err != nil {
		return nil, stamp.At(), err
	}
	r, err := b.Parse(raw)
	if err != nil {
		return nil, stamp.At(), err
	}
	b.read, b.then = r, stamp
	return r, stamp.At(), nil
}

// Offers are what somebody has: a catalogue where nobody keeps another.
func (r *Roster) Offers(system string) []dayone.Offer {
	var out []dayone.Offer
	seen := map[dayone.Key]int{}
	for _, e := range r.Accounts {
		for _, kind := range r.layout.Kinds {
			for _, it := range e.Held[kind] {
				key := dayone.Key{System: system, Kind: kind, Name: it.Key.Name}
				i, ok := seen[key]
				if !ok {
					i = len(out)
					seen[key], out = i, append(out, dayone.Offer{Key: key, Ref: it.Ref})
				}
				if it.Role != "" && !slices.Contains(out[i].Roles, it.Role) {
					out[i].Roles = append(out[i].Roles, it.Role)
				}
			}
		}
	}
	return out
}

// ParseOffers reads a catalogue: columns kind and name, title and roles if they are there.
func ParseOffers(raw []byte, system string, kinds []string) ([]dayone.Offer, error) {
	table, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for _, name := range []string{"kind", "name", "title", "roles"} {
		at[name] = table.Column(name)
	}
	if at["kind"] < 0 || at["name"] < 0 {
		return nil, Faults{{Line: 1, Text: "a catalogue has the columns kind and name, and title and roles if you like"}}
	}
	var out []dayone.Offer
	var faults Faults
	line := map[dayone.Key]int{}
	for i, row := range table.Rows {
		value := func(name string) string {
			if at[name] < 0 {
				return ""
			}
			return strings.TrimSpace(row[at[name]])
		}
		bad := func(column, format string, args ...any) {
			faults = append(faults, Fault{Line: table.Line(i), Column: table.Head[at[column]], Text: fmt.Sprintf(format, args...)})
		}
		key := dayone.Key{System: system, Kind: value("kind"), Name: value("name")}
		switch {
		case key.Kind == "" && key.Name == "":
			continue
		case !slices.Contains(kinds, key.Kind):
			bad("kind", "there is no kind %q; the setting kinds names %s", key.Kind, strings.Join(kinds, ", "))
		case key.Name == "":
			bad("name", "it has no name")
		case line[key] > 0:
			bad("name", "%q stands in line %d as well", key.Name, line[key])
		default:
			line[key] = table.Line(i)
			o := dayone.Offer{Key: key, Ref: key.Name, Title: value("title")}
			for _, role := range strings.Split(value("roles"), ";") {
				if role = strings.TrimSpace(role); role != "" {
					o.Roles = append(o.Roles, role)
				}
			}
			out = append(out, o)
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return out, nil
}
