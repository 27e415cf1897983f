package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// belongingsView are somebody's telephone numbers and devices, on her page.
type belongingsView struct {
	Numbers, Devices []item
	Without          string   // what stands there instead of numbers
	Bare             string   // and instead of devices
	Phones           []string // how far what telephone systems have is known
	More             []link   // their pages
}

// seesSerials says who sees what is written on a device: whoever looks after it.
func seesSerials(r *http.Request) bool { return me(r).Role.In(technical) }

func newBelongings(view viewer, b flow.Belongings, serials, links bool) belongingsView {
	var v belongingsView
	for _, n := range b.Numbers {
		v.Numbers = append(v.Numbers, personNumber(view, n))
	}
	for _, d := range b.Devices {
		v.Devices = append(v.Devices, personDevice(view, d, serials))
	}
	unread := 0
	alike := map[string]int{}
	for _, s := range b.Phones {
		alike[s.Title]++
	}
	for _, s := range b.Phones {
		if alike[s.Title] > 1 {
			s.Title += " (" + s.System + ")"
		}
		v.Phones = append(v.Phones, phonesText(view, s))
		unread += btoi(s.Read.IsZero())
		if links {
			v.More = append(v.More, link{s.Title, "/numbers/audit/" + url.PathEscape(s.System)})
		}
	}
	switch {
	case len(v.Numbers) > 0:
	case unread > 0:
		v.Without = textNoNumberUnread
	default:
		v.Without = textNoNumber
	}
	switch {
	case len(v.Devices) > 0:
	case unread > 0:
		v.Bare = textNoDeviceUnread
	case len(b.Phones) > 0:
		v.Bare = textNoDeviceRead
	default:
		v.Bare = textNoDevice
	}
	return v
}

// awaiting adds devices that policies would give, if what they go by were known.
func (v belongingsView) awaiting(view viewer, person string, list []flow.AwaitedDevice) belongingsView {
	for _, d := range list {
		it := item{State: &state{Icon: "clock", Class: "s-wait", Text: "Waits"}, Title: link{Text: sentence(d.Kind)}, Meta: d.Title, Next: view.label(textDeviceWaits), Open: &link{"Why", whyHref(person, d.Key)}}
		if len(d.Unsaid) > 0 {
			names := make([]string, 0, len(d.Unsaid))
			for _, name := range d.Unsaid {
				names = append(names, view.label(attrText(name)))
			}
			it.Next = view.say("Waits for %s, which nobody has said. HR says it, or set it on the timeline.", view.list(names))
			it.Open = &link{"Timeline", "/people/" + person + "/timeline"}
		}
		v.Devices = append(v.Devices, it)
	}
	return v
}

// phonesText says how far what a telephone system has is known. What was not read is unknown, and not none.
func phonesText(view viewer, s flow.PhonesRead) string {
	switch {
	case s.Read.IsZero() && !s.Kept.IsZero():
		return view.say(textPhonesComparing, s.Title)
	case s.Read.IsZero() && s.Reading:
		return view.say(textPhonesReading, s.Title)
	case s.Read.IsZero() && s.Problem != "":
		return view.say(textPhonesFailed, s.Title, s.Problem)
	case s.Read.IsZero():
		return view.say(textPhonesUnread, s.Title)
	}
	text := view.say(textPhonesRead, s.Title, view.at(s.Read).Text, view.ago(view.now.Sub(s.Read)))
	if len(s.Mailboxes) > 0 {
		text += " " + view.say(textMailboxes, strings.Join(s.Mailboxes, ", "))
	}
	if s.Problem != "" {
		text += " " + view.say(textPhonesSince, s.Problem)
	}
	return text
}

// ago is how long ago something was, as one says it.
func (v viewer) ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return v.label("just now")
	case d < time.Hour:
		return v.plural(int(d.Minutes()), "a minute ago", "%d min ago")
	case d < 48*time.Hour:
		return v.plural(int(d.Hours()), "an hour ago", "%d h ago")
	default:
		return v.plural(int(d.Hours()/24), "a day ago", "%d days ago")
	}
}

