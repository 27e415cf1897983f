package policy

import (
	"slices"

	"github.com/dayone-hq/dayone"
)

// shape is one kind of mapping in the files: what it is called, and its keys in the order in which they are written. The
// loader, the JSON schemas and the formatter all go by it, so that none of them knows a key that another does not.
type shape struct {
	what string // as messages name it
	keys []key
	line bool                 // written on one line where it fits
	file bool                 // a file of lists, which empty lines set apart
	more func(*drafts, draft) // what the schema says beside the keys
}

// key of a mapping.
type key struct {
	name string
	is   value
	help string // what an editor shows
	must bool
}

// value is what may stand behind a key: a mapping of a shape, a list or a table of values, or a plain one that only its
// draft describes.
type value struct {
	form form
	of   *shape
	elem *value
	say  func(*drafts) draft
}

type form int

const (
	plainForm  form = iota
	recordForm      // a mapping with the keys of a shape
	listForm        // a list of elem
	tableForm       // a mapping with free keys to elem
)

func record(of *shape) value { return value{form: recordForm, of: of} }
func listOf(v value) value   { return value{form: listForm, elem: &v} }
func tableOf(v value) value  { return value{form: tableForm, elem: &v} }

func say(f func(*drafts) draft) value { return value{say: f} }
func saying(d draft) value            { return value{say: func(*drafts) draft { return d }} }

// names of all keys.
func (s *shape) names() []string {
	out := make([]string, len(s.keys))
	for i, k := range s.keys {
		out[i] = k.name
	}
	return out
}

// key finds one, or nil.
func (s *shape) key(name string) *key {
	if s == nil {
		return nil
	}
	for i := range s.keys {
		if s.keys[i].name == name {
			return &s.keys[i]
		}
	}
	return nil
}

// Words that values may be.
var (
	criticalWords   = []string{"stop", "rollback", "continue"}
	tierWords       = []string{"identity", "base", "department", "role", "device"}
	needWords       = []string{"any", "all"}
	dutyWords       = []string{"block", "warn"}
	momentWords     = wordsOf(dayone.Moments, dayone.OnChanged)
	digestWords     = []string{"daily"}
	typeWords       = []string{"string", "int", "bool", "date", "list"}
	mergeWords      = []string{"error", "max", "min", "any", "all", "union"}
	stateNames      = []string{"staged", "enabled", "disabled"}
	boolWords       = []string{"true", "false"}
	attributesWords = []string{"only"}
	authorityWords  = wordsOf(dayone.Authorities)

	// recipients that a notify may name beside addresses, ${...} and system/channel
	recipients = []string{"new-hire", "person", "manager", "buddy"}
)

// everyone is what a policy's match says instead of attributes.
const everyone = "everyone"

// policies/*.yaml

var policyFileShape = shape{what: "a policy file", file: true, keys: []key{
	{name: "bundles", is: tableOf(listOf(record(&bundledShape))), help: "grants under a name, for {bundle: NAME} in any file"},
	{name: "policies", is: listOf(record(&policyShape)), help: "who gets what; there is no order and no priority"},
	{name: "sod", is: listOf(record(&dutyShape)), help: "separation of duties: what one person must not have at the same time"},
}}

