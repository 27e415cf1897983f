package sim

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// writable are the fields of a user that a client may set.
var writable = []string{"Alias", "DtmfAccessId", "FirstName", "LastName", "DisplayName", "EmailAddress", "Title", "Department", "EmployeeId"}

// mastered are those that the directory sets of a user whom it feeds.
var mastered = []string{"Alias", "FirstName", "LastName", "EmailAddress", "Title", "Department"}

var lengths = map[string]int{"Alias": 64, "FirstName": 64, "LastName": 64, "DisplayName": 64, "Title": 64, "Department": 64, "EmployeeId": 64, "EmailAddress": 320, "DtmfAccessId": 40}

var dialable = regexp.MustCompile(`^\+?[0-9*#]+$`)

// fits refuses what a field cannot hold.
func fits(b object) error {
	for name, v := range b {
		if n := lengths[name]; n > 0 && len([]rune(v)) > n {
			return refuse("INVALID_PARAMETER", "%s is longer than %d characters", name, n)
		}
	}
	if v, ok := b["DtmfAccessId"]; ok && !dialable.MatchString(v) {
		return refuse("INVALID_PARAMETER", "DtmfAccessId %q is no extension", v)
	}
	return nil
}

// free refuses an extension that something in a partition has: a user, another extension, a handler, a list.
func (s *Sim) free(extension, partition, but string) error {
	for _, table := range []string{"users", "alternateextensions", "handlers/callhandlers", "distributionlists"} {
		for _, o := range s.tables[table] {
			own := but != "" && (o["ObjectId"] == but || o["UserObjectId"] == but || o["RecipientSubscriberObjectId"] == but)
			if o["DtmfAccessId"] == extension && o["PartitionObjectId"] == partition && !own {
				return refuse("DATABASE_PROCEDURE", "the extension %s exists in this partition", extension)
			}
		}
	}
	return nil
}

// make makes a user with all that comes along: a handler, a lamp, the PIN of the template, a place on the list of all.
func (s *Sim) make(template object, b object) object {
	now := s.now()
	u := object{
		"PartitionObjectId": template["PartitionObjectId"], "CosObjectId": template["CosObjectId"], "MediaSwitchObjectId": template["MediaSwitchObjectId"],
		"CreationTime": now.Format(time.RFC3339), "IsVmEnrolled": "true", "Inactive": "false", "LdapType": "0",
	}
	for name, v := range b {
		u[name] = v
	}
	u["DisplayName"] = cmp.Or(u["DisplayName"], u["Alias"])
	s.put("users", u)
	id := u["ObjectId"]
	h := s.put("handlers/callhandlers", object{"DisplayName": u["DisplayName"], "IsPrimary": "true", "RecipientSubscriberObjectId": id, "DtmfAccessId": u["DtmfAccessId"], "PartitionObjectId": u["PartitionObjectId"]})
	u["CallHandlerObjectId"] = h["ObjectId"]
	s.put("alternateextensions", object{"UserObjectId": id, "IdIndex": "0", "DtmfAccessId": u["DtmfAccessId"], "PartitionObjectId": u["PartitionObjectId"]})
	s.put("mwis", object{"UserObjectId": id, "DisplayName": "MWI-1", "UsePrimaryExtension": "true", "Active": "true"})
	s.put("members", object{"DistributionListObjectId": s.row("distributionlists", "Alias", "allvoicemailusers")["ObjectId"], "MemberUserObjectId": id, "Alias": u["Alias"]})
	s.creds[id] = &keys{pin: &key{id: s.uuid(), secret: "12345", mustChange: true, changed: now}, web: &key{id: s.uuid(), secret: "ecsbulab", mustChange: true, changed: now}}
	return u
}

func (s *Sim) template(r *http.Request) (object, error) {
	alias := r.URL.Query().Get("templateAlias")
	if alias == "" {
		return nil, refuse("INVALID_PARAMETER", "templateAlias is missing")
	}
	if t := s.row("usertemplates", "Alias", alias); t != nil {
		return t, nil
	}
	return nil, errNone
}

func (s *Sim) create(r *http.Request) (any, error) {
	t, err := s.template(r)
	if err != nil {
		return nil, err
	}
	b, err := body(r, writable...)
	if err != nil {
		return nil, err
	}
	if b["Alias"] == "" || b["DtmfAccessId"] == "" {
		return nil, refuse("INVALID_PARAMETER", "Alias and DtmfAccessId are needed")
	}
	return s.born(t, b)
}