func personNumber(view viewer, n flow.PersonNumber) item {
	st := numberState(n.State)
	if n.Role != "" {
		st = state{Icon: "people", Text: "Rings there, too"}
	}
	it := item{Title: link{string(n.ID), "/numbers/" + url.PathEscape(string(n.ID))}, State: &st, At: view.date(n.Since)}
	about := []string{}
	if n.Pool != nil {
		about = append(about, cmp.Or(n.Pool.Title, n.Pool.Name))
		if n.Pool.Class != "" {
			about = append(about, view.say("class %s", n.Pool.Class))
		}
	} else {
		about = append(about, view.label("in no pool"))
	}
	if n.Service.Line != "" {
		about = append(about, n.Service.Line)
	}
	it.Meta = sentence(joined(", ", append(about, view.label("since"))...))
	switch {
	case n.Before:
		it.Next = view.say("Theirs before; it rests until %s, and goes to nobody else before.", view.date(n.Until).Text)
	case n.Role != "" && n.Hidden:
		it.Next = view.say("The number of somebody who is confidential, as %s.", view.label(string(n.Role)))
	case n.Role != "":
		it.Next = view.say("The number of %s, as %s.", cmp.Or(n.Name, view.label("nobody in the books")), view.label(string(n.Role)))
	case n.State == dayone.NumberReserved:
		it.Next = view.say("Kept for them until %s.", view.date(n.Until).Text)
	case n.State == dayone.NumberAssigned && n.Confirmed.IsZero():
		it.Next = view.label("Its platform has not shown it as theirs yet.")
	}
	var also []string
	for _, s := range n.Shown {
		also = append(also, joined(view.label(" on "), cmp.Or(s.Name, map[bool]string{true: "", false: view.label("somebody who is confidential")}[s.Device != ""]), s.Device)+" ("+view.label(string(s.Role))+")")
	}
	if len(n.Devices) > 0 {
		it.Small = view.say("Shown on %s.", strings.Join(n.Devices, ", "))
	}
	if len(also) > 0 {
		it.Small = joined(" ", it.Small, view.say("Shared: %s.", strings.Join(also, ", ")))
	}
	return it
}

// deviceText is what a device is, in words.
func deviceText(d flow.PersonDevice) string {
	switch {
	case d.Kind != "":
		return sentence(d.Kind)
	case d.Class == dayone.DeviceProfile:
		return "Profile to sign in on any phone"
	case d.Class == dayone.DeviceReach:
		return "Single number reach"
	}
	for prefix, text := range jabbers {
		if strings.HasPrefix(strings.ToUpper(d.Name), prefix) {
			return text
		}
	}
	return "Phone"
}

func deviceState(d flow.PersonDevice) state {
	switch {
	case d.State == flow.AsWanted && d.Arrives != "":
		return state{Icon: "check", Class: "s-done", Text: "Shipped"}
	case d.State != "":
		return accessState(d.State)
	case d.On:
		return state{Icon: "check", Class: "s-done", Text: "Signed in"}
	case d.Sure == flow.Confidences[1] || d.Sure == flow.Confidences[2]:
		return state{Icon: "warn", Class: "s-wait", Text: map[bool]string{true: "Perhaps theirs", false: "Likely theirs"}[d.Sure == flow.Confidences[1]]}
	default:
		return state{Icon: "check", Class: "s-done", Text: "There"}
	}
}

func personDevice(view viewer, d flow.PersonDevice, serials bool) item {
	st := deviceState(d)
	name := d.Name
	if name == "" {
		name = d.Product
	}
	kind := deviceText(d)
	if d.Kind == "" { // else it is called as the company calls it
		kind = view.label(kind)
	}
	it := item{Title: link{Text: joined(": ", kind, name)}, State: &st}
	about := []string{d.Title}
	if d.Product != name {
		about = append(about, d.Product)
	}
	if serials {
		about = append(about, prefixed(view.label("serial "), d.Serial), prefixed("MAC ", d.MAC))
	}
	if d.Registered != "" {
		about = append(about, view.label(string(d.Registered)))
	}
	switch {
	case d.Read:
		about = append(about, view.say("as read %s", view.ago(view.now.Sub(d.Seen)))+",")
		it.At = view.at(d.Seen)
	case !d.Seen.IsZero():
		about = append(about, view.label("confirmed"))
		it.At = view.at(d.Seen)
	}
	it.Meta = joined(", ", about...)
	if it.At == nil {
		it.Meta = strings.TrimSuffix(it.Meta, ",")
	}
	switch {
	case d.Other:
		it.Next = view.label("Somebody else's phone; they are signed in on it.")
	case d.Note != "":
		it.Next = sentence(view.heard(d.Note)) + "."
	case d.Arrives != "":
		it.Next = arrival(view, d.Arrives)
	}
	if len(d.Lines) > 0 {
		it.Small = shownLines(view, d.Lines)
	}
	return it
}

// arrival is when something comes, or should have.
func arrival(view viewer, day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if late := -view.days(at, time.UTC); err == nil && late > 0 {
		return view.plural(late, "It should have arrived yesterday.", "It should have arrived %d days ago.")
	}
	return view.say("Arrives %s.", dayWords(view, day))
}

