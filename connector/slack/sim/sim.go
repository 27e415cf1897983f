// Package sim is a Slack workspace: SCIM for its users if the plan has it, the Web API for channels and messages, which
// answers 200 whatever happens, cursors, tiers of rate limits, an app that is in no channel at first, and users who drop
// out of every channel when they are deactivated.
package sim

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	token     = "xoxb-sim-slack-app"
	scimToken = "xoxp-sim-slack-owner"
	orgToken  = "xoxp-sim-slack-org"
	bot       = "U00000BOT"
	guestURN  = "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User"
)

// person is what the Web API knows of a user.
type person struct{ active, guest bool }

type channel struct {
	id, name string
	created  time.Time
	general  bool
	private  bool
	members  map[string]bool
	posts    []Message
}

// Message as it was posted.
type Message struct {
	Channel  string // "#it-onboarding"
	Text     string
	TS       string
	Metadata Metadata
}

// Metadata that an app put on a message.
type Metadata struct {
	EventType    string         `json:"event_type"`
	EventPayload map[string]any `json:"event_payload"`
}

// Sim is the workspace.
type Sim struct {
	users *scimsim.Server
	door  *sim.Door
	opt   sim.Options
	next  http.Handler

	mu       sync.Mutex // never held while users is called
	ids      sim.IDs
	plan     string
	tiers    bool
	calls    map[string]int
	people   map[string]person
	resets   map[string]int // how often somebody was signed out everywhere
	channels []*channel
	messages []Message
	posted   int
}

var _ sim.Simulator = (*Sim)(nil)

// New makes a workspace with the channels of the examples, or those of o.Names["channel"]. The first one is the general one.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, plan: "business+", calls: map[string]int{}, people: map[string]person{bot: {active: true}}, resets: map[string]int{}}
	names := []string{"#general", "#announcements", "#sales-team", "#customer-success", "#engineering-general", "#emea", "#it-onboarding"}
	if o.Names != nil {
		names = o.Names["channel"]
	}
	for i, n := range names {
		c := &channel{id: s.ids.Next("C", 10), name: strings.TrimPrefix(n, "#"), created: o.Time(), general: i == 0, members: map[string]bool{}}
		s.channels = append(s.channels, c)
	}
	plain := o
	plain.Names, plain.Lag = nil, 0 // no groups, and nothing comes late
	s.users = scimsim.NewServer(plain, scimsim.Dialect{
		Token: scimToken, User: user(), Number: scimsim.Enterprise + ":employeeNumber", ByValueOnly: true, DeleteDisables: true,
		NewID: func(scimsim.Resource) string { return s.ids.Next("U", 10) }, Allow: s.allow, Body: body,
	})
	mux := http.NewServeMux()
	mux.Handle("/scim/v2/", http.HandlerFunc(s.serveSCIM))
	mux.Handle("/api/{method}", http.HandlerFunc(s.serveWeb))
	s.next = s.door.Wrap(mux)
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base + "/api", "scim_url": base + "/scim/v2", "token": token, "scim_token": scimToken}
}

// Grid is the setting of a connector that may also end sessions.
func (s *Sim) Grid() (setting, value string) { return "org_token", orgToken }

// SignedOut is how often somebody was signed out on every device.
func (s *Sim) SignedOut(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resets[id]
}

// user is the standard's schema with Slack's extensions.
func user() scimsim.Schema {
	out := scimsim.UserSchema()
	out["displayName"] = scimsim.Attribute{Max: 80}
	out[guestURN] = scimsim.Attribute{Sub: map[string]scimsim.Attribute{"type": {}, "expiration": {}}}
	out["urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User"] = scimsim.Attribute{Sub: map[string]scimsim.Attribute{"startDate": {}}}
	return out
}

// Plan is the workspace's plan from now on: free, pro, business+ or enterprise. SCIM comes with business+.
func (s *Sim) Plan(plan string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan = plan
}

// Tiers switches the rate limits on or off.
func (s *Sim) Tiers(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tiers, s.calls = on, map[string]int{}
}

// Private makes a channel private, with the app in it or not.
func (s *Sim) Private(name string, app bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channel(name); c != nil {
		c.private = true
		delete(c.members, bot)
		if app {
			c.members[bot] = true
		}
	}
}

// Messages that were posted, in their order.
func (s *Sim) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

