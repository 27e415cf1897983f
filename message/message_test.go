package message_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/message"
)

func sarah(t *testing.T) message.View {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2024, 11, 25, 0, 0, 0, 0, zone)
	return message.View{
		Company: "Company", Start: start, Now: start.AddDate(0, 0, -3),
		Person:  message.Human{Name: "Sarah Chen", First: "Sarah", Title: "Sales Engineer", Team: "Enterprise", Email: "sarah.chen@company.com", Remote: true},
		Manager: &message.Human{Name: "John Doe", First: "John"}, Buddy: &message.Human{Name: "Mike Rivera", First: "Mike"},
		Laptop: &message.Laptop{Home: true, Carrier: "UPS", Tracking: "1Z999AA10123456784", Serial: "C02XK1ABCD", Assigned: true, Arrives: start.AddDate(0, 0, -2)},
		Run:    message.Run{Accounts: []string{"Okta", "Google", "Salesforce", "Slack", "GitLab"}, Systems: []string{"gitlab", "google", "okta", "salesforce", "slack"}, Meetings: []string{"buddy-meeting", "intro-call", "team-standup"}, Grants: 24, Policies: []string{"Sales department", "Sales Engineer role"}, Ready: true},
		Links: message.Links{
			Log: "http://x/runs/1", Report: "http://x/runs/1/report", Progress: "http://x/progress/1", Portal: "http://x/me",
			Secrets: []message.Secret{{Title: "Google", URL: "http://x/s/abc", From: start.Add(7 * time.Hour)}},
		},
	}
}

// The sentences of the document that the product was born from.
func TestMessagesSayWhatTheyMust(t *testing.T) {
	t.Parallel()
	for name, say := range map[string][]string{
		"manager-ready": {
			"Subject: Sarah Chen starts Monday - Onboarding Complete", "Hi John,", "Sarah Chen (Sales Engineer) starts Monday, Nov 25.",
			"Laptop shipped to home address (arrives Saturday)", "All accounts created (Okta, Google, Salesforce, Slack, GitLab)",
			"Access provisioned (Sales department + Sales Engineer role policies applied)", "view Sarah's onboarding progress: http://x/progress/1",
			"Monday 9 AM: Intro call scheduled", "Monday 10 AM: Team standup", "Monday 2 PM: Onboarding buddy meeting with Mike", "ping #it-help on Slack",
		},
		"welcome": {
			"Subject: Welcome to Company! Your onboarding guide", "Hi Sarah,", "Your laptop should arrive by Saturday. Here's what to expect:\n\n1. Unbox and power on\n2. Log in with your Google account (sarah.chen@company.com)\n3. Everything is pre-configured - Slack, email, tools",
			"9 AM: Intro call with your manager (John Doe)", "meet the Enterprise Sales Engineer team", "Onboarding buddy meeting with Mike (your go-to for questions)",
			"Onboarding portal: http://x/me", "#it-help on Slack", "See you Monday!", "opens once, from Monday, Nov 25 07:00", "Google: http://x/s/abc",
		},
		"it-summary": {
			"Onboarding complete: Sarah Chen (Sales Engineer)", "Created: Okta, Google, Salesforce, Slack, GitLab accounts", "(24 grants)", "tracking: 1Z999AA10123456784",
			"Status: Ready for Monday start", "View full onboarding log: http://x/runs/1", "Report issue: http://x/runs/1/report",
		},
		"intro-call":    {"Summary: Intro call: Sarah Chen and John Doe", "Start: 09:00"},
		"team-standup":  {"Summary: Team standup (Enterprise)", "Start: 10:00"},
		"buddy-meeting": {"Summary: Onboarding buddy: Sarah and Mike", "Start: 14:00"},
	} {
		r, err := message.Templates{}.Render(name, sarah(t))
		if err != nil {
			t.Fatal(err)
		}
		all := r.Text
		for k, v := range r.Header {
			all += strings.ToUpper(k[:1]) + k[1:] + ": " + v + "\n"
		}
		for _, s := range say {
			if !strings.Contains(all, s) {
				t.Errorf("%s does not say %q:\n%s", name, s, all)
			}
		}
	}
}

func TestWithoutManagerBuddyOrLaptop(t *testing.T) {
	t.Parallel()
	v := sarah(t)
	v.Manager, v.Buddy, v.Laptop, v.Links.Secrets = nil, nil, nil, nil
	for _, name := range (message.Templates{}).Names() {
		r, err := message.Templates{}.Render(name, v)
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(r.Text, "<nil>") || strings.Contains(r.Text, "<no value>") || strings.Contains(strings.ToLower(r.Text), "laptop shipped") {
			t.Errorf("%s:\n%s", name, r.Text)
		}
	}
}

