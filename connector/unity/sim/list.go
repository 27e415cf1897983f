package sim

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// elements are the names of rows on the wire, by table.
var elements = map[string]string{
	"users": "User", "usertemplates": "UserTemplate", "coses": "Cos", "partitions": "Partition", "searchspaces": "SearchSpace", "phonesystems": "PhoneSystem",
	"mailboxstores": "MailboxStore", "distributionlists": "DistributionList", "members": "DistributionListMember", "alternateextensions": "AlternateExtension", "mwis": "Mwi",
	"handlers/callhandlers": "Callhandler", "handlers/interviewhandlers": "InterviewHandler", "handlers/directoryhandlers": "DirectoryHandler", "menuentries": "MenuEntry", "ldap": "ImportUser",
}

// indexed are the columns by which a table can be searched.
var indexed = map[string][]string{
	"users": {"alias", "firstname", "lastname", "displayname", "dtmfaccessid", "emailaddress", "employeeid", "objectid"}, "distributionlists": {"alias", "displayname", "dtmfaccessid", "partitionobjectid"},
	"members": {"memberuserobjectid"}, "handlers/callhandlers": {"displayname", "dtmfaccessid", "isprimary"}, "usertemplates": {"alias"}, "ldap": {"alias", "firstname", "lastname"},
}

// brief are the columns of a user that a list shows.
var brief = []string{"URI", "ObjectId", "Alias", "DisplayName", "FirstName", "LastName", "DtmfAccessId", "EmailAddress", "CallHandlerObjectId", "PartitionObjectId", "CosObjectId", "MediaSwitchObjectId", "CreationTime", "IsVmEnrolled"}

var query = regexp.MustCompile(`^\((\w+) (is|startswith) ([^()]*)\)$`)

// chosen are the rows that a query means, in the order that is asked for.
func (s *Sim) chosen(table string, rows []object, r *http.Request) ([]object, error) {
	rows = slices.Clone(rows)
	if strings.Contains(r.URL.RawQuery, "+") {
		return nil, refuse("INVALID_QUERY", "a space is %%20 in an address, and a plus sign %%2B")
	}
	q, order := r.URL.Query().Get("query"), r.URL.Query().Get("sort")
	if q != "" {
		m := query.FindStringSubmatch(q)
		if m == nil {
			return nil, refuse("INVALID_QUERY", "the query %s is not understood", q)
		}
		column := strings.ToLower(m[1])
		if !slices.Contains(indexed[table], column) || s.unindexed[column] {
			return nil, refuse("INVALID_QUERY", "%s is no indexed column", m[1])
		}
		value := strings.ToLower(m[3])
		rows = slices.DeleteFunc(rows, func(o object) bool {
			for name, v := range o {
				if v = strings.ToLower(v); strings.ToLower(name) == column {
					if column == "isprimary" {
						v = map[string]string{"true": "1"}[v]
						v = cmp.Or(v, "0")
					}
					return m[2] == "is" && v != value || m[2] == "startswith" && !strings.HasPrefix(v, value)
				}
			}
			return true
		})
	}
	if order != "" {
		if q != "" || !strings.EqualFold(order, "(alias asc)") {
			return nil, refuse("INVALID_SORT", "the sort %s is not understood here", order)
		}
		slices.SortFunc(rows, func(a, b object) int {
			return strings.Compare(strings.ToLower(a["Alias"]), strings.ToLower(b["Alias"]))
		})
	}
	return rows, nil
}

// listed is a page of rows as the wire has it: one row is no array of one, and none are nothing at all.
func listed(table string, rows []object, total int) map[string]any {
	out := map[string]any{"@total": strconv.Itoa(total)}
	show := func(o object) object {
		v := object{}
		for name, text := range o {
			if text != "" && (table != "users" || slices.Contains(brief, name)) {
				v[name] = text
			}
		}
		return v
	}
	switch len(rows) {
	case 0:
	case 1:
		out[elements[table]] = show(rows[0])
	default:
		var all []object
		for _, o := range rows {
			all = append(all, show(o))
		}
		out[elements[table]] = all
	}
	return out
}

// list answers with one page. The server gives no more rows on it than it likes.
func (s *Sim) list(table string, rows []object, r *http.Request) (any, error) {
	rows, err := s.chosen(table, rows, r)
	if err != nil {
		return nil, err
	}
	number := func(name string, unset int) (int, error) {
		v := r.URL.Query().Get(name)
		if v == "" {
			return unset, nil
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return 0, refuse("INVALID_PARAMETER", "%s is no number", name)
		}
		return n, nil
	}
	size, err := number("rowsPerPage", 2001)
	if err != nil {
		return nil, err
	}
	at, err := number("pageNumber", 1)
	if err != nil {
		return nil, err
	}
	if size == 0 || at == 0 {
		return listed(table, nil, len(rows)), nil
	}
	size = min(size, s.opt.PageSize())
	from := min((at-1)*size, len(rows))
	return listed(table, rows[from:min(from+size, len(rows))], len(rows)), nil
}

