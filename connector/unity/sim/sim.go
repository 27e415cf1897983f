// Package sim is a Cisco Unity Connection: its provisioning service with lists of one that are no lists, extensions that are
// unique in a partition, PINs with a policy and a memory, lamps that follow nobody by themselves, handlers that keep their users
// from being deleted, and users of a directory. It is written from the vendor's pages alone.
package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	operator = "dayone"
	password = "sim-cupi-password"
)

// object is one row. Every value is text on the wire.
type object map[string]string

// Sim is one server.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler

	mu        sync.Mutex
	ids       int
	password  string
	noRole    bool
	down      bool                // the publisher's database: reads go on
	unindexed map[string]bool     // columns by which this release cannot search
	skew      time.Duration       // by which its clock is ahead
	zone      *time.Location      // in which it writes when a credential was changed
	native    bool                // it and its cluster keep one PIN by themselves
	apart     bool                // and the cluster does not answer
	strictWeb bool                // the web password of a directory user cannot be touched
	tables    map[string][]object // by path
	creds     map[string]*keys    // by user
	messages  map[string]int      // by user
	lamps     map[string]bool     // of telephones, by number
	lit       map[string][]string // numbers whose lamp the server switched on, by user
	directory Source
	below     string               // where it looks
	copied    []Entry              // what the server saw of it
	inactive  map[string]time.Time // users whom the directory let go of
	ours      map[string]bool      // users whom a request made
	writes    []Write

	counts      sync.Mutex
	under, most int // writes under way
}

var _ sim.Simulator = (*Sim)(nil)

// Templates and partitions that every server here has.
const (
	mainPartition = "Unity Partition"
	otherPart     = "Berlin Partition"
)

// telephones are what the pages call the places of alternate extensions.
var telephones = map[string]string{
	"1": "work-phone", "2": "work-phone-2", "3": "home-phone", "4": "home-phone-2", "5": "mobile-phone", "6": "mobile-phone-2", "7": "work-fax", "8": "place-8", "9": "place-9",
}

// New makes a server with what the examples name, and nobody in it.
func New(o sim.Options) *Sim {
	s := &Sim{
		door: sim.NewDoor(o), opt: o, password: password, unindexed: map[string]bool{}, zone: time.UTC, tables: map[string][]object{}, creds: map[string]*keys{},
		messages: map[string]int{}, lamps: map[string]bool{}, lit: map[string][]string{}, inactive: map[string]time.Time{}, ours: map[string]bool{}, directory: sim.Entries(nil),
	}
	main, other := s.put("partitions", object{"Name": mainPartition}), s.put("partitions", object{"Name": otherPart})
	s.put("searchspaces", object{"Name": "Unity Search Space"})
	cos := s.put("coses", object{"DisplayName": "Voice Mail User COS"})
	phones := s.put("phonesystems", object{"DisplayName": "PhoneSystem"})
	s.put("mailboxstores", object{"DisplayName": "Unity Messaging Database -1", "Mounted": "true"})
	s.put("credentialpolicies", object{"ObjectId": policyID, "DisplayName": "Recommended Voice Mail Authentication Rule", "MinLength": "6", "TrivialCredChecking": "true", "PrevCredCount": "5", "MaxHacks": "3"})
	for alias, part := range map[string]object{"voicemailusertemplate": main, "berlin": other} {
		s.put("usertemplates", object{"Alias": alias, "DisplayName": "Template " + alias, "PartitionObjectId": part["ObjectId"], "CosObjectId": cos["ObjectId"], "MediaSwitchObjectId": phones["ObjectId"]})
	}
	slices.SortFunc(s.tables["usertemplates"], func(a, b object) int { return cmp.Compare(b["Alias"], a["Alias"]) })
	names := o.Names["distribution_list"]
	if names == nil {
		names = []string{"sales", "everybody-berlin", "undeliverablemessages"}
	}
	for _, n := range append([]string{"allvoicemailusers", "allvoicemailenabledcontacts"}, names...) {
		s.put("distributionlists", object{"Alias": n, "DisplayName": "List " + n, "PartitionObjectId": main["ObjectId"]})
	}
	s.Handler("Opening Greeting", "99000")
	s.put("handlers/directoryhandlers", object{"DisplayName": "System Directory Handler", "PartitionObjectId": main["ObjectId"]})
	mux := http.NewServeMux()
	s.routes(mux)
	s.next = s.door.Wrap(s.guard(mux))
	return s
}