func (s *Sim) serveSCIM(w http.ResponseWriter, r *http.Request) {
	perMinute := 180
	if r.Method == "GET" {
		perMinute = 300
	}
	s.mu.Lock()
	plan, wait := s.plan, s.over(r.Method+" scim", perMinute)
	s.mu.Unlock()
	switch {
	case plan != "business+" && plan != "enterprise":
		sim.JSON(w, 403, body(&scimsim.Error{Status: 403, Detail: "feature_not_enabled"}))
	case wait > 0:
		w.Header().Set("Retry-After", fmt.Sprint(wait))
		sim.JSON(w, 429, body(&scimsim.Error{Status: 429, Detail: "ratelimited"}))
	default:
		s.users.ServeHTTP(w, r)
	}
}

// body is both of Slack's error shapes in one. Its codes are words.
func body(e *scimsim.Error) any {
	code := e.Detail
	switch {
	case e.Status == 401:
		return map[string]any{"Errors": map[string]any{"description": "invalid_authentication", "code": 401}}
	case e.Status == 404:
		code = "user_not_found"
	case e.Status == 409 && e.Type == "uniqueness":
		code = "username_taken"
	}
	return map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "detail": code, "status": e.Status,
		"Errors": map[string]any{"description": code, "code": e.Status},
	}
}

var handles = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// allow is Slack's own rules for users, and tells the Web API about them: nobody but the server itself may object after.
func (s *Sim) allow(all []scimsim.Resource, before, after scimsim.Resource) *scimsim.Error {
	name, _, _ := strings.Cut(strings.ToLower(fmt.Sprint(after["userName"])), "@") // mail addresses become names
	mail := address(after)
	switch {
	case len(name) > 21:
		return &scimsim.Error{Status: 400, Detail: "username_too_long"}
	case !handles.MatchString(name):
		return &scimsim.Error{Status: 400, Detail: "username_invalid"}
	case mail == "":
		return &scimsim.Error{Status: 400, Detail: "email_missing"}
	}
	for _, o := range all {
		if o["id"] == after["id"] {
			continue
		}
		if o["userName"] == name {
			return &scimsim.Error{Status: 409, Detail: "username_taken"}
		}
		if strings.EqualFold(address(o), mail) {
			return &scimsim.Error{Status: 409, Detail: "email_taken"}
		}
	}
	after["userName"] = name
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(after["id"].(string), person{active: after["active"] == true, guest: guest(after)})
	return nil
}

func address(r scimsim.Resource) string {
	list, _ := r["emails"].([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			return fmt.Sprint(m["value"])
		}
	}
	return ""
}

func guest(r scimsim.Resource) bool {
	m, _ := r[guestURN].(map[string]any)
	return m["type"] == "multi" || m["type"] == "single"
}

// known keeps channels in step: whoever is opened comes into the general one, whoever is closed leaves all, for good.
func (s *Sim) known(id string, p person) {
	was := s.people[id]
	s.people[id] = p
	for _, c := range s.channels {
		switch {
		case !p.active:
			delete(c.members, id)
		case c.general && !was.active && !p.guest:
			c.members[id] = true
		}
	}
}

func (s *Sim) channel(idOrName string) *channel {
	for _, c := range s.channels {
		if c.id == idOrName || c.name == strings.TrimPrefix(idOrName, "#") {
			return c
		}
	}
	return nil
}

// Accounts shows every user, deactivated ones too. A channel has no roles, so whoever is in it has all that its account
// allows: a guest's is a guest, "channel:#x=guest", and a full one is as good as a guest and a member.
func (s *Sim) Accounts() []sim.Account {
	out := s.users.Accounts()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range out {
		roles := []string{"guest", "member"}
		if s.people[out[i].Ref].guest {
			roles = roles[:1]
		}
		for _, c := range s.channels {
			for _, role := range roles {
				if c.members[out[i].Ref] {
					out[i].Entitlements = append(out[i].Entitlements, "channel:#"+c.name+"="+role)
				}
			}
		}
		slices.Sort(out[i].Entitlements)
	}
	return out
}

// Seed puts a user there, and into channels.
func (s *Sim) Seed(a sim.Account) string {
	name, _, _ := strings.Cut(strings.ToLower(a.Login), "@")
	a.Email, a.Login = cmp.Or(a.Email, a.Login), name
	id := s.users.Seed(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(id, person{active: a.State == dayone.Active || a.State == ""})
	for _, e := range a.Entitlements {
		kind, rest, _ := strings.Cut(e, ":")
		name, _, _ := strings.Cut(rest, "=")
		if c := s.channel(name); c != nil && kind == "channel" {
			c.members[id] = true
		}
	}
	return id
}
