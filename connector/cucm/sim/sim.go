// Package sim is a Cisco Unified CM cluster: the AXL service with its schema's order, references and codes, lines that outlive
// their phones, lists that are replaced, one name for all classes of devices, users of a directory, a list of changes, a queue
// of writes that overflows, and calls that are routed. It is written from the vendor's pages alone.
package sim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	operator = "dayone-axl"
	password = "sim-axl-password"
	presence = "Standard Presence group"
)

// object is one row of the cluster.
type object struct {
	uuid string
	node *node
	name string // by what it is found: userid, pattern and partition, name
	live *node  // what phones still do, until the change is applied; nil: what is written
	ours bool   // made by a request
}

// change is one line of the list of changes.
type change struct {
	id     int
	kind   string
	action string
	uuid   string
}

// pattern is a line of the route plan that is no directory number.
type pattern struct {
	uuid, pattern, partition, kind, detail string
	to                                     string // where a translation leads
	css                                    string // where a translation looks on
	members                                []string
}

// Sim is the publisher of one cluster.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler

	mu       sync.Mutex
	ids      int
	versions []string
	password string
	noRole   bool
	down     bool // the publisher's database: reads go on
	queue    int  // writes that are shed from now on
	revoked  []string
	cut      bool // the answer of the request under way is lost
	lineless bool // a phone with an unknown number makes it, as some releases do
	before   map[string][]func()

	under, most map[bool]int // requests under way, and at most, by whether they write

	objects  map[string][]*object // by kind: user, line, phone, ...
	names    map[string][]string  // what objects refer to: partitions, pools
	css      map[string][]string  // partitions of a search space, in order
	patterns []*pattern
	groups   map[string][]string // lines of a line group, as pattern@partition
	changes  []change
	loggedIn map[string]string // device: userid of who is logged in by extension mobility
	profile  map[string]string // device: the profile that is active on it
	unplug   map[string]bool   // devices that are not registered

	directory Source
	syncs     int
	takes     time.Duration        // a synchronization
	syncing   map[string]time.Time // agreements that are at it, and until when
	inactive  map[string]time.Time // users whom the directory let go of, by uuid

	idx        *index
	writes     []Write
	limit      int // bytes of an answer
	largest    int // of all answers
	matched    int // rows that the list under way found
	room       int // writes that the queue holds; 0: any number
	drains     time.Duration
	queued     []time.Time
	kept       map[string]bool     // what is refused while it is in use: "line", "login"
	pins       map[string][]string // by user: what it was
	changedPIN map[string]time.Time
	hacks      map[string]int // wrong PINs, by user
	policies   []policy
	policyOf   map[string]string // by user; else its own
}

var _ sim.Simulator = (*Sim)(nil)

