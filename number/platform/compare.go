package platform

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
)

// Kind says what differs; it is stable, for programs.
type Kind string

const (
	LeaverLine       Kind = "leaver-line"       // somebody who left has it
	LeaverLogin      Kind = "leaver-login"      // somebody who left is signed in on it
	LeaverDevice     Kind = "leaver-device"     // it is somebody's who left
	LeaverUser       Kind = "leaver-user"       // somebody who left can sign in
	LeaverMailbox    Kind = "leaver-mailbox"    // calls to somebody who left are recorded
	LeaverReach      Kind = "leaver-reach"      // it rings outside at somebody who left
	Double           Kind = "double"            // several people have it
	OtherHolder      Kind = "other-holder"      // the books say that it is somebody else's
	UsedFree         Kind = "used-free"         // in use, and the books may give it to somebody
	PatternConflict  Kind = "pattern"           // something else answers numbers of a pool
	Elsewhere        Kind = "elsewhere"         // the books have it on another platform or partition
	Missing          Kind = "missing"           // somebody's in the books, and not there
	DirectoryDiffers Kind = "directory-differs" // the directory says another number
	StatedDiffers    Kind = "stated-differs"    // a source says another number
	MailboxElsewhere Kind = "mailbox-elsewhere" // it answers at somebody else's number
	ClassDiffers     Kind = "class-differs"     // it may call more, or less, than its pool's class of service says
	Outside          Kind = "outside"           // in use, and in no pool
	OrphanLine       Kind = "orphan-line"       // nothing shows it
	OrphanDevice     Kind = "orphan-device"     // its owner is no user
	NobodyLine       Kind = "nobody-line"       // in use, and nobody knows whose it is
	NobodyUser       Kind = "nobody-user"       // nobody is like the user
	NobodyMailbox    Kind = "nobody-mailbox"    // nobody is like its owner
	Ambiguous        Kind = "ambiguous"         // several people could be meant
	LocalUser        Kind = "local-user"        // made by hand where a directory feeds the platform
	UnreadPattern    Kind = "unread-pattern"    // a pattern that cannot be read may answer any number
)

// Kinds are all there are, the worst first.
var Kinds = []Kind{
	LeaverLine, LeaverLogin, LeaverDevice, LeaverUser, LeaverMailbox, LeaverReach, Double, OtherHolder, UsedFree, PatternConflict, Elsewhere, Missing, DirectoryDiffers, StatedDiffers,
	MailboxElsewhere, ClassDiffers, Outside, OrphanLine, OrphanDevice, NobodyLine, NobodyUser, NobodyMailbox, Ambiguous, LocalUser, UnreadPattern,
}

// Finding is one thing that differs, and what to do about it. Its text names nobody: who may know of them sees the name beside it.
type Finding struct {
	Kind   Kind
	Thing  string // line, phone, profile, user, mailbox, pattern
	Name   string // as the platform calls it
	Pool   string
	Number dayone.NumberID // in the books; "": none
	Person dayone.PersonID
	Other  dayone.PersonID // whom it is about, too
	Text   string
	Next   string
}

// Books is what a platform is compared with.
type Books struct {
	System  string // what numbers.yaml calls the platform
	Plan    *number.Plan
	Numbers []dayone.Number // all there are, of every platform
	People  []Person
	Bound   map[string]dayone.PersonID // by the id of an account that we hold
	Hidden  map[dayone.PersonID]bool   // people of whom only few may know
	Unread  int                        // people who could not be read
	Now     time.Time
}

// Report is what a comparison found.
type Report struct {
	Findings []Finding
	Takes    []Take // what the books may take over
	Leads    []Lead // patterns that lead to a pool, as they should
	All      Sums
	Open     Sums // as who may not know of hidden people is told them: what is theirs is nobody's
	of       belongings
}

// Sums are of the users, the lines and the mailboxes of a platform, by how sure it is whose they are.
type Sums struct{ Users, Lines, Mailboxes [5]int }

// Lead is a pattern that leads to numbers of a pool.
type Lead struct {
	Pool, Pattern, Partition, Kind string
	Numbers                        int // of the pool
}