// shownLines names the lines of a device.
func shownLines(view viewer, lines []string) string {
	if len(lines) == 1 {
		return view.say("Line %s.", lines[0])
	}
	return view.say("Lines %s.", strings.Join(lines, ", "))
}

// dayWords is a day as somebody wrote it, as one reads it.
func dayWords(view viewer, day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return view.day(at, time.UTC).Text
}

func prefixed(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// ownThings are her numbers and devices, told to herself. The laptop has its own lines while it is on its way.
func ownThings(view viewer, b flow.Belongings) (things []thing, unknown string) {
	for _, n := range b.Numbers {
		t := thing{Icon: "system", Title: string(n.ID), State: state{Icon: "check", Class: "s-done", Text: "Yours"}, Note: "your number", System: view.label("Telephone")}
		switch {
		case n.Before:
			continue
		case n.Role != "":
			t.Note = view.label("rings for you, too")
		case n.State == dayone.NumberReserved:
			t.State, t.Note = state{Icon: "clock", Class: "s-run", Text: "Kept for you"}, "kept for you; it works from your first day on"
		case n.Unseen():
			t.State, t.Note = state{Icon: "run", Class: "s-run", Text: "Being set up"}, "your number; it is being set up"
		}
		if len(n.Devices) > 0 {
			t.Note = view.say("%s, on %s", view.label(t.Note), view.plural(len(n.Devices), "1 device", "%d devices"))
		}
		t.Note = sentence(view.label(t.Note))
		things = append(things, t)
	}
	parcels := map[string]bool{} // what is in a parcel is not there, though its system knows it already
	for _, d := range b.Devices {
		if d.Kind != "" && d.Tracking != "" && d.Serial != "" {
			parcels[d.Serial] = true
		}
	}
	for _, d := range b.Devices {
		if d.Kind != "" && d.Tracking != "" || parcels[d.Serial] || d.State == flow.ToCome || d.State == flow.Planned || d.Sure == flow.Confidences[1] {
			continue // a parcel stands above; what is not there yet, and what may be another's, is not hers to use
		}
		st := state{Icon: "check", Class: "s-done", Text: "There"}
		if d.State != "" && d.State != flow.AsWanted {
			st = accessState(d.State)
		}
		t := thing{Icon: "device", Title: cmp.Or(d.Product, deviceText(d)), State: st, System: view.label(deviceText(d))}
		if t.Title == t.System {
			t.System = d.Title
		}
		switch {
		case d.Other:
			t.Note = view.label("somebody else's phone; you are signed in on it")
		case d.On:
			t.Note = "you are signed in on it"
		case d.Serial != "":
			t.Note = view.say("serial number %s", d.Serial)
		case len(d.Lines) > 0:
			t.Note = view.say("shows %s", strings.Join(d.Lines, ", "))
		}
		t.Note = sentence(view.label(t.Note))
		things = append(things, t)
	}
	if slices.ContainsFunc(b.Phones, func(s flow.PhonesRead) bool { return s.Read.IsZero() }) {
		unknown = view.label(textOwnUnread)
	}
	return things, unknown
}

// ---- API ----

type apiPersonNumber struct {
	apiNumber
	Title   string            `json:"title,omitempty"` // of the pool
	Class   string            `json:"class,omitempty"`
	Line    string            `json:"line_class,omitempty"`
	Role    dayone.NumberRole `json:"role,omitempty"`
	Before  bool              `json:"before,omitempty"`
	Devices []string          `json:"devices"`
	Shown   []apiShown        `json:"shown"`
}

type apiPersonDevice struct {
	System     string     `json:"system"`
	Kind       string     `json:"kind"`
	Class      string     `json:"class,omitempty"`
	Name       string     `json:"name,omitempty"`
	Product    string     `json:"product,omitempty"`
	Serial     string     `json:"serial,omitempty"`
	MAC        string     `json:"mac,omitempty"`
	State      string     `json:"state"`
	Since      *time.Time `json:"since,omitempty"`
	Arrives    string     `json:"arrives,omitempty"`
	Lines      []string   `json:"lines"`
	SignedIn   bool       `json:"signed_in,omitempty"`
	Registered string     `json:"registration,omitempty"`
	LastSeen   *time.Time `json:"last_seen,omitempty"`
	Other      bool       `json:"somebody_elses,omitempty"`
	Confidence string     `json:"confidence,omitempty"`
	Source     string     `json:"source"`
	Seen       *time.Time `json:"seen,omitempty"`
}

type apiPhonesRead struct {
	System    string     `json:"system"`
	Title     string     `json:"title"`
	Known     bool       `json:"known"`
	Read      *time.Time `json:"read,omitempty"`
	Reading   bool       `json:"reading,omitempty"`
	Problem   string     `json:"problem,omitempty"`
	Mailboxes []string   `json:"mailboxes"`
}

type apiBelongings struct {
	Numbers []apiPersonNumber `json:"numbers"`
	Devices []apiPersonDevice `json:"devices"`
	Systems []apiPhonesRead   `json:"systems"`
}

func newAPIBelongings(b flow.Belongings, serials bool) apiBelongings {
	out := apiBelongings{[]apiPersonNumber{}, []apiPersonDevice{}, []apiPhonesRead{}}
	for _, n := range b.Numbers {
		x := apiPersonNumber{apiNumber: newAPINumber(n.NumberView), Line: n.Service.Line, Role: n.Role, Before: n.Before, Devices: append([]string{}, n.Devices...), Shown: []apiShown{}}
		if n.Pool != nil {
			x.Title, x.Class = n.Pool.Title, n.Pool.Class
		}
		for _, s := range n.Shown {
			x.Shown = append(x.Shown, apiShown{s.Slot, s.Role, s.Person, s.Name, s.Device, moment(s.Since)})
		}
		out.Numbers = append(out.Numbers, x)
	}
	for _, d := range b.Devices {
		x := apiPersonDevice{
			System: d.System, Kind: deviceText(d), Class: string(d.Class), Name: d.Name, Product: d.Product, State: cmp.Or(string(d.State), "seen"), Since: moment(d.Since), Arrives: d.Arrives,
			Lines: append([]string{}, d.Lines...), SignedIn: d.On, Registered: string(d.Registered), LastSeen: moment(d.LastSeen), Other: d.Other, Confidence: d.Sure, Source: "books", Seen: moment(d.Seen),
		}
		if serials {
			x.Serial, x.MAC = d.Serial, d.MAC
		}
		if d.Read {
			x.Source = "read"
		}
		out.Devices = append(out.Devices, x)
	}
	for _, s := range b.Phones {
		out.Systems = append(out.Systems, apiPhonesRead{s.System, s.Title, !s.Read.IsZero(), moment(s.Read), s.Reading, s.Problem, append([]string{}, s.Mailboxes...)})
	}
	return out
}

func (p *portal) apiBelongings(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	b, err := p.flow.Belongings(r.Context(), id)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIBelongings(b, seesSerials(r)))
}

