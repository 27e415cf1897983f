package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

const rest = "/rest/api/3"

func (s *Sim) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+rest+"/mypermissions", s.myPermissions)
	mux.HandleFunc("GET "+rest+"/user", s.withQuery(s.getUser))
	mux.HandleFunc("GET "+rest+"/user/search", s.searchUsers)
	mux.HandleFunc("GET "+rest+"/users/search", s.allUsers)
	mux.HandleFunc("POST "+rest+"/user", s.inviteUser)
	mux.HandleFunc("GET "+rest+"/user/groups", s.withQuery(s.groupsOf))
	mux.HandleFunc("GET "+rest+"/group/bulk", s.listGroups)
	mux.HandleFunc("POST "+rest+"/group/user", s.addToGroup)
	mux.HandleFunc("DELETE "+rest+"/group/user", s.withQuery(s.removeFromGroup))
	mux.HandleFunc("GET "+rest+"/project/{project}/role", s.listRoles)
	mux.HandleFunc("GET "+rest+"/project/{project}/role/{id}", s.withRole(s.getRole))
	mux.HandleFunc("POST "+rest+"/project/{project}/role/{id}", s.withRole(s.addActor))
	mux.HandleFunc("DELETE "+rest+"/project/{project}/role/{id}", s.withRole(s.removeActor))
	mux.HandleFunc("GET /admin/v2/orgs/{org}/directories", s.inOrg(s.listDirectories))
	mux.HandleFunc("POST /admin/v2/orgs/{org}/directories/{dir}/users/{id}/{verb}", s.inOrg(s.access))
	mux.HandleFunc("GET /users/{id}/manage/api-tokens", s.manages(s.listTokens))
	mux.HandleFunc("DELETE /users/{id}/manage/api-tokens/{token}", s.manages(s.deleteToken))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fail(w, 404, "There is no such resource.") })
}

// fail is Jira's.
func fail(w http.ResponseWriter, status int, messages ...string) {
	sim.JSON(w, status, map[string]any{"errorMessages": append([]string{}, messages...), "errors": map[string]string{}})
}

func (s *Sim) myPermissions(w http.ResponseWriter, r *http.Request) {
	out := map[string]any{}
	for _, name := range strings.Split(r.URL.Query().Get("permissions"), ",") {
		out[name] = map[string]any{"id": "0", "key": name, "havePermission": s.rights[name]}
	}
	sim.JSON(w, 200, map[string]any{"permissions": out})
}

func showUser(a *account) map[string]any {
	out := map[string]any{"accountId": a.id, "accountType": "atlassian", "displayName": a.name, "active": !a.suspended && !a.closed, "timeZone": "Etc/UTC"}
	if !a.hidden {
		out["emailAddress"] = a.email
	}
	return out
}

// withQuery finds a user of the site by the query.
func (s *Sim) withQuery(handle func(http.ResponseWriter, *http.Request, *account)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := s.byID(r.URL.Query().Get("accountId"))
		if a == nil || !a.site {
			fail(w, 404, "Specified user does not exist or you do not have required permissions")
			return
		}
		handle(w, r, a)
	}
}

func (s *Sim) getUser(w http.ResponseWriter, _ *http.Request, a *account) {
	sim.JSON(w, 200, showUser(a))
}

// part answers a bare list, in pages that may be shorter than asked for.
func (s *Sim) part(w http.ResponseWriter, r *http.Request, all []map[string]any) {
	at, _ := strconv.Atoi(r.URL.Query().Get("startAt"))
	from := min(max(at, 0), len(all))
	sim.JSON(w, 200, append([]map[string]any{}, all[from:min(from+s.opt.PageSize(), len(all))]...))
}

// searchUsers forgets who is suspended, and whose mail address is hidden.
func (s *Sim) searchUsers(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-RateLimit-Limit", "350")
	w.Header().Set("X-RateLimit-Remaining", "349")
	w.Header().Set("X-RateLimit-Reset", s.now().Add(time.Minute).Format("2006-01-02T15:04Z"))
	q := strings.ToLower(r.URL.Query().Get("query"))
	if q == "" {
		fail(w, 400, "The query is missing.")
		return
	}
	var out []map[string]any
	for _, a := range s.accounts {
		if a.site && !a.suspended && !a.closed && (!a.hidden && strings.Contains(strings.ToLower(a.email), q) || strings.Contains(strings.ToLower(a.name), q)) {
			out = append(out, showUser(a))
		}
	}
	s.part(w, r, out)
}