// ServeHTTP counts what is under way, then goes through the door.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		defer s.count()()
	}
	s.next.ServeHTTP(w, r)
}

func (s *Sim) Door() *sim.Door { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "user": operator, "password": password}
}

// Password changes the administrator's password, as its owner or its end does.
func (s *Sim) Password(p string) { s.mu.Lock(); defer s.mu.Unlock(); s.password = p }

// Role gives the administrator its role, or takes it.
func (s *Sim) Role(has bool) { s.mu.Lock(); defer s.mu.Unlock(); s.noRole = !has }

// Publisher stops or starts the publisher: the other server of the pair shows what there is, and writes nothing.
func (s *Sim) Publisher(up bool) { s.mu.Lock(); defer s.mu.Unlock(); s.down = !up }

// Unindexed are columns by which this release cannot search.
func (s *Sim) Unindexed(columns ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range columns {
		s.unindexed[strings.ToLower(c)] = true
	}
}

// Zone is the one in which the server writes times of credentials.
func (s *Sim) Zone(z *time.Location) { s.mu.Lock(); defer s.mu.Unlock(); s.zone = z }

// Skew sets the server's clock ahead of everybody's, or behind.
func (s *Sim) Skew(d time.Duration) { s.mu.Lock(); defer s.mu.Unlock(); s.skew = d }

func (s *Sim) now() time.Time { return s.opt.Time().Add(s.skew) }

// DirectoryWeb says whether the web password of a directory user can be touched.
func (s *Sim) DirectoryWeb(yes bool) { s.mu.Lock(); defer s.mu.Unlock(); s.strictWeb = !yes }

func (s *Sim) uuid() string {
	s.ids++
	return fmt.Sprintf("%08x-5a3c-4e1d-9b7f-%012x", s.ids*2654435, s.ids)
}

// put stores a row without asking.
func (s *Sim) put(table string, o object) object {
	if o["ObjectId"] == "" {
		o["ObjectId"] = s.uuid()
	}
	o["URI"] = "/vmrest/" + table + "/" + o["ObjectId"]
	s.tables[table] = append(s.tables[table], o)
	return o
}

// row is the first of a table with a value.
func (s *Sim) row(table, column, value string) object {
	for _, o := range s.tables[table] {
		if strings.EqualFold(o[column], value) {
			return o
		}
	}
	return nil
}

func (s *Sim) drop(table string, gone func(object) bool) {
	s.tables[table] = slices.DeleteFunc(s.tables[table], gone)
}

// refusal is what the server says instead of doing it.
type refusal struct {
	status        int
	code, message string
}

func (r *refusal) Error() string { return r.message }