var policyShape = shape{
	what: "a policy", keys: []key{
		{name: "id", is: anID, must: true, help: "short, lower case, never changed: grants and records name it"},
		{name: "title", is: aText, help: "one line, as pages and mails show it"},
		{name: "owner", is: aText, must: true, help: "who answers for it: a mail address"},
		{name: "control", is: someTexts, help: "which controls it serves: SOC2 CC6.2"},
		{name: "match", is: say((*drafts).match), help: "for whom, in the plain form: {department: Sales}, {team: [A, B]}; or everyone"},
		{name: "when", is: aCondition, help: `for whom, as a CEL condition: person.department == "Sales"`},
		{name: "for_status", is: someOf(statusWords()), help: "pre-hire, active and leave, if nothing is written"},
		{name: "from", is: aMoment, help: "when it begins: -3d, -15wd (working days), start, or a date such as person.start_date"},
		{name: "until", is: aMoment, help: "when it ends: a date such as person.end_date"},
		{name: "limit", is: aLength, help: "never longer than this after the start: 180d"},
		{name: "grant", is: listOf(record(&ruleShape)), help: "what it gives"},
		{name: "offer", is: listOf(record(&ruleShape)), help: "what may be asked for"},
		{name: "deny", is: listOf(record(&denyShape)), help: "what nobody it holds for may have, whatever grants it"},
		{name: "notify", is: listOf(record(&notifyShape)), help: "who is told"},
		{name: "on_revoke", is: record(&releaseShape), help: "what losing an account does"},
		{name: "critical", is: oneOfThese(criticalWords), help: "what a failure does to the run"},
		{name: "tier", is: oneOfThese(tierWords), help: "where plans show it; guessed if nothing is written"},
	},
	more: func(_ *drafts, d draft) {
		d["anyOf"] = []draft{{"required": []string{"match"}}, {"required": []string{"when"}}}
	},
}

var ruleShape = shape{
	what: "a grant", line: true, keys: []key{
		{name: "to", is: say((*drafts).entitlement), help: "system/kind:name"},
		{name: "bundle", is: say((*drafts).bundle), help: "the grants of a bundle, instead of to"},
		{name: "product", is: say((*drafts).bundle), help: "all that belongs to a product, instead of to"},
		{name: "role", is: aText, help: "where the catalogue has roles; of two the higher one wins"},
		{name: "params", is: saying(draft{"type": "object"}), help: "values, or ${...} over person and site"},
		{name: "if", is: aCondition, help: "for this line alone"},
		{name: "from", is: aMoment, help: "over the policy's"},
		{name: "until", is: aMoment, help: "over the policy's"},
		{name: "approval", is: record(&approvalShape), help: "given when somebody has agreed"},
		{name: "for", is: aLength, help: "offers: how long once it is granted"},
		{name: "review", is: aLength, help: "how often somebody confirms it"},
		{name: "grace", is: aLength, help: "how long it stays after a move has taken it away"},
		{name: "critical", is: oneOfThese(criticalWords), help: "over the policy's"},
		{name: "needs", is: say((*drafts).entitlements), help: "what must be there first"},
	},
	more: func(w *drafts, d draft) {
		d["oneOf"] = []draft{{"required": []string{"to"}}, {"required": []string{"bundle"}}, {"required": []string{"product"}}}
		w.byKind(d)
	},
}

// bundledShape is a grant where no bundle or product may be named: a bundle cannot hold a bundle.
var bundledShape = without("a grant of a bundle", ruleShape, "bundle", "product")

// productRuleShape is a grant of a product: what it is. Who gets it and when, and who agrees, is for policies to say.
var productRuleShape = without("a grant of a product", ruleShape, "bundle", "product", "if", "from", "until", "for", "approval", "review")

// without is a shape of grants that lacks some keys.
func without(what string, s shape, names ...string) shape {
	s.what, s.keys = what, slices.DeleteFunc(slices.Clone(s.keys), func(k key) bool { return slices.Contains(names, k.name) })
	s.more = func(w *drafts, d draft) {
		d["required"] = []string{"to"}
		w.byKind(d)
	}
	return s
}

var approvalShape = shape{what: "approval", keys: []key{
	{name: "by", is: someTexts, must: true, help: "manager, owner, group:NAME or a mail address"},
	{name: "need", is: oneOfThese(needWords), help: "any of them, or all"},
	{name: "within", is: aLength, help: "silence for so long is no; 14d if nothing is written"},
}}

var denyShape = shape{what: "a deny", line: true, keys: []key{
	{name: "to", is: say((*drafts).entitlement), must: true, help: "system/kind:name"},
	{name: "if", is: aCondition, help: "for this line alone"},
	{name: "reason", is: aText, must: true, help: "people will ask"},
}}

