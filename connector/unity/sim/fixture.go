package sim

import "github.com/dayone-hq/dayone/connector/sim"

// Fill puts a living company there: two people with one extension in two partitions, a boss who a handler sends callers to, an
// agent, and one whose mailbox holds messages.
func (s *Sim) Fill() {
	s.mu.Lock()
	for _, p := range []struct{ template, extension, login, first, last, number string }{
		{"voicemailusertemplate", "2100", "mboss", "Mara", "Boss", "emp_100"},
		{"voicemailusertemplate", "2101", "hhunt", "Hugo", "Hunt", "emp_101"},
		{"berlin", "2101", "bberlin", "Britta", "Berlin", "emp_102"},
		{"voicemailusertemplate", "2103", "agent", "Ada", "Agent", ""},
	} {
		s.seed(p.template, p.extension, sim.Account{Login: p.login, FirstName: p.first, LastName: p.last, EmployeeNumber: p.number, Email: p.login + "@company.com"})
	}
	s.mu.Unlock()
	s.Name("handlers/callhandlers", "Opening Greeting", "key 3", "mboss")
	s.Message("agent")
}
