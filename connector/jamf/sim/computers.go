package sim

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Computers, departments and groups: the API that speaks JSON.

func (c *computer) field(name string) (string, bool) {
	switch name {
	case "id":
		return strconv.Itoa(c.id), true
	case "hardware.serialNumber":
		return c.serial, true
	case "hardware.model":
		return c.model, true
	}
	if f, ok := strings.CutPrefix(name, "userAndLocation."); ok && slices.Contains(locationFields, f) {
		return c.user[f], true
	}
	return "", false
}

var (
	locationFields = []string{"username", "realname", "email", "position", "phone", "departmentId", "buildingId", "room"}
	sections       = []string{
		"GENERAL", "DISK_ENCRYPTION", "PURCHASING", "APPLICATIONS", "STORAGE", "USER_AND_LOCATION", "CONFIGURATION_PROFILES", "PRINTERS",
		"SERVICES", "HARDWARE", "LOCAL_USER_ACCOUNTS", "CERTIFICATES", "ATTACHMENTS", "PACKAGE_RECEIPTS", "SECURITY", "OPERATING_SYSTEM", "LICENSED_SOFTWARE", "IBEACONS",
		"SOFTWARE_UPDATES", "EXTENSION_ATTRIBUTES", "CONTENT_CACHING", "GROUP_MEMBERSHIPS",
	}
)

// show is a computer with the sections that were asked for; the others are null.
func (s *Sim) show(w http.ResponseWriter, r *http.Request, c *computer) (map[string]any, bool) {
	want := r.URL.Query()["section"]
	if len(want) == 0 {
		want = []string{"GENERAL"}
	}
	out := map[string]any{"id": strconv.Itoa(c.id), "udid": fmt.Sprintf("00000000-0000-0000-0000-%012d", c.id), "general": nil, "hardware": nil, "userAndLocation": nil, "groupMemberships": nil}
	for _, section := range want {
		switch section {
		case "GENERAL":
			out["general"] = map[string]any{"name": "Mac-" + c.serial, "platform": "Mac", "remoteManagement": map[string]any{"managed": true}}
		case "HARDWARE":
			out["hardware"] = map[string]any{"make": "Apple", "model": c.model, "serialNumber": c.serial}
		case "USER_AND_LOCATION":
			user := map[string]any{"extensionAttributes": []any{}}
			from := c.user
			if c.lag > 0 {
				c.lag--
				from = c.stale
			}
			for _, f := range locationFields {
				user[f] = nil
				if v, ok := from[f]; ok {
					user[f] = v
				}
			}
			out["userAndLocation"] = user
		case "GROUP_MEMBERSHIPS":
			groups := []map[string]any{}
			for _, g := range s.groups {
				if g.members[c.id] {
					groups = append(groups, map[string]any{"groupId": strconv.Itoa(g.id), "groupName": g.name, "groupDescription": g.about, "smartGroup": g.smart})
				}
			}
			out["groupMemberships"] = groups
		default:
			if !slices.Contains(sections, section) {
				fail(w, r, 400, "INVALID_FIELD", "section", "", "there is no section "+section)
				return nil, false
			}
		}
	}
	return out, true
}