// New makes a cluster with what the examples name, and nobody in it.
func New(o sim.Options) *Sim {
	s := &Sim{
		door: sim.NewDoor(o), opt: o, versions: []string{"12.5", "14.0", "15.0"}, password: password, before: map[string][]func(){}, under: map[bool]int{}, most: map[bool]int{},
		objects: map[string][]*object{}, groups: map[string][]string{}, loggedIn: map[string]string{}, profile: map[string]string{}, unplug: map[string]bool{}, inactive: map[string]time.Time{},
		syncing: map[string]time.Time{}, limit: 8 << 20, kept: map[string]bool{"line": true, "login": true}, pins: map[string][]string{}, changedPIN: map[string]time.Time{}, hacks: map[string]int{},
		policies: []policy{{ownPolicy, 6, true}}, policyOf: map[string]string{},
		names: map[string][]string{
			"partition": {"DN_PT", "QUARANTINE_PT", "PSTN_PT", "EMERGENCY_PT", "INTL_PT"}, "devicePool": {"SFO_DP", "BER_DP"},
			"phoneButtonTemplate": {"Standard 8845 SIP", "Standard Client Services Framework", "Standard Dual Mode for iPhone"},
			"commonPhoneConfig":   {"Standard Common Phone Profile"}, "location": {"Hub_None", "SFO"}, "serviceProfile": {"Jabber-Service-Profile"},
			"voiceMailProfile": {"NoVoiceMail", "VM-Default"}, "callPickupGroup": {"SALES-PKUP"}, "sipProfile": {"Standard SIP Profile"},
			"phoneSecurityProfile": {"Cisco 8845 - Standard SIP Non-Secure Profile", "Cisco Unified Client Services Framework - Standard SIP Non-Secure Profile", "Cisco Dual Mode for iPhone - Standard SIP Non-Secure Profile"},
			"softKeyTemplate":      {"Standard User"}, "presenceGroup": {presence}, "userProfileProvision": {"Standard (Factory Default) User Profile"},
			"role": {"Standard CCM End Users", "Standard CTI Enabled", "Standard CTI Allow Control of All Devices", "Standard AXL API Access"},
		},
		css: map[string][]string{
			"DEVICE_SFO_CSS": {"EMERGENCY_PT", "DN_PT", "PSTN_PT"}, "LINE_INTERNAL_CSS": {"EMERGENCY_PT", "DN_PT"},
			"LINE_INTERNATIONAL_CSS": {"EMERGENCY_PT", "DN_PT", "PSTN_PT", "INTL_PT"}, "PSTN_IN_CSS": {"DN_PT"},
		},
	}
	groups := o.Names["user_group"]
	if groups == nil {
		groups = []string{"Standard CCM End Users", "Standard CTI Enabled", "Standard CTI Allow Control of All Devices"}
	}
	for _, g := range groups {
		s.put("userGroup", group("userGroup", group("userRoles", group("userRole", leaf("roleName", g))), leaf("name", g)))
	}
	for name := range s.css {
		s.names["css"] = append(s.names["css"], name)
	}
	slices.Sort(s.names["css"])
	mux := http.NewServeMux()
	mux.HandleFunc("POST /axl/", s.axl)
	mux.HandleFunc("GET /sim/call", s.call)
	mux.HandleFunc("POST /ssosp/token/revoke", s.revoke)
	s.next = s.door.Wrap(mux)
	return s
}

// ServeHTTP counts what is under way, then goes through the door.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, op, _ := strings.Cut(strings.Trim(r.Header.Get("SOAPAction"), `"`), " ")
	if _, op, ok := strings.Cut(op, " "); ok {
		defer s.count(isWrite(op))()
	}
	s.next.ServeHTTP(w, r)
}

func (s *Sim) Door() *sim.Door { return s.door }

// Settings of a connector that is let in. The legacy field associatedPc holds employee numbers here.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "user": operator, "password": password, "version": "14.0", "employee_number": "associatedPc"}
}

// Release says which versions of the schema the cluster has; the first is its own.
func (s *Sim) Release(versions ...string) { s.mu.Lock(); defer s.mu.Unlock(); s.versions = versions }

// Password changes the application user's password, as an administrator does.
func (s *Sim) Password(p string) { s.mu.Lock(); defer s.mu.Unlock(); s.password = p }

// Role takes the AXL role from the application user.
func (s *Sim) Role(has bool) { s.mu.Lock(); defer s.mu.Unlock(); s.noRole = !has }

// Publisher stops or starts the publisher's database: reads are served by a subscriber, writes fail.
func (s *Sim) Publisher(up bool) { s.mu.Lock(); defer s.mu.Unlock(); s.down = !up }

// Shed sheds the next n writes, as a full queue does.
func (s *Sim) Shed(n int) { s.mu.Lock(); defer s.mu.Unlock(); s.queue = n }

// MakesLines says that a phone with an unknown number makes it.
func (s *Sim) MakesLines(yes bool) { s.mu.Lock(); defer s.mu.Unlock(); s.lineless = yes }

// Before runs once before the next request of an operation is carried out: another administrator, for one.
func (s *Sim) Before(op string, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before[op] = append(s.before[op], f)
}

func isWrite(op string) bool {
	for _, p := range []string{"add", "update", "remove", "do", "apply", "reset", "restart", "executeSQLUpdate"} {
		if strings.HasPrefix(op, p) && op != "doAuthenticateUser" {
			return true
		}
	}
	return false
}