var notifyShape = shape{
	what: "a notify", line: true, keys: []key{
		{name: "on", is: say((*drafts).moments), help: "ready if nothing is written; {changed: [manager, team]} for attributes"},
		{name: "to", is: say((*drafts).recipients), must: true, help: "new-hire, manager, buddy, an address, ${...} or slack/channel:#NAME"},
		{name: "template", is: say((*drafts).template), help: "a message: templates/NAME.txt, or one that is built in"},
		{name: "invite", is: say((*drafts).invitation), help: "a calendar invitation instead"},
		{name: "digest", is: oneOfThese(digestWords), help: "gathered: one message a day to each of them"},
	},
	more: func(_ *drafts, d draft) {
		d["oneOf"] = []draft{{"required": []string{"template"}}, {"required": []string{"invite"}}}
	},
}

var changedShape = shape{what: "a change", line: true, keys: []key{
	{name: "changed", is: say((*drafts).attributes), must: true, help: "attributes of people.yaml"},
}}

var releaseShape = shape{what: "on_revoke", keys: []key{
	{name: "suspend", is: aLength, help: "after so long it is disabled"},
	{name: "delete_after", is: aLength, help: "counted from the confirmed disable"},
}}

var dutyShape = shape{what: "a separation of duty", keys: []key{
	{name: "id", is: anID, must: true},
	{name: "title", is: aText},
	{name: "owner", is: aText, help: "who answers for it"},
	{name: "control", is: someTexts},
	{name: "never", is: say((*drafts).pair), must: true, help: "what does not go together"},
	{name: "on", is: oneOfThese(dutyWords), help: "block withholds the later side; warn only says so"},
	{name: "waive", is: record(&waiveShape), help: "who may let one person have both"},
}}

var waiveShape = shape{what: "waive", keys: []key{
	{name: "by", is: someTexts},
	{name: "for", is: aLength},
}}

// products/*.yaml

var productFileShape = shape{what: "a product file", file: true, keys: []key{
	{name: "products", is: listOf(record(&productShape)), help: "what people know a bundle of grants by; policies say who gets it or may ask for it"},
}}

var productShape = shape{what: "a product", keys: []key{
	{name: "id", is: saying(draft{"type": "string", "pattern": productID.String()}), must: true, help: "small letters, digits and hyphens, never changed: requests name it"},
	{name: "title", is: aText, must: true, help: "what people call it"},
	{name: "domain", is: say((*drafts).domain), must: true, help: "under which it stands; any other may be named"},
	{name: "icon", is: oneOfThese(dayone.ProductIcons)},
	{name: "owner", is: aText, must: true, help: "who answers for it: a mail address"},
	{name: "description", is: aText, help: "one or two sentences for whoever picks it"},
	{name: "prerequisites", is: someTexts, help: "products that must be there, too"},
	{name: "grant", is: listOf(record(&productRuleShape)), must: true, help: "what belongs to it"},
}}

// exceptions/*.yaml

var exceptionFileShape = shape{what: "an exception file", file: true, keys: []key{
	{name: "exceptions", is: listOf(record(&exceptionShape)), help: "what one person gets, does not get or keeps although policies say otherwise"},
	{name: "waivers", is: listOf(record(&waiverShape)), help: "who may have both sides of a separation of duty for a while"},
}}

var exceptionShape = shape{
	what: "an exception", keys: []key{
		{name: "person", is: aText, must: true, help: "id, mail address or employee number"},
		{name: "add", is: say((*drafts).added), help: "system/kind:name, or a grant"},
		{name: "withhold", is: say((*drafts).entitlement)},
		{name: "keep", is: say((*drafts).entitlement)},
		{name: "reason", is: aText, must: true},
		{name: "approver", is: aText, must: true, help: "somebody else"},
		{name: "until", is: aDay, must: true, help: "its last day"},
	},
	more: func(_ *drafts, d draft) {
		d["oneOf"] = []draft{{"required": []string{"add"}}, {"required": []string{"withhold"}}, {"required": []string{"keep"}}}
	},
}

var waiverShape = shape{what: "a waiver", keys: []key{
	{name: "person", is: aText, must: true, help: "id, mail address or employee number"},
	{name: "sod", is: aText, must: true, help: "id of the separation of duty"},
	{name: "control", is: aText, must: true, help: "what mitigates it"},
	{name: "reason", is: aText},
	{name: "approver", is: aText, must: true, help: "somebody else"},
	{name: "until", is: aDay, must: true, help: "its last day"},
}}

