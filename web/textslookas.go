package web

// Texts of the demo's switch.
const (
	textAsAdministrator = "Administrator"
	textAsNewHire       = "%s, new hire"
	textAsManager       = "%s, her manager"
	textAsAuditor       = "Auditor"
	textNobodyThere     = "The demo cannot be looked at as this one. Choose one of the buttons."
)