func (s *Sim) listComputers(w http.ResponseWriter, r *http.Request) {
	filter := r.FormValue("filter")
	for serial, l := range s.coming {
		if strings.Contains(filter, serial) {
			if l.reads--; l.reads < 0 {
				s.add(serial, l.model)
			}
		}
	}
	out := []map[string]any{}
	for _, c := range s.computers {
		ok, err := matches(filter, c.field)
		if err != nil {
			fail(w, r, 400, "INVALID_FIELD", "filter", "", err.Error())
			return
		}
		if ok {
			shown, ok := s.show(w, r, c)
			if !ok {
				return
			}
			out = append(out, shown)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) computer(id string) *computer {
	i := slices.IndexFunc(s.computers, func(c *computer) bool { return strconv.Itoa(c.id) == id })
	if i < 0 {
		return nil
	}
	return s.computers[i]
}

func (s *Sim) getComputer(w http.ResponseWriter, r *http.Request) {
	c := s.computer(r.PathValue("id"))
	if c == nil {
		missing(w, r, "computer does not exist")
		return
	}
	if shown, ok := s.show(w, r, c); ok {
		sim.JSON(w, 200, shown)
	}
}

func (s *Sim) updateComputer(w http.ResponseWriter, r *http.Request) {
	c := s.computer(r.PathValue("id"))
	if c == nil {
		missing(w, r, "computer does not exist")
		return
	}
	var in struct {
		User map[string]*string `json:"userAndLocation"`
	}
	if sim.Read(r, &in) != nil {
		fail(w, r, 400, "INVALID_JSON", "", "", "the request body is no valid JSON")
		return
	}
	for f, v := range in.User {
		switch {
		case !slices.Contains(locationFields, f):
			fail(w, r, 400, "UNRECOGNIZED_FIELD", f, "", "field is not known")
			return
		case v != nil && len([]rune(*v)) > 255:
			fail(w, r, 400, "INVALID_FIELD", f, "", "length must be between 0 and 255")
			return
		case v != nil && f == "departmentId" && *v != "" && *v != "-1" && s.department(*v) == "":
			fail(w, r, 400, "INVALID_ID", f, "", "department does not exist")
			return
		}
	}
	c.stale, c.lag = c.user, s.opt.Lag
	now := map[string]string{}
	for f, v := range c.user {
		now[f] = v
	}
	for f, v := range in.User {
		if v != nil {
			now[f] = *v
		}
	}
	c.user = now
	w.WriteHeader(204)
}

func (s *Sim) department(id string) string {
	if n, err := strconv.Atoi(id); err == nil && n > 0 && n <= len(s.departments) {
		return s.departments[n-1]
	}
	return ""
}

func (s *Sim) listDepartments(w http.ResponseWriter, r *http.Request) {
	out := []map[string]string{}
	for i, name := range s.departments {
		d := map[string]string{"id": strconv.Itoa(i + 1), "name": name}
		ok, err := matches(r.FormValue("filter"), func(f string) (string, bool) { v, ok := d[f]; return v, ok })
		if err != nil {
			fail(w, r, 400, "INVALID_FIELD", "filter", "", err.Error())
			return
		}
		if ok {
			out = append(out, d)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) getDepartment(w http.ResponseWriter, r *http.Request) {
	name := s.department(r.PathValue("id"))
	if name == "" {
		missing(w, r, "department does not exist")
		return
	}
	sim.JSON(w, 200, map[string]string{"id": r.PathValue("id"), "name": name})
}

func (s *Sim) listGroups(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, g := range s.groups {
		ok, err := matches(r.FormValue("filter"), func(f string) (string, bool) {
			v, known := map[string]string{"id": strconv.Itoa(g.id), "name": g.name, "siteId": "-1"}[f]
			return v, known
		})
		if err != nil {
			fail(w, r, 400, "INVALID_FIELD", "filter", "", err.Error())
			return
		}
		if ok && !g.smart {
			out = append(out, map[string]any{"id": strconv.Itoa(g.id), "name": g.name, "description": g.about, "siteId": "-1", "count": len(g.members)})
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) createGroup(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Assignments []string `json:"assignments"`
	}
	if sim.Read(r, &in) != nil || in.Name == "" || len(in.Name) > 255 {
		fail(w, r, 400, "INVALID_FIELD", "name", "", "length must be between 1 and 255")
		return
	}
	if slices.ContainsFunc(s.groups, func(g *group) bool { return strings.EqualFold(g.name, in.Name) }) {
		fail(w, r, 422, "DUPLICATE_FIELD", "name", "", "duplicate group name")
		return
	}
	g := &group{id: s.id(), name: in.Name, about: in.Description, members: map[int]bool{}}
	for _, id := range in.Assignments {
		c := s.computer(id)
		if c == nil {
			fail(w, r, 400, "INVALID_ID", "assignments", "", "computer does not exist")
			return
		}
		g.members[c.id] = true
	}
	s.groups = append(s.groups, g)
	sim.JSON(w, 201, map[string]string{"id": strconv.Itoa(g.id), "href": "/api/v3/computer-groups/static-groups/" + strconv.Itoa(g.id)})
}

// updateGroup knows the additive form, and the one that replaces every member.
func (s *Sim) updateGroup(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.groups, func(g *group) bool { return strconv.Itoa(g.id) == r.PathValue("id") })
	if i < 0 {
		missing(w, r, "")
		return
	}
	type list struct {
		IDs []string `xml:"computer>id"`
	}
	var in struct {
		XMLName xml.Name `xml:"computer_group"`
		All     *list    `xml:"computers"`
		Add     *list    `xml:"computer_additions"`
		Delete  *list    `xml:"computer_deletions"`
	}
	if !readXML(w, r, &in) {
		return
	}
	g := s.groups[i]
	if g.smart {
		fail(w, r, 409, "", "", "Conflict", "Error: Problem with members: smart groups cannot be changed")
		return
	}
	members := map[int]bool{}
	if in.All == nil {
		for id := range g.members {
			members[id] = true
		}
	}
	for _, l := range []*list{in.All, in.Add, in.Delete} {
		if l == nil {
			continue
		}
		for _, id := range l.IDs {
			c := s.computer(id)
			if c == nil {
				fail(w, r, 409, "", "", "Conflict", "Error: Problem with computer ID "+id)
				return
			}
			if l == in.Delete {
				delete(members, c.id)
			} else {
				members[c.id] = true
			}
		}
	}
	g.members = members
	done(w, "computer_group", g.id)
}
