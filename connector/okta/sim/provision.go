package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// Provision is an application into which Okta pushes its users.
type Provision struct {
	App    string // label
	Base   string // SCIM base URL
	Token  string
	Extra  map[string]any // what the application wants beside the core attributes
	Staged bool           // push users that are not active yet, as inactive ones (not verified at the vendor)
}

// Provision starts pushing into an application: those who have it already first.
func (s *Sim) Provision(p Provision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		if a.Label != p.App {
			continue
		}
		a.scim = &p
		for _, u := range s.users {
			if _, has := a.users[u.ID]; has {
				s.pushTo(a, u)
			}
		}
	}
}

// push tells every application of a user about a change.
func (s *Sim) push(u *user) {
	for _, a := range s.apps {
		if _, has := a.users[u.ID]; has {
			s.pushTo(a, u)
		}
	}
}

// pushTo creates or updates the user in the application by SCIM, later and one after the other.
func (s *Sim) pushTo(a *app, u *user) {
	if a.scim == nil || (u.Status == "STAGED" && !a.scim.Staged) {
		return
	}
	p, active := *a.scim, u.Status == "ACTIVE" || u.Status == "PROVISIONED"
	body := map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},
		"externalId": u.ID, "userName": u.Profile["login"], "active": active, "title": u.Profile["title"],
		"name":        map[string]string{"givenName": u.Profile["firstName"], "familyName": u.Profile["lastName"]},
		"displayName": u.Profile["firstName"] + " " + u.Profile["lastName"],
		"emails":      []map[string]any{{"value": u.Profile["email"], "type": "work", "primary": true}},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]string{"employeeNumber": u.Profile["employeeNumber"], "department": u.Profile["department"]},
	}
	for k, v := range p.Extra {
		body[k] = v
	}
	login := u.Profile["login"]
	s.pushes.Go(func() { _ = deliver(p, login, active, body) })
}

func deliver(p Provision, login string, active bool, body map[string]any) error {
	var found struct {
		Resources []struct {
			ID string `json:"id"`
		} `json:"Resources"`
	}
	if err := call(p, "GET", "/Users?filter="+url.QueryEscape(`userName eq "`+login+`"`), nil, &found); err != nil {
		return err
	}
	if len(found.Resources) == 0 {
		return call(p, "POST", "/Users", body, nil)
	}
	return call(p, "PATCH", "/Users/"+found.Resources[0].ID, map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []map[string]any{{"op": "replace", "value": map[string]any{"active": active, "title": body["title"]}}},
	}, nil)
}

func call(p Provision, method, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(method, p.Base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+p.Token)
	r.Header.Set("Content-Type", "application/scim+json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("HTTP %d", resp.StatusCode)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