func (s *Sim) born(t, b object) (any, error) {
	if err := fits(b); err != nil {
		return nil, err
	}
	if s.row("users", "Alias", b["Alias"]) != nil {
		return nil, refuse("DATABASE_PROCEDURE", "the alias %s exists", b["Alias"])
	}
	if err := s.free(b["DtmfAccessId"], t["PartitionObjectId"], ""); err != nil {
		return nil, err
	}
	u := s.make(t, b)
	s.ours[u["ObjectId"]] = true
	return u["URI"], nil
}

func (s *Sim) update(r *http.Request) (any, error) {
	u, err := s.one("users", r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	b, err := body(r, writable...)
	if err != nil {
		return nil, err
	}
	if err := fits(b); err != nil {
		return nil, err
	}
	for name := range b {
		if u["LdapType"] == "3" && slices.Contains(mastered, name) {
			return nil, refuse("READ_ONLY", "%s of a user of the directory cannot be changed", name)
		}
	}
	if alias, ok := b["Alias"]; ok {
		if o := s.row("users", "Alias", alias); alias == "" || o != nil && o["ObjectId"] != u["ObjectId"] {
			return nil, refuse("DATABASE_PROCEDURE", "the alias %s exists", alias)
		}
	}
	if e, ok := b["DtmfAccessId"]; ok {
		if err := s.free(e, u["PartitionObjectId"], u["ObjectId"]); err != nil {
			return nil, err
		}
		for _, o := range s.of("alternateextensions", "UserObjectId", u["ObjectId"]) {
			if o["IdIndex"] == "0" {
				o["DtmfAccessId"] = e
			}
		}
		if h, err := s.one("handlers/callhandlers", u["CallHandlerObjectId"]); err == nil {
			h["DtmfAccessId"] = e
		}
	}
	for name, v := range b {
		u[name] = v
	}
	return nil, nil
}

// remove destroys a user and every message, unless something names it.
func (s *Sim) remove(r *http.Request) (any, error) {
	u, err := s.one("users", r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	id, own := u["ObjectId"], u["CallHandlerObjectId"]
	for _, table := range []string{"handlers/callhandlers", "handlers/interviewhandlers", "handlers/directoryhandlers", "menuentries"} {
		for _, o := range s.tables[table] {
			for name, v := range o {
				if o["ObjectId"] != own && name != "ObjectId" && name != "CallhandlerObjectId" && (v == id || v == own) {
					return nil, refuse("DATABASE_PROCEDURE", "the user is referenced by other objects")
				}
			}
		}
	}
	if s.tables["mailboxstores"][0]["Mounted"] != "true" {
		return nil, refuse("DATABASE_PROCEDURE", "the mailbox store is not mounted")
	}
	for _, table := range []string{"alternateextensions", "mwis"} {
		s.drop(table, func(o object) bool { return o["UserObjectId"] == id })
	}
	s.drop("members", func(o object) bool { return o["MemberUserObjectId"] == id })
	s.drop("handlers/callhandlers", func(o object) bool { return o["ObjectId"] == own })
	s.drop("users", func(o object) bool { return o["ObjectId"] == id })
	delete(s.creds, id)
	delete(s.messages, id)
	delete(s.inactive, id)
	return nil, nil
}

// reset sets the lamps of a user again: those that it switched on go out, those of now show whether there are messages.
func (s *Sim) reset(r *http.Request) (any, error) {
	if r.URL.Query().Get("method") != "resetmwi" {
		return nil, refuse("INVALID_PARAMETER", "there is no such method")
	}
	u, err := s.one("users", r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	for _, n := range s.lit[u["ObjectId"]] {
		s.lamps[n] = false
	}
	delete(s.lit, u["ObjectId"])
	s.light(u)
	return nil, nil
}

func (s *Sim) light(u object) {
	id := u["ObjectId"]
	for _, m := range s.of("mwis", "UserObjectId", id) {
		n := m["MwiExtension"]
		if m["UsePrimaryExtension"] == "true" {
			n = u["DtmfAccessId"]
		}
		if s.messages[id] > 0 {
			s.lamps[n] = true
			s.lit[id] = append(s.lit[id], n)
		}
	}
}

func (s *Sim) moveLamp(r *http.Request) (any, error) {
	m, err := s.one("mwis", r.PathValue("mwi"))
	if err != nil {
		return nil, err
	}
	b, err := body(r, "MwiExtension")
	if err != nil {
		return nil, err
	}
	m["MwiExtension"] = b["MwiExtension"]
	return nil, nil
}

func (s *Sim) mailbox(r *http.Request) (any, error) {
	u, err := s.one("users", r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return object{"ByteSize": strconv.Itoa(s.messages[u["ObjectId"]] * 4096), "NumMessages": strconv.Itoa(s.messages[u["ObjectId"]]), "Mounted": s.tables["mailboxstores"][0]["Mounted"]}, nil
}

func (s *Sim) addExtension(r *http.Request) (any, error) {
	u, err := s.one("users", r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	b, err := body(r, "IdIndex", "DtmfAccessId")
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(b["IdIndex"]); err != nil || n < 1 || n > 9 {
		return nil, refuse("INVALID_PARAMETER", "IdIndex is no number from 1 to 9")
	}
	if err := fits(b); err != nil {
		return nil, err
	}
	for _, o := range s.of("alternateextensions", "UserObjectId", u["ObjectId"]) {
		if o["IdIndex"] == b["IdIndex"] {
			return nil, refuse("DATABASE_PROCEDURE", "there is an alternate extension at %s", b["IdIndex"])
		}
	}
	if err := s.free(b["DtmfAccessId"], u["PartitionObjectId"], ""); err != nil {
		return nil, err
	}
	e := s.put("alternateextensions", object{"UserObjectId": u["ObjectId"], "IdIndex": b["IdIndex"], "DtmfAccessId": b["DtmfAccessId"], "PartitionObjectId": u["PartitionObjectId"]})
	return fmt.Sprintf("/vmrest/users/%s/alternateextensions/%s", u["ObjectId"], e["ObjectId"]), nil
}

func (s *Sim) changeExtension(r *http.Request) (any, error) {
	e, err := s.one("alternateextensions", r.PathValue("ext"))
	if err != nil || e["UserObjectId"] != r.PathValue("id") {
		return nil, errNone
	}
	b, err := body(r, "DtmfAccessId")
	if err != nil {
		return nil, err
	}
	if err := fits(b); err != nil {
		return nil, err
	}
	if err := s.free(b["DtmfAccessId"], e["PartitionObjectId"], ""); err != nil {
		return nil, err
	}
	e["DtmfAccessId"] = b["DtmfAccessId"]
	return nil, nil
}

func (s *Sim) removeExtension(r *http.Request) (any, error) {
	e, err := s.one("alternateextensions", r.PathValue("ext"))
	if err != nil || e["UserObjectId"] != r.PathValue("id") {
		return nil, errNone
	}
	if e["IdIndex"] == "0" {
		return nil, refuse("INVALID_PARAMETER", "the primary extension cannot be deleted")
	}
	s.drop("alternateextensions", func(o object) bool { return o["ObjectId"] == e["ObjectId"] })
	return nil, nil
}

// Handler adds a call handler with its twelve keys.
func (s *Sim) Handler(name, extension string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.put("handlers/callhandlers", object{"DisplayName": name, "IsPrimary": "false", "DtmfAccessId": extension, "PartitionObjectId": s.row("partitions", "Name", mainPartition)["ObjectId"]})
	for _, k := range []string{"*", "#", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		s.put("menuentries", object{"CallhandlerObjectId": h["ObjectId"], "TouchtoneKey": k, "Action": "0"})
	}
	return h["ObjectId"]
}

// Name lets something name a user, or not any more: a field of a call handler, or one of its keys as "key 3". An empty login
// names nobody.
func (s *Sim) Name(table, display, field, login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, own := "", ""
	if login != "" {
		u := s.row("users", "Alias", login)
		to, own = u["ObjectId"], u["CallHandlerObjectId"]
	}
	h := s.row(table, "DisplayName", display)
	if h == nil {
		h = s.put(table, object{"DisplayName": display})
	}
	if k, ok := strings.CutPrefix(field, "key "); ok {
		for _, e := range s.of("menuentries", "CallhandlerObjectId", h["ObjectId"]) {
			if e["TouchtoneKey"] == k {
				e["Action"], e["TargetHandlerObjectId"] = "2", own
			}
		}
		return
	}
	if field != "RecipientSubscriberObjectId" {
		to = own
	}
	h[field] = to
}

// Message leaves one in somebody's mailbox, and their lamp goes on.
func (s *Sim) Message(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.row("users", "Alias", login)
	s.messages[u["ObjectId"]]++
	s.light(u)
}

// Empty deletes all messages of a mailbox.
func (s *Sim) Empty(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages[s.row("users", "Alias", login)["ObjectId"]] = 0
}

// Lamp says whether the lamp of a telephone is on.
func (s *Sim) Lamp(number string) bool { s.mu.Lock(); defer s.mu.Unlock(); return s.lamps[number] }

// OwnLamp gives a user one more lamp, at a number of its own.
func (s *Sim) OwnLamp(login, number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put("mwis", object{"UserObjectId": s.row("users", "Alias", login)["ObjectId"], "DisplayName": "MWI-2", "UsePrimaryExtension": "false", "MwiExtension": number})
}

// Mount mounts the mailbox store, or does not.
func (s *Sim) Mount(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables["mailboxstores"][0]["Mounted"] = strconv.FormatBool(yes)
}
