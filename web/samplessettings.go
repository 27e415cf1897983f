package web

import (
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sampleSettings are the pages of what holds for the whole company.
func sampleSettings(view viewer) []sample {
	everywhere := func(string) bool { return true }
	var roles rolesView
	for _, g := range []RoleGiven{
		{dayone.Administrator, "whoever has the portal's token", "dayone.yaml:14", "portal.token"}, {dayone.Operator, "the group it-operations of the identity provider", "dayone.yaml:31", "portal.sign_on.roles.it-operations"},
	} {
		roles.Rows = append(roles.Rows, item{State: roleTag(g.Role), Title: link{Text: sentence(g.Whom)}, Meta: g.Where})
	}
	for _, r := range dayone.Roles {
		roles.Roles = append(roles.Roles, pair{Name: roleTitles[r], Value: view.label(roleTexts[r])})
	}
	mail := newLetter(flow.Rendered{Header: map[string]string{"subject": "Welcome to Company! Your onboarding guide"}, Text: "Hi Maximiliane-Charlotte,\n\nWelcome to Company!\n\n-- \nCompany AG, Torstr. 1, 10119 Berlin\n"})
	one := templateView{Name: "welcome", File: "templates/welcome.txt", Text: "Subject: Welcome to {{.Company}}! Your onboarding guide\n\nHi {{.Person.First}},\n", For: textTemplateSample, Letter: mail, Edit: "#", Facts: []pair{{Name: "File", Value: "templates/welcome.txt", Code: true}, {Name: "Sent by", Value: "base-employee"}}}
	one.Text += "\nWelcome to {{.Company}}!\n"
	broken := one
	broken.Text = "Subject: Welcome to {{.Company}}! Your onboarding guide\n\nHi {{.Persn.First}},\n"
	broken.Letter, broken.Query, broken.None, broken.Problem = nil, "zzz", true, &notice{Kind: "bad", Icon: "x", Title: "It cannot be put into words", Text: "templates/welcome.txt:3:5: a message has no \"Persn\"."}
	// The colours are those in which the page itself is shown.
	look := dayone.Brand{Seq: 2, Company: "Company AG", Accent: "#1555b3", Night: "#8ab8ff", Footer: "Company AG", Help: "it@company.com", At: view.now, By: "kim@company.com", Note: "accent"}
	was := dayone.Brand{Seq: 1, Company: "Company AG", At: view.now.AddDate(0, 0, -3), By: "kim@company.com", Note: "company name, mail footer, help"}
	pale := look
	pale.Accent = "#9ad1c4"
	wrong := flow.Faulty{"accent": "#9ad1c4 cannot be read by day: its contrast is 1.5 to 1, and text needs 4.5; #4e6a63 is the nearest darker colour that can", "logo": "line 3 of the logo: a logo has no <script>: it may only draw"}
	calendars := newCalendars(view, []flow.Calendar{
		{Country: "DE", Sites: []string{"Berlin", "München"}, Days: []flow.Holiday{{Day: "2024-12-25", Name: "Erster Weihnachtstag"}, {Day: "2025-01-06", Site: "München"}, {Day: "2025-05-01", Name: "Tag der Arbeit"}}},
		{Country: "US", Sites: []string{"San Francisco"}},
	}, view.now)
	given := flow.Delivery{Webhook: "tickets", Given: true, Letter: dayone.Letter{Once: "msg_01jd9x0000000000000000000a.ready.tickets", Kind: "run.ready", About: "run_01jd9x0000000000000000000a", Made: view.now.Add(-time.Hour), Sent: view.now.Add(-time.Hour)}}
	late, up, test := given, given, given
	late.Given, late.Tries, late.Next, late.Error, late.Sent, late.Once, late.Kind = false, 3, view.now.Add(time.Minute), "webhooks.tickets: posting: it does not answer", time.Time{}, "msg_01jd9x0000000000000000000b.failed.tickets", "run.failed"
	up.Kind, up.Given, up.Up, up.Error, up.Once = "run.undone", false, true, "webhooks.tickets: posting: it refused the body (HTTP 410)", "msg_01jd9x0000000000000000000c.undone.tickets"
	test.Kind, test.About, test.Once = "webhook.test", "webhook.test", "msg_01jd9x0000000000000000000d"
	told := []flow.Delivery{late, given, up, test}
	github := SystemForm{Kind: "github", Title: "GitHub", Name: "github", Where: "dayone.yaml:41", New: true, Fields: []SystemField{
		{Name: "url", Type: "url", Help: "the API; of GitHub Enterprise Server it ends in /api/v3", Required: true, Default: "https://api.github.com", Value: "https://github.company.com/api/v3"},
		{Name: "token", Type: "secret", Help: "a token of an organization owner with the scope admin:org (classic) or the organization permission Members: read and write (fine-grained); or give an app instead", Held: "x"},
		{Name: "organization", Type: "text", Help: "the organization's name as it stands in its address", Example: "acme", Required: true, Value: "company"},
		{Name: "accounts", Type: "choice", Help: "by invite: people are found by their GitHub login; by scim: by their mail address, which needs Enterprise Cloud with SAML single sign-on of this organization", Choices: []string{"invite", "scim"}, Default: "invite"},
	}}
	tried := Written{Form: github, Lines: "+   github:  # GitHub: docs/systems/github.md\n+     connector: github\n+     settings:\n+       organization: company\n+       token: \"${file:github.token.secret}\"\n+       url: \"https://github.company.com/api/v3\"\n", Files: []string{"github.token.secret"}, Findings: []SystemFinding{
		{"ok", "configuration", "GitHub"}, {"warning", "accounts", "none is shown: if there are some, we may not see them"}, {"error", "connection and rights", "github: checking: it does not let us in"},
	}}
	wrongForm := github
	wrongForm.Fields = append([]SystemField{}, github.Fields...)
	wrongForm.Fields[0].Error, wrongForm.Fields[0].Value = "URL is an address, such as https://api.github.com.", "github.company.com"
	saved := tried
	saved.Findings, saved.Where, saved.Next, saved.Form.New = nil, "dayone.yaml:41", []string{"It counts when the server is started again."}, false
	saved.Form.Fields = slices.Clone(saved.Form.Fields)
	saved.Form.Fields[1].Held, saved.Form.Fields[1].Set = "", true // it is in the file now
	return []sample{
		{"systemforms", "Add or change a system", "systemforms", false, false, newSystemForms(view, []SystemSet{{"okta", "okta", "Okta", "dayone.yaml:41"}}, []SystemKind{{"gitlab", "GitLab", "Members of a gitlab.com group by SCIM, and their roles in its subgroups."}}, "System changed: okta (Okta), by kim@company.com")},
		{"webhooks", "Webhook deliveries", "webhooks", false, false, newWebhooks(view, []flow.Webhook{{Name: "tickets", Where: "tickets.company.com"}}, told)},
		{"webhooks-quiet", "Webhook deliveries, nothing yet", "webhooks", false, false, newWebhooks(view, []flow.Webhook{{Name: "tickets", Where: "tickets.company.com", Events: []string{"ready"}}}, nil)},
		{"webhooks-none", "Webhook deliveries, no webhook", "webhooks", false, false, newWebhooks(view, nil, nil)},
		{"systemforms-none", "Add or change a system, no file", "systemforms", false, false, systemFormsView{Empty: &empty{Icon: "system", Title: "Nothing is configured by a file here", Text: textSetupNone}}},
		{"system-form", "Add a system, tried", "system-form", false, false, newSystemForm(view, tried, false)},
		{"system-form-wrong", "Add a system, not right", "system-form", false, false, newSystemForm(view, Written{Form: wrongForm, Faults: 1}, false)},
		{"system-form-saved", "Change a system, written", "system-form", false, false, newSystemForm(view, saved, true)},
		{"settings", "Settings", "settings", false, false, newSettings(view, everywhere)},
		{"roles", "Roles", "roles", false, false, roles},
		{"roles-none", "Roles, none", "roles", false, false, rolesView{Roles: roles.Roles, Empty: &empty{Icon: "lock", Title: "Nobody has a role here", Text: textRolesNone}}},
		{"messages", "Messages", "templates", false, false, templatesView{Rows: []item{{State: &state{Icon: "mail", Text: "Message"}, Title: link{"welcome", "#"}, Meta: view.label(textTemplateBuiltIn), Next: view.say(textTemplateUsed, "Everyone on the payroll")}}}},
		{"message", "A message", "template", false, false, one},
		{"message-broken", "A message that cannot be written", "template", false, false, broken},
		{"branding", "Branding", "branding", false, false, newBranding(view, look, []dayone.Brand{look, was}, nil, "Company")},
		{"branding-wrong", "Branding, not right", "branding", false, false, newBranding(view, pale, []dayone.Brand{was}, wrong, "Company")},
		{"calendars", "Calendars", "calendars", false, false, calendarsView{Calendars: calendars, Uses: calendarUses(view), May: true}},
		{"calendars-none", "Calendars, none", "calendars", false, false, calendarsView{Uses: calendarUses(view), May: true, Empty: &empty{Icon: "calendar", Title: "No calendars yet", Text: textCalendarsNone}, Problem: &notice{Kind: "bad", Icon: "x", Title: "Nothing was brought in", Text: "Line 2: \"25.12.2025\" is no day; write 2025-12-25."}}},
	}
}
