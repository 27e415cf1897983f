package cucm

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// discovery is a cluster on its way to be read.
type discovery struct {
	dayone.Platform
	seen  func(dayone.PlatformKind, int)
	line  map[string]int    // by name
	named map[string]string // names of lines, by ref, as the reading began
	of    map[string]string // whose a device is, by its name, where the device itself does not say
}

var _ connector.PhoneSystem = &target{}

// Discover reads users, lines, devices and the whole route plan. It takes one look at each user, each device and each line, by at
// most two at a time, since no list shows their devices, lines and forwards. Nothing is changed for it. What goes meanwhile is gone; lines that get
// another number or partition meanwhile end it, since what shows them would be read half of before and half of after.
func (t *target) Discover(ctx context.Context, seen func(dayone.PlatformKind, int)) (dayone.Platform, error) {
	d := &discovery{seen: seen, line: map[string]int{}, named: map[string]string{}, of: map[string]string{}}
	d.Of = []dayone.PlatformKind{dayone.PlatformLines, dayone.PlatformPatterns, dayone.PlatformUsers, dayone.PlatformDevices}
	for _, read := range []func(context.Context, *discovery) error{t.users.allLines, t.users.allForwards, t.users.allUsers, t.users.allDevices, t.users.allRegistrations, t.users.allPatterns, t.users.sameLines} {
		if err := read(ctx, d); err != nil {
			return dayone.Platform{}, err
		}
	}
	d.sort()
	return d.Platform, nil
}

// lineSpace is where a line has its calling search space, and lineVoicemail its voice mail profile.
const (
	lineSpace     = "shareLineAppearanceCssName"
	lineVoicemail = "voiceMailProfileName"
)

// forwards are what sends calls on, as a line has them, and as people say it.
var forwards = [][2]string{
	{"callForwardAll", "all calls"},
	{"callForwardBusy", "busy"},
	{"callForwardBusyInt", "busy, of internal calls"},
	{"callForwardNoAnswer", "no answer"},
	{"callForwardNoAnswerInt", "no answer, of internal calls"},
	{"callForwardNoCoverage", "no coverage"},
	{"callForwardNoCoverageInt", "no coverage, of internal calls"},
	{"callForwardOnFailure", "failure"},
	{"callForwardAlternateParty", "alternate party"},
	{"callForwardNotRegistered", "no registration"},
	{"callForwardNotRegisteredInt", "no registration, of internal calls"},
}

// space is a calling search space, or a profile; none: the cluster shows that there is none. Where it shows no element nothing is
// known.
func space(o *Object, at string) (is string, none bool) {
	is = o.Value(at)
	return is, is == "" && o.At(at) != nil
}

func (u users) allLines(ctx context.Context, d *discovery) error {
	return u.List(ctx, Line, "pattern", []string{"pattern", "description", "routePartitionName", lineSpace, lineVoicemail}, func(o *Object) bool {
		l := dayone.PlatformLine{Ref: o.UUID, Pattern: o.Value("pattern"), Partition: o.Value("routePartitionName"), Description: o.Value("description")}
		l.E164 = e164(l.Pattern)
		l.Space, l.NoSpace = space(o, lineSpace)
		l.Voicemail, l.NoVoicemail = space(o, lineVoicemail)
		if _, twice := d.line[LineName(l.Pattern, l.Partition)]; !twice { // a page may begin with what the last one ended
			d.line[LineName(l.Pattern, l.Partition)], d.named[l.Ref] = len(d.Lines), LineName(l.Pattern, l.Partition)
			d.Lines = append(d.Lines, l)
			d.seen(dayone.PlatformLines, len(d.Lines))
		}
		return true
	})
}

// allForwards looks at each line for its forwards, which no list shows.
func (u users) allForwards(ctx context.Context, d *discovery) error {
	if !u.forwards {
		return nil
	}
	refs := make([]string, len(d.Lines))
	at := make(map[string]int, len(d.Lines))
	for i, l := range d.Lines {
		refs[i], at[l.Ref] = l.Ref, i
	}
	return u.eachOf(ctx, Line, refs, func(o *Object) {
		if i, ok := at[o.UUID]; ok {
			d.Lines[i].Forwards = forwardsOf(o)
		}
	})
}

// forwardsOf is what the forwards of a line may call. One that leads nowhere calls nobody, but for that of all calls.
func forwardsOf(o *Object) []dayone.PlatformForward {
	var out []dayone.PlatformForward
	for _, f := range forwards {
		all := f[0] == "callForwardAll"
		if o.At(f[0]) == nil || !all && o.Value(f[0]+"/destination") == "" {
			continue
		}
		is := dayone.PlatformForward{On: f[1], Second: o.Value(f[0] + "/secondaryCallingSearchSpaceName")}
		is.Space, is.NoSpace = space(o, f[0]+"/callingSearchSpaceName")
		out = append(out, is)
	}
	return out
}