// comparing is a comparison under way.
type comparing struct {
	Books
	p       *dayone.Platform
	out     *Report
	who     *who
	users   map[string]int32 // by log-in, as lower case
	matches []Match          // of users
	devices map[string]int32
	claims  map[string][]int32 // users who are connected with a device that says no owner
	fed     bool               // a directory feeds the platform
	byKey   map[string]int32   // numbers of this platform by partition and pattern
	byE164  map[string]int32
	seen    map[dayone.NumberID]bool
	owns    map[dayone.PersonID][]string       // where lines of theirs ring
	one     map[dayone.PersonID]*dayone.Number // whose only number is which; nil: several. Made when it is asked for
	pooled  bool                               // a pool names the platform
}

// Compare finds what differs between a platform, the books and the people.
func Compare(b Books, p *dayone.Platform) *Report {
	c := &comparing{
		Books: b, p: p, out: &Report{}, who: newWho(b.People, b.Bound), users: make(map[string]int32, len(p.Users)), devices: make(map[string]int32, len(p.Devices)), claims: map[string][]int32{},
		byKey: make(map[string]int32, len(b.Numbers)), byE164: make(map[string]int32, len(b.Numbers)), seen: make(map[dayone.NumberID]bool, len(p.Lines)),
		owns: make(map[dayone.PersonID][]string, len(p.Lines)),
	}
	for i := range b.Plan.Pools {
		c.pooled = c.pooled || b.Plan.Pools[i].Platform == b.System
	}
	for i, n := range b.Numbers {
		if n.Platform == b.System {
			c.byKey[key(n.Partition, n.Pattern)] = int32(i)
		}
		if n.E164 != "" {
			c.byE164[n.E164] = int32(i)
		}
	}
	c.readUsers()
	c.readDevices()
	c.keep()
	c.lines()
	c.stated()
	c.missing()
	c.patterns()
	c.mailboxes()
	c.unboxed()
	c.reaches()
	c.out.sort()
	return c.out
}

func key(partition, pattern string) string { return partition + "\x00" + pattern }

func (r *Report) sort() {
	rank := make(map[Kind]int, len(Kinds))
	for i, k := range Kinds {
		rank[k] = i
	}
	slices.SortStableFunc(r.Findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(rank[x.Kind], rank[y.Kind]), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Person, y.Person), cmp.Compare(x.Text, y.Text))
	})
	slices.SortStableFunc(r.Takes, func(x, y Take) int { return cmp.Compare(x.Number, y.Number) })
}

// openly is how sure it is whose something is to those who may not know of hidden people.
func (c *comparing) openly(m Match) Confidence {
	if c.Hidden[m.Person] {
		return 0
	}
	return m.Confidence
}

func (c *comparing) find(f Finding) { c.out.Findings = append(c.out.Findings, f) }

// left says that somebody is known to have left. Whoever cannot be read has not.
func (c *comparing) left(id dayone.PersonID) bool {
	p := c.who.person(id)
	return p != nil && p.Left
}

// readUsers finds who users are, and what is wrong with them.
func (c *comparing) readUsers() {
	c.matches = make([]Match, len(c.p.Users))
	for i := range c.p.Users {
		u := &c.p.Users[i]
		c.users[strings.ToLower(u.Login)] = int32(i)
		for _, d := range u.Devices {
			c.claims[d] = append(c.claims[d], int32(i))
		}
		c.fed = c.fed || u.Directory != ""
		c.matches[i] = c.who.user(u)
	}
	c.namesakes()
	for i := range c.p.Users {
		u, m := &c.p.Users[i], c.matches[i]
		c.out.All.Users[m.Confidence]++
		c.out.Open.Users[c.openly(m)]++
		f := Finding{Thing: "user", Name: u.Login, Person: m.Person}
		switch {
		case m.Several:
			f.Kind, f.Text, f.Next = Ambiguous, fmt.Sprintf("%s, so it is taken for nobody's", m.Why), "Say whose the account is, or correct what is the same."
			c.find(f)
		case m.Person == "" && !u.Closed:
			f.Kind, f.Text, f.Next = NobodyUser, m.Why, "Find out whose it is; close it if it is nobody's."
			if c.Unread > 0 {
				f.Text += ", of those who could be read"
			}
			c.find(f)
		case c.left(m.Person) && !u.Closed:
			f.Kind, f.Text, f.Next = LeaverUser, fmt.Sprintf("the account of somebody who left is open (%s)", m.says()), "Close it on the platform."
			if u.Extension != "" {
				f.Next = "Take it out of the contact centre first, then close it on the platform."
			}
			c.find(f)
		}
		if c.fed && u.Directory == "" && !u.Closed {
			f.Kind, f.Text, f.Next = LocalUser, "it was made on the platform, and a directory feeds the others", "Let the directory make it, or note why it is local: closing somebody in the directory does not close it."
			c.find(f)
		}
	}
}

