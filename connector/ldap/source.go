package ldap

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
)

// source tells of the directory's people. It never calls: its list is read again.
type source struct{ api *client }

// Verify lets nobody in: a directory posts nothing, so whoever does is somebody else.
func (s source) Verify(http.Header, []byte, time.Time) error {
	return s.api.refuse("verifying webhook", dayone.ErrAuth, "a directory sends no webhooks; its list of people is read")
}

// Parse reads nothing, since nothing is let in.
func (s source) Parse([]byte) ([]dayone.Event, error) {
	return nil, s.api.refuse("reading webhook", dayone.ErrInvalid, "a directory sends no webhooks; its list of people is read")
}

func (s source) fields() []string {
	return append(s.api.fields(), "employeeType", "preferredLanguage", "l", "st", "co", "c", "whenChanged", "modifyTimestamp")
}

// event is a whole record, under the names that HR webhooks use.
func (s source) event(it dayone.Item, e *lib.Entry) dayone.Event {
	out := dayone.Event{Source: s.api.System, Type: dayone.Updated, Subject: it.Attrs.Text("employee_number"), At: s.api.Now(), Full: true, Fields: map[string]dayone.Value{}}
	for name, ours := range map[string]string{
		"employee_id": "employee_number", "login": "login", "email": "email", "first_name": "first_name", "last_name": "last_name", "preferred_name": "display_name",
		"job_title": "title", "department": "department", "company": "company", "office": "office", "manager_email": "manager", "mobile": "mobile", "phone": "phone",
		"end_date": "expires", "ou": "ou",
	} {
		out.Fields[name] = dayone.Text(it.Attrs.Text(ours))
	}
	for name, theirs := range map[string]string{"employment_type": "employeeType", "locale": "preferredLanguage", "location": "l", "state": "st", "country": "c"} {
		out.Fields[name] = dayone.Text(e.GetAttributeValue(theirs))
	}
	out.Fields["id"], out.Fields["enabled"] = dayone.Text(it.Ref), dayone.Bool(it.State == dayone.Active)
	for _, name := range []string{"whenChanged", "modifyTimestamp"} {
		if t, err := time.Parse(generalized, e.GetAttributeValue(name)); err == nil {
			out.At = t.UTC()
		}
	}
	return out
}

func (s source) numbered() string {
	return "(&" + s.api.f.person + "(" + s.api.f.names["employee_number"] + "=*))"
}

// Read reads one record again. An account that was deleted is not known any more.
func (s source) Read(ctx context.Context, subject string) (dayone.Event, error) {
	const op = "reading person"
	e, err := s.api.one(ctx, op, s.api.base, "(&"+s.api.f.person+"("+s.api.f.names["employee_number"]+"="+lib.EscapeFilter(subject)+"))", s.fields()...)
	if errors.Is(err, dayone.ErrNotFound) {
		if bad := s.api.whole(ctx, op); bad != nil {
			return dayone.Event{}, bad
		}
		if bad := s.api.held(ctx, op, subject); bad != nil {
			return dayone.Event{}, bad
		}
	}
	if err != nil {
		return dayone.Event{}, err
	}
	it, err := s.api.item(e, s.api.mail(ctx))
	if err != nil {
		return dayone.Event{}, err
	}
	s.api.numbers.Store(subject, it.Ref)
	return s.event(it, e), nil
}

// Everybody streams who has an employee number, page by page. Two with the same one are an error, since nobody could tell
// which of them is meant.
func (s source) Everybody(ctx context.Context) iter.Seq2[dayone.Event, error] {
	return func(yield func(dayone.Event, error) bool) {
		const op = "listing people"
		seen, shown := map[string]string{}, map[string]bool{}
		mail := s.api.mail(ctx)
		var failed error
		stopped := false
		err := s.api.search(ctx, query{op: op, base: s.api.base, scope: lib.ScopeWholeSubtree, filter: s.numbered(), attrs: s.fields()}, func(e *lib.Entry) bool {
			var it dayone.Item
			if it, failed = s.api.item(e, mail); failed != nil {
				return false
			}
			ev := s.event(it, e)
			shown[it.Ref] = true
			var twice error
			if other := seen[ev.Subject]; other != "" {
				ev.Type = ""
				twice = s.api.refuse(op, dayone.ErrInvalid, fmt.Sprintf("%s and %s have the same employee number", other, e.DN))
			}
			seen[ev.Subject] = e.DN
			s.api.numbers.Store(ev.Subject, it.Ref)
			stopped = !yield(ev, twice)
			return !stopped
		})
		if failed != nil {
			err = failed
		}
		if err == nil && !stopped {
			err = s.api.missing(ctx, op, shown)
		}
		if err != nil && !stopped {
			yield(dayone.Event{}, err)
		}
	}
}
