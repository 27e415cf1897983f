// Package sim is an HR system: a REST interface with a bearer token and pages, a workforce in memory, and webhooks that it
// signs and sends.
package sim

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
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
	token  = "sim-hr-token"
	secret = "sim-hr-webhook-secret"
)

type employee struct {
	record map[string]any
	unseen int // reads that still miss it
}

// Sim is the HR system.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	ids  sim.IDs
	mux  http.Handler

	mu        sync.Mutex
	employees []*employee
	client    *http.Client
	hook      string
	posts     sync.WaitGroup
}

// New makes an HR system with the workforce of the examples; o.Names, if there are any, makes an empty one.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o}
	if o.Names == nil {
		for _, r := range workforce() {
			s.employees = append(s.employees, &employee{record: r})
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /employees", s.list)
	mux.HandleFunc("GET /employees/{id}", s.get)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fail(w, 404, "not_found", "there is nothing here") })
	s.mux = s.door.Wrap(s.auth(mux))
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in and trusts the webhooks.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "token": token, "secret": secret, "prefix": "sha256="}
}

// Subscribe sends a webhook for every change from now on.
func (s *Sim) Subscribe(client *http.Client, hookURL string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client, s.hook = client, hookURL
}

// Wait until every webhook under way was answered.
func (s *Sim) Wait() { s.posts.Wait() }

// Put adds a record or replaces the one with its employee_id, and returns the webhook of that change.
func (s *Sim) Put(record map[string]any) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := copied(record)
	r["updated_at"] = s.opt.Time().Format(time.RFC3339Nano)
	kind := "employee.updated"
	switch old := s.find(id(r)); {
	case old == nil:
		kind = "employee.hired"
		s.employees = append(s.employees, &employee{r, s.opt.Lag})
	default:
		if text(old.record, "end_date") == "" && text(r, "end_date") != "" {
			kind = "employee.terminated"
		}
		old.record = r
	}
	return s.emit(kind, r)
}

// Record is a copy of somebody's record, or nil.
func (s *Sim) Record(employeeID string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.find(employeeID); e != nil {
		return copied(e.record)
	}
	return nil
}

// Remove deletes a record, as HR does with one that was a mistake.
func (s *Sim) Remove(employeeID string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.employees = slices.DeleteFunc(s.employees, func(e *employee) bool { return id(e.record) == employeeID })
	return s.emit("employee.deleted", map[string]any{"employee_id": employeeID})
}

// Offer is the webhook of an offer, which is no employee's record yet: "made", "changed", "withdrawn" or "declined".
func (s *Sim) Offer(what string, data map[string]any) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emit("offer."+what, copied(data))
}

// emit makes a webhook and, if somebody subscribed, sends it.
func (s *Sim) emit(kind string, data map[string]any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(map[string]any{"event_type": kind, "event_id": s.ids.Next("evt_", 6), "timestamp": s.opt.Time().Format(time.RFC3339), "data": data}) // came from JSON
	if client, hook := s.client, s.hook; hook != "" {
		s.posts.Go(func() { _, _ = s.Post(context.Background(), client, hook, b.Bytes()) })
	}
	return b.Bytes()
}

// Post signs a body and sends it exactly as it is. The answer is an HTTP status.
func (s *Sim) Post(ctx context.Context, client *http.Client, hookURL string, body []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", hookURL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Signature", Sign(body))
	resp, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// Sign is the signature of a body.
func Sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func copied(record map[string]any) map[string]any {
	b, err := json.Marshal(record)
	out := map[string]any{}
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic("hr simulator: a record that is no JSON: " + err.Error())
	}
	return out
}

func id(record map[string]any) string { return text(record, "employee_id") }

func text(record map[string]any, name string) string {
	s, _ := record[name].(string)
	return s
}

func (s *Sim) find(employeeID string) *employee {
	for _, e := range s.employees {
		if id(e.record) == employeeID {
			return e
		}
	}
	return nil
}

func fail(w http.ResponseWriter, status int, code, message string) {
	sim.JSON(w, status, map[string]string{"error": code, "message": message})
}

func (s *Sim) auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, 401, "unauthorized", "the token is missing or wrong")
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// seen says whether a read shows the record yet.
func (e *employee) seen() bool {
	if e.unseen > 0 {
		e.unseen--
		return false
	}
	return true
}

func (s *Sim) list(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(cmp.Or(r.FormValue("page"), "1"))
	if err != nil || n < 1 {
		fail(w, 400, "bad_request", "page is a number from 1")
		return
	}
	all := []map[string]any{}
	for _, e := range s.employees {
		if e.seen() {
			all = append(all, e.record)
		}
	}
	size := s.opt.PageSize()
	from := min((n-1)*size, len(all))
	to := min(from+size, len(all))
	out := map[string]any{"employees": all[from:to], "next_page": nil}
	if to < len(all) {
		out["next_page"] = n + 1
	}
	sim.JSON(w, 200, out)
}

func (s *Sim) get(w http.ResponseWriter, r *http.Request) {
	e := s.find(r.PathValue("id"))
	if e == nil || !e.seen() {
		fail(w, 404, "not_found", "there is no employee "+r.PathValue("id"))
		return
	}
	sim.JSON(w, 200, e.record)
}

