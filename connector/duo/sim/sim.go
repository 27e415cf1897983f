// Package sim is an account of Duo Security: signatures of both versions against a clock of its own, an envelope with coded
// errors, offsets, users who are pending until they enrol, enrolment mails, bypass codes that are used up, groups, phones
// that several users may have, users of a directory who refuse edits, and a limit on users.
package sim

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	integration = "DISIMSIMSIMSIMSIMSIM"
	secret      = "sim-duo-secret-key"
	tolerance   = 5 * time.Minute
)

type user struct {
	ID       string            `json:"user_id"`
	Username string            `json:"username"`
	Email    string            `json:"email"`
	First    string            `json:"firstname"`
	Last     string            `json:"lastname"`
	Real     string            `json:"realname"`
	Status   string            `json:"status"`
	Enrolled bool              `json:"is_enrolled"`
	Created  int64             `json:"created"`
	Synced   *int64            `json:"last_directory_sync"`
	Login    *int64            `json:"last_login"`
	Aliases  map[string]string `json:"aliases"`
	Groups   []*group          `json:"groups"`
	Phones   []*phone          `json:"phones"`
	Tokens   []any             `json:"tokens"`
	codes    []*bypass
}

type group struct {
	ID   string `json:"group_id"`
	Name string `json:"name"`
	Desc string `json:"desc"`
}

type phone struct {
	ID        string `json:"phone_id"`
	Number    string `json:"number"`
	Type      string `json:"type"`
	Platform  string `json:"platform"`
	Activated bool   `json:"activated"`
}

type bypass struct {
	ID   string `json:"bypass_code_id"`
	Left int    `json:"reuse_count"`
	text string
	end  time.Time
}

// Sim is the account.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler

	mu      sync.Mutex
	ids     sim.IDs
	secret  string
	version int
	skew    time.Duration
	denied  string // a method whose grant is missing
	users   []*user
	groups  []*group
	phones  []*phone
	mails   []string // addresses to which an enrolment went
}

var _ sim.Simulator = (*Sim)(nil)

// New makes an account with the groups of the examples, or those of o.Names["group"]; it takes signatures of version 2.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, secret: secret, version: 2}
	names := o.Names["group"]
	if o.Names == nil {
		names = []string{"employees", "vpn", "contractors"}
	}
	for _, n := range names {
		s.groups = append(s.groups, &group{ID: s.ids.Next("DG", 18), Name: n})
	}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /admin/v1/users": s.listUsers, "POST /admin/v1/users": s.createUser, "POST /admin/v1/users/enroll": s.enroll,
		"GET /admin/v1/users/{id}": s.getUser, "POST /admin/v1/users/{id}": s.updateUser, "DELETE /admin/v1/users/{id}": s.deleteUser,
		"POST /admin/v1/users/{id}/groups": s.join, "DELETE /admin/v1/users/{id}/groups/{gid}": s.part,
		"POST /admin/v1/users/{id}/phones": s.give, "DELETE /admin/v1/users/{id}/phones/{pid}": s.take,
		"GET /admin/v1/users/{id}/bypass_codes": s.listCodes, "POST /admin/v1/users/{id}/bypass_codes": s.setCodes, "DELETE /admin/v1/bypass_codes/{id}": s.deleteCode,
		"GET /admin/v1/groups": s.listGroups, "GET /admin/v1/phones": s.listPhones, "POST /admin/v1/phones": s.createPhone,
		"GET /admin/v1/phones/{pid}": s.getPhone, "DELETE /admin/v1/phones/{pid}": s.deletePhone,
		"/": func(w http.ResponseWriter, _ *http.Request) { s.fail(w, 40401, "Resource not found", "") },
	} {
		mux.HandleFunc(pattern, handle)
	}
	s.next = s.door.Wrap(s.auth(mux))
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "integration_key": integration, "secret_key": secret, "employee_number": "alias4", "signature": strconv.Itoa(s.version)}
}

// Version says which signatures it takes: 2 or 5.
func (s *Sim) Version(v int) *Sim { s.version = v; return s }

// Skew sets its clock off.
func (s *Sim) Skew(d time.Duration) { s.mu.Lock(); defer s.mu.Unlock(); s.skew = d }

// Reset makes another secret key, as an administrator does.
func (s *Sim) Reset() { s.mu.Lock(); defer s.mu.Unlock(); s.secret = "another-secret-key" }

// Deny takes the grant of a method away: GET reads, the others write.
func (s *Sim) Deny(method string) { s.mu.Lock(); defer s.mu.Unlock(); s.denied = method }

// Edit changes a user as another administrator, or a directory, would.
func (s *Sim) Edit(login, status string, synced bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.named(login)
	if u.Status = cmp.Or(status, u.Status); synced {
		at := s.opt.Time().Unix()
		u.Synced = &at
	}
}

// Enrol is somebody who follows the link in the mail; Enter one who signs in with a bypass code, and whether it was good.
func (s *Sim) Enrol(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.named(login)
	u.Enrolled, u.Tokens = true, append(u.Tokens, map[string]string{"token_id": s.ids.Next("DT", 18), "serial": s.ids.Next("", 6), "type": "yk"})
}

// Enter signs in with a bypass code.
func (s *Sim) Enter(login, code string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.named(login)
	if u == nil || u.Status != "active" {
		return false
	}
	for i, b := range u.codes {
		if b.text == code && s.opt.Time().Before(b.end) {
			if b.Left--; b.Left == 0 {
				u.codes = slices.Delete(u.codes, i, i+1)
			}
			at := s.opt.Time().Unix()
			u.Login = &at
			return true
		}
	}
	return false
}