// tests/*.yaml

var testFileShape = shape{what: "a test file", file: true, keys: []key{
	{name: "people", is: say((*drafts).somebodies), help: "somebody made up, by name"},
	{name: "tests", is: listOf(record(&testShape))},
}}

var testShape = shape{what: "a test", keys: []key{
	{name: "name", is: aText, must: true},
	{name: "person", is: aText, must: true, help: "one of people"},
	{name: "change", is: say((*drafts).somebody), help: "what is different of her"},
	{name: "today", is: aDay, must: true},
	{name: "expect", is: record(&expectShape), must: true, help: "what it does not name is not checked"},
}}

var expectShape = shape{what: "expect", keys: []key{
	{name: "count", is: saying(draft{"type": "integer", "minimum": 0}), help: "of all grants"},
	{name: "systems", is: say((*drafts).systems), help: "all of them in which she is given something"},
	{name: "grants", is: expectedGrants, help: "these are among them"},
	{name: "none", is: say((*drafts).entitlements), help: "none of these is given"},
	{name: "added", is: expectedGrants, help: "by the change; [] for nothing"},
	{name: "removed", is: expectedGrants, help: "by the change; [] for nothing"},
	{name: "changed", is: expectedGrants, help: "by the change: another role or parameter; [] for nothing"},
	{name: "offers", is: expectedGrants, help: "what may be asked for; [] for nothing"},
	{name: "pending", is: expectedGrants, help: "what waits for an approval; [] for nothing"},
	{name: "sod", is: someTexts, help: "separations of duty that are touched; [] for none"},
}}

var expectedShape = shape{what: "an expected grant", line: true, keys: []key{
	{name: "to", is: say((*drafts).entitlement), must: true},
	{name: "role", is: aText},
	{name: "params", is: saying(draft{"type": "object"})},
	{name: "because", is: someTexts, help: "ids of the policies that give it, all of them"},
	{name: "until", is: saying(draft{"type": "string", "pattern": `^(open|\d{4}-\d{2}-\d{2})$`}), help: "its last day, or open"},
}}

var expectedGrants = value{form: listForm, elem: &value{form: recordForm, of: &expectedShape}, say: (*drafts).expected}

// people.yaml

var peopleShape = shape{what: "people.yaml", keys: []key{
	{name: "attributes", is: tableOf(record(&attributeShape)), help: "what policies may read of a person; custom.NAME for your own"},
	{name: "sources", is: tableOf(record(&sourceShape)), help: "what a source of dayone.yaml is trusted with, where that is not all"},
	{name: "lists", is: tableOf(someTexts), help: "values under a name, for lists.NAME in conditions"},
	{name: "letters", is: tableOf(aText), help: "how names are written in plain letters, where not as everywhere: {ä: ae}"},
	{name: "defaults", is: record(&defaultsShape)},
}}

var attributeShape = shape{what: "an attribute", keys: []key{
	{name: "type", is: oneOfThese(typeWords)},
	{name: "from", is: say((*drafts).sources), help: "hr.FIELD, SOURCE.FIELD, site.FIELD or dayone.NAME; of several the first that has a value"},
	{name: "derived", is: aFlag, help: "made by Dayone, not taken from a source"},
	{name: "optional", is: aFlag, help: "not everybody has it: conditions ask has() first"},
	{name: "pii", is: aFlag, help: "kept under the person's own key"},
	{name: "values", is: someTexts, help: "any other value is flagged, and the last good one stays"},
	{name: "made", is: aText, help: "how it is made where no source says it, never the same twice: ${preferred_name|first_name}.${last_name}@company.com"},
	{name: "max", is: saying(draft{"type": "integer", "minimum": 3, "maximum": 256}), help: "most letters of what is made"},
	{name: "free_in", is: someTexts, help: "systems that are asked whether they have it already"},
}}

var sourceShape = shape{what: "a source", keys: []key{
	{name: "attributes", is: oneOfThese(attributesWords), help: "only: a directory; it says how somebody is reached, not that somebody works here"},
}}