// Who works from a list of accounts, without a laptop from us or a meeting on her first day, is told of neither, in no language; nor is her manager.
func TestNobodyIsToldOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	v := sarah(t)
	v.Laptop, v.Run.Meetings, v.Run.Accounts, v.Run.Systems, v.Links.Secrets = nil, nil, []string{"Okta", "Slack"}, []string{"okta", "slack"}, nil
	for name, want := range map[string]struct{ says, not string }{
		"welcome":          {"1. Log in with your account (sarah.chen@company.com)\n2. Everything is pre-configured - Okta, Slack\n\nOnboarding portal", "Unbox|Google|Intro call|standup|buddy|Your first day"},
		"welcome.de":       {"1. Mit Ihrem Konto anmelden (sarah.chen@company.com)\n2. Alles ist schon eingerichtet: Okta, Slack\n\nOnboarding-Portal", "Auspacken|Google|Kennenlernen|Teamrunde|Treffen|Ihr erster Tag"},
		"manager-ready":    {"All accounts created (Okta, Slack)", "Laptop|Next steps|Intro call|standup|buddy|hand-over"},
		"manager-ready.de": {"Alle Konten sind angelegt (Okta, Slack)", "Laptop|nächsten Schritte|Kennenlernen|Teamrunde|Treffen|Übergabecode"},
	} {
		r, err := message.Templates{}.Render(name, v)
		if err != nil || !strings.Contains(r.Text, want.says) {
			t.Errorf("%s does not say %q: %v\n%s", name, want.says, err, r.Text)
		}
		for _, word := range strings.Split(want.not, "|") {
			if strings.Contains(r.Text, word) {
				t.Errorf("%s speaks of %s:\n%s", name, word, r.Text)
			}
		}
	}
	v.Laptop, v.Run.Accounts, v.Run.Systems, v.Run.Meetings = &message.Laptop{}, nil, nil, []string{"intro-call"}
	r, err := message.Templates{}.Render("welcome", v)
	if err != nil || !strings.Contains(r.Text, "1. Unbox and power on\n\nYour first day:\n- 9 AM: Intro call with your manager (John Doe)\n\nOnboarding portal") {
		t.Errorf("with a laptop and a call alone: %v\n%s", err, r.Text)
	}
	v.Laptop, v.Run.Meetings = nil, nil
	if r, err = (message.Templates{}).Render("welcome", v); err != nil || strings.Contains(r.Text, "expect") {
		t.Errorf("with nothing: %v\n%s", err, r.Text)
	}
}

// Somebody of whom no manager is known is sent to none: neither for a code nor for a meeting.
func TestAMailKnowsThatThereIsNoManager(t *testing.T) {
	t.Parallel()
	v := sarah(t)
	v.Manager, v.Buddy = nil, nil
	for name, want := range map[string]struct{ says, not string }{
		"welcome":          {"with a code that a manager gives. HR has not told us who yours is, so ask HR first:", "your manager"},
		"welcome.de":       {"mit einem Code, den eine Führungskraft gibt. Wer Ihre ist, hat uns die Personalabteilung noch nicht gesagt", "Ihrer Führungskraft"},
		"new-code":         {"with a hand-over code that a manager gives. HR has not told us who yours is", "your manager"},
		"new-code.de":      {"mit einem Übergabecode, den eine Führungskraft gibt. Wer Ihre ist, hat uns die Personalabteilung noch nicht gesagt", "Ihrer Führungskraft"},
		"intro-call":       {"Welcome call of Sarah.", "manager"},
		"intro-call.de":    {"Willkommensgespräch von Sarah.", "Führungskraft"},
		"buddy-meeting":    {"No buddy was found in the team.", "manager"},
		"buddy-meeting.de": {"Im Team fand sich keine Ansprechperson.", "Führungskraft"},
	} {
		r, err := message.Templates{}.Render(name, v)
		if err != nil || !strings.Contains(r.Text, want.says) || strings.Contains(r.Text, want.not) {
			t.Errorf("%s does not say %q, or speaks of %q: %v\n%s", name, want.says, want.not, err, r.Text)
		}
	}
}

