package sim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

type device struct {
	ID        string    `json:"id"`
	Person    string    `json:"personId,omitempty"`
	Workspace string    `json:"workspaceId,omitempty"`
	Product   string    `json:"product"`
	MAC       string    `json:"mac"`
	Serial    string    `json:"serial"`
	Status    string    `json:"connectionStatus"`
	Created   time.Time `json:"created"`
}

// kind says by what a device came: an address is known beforehand, a code is entered.
func (d *device) kind() string {
	if d.MAC != "" {
		return "phone"
	}
	return "device"
}

type activation struct {
	person, workspace, model string
	until                    time.Time
}

type workspace struct {
	ID      string    `json:"id"`
	Name    string    `json:"displayName"`
	Type    string    `json:"type,omitempty"`
	Notes   string    `json:"notes,omitempty"`
	Created time.Time `json:"created"`
}

func (s *Sim) things(mux *http.ServeMux) {
	mux.HandleFunc("GET /devices", s.listDevices)
	mux.HandleFunc("POST /devices", s.createDevice)
	mux.HandleFunc("POST /devices/activationCode", s.createCode)
	mux.HandleFunc("GET /devices/{id}", s.getDevice)
	mux.HandleFunc("DELETE /devices/{id}", s.deleteDevice)
	mux.HandleFunc("GET /workspaces", s.listWorkspaces)
	mux.HandleFunc("POST /workspaces", s.createWorkspace)
	mux.HandleFunc("GET /workspaces/{id}", s.getWorkspace)
	mux.HandleFunc("DELETE /workspaces/{id}", s.deleteWorkspace)
}

func (s *Sim) license(id string) *license {
	for _, l := range s.licenses {
		if l.ID == id {
			return l
		}
	}
	return nil
}

// title is how people tell licences apart.
func (l *license) title() string {
	if l.Site != "" {
		return l.Name + " (" + l.Site + ")"
	}
	return l.Name
}

func (s *Sim) listLicenses(w http.ResponseWriter, _ *http.Request) {
	sim.JSON(w, 200, map[string]any{"items": s.licenses})
}

// setLicenses does what can be done, and answers 206 if that is not all.
func (s *Sim) setLicenses(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email    string `json:"email"`
		Person   string `json:"personId"`
		Licenses []struct {
			ID         string            `json:"id"`
			Operation  string            `json:"operation"`
			Properties map[string]string `json:"properties"`
		} `json:"licenses"`
	}
	if sim.Read(r, &in) != nil || in.Email == "" && in.Person == "" {
		s.fail(w, 400, "Either email or personId is required")
		return
	}
	id := plain(in.Person)
	if in.Person == "" {
		id = s.byMail(in.Email)
	}
	if s.user(id) == nil {
		s.fail(w, 404, "User not found")
		return
	}
	p, status := s.of(id), 200
	for _, c := range in.Licenses {
		l := s.license(c.ID)
		if l == nil {
			s.fail(w, 400, "License "+c.ID+" not found in the organization")
			return
		}
		has := slices.Contains(p.licenses, c.ID)
		calling := strings.Contains(l.Name, "Calling")
		switch {
		case c.Operation == "remove":
			if has {
				p.licenses = slices.DeleteFunc(p.licenses, func(o string) bool { return o == c.ID })
				l.Consumed--
				if calling {
					if p.phone != "" {
						s.free = append(s.free, p.phone)
					}
					p.phone, p.extension, p.location = "", "", ""
				}
			}
		case has:
		case calling && !s.callable(c.Properties), l.Consumed >= l.Total:
			status = 206
		default:
			p.licenses = append(p.licenses, c.ID)
			l.Consumed++
			if calling {
				p.phone, p.extension, p.location = c.Properties["phoneNumber"], c.Properties["extension"], c.Properties["locationId"]
				s.free = slices.DeleteFunc(s.free, func(n string) bool { return n == p.phone })
			}
		}
	}
	sim.JSON(w, status, map[string]any{"orgId": hydra("ORGANIZATION", org), "personId": hydra("PEOPLE", id), "licenses": append([]string{}, p.licenses...)})
}

// callable: a free number, or an extension with a location.
func (s *Sim) callable(p map[string]string) bool {
	if n := p["phoneNumber"]; n != "" {
		return slices.Contains(s.free, n)
	}
	return p["extension"] != "" && p["locationId"] != ""
}

func (s *Sim) listGrants(w http.ResponseWriter, r *http.Request) {
	id := plain(r.URL.Query().Get("personId"))
	if id == "" || s.user(id) == nil {
		s.fail(w, 404, "Could not find the person")
		return
	}
	sim.JSON(w, 200, map[string]any{"items": append([]grant{}, s.of(id).grants...)})
}

func (s *Sim) deleteGrant(w http.ResponseWriter, r *http.Request) {
	for _, p := range s.people {
		if i := slices.IndexFunc(p.grants, func(g grant) bool { return g.ID == r.PathValue("id") }); i >= 0 {
			p.grants = slices.Delete(p.grants, i, i+1)
			w.WriteHeader(204)
			return
		}
	}
	s.fail(w, 404, "Could not find the authorization")
}

