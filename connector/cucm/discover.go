package cucm

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
)

// Discovery is a cluster as it was read: nothing was changed for it. It is whole, or there is none: what could not be read
// would look as if it were free.
type Discovery struct {
	Lines   []Shown
	Plan    []Entry
	Users   []Person
	Devices []Device
}

// Entry is one pattern of the route plan: a directory number, a translation, a route or hunt pattern, a park number, a place.
type Entry struct {
	Pattern   string // as the cluster stores it: 2101, 21XX, \+49305550[1-3]XX
	Partition string
	Kind      string // "Device", "Translation", "Hunt Pilot", "Emergency Location ID Number"
	Detail    string // what it leads to
}

// Shown is one line, and where it is shown. It outlives every device.
type Shown struct {
	Ref         string
	Pattern     string
	Partition   string
	E164        string // "": the pattern is none
	Description string
	Primary     []string // userids whose primary extension it is
	At          []Appearance
}

// Appearance is one place at which a line is shown.
type Appearance struct {
	Device string
	Class  string   // Phone, Device Profile, Remote Destination Profile
	Index  string   // which button; the first is the device's own line
	Mask   string   // the number that callees see
	Users  []string // userids that are associated with the line there
}

// Person is an end user.
type Person struct {
	Ref, ID, Email, Department, Phone string
}

// Device is a phone, a profile of extension mobility, or the profile of somebody's remote destinations.
type Device struct {
	Ref, Name, Class, Product, Pool, Description string
	Owner                                        string // userid; "": nobody, or a public place
	LoggedIn                                     string // userid
}

// Unshown says that no device shows a line: it is left over, or rests.
func (s Shown) Unshown() bool { return len(s.At) == 0 }

// Users are the userids that a line leads to, each once.
func (s Shown) Users() []string {
	out := slices.Clone(s.Primary)
	for _, a := range s.At {
		out = append(out, a.Users...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Discover reads users, lines, devices and the whole route plan. It takes one look at each device, by at most two at a time,
// since no list shows lines.
func (c *Cluster) Discover(ctx context.Context) (*Discovery, error) {
	d := &Discovery{}
	byName := map[string]int{}
	err := c.List(ctx, Line, "pattern", []string{"pattern", "description", "routePartitionName"}, func(o *Object) bool {
		s := Shown{Ref: o.UUID, Pattern: o.Value("pattern"), Partition: o.Value("routePartitionName"), Description: o.Value("description")}
		s.E164 = e164(s.Pattern)
		if _, twice := byName[LineName(s.Pattern, s.Partition)]; !twice { // a page may begin with what the last one ended
			byName[LineName(s.Pattern, s.Partition)] = len(d.Lines)
			d.Lines = append(d.Lines, s)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	line := func(e *Element) *Shown {
		if i, ok := byName[LineName(e.Value("pattern"), e.Value("routePartitionName"))]; ok {
			return &d.Lines[i]
		}
		return nil // it was made while we read
	}
	err = c.List(ctx, User, "userid", []string{"userid", "mailid", "department", "primaryExtension", "telephoneNumber"}, func(o *Object) bool {
		d.Users = append(d.Users, Person{o.UUID, o.Value("userid"), o.Value("mailid"), o.Value("department"), o.Value("telephoneNumber")})
		if ext := o.At("primaryExtension"); ext != nil {
			if s := line(ext); s != nil {
				s.Primary = append(s.Primary, o.Value("userid"))
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	for _, kind := range []*Kind{Phone, DeviceProfile, RemoteDestinationProfile} {
		if err := c.devices(ctx, kind, func(o *Object) {
			d.Devices = append(d.Devices, deviceOf(o))
			for _, l := range o.All("lines/line") {
				dirn := l.At("dirn")
				if dirn == nil {
					continue
				}
				if s := line(dirn); s != nil {
					a := Appearance{Device: o.Value("name"), Class: o.Value("class"), Index: l.Value("index"), Mask: l.Value("e164Mask")}
					for _, u := range l.All("associatedEndusers/enduser") {
						a.Users = append(a.Users, u.Value("userId"))
					}
					s.At = append(s.At, a)
				}
			}
		}); err != nil {
			return nil, err
		}
	}
	if d.Plan, err = c.RoutePlan(ctx); err != nil {
		return nil, err
	}
	d.sort()
	return d, nil
}

func deviceOf(o *Object) Device {
	return Device{
		o.UUID, o.Value("name"), o.Value("class"), o.Value("product"), o.Value("devicePoolName"), o.Value("description"),
		cmp.Or(o.Value("ownerUserName"), o.Value("userId")), o.Value("loginUserId"),
	}
}

// e164 is the international number of a pattern such as \+14085552101, or "".
func e164(pattern string) string {
	digits, ok := strings.CutPrefix(pattern, `\+`)
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return "+" + digits
}

// devices reads every device of a kind, whole. One that goes while we read is gone; any other error ends it.
func (c *Cluster) devices(ctx context.Context, kind *Kind, each func(*Object)) error {
	var refs []string
	if err := c.List(ctx, kind, "name", []string{"name"}, func(o *Object) bool {
		refs = append(refs, o.UUID)
		return true
	}); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	todo := make(chan string)
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range cap(c.readers) {
		wait.Go(func() {
			for ref := range todo {
				o, err := c.Get(ctx, kind, Key{UUID: ref})
				if errors.Is(err, dayone.ErrNotFound) {
					continue
				}
				if err != nil {
					stop(err)
					continue
				}
				mu.Lock()
				each(o)
				mu.Unlock()
			}
		})
	}
	for _, ref := range refs {
		select {
		case todo <- ref:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(todo)
	wait.Wait()
	return context.Cause(ctx)
}

// RoutePlan reads every pattern of the cluster. A line that several devices show stands there once.
func (c *Cluster) RoutePlan(ctx context.Context) ([]Entry, error) {
	var out []Entry
	lines := map[string]bool{}
	err := c.list(ctx, "the route plan", "RoutePlan", []*Element{Leaf("dnOrPattern", "%")},
		[]*Element{Leaf("dnOrPattern", ""), Leaf("partition", ""), Leaf("type", ""), Leaf("routeDetail", "")}, func(e *Element) bool {
			x := Entry{e.Value("dnOrPattern"), e.Value("partition"), e.Value("type"), e.Value("routeDetail")}
			if x.Kind == "Device" {
				name := LineName(x.Pattern, x.Partition)
				if lines[name] {
					return true
				}
				lines[name], x.Detail = true, ""
			}
			out = append(out, x)
			return true
		})
	return out, err
}

func (d *Discovery) sort() {
	slices.SortFunc(d.Lines, func(a, b Shown) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Partition, b.Partition))
	})
	for i := range d.Lines {
		slices.Sort(d.Lines[i].Primary)
		slices.SortFunc(d.Lines[i].At, func(a, b Appearance) int {
			return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.Index, b.Index))
		})
	}
	slices.SortFunc(d.Plan, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Kind, b.Kind))
	})
	slices.SortFunc(d.Users, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(d.Devices, func(a, b Device) int { return cmp.Compare(a.Name, b.Name) })
}