// Who is asked reads what it is about and as what she is asked, whatever it is called: no article can be missing, and nothing dangles.
func TestAMailToApproveReadsAsASentence(t *testing.T) {
	t.Parallel()
	v := sarah(t)
	v.Approval = &message.Approval{What: "Cisco Unified CM phone line", Why: "phones (phones.yaml:3)", You: "manager, stands in for john.doe@company.com", Since: v.Now, Due: v.Start}
	for name, want := range map[string][]string{
		"approval":    {"Subject: May Sarah Chen have this: Cisco Unified CM phone line?", "Sarah Chen (Sales Engineer) is to have this: Cisco Unified CM phone line. You are asked to agree or to refuse.\n\n- Asked as: manager, stands in for john.doe@company.com\n- Why: phones (phones.yaml:3)\n"},
		"approval.de": {"Subject: Darf Sarah Chen dies bekommen: Cisco Unified CM phone line?", "Sie werden gebeten, zuzustimmen oder abzulehnen.\n\n- Gefragt als: Führungskraft, in Vertretung von john.doe@company.com\n"},
	} {
		r, err := message.Templates{}.Render(name, v)
		for _, s := range want {
			if all := "Subject: " + r.Subject() + "\n" + r.Text; err != nil || !strings.Contains(all, s) {
				t.Errorf("%s does not say %q: %v\n%s", name, s, err, all)
			}
		}
	}
	v.Sponsor, v.LastDay = &message.Sponsor{Why: "manager of ada@company.com (on leave)"}, v.Start
	v.Run.Waiting = []string{"Okta group admins, for an approval"}
	for name, s := range map[string]string{"sponsor.de": "Sie werden gefragt als: Führungskraft von ada@company.com (", "waiting.de": "- Okta group admins, auf eine Zustimmung"} {
		if r, err := (message.Templates{}).Render(name, v); err != nil || !strings.Contains(r.Text, s) {
			t.Errorf("%s does not say %q: %v\n%s", name, s, err, r.Text)
		}
	}
}

func TestWhatPeopleTypedIsNoTemplate(t *testing.T) {
	t.Parallel()
	v := sarah(t)
	v.Person.First = "{{.Links.Progress}}"
	r, err := message.Templates{}.Render("welcome", v)
	if err != nil || !strings.Contains(r.Text, "Hi {{.Links.Progress}},") {
		t.Errorf("%v\n%s", err, r.Text)
	}
	v.Person.Name = "Eve\nBcc: everybody@company.com"
	if r, _ = (message.Templates{}).Render("manager-ready", v); len(r.Header) != 1 && r.Header["bcc"] != "" {
		t.Errorf("a name made a header: %v", r.Header)
	}
}

func TestOwnTemplatesWin(t *testing.T) {
	t.Parallel()
	own := message.Templates{Files: fstest.MapFS{
		"templates/welcome.txt": {Data: []byte("Subject: Servus {{.Person.First}}\n\nBis {{weekday .Start}}!\n")},
		"templates/broken.txt":  {Data: []byte("Subject: x\n\n{{.Person.Nonsense}}")},
	}}
	r, err := own.Render("welcome", sarah(t))
	if err != nil || r.Subject() != "Servus Sarah" {
		t.Errorf("%+v, %v", r, err)
	}
	if err := own.Check(); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a broken template passes: %v", err)
	}
	if err := (message.Templates{}).Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "../secret", "a/b", "nothing-like-it"} {
		if _, err := own.Render(bad, sarah(t)); err == nil {
			t.Errorf("%q is a template", bad)
		}
	}
}

