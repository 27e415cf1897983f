// Package sim is the application behind a program: a badge office that answers by HTTP in the words of the protocol, so
// that a program in a test need only carry questions and answers. It is strict: it knows whom it lets in, an id is for ever,
// a mail address is one person's, and what it does not offer it does not give.
package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Token lets a program in.
const Token = "badge-office-token-4711"

// Office is one.
type Office struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler
	ids  sim.IDs

	mu    sync.Mutex
	cards []*card
	Asked []map[string]any // questions as they came, without what is secret
}

type card struct {
	ref     string
	state   string
	attrs   map[string]any
	created string
	doors   []string
}

// Behind makes one.
func Behind(o sim.Options) *Office {
	s := &Office{door: sim.NewDoor(o), opt: o}
	s.next = s.door.Wrap(http.HandlerFunc(s.serve))
	return s
}

// ServeHTTP answers under /v1/ and the operation.
func (s *Office) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }

// Door is where tests reach in.
func (s *Office) Door() *sim.Door { return s.door }

// Settings are what a connector needs; whoever tests names the program.
func (s *Office) Settings(base string) map[string]string {
	return map[string]string{"secret": Token, "kinds": "door", "actions": "create, update, enable, disable, delete", "args": "as-a-program, " + base}
}

// Accounts are those whom the office knows.
func (s *Office) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, c := range s.cards {
		text := func(name string) string { v, _ := c.attrs[name].(string); return v }
		a := sim.Account{Ref: c.ref, Login: text("login"), Email: text("email"), EmployeeNumber: text("employee_number"), FirstName: text("first_name"), LastName: text("last_name"), State: dayone.State(c.state)}
		for _, d := range c.doors {
			a.Entitlements = append(a.Entitlements, "door:"+d)
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return strings.Compare(a.Login, b.Login) })
	return out
}

// Seed is another administrator at work.
func (s *Office) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := a.Created
	if at.IsZero() {
		at = s.opt.Time()
	}
	c := &card{ref: s.ids.Next("B", 5), state: string(a.State), created: at.Format("2006-01-02T15:04:05Z07:00"), attrs: map[string]any{
		"login": a.Login, "email": a.Email, "employee_number": a.EmployeeNumber, "first_name": a.FirstName, "last_name": a.LastName,
	}}
	s.cards = append(s.cards, c)
	return c.ref
}

var doors = []string{"main", "lab"}

// question is what the office is asked; it knows no other word.
type question struct {
	Version                                           int
	System, Operation, Once, Account, By, Value, From string
	State, Kind, Name, Ref, Role, Secret              string
	Attempt                                           int
	Attributes                                        map[string]any
	Secrets                                           map[string]string
}

type refusal struct {
	status        int
	code, message string
}

func (s *Office) serve(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	var q question
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if bad := dec.Decode(&q); err != nil || bad != nil || q.Version != 1 || r.URL.Path != "/v1/"+q.Operation {
		s.refuse(w, refusal{400, "BAD", fmt.Sprintf("this is no question: %v", bad)})
		return
	}
	if q.Secret != Token {
		s.refuse(w, refusal{401, "WHO", "the badge office does not know this token"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var seen map[string]any
	_ = json.Unmarshal(raw, &seen)
	delete(seen, "secret")
	delete(seen, "secrets")
	s.Asked = append(s.Asked, seen)
	out, no := s.do(q)
	if no != nil {
		s.refuse(w, *no)
		return
	}
	out["version"] = 1
	sim.JSON(w, http.StatusOK, out)
}

func (s *Office) refuse(w http.ResponseWriter, no refusal) {
	sim.JSON(w, no.status, map[string]any{"version": 1, "error": map[string]any{"code": no.code, "message": no.message}})
}

func (s *Office) do(q question) (map[string]any, *refusal) {
	switch q.Operation {
	case "check":
		return map[string]any{}, nil
	case "catalogue":
		var offers []map[string]any
		for _, d := range doors {
			offers = append(offers, map[string]any{"name": d, "ref": "door-" + d, "title": "The " + d + " door"})
		}
		return map[string]any{"offers": offers}, nil
	case "find", "list":
		found := []map[string]any{}
		for _, c := range s.cards {
			if have, _ := c.attrs[q.By].(string); q.Operation == "list" || strings.EqualFold(have, q.Value) {
				found = append(found, c.shown(q.Operation == "list"))
			}
		}
		return map[string]any{"accounts": found}, nil
	case "create":
		return s.create(q)
	}
	c := s.of(q.Account)
	if c == nil {
		return nil, &refusal{404, "NOBODY", "there is no card " + q.Account}
	}
	switch q.Operation {
	case "get":
		return map[string]any{"account": c.shown(false)}, nil
	case "held":
		return map[string]any{"held": c.held()}, nil
	case "update":
		for name, v := range q.Attributes {
			c.attrs[name] = v
		}
	case "enable", "disable":
		to := map[string]string{"enable": "active", "disable": "disabled"}[q.Operation]
		if c.state == to {
			return nil, &refusal{409, "SAME", "it is so already"}
		}
		c.state = to
	case "delete":
		s.cards = slices.DeleteFunc(s.cards, func(o *card) bool { return o == c })
	case "add", "remove":
		return s.entitle(c, q)
	default:
		return nil, &refusal{400, "BAD", "there is no operation " + q.Operation}
	}
	return map[string]any{}, nil
}

func (s *Office) create(q question) (map[string]any, *refusal) {
	mail, _ := q.Attributes["email"].(string)
	for _, c := range s.cards {
		if have, _ := c.attrs["email"].(string); strings.EqualFold(have, mail) {
			return nil, &refusal{409, "TAKEN", "somebody has a card by this mail address"}
		}
	}
	if q.State != "active" && q.State != "disabled" || q.Once == "" {
		return nil, &refusal{400, "BAD", "a card is active or disabled, and is made once"}
	}
	c := &card{ref: s.ids.Next("B", 5), state: q.State, attrs: q.Attributes, created: s.opt.Time().Format("2006-01-02T15:04:05Z07:00")}
	s.cards = append(s.cards, c)
	return map[string]any{"account": c.shown(false)}, nil
}

func (s *Office) entitle(c *card, q question) (map[string]any, *refusal) {
	name := strings.TrimPrefix(q.Ref, "door-")
	if q.Kind != "door" || !slices.Contains(doors, name) {
		return nil, &refusal{404, "NODOOR", "there is no such door"}
	}
	has := slices.Contains(c.doors, name)
	switch {
	case q.Operation == "add" && has:
		return nil, &refusal{409, "SAME", "it opens already"}
	case q.Operation == "remove" && !has:
		return nil, &refusal{404, "NODOOR", "it did not open"}
	case has:
		c.doors = slices.DeleteFunc(c.doors, func(d string) bool { return d == name })
	default:
		c.doors = append(c.doors, name)
	}
	return map[string]any{}, nil
}

func (s *Office) of(ref string) *card {
	i := slices.IndexFunc(s.cards, func(c *card) bool { return c.ref == ref })
	if i < 0 {
		return nil
	}
	return s.cards[i]
}

func (c *card) shown(all bool) map[string]any {
	out := map[string]any{"ref": c.ref, "state": c.state, "attributes": c.attrs, "created": c.created}
	if all {
		out["held"] = c.held()
	}
	return out
}

func (c *card) held() []map[string]any {
	out := []map[string]any{}
	for _, d := range c.doors {
		out = append(out, map[string]any{"kind": "door", "name": d, "ref": "door-" + d})
	}
	return out
}
