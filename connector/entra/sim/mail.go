package sim

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Mail is a message that went out.
type Mail struct {
	To      []string
	Subject string
	Type    string
	Text    string
	ReplyTo string
}

// Meeting is an event in the mailbox's calendar.
type Meeting struct {
	ID        string
	Subject   string
	Start     string
	Attendees []string
	Cancelled bool
}

type event struct {
	Meeting
	transaction string
}

// Sent are the messages that went out.
func (s *Sim) Sent() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Meetings are the events that were ever made.
func (s *Sim) Meetings() []Meeting {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Meeting
	for _, e := range s.events {
		out = append(out, e.Meeting)
	}
	return out
}

type recipient struct {
	Email struct {
		Address string `json:"address"`
	} `json:"emailAddress"`
	Type string `json:"type"`
}

func addresses(list []recipient) (out []string, ok bool) {
	for _, r := range list {
		if !strings.Contains(r.Email.Address, "@") {
			return nil, false
		}
		out = append(out, r.Email.Address)
	}
	return out, true
}

func (s *Sim) sendMail(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Message struct {
			Subject string `json:"subject"`
			Body    struct {
				Type    string `json:"contentType"`
				Content string `json:"content"`
			} `json:"body"`
			To      []recipient `json:"toRecipients"`
			ReplyTo []recipient `json:"replyTo"`
			Headers []struct {
				Name string `json:"name"`
			} `json:"internetMessageHeaders"`
		} `json:"message"`
	}
	if !box(w, r) {
		return
	}
	err := sim.Read(r, &in)
	to, ok := addresses(in.Message.To)
	reply, fine := addresses(in.Message.ReplyTo)
	switch {
	case err != nil || !ok || !fine || len(to) == 0:
		fail(w, 400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
		return
	case len(in.Message.Headers) > 5:
		fail(w, 400, "InvalidInternetMessageHeaderCollection", "Maximum number of headers in one message should be less than or equal to 5.")
		return
	}
	for _, h := range in.Message.Headers {
		if !strings.HasPrefix(strings.ToLower(h.Name), "x-") {
			fail(w, 400, "InvalidInternetMessageHeader", "The internet message header name '"+h.Name+"' should start with 'x-' or 'X-'.")
			return
		}
	}
	s.sent = append(s.sent, Mail{to, in.Message.Subject, in.Message.Body.Type, in.Message.Body.Content, strings.Join(reply, ",")})
	w.WriteHeader(202)
}

// wire of an event, as far as it is looked at.
type wire struct {
	Subject   *string     `json:"subject"`
	Attendees []recipient `json:"attendees"`
	Start     *struct {
		At   string `json:"dateTime"`
		Zone string `json:"timeZone"`
	} `json:"start"`
	Transaction string `json:"transactionId"`
}

// put sets what a request says of an event.
func (e *event) put(w http.ResponseWriter, in wire) bool {
	who, ok := addresses(in.Attendees)
	if !ok {
		fail(w, 400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
		return false
	}
	if in.Start != nil {
		if _, err := time.Parse("2006-01-02T15:04:05", in.Start.At); err != nil || in.Start.Zone == "" {
			fail(w, 400, "ErrorPropertyValidationFailure", "At least one property failed validation: start.")
			return false
		}
		e.Start = in.Start.At + " " + in.Start.Zone
	}
	if in.Subject != nil {
		e.Subject = *in.Subject
	}
	if in.Attendees != nil {
		e.Attendees = who
	}
	return true
}

func (s *Sim) createEvent(w http.ResponseWriter, r *http.Request) {
	var in wire
	if !box(w, r) {
		return
	}
	if sim.Read(r, &in) != nil || in.Start == nil {
		fail(w, 400, "ErrorPropertyValidationFailure", "At least one property failed validation.")
		return
	}
	for _, e := range s.events {
		if in.Transaction != "" && e.transaction == in.Transaction {
			sim.JSON(w, 201, map[string]any{"id": e.ID})
			return
		}
	}
	e := &event{transaction: in.Transaction, Meeting: Meeting{ID: s.ids.Next("AAMkAGI", 20) + "="}}
	if e.put(w, in) {
		s.events = append(s.events, e)
		sim.JSON(w, 201, map[string]any{"id": e.ID})
	}
}

func (s *Sim) event(w http.ResponseWriter, r *http.Request) *event {
	if !box(w, r) {
		return nil
	}
	for _, e := range s.events {
		if e.ID == r.PathValue("event") && !e.Cancelled {
			return e
		}
	}
	fail(w, 404, "ErrorItemNotFound", "The specified object was not found in the store.")
	return nil
}

// getEvent reads one, or changes it by PATCH.
func (s *Sim) getEvent(w http.ResponseWriter, r *http.Request) {
	e := s.event(w, r)
	if e == nil {
		return
	}
	if r.Method == http.MethodPatch {
		var in wire
		if sim.Read(r, &in) != nil {
			fail(w, 400, "ErrorPropertyValidationFailure", "At least one property failed validation.")
			return
		}
		if !e.put(w, in) {
			return
		}
	}
	sim.JSON(w, 200, map[string]any{"id": e.ID})
}

func (s *Sim) cancelEvent(w http.ResponseWriter, r *http.Request) {
	if e := s.event(w, r); e != nil {
		e.Cancelled = true
		w.WriteHeader(202)
	}
}
