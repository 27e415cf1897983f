package web

import (
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/locale"
)

// cast is what customers, their people and their sources call things, and have written, on the pages of the gallery.
var cast = []string{
	// people
	"Sarah Chen", "Sarah", "Chen", "Nour الزهراني", "Ngozi Eze", "Ben Cole", "John Doe", "Priya Patel", "Raj Patel", "María José Núñez Delgado", "Zoë Łukasiewicz-Ørsted", "Wilhelmina Featherstonehaugh-Cholmondeley", "Αλέξανδρος Παπαδημητρίου", "S. Chen-Müller",
	"Maximiliane-Charlotte von Hohenstein-Wolfeschlegelstein", "Prof. Dr. Maximiliane-Charlotte Wolfeschlegelsteinhausenbergerdorff", "Ngozi Chimamanda Eze-Nwachukwu", "Łucja Đặng", "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine", "Wolfeschlegelsteinhausenbergerdorff",
	// what is known of them
	"Sales", "Engineering", "Sales Engineer", "Account Executive", "Legal", "Security", "Enterprise", "San Francisco", "Berlin", "London", "Mars", "Accountant", "Finance", "München", "Payroll", "Seniors", "Security", "Collaboration", "sarah.chen@company.com", "john.doe@company.com", "kim@company.com", "emp_789", "emp_790",
	// systems, products, groups, policies, pools, devices, calendars
	"Okta", "Slack", "Salesforce", "GitLab", "Notion", "Google Workspace", "AWS", "Jamf", "Procurement", "Badge", "Entra", "Cisco Unified CM", "Cisco Unified CM US", "Cisco Meraki", "Cisco Unity Connection", "Sales Cloud", "GitLab for customers", "GitLab group platform", "Managed Mac", "Business Plus",
	"Sales department", "Everyone on the payroll", "Department Sales", "#general", "sales-team", "base-employee", "admins", "Berlin direct dial", "London, Mayfair and the City with a name that is longer than most", "Telekom", "Colt", "Cisco 8845", "ThinkPad X1", "MacBook Pro 14", "Erster Weihnachtstag", "Tag der Arbeit", "Quotes",
	"Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "Migration of the billing system", "Case 12/24, Company v. Chen", "Intro call", "Key cabinet", "UPS", "Company AG",
	// what somebody has written
	"Order a MacBook Pro 14", "Take the laptop back", "Hand over the badge", "Order laptop 1", "Order it from https://shop.example/standard-14 with express delivery", "Order it from https://shop.example/standard-14 with express delivery.", "hired by mistake", "call me", "Her name is spelt wrong in GitLab.", "Her name is spelt wrong in GitLab",
	"On call from Monday", "The quarter's end", "A look at last month's bill", "Not before the training", "Looks after the build servers", "only so many seats", "as the offer says", "offer 4711", "CHG-1234, Google moves the tenant", "CHG-1234", "CHG-1234: the sales team is called off", "CHG-1234: we move to a wiki", "the team is called off", "new tenant", "the quarter's end", "For those who still need it", "New requests of mid-market customers in Salesforce",
	"Sarah Chen starts Monday", "Welcome to Company! Your onboarding guide", "HR mends it with the next payroll", "the site in Bremen closes", "INC-4711: wrong channels", "wrong channels", "wrong policies", "Covers for Max during his parental leave", "One sign-in for everything, with a second factor",
}

// Whatever a customer calls something, it is no text of ours, though it may be written like one: a department Sales, a group
// Done, a product Request Manager, somebody called May. Here the catalogue has every name of the gallery, as a text and as the
// beginning of one, and what said a name again would show it.
func TestNamesStayOnEveryPage(t *testing.T) {
	t.Parallel()
	known, _ := texts(t)
	catalogue := map[string]string{}
	for text := range known {
		if isText(text) {
			catalogue[text] = text
		}
	}
	maps.Copy(catalogue, locale.Of("de").Texts())
	for _, name := range slices.Concat(cast, sampleNames) {
		catalogue[name] = "☠" + name + "☠"
		if first, _, ok := strings.Cut(name, " "); ok && !strings.Contains(name, ",") {
			catalogue[first+" %s"] = "☠" + first + " %s☠"
		}
	}
	l := locale.New("de", catalogue)
	v := newRenderer("test").speaking(l)
	seen, said := map[string]bool{}, regexp.MustCompile(`.{0,50}☠[^☠\n]*☠.{0,30}`)
	for _, s := range samples(viewer{zone: noon.Location(), now: noon, in: l}) {
		for line := range strings.Lines(pageOfSample(t, v, s)) {
			if !strings.Contains(line, "☠") { // what is around a name costs too much to look for where there is none
				continue
			}
			for _, text := range said.FindAllString(line, -1) {
				if text = html.UnescapeString(text); !seen[text] {
					t.Errorf("%s: %s", s.name, text)
				}
				seen[text] = true
			}
		}
	}
}
