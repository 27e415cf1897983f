package sim

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// The identity store: users.

func (s *Sim) user(id string) *user {
	for _, u := range s.users {
		if u.UserID == id {
			return u
		}
	}
	return nil
}

func (u *user) email() string {
	if len(u.Emails) == 0 {
		return ""
	}
	return u.Emails[0].Value
}

// show is a user as an answer has it: the extension only if it was asked for.
func (u *user) show(extensions []string) any {
	out := struct {
		*user
		IdentityStoreID string         `json:"IdentityStoreId"`
		UserArn         string         `json:"UserArn"`
		Revision        string         `json:"Revision"`
		UserStatus      string         `json:"UserStatus"`
		CreatedAt       float64        `json:"CreatedAt"`
		Extensions      map[string]any `json:"Extensions,omitempty"`
	}{user: u, IdentityStoreID: storeID, UserArn: "arn:aws:identitystore:::user/" + u.UserID, Revision: "1", UserStatus: "ENABLED", CreatedAt: epoch(u.created)}
	if u.off {
		out.UserStatus = "DISABLED"
	}
	if slices.Contains(extensions, enterprise) && len(u.more) > 0 {
		out.Extensions = map[string]any{enterprise: u.more}
	}
	return out
}

func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Large tables come of these: they are made when the simulator is used, and not in each program that could be one.
var (
	userName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$`) })
	word     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r \x{3000}]+$`) })
)

func text(s string) bool { return word().MatchString(s) && utf8.RuneCountInString(s) <= 1024 }

// enterpriseText are the texts of the enterprise extension.
var enterpriseText = []string{"employeeNumber", "costCenter", "organization", "division", "department"}

func (s *Sim) createUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		inStore
		UserName, DisplayName string
		Title                 *string
		Name                  name
		Emails                []email
		Extensions            map[string]map[string]any
	}
	if !read(w, r, &in) {
		return
	}
	switch {
	case !userName().MatchString(in.UserName) || in.UserName == "Administrator" || in.UserName == "AWSAdministrators":
		invalid(w, "userName: the attribute is required, has at most 128 letters, and is not reserved")
		return
	case !text(in.DisplayName) || !text(in.Name.GivenName) || !text(in.Name.FamilyName):
		invalid(w, "displayName, name.givenName and name.familyName are required")
		return
	case in.Title != nil && !text(*in.Title) || in.Emails != nil && len(in.Emails) != 1 || len(in.Emails) == 1 && !text(in.Emails[0].Value):
		invalid(w, "an attribute is empty or too long")
		return
	}
	u := &user{
		UserID: s.ids.Next("9067aabbcc-00000000-0000-4000-8000-", 12), UserName: in.UserName, DisplayName: in.DisplayName, Name: in.Name, Emails: in.Emails,
		more: map[string]any{}, created: s.opt.Time(),
	}
	if in.Title != nil {
		u.Title = *in.Title
	}
	for extension, values := range in.Extensions {
		for k, v := range values {
			if t, ok := v.(string); extension != enterprise || !slices.Contains(enterpriseText, k) || !ok || !text(t) {
				invalid(w, "extension %s has no attribute %s", extension, k)
				return
			}
			u.more[k] = v
		}
	}
	for _, o := range s.users {
		if strings.EqualFold(o.UserName, u.UserName) {
			duplicate(w, "UserName")
			return
		}
		if u.email() != "" && strings.EqualFold(o.email(), u.email()) {
			duplicate(w, "Email")
			return
		}
	}
	s.users = append(s.users, u)
	answer(w, 200, map[string]string{"UserId": u.UserID, "IdentityStoreId": storeID, "UserArn": "arn:aws:identitystore:::user/" + u.UserID, "Revision": "1"})
}

func (s *Sim) describeUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		inStore
		UserID     string `json:"UserId"`
		Extensions []string
	}
	if !read(w, r, &in) {
		return
	}
	u := s.user(in.UserID)
	if u == nil {
		missing(w, "USER", in.UserID)
		return
	}
	answer(w, 200, u.show(in.Extensions))
}