// A fault of a template says where it is and what was meant, also in a branch that nobody made up takes.
func TestAFaultSaysWhereItIsAndWhatWasMeant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Subject: x\n\nHi {{.Persn.First}}":                                    `templates/own.txt:3:7: a message has no "Persn"; did you mean "Person"?`,
		"Subject: x\n\nHi\n  {{with .Manager}}ä{{.Firts}}{{end}}":              `templates/own.txt:4:24: a human has no "Firts"; did you mean "First"?`,
		"Subject: x\r\n\r\n{{if .Run.Ready}}{{.Person.Frist}}{{end}}":          `templates/own.txt:3:28: .Person has no "Frist"; did you mean "First"?`,
		"Subject: {{.Person.Nam}}\n\nx":                                        `templates/own.txt:1:20: .Person has no "Nam"; did you mean "Name"?`,
		"Subject: x\n\n{{range $i, $s := .Links.Secrets}}{{$s.Adress}}{{end}}": `templates/own.txt:3:40: a secret has no "Adress"; it has Title, URL, From`,
		"Subject: x\n\n{{range .Run.Waiting}}{{$.Compny}}{{end}}":              `templates/own.txt:3:27: a message has no "Compny"; did you mean "Company"?`,
		"Subject: x\n\n{{wekday .Start}}":                                      `templates/own.txt:3:3: there is no function "wekday"; did you mean "weekday"?`,
		"Subject: x\n\n{{weekday .Start.Monday}}":                              `templates/own.txt:3:18: .Start has no "Monday"`,
		"Subject: x\n\n{{weekday .Person}}":                                    "templates/own.txt:3:11: wrong type for value; expected time.Time; got message.Human",
		"Subject: x\n\na\nb {{if .Laptop}}":                                    "templates/own.txt:4:3: unexpected EOF",
		"Subject: x\nHi":                                                       "templates/own.txt:1:1: there is no empty line between header and text; write Subject: ..., an empty line, and the text",
		"Subject: x\nHi there\n\nx":                                            `templates/own.txt:2:1: "Hi there" is no header line; write NAME: value, such as Subject: Welcome`,
		"Subjct: x\n\nx":                                                       `templates/own.txt:1:1: no message has a header "subjct"; did you mean "Subject"?`,
		"Location: x\n\nx":                                                     "templates/own.txt:1:1: it has no header Subject or Summary; write Subject: ... for a mail, Summary: ... and Start: 09:00 for an invitation",
		"Summary: x\n\nx":                                                      "templates/own.txt:1:1: an invitation says when it begins; write Start: 09:00 below it",
		"Summary: x\nStart: 9 AM\n\nx":                                         `templates/own.txt:2:7: Start is "9 AM"; write an hour such as 09:00`,
		"Summary: x\nStart: 09:00\nMinutes: half an hour\n\nx":                 `templates/own.txt:3:9: Minutes is "half an hour"; write how long it takes, such as 30`,
		"Subject: x\n\n{{(index .Links.Secrets 0).URL}}{{define \"a\"}}{{.Whatever}}{{end}}":        "",
		"Subject: x\n\n{{.Start.Format \"Jan\"}} {{.Site.anything}} {{printf \"%s\" .Company}}":     "",
		"Subject: x\n\n{{with $m := .Manager}}{{$m.Name}}{{$.Person.First | printf \"%q\"}}{{end}}": "",
	} {
		err := message.Templates{Files: fstest.MapFS{"templates/own.txt": {Data: []byte(text)}}}.Check()
		switch {
		case want == "" && err == nil:
		case err == nil || !errors.Is(err, dayone.ErrInvalid) || err.Error() != want && !strings.HasPrefix(err.Error(), want):
			t.Errorf("%q says\n %v, want\n %s", text, err, want)
		}
	}
}

func TestEveryFaultIsFound(t *testing.T) {
	t.Parallel()
	err := message.Templates{Files: fstest.MapFS{
		"templates/a.txt": {Data: []byte("Subject: {{.One}}\n\n{{.Two}}\n{{three}}")}, "templates/b.txt": {Data: []byte("nothing")},
	}}.Check()
	var found message.Faults
	if !errors.As(err, &found) || len(found) != 4 || found[1].Source != "{{.Two}}" || found[1].Width != 3 {
		t.Errorf("%v", err)
	}
}

// doubling makes a text twice as long again and again.
func doubling(call string) string {
	return "{{$x := `\\\\`}}" + strings.Repeat("{{$x = "+call+"}}", 40)
}

