package flow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Warning is what somebody has to know before a plan is carried out: nobody finds out on the first morning.
type Warning struct {
	Kind  WarningKind `json:"kind"`
	Title string      `json:"title"`
	Text  string      `json:"text"`
}

// WarningKind is what a warning is about, for programs.
type WarningKind string

const (
	NoMail     WarningKind = "no mail"         // nothing is written to her, and first passwords are to be handed over
	Unreadable WarningKind = "unreadable mail" // it goes only where she may need a first password
	NoCode     WarningKind = "no code"         // nobody is there to give the code of a link
)

// Warnings are where a plan would hand over first passwords that do not come through to their owner.
func (f *Flow) Warnings(l Look) []Warning {
	var opens []string // accounts of which the first password is handed over
	for _, s := range l.Plan.Steps {
		if s.Action != dayone.AccountCreate || s.Want == nil {
			continue
		}
		if name := f.systemTitle(s.Key.System); !slices.Contains(opens, name) && slices.ContainsFunc(s.Want.Attrs.Names(), func(a string) bool { return s.Want.Attrs[a].Kind == dayone.SecretValue }) {
			opens = append(opens, name)
		}
	}
	if len(opens) == 0 {
		return nil
	}
	var out []Warning
	attrs, names := l.Person.Attrs, strings.Join(opens, ", ")
	if last := len(opens) - 1; last > 0 {
		names = strings.Join(opens[:last], ", ") + " and " + opens[last]
	}
	work, mails, outside := attrs.Text("email"), 0, false
	for _, s := range l.Plan.Steps {
		if s.Action != dayone.MessageSend || s.Want == nil || s.Key.Kind == "invitation" {
			continue
		}
		to := s.Want.Attrs["to"].Items()
		if !hers(l.Person, to) {
			continue
		}
		mails++
		outside = outside || slices.ContainsFunc(to, func(to string) bool { return !strings.EqualFold(to, work) })
	}
	switch {
	case mails == 0:
		out = append(out, Warning{NoMail, "No mail brings the first passwords", fmt.Sprintf("Nothing is written to this person now, so nobody has the links to %s. Hand them over by hand: Codes, on the person's page.", names)})
	case !outside:
		out = append(out, Warning{Unreadable, "The mail may not be readable before the first sign-in", fmt.Sprintf("It goes to %s only, and it brings the first passwords of %s. If one of them opens that mailbox, nobody can read it there. Let HR add a personal mail address, or hand the links over by hand: Codes, on the person's page.", work, names)})
	}
	if attrs.Text("manager") == "" {
		out = append(out, Warning{NoCode, "Nobody is there to give the code", "Each link to a first password asks for a code that the manager gives, and no manager is known. Name one in HR before the first day: the code stands on the manager's own page."})
	}
	return out
}

// hers says that a message goes to the person herself.
func hers(p dayone.Person, to []string) bool {
	return slices.ContainsFunc([]string{"email", "personal_email"}, func(name string) bool {
		address := p.Attrs.Text(name)
		return address != "" && slices.ContainsFunc(to, func(to string) bool { return strings.EqualFold(to, address) })
	})
}