// Accounts shows every record.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	today := s.opt.Time().Format(time.DateOnly)
	var out []sim.Account
	for _, e := range s.employees {
		r := e.record
		a := sim.Account{
			Ref: id(r), EmployeeNumber: id(r), Login: text(r, "email"), Email: text(r, "email"),
			FirstName: text(r, "first_name"), LastName: text(r, "last_name"), State: dayone.Active,
		}
		switch end := text(r, "end_date"); {
		case end != "" && end < today:
			a.State = dayone.Disabled
		case text(r, "start_date") > today:
			a.State = dayone.Staged
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed adds a record without telling anybody.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := maps.Clone(workforce()[0])
	r["employee_id"] = cmp.Or(a.EmployeeNumber, s.ids.Next("emp_9", 3))
	r["email"] = cmp.Or(a.Email, a.Login)
	r["first_name"], r["last_name"] = cmp.Or(a.FirstName, "Some"), cmp.Or(a.LastName, "Body")
	switch a.State {
	case dayone.Disabled:
		r["end_date"] = s.opt.Time().AddDate(0, 0, -2).Format(time.DateOnly)
	case dayone.Staged:
		r["start_date"] = s.opt.Time().AddDate(0, 0, 2).Format(time.DateOnly)
	}
	s.employees = append(s.employees, &employee{record: r})
	return id(r)
}

// workforce is the company of the examples. Salary and national_id are what an HR system has and nobody else needs.
func workforce() []map[string]any {
	person := func(number, first, last, email, title, department, team, location, start, manager string, level int, more ...string) map[string]any {
		r := map[string]any{
			"employee_id": number, "email": email, "first_name": first, "last_name": last, "job_title": title, "department": department, "team": team,
			"employment_type": "FTE", "start_date": start, "manager_email": manager, "location": location, "country": countries[location],
			"work_arrangement": "Hybrid", "level": level, "personal_email": strings.Split(email, "@")[0] + "@example.net",
			"salary": 60000 + 10000*level, "national_id": "078-05-" + strings.TrimPrefix(number, "emp_"), "updated_at": "2024-11-01T09:00:00Z",
		}
		if manager == "" {
			r["manager_email"] = nil
		}
		for i := 0; i+1 < len(more); i += 2 {
			r[more[i]] = more[i+1]
		}
		return r
	}
	all := []map[string]any{
		person("emp_007", "Priya", "Nair", "priya.nair@company.com", "Software Engineer", "IT", "Workplace", "San Francisco", "2019-03-04", "", 7),
		person("emp_031", "Jonas", "Weiß", "jonas.weiss@company.com", "Software Engineer", "Security", "Trust", "Berlin", "2020-02-03", "priya.nair@company.com", 6),
		person("emp_058", "Zoë", "Łukasiewicz", "zoe.lukasiewicz@company.com", "Software Engineer", "Engineering", "Platform", "Berlin", "2020-06-15", "", 8),
		person("emp_101", "John", "Doe", "john.doe@company.com", "Sales Engineer", "Sales", "Enterprise", "San Francisco", "2018-01-08", "", 8, "mobile", "+14155550101"),
		person("emp_164", "Grace", "Okafor", "grace.okafor@company.com", "Recruiter", "People", "Talent", "London", "2021-05-10", "", 6),
		person("emp_233", "José", "Núñez", "jose.nunez@company.com", "Account Executive", "Customer Success", "Renewals", "San Francisco", "2021-09-20", "", 5),
		person("emp_287", "美咲", "山田", "misaki.yamada@company.com", "Software Engineer", "Engineering", "Platform", "London", "2022-01-17", "zoe.lukasiewicz@company.com", 5, "preferred_name", "Misaki"),
		person("emp_350", "Aoife", "O'Connor", "aoife.oconnor@company.com", "Accountant", "Finance", "Controlling", "London", "2022-04-04", "", 7),
		person("emp_412", "Mike", "Rivera", "mike.rivera@company.com", "Sales Engineer", "Sales", "Enterprise", "San Francisco", "2022-08-01", "john.doe@company.com", 5, "mobile", "+14155550142"),
		person("emp_655", "Nour", "الزهراني", "nour.alzahrani@company.com", "Account Executive", "Sales", "Mid-Market", "London", "2023-10-02", "john.doe@company.com", 4),
		person("emp_789", "Sarah", "Chen", "sarah.chen@company.com", "Sales Engineer", "Sales", "Enterprise", "San Francisco", "2024-11-25", "john.doe@company.com", 4,
			"mobile", "+14155550123", "work_arrangement", "Remote", "home_address", "1 Main St, San Francisco, CA 94105", "updated_at", "2024-11-22T15:00:30Z"),
		person("emp_790", "Kim", "Larsen", "kim@vendor.com", "Software Engineer", "Engineering", "Platform", "Berlin", "2024-06-01", "zoe.lukasiewicz@company.com", 3,
			"employment_type", "Contractor", "end_date", "2025-03-31", "work_arrangement", "Remote"),
	}
	for _, r := range all {
		if r["department"] == "Sales" {
			r["custom"] = map[string]any{"quota_region": regions[text(r, "country")]}
		}
	}
	return all
}

var (
	countries = map[string]string{"San Francisco": "US", "Berlin": "DE", "London": "GB"}
	regions   = map[string]string{"US": "AMER", "DE": "EMEA", "GB": "EMEA"}
)
