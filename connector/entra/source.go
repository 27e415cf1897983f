package entra

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// source tells of the tenant's people. It never calls: its list is read again.
type source struct{ api *client }

// Verify lets nobody in: the tenant posts nothing, so whoever does is somebody else.
func (s source) Verify(http.Header, []byte, time.Time) error {
	return s.api.Fault("verifying webhook", dayone.ErrAuth, "", "Entra ID sends no webhooks; its list of people is read")
}

// Parse reads nothing, since nothing is let in.
func (s source) Parse([]byte) ([]dayone.Event, error) {
	return nil, s.api.Fault("reading webhook", dayone.ErrInvalid, "", "Entra ID sends no webhooks; its list of people is read")
}

func (s source) fields() string {
	if s.api.set["leave_date"] == "true" {
		return personFields + ",employeeLeaveDateTime"
	}
	return personFields
}

// event is a whole record, under the names that HR webhooks use. Graph does not tell when it last changed.
func (s source) event(u user) dayone.Event {
	e := dayone.Event{Source: s.api.System, Type: dayone.Updated, Subject: u.EmployeeID, At: s.api.Now(), Full: true, Fields: map[string]dayone.Value{}}
	if s.api.set["subject"] == "id" {
		e.Subject = u.ID
	}
	for name, v := range map[string]string{
		"id": u.ID, "employee_id": u.EmployeeID, "login": u.UPN, "email": u.address(), "first_name": u.Given, "last_name": u.Surname, "preferred_name": u.called(),
		"job_title": u.Title, "department": u.Department, "company": u.Company, "location": u.Office, "country": u.Country, "usage_location": u.Usage,
		"employment_type": u.EmployeeType, "start_date": day(u.HireDate), "mobile": u.Mobile, "locale": u.Language, "manager_email": u.Manager.address(),
		"cost_center": u.Org.CostCenter, "division": u.Org.Division,
	} {
		e.Fields[name] = dayone.Text(v)
	}
	if s.api.set["leave_date"] == "true" {
		e.Fields["end_date"] = dayone.Text(day(u.LeaveDate))
	}
	if u.Enabled != nil { // who may not read it says nothing of it
		e.Fields["enabled"] = dayone.Bool(*u.Enabled)
	}
	return e
}

// called is the first name that somebody goes by: what of the display name is not the surname. A display name that is written
// in another order says nothing of it.
func (u user) called() string {
	if u.Given == "" && u.Surname == "" {
		return u.Display
	}
	first, ok := strings.CutSuffix(u.Display, " "+u.Surname)
	if first = strings.TrimSpace(first); !ok || u.Surname == "" || strings.EqualFold(first, u.Given) || strings.ContainsAny(first, ",;(") {
		return ""
	}
	return first
}

// Read reads one record again. A user who was deleted is not known any more.
func (s source) Read(ctx context.Context, subject string) (dayone.Event, error) {
	const op = "reading person"
	if s.api.set["subject"] == "id" {
		var u user
		err := s.api.call(ctx, &s.api.Client, httpc.Request{
			Op: op, Method: "GET", Path: userPath(subject), Query: url.Values{"$select": {s.fields()}, "$expand": {withManager}},
		}, &u)
		if err == nil && u.ID != subject {
			err = s.api.Fault(op, dayone.ErrInvalid, "", "the answer is of somebody else")
		}
		return s.event(u), err
	}
	filter := "employeeId eq " + quoted(subject)
	if f := s.api.set["filter"]; f != "" {
		filter = "(" + f + ") and " + filter
	}
	var found []user
	err := s.api.listUsers(ctx, filter, s.fields(), func(u user) bool {
		found = append(found, u)
		return true
	})
	switch {
	case err != nil:
		return dayone.Event{}, err
	case len(found) == 0:
		return dayone.Event{}, s.api.Fault(op, dayone.ErrNotFound, "", "no user has this employee id")
	case len(found) > 1:
		return dayone.Event{}, s.api.Fault(op, dayone.ErrInvalid, "", fmt.Sprintf("%d users have this employee id; give administrators' second accounts none, or write the setting filter", len(found)))
	}
	return s.event(found[0]), nil
}

// Everybody streams people page by page. Two users with one employee id are an error, since nobody could tell which of them
// is meant; rooms, services and others without one are no people.
func (s source) Everybody(ctx context.Context) iter.Seq2[dayone.Event, error] {
	return func(yield func(dayone.Event, error) bool) {
		seen := map[string]string{} // by subject: the id of its user
		stopped := false
		err := s.api.listUsers(ctx, s.api.set["filter"], s.fields(), func(u user) bool {
			e := s.event(u)
			if e.Subject == "" {
				return true
			}
			if other, twice := seen[e.Subject]; twice {
				e.Type = ""
				stopped = !yield(e, s.api.Fault("listing people", dayone.ErrInvalid, "", "users "+other+" and "+u.ID+" have the same employee id"))
				return !stopped
			}
			seen[e.Subject] = u.ID
			stopped = !yield(e, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Event{}, err)
		}
	}
}