// axl takes one request.
func (s *Sim) axl(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.opt.Time().UTC().Format(http.TimeFormat))
	user, pass, _ := r.BasicAuth()
	s.mu.Lock()
	known, role := user == operator && pass == s.password, !s.noRole
	s.mu.Unlock()
	switch {
	case !known && !sim.Replaying(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="Cisco Web Services Realm"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	case !role:
		w.WriteHeader(http.StatusForbidden)
		return
	}
	version, op, err := request(r.Body)
	if err != nil {
		answerFault(w, "", err)
		return
	}
	s.mu.Lock()
	todo := s.before[op.name]
	delete(s.before, op.name)
	s.mu.Unlock()
	for _, f := range todo {
		f()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, err := r.Cookie("JSESSIONIDSSO"); err != nil || c.Value == "" {
		s.ids++
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONIDSSO", Value: fmt.Sprintf("SESSION%08d", s.ids), Path: "/", Secure: true, HttpOnly: true})
	}
	if !slices.Contains(s.versions, version) {
		answerFault(w, op.name, fmt.Errorf("the AXL version %s is not supported; the versions are %s", version, strings.Join(s.versions, ", ")))
		return
	}
	if want := `"CUCM:DB ver=` + version + ` ` + op.name + `"`; r.Header.Get("SOAPAction") != want {
		answerFault(w, op.name, fmt.Errorf("SOAPAction is %s, not %s", r.Header.Get("SOAPAction"), want))
		return
	}
	if isWrite(op.name) {
		switch {
		case s.down:
			answerFault(w, op.name, fmt.Errorf("the database of the publisher cannot be reached"))
			return
		case s.queue > 0:
			s.queue--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case s.full():
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
	s.collect()
	written := s.about(op)
	content, err := s.do(op)
	if err == nil {
		s.wrote(op, written)
	}
	if s.cut {
		s.cut = false
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		answerFault(w, op.name, err)
		return
	}
	s.answer(w, version, op, content)
}

// do carries an operation out.
func (s *Sim) do(op *node) ([]*node, error) {
	if err := check(op.name, op); err != nil {
		return nil, err
	}
	ret := func(kids ...*node) []*node { return []*node{group("return", kids...)} }
	switch op.name {
	case "getCCMVersion":
		return ret(group("componentVersion", leaf("version", s.versions[0]+".1.11900(1)"))), nil
	case "doDeviceLogout":
		return s.logout(op)
	case "doLdapSync":
		return s.synchronize(op)
	case "listChange":
		return s.listChange(op)
	case "listCredentialPolicy":
		return s.listPolicies(op)
	case "listRegistrationDynamic":
		return s.listRegistrations(op)
	case "listRoutePlan":
		return s.listRoutePlan(op)
	case "resetPhone", "executeSQLUpdate":
		return nil, refuse(-1, "%s is never sent by a careful client", op.name)
	case "applyPhone", "applyLine":
		return s.apply(op)
	case "doAuthenticateUser":
		return s.authenticate(op)
	case "getLdapSyncStatus":
		return s.syncStatus(op)
	}
	for _, verb := range []string{"add", "update", "remove", "get", "list"} {
		if rest, ok := strings.CutPrefix(op.name, verb); ok {
			kind := strings.ToLower(rest[:1]) + rest[1:]
			if rest == "RoutePartition" {
				kind = "partition"
			}
			switch verb {
			case "add":
				return s.add(kind, op)
			case "update":
				return s.update(kind, op)
			case "remove":
				return s.remove(kind, op)
			case "get":
				o, err := s.find(kind, op, 5007)
				if err != nil {
					return nil, err
				}
				return ret(s.show(kind, o)), nil
			case "list":
				return s.list(kind, op)
			}
		}
	}
	return nil, fmt.Errorf("there is no operation %s", op.name)
}

func (s *Sim) uuid() string {
	s.ids++
	return fmt.Sprintf("{%08X-5A3C-4E1D-9B7F-%012X}", s.ids, s.ids*7919)
}

func (s *Sim) note(kind, action, uuid string) {
	s.idx = nil
	s.changes = append(s.changes, change{len(s.changes) + 1, kind, action, uuid})
}

const queueID = "{E46CDE4B-B1B3-4A46-8C2E-0D9A2F6B8F55}"

func (s *Sim) listChange(op *node) ([]*node, error) {
	from := len(s.changes) + 1
	if at := op.get("startChangeId"); at != nil {
		n, err := strconv.Atoi(at.text)
		if err != nil || at.attr["queueId"] != queueID {
			return nil, refuse(-1, "the queue id is not valid")
		}
		from = n
	}
	list := group("changes")
	for _, c := range s.changes {
		if c.id >= from {
			n := group("change", leaf("id", strconv.Itoa(c.id)), leaf("action", c.action), leaf("doGet", "true"), group("changedTags"))
			n.attr = map[string]string{"type": c.kind, "uuid": c.uuid}
			list.kids = append(list.kids, n)
		}
	}
	info := group("queueInfo", leaf("firstChangeId", "1"), leaf("lastChangeId", strconv.Itoa(len(s.changes))), leaf("nextStartChangeId", strconv.Itoa(len(s.changes)+1)), leaf("queueId", queueID))
	return []*node{info, list}, nil
}

// logout ends the extension mobility log-in of whoever is logged in on a device.
func (s *Sim) logout(op *node) ([]*node, error) {
	device := op.value("deviceName")
	if s.object("phone", device) == nil {
		return nil, refuse(5007, "Item not valid: The specified Phone was not found")
	}
	if s.loggedIn[device] == "" {
		return nil, refuse(0, "nobody is logged in on %s", device)
	}
	s.out(device)
	return []*node{leaf("return", "true")}, nil
}

// Accounts shows every user, ordered by userid.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, o := range s.objects["user"] {
		u := o.node
		a := sim.Account{
			Ref: plain(o.uuid), Login: u.value("userid"), Email: u.value("mailid"), EmployeeNumber: u.value("associatedPc"),
			FirstName: u.value("firstName"), LastName: u.value("lastName"), State: dayone.Active,
		}
		if u.yes("pinCredentials/pinCredLockedByAdministrator") {
			a.State = dayone.Disabled
		}
		for _, g := range u.all("associatedGroups", "userGroup") {
			a.Entitlements = append(a.Entitlements, "user_group:"+g.value("name"))
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

func plain(uuid string) string { return strings.ToLower(strings.Trim(uuid, "{}")) }

// Seed puts a user there as another administrator would.
func (s *Sim) Seed(a sim.Account) string {
	u := group("user", leaf("firstName", a.FirstName), leaf("lastName", cmp.Or(a.LastName, a.Login)), leaf("userid", a.Login), leaf("mailid", a.Email),
		leaf("associatedPc", a.EmployeeNumber), leaf("presenceGroupName", presence))
	if a.State == dayone.Disabled {
		u.set(group("pinCredentials", leaf("pinCredLockedByAdministrator", "true")))
		u.set(group("passwordCredentials", leaf("pwdCredLockedByAdministrator", "true")))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return plain(s.put("user", u).uuid)
}

// put stores an object without asking.
func (s *Sim) put(kind string, n *node) *object {
	o := &object{uuid: s.uuid(), node: n, name: identity(kind, n)}
	s.objects[kind] = append(s.objects[kind], o)
	s.note(kind, "a", o.uuid)
	return o
}

// Admin writes as another administrator: an element at the first level of an object, found by name.
func (s *Sim) Admin(kind, name, element string, items ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(kind, name)
	n := leaf(element, "")
	switch {
	case element == "associatedGroups":
		for _, it := range items {
			n.kids = append(n.kids, group("userGroup", leaf("name", it)))
		}
	case len(items) > 0:
		n.text = items[0]
	}
	o.node.set(n)
	s.note(kind, "u", o.uuid)
}

// Snapshot is every object as it stands, for comparing before and after.
func (s *Sim) Snapshot() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for kind, list := range s.objects {
		for _, o := range list {
			out[kind+" "+o.name] = "<!-- " + plain(o.uuid) + " -->" + o.node.String()
		}
	}
	return out
}

// revoke ends the tokens that Jabber holds in somebody's name.
func (s *Sim) revoke(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if user, pass, _ := r.BasicAuth(); user != operator || pass != s.password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := r.URL.Query().Get("user_id")
	if s.object("user", id) == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	s.revoked = append(s.revoked, id)
}

// Revoked are the users whose tokens were ended, as often as they were.
func (s *Sim) Revoked() []string { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.revoked) }

// LogIn logs somebody in on a device by extension mobility.
func (s *Sim) LogIn(device, user, profile string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loggedIn[device], s.profile[device] = user, profile
}

// CutNext cuts the connection after the request that is under way was carried out: its answer is lost.
func (s *Sim) CutNext() { s.mu.Lock(); defer s.mu.Unlock(); s.cut = true }
