package web

import "github.com/dayone-hq/dayone"

// Words of the settings.

// settingsPages are what is set for the whole company, by what people look for.
var settingsPages = []struct {
	title string
	pages []struct{ title, path, text string }
}{
	{"Who gets in", []struct{ title, path, text string }{
		{"Roles", "/settings/roles", "Who may do what, and which line says so"},
		{"API tokens", "/tokens", "What lets programs call the API"},
		{"Sessions", "/sessions", "Browsers that are signed in"},
	}},
	{"What people see", []struct{ title, path, text string }{
		{"Messages", "/settings/templates", "Mails, posts and invitations, as they would read"},
		{"Branding", "/settings/branding", "Name, logo, colour, what stands below mails, and where people find help"},
	}},
	{"How days are counted", []struct{ title, path, text string }{
		{"Calendars", "/settings/calendars", "Holidays by country, and what counts working days"},
		{"Hours saved", "/settings/effort", "How many minutes a step is worth, and how soon starters are ready"},
	}},
	{"What is connected", []struct{ title, path, text string }{
		{"Add or change a system", "/settings/systems", "Settings of each system, from what its connector says it needs"},
		{"Webhook deliveries", "/settings/webhooks", "What programs were told of runs that ended, and what they answered"},
	}},
}

const (
	textRoleWhere = "%s, %s. It is changed there, and counts when the server is started again."
	textRoleToken = "the API token %s"
	textRoleMade  = "Made here by %s. It is ended under API tokens."
	textRolesNone = "Roles are given in dayone.yaml: portal.sign_on.roles for groups of the identity provider, portal.tokens for single logins."

	textTemplateBuiltIn = "As Dayone brings it"
	textTemplateOwn     = "Your own: %s"
	textTemplateUsed    = "Sent by %s"
	textTemplateSample  = "somebody made up"

	textNoCountry     = "Sites without a country"
	textOnlyAt        = "%s (%s only)"
	textNextHoliday   = "Next: %s, %s."
	textNoHolidays    = "No holiday ahead is known: every Monday to Friday counts."
	textCalendarsNone = "Every Monday to Friday counts as a working day. Bring in the holidays of a country as an .ics or .csv file below, and name the country of each site in sites.yaml."
	textCalendarNote  = "Holidays of %s, %s"
	textCalendarSays  = "%s: %s read, %d new, %d taken out."

	textBrandCompany = "In the portal, in mails and on certificates. Empty: %s, as dayone.yaml says"
	textBrandAccent  = "Such as #1555b3: links and buttons. Text in it has to be readable, 4.5 to 1"
	textBrandNight   = "Empty: made lighter until it can be read"
	textBrandHelp    = "A mail address or an https address, on pages of employees and in mails"
	textBrandFooter  = "Such as the company's name and address"
	textBrandWrong   = "What is wrong stands below its field. What counts has not changed."
	textLogoBase64   = "The logo is no base64."
)

// calendarUses is what counts working days.
func calendarUses(view viewer) []pair {
	return []pair{
		{Name: "Policies", Value: view.label("Windows such as lead: 15 working days, and every device's own")},
		{Name: "Messages", Value: view.label("Days before or after a first day on which they go, and the warning of a first day at risk, at nine o'clock on the last working day before it")},
		{Name: "Approvals and tasks", Value: view.label("Reminders, escalation and due days, where the person works")},
		{Name: "Alerts", Value: view.label("How long a source may be silent, where the company is")},
	}
}

// roleTitles are what roles are called.
var roleTitles = map[dayone.Role]string{
	dayone.Administrator: "Administrator", dayone.HR: "HR", dayone.Operator: "Operator", dayone.Approver: "Approver", dayone.Auditor: "Auditor", dayone.Employee: "Employee",
}

// roleTexts say what a role may do.
var roleTexts = map[dayone.Role]string{
	dayone.Administrator: "Everything, also settings, tokens and what cannot be undone",
	dayone.HR:            "People and what is said of them, also what is confidential",
	dayone.Operator:      "Runs, tasks, systems, and approvals that somebody gave",
	dayone.Approver:      "Approvals and tasks",
	dayone.Auditor:       "Sees everything but secrets and what is confidential, and writes nothing",
	dayone.Employee:      "Whoever signs in and has no other: herself, her people, and what she is asked",
}

// Words of the form of a system.
const (
	textSetupNone    = "Systems stand in `dayone.yaml` of a server: `dayone init` writes one, and `dayone system add` puts systems into it."
	textSetupDefault = "As it is by default: %s"
	textSetupEmpty   = "Empty: %s"
	textSetupExample = "Such as %s"
	textSecretHeld   = "Given a moment ago, and kept for 15 minutes; leave this empty to use it"
	textSecretSet    = "It is set, and never shown; leave this empty to keep it, unless another setting changes"
	textSecretNew    = "The secret itself, which is put into a file of its own, or where it lies: ${env:NAME} or ${file:PATH}"
)

// Words of webhooks.
const (
	textWebhook       = "%s; told of: %s"
	textWebhooksNone  = "Write `webhooks: {NAME: {url: ..., secret: ${file:...}}}` into `dayone.yaml`, and programs are told when a run ends."
	textWebhooksQuiet = "The next run that ends is told here. Send a test to see whether it arrives."
	textWebhookTries  = "Failed %s, sent again %s: %s."
)