// table serves a table that is only read.
func (s *Sim) table(name string) http.HandlerFunc {
	return handle(func(r *http.Request) (any, error) { return s.list(name, s.tables[name], r) })
}

// of are the rows of a table that belong to something.
func (s *Sim) of(table, column, id string) []object {
	var out []object
	for _, o := range s.tables[table] {
		if o[column] == id {
			out = append(out, o)
		}
	}
	return out
}

// one is a row by its id.
func (s *Sim) one(table, id string) (object, error) {
	for _, o := range s.tables[table] {
		if o["ObjectId"] == id {
			return o, nil
		}
	}
	return nil, errNone
}

func (s *Sim) routes(mux *http.ServeMux) {
	for _, t := range []string{"usertemplates", "coses", "partitions", "searchspaces", "phonesystems", "mailboxstores", "distributionlists", "handlers/callhandlers", "handlers/interviewhandlers", "handlers/directoryhandlers", "users"} {
		mux.HandleFunc("GET /vmrest/"+t, s.table(t))
	}
	on := func(pattern string, f func(r *http.Request) (any, error)) { mux.HandleFunc(pattern, handle(f)) }
	on("POST /vmrest/users", s.create)
	on("GET /vmrest/users/{id}", func(r *http.Request) (any, error) { return s.one("users", r.PathValue("id")) })
	on("PUT /vmrest/users/{id}", s.update)
	on("DELETE /vmrest/users/{id}", s.remove)
	on("POST /vmrest/users/{id}", s.reset)
	on("GET /vmrest/users/{id}/mailboxattributes", s.mailbox)
	on("GET /vmrest/users/{id}/credential/{door}", s.showKey)
	on("PUT /vmrest/users/{id}/credential/{door}", s.setKey)
	on("GET /vmrest/credentialpolicies/{id}", func(r *http.Request) (any, error) { return s.one("credentialpolicies", r.PathValue("id")) })
	for table, path := range map[string]string{"alternateextensions": "alternateextensions", "mwis": "mwis"} {
		on("GET /vmrest/users/{id}/"+path, func(r *http.Request) (any, error) {
			if _, err := s.one("users", r.PathValue("id")); err != nil {
				return nil, err
			}
			return s.list(table, s.of(table, "UserObjectId", r.PathValue("id")), r)
		})
	}
	on("PUT /vmrest/users/{id}/mwis/{mwi}", s.moveLamp)
	on("POST /vmrest/users/{id}/alternateextensions", s.addExtension)
	on("PUT /vmrest/users/{id}/alternateextensions/{ext}", s.changeExtension)
	on("DELETE /vmrest/users/{id}/alternateextensions/{ext}", s.removeExtension)
	on("GET /vmrest/import/users/ldap", s.importable)
	on("POST /vmrest/import/users/ldap", s.importUser)
	on("GET /vmrest/distributionlists/{id}/distributionlistmembers", func(r *http.Request) (any, error) {
		if _, err := s.one("distributionlists", r.PathValue("id")); err != nil {
			return nil, err
		}
		return s.list("members", s.of("members", "DistributionListObjectId", r.PathValue("id")), r)
	})
	on("POST /vmrest/distributionlists/{id}/distributionlistmembers", s.addMember)
	on("DELETE /vmrest/distributionlists/{id}/distributionlistmembers/{member}", s.removeMember)
	on("GET /vmrest/handlers/callhandlers/{id}/menuentries", func(r *http.Request) (any, error) {
		if _, err := s.one("handlers/callhandlers", r.PathValue("id")); err != nil {
			return nil, err
		}
		return s.list("menuentries", s.of("menuentries", "CallhandlerObjectId", r.PathValue("id")), r)
	})
	on("/", func(*http.Request) (any, error) { return nil, errNone })
}

func (s *Sim) addMember(r *http.Request) (any, error) {
	list, err := s.one("distributionlists", r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	b, err := body(r, "MemberUserObjectId")
	if err != nil {
		return nil, err
	}
	u, err := s.one("users", b["MemberUserObjectId"])
	if err != nil {
		return nil, refuse("INVALID_PARAMETER", "MemberUserObjectId is no user")
	}
	for _, m := range s.of("members", "DistributionListObjectId", list["ObjectId"]) {
		if m["MemberUserObjectId"] == u["ObjectId"] {
			return nil, refuse("DUPLICATE", "the user is a member")
		}
	}
	m := s.put("members", object{"DistributionListObjectId": list["ObjectId"], "MemberUserObjectId": u["ObjectId"], "Alias": u["Alias"], "DisplayName": u["DisplayName"]})
	return fmt.Sprintf("/vmrest/distributionlists/%s/distributionlistmembers/%s", list["ObjectId"], m["ObjectId"]), nil
}

func (s *Sim) removeMember(r *http.Request) (any, error) {
	if _, err := s.one("members", r.PathValue("member")); err != nil {
		return nil, err
	}
	s.drop("members", func(o object) bool { return o["ObjectId"] == r.PathValue("member") })
	return nil, nil
}
