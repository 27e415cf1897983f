package platform

import (
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
)

// Person is somebody as far as a telephone system may know them.
type Person struct {
	ID             dayone.PersonID
	Name           string
	Email          string
	Logins         []string
	EmployeeNumber string
	Country        string // where a number without a + is dialled
	Numbers        []Stated
	Left           bool
}

// Stated is what a source says is somebody's number.
type Stated struct{ Attribute, E164 string }

// Confidence says how sure it is whose something is.
type Confidence int

const (
	Nobody   Confidence = iota
	Possible            // a name alone
	Likely              // a number, a device, or a log-in like the mail address
	Sure                // an employee number, a log-in or a mail address
	Certain             // we hold the account as theirs
)

// Confidences are their words, in their order.
var Confidences = []string{"none", "possible", "likely", "sure", "certain"}

func (c Confidence) String() string { return Confidences[c] }

// ConfidenceOf reads a word.
func ConfidenceOf(word string) (Confidence, error) {
	for i, w := range Confidences {
		if w == word && i > 0 {
			return Confidence(i), nil
		}
	}
	return Nobody, fmt.Errorf("%q says not how sure it has to be; write certain, sure, likely or possible: %w", word, dayone.ErrInvalid)
}

// Match says who somebody, or whose something, is. Where several could be meant it is nobody, and Why says so.
type Match struct {
	Person     dayone.PersonID
	Confidence Confidence
	Why        string // by which rule, or why nobody
	Several    bool
}

// one is who has a key; several have it if there is another.
type one struct {
	at   int32
	many bool
}

type index map[string]one

func (x index) add(key string, at int) {
	if key = strings.ToLower(strings.TrimSpace(key)); key == "" {
		return
	}
	if is, ok := x[key]; ok {
		if is.at != int32(at) {
			x[key] = one{is.at, true}
		}
		return
	}
	x[key] = one{at: int32(at)}
}

func (x index) find(key string) (one, bool) {
	if key == "" {
		return one{}, false
	}
	is, ok := x[strings.ToLower(key)]
	return is, ok
}

// who knows people by all that a telephone system may say of them.
type who struct {
	people []Person
	bound  map[string]dayone.PersonID
	at     map[dayone.PersonID]int32

	employee, login, mail, before, number, name index
}

func newWho(people []Person, bound map[string]dayone.PersonID) *who {
	w := &who{people: people, bound: bound, at: make(map[dayone.PersonID]int32, len(people)), employee: index{}, login: index{}, mail: index{}, before: index{}, number: index{}, name: index{}}
	for i := range people {
		p := &people[i]
		w.at[p.ID] = int32(i)
		w.employee.add(p.EmployeeNumber, i)
		w.mail.add(p.Email, i)
		w.login.add(p.Email, i)
		for _, l := range p.Logins {
			w.login.add(l, i)
		}
		local, _, _ := strings.Cut(p.Email, "@")
		w.before.add(local, i)
		w.name.add(p.Name, i)
		if !p.Left {
			for _, n := range p.Numbers {
				w.number.add(n.E164, i)
			}
		}
	}
	for i := range people { // what a source still says of somebody who left counts only where it says it of nobody else
		for _, n := range people[i].Numbers {
			if _, ok := w.number[n.E164]; people[i].Left && !ok {
				w.number.add(n.E164, i)
			}
		}
	}
	return w
}

// person is somebody's, by id; nil: not among those who could be read.
func (w *who) person(id dayone.PersonID) *Person {
	if i, ok := w.at[id]; ok && id != "" {
		return &w.people[i]
	}
	return nil
}

// claim is one thing that is said of somebody.
type claim struct {
	index index
	key   string
	sure  Confidence
	why   string
	dial  bool // the key is a number as people write it
}

// is finds who an account of a platform belongs to. Where what is sure says two things it is nobody.
func (w *who) is(ref string, claims []claim) Match {
	if id, ok := w.bound[ref]; ok && ref != "" {
		return Match{Person: id, Confidence: Certain, Why: "the account is held as theirs"}
	}
	var best Match
	for _, c := range claims {
		if best.Person != "" && c.sure < Sure {
			break // what is less sure says nothing against it
		}
		if c.dial { // reading one costs more than all else
			c.key = dialled(c.key, "")
		}
		is, ok := c.index.find(c.key)
		switch {
		case !ok:
		case is.many:
			return Match{Why: fmt.Sprintf("several people have its %s", c.why), Several: true}
		case best.Person == "":
			best = Match{Person: w.people[is.at].ID, Confidence: c.sure, Why: c.why}
		case best.Person != w.people[is.at].ID:
			return Match{Why: fmt.Sprintf("its %s is one person's, and its %s another's", best.Why, c.why), Several: true}
		}
	}
	if best.Person == "" {
		best.Why = "nobody is like it"
	}
	return best
}

func (w *who) user(u *dayone.PlatformUser) Match {
	return w.is(u.Ref, []claim{
		{index: w.employee, key: u.EmployeeNumber, sure: Sure, why: "employee number"},
		{index: w.login, key: u.Login, sure: Sure, why: "login"},
		{index: w.mail, key: u.Email, sure: Sure, why: "mail address"},
		{index: w.before, key: u.Login, sure: Likely, why: "login, which is how the mail address begins"},
		{index: w.number, key: u.Phone, sure: Likely, why: "telephone number", dial: true},
		{index: w.name, key: strings.TrimSpace(u.FirstName + " " + u.LastName), sure: Possible, why: "name"},
	})
}

func (w *who) mailbox(m *dayone.PlatformMailbox) Match {
	return w.is(m.Ref, []claim{
		{index: w.login, key: m.Alias, sure: Sure, why: "alias"},
		{index: w.mail, key: m.Email, sure: Sure, why: "mail address"},
		{index: w.before, key: m.Alias, sure: Likely, why: "alias, which is how the mail address begins"},
		{index: w.number, key: strings.TrimPrefix(m.Extension, `\`), sure: Likely, why: "telephone number", dial: true},
		{index: w.name, key: strings.TrimSpace(m.FirstName + " " + m.LastName), sure: Possible, why: "name"},
	})
}

// dialled is the E.164 form of what a platform states; "": it states none that is known to be one.
func dialled(text, country string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	e, err := number.Parse(text, country)
	if err != nil {
		return ""
	}
	return e
}