func refuse(code, format string, args ...any) error {
	return &refusal{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

var errNone = &refusal{http.StatusNotFound, "NOT_FOUND", "the object was not found"}

// guard lets in, keeps to one language, and shows the server's own clock.
func (s *Sim) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Header().Set("Date", s.now().Format(http.TimeFormat))
		s.collect()
		writes := r.Method != http.MethodGet
		switch {
		case (user != operator || pass != s.password) && !sim.Replaying(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="Cisco Unity Connection"`)
			w.WriteHeader(http.StatusUnauthorized)
		case s.noRole:
			w.WriteHeader(http.StatusForbidden)
		case r.Header.Get("Accept") != "application/json":
			w.Header().Set("Content-Type", "application/xml")
			_, _ = io.WriteString(w, "<NotJSON/>")
		case writes && s.down:
			say(w, &refusal{http.StatusServiceUnavailable, "DATABASE_ERROR", "the publisher cannot be reached, and the database is read-only"})
		default:
			s.watched(w, r, next)
		}
	})
}

func say(w http.ResponseWriter, err error) {
	f, ok := err.(*refusal)
	if !ok {
		f = &refusal{http.StatusInternalServerError, "INTERNAL", err.Error()}
	}
	sim.JSON(w, f.status, map[string]any{"errors": map[string]string{"code": f.code, "message": f.message}})
}

// handle answers with what f says: an object, the address of what was made, or nothing.
func handle(f func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, err := f(r)
		switch v := out.(type) {
		case nil:
			if err == nil {
				w.WriteHeader(http.StatusNoContent)
			}
		case string:
			if err == nil {
				w.Header().Set("Location", "https://"+r.Host+v)
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, v)
			}
		default:
			if err == nil {
				sim.JSON(w, http.StatusOK, v)
			}
		}
		if err != nil {
			say(w, err)
		}
	}
}

// body is what a write brings: text by name, and no name that it does not know.
func body(r *http.Request, known ...string) (object, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return nil, &refusal{http.StatusUnsupportedMediaType, "UNSUPPORTED", "the content type is not application/json"}
	}
	var o object
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		return nil, refuse("INVALID_BODY", "the body is no object of texts")
	}
	for name := range o {
		if !slices.Contains(known, name) {
			return nil, refuse("INVALID_PARAMETER", "there is no parameter %s here", name)
		}
	}
	if len(o) == 0 {
		return nil, refuse("INVALID_BODY", "the body says nothing")
	}
	return o, nil
}

// Accounts shows every mailbox, ordered by alias.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.tables["users"] {
		k := s.creds[u["ObjectId"]]
		a := sim.Account{Ref: u["ObjectId"], Login: u["Alias"], Email: u["EmailAddress"], EmployeeNumber: u["EmployeeId"], FirstName: u["FirstName"], LastName: u["LastName"], State: dayone.Active}
		a.Created, _ = time.Parse(time.RFC3339, u["CreationTime"])
		if u["Inactive"] == "true" || k.pin.locked && k.web.locked {
			a.State = dayone.Disabled
		}
		for door, c := range map[string]*key{"pin": k.pin, "password": k.web} {
			if !c.locked && !c.fixed {
				a.Entitlements = append(a.Entitlements, door)
			}
		}
		for _, e := range s.tables["alternateextensions"] {
			if e["UserObjectId"] == a.Ref && e["IdIndex"] != "0" {
				a.Entitlements = append(a.Entitlements, "alternate_extension:"+telephones[e["IdIndex"]])
			}
		}
		for _, m := range s.tables["members"] {
			if l := s.row("distributionlists", "ObjectId", m["DistributionListObjectId"]); m["MemberUserObjectId"] == a.Ref && l["Alias"] != "allvoicemailusers" {
				a.Entitlements = append(a.Entitlements, "distribution_list:"+l["Alias"])
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts a mailbox there as another administrator would, with an extension of its own and a PIN that its owner chose.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seed("voicemailusertemplate", fmt.Sprintf("7%06d", s.ids), a)
}

func (s *Sim) seed(template, extension string, a sim.Account) string {
	u := s.make(s.row("usertemplates", "Alias", template), object{
		"Alias": a.Login, "EmailAddress": a.Email, "EmployeeId": a.EmployeeNumber, "FirstName": a.FirstName, "LastName": cmp.Or(a.LastName, a.Login), "DtmfAccessId": extension,
	})
	if !a.Created.IsZero() {
		u["CreationTime"] = a.Created.UTC().Format(time.RFC3339)
	}
	k := s.creds[u["ObjectId"]]
	k.pin.secret, k.pin.mustChange, k.pin.changed = "83"+extension+"6", false, s.now().AddDate(0, -3, 0)
	k.web.secret, k.web.mustChange, k.web.changed = "Own.Choice-"+extension, false, k.pin.changed
	if a.State == dayone.Disabled {
		k.pin.locked, k.web.locked = true, true
	}
	return u["ObjectId"]
}

// Snapshot is every row as it stands, for comparing before and after.
func (s *Sim) Snapshot() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for table, rows := range s.tables {
		for _, o := range rows {
			out[table+" "+o["ObjectId"]] = fmt.Sprint(o)
		}
	}
	for id, k := range s.creds {
		out["credentials "+id] = fmt.Sprint(*k.pin, *k.web)
	}
	return out
}