// namesakes takes back what a name alone says of somebody who is another user already.
func (c *comparing) namesakes() {
	has := map[dayone.PersonID]bool{}
	for _, m := range c.matches {
		if m.Confidence > Possible {
			has[m.Person] = true
		}
	}
	for i, m := range c.matches {
		if m.Confidence == Possible && has[m.Person] {
			c.matches[i] = Match{Why: "somebody has its name, and is another user already", Several: true}
		}
	}
}

// says is by which rule, and how sure.
func (m Match) says() string { return m.Confidence.String() + ": " + m.Why }

// userOf is who a log-in belongs to; false: it is no user's.
func (c *comparing) userOf(login string) (Match, bool) {
	i, ok := c.users[strings.ToLower(login)]
	if !ok || login == "" {
		return Match{Why: "it is no user of the platform"}, false
	}
	return c.matches[i], true
}

// owner is whose a device is: what it says itself, or the only user who is connected with it.
func (c *comparing) owner(d *dayone.PlatformDevice) (login string, m Match, known bool) {
	login = d.Owner
	if login == "" {
		if of := c.claims[d.Name]; len(of) == 1 {
			login = c.p.Users[of[0]].Login
		}
	}
	m, known = c.userOf(login)
	return login, m, known
}

func (c *comparing) readDevices() {
	for i := range c.p.Devices {
		d := &c.p.Devices[i]
		c.devices[d.Name] = int32(i)
		login, m, known := c.owner(d)
		f := Finding{Thing: string(d.Class), Name: d.Name, Person: m.Person}
		if c.left(m.Person) {
			f.Kind, f.Text, f.Next = LeaverDevice, fmt.Sprintf("it is somebody's who left (%s, %s)", login, m.says()), "Take its lines off, and give it to somebody else or remove it."
			if d.LoggedIn != "" && !strings.EqualFold(d.LoggedIn, login) {
				f.Text += "; " + d.LoggedIn + " is signed in on it now"
				f.Next = "Wait until whoever is signed in has signed out. " + f.Next
			}
			c.find(f)
		}
		if login != "" && !known && c.p.Tells(dayone.PlatformUsers) {
			f.Kind, f.Text, f.Next = OrphanDevice, fmt.Sprintf("its owner %s is no user of the platform", login), "Give it to somebody, mark it as a public place, or remove it."
			c.find(f)
		}
		if on, _ := c.userOf(d.LoggedIn); d.LoggedIn != "" && c.left(on.Person) {
			f.Kind, f.Person = LeaverLogin, on.Person
			f.Text, f.Next = fmt.Sprintf("somebody who left is signed in on it (%s, %s)", d.LoggedIn, on.says()), "Sign them out on the platform; look first that they still are."
			c.find(f)
		}
	}
}

// stated compares what sources and the directory say of somebody with where their lines ring.
func (c *comparing) stated() {
	if !c.p.Tells(dayone.PlatformLines) {
		return
	}
	for i := range c.p.Users {
		u, m := &c.p.Users[i], c.matches[i]
		p := c.who.person(m.Person)
		if p == nil || u.Phone == "" || len(c.owns[p.ID]) == 0 || c.states(p, u.Phone) {
			continue
		}
		c.find(Finding{
			Kind: DirectoryDiffers, Thing: "user", Name: u.Login, Person: p.ID, Text: fmt.Sprintf("its telephone number is %s, and what rings is %s", u.Phone, strings.Join(c.owns[p.ID], ", ")),
			Next: "Correct it in the directory that feeds the platform, or on the platform if none does.",
		})
	}
	for i := range c.People {
		p := &c.People[i]
		if p.Left || len(c.owns[p.ID]) == 0 {
			continue
		}
		for _, s := range p.Numbers {
			if !c.states(p, s.E164) {
				c.find(Finding{
					Kind: StatedDiffers, Thing: "person", Name: s.Attribute, Person: p.ID, Text: fmt.Sprintf("%s says %s, and what rings is %s", s.Attribute, s.E164, strings.Join(c.owns[p.ID], ", ")),
					Next: "Correct one of them.",
				})
			}
		}
	}
}

