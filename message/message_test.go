package message_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

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
		Run:    message.Run{Accounts: []string{"Okta", "Google", "Salesforce", "Slack", "GitLab"}, Grants: 24, Policies: []string{"Sales department", "Sales Engineer role"}, Ready: true},
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
			"Subject: Welcome to Company! Your onboarding guide", "Hi Sarah,", "Your laptop should arrive by Saturday.", "Log in with your Google account (sarah.chen@company.com)",
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