// sameLines looks at the lines once more. A list pages by counting, so that it may miss one while others go: what it does not show
// any more is asked for by itself before it is taken for gone.
func (u users) sameLines(ctx context.Context, d *discovery) error {
	moved := func(o *Object) error {
		if was, is := d.named[o.UUID], LineName(o.Value("pattern"), o.Value("routePartitionName")); was != "" && was != is {
			return u.Fault("reading lines", dayone.ErrUnavailable, "", "while it was read, line "+was+" became "+is+": what was read is of before and of after, so that nothing of it is taken; read it again")
		}
		return nil
	}
	here := map[string]bool{}
	var wrong error
	if err := u.List(ctx, Line, "pattern", []string{"pattern", "routePartitionName"}, func(o *Object) bool {
		here[o.UUID] = true
		wrong = moved(o)
		return wrong == nil
	}); err != nil || wrong != nil {
		return cmp.Or(err, wrong)
	}
	gone := map[string]bool{}
	for _, l := range d.Lines {
		if here[l.Ref] {
			continue
		}
		o, err := u.Cluster.Get(ctx, Line, Key{UUID: l.Ref})
		if errors.Is(err, dayone.ErrNotFound) {
			gone[l.Ref] = true
			continue
		}
		if err == nil {
			err = moved(o)
		}
		if err != nil {
			return err
		}
	}
	d.Lines = slices.DeleteFunc(d.Lines, func(l dayone.PlatformLine) bool { return gone[l.Ref] })
	return nil
}

// at is the line that an element names; nil: it was made while we read.
func (d *discovery) at(e *Element) *dayone.PlatformLine {
	if e == nil {
		return nil
	}
	if i, ok := d.line[LineName(e.Value("pattern"), e.Value("routePartitionName"))]; ok {
		return &d.Lines[i]
	}
	return nil
}

func (u users) allUsers(ctx context.Context, d *discovery) error {
	return u.each(ctx, User, "userid", func(o *Object) {
		x := dayone.PlatformUser{
			Ref: o.UUID, Login: o.Value("userid"), Email: o.Value("mailid"), FirstName: o.Value("firstName"), LastName: o.Value("lastName"), Phone: o.Value("telephoneNumber"),
			Extension: o.Value("ipccExtension"), Directory: o.Value("ldapDirectoryName"), Closed: u.item(o).State == dayone.Disabled,
		}
		if u.number != "none" {
			x.EmployeeNumber = u.employee(o)
		}
		for _, name := range append(o.Values("associatedDevices/device"), o.Values("phoneProfiles/profileName")...) {
			if name != "" {
				x.Devices = append(x.Devices, name)
			}
		}
		for _, name := range o.Values("phoneProfiles/profileName") { // no profile says whose it is
			if name != "" {
				d.of[name] = x.Login
			}
		}
		d.Users = append(d.Users, x)
		if l := d.at(o.At("primaryExtension")); l != nil {
			l.Primary = append(l.Primary, x.Login)
		}
		d.seen(dayone.PlatformUsers, len(d.Users))
	})
}

func (u users) allDevices(ctx context.Context, d *discovery) error {
	classes := map[*Kind]dayone.DeviceClass{Phone: dayone.DevicePhone, DeviceProfile: dayone.DeviceProfile, RemoteDestinationProfile: dayone.DeviceReach}
	for _, kind := range []*Kind{Phone, DeviceProfile, RemoteDestinationProfile} {
		if err := u.each(ctx, kind, "name", func(o *Object) {
			x := dayone.PlatformDevice{
				Ref: o.UUID, Name: o.Value("name"), Class: classes[kind], Product: o.Value("product"), Pool: o.Value("devicePoolName"), Description: o.Value("description"),
				Owner: cmp.Or(o.Value("ownerUserName"), o.Value("userId"), d.of[o.Value("name")]), LoggedIn: o.Value("loginUserId"),
			}
			x.Space, x.NoSpace = space(o, "callingSearchSpaceName")
			d.Devices = append(d.Devices, x)
			for _, e := range o.All("lines/line") {
				l := d.at(e.At("dirn"))
				if l == nil {
					continue
				}
				a := dayone.PlatformAppearance{Device: o.Value("name")}
				a.Index, _ = strconv.Atoi(e.Value("index")) // what is no number is no button of its own
				for _, user := range e.All("associatedEndusers/enduser") {
					a.Users = append(a.Users, user.Value("userId"))
				}
				l.At = append(l.At, a)
			}
			d.seen(dayone.PlatformDevices, len(d.Devices))
		}); err != nil {
			return err
		}
	}
	return nil
}

// registrations are what the cluster calls them. Of a status that it calls unknown nothing is known.
var registrations = map[string]dayone.Registration{
	"registered": dayone.InTouch, "partial registered": dayone.PartInTouch, "unregistered": dayone.OutOfTouch, "rejected": dayone.NotLetIn,
}

