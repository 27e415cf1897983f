package sim

import "github.com/dayone-hq/dayone/connector/sim"

// Fill puts a living company there, the same people at the same extensions as the cluster beside it has: a boss whom a handler
// sends callers to and whose assistant takes them after a message, as they share a line; a colleague who signs in on anybody's
// phone and answers at her outside number too; one of a hunt group; an agent of the contact centre, whose mailbox holds a message;
// a local user beside those whom the directory feeds; a number that was ported in and that a handler answers until somebody has
// it; and somebody in Berlin with an extension of San Francisco. Three were made before the directory fed anybody.
func (s *Sim) Fill() {
	s.Directory(Entry{ID: "aassist", First: "Ali", Last: "Assist", Mail: "aassist@example.com", Phone: "+14085552102"},
		Entry{ID: "ecolleague", First: "Ewa", Last: "Colleague", Mail: "ecolleague@example.com", Phone: "+14085552103"})
	s.mu.Lock()
	for _, p := range []struct{ template, extension, login, first, last, number, pkid string }{
		{"voicemailusertemplate", "2100", "mboss", "Maria", "Boss", "emp_100", ""},
		{"voicemailusertemplate", "2104", "hhunt", "Hugo", "Hunt", "emp_101", ""},
		{"berlin", "2104", "bberlin", "Britta", "Berlin", "emp_102", ""},
		{"voicemailusertemplate", "2105", "agent", "Agnes", "Agent", "", ""},
		{"voicemailusertemplate", "2102", "aassist", "Ali", "Assist", "emp_103", "pk-aassist"},
		{"voicemailusertemplate", "2103", "ecolleague", "Ewa", "Colleague", "emp_104", "pk-ecolleague"},
		{"voicemailusertemplate", "2106", "local", "Lothar", "Local", "", ""},
	} {
		id := s.seed(p.template, p.extension, sim.Account{Login: p.login, FirstName: p.first, LastName: p.last, EmployeeNumber: p.number, Email: p.login + "@example.com"})
		u := s.row("users", "ObjectId", id)
		if p.pkid != "" {
			u["LdapType"], u["LdapCcmPkid"], u["LdapCcmUserId"] = "3", p.pkid, p.login
		}
		if p.login == "ecolleague" {
			s.put("alternateextensions", object{"UserObjectId": id, "IdIndex": "1", "DtmfAccessId": "+14085552103", "PartitionObjectId": u["PartitionObjectId"]})
		}
	}
	s.mu.Unlock()
	s.Synchronize()
	s.Handler("Ported in on 1 March", "+14085552990")
	s.Name("handlers/callhandlers", "Opening Greeting", "key 3", "mboss")
	s.Name("handlers/callhandlers", "mboss", "AfterMessageTargetHandlerObjectId", "aassist")
	s.Message("agent")
}

// Staff puts somebody of the company's own directory there, with a mailbox that answers at an extension.
func (s *Sim) Staff(extension string, a sim.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seed("voicemailusertemplate", extension, a)
}