func (s *Sim) getUserID(w http.ResponseWriter, r *http.Request) {
	var in struct {
		inStore
		AlternateIdentifier struct {
			UniqueAttribute struct{ AttributePath, AttributeValue string }
		}
	}
	if !read(w, r, &in) {
		return
	}
	by := in.AlternateIdentifier.UniqueAttribute
	if by.AttributePath != "userName" && by.AttributePath != "emails.value" {
		invalid(w, "AttributePath %s is not supported", by.AttributePath)
		return
	}
	for _, u := range s.users {
		if by.AttributePath == "userName" && strings.EqualFold(u.UserName, by.AttributeValue) || by.AttributePath != "userName" && strings.EqualFold(u.email(), by.AttributeValue) {
			answer(w, 200, map[string]string{"UserId": u.UserID, "IdentityStoreId": storeID})
			return
		}
	}
	missing(w, "USER", by.AttributeValue)
}

func (s *Sim) listUsers(w http.ResponseWriter, r *http.Request) {
	var in struct {
		inStore
		paging
		Extensions []string
	}
	if !read(w, r, &in) {
		return
	}
	part, next, ok := page(s, w, r, in.paging, s.users)
	if !ok {
		return
	}
	out := []any{}
	for _, u := range part {
		out = append(out, u.show(in.Extensions))
	}
	answer(w, 200, map[string]any{"Users": out, "NextToken": next})
}

// updateUser does all operations or none.
func (s *Sim) updateUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		inStore
		UserID     string `json:"UserId"`
		Operations []struct {
			AttributePath  string
			AttributeValue json.RawMessage
		}
	}
	if !read(w, r, &in) {
		return
	}
	u := s.user(in.UserID)
	switch {
	case u == nil:
		missing(w, "USER", in.UserID)
		return
	case len(in.Operations) < 1 || len(in.Operations) > 100:
		invalid(w, "Operations must have between 1 and 100 items")
		return
	}
	now := *u
	now.more = map[string]any{}
	for k, v := range u.more {
		now.more[k] = v
	}
	for _, op := range in.Operations {
		if op.AttributePath == "emails" {
			var list []struct {
				Value   string `json:"value"`
				Type    string `json:"type"`
				Primary bool   `json:"primary"`
			}
			if json.Unmarshal(op.AttributeValue, &list) != nil || len(list) > 1 || len(list) == 1 && !text(list[0].Value) {
				invalid(w, "emails must be replaced whole, by one")
				return
			}
			now.Emails = nil
			for _, e := range list {
				now.Emails = []email{{e.Value, e.Type, e.Primary}}
			}
			continue
		}
		var value *string
		if json.Unmarshal(op.AttributeValue, &value) != nil || value != nil && !text(*value) {
			invalid(w, "%s must be a text that is not empty", op.AttributePath)
			return
		}
		said := ""
		if value != nil {
			said = *value
		}
		required := map[string]*string{"displayName": &now.DisplayName, "name.givenName": &now.Name.GivenName, "name.familyName": &now.Name.FamilyName}[op.AttributePath]
		more, isMore := strings.CutPrefix(op.AttributePath, enterprise+".")
		switch {
		case required != nil && value == nil:
			invalid(w, "%s is required", op.AttributePath)
			return
		case required != nil:
			*required = said
		case op.AttributePath == "title":
			now.Title = said
		case isMore && slices.Contains(enterpriseText, more) && value == nil:
			delete(now.more, more)
		case isMore && slices.Contains(enterpriseText, more):
			now.more[more] = said
		default:
			invalid(w, "AttributePath %s is not supported", op.AttributePath)
			return
		}
	}
	for _, o := range s.users {
		if o != u && now.email() != "" && strings.EqualFold(o.email(), now.email()) {
			duplicate(w, "Email")
			return
		}
	}
	*u = now
	answer(w, 200, struct{}{})
}

// deleteUser leaves the assignments behind, as the vendor does; nobody can use them.
func (s *Sim) deleteUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		inStore
		UserID string `json:"UserId"`
	}
	if !read(w, r, &in) {
		return
	}
	u := s.user(in.UserID)
	if u == nil {
		missing(w, "USER", in.UserID)
		return
	}
	s.users = slices.DeleteFunc(s.users, func(o *user) bool { return o == u })
	answer(w, 200, struct{}{})
}
