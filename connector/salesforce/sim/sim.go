// Package sim is a Salesforce org: OAuth tokens without a known end, a subset of SOQL with relative next pages, errors as
// arrays of codes, users who are never deleted, licences that run out, and a SCIM door through which an identity provider
// makes users.
package sim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	version      = "v62.0"
	clientID     = "3MVG9sim.dayone"
	clientSecret = "sim-salesforce-secret"
	provisioner  = "00Dsim!provisioner" // the token of the identity provider
	standard     = "minimum-access"     // profile with which our users are made
)

// record is a row of an object.
type record map[string]any

func (r record) text(field string) string {
	s, _ := r[field].(string)
	return s
}

// object is a table: its fields, and what its ids begin with.
type object struct {
	prefix string
	fields []string
	refers map[string]string // relation: field that holds the other's id
	rows   []record
}

// Sim is the org.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler

	mu        sync.Mutex
	ids       sim.IDs
	pages     sim.IDs // of page tokens: reading must not change what is made next
	objects   map[string]*object
	sessions  map[string]bool
	cursors   map[string][]map[string]any
	elsewhere map[string]bool // usernames of other orgs, in lower case
	owners    map[string]bool // users who cannot be deactivated
	byDefault string          // profile of users whom SCIM makes without one
	calls     int
	limit     int
}

var _ sim.Simulator = (*Sim)(nil)

// New makes an org with the profiles, queues and permission sets of the examples, or those of o.Names.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, sessions: map[string]bool{}, cursors: map[string][]map[string]any{}, elsewhere: map[string]bool{}, owners: map[string]bool{}, limit: 100_000}
	s.objects = map[string]*object{
		"User": {prefix: "005", refers: map[string]string{"Profile": "ProfileId"}, fields: []string{
			"Username", "Email", "FirstName", "LastName", "Name", "Title", "Department", "EmployeeNumber", "FederationIdentifier", "Alias", "CommunityNickname",
			"IsActive", "UserType", "ProfileId", "CreatedDate", "TimeZoneSidKey", "LocaleSidKey", "LanguageLocaleKey", "EmailEncodingKey",
		}},
		"Profile":       {prefix: "00e", fields: []string{"Name", "UserLicenseId"}, refers: map[string]string{"UserLicense": "UserLicenseId"}},
		"Group":         {prefix: "00G", fields: []string{"Name", "DeveloperName", "Type"}},
		"GroupMember":   {prefix: "011", fields: []string{"GroupId", "UserOrGroupId"}, refers: map[string]string{"Group": "GroupId"}},
		"PermissionSet": {prefix: "0PS", fields: []string{"Name", "Label", "IsOwnedByProfile", "ProfileId"}},
		"PermissionSetAssignment": {prefix: "0Pa", fields: []string{"AssigneeId", "PermissionSetId"}, refers: map[string]string{
			"PermissionSet": "PermissionSetId", "Assignee": "AssigneeId",
		}},
		"AuthSession": {prefix: "0Ak", fields: []string{"UsersId", "SessionType", "CreatedDate"}},
		"OauthToken":  {prefix: "0CO", fields: []string{"UserId", "AppName", "DeleteToken"}},
		"UserLogin":   {prefix: "0Yw", fields: []string{"UserId", "IsFrozen"}},
		"UserLicense": {prefix: "100", fields: []string{"Name", "TotalLicenses", "UsedLicenses"}},
	}
	names := o.Names
	if names == nil {
		names = map[string][]string{
			"profile": {"sales-engineer", "account-executive"}, "queue": {"enterprise", "mid-market"}, "permset": {"quote-author", "discount-approver"},
		}
	}
	licence := s.insert("UserLicense", record{"Name": "Salesforce", "TotalLicenses": cmp.Or(o.Seats, 1000), "UsedLicenses": 0})
	for _, n := range append([]string{standard}, names["profile"]...) {
		s.insert("Profile", record{"Name": n, "UserLicenseId": licence["Id"]})
		s.insert("PermissionSet", record{"Name": "X00e" + apiName(n), "Label": n, "IsOwnedByProfile": true, "ProfileId": s.find("Profile", "Name", n)["Id"]})
	}
	s.insert("Group", record{"Name": "All Internal Users", "DeveloperName": "AllInternalUsers", "Type": "Organization"})
	for _, n := range names["queue"] {
		s.insert("Group", record{"Name": n, "DeveloperName": apiName(n), "Type": "Queue"})
	}
	for _, n := range names["permset"] {
		s.insert("PermissionSet", record{"Name": apiName(n), "Label": n, "IsOwnedByProfile": false})
	}
	s.insert("User", record{"Username": "autoproc@00d", "LastName": "Automated Process", "IsActive": true, "UserType": "AutomatedProcess"})
	s.next = s.door.Wrap(http.HandlerFunc(s.serve))
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "client_id": clientID, "client_secret": clientSecret, "version": version, "profile": standard}
}

