package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Entry is somebody in the directory that feeds the server, and Source is that directory.
type (
	Entry  = sim.Entry
	Source = sim.Directory
)

// everyUser is what the server reads of the directory, below where it was told to look. That who is disabled is not imported is
// decided after that.
const everyUser = "(&(objectclass=user)(!(objectclass=Computer)))"

// Directory is what the directory holds from now on. The server sees it at the next synchronization.
func (s *Sim) Directory(all ...Entry) { s.Reads(sim.Entries(slices.Clone(all)), "") }

// Reads says which directory feeds the server, and below where it looks; sim.LDAP is a real one.
func (s *Sim) Reads(from Source, base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.directory, s.below = from, base
}

func pkid(e Entry) string { return "pk-" + strings.ToLower(e.ID) }

// Synchronize is the next synchronization: who is there is mastered, who is not is inactive from now on. Where the directory
// cannot be read all stays as it is.
func (s *Sim) Synchronize() {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.directory.People(s.below, everyUser)
	if err != nil {
		return
	}
	s.copied = slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return e.Disabled })
	seen := map[string]bool{}
	for _, e := range s.copied {
		seen[pkid(e)] = true
		for _, u := range s.of("users", "LdapCcmPkid", pkid(e)) {
			master(u, e)
			u["Inactive"] = "false"
			delete(s.inactive, u["ObjectId"])
		}
	}
	for _, u := range s.tables["users"] {
		if u["LdapType"] == "3" && !seen[u["LdapCcmPkid"]] && s.inactive[u["ObjectId"]].IsZero() {
			u["Inactive"] = "true"
			s.inactive[u["ObjectId"]] = s.now()
		}
	}
}

func master(u object, e Entry) {
	u["Alias"], u["FirstName"], u["LastName"], u["EmailAddress"], u["Title"] = e.ID, e.First, e.Last, e.Mail, e.Title
}

// collect makes regular users of those whom the directory let go of a day ago, at a quarter past three in the morning. They are
// as open as their PIN and their password are.
func (s *Sim) collect() {
	now := s.now()
	for id, since := range s.inactive {
		due := since.Add(24 * time.Hour)
		night := time.Date(due.Year(), due.Month(), due.Day(), 3, 15, 0, 0, time.UTC)
		if night.Before(due) {
			night = night.AddDate(0, 0, 1)
		}
		if now.Before(night) {
			continue
		}
		u := s.row("users", "ObjectId", id)
		u["LdapType"], u["LdapCcmPkid"], u["LdapCcmUserId"], u["Inactive"] = "0", "", "", "false"
		delete(s.inactive, id)
	}
}

// Collect lets the night pass, as far as the clock went.
func (s *Sim) Collect() { s.mu.Lock(); defer s.mu.Unlock(); s.collect() }

// importable are those of the directory's copy who have no mailbox. More than two thousand are too many for one answer.
func (s *Sim) importable(r *http.Request) (any, error) {
	var rows []object
	for _, e := range s.copied {
		if len(s.of("users", "LdapCcmPkid", pkid(e))) == 0 {
			rows = append(rows, object{"alias": e.ID, "firstName": e.First, "lastName": e.Last, "pkid": pkid(e), "phoneNumber": e.Phone})
		}
	}
	rows, err := s.chosen("ldap", rows, r)
	if err != nil {
		return nil, err
	}
	total := len(rows)
	switch limit := r.URL.Query().Get("limit"); {
	case limit != "":
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 {
			return nil, refuse("INVALID_PARAMETER", "limit is no number")
		}
		rows = rows[:min(n, len(rows))]
	case len(rows) > 2000:
		return nil, refuse("TOO_MANY", "more than 2000 results: say a limit")
	}
	return listed("ldap", rows, total), nil
}

func (s *Sim) importUser(r *http.Request) (any, error) {
	t, err := s.template(r)
	if err != nil {
		return nil, err
	}
	b, err := body(r, "alias", "firstName", "lastName", "pkid", "dtmfAccessId")
	if err != nil {
		return nil, err
	}
	if b["pkid"] == "" || b["dtmfAccessId"] == "" {
		return nil, refuse("INVALID_PARAMETER", "pkid and dtmfAccessId are needed")
	}
	i := slices.IndexFunc(s.copied, func(e Entry) bool { return pkid(e) == b["pkid"] })
	if i < 0 || len(s.of("users", "LdapCcmPkid", b["pkid"])) > 0 {
		return nil, refuse("INVALID_PARAMETER", "pkid is nobody who can be imported")
	}
	e := s.copied[i]
	at, err := s.born(t, object{"Alias": e.ID, "DtmfAccessId": b["dtmfAccessId"], "LdapType": "3", "LdapCcmPkid": b["pkid"], "LdapCcmUserId": e.ID})
	if err == nil {
		master(s.row("users", "Alias", e.ID), e)
	}
	return at, err
}
