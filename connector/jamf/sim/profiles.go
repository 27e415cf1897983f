package sim

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Profiles: the classic API that speaks XML.

func readXML(w http.ResponseWriter, r *http.Request, into any) bool {
	b, err := io.ReadAll(r.Body)
	if err == nil {
		err = xml.Unmarshal(b, into)
	}
	if err != nil || !strings.Contains(r.Header.Get("Content-Type"), "xml") {
		fail(w, r, 400, "", "", "Bad Request", "The request could not be understood by the server due to malformed syntax")
		return false
	}
	return true
}

// done is the classic interface's answer to a write.
func done(w http.ResponseWriter, kind string, id int) {
	w.Header().Set("Content-Type", "application/xml;charset=UTF-8")
	w.WriteHeader(201)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><%s><id>%d</id></%s>`, kind, id, kind)
}

func (s *Sim) profile(name string) *profile {
	i := slices.IndexFunc(s.profiles, func(p *profile) bool { return *p.General.Name == name })
	if i < 0 {
		return nil
	}
	return s.profiles[i]
}

func (s *Sim) getProfile(w http.ResponseWriter, r *http.Request) {
	p := s.profile(r.PathValue("name"))
	if p == nil {
		missing(w, r, "")
		return
	}
	out := struct {
		XMLName xml.Name `xml:"os_x_configuration_profile"`
		profile
	}{profile: *p}
	out.General.RedeployOnUpdate = new("Newly Assigned") // "All" is a command, not a state
	w.Header().Set("Content-Type", "application/xml;charset=UTF-8")
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(out)
}

type change struct {
	XMLName xml.Name `xml:"os_x_configuration_profile"`
	General general  `xml:"general"`
	Scope   *struct {
		AllComputers bool  `xml:"all_computers"`
		Groups       []ref `xml:"computer_groups>computer_group"`
	} `xml:"scope"`
}

func (s *Sim) createProfile(w http.ResponseWriter, r *http.Request) {
	var in change
	if !readXML(w, r, &in) {
		return
	}
	p := &profile{General: general{DistributionMethod: new("Install Automatically"), UserRemovable: new(false), Level: new("System")}}
	if in.General.Name == nil || in.General.Payloads == nil {
		fail(w, r, 409, "", "", "Conflict", "Error: Problem with name in general")
		return
	}
	if !s.change(w, r, p, in) {
		return
	}
	p.General.ID = s.id()
	s.profiles = append(s.profiles, p)
	done(w, "os_x_configuration_profile", p.General.ID)
}

func (s *Sim) updateProfile(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.profiles, func(p *profile) bool { return strconv.Itoa(p.General.ID) == r.PathValue("id") })
	if i < 0 {
		missing(w, r, "")
		return
	}
	var in change
	if readXML(w, r, &in) && s.change(w, r, s.profiles[i], in) {
		done(w, "os_x_configuration_profile", s.profiles[i].General.ID)
	}
}

// change sets what is given and leaves the rest; a scope that is given replaces the whole scope.
func (s *Sim) change(w http.ResponseWriter, r *http.Request, p *profile, in change) bool {
	var groups []ref
	if in.Scope != nil {
		for _, g := range in.Scope.Groups {
			i := slices.IndexFunc(s.groups, func(x *group) bool { return x.id == g.ID })
			if i < 0 {
				fail(w, r, 409, "", "", "Conflict", "Error: Problem with computer_groups in scope")
				return false
			}
			groups = append(groups, ref{g.ID, s.groups[i].name})
		}
	}
	if n := in.General.Name; n != nil {
		if o := s.profile(*n); *n == "" || o != nil && o != p {
			fail(w, r, 409, "", "", "Conflict", "Error: Duplicate name")
			return false
		}
	}
	if in.General.Payloads != nil {
		stored, err := rewrite(*in.General.Payloads, p.General.Payloads == nil, s.id())
		if err != nil {
			fail(w, r, 409, "", "", "Conflict", "Error: Problem with payloads in general")
			return false
		}
		in.General.Payloads = &stored
	}
	set(&p.General.Name, in.General.Name)
	set(&p.General.Description, in.General.Description)
	set(&p.General.DistributionMethod, in.General.DistributionMethod)
	set(&p.General.UserRemovable, in.General.UserRemovable)
	set(&p.General.Level, in.General.Level)
	set(&p.General.Payloads, in.General.Payloads)
	if in.Scope != nil {
		p.Scope.AllComputers, p.Scope.Groups = in.Scope.AllComputers, groups
	}
	return true
}

func set[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

type node struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
	Kids    []node `xml:",any"`
}

func element(name, text string) node { return node{XMLName: xml.Name{Local: name}, Text: text} }

func (n *node) key(name string) *node {
	for i := 0; i+1 < len(n.Kids); i += 2 {
		if n.Kids[i].Text == name {
			return &n.Kids[i+1]
		}
	}
	return nil
}

func (n *node) put(key string, v node) {
	if old := n.key(key); old != nil {
		*old = v
		return
	}
	n.Kids = append(n.Kids, element("key", key), v)
}

// rewrite does to a payload what the server does: entries get names and ids of its own and another order, empty texts go
// away and keys of its own come in. A new profile gets a new identity; an update says which it is.
func rewrite(payload string, isNew bool, n int) (string, error) {
	var root node
	if err := xml.Unmarshal([]byte(payload), &root); err != nil {
		return "", err
	}
	if root.XMLName.Local != "plist" || len(root.Kids) != 1 || root.Kids[0].key("PayloadUUID") == nil || root.Kids[0].key("PayloadContent") == nil {
		return "", fmt.Errorf("no configuration profile")
	}
	top := &root.Kids[0]
	own := func(d *node, i int) {
		id := fmt.Sprintf("5A17%04d-0000-4000-8000-%012d", i, n)
		d.put("PayloadUUID", element("string", id))
		d.put("PayloadIdentifier", element("string", id))
		d.put("PayloadDisplayName", element("string", "Settings "+strconv.Itoa(i)))
		d.put("PayloadOrganization", element("string", "Sim"))
	}
	if isNew {
		own(top, 0)
	}
	top.put("PayloadEnabled", element("true", ""))
	entries := top.key("PayloadContent").Kids
	slices.Reverse(entries)
	for i := range entries {
		own(&entries[i], i+1)
		entries[i].put("PayloadEnabled", element("true", ""))
	}
	trim(&root)
	b, err := xml.MarshalIndent(root, "", "  ")
	return xml.Header + string(b), err
}

// trim takes white space around texts and empty texts away.
func trim(n *node) {
	n.Text = strings.TrimSpace(n.Text)
	for i := range n.Kids {
		trim(&n.Kids[i])
	}
	if n.XMLName.Local != "dict" {
		return
	}
	for i := len(n.Kids) - 2; i >= 0; i -= 2 {
		if v := n.Kids[i+1]; v.XMLName.Local == "string" && v.Text == "" {
			n.Kids = slices.Delete(n.Kids, i, i+2)
		}
	}
}