var defaultsShape = shape{what: "defaults", keys: []key{
	{name: "from", is: say((*drafts).leads), help: "when grants begin, by kind: {device: -15wd, account: -3d, entitlement: with-account}"},
	{name: "lifecycle", is: record(&lifecycleShape), help: "the state of accounts by the status of their owner"},
	{name: "systems", is: tableOf(record(&systemDefaultsShape)), help: "exceptions for one system"},
}}

var systemDefaultsShape = shape{what: "a system's defaults", keys: []key{
	{name: "lifecycle", is: record(&lifecycleShape)},
}}

var lifecycleShape = shape{what: "lifecycle", keys: []key{
	{name: "pre-hire", is: oneOfThese(stateNames)},
	{name: "active", is: oneOfThese(stateNames)},
	{name: "leave", is: oneOfThese(stateNames)},
	{name: "garden-leave", is: oneOfThese(stateNames), help: "leave until the last day, in which nobody may work; as leave, unless said"},
	{name: "terminated", is: record(&terminatedShape)},
	{name: "enable", is: saying(draft{"type": "string", "pattern": `^(start|-?\d{1,4}[dh])$`}), help: "accounts open so long before the start: -2d, -12h"},
}}

var terminatedShape = shape{what: "terminated", keys: []key{
	{name: "disable", is: aLength, help: "now, or after so long"},
	{name: "delete_after", is: aLength, help: "counted from the confirmed disable"},
}}

// sites.yaml

var sitesShape = shape{what: "sites.yaml", keys: []key{
	{name: "sites", is: tableOf(record(&siteShape)), help: "what a location means"},
	{name: "company", is: record(&siteShape), help: "what an unknown location falls back to"},
}}

var siteShape = shape{what: "a site", keys: []key{
	{name: "country", is: saying(draft{"type": "string", "minLength": 2, "maxLength": 2}), help: "two letters of ISO 3166-1"},
	{name: "zone", is: saying(draft{"type": "string"}), help: "IANA name: Europe/Berlin"},
	{name: "address", is: aText},
	{name: "numbers", is: aText, help: "pool of phone numbers"},
	{name: "holidays", is: value{say: func(*drafts) draft { return oneOrMany(dayDraft()) }}, help: "2025-12-25"},
	{name: "facts", is: tableOf(aText), help: "what messages and conditions may name"},
}}

// catalog/*.yaml

var catalogueShape = shape{what: "a catalogue", keys: []key{
	{name: "systems", is: tableOf(tableOf(record(&kindShape))), help: "system: kind: what it offers"},
}}

var kindShape = shape{what: "a kind", keys: []key{
	{name: "title", is: aText},
	{name: "names", is: someTexts, help: "what there is; none: each person has one"},
	{name: "roles", is: someTexts, help: "from the lowest to the highest"},
	{name: "exclusive", is: aFlag, help: "one value at a time"},
	{name: "default", is: aText, help: "what an exclusive one falls back to"},
	{name: "needs", is: someTexts, help: "kinds of the same system that must be there first"},
	{name: "sensitive", is: aFlag, help: "grants need an approval: of the manager, if neither policy nor catalogue says of whom"},
	{name: "approval", is: record(&approvalShape), help: "whoever gives it, these are asked"},
	{name: "authority", is: oneOfThese(authorityWords), help: "who decides about it: policies alone, policies beside others, or others"},
	{name: "authority_of", is: tableOf(oneOfThese(authorityWords)), help: "the same by name, where it differs: {sales-team: exclusive}"},
	{name: "supply", is: aText, help: "what has to be ordered first: procurement/order"},
	{name: "implied", is: aFlag, help: "an account that comes along with whatever needs it"},
	{name: "params", is: tableOf(record(&paramShape))},
	{name: "read_only", is: aText, help: "it cannot be granted, and this is what to grant instead"},
	{name: "whole_set", is: aFlag, help: "the vendor's write replaces the whole list"},
}}

var paramShape = shape{what: "a parameter", keys: []key{
	{name: "type", is: oneOfThese(typeWords)},
	{name: "merge", is: oneOfThese(mergeWords), help: "how the values of two policies become one"},
}}