func (s *Sim) listDevices(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	out := []*device{}
	for _, d := range s.devices {
		if (q.Get("personId") == "" || q.Get("personId") == d.Person) && (q.Get("workspaceId") == "" || q.Get("workspaceId") == d.Workspace) {
			out = append(out, d)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) device(id string) *device {
	for _, d := range s.devices {
		if d.ID == id {
			return d
		}
	}
	return nil
}

func (s *Sim) getDevice(w http.ResponseWriter, r *http.Request) {
	d := s.device(r.PathValue("id"))
	if d == nil {
		s.fail(w, 404, "Could not find device")
		return
	}
	sim.JSON(w, 200, d)
}

func (s *Sim) deleteDevice(w http.ResponseWriter, r *http.Request) {
	d := s.device(r.PathValue("id"))
	if d == nil {
		s.fail(w, 404, "Could not find device")
		return
	}
	s.devices = slices.DeleteFunc(s.devices, func(o *device) bool { return o == d })
	w.WriteHeader(204)
}

// placed checks that exactly one place is named, and that it is there.
func (s *Sim) placed(w http.ResponseWriter, person, room string) bool {
	switch {
	case (person == "") == (room == ""):
		s.fail(w, 400, "Exactly one of personId and workspaceId is required")
	case person != "" && s.user(plain(person)) == nil:
		s.fail(w, 404, "Person not found")
	case room != "" && !slices.ContainsFunc(s.workspaces, func(x *workspace) bool { return x.ID == room }):
		s.fail(w, 404, "Workspace not found")
	default:
		return true
	}
	return false
}

var macAddress = regexp.MustCompile(`^[0-9A-F]{12}$`)

func (s *Sim) add(person, workspace, model, mac string) *device {
	d := &device{
		ID: hydra("DEVICE", s.ids.Next("5101B07B-4F8F-4EF7-B565-", 12)), Person: person, Workspace: workspace, Product: strings.TrimPrefix(model, "DMS "),
		MAC: mac, Serial: s.ids.Next("FOC", 8), Status: "connected", Created: s.opt.Time(),
	}
	if d.Product == "" {
		d.Product = "Cisco Desk Pro"
	}
	s.devices = append(s.devices, d)
	return d
}

func (s *Sim) createDevice(w http.ResponseWriter, r *http.Request) {
	var in struct {
		MAC       string `json:"mac"`
		Model     string `json:"model"`
		Person    string `json:"personId"`
		Workspace string `json:"workspaceId"`
	}
	switch {
	case sim.Read(r, &in) != nil || !macAddress.MatchString(in.MAC) || in.Model == "":
		s.fail(w, 400, "mac and model are required")
	case slices.ContainsFunc(s.devices, func(d *device) bool { return d.MAC == in.MAC }):
		s.fail(w, 409, "A device with this MAC address already exists")
	case s.placed(w, in.Person, in.Workspace):
		sim.JSON(w, 200, s.add(in.Person, in.Workspace, in.Model, in.MAC))
	}
}

func (s *Sim) createCode(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Model     string `json:"model"`
		Person    string `json:"personId"`
		Workspace string `json:"workspaceId"`
	}
	if sim.Read(r, &in) != nil {
		s.fail(w, 400, "invalid JSON")
		return
	}
	if !s.placed(w, in.Person, in.Workspace) {
		return
	}
	code, until := s.ids.Next("5414", 16), s.opt.Time().Add(7*24*time.Hour)
	s.codes[code] = activation{in.Person, in.Workspace, in.Model, until}
	if s.eager {
		s.enter(code)
	}
	sim.JSON(w, 200, map[string]any{"code": code, "expiryTime": until.Format("2006-01-02T15:04:05.000Z")})
}

// Enter is somebody who enters an activation code on a device; it says whether the code was good.
func (s *Sim) Enter(code string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enter(code)
}

func (s *Sim) enter(code string) bool {
	a, ok := s.codes[code]
	if delete(s.codes, code); !ok || !s.opt.Time().Before(a.until) {
		return false
	}
	s.add(a.person, a.workspace, a.model, "")
	return true
}

// Codes counts those that nobody has used.
func (s *Sim) Codes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.codes)
}

// Devices counts all.
func (s *Sim) Devices() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.devices)
}

// PutInto puts a device into a workspace.
func (s *Sim) PutInto(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.workspaces {
		if x.Name == name {
			s.add("", x.ID, "", "")
		}
	}
}

func (s *Sim) listWorkspaces(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("displayName")
	out := []*workspace{}
	for _, x := range s.workspaces {
		if name == "" || strings.EqualFold(x.Name, name) {
			out = append(out, x)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) getWorkspace(w http.ResponseWriter, r *http.Request) {
	for _, x := range s.workspaces {
		if x.ID == r.PathValue("id") {
			sim.JSON(w, 200, x)
			return
		}
	}
	s.fail(w, 404, "Workspace not found")
}

func (s *Sim) createWorkspace(w http.ResponseWriter, r *http.Request) {
	x := &workspace{}
	if sim.Read(r, x) != nil || x.Name == "" {
		s.fail(w, 400, "displayName is required")
		return
	}
	x.ID, x.Created = hydra("PLACES", s.ids.Next("5101B07B-", 6)), s.opt.Time()
	s.workspaces = append(s.workspaces, x)
	sim.JSON(w, 201, x)
}

func (s *Sim) deleteWorkspace(w http.ResponseWriter, r *http.Request) {
	n := len(s.workspaces)
	s.workspaces = slices.DeleteFunc(s.workspaces, func(x *workspace) bool { return x.ID == r.PathValue("id") })
	if len(s.workspaces) == n {
		s.fail(w, 404, "Workspace not found")
		return
	}
	w.WriteHeader(204)
}