// ProvisionTarget is where an identity provider pushes users, with which token, and what each of them needs beside.
func (s *Sim) ProvisionTarget(base string) (scimBase, token string, extra map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return base + scimPath, provisioner, map[string]any{"entitlements": []any{map[string]any{"value": s.find("Profile", "Name", standard).text("Id")}}}
}

// Default is the profile of users whom SCIM makes without one; without it they are refused.
func (s *Sim) Default(profile string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byDefault = s.find("Profile", "Name", profile).text("Id")
}

// Expire ends every session, as an administrator or time does.
func (s *Sim) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

// Limit leaves so many requests of the day.
func (s *Sim) Limit(left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = s.calls + left
}

// Elsewhere takes a username in another org.
func (s *Sim) Elsewhere(username string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.elsewhere[strings.ToLower(username)] = true
}

// Own makes a user the default owner of leads, who cannot be deactivated.
func (s *Sim) Own(ref string, owns bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owners[ref] = owns
}

// Issue opens a session for a user, and gives an application a token in her name.
func (s *Sim) Issue(ref, app string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.insert("AuthSession", record{"UsersId": ref, "SessionType": "UI"})
	s.insert("OauthToken", record{"UserId": ref, "AppName": app, "DeleteToken": "sim"})
}

// Hide keeps sessions and tokens from our user, as a profile does that may not manage users.
func (s *Sim) Hide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, "AuthSession")
	delete(s.objects, "OauthToken")
}

// Open counts a user's sessions and tokens.
func (s *Sim) Open(ref string) (sessions, tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.objects["AuthSession"].rows {
		if r["UsersId"] == ref {
			sessions++
		}
	}
	for _, r := range s.objects["OauthToken"].rows {
		if r["UserId"] == ref {
			tokens++
		}
	}
	return sessions, tokens
}

// Frozen says whether a user's sign-in is.
func (s *Sim) Frozen(ref string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find("UserLogin", "UserId", ref)["IsFrozen"] == true
}

func apiName(label string) string { return strings.NewReplacer("-", "_", " ", "_").Replace(label) }

func (s *Sim) insert(name string, r record) record {
	o := s.objects[name]
	r["Id"] = s.ids.Next(o.prefix, 15)
	o.rows = append(o.rows, r)
	return r
}

// find is the first row with a value, or nil.
func (s *Sim) find(name, field string, value any) record {
	for _, r := range s.objects[name].rows {
		if r[field] == value {
			return r
		}
	}
	return nil
}

// born puts a user there with what Salesforce fills in.
func (s *Sim) born(u record) record {
	u["Alias"] = cut(u.text("LastName"), 8)
	u["CommunityNickname"] = cmp.Or(u.text("CommunityNickname"), u.text("Username"))
	u["UserType"], u["CreatedDate"] = "Standard", s.opt.Time().Format(stamp)
	u["TimeZoneSidKey"], u["LocaleSidKey"], u["LanguageLocaleKey"], u["EmailEncodingKey"] = "America/Los_Angeles", "en_US", "en_US", "UTF-8"
	s.insert("User", u)
	s.insert("UserLogin", record{"UserId": u["Id"], "IsFrozen": false})
	s.change(u, record(maps.Clone(u)))
	return u
}

// change puts a row in the place of another. A user's name, and the permission set that every profile has, follow.
func (s *Sim) change(is, after record) {
	clear(is)
	maps.Copy(is, after)
	if !strings.HasPrefix(is.text("Id"), s.objects["User"].prefix) {
		return
	}
	is["Name"] = strings.TrimSpace(is.text("FirstName") + " " + is.text("LastName"))
	sets := s.objects["PermissionSetAssignment"]
	sets.rows = slices.DeleteFunc(sets.rows, func(r record) bool {
		return r["AssigneeId"] == is["Id"] && s.find("PermissionSet", "Id", r["PermissionSetId"])["IsOwnedByProfile"] == true
	})
	if own := s.find("PermissionSet", "ProfileId", is["ProfileId"]); own != nil {
		s.insert("PermissionSetAssignment", record{"AssigneeId": is["Id"], "PermissionSetId": own["Id"]})
	}
}

func cut(s string, most int) string {
	r := []rune(s)
	return string(r[:min(len(r), most)])
}

// lengths of text fields.
var lengths = map[string]int{
	"Username": 80, "Email": 128, "FirstName": 40, "LastName": 80, "Title": 80, "Department": 80, "EmployeeNumber": 20, "FederationIdentifier": 512,
}