// apiOwnBelongings are those of whoever is signed in. What is written on her own devices she may read.
func (p *portal) apiOwnBelongings(w http.ResponseWriter, r *http.Request) error {
	row, err := p.flow.Mine(r.Context(), me(r).Name)
	if errors.Is(err, dayone.ErrNotFound) {
		return refuse(dayone.ErrNotFound, fmt.Sprintf(textNotKnown, me(r).Name))
	}
	if err != nil {
		return err
	}
	b, err := p.flow.Belongings(r.Context(), row.ID)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIBelongings(b, true))
}

// leftBehind turns what somebody who left still has into what is to be seen to, and counts it.
func (v belongingsView) leftBehind(b flow.Belongings) (left int) {
	st := state{Icon: "warn", Class: "s-fail", Text: "Still theirs, though they left"}
	for i, n := range b.Numbers {
		if !n.Before && n.Role == "" && n.State == dayone.NumberAssigned {
			v.Numbers[i].State = &st
			left++
		}
	}
	for i, d := range b.Devices {
		if !d.Other && (d.State == "" && d.Sure != flow.Confidences[1] || d.State == flow.AsWanted && d.Note != flow.AccessClosed) {
			v.Devices[i].State = &st
			left++
		}
	}
	return left
}

// behind says what to do about what somebody who left still has; nil: nothing is known of any.
func (v belongingsView) behind(view viewer, left int, b flow.Belongings) *notice {
	for _, s := range b.Phones {
		left += len(s.Mailboxes)
	}
	if left == 0 {
		return nil
	}
	n := notice{
		Kind: "warn", Icon: "warn", Title: view.plural(left, "They left, and one number, device or mailbox is still theirs", "They left, and %d numbers, devices and mailboxes are still theirs"),
		Text: "Release the number on its page, so that it rests; take devices and voice mailboxes off them in the telephone system.",
	}
	if len(v.Numbers) > 0 && v.Numbers[0].Title.Href != "" {
		n.Act = &link{"Open the number", v.Numbers[0].Title.Href}
	}
	return &n
}