// allRegistrations reads which devices are registered. An old release has no such list: then it is not known of any.
func (u users) allRegistrations(ctx context.Context, d *discovery) error {
	at := make(map[string]int, len(d.Devices))
	for i, x := range d.Devices {
		at[strings.ToLower(x.Name)] = i
	}
	err := u.list(ctx, "registrations", "RegistrationDynamic", []*Element{Leaf("device", "%")}, []*Element{Leaf("device", ""), Leaf("lastSeen", ""), Leaf("risStatus", "")}, func(e *Element) bool {
		i, ok := at[strings.ToLower(e.Value("device"))]
		if !ok || d.Devices[i].Class != dayone.DevicePhone {
			return true
		}
		d.Devices[i].Registered = registrations[strings.ToLower(e.Value("risStatus"))]
		if n, err := strconv.ParseInt(e.Value("lastSeen"), 10, 64); err == nil && n > 0 { // seconds since 1970, where it is a number
			d.Devices[i].LastSeen = time.Unix(n, 0).UTC()
		}
		return true
	})
	if errors.Is(err, dayone.ErrInvalid) {
		return nil
	}
	return err
}

func (u users) allPatterns(ctx context.Context, d *discovery) (err error) {
	d.Patterns, err = u.RoutePlan(ctx, func(n int) { d.seen(dayone.PlatformPatterns, n) })
	return err
}

// e164 is the international number of a pattern such as \+14085552101, or "".
func e164(pattern string) string {
	digits, ok := strings.CutPrefix(pattern, `\+`)
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return "+" + digits
}

// each reads every object of a kind, whole, two at a time, and tells of one at a time. One that goes while we read is gone; any
// other error ends it.
func (c *Cluster) each(ctx context.Context, kind *Kind, by string, each func(*Object)) error {
	var refs []string
	if err := c.List(ctx, kind, by, []string{by}, func(o *Object) bool {
		refs = append(refs, o.UUID)
		return true
	}); err != nil {
		return err
	}
	slices.Sort(refs)
	return c.eachOf(ctx, kind, slices.Compact(refs), each) // a page may begin with what the last one ended
}

// eachOf does that for some of them.
func (c *Cluster) eachOf(ctx context.Context, kind *Kind, refs []string, each func(*Object)) error {
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

// RoutePlan reads every pattern of the cluster. A line that several devices show stands there once. seen is told how many.
func (c *Cluster) RoutePlan(ctx context.Context, seen func(int)) ([]dayone.PlatformPattern, error) {
	var out []dayone.PlatformPattern
	lines := map[string]bool{}
	err := c.list(ctx, "the route plan", "RoutePlan", []*Element{Leaf("dnOrPattern", "%")},
		[]*Element{Leaf("dnOrPattern", ""), Leaf("partition", ""), Leaf("type", ""), Leaf("routeDetail", "")}, func(e *Element) bool {
			x := dayone.PlatformPattern{Pattern: e.Value("dnOrPattern"), Partition: e.Value("partition"), Kind: e.Value("type"), Detail: e.Value("routeDetail")}
			if x.Class = ClassOf(x.Kind); x.Class == dayone.PatternLine {
				name := LineName(x.Pattern, x.Partition)
				if lines[name] {
					return true
				}
				lines[name], x.Detail = true, ""
			}
			out = append(out, x)
			seen(len(out))
			return true
		})
	return out, err
}

// ClassOf is what a type of pattern means. The cluster writes them with and without spaces, and releases add to them.
func ClassOf(kind string) dayone.PatternClass {
	kind = strings.ToLower(strings.ReplaceAll(kind, " ", ""))
	for _, c := range []struct {
		part  string
		class dayone.PatternClass
	}{
		{"emergency", dayone.PatternEmergency},
		{"hunt", dayone.PatternHunt},
		{"park", dayone.PatternService},
		{"pickup", dayone.PatternService},
		{"meet-me", dayone.PatternService},
		{"conference", dayone.PatternService},
		{"messagewaiting", dayone.PatternService},
		{"voicemail", dayone.PatternService},
		{"translation", dayone.PatternRoute},
		{"route", dayone.PatternRoute},
	} {
		if strings.Contains(kind, c.part) {
			return c.class
		}
	}
	if kind == "device" {
		return dayone.PatternLine
	}
	return dayone.PatternOther
}

func (d *discovery) sort() {
	slices.SortFunc(d.Lines, func(a, b dayone.PlatformLine) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Partition, b.Partition))
	})
	for i := range d.Lines {
		slices.Sort(d.Lines[i].Primary)
		slices.SortFunc(d.Lines[i].At, func(a, b dayone.PlatformAppearance) int {
			return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.Index, b.Index))
		})
	}
	slices.SortFunc(d.Patterns, func(a, b dayone.PlatformPattern) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Kind, b.Kind))
	})
	slices.SortFunc(d.Users, func(a, b dayone.PlatformUser) int { return cmp.Compare(a.Login, b.Login) })
	slices.SortFunc(d.Devices, func(a, b dayone.PlatformDevice) int { return cmp.Compare(a.Name, b.Name) })
}