// states says that a text is one of somebody's numbers: in E.164 form, or by the digits in which one ends.
func (c *comparing) states(p *Person, text string) bool {
	digits := onlyDigits(text)
	if slices.ContainsFunc(c.owns[p.ID], func(own string) bool { return onlyDigits(own) == digits }) {
		return true
	}
	e := dialled(text, p.Country)
	return slices.ContainsFunc(c.owns[p.ID], func(own string) bool {
		return e != "" && own == e || len(digits) >= 3 && (e == "" || !strings.HasPrefix(own, "+")) && (strings.HasSuffix(onlyDigits(own), digits) || strings.HasSuffix(digits, onlyDigits(own)))
	})
}

func onlyDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}

// missing are numbers that are somebody's in the books, and that no line of the platform is.
func (c *comparing) missing() {
	if !c.p.Tells(dayone.PlatformLines) {
		return
	}
	for i := range c.Numbers {
		n := &c.Numbers[i]
		due := !n.Confirmed.IsZero() || !n.Until.IsZero() && !n.Until.After(c.Now)
		if n.Platform != c.System || n.State != dayone.NumberAssigned || c.seen[n.ID] || !due {
			continue
		}
		c.find(Finding{
			Kind: Missing, Thing: "number", Name: string(n.ID), Number: n.ID, Pool: n.Pool, Person: n.Owner, Text: fmt.Sprintf("the books say it is theirs, and the platform has no line %s", lineName(n.Pattern, n.Partition)),
			Next: "Make the line on the platform, or release the number.",
		})
	}
}

func lineName(pattern, partition string) string { return pattern + "@" + partition }

func (c *comparing) mailboxes() {
	for i := range c.p.Mailboxes {
		b := &c.p.Mailboxes[i]
		m := c.who.mailbox(b)
		c.out.All.Mailboxes[m.Confidence]++
		c.out.Open.Mailboxes[c.openly(m)]++
		c.out.of.boxes = append(c.out.of.boxes, m.owned())
		f := Finding{Thing: "mailbox", Name: b.Alias, Person: m.Person}
		held := ""
		if len(b.Needs) > 0 {
			held = "; it is used by " + strings.Join(b.Needs, ", ")
		}
		switch {
		case m.Several:
			f.Kind, f.Text, f.Next = Ambiguous, fmt.Sprintf("%s, so it is taken for nobody's", m.Why), "Say whose it is, or correct what is the same."
			c.find(f)
		case m.Person == "":
			f.Kind, f.Text, f.Next = NobodyMailbox, m.Why+held, "Find out whose it is; a mailbox of nobody is deleted with its messages."
			c.find(f)
		case c.left(m.Person):
			f.Kind, f.Text, f.Next = LeaverMailbox, "it is somebody's who left ("+m.says()+")"+held, "Lock it; export what has to be kept, then delete it."
			if len(b.Needs) > 0 {
				f.Next = "Take it out of what uses it, then lock it; export what has to be kept, then delete it."
			}
			c.find(f)
		}
		if n := c.answers(b.Extension); n != nil && m.Person != "" && n.Owner != "" && n.Owner != m.Person && n.State == dayone.NumberAssigned {
			f.Kind, f.Number, f.Pool, f.Other = MailboxElsewhere, n.ID, n.Pool, n.Owner
			f.Text, f.Next = fmt.Sprintf("it answers at %s, which is somebody else's in the books", b.Extension), "Give the mailbox its owner's extension."
			c.find(f)
		}
		c.boxed(b, m)
	}
}

// answers is the number at which a mailbox answers; nil: none, or it cannot be told which.
func (c *comparing) answers(extension string) *dayone.Number {
	if i, ok := c.byE164[strings.TrimPrefix(extension, `\`)]; ok {
		return &c.Numbers[i]
	}
	return nil
}

func (c *comparing) reaches() {
	for _, r := range c.p.Reaches {
		m, _ := c.userOf(r.Owner)
		if c.left(m.Person) {
			c.find(Finding{
				Kind: LeaverReach, Thing: "remote destination", Name: r.Number, Person: m.Person, Text: fmt.Sprintf("calls to somebody who left ring outside (%s, %s)", r.Owner, m.says()),
				Next: "Remove the remote destination on the platform.",
			})
		}
	}
}