// check says what is wrong with a user as it would be; before is nil at birth.
func (s *Sim) check(before, after record) *fault {
	for _, f := range []string{"Username", "Email", "LastName", "ProfileId"} {
		if after.text(f) == "" {
			return &fault{400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [" + f + "]", []string{f}}
		}
	}
	for f, most := range lengths {
		if n := len([]rune(after.text(f))); n > most {
			return &fault{400, "STRING_TOO_LONG", fmt.Sprintf("%s: data value too large: %s (max length=%d)", f, cut(after.text(f), 40), most), []string{f}}
		}
	}
	if s.find("Profile", "Id", after["ProfileId"]) == nil {
		return &fault{400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []string{"ProfileId"}}
	}
	for _, f := range []string{"Username", "Email"} {
		if name, host, ok := strings.Cut(after.text(f), "@"); !ok || name == "" || !strings.Contains(host, ".") {
			return &fault{400, "INVALID_EMAIL_ADDRESS", f + ": invalid email address: " + after.text(f), []string{f}}
		}
	}
	used := 0
	for _, o := range s.objects["User"].rows {
		if o["Id"] == after["Id"] {
			continue
		}
		if strings.EqualFold(o.text("Username"), after.text("Username")) {
			return duplicate
		}
		if f := after.text("FederationIdentifier"); f != "" && strings.EqualFold(o.text("FederationIdentifier"), f) {
			return &fault{400, "DUPLICATE_VALUE", "duplicate value found: FederationIdentifier duplicates value on record with id: " + o.text("Id"), []string{"FederationIdentifier"}}
		}
		if o["IsActive"] == true && o["UserType"] == "Standard" {
			used++
		}
	}
	if s.elsewhere[strings.ToLower(after.text("Username"))] {
		return duplicate
	}
	opens := after["IsActive"] == true && (before == nil || before["IsActive"] != true)
	closes := after["IsActive"] != true && before != nil && before["IsActive"] == true
	switch {
	case opens && s.opt.Seats > 0 && used >= s.opt.Seats:
		return &fault{400, "LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded", []string{"ProfileId"}}
	case closes && s.owners[after.text("Id")]:
		return &fault{400, "FIELD_INTEGRITY_EXCEPTION", "You cannot deactivate a default lead owner", []string{"IsActive"}}
	}
	return nil
}

var duplicate = &fault{400, "DUPLICATE_USERNAME", "Duplicate Username.<br>The username already exists in this or another Salesforce organization. " +
	"Usernames must be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the user's email address).", []string{"Username"}}

// Accounts shows every person's user, inactive ones too.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.objects["User"].rows {
		if u["UserType"] != "Standard" {
			continue
		}
		a := sim.Account{
			Ref: u.text("Id"), Login: u.text("Username"), Email: u.text("Email"), EmployeeNumber: u.text("EmployeeNumber"),
			FirstName: u.text("FirstName"), LastName: u.text("LastName"), State: dayone.Disabled, Created: created(u),
		}
		if u["IsActive"] == true {
			a.State = dayone.Active
		}
		a.Entitlements = append(a.Entitlements, "profile:"+s.find("Profile", "Id", u["ProfileId"]).text("Name"))
		for _, m := range s.objects["GroupMember"].rows {
			if m["UserOrGroupId"] == u["Id"] {
				a.Entitlements = append(a.Entitlements, "queue:"+s.find("Group", "Id", m["GroupId"]).text("Name"))
			}
		}
		for _, m := range s.objects["PermissionSetAssignment"].rows {
			if set := s.find("PermissionSet", "Id", m["PermissionSetId"]); m["AssigneeId"] == u["Id"] && set["IsOwnedByProfile"] != true {
				a.Entitlements = append(a.Entitlements, "permset:"+set.text("Label"))
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts a user there.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.born(record{
		"Username": a.Login, "Email": cmp.Or(a.Email, a.Login), "FirstName": cmp.Or(a.FirstName, "Some"), "LastName": cmp.Or(a.LastName, "Body"),
		"IsActive": a.State == dayone.Active || a.State == "", "ProfileId": s.find("Profile", "Name", standard)["Id"],
	})
	if a.EmployeeNumber != "" {
		u["EmployeeNumber"] = a.EmployeeNumber
	}
	if !a.Created.IsZero() {
		u["CreatedDate"] = a.Created.UTC().Format(stamp)
	}
	for _, e := range a.Entitlements {
		switch kind, name, _ := strings.Cut(e, ":"); kind {
		case "profile":
			after := record(maps.Clone(u))
			after["ProfileId"] = s.find("Profile", "Name", name)["Id"]
			s.change(u, after)
		case "queue":
			s.insert("GroupMember", record{"GroupId": s.find("Group", "Name", name)["Id"], "UserOrGroupId": u["Id"]})
		case "permset":
			s.insert("PermissionSetAssignment", record{"PermissionSetId": s.find("PermissionSet", "Label", name)["Id"], "AssigneeId": u["Id"]})
		}
	}
	return u.text("Id")
}
