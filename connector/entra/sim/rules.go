package sim

import "net/http"

// rule is an inbox rule of a user.
type rule struct {
	id, to string
	on     bool
}

// Forward gives a user an inbox rule that sends mail on; one that is off does nothing.
func (s *Sim) Forward(id, to string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.byID[id]
	u.rules = append(u.rules, rule{id: s.ids.Next("AQAA", 4), to: to, on: on})
}

// NoMailbox takes a user's mailbox away, as losing the licence does in time.
func (s *Sim) NoMailbox(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[id].boxless = true
}

func (s *Sim) listRules(w http.ResponseWriter, r *http.Request, u *user) {
	if u.boxless {
		fail(w, 404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
		return
	}
	s.page(w, r, len(u.rules), func(i int) map[string]any {
		r := u.rules[i]
		return map[string]any{
			"id": r.id, "displayName": "rule", "sequence": 1, "isEnabled": r.on, "hasError": false, "isReadOnly": false,
			"actions": map[string]any{"forwardTo": []map[string]any{{"emailAddress": map[string]any{"name": r.to, "address": r.to}}}, "stopProcessingRules": true},
		}
	})
}