// allUsers shows apps as well.
func (s *Sim) allUsers(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{{"accountId": "557058:app", "accountType": "app", "displayName": "Slack", "active": true}}
	for _, a := range s.accounts {
		if a.site {
			out = append(out, showUser(a))
		}
	}
	s.part(w, r, out)
}

// inviteUser answers 201 also for who has access already.
func (s *Sim) inviteUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email    string   `json:"emailAddress"`
		Products []string `json:"products"`
	}
	bad := func(field, text string) {
		sim.JSON(w, 400, map[string]any{"errorMessages": []string{}, "errors": map[string]string{field: text}})
	}
	switch {
	case sim.Read(r, &in) != nil || !strings.Contains(in.Email, "@"):
		bad("emailAddress", "You must specify an email address.")
		return
	case len(in.Products) == 0:
		bad("products", "products is required")
		return
	}
	a := s.byMail(in.Email)
	used := 0
	for _, o := range s.accounts {
		if o.site && !o.suspended {
			used++
		}
	}
	switch {
	case a != nil && a.site:
	case a != nil:
		fail(w, 400, "The user exists but does not have access to Jira.")
		return
	case s.opt.Seats > 0 && used >= s.opt.Seats:
		fail(w, 400, "The number of licensed users is exceeded.")
		return
	default:
		a = s.add(in.Email, "")
		a.site, a.managed = true, true
	}
	sim.JSON(w, 201, showUser(a))
}

func (s *Sim) groupsOf(w http.ResponseWriter, _ *http.Request, a *account) {
	out := []map[string]string{}
	for _, g := range s.groups {
		if a.groups[g.id] {
			out = append(out, map[string]string{"groupId": g.id, "name": g.name})
		}
	}
	sim.JSON(w, 200, out)
}

func (s *Sim) listGroups(w http.ResponseWriter, r *http.Request) {
	at, _ := strconv.Atoi(r.URL.Query().Get("startAt"))
	from := min(max(at, 0), len(s.groups))
	to := min(from+s.opt.PageSize(), len(s.groups))
	values := []map[string]string{}
	for _, g := range s.groups[from:to] {
		values = append(values, map[string]string{"groupId": g.id, "name": g.name})
	}
	sim.JSON(w, 200, map[string]any{"isLast": to == len(s.groups), "maxResults": s.opt.PageSize(), "startAt": from, "total": len(s.groups), "values": values})
}

// group that may be changed here; else it answers.
func (s *Sim) group(w http.ResponseWriter, r *http.Request) *group {
	i := slices.IndexFunc(s.groups, func(g *group) bool { return g.id == r.URL.Query().Get("groupId") })
	switch {
	case i < 0:
		fail(w, 404, "The group does not exist.")
	case s.groups[i].synced:
		fail(w, 403, "The group is managed by an external directory.")
	default:
		return s.groups[i]
	}
	return nil
}

func (s *Sim) addToGroup(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID string `json:"accountId"`
	}
	if sim.Read(r, &in) != nil || in.ID == "" {
		fail(w, 400, "accountId is missing.")
		return
	}
	a := s.byID(in.ID)
	if a == nil || !a.site {
		fail(w, 404, "The user does not exist.")
		return
	}
	g := s.group(w, r)
	switch {
	case g == nil:
	case a.groups[g.id]:
		fail(w, 400, "User is already a member of '"+g.name+"'.")
	default:
		a.groups[g.id] = true
		sim.JSON(w, 201, map[string]string{"groupId": g.id, "name": g.name})
	}
}

func (s *Sim) removeFromGroup(w http.ResponseWriter, r *http.Request, a *account) {
	if g := s.group(w, r); g != nil {
		if !a.groups[g.id] {
			fail(w, 404, "User is not a member of '"+g.name+"'.")
			return
		}
		delete(a.groups, g.id)
		w.WriteHeader(200)
	}
}

func (s *Sim) listRoles(w http.ResponseWriter, r *http.Request) {
	out := map[string]string{}
	for _, x := range s.roles {
		if x.project == r.PathValue("project") {
			out[x.name] = "https://acme.atlassian.net" + rest + "/project/10000/role/" + strconv.Itoa(x.id)
		}
	}
	if len(out) == 0 {
		fail(w, 404, "No project could be found with key '"+r.PathValue("project")+"'.")
		return
	}
	sim.JSON(w, 200, out)
}