// Mails are the addresses to which enrolments went, and Phones counts all phones.
func (s *Sim) Mails() []string { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.mails) }

// Phones counts all phones.
func (s *Sim) Phones() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.phones) }

// Codes counts somebody's bypass codes.
func (s *Sim) Codes(login string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.named(login).codes)
}

func (s *Sim) time() time.Time { return s.opt.Time().Add(s.skew) }

// auth checks signature, clock and grants, and reads parameters from wherever the version has them.
func (s *Sim) auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Header().Set("Date", s.time().Format(http.TimeFormat))
		body, _ := io.ReadAll(r.Body)
		params := r.URL.Query()
		if err := s.parameters(r, body, params); err != nil {
			s.fail(w, 40001, "Missing required request parameters", err.Error())
			return
		}
		if !sim.Replaying(r) && !s.signed(w, r, body, params) {
			return
		}
		if s.denied != "" && r.Method == s.denied {
			s.fail(w, 40301, "Access forbidden", "Wrong integration type for this API.")
			return
		}
		r.Form = params
		next.ServeHTTP(w, r)
	})
}

func (s *Sim) parameters(r *http.Request, body []byte, into url.Values) error {
	if len(body) == 0 {
		return nil
	}
	if s.version == 5 {
		var in map[string]string
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if err := sim.Read(r, &in); err != nil {
			return err
		}
		for k, v := range in {
			into.Set(k, v)
		}
		return nil
	}
	form, err := url.ParseQuery(string(body))
	for k := range form {
		into.Set(k, form.Get(k))
	}
	return err
}

// signed recomputes the signature from the request as it arrived.
func (s *Sim) signed(w http.ResponseWriter, r *http.Request, body []byte, params url.Values) bool {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
	key, sum, ok := strings.Cut(string(raw), ":")
	at, bad := time.Parse("Mon, 02 Jan 2006 15:04:05 -0700", r.Header.Get("Date"))
	switch {
	case err != nil || !ok:
		s.fail(w, 40101, "Missing request credentials", "")
		return false
	case key != integration:
		s.fail(w, 40102, "Invalid integration key in request credentials", "")
		return false
	case bad != nil || at.Sub(s.time()).Abs() > tolerance:
		s.fail(w, 40105, "Bad request timestamp", "")
		return false
	}
	lines := []string{r.Header.Get("Date"), r.Method, strings.ToLower(r.Host), r.URL.Path}
	if s.version == 5 {
		lines = append(lines, sorted(r.URL.Query()), fmt.Sprintf("%x", sha512.Sum512(body)), fmt.Sprintf("%x", sha512.Sum512(nil)))
	} else {
		lines = append(lines, sorted(params))
	}
	mac := hmac.New(sha512.New, []byte(s.secret))
	_, _ = io.WriteString(mac, strings.Join(lines, "\n"))
	if fmt.Sprintf("%x", mac.Sum(nil)) != sum {
		s.fail(w, 40103, "Invalid signature in request credentials", "")
		return false
	}
	return true
}

func sorted(v url.Values) string {
	var out []string
	for k, vs := range v {
		for _, x := range vs {
			out = append(out, percent(k)+"="+percent(x))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "&")
}

// percent escapes all but RFC 3986's unreserved characters.
func percent(t string) string {
	var b strings.Builder
	for _, c := range []byte(t) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (s *Sim) ok(w http.ResponseWriter, response any) {
	sim.JSON(w, 200, map[string]any{"stat": "OK", "response": response})
}

func (s *Sim) fail(w http.ResponseWriter, code int, message, detail string) {
	out := map[string]any{"stat": "FAIL", "code": code, "message": message}
	if detail != "" {
		out["message_detail"] = detail
	}
	sim.JSON(w, code/100, out)
}

// page answers a part and where it goes on.
func page[T any](s *Sim, w http.ResponseWriter, r *http.Request, all []T) {
	from, _ := strconv.Atoi(r.Form.Get("offset"))
	limit, err := strconv.Atoi(r.Form.Get("limit"))
	if err != nil || limit < 1 || limit > 300 {
		s.fail(w, 40002, "Invalid request parameters", "limit")
		return
	}
	from = min(max(from, 0), len(all))
	to := min(from+min(limit, s.opt.PageSize()), len(all))
	meta := map[string]any{"total_objects": len(all)}
	if to < len(all) {
		meta["next_offset"] = to
	}
	sim.JSON(w, 200, map[string]any{"stat": "OK", "response": append([]T{}, all[from:to]...), "metadata": meta})
}

// Accounts shows every user with groups and phones.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.users {
		a := sim.Account{
			Ref: u.ID, Login: u.Username, Email: u.Email, EmployeeNumber: u.Aliases["alias4"], FirstName: u.First, LastName: u.Last,
			State: dayone.Disabled, Created: time.Unix(u.Created, 0).UTC(),
		}
		switch {
		case u.Status == "active" && !u.Enrolled:
			a.State = dayone.Pending
		case u.Status == "active", u.Status == "bypass":
			a.State = dayone.Active
		}
		for _, g := range u.Groups {
			a.Entitlements = append(a.Entitlements, "group:"+g.Name)
		}
		for range u.Phones {
			a.Entitlements = append(a.Entitlements, "phone")
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts an enrolled user there.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.born(a.Login)
	u.Email, u.First, u.Last, u.Enrolled, u.Created = a.Email, cmp.Or(a.FirstName, "Some"), cmp.Or(a.LastName, "Body"), true, cmp.Or(a.Created, s.opt.Time()).Unix()
	if a.EmployeeNumber != "" {
		u.Aliases["alias4"] = a.EmployeeNumber
	}
	if a.State == dayone.Disabled {
		u.Status = "disabled"
	}
	return u.ID
}