func TestATemplateEnds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{{range $i := 100000}}{{end}}":                                                         "is no list",
		"{{range $i := len (printf \"%0900d\" 1)}}x{{end}}":                                     "cannot be told",
		"{{$x := 2000000000}}{{if false}}{{$x := .Run.Accounts}}{{end}}{{range $x}}{{end}}":     "is no list",
		"{{$x := .Run.Accounts}}{{if .Company}}{{$x = 2000000000}}{{end}}{{range $x}}{{end}}":   "is something else already",
		"{{if .Run.Ready}}{{$x := .Run.Accounts}}{{else}}{{$x := 9}}{{range $x}}{{end}}{{end}}": "is no list",
		"{{define \"a\"}}{{range .}}{{end}}{{end}}{{template \"a\" 2000000000}}":                "is no list",
		"{{define \"a\"}}{{range $}}{{end}}{{end}}{{template \"a\" (len .Company)}}":            "cannot be told",
		"{{if .Company}}{{template \"x\" .}}{{end}}":                                            "is called from the text itself only",
		"{{.Start.Nanosecond}}{{range .Start.YearDay}}{{end}}":                                  "is no list",
		"{{$a := .Company}}{{.Start.Format $a}}":                                                "given to a method",
		"{{.Company | .Start.Format}}":                                                          "given to a method",
		"{{printf \"%0900d\" 1}}":                                                               "write a short format",
		"{{printf \"%p\" .Person.Name}}":                                                        "write a short format",
		"{{.}}":                                                                                 "is no text",
		"{{$}}":                                                                                 "is no text",
		"{{$e := .}}{{$e}}":                                                                     "is no text",
		"{{. | print}}":                                                                         "is no text",
		"{{printf \"%v\" .Manager}}":                                                            "is no text",
		"{{with .Manager}}{{.}}{{end}}":                                                         "is no text",
		"{{" + "." + "Format}}":                                                                 "has no",
		strings.Repeat("long ", 20_000):                                                         "at most 64 KB",
		doubling("print $x $x"):                                                                 "longer than 32 KB",
		doubling("printf \"%s%s\" $x $x"):                                                       "longer than 32 KB",
		doubling("link $x $x"):                                                                  "longer than 32 KB",
		doubling("js $x"):                                                                       "longer than 32 KB",
		"{{range .Run.Accounts}}{{range $.Run.Accounts}}{{range $.Run.Accounts}}{{range $.Run.Accounts}}x{{end}}{{end}}{{end}}{{end}}": "more than 3 ranges",
		"{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}":                                                                  "is called from the text itself only",
		"{{define \"a\"}}x{{end}}{{range .Run.Accounts}}{{template \"a\"}}{{end}}":                                                     "is called from the text itself only",
	} {
		own := message.Templates{Files: fstest.MapFS{"templates/x.txt": {Data: []byte("Subject: x\n\n" + text + "\n")}}}
		if err := own.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := own.Render("x", sarah(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is put into words: %v", text, err)
		}
	}
	ok := "{{define \"a\"}}x{{end}}{{template \"a\"}}{{range .Run.Accounts}}{{range $.Run.Failed}}{{.}}{{end}}{{end}}"
	if err := (message.Templates{Files: fstest.MapFS{"templates/x.txt": {Data: []byte("Subject: x\n\n" + ok + "\n")}}}).Check(); err != nil {
		t.Error(err)
	}
}

// What a list of the view has is not ours to say: however many there are, and whatever is asked about each, it ends.
func TestAMessageEnds(t *testing.T) {
	t.Parallel()
	v := sarah(t)
	v.Run.Waiting = make([]string, 2000)
	v.Run.Failed = []string{"a", "b"}
	of := func(text string) message.Templates {
		return message.Templates{Files: fstest.MapFS{"templates/x.txt": {Data: []byte("Subject: x\n\n" + text + "\n")}}}
	}
	for text, want := range map[string]string{
		"{{range .Run.Waiting}}{{range $.Run.Waiting}}{{range $.Run.Waiting}}{{end}}{{end}}{{end}}":               "go round more than",
		"{{define \"a\"}}{{range .Waiting}}{{range $.Waiting}}{{end}}{{end}}{{end}}{{template \"a\" .Run}}":       "go round more than",
		"{{range .Run.Waiting}}" + strings.Repeat("long ", 200) + "{{end}}":                                       "longer than 256 KB",
		"{{range $i, $s := .Run.Failed}}{{if eq $i 1}}{{continue}}{{end}}{{$s}}{{end}}{{(index .Run.Failed 1)}}":  "",
		"{{define \"a\"}}{{range .Failed}}{{.}}{{end}}{{end}}{{template \"a\" .Run}}{{printf \"%5.1f%%\" 2.5}}":   "",
		"{{$n := \"\"}}{{range .Run.Failed}}{{$n = print $n . \" \"}}{{end}}{{$n}}{{.Start}} {{.Start.Sub .Now}}": "",
		"{{range $x := and . .Run.Failed}}{{end}}":                                                                "cannot be told",
		"{{index .Site .}}": "",
	} {
		r, err := of(text).Render("x", v)
		switch {
		case text == "{{index .Site .}}":
			if err == nil || strings.Contains(err.Error(), "0x") {
				t.Errorf("%s: %v", text, err)
			}
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %.80q %v", text, r.Text, err)
		}
	}
	v.Lines = []message.Line{{Subject: "x", Text: strings.Repeat("long ", 100_000)}}
	if r, err := of("{{range .Lines}}{{.Text}}{{end}}").Render("x", v); err != nil || len(r.Text) < 500_000 {
		t.Errorf("a long digest is not sent: %v", err)
	}
	for _, text := range []string{"{{or . 1}}", "{{printf `%v %d %x` (or . 1) (or . 1) (or . 1)}}", "{{html (and 1 .)}}", "{{len (print (or . 1))}}"} {
		if r, err := of(text).Render("x", v); err != nil || strings.Contains(r.Text, "0x") || strings.Contains(r.Text, "Sarah") {
			t.Errorf("%s shows %q (%v)", text, r.Text, err)
		}
	}
}