func (s *Sim) withRole(handle func(http.ResponseWriter, *http.Request, *role)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, x := range s.roles {
			if x.project == r.PathValue("project") && strconv.Itoa(x.id) == r.PathValue("id") {
				handle(w, r, x)
				return
			}
		}
		fail(w, 404, "The project role does not exist.")
	}
}

// getRole shows a group among the actors, as most roles have one.
func (s *Sim) getRole(w http.ResponseWriter, _ *http.Request, x *role) {
	actors := []map[string]any{{"id": 1, "displayName": "jira-administrators", "type": "atlassian-group-role-actor", "actorGroup": map[string]string{"name": "jira-administrators"}}}
	for id := range x.actors {
		actors = append(actors, map[string]any{"id": 2, "type": "atlassian-user-role-actor", "actorUser": map[string]string{"accountId": id}})
	}
	sim.JSON(w, 200, map[string]any{"id": x.id, "name": x.name, "actors": actors})
}

func (s *Sim) addActor(w http.ResponseWriter, r *http.Request, x *role) {
	var in struct {
		User []string `json:"user"`
	}
	if sim.Read(r, &in) != nil || len(in.User) != 1 {
		fail(w, 400, "There is no actor.")
		return
	}
	a := s.byID(in.User[0])
	switch {
	case a == nil || !a.site:
		fail(w, 404, "We can't find '"+in.User[0]+"' in any accessible user directory.")
	case x.actors[a.id]:
		fail(w, 400, "'"+a.id+"' is already a member of the project role.")
	default:
		x.actors[a.id] = true
		s.getRole(w, r, x)
	}
}

func (s *Sim) removeActor(w http.ResponseWriter, r *http.Request, x *role) {
	id := r.URL.Query().Get("user")
	if !x.actors[id] {
		fail(w, 404, "The actor is not in the project role.")
		return
	}
	delete(x.actors, id)
	w.WriteHeader(204)
}

func (s *Sim) inOrg(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("org") != orgID {
			sim.JSON(w, 404, map[string]any{"code": "404", "message": "The organization was not found."})
			return
		}
		handle(w, r)
	}
}

func (s *Sim) listDirectories(w http.ResponseWriter, _ *http.Request) {
	data := []map[string]string{}
	for _, d := range s.dirs {
		data = append(data, map[string]string{"directoryId": d, "name": "Users of acme"})
	}
	sim.JSON(w, 200, map[string]any{"data": data, "links": map[string]any{}})
}

// access suspends and restores; who is so already is an error.
func (s *Sim) access(w http.ResponseWriter, r *http.Request) {
	a, suspend := s.byID(r.PathValue("id")), r.PathValue("verb") == "suspend"
	switch {
	case !slices.Contains(s.dirs, r.PathValue("dir")) || a == nil || !suspend && r.PathValue("verb") != "restore":
		sim.JSON(w, 404, map[string]any{"code": "404", "message": "The user was not found."})
	case a.suspended == suspend:
		sim.JSON(w, 400, map[string]any{"code": "400", "message": "The user is in this state."})
	default:
		a.suspended = suspend
		w.WriteHeader(204)
	}
}

// manages finds an account that the organization manages.
func (s *Sim) manages(handle func(http.ResponseWriter, *http.Request, *account)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := s.byID(r.PathValue("id"))
		switch {
		case a == nil:
			sim.JSON(w, 404, map[string]any{"key": "not.found"})
		case !a.managed:
			sim.JSON(w, 403, map[string]any{"key": "forbidden.action"})
		default:
			handle(w, r, a)
		}
	}
}

func (s *Sim) listTokens(w http.ResponseWriter, _ *http.Request, a *account) {
	out := []map[string]string{}
	for _, t := range a.tokens {
		out = append(out, map[string]string{"id": "id-of-" + t, "label": t, "createdAt": s.now().Format(time.RFC3339)})
	}
	sim.JSON(w, 200, out)
}

func (s *Sim) deleteToken(w http.ResponseWriter, r *http.Request, a *account) {
	before := len(a.tokens)
	a.tokens = slices.DeleteFunc(a.tokens, func(t string) bool { return "id-of-"+t == r.PathValue("token") })
	if len(a.tokens) == before {
		sim.JSON(w, 404, map[string]any{"key": "token.not.found"})
		return
	}
	w.WriteHeader(204)
}
