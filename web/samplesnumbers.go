package web

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sampleNumbers are the pages of telephone numbers in their states.
func sampleNumbers(view viewer) []sample {
	now := view.now
	counts := func(assigned, reserved, rest, held, free int) map[dayone.NumberState]int {
		out := map[dayone.NumberState]int{}
		for s, n := range map[dayone.NumberState]int{dayone.NumberAssigned: assigned, dayone.NumberReserved: reserved, dayone.NumberQuarantine: rest, dayone.NumberOnHold: held, dayone.NumberFree: free} {
			if n > 0 {
				out[s] = n
			}
		}
		return out
	}
	// The map and the figures are counted from the same numbers, in tens.
	sum := map[dayone.NumberState]int{}
	var cells, coming []flow.NumberCell
	for i := range 90 {
		x := flow.NumberCell{First: dayone.NumberID(fmt.Sprintf("+49301234%03d0", i)), Last: dayone.NumberID(fmt.Sprintf("+49301234%03d9", i))}
		free, rest, held, kept := min(10, max(0, i-78)), 8*btoi(i/4 == 10), 6*btoi(i == 0), 7*btoi(i/2 == 30)
		x.Count = counts(10-free-rest-held-kept, kept, rest, held, free)
		for is, n := range x.Count {
			sum[is] += n
		}
		cells = append(cells, x)
	}
	for i := range 10 {
		coming = append(coming, flow.NumberCell{First: dayone.NumberID(fmt.Sprintf("+493012345%02d0", i)), Last: dayone.NumberID(fmt.Sprintf("+493012345%02d9", i)), Count: counts(0, 0, 0, 0, 10)})
	}
	all := maps.Clone(sum)
	all[dayone.NumberFree] += 100
	free := sum[dayone.NumberFree] - 1 // one ends in 00
	berlin := flow.PoolView{
		NumberPool: flow.NumberPool{
			Name: "berlin", Title: "Berlin direct dial", Platform: "cucm-eu", Partition: "DN_BER", Country: "DE", Site: "Berlin", Class: "national", Emergency: "ERL-BER-1", When: `person.location == "Berlin"`,
			Reservation: 720 * time.Hour, Quarantine: 4320 * time.Hour, Low: 20, Vanity: []string{"00"},
		},
		Count: all, Total: 1000, Given: free, Service: flow.NumberClass{Line: "CSS_BER_NAT"}, Outlook: flow.NumberOutlook{Free: free, Needs: 12, PerMonth: 6.5, Exhausted: now.AddDate(0, 10, 0)},
		Ranges: []flow.RangeView{
			{NumberRange: flow.NumberRange{First: "+493012340000", Last: "+493012340899", Carrier: "Telekom", Contract: "4711", Port: "active"}, Count: sum, Total: 900},
			{NumberRange: flow.NumberRange{First: "+493012345000", Last: "+493012345099", Carrier: "Colt", Port: "porting-in", From: now.AddDate(0, 1, 0), Location: "ERL-BER-2"}, Count: counts(0, 0, 0, 0, 100), Total: 100, Shut: now.AddDate(0, 1, 0).Format("the range is ours from 2006-01-02 on")},
		},
	}
	london := berlin
	london.NumberPool.Name, london.NumberPool.Title, london.NumberPool.Site = "london", "London, Mayfair and the City with a name that is longer than most", "London"
	london.Ranges = []flow.RangeView{{NumberRange: flow.NumberRange{First: "+442079460000", Last: "+442079460099", Carrier: "Colt", Contract: "0815", Port: "active"}, Count: counts(90, 0, 10, 0, 0), Total: 100}}
	london.Country, london.Partition, london.Emergency, london.When = "GB", "DN_LON", "ERL-LON-1", `person.location == "London"`
	london.Count, london.Total, london.Given, london.Outlook = counts(90, 0, 10, 0, 0), 100, 0, flow.NumberOutlook{Needs: 4, Short: 4, ShortAt: now.AddDate(0, 0, 3)}
	london.Service = flow.NumberClass{Line: "CSS_LON_NAT"}
	var mayfair []flow.NumberCell
	for i := range 10 {
		rest := 10 * btoi(i == 9)
		mayfair = append(mayfair, flow.NumberCell{First: dayone.NumberID(fmt.Sprintf("+4420794600%d0", i)), Last: dayone.NumberID(fmt.Sprintf("+4420794600%d9", i)), Count: counts(10-rest, 0, rest, 0, 0)})
	}
	one := flow.NumberView{
		Number: dayone.Number{ID: "+493012340017", Pool: "berlin", Range: "+493012340000", Platform: "cucm-eu", Partition: "DN_BER", Pattern: `\+493012340017`, E164: "+493012340017", State: dayone.NumberAssigned, Since: now, Until: now.AddDate(0, 0, 2), Last: samplePerson},
		Owner:  samplePerson, Name: "Sarah Chen", LastName: "Nour الزهراني", Location: "ERL-BER-1", Pool: &berlin.NumberPool, Range: &berlin.Ranges[0].NumberRange,
		Shown: []flow.ShownView{{Appearance: dayone.Appearance{Slot: 1, Role: dayone.ShownAssistant, Person: samplePerson, Device: "SEP00AABBCCDDEE", Since: now}, Name: "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine"}},
	}
	secret, kept := one, one
	secret.Hidden, secret.Owner, secret.Name = true, "", ""
	kept.Number.State, kept.Number.For, kept.Owner, kept.Name = dayone.NumberReserved, dayone.NumberNote{Name: "Ngozi Eze", Ref: "offer 4711"}, "", ""
	nour := flow.Row{ID: "per_01jd9x0000000000000000000d", Name: one.LastName}
	lines := []flow.NumberEventView{
		{NumberEvent: dayone.NumberEvent{Seq: 5, At: now, What: "assigned", Person: samplePerson, By: "kim@company.com", Note: "as the offer says"}, Name: "Sarah Chen"},
		{NumberEvent: dayone.NumberEvent{Seq: 4, At: now.AddDate(0, -1, 0), What: "free again"}},
		{NumberEvent: dayone.NumberEvent{Seq: 3, At: now.AddDate(0, -7, 0), What: "released", Person: nour.ID, By: "kim@company.com"}, Name: nour.Name},
		{NumberEvent: dayone.NumberEvent{Seq: 2, At: now.AddDate(0, -11, 0), What: "assigned", Person: nour.ID, By: "kim@company.com"}, Name: nour.Name},
		{NumberEvent: dayone.NumberEvent{Seq: 1, At: now.AddDate(-1, 0, 0), What: "created", By: "kim@company.com"}},
	}
	forEze, forSecret := slices.Clone(lines), slices.Clone(lines)
	forEze[0], forEze[0].Name = flow.NumberEventView{NumberEvent: dayone.NumberEvent{Seq: 5, At: now, What: "reserved", By: "kim@company.com", Note: "as the offer says"}}, ""
	forSecret[0].Person, forSecret[0].Name = "", ""
	crowd := samplePeople(sampleCrowd, now)
	var many []flow.NumberView
	for i := range pageSize + 1 {
		x := one
		x.Number.ID = dayone.NumberID(fmt.Sprintf("+4930123400%02d", i))
		x.Number.State, x.Number.Since = dayone.NumberAssigned, now.AddDate(0, 0, -i*9)
		switch { // as the map of their pool has it: the first six are held, and none of the others can be given
		case i < 6:
			x.Number.State = dayone.NumberOnHold
		case i%11 == 8:
			x.Number.State, x.Number.Since = dayone.NumberReserved, now.AddDate(0, 0, -i%30)
		case i%11 == 3:
			x.Number.State, x.Number.Since = dayone.NumberQuarantine, now.AddDate(0, 0, -i*3)
		}
		switch who := crowd[i%len(crowd)]; x.Number.State {
		case dayone.NumberAssigned, dayone.NumberQuarantine:
			x.Owner, x.Name, x.Last = who.ID, who.Name, who.ID
		case dayone.NumberReserved:
			x.Owner, x.Name, x.Last, x.For = "", "", "", dayone.NumberNote{Name: who.Name, Ref: fmt.Sprintf("offer %d", 4711+i)}
		default:
			x.Owner, x.Name, x.Last = "", "", ""
		}
		if x.ID == one.ID {
			x = one
		}
		many = append(many, x)
	}
	finding := func(kind, number, name, text string) flow.FindingView {
		x := flow.FindingView{Name: name}
		x.Kind, x.Number, x.Text, x.Next = "leaver", dayone.NumberID(number), text, "Release it, or name an heir."
		if x.Pool = "berlin"; name != "" {
			x.Person = samplePerson
		}
		if kind != "leaver" {
			x.Kind, x.Pool, x.Title, x.Next = "low", "london", london.Title, "Order a range, or release what leavers have."
		}
		return x
	}
	audit := flow.NumberAudit{Numbers: 100_000, Unread: 1, Findings: []flow.FindingView{
		finding("leaver", "+493012340211", "Nour الزهراني", "it is assigned, and its owner has left"), finding("leaver", "+493012340212", "Ben Cole", "it is assigned, and its owner has left"), finding("low", "", "", "0 numbers are left, and fewer than 20 are too few"),
	}}
	phones, before, thousand, broken := samplePhones(view)
	books := newNumberAudit(view, audit, phones, flow.PlatformAudit{System: "unity", Title: "Cisco Unity Connection"})
	pool := newPoolPage(view, berlin, [][]flow.NumberCell{cells, coming})
	empties := newPoolPage(view, flow.PoolView{NumberPool: flow.NumberPool{Name: "lab", Platform: "cucm-eu", Emergency: "ERL-LAB", Reservation: berlin.Reservation, Quarantine: berlin.Quarantine}}, nil)
	full := newPoolPage(view, london, [][]flow.NumberCell{mayfair})
	full.Problem = notGiven(view, london.Name, fmt.Errorf("pool %s has no number to give: every number of it is in use, at rest or held: %w", london.Title, dayone.ErrNoSeat))
	confirm := newNumberPage(view, one, lines)
	confirm.Problem = notDone(view, fmt.Errorf("+493012340017 is assigned: others show it, too (assistant); name an heir, or take it from there first: %w", dayone.ErrConflict))
	wrongPlan := strings.Replace(newNumberPlanText, "country: DE", "country: XY", 1)
	fault := []flow.NumberFault{{File: "numbers.yaml", Line: sampleLine(wrongPlan, "country: XY"), Col: 5, Text: `there is no country "XY"; write it as in DE or US`}}
	unread := []flow.NumberFault{{Line: 3, Col: 15, Text: `state is "asigned"; write available, reserved, assigned, held, external or retired`}}
	reading := newPlatformPage(view, flow.PlatformAudit{System: "cucm-eu", Title: "Cisco Unified CM", Reading: true, Seen: phones.Has}, url.Values{})
	reading.Live.Path = "" // nobody answers for what is made up
	return []sample{
		{"numbers", "Numbers, two pools", "numbers", false, false, newNumbers(view, []flow.PoolView{berlin, london})},
		{"numbers-empty", "Numbers, no pool", "numbers", false, false, newNumbers(view, nil)},
		{"numbers-all", "All numbers, a page", "numbers-all", false, false, newAllNumbers(view, url.Values{"pool": {"berlin"}, "after": {"+4930"}}, []flow.PoolView{berlin}, many)},
		{"numbers-none", "All numbers, none", "numbers-all", false, false, newAllNumbers(view, url.Values{"q": {"999"}}, nil, nil)},
		{"number-pool", "Pool, with a map", "number-pool", false, false, pool},
		{"number-pool-full", "Pool, none left", "number-pool", false, false, full},
		{"number-pool-empty", "Pool, no range", "number-pool", false, false, empties},
		{"number", "Number, somebody's", "number", false, false, confirm},
		{"number-reserved", "Number, reserved with an offer", "number", false, false, newNumberPage(view, kept, forEze)},
		{"number-hidden", "Number, of somebody confidential", "number", false, false, newNumberPage(view, secret, forSecret)},
		{"number-plan", "numbers.yaml, with a fault", "number-plan", false, false, numberPlanView{Text: wrongPlan, Seq: 3, May: true, At: view.at(now), By: "kim@company.com", Faults: numberFaults(fault), Problem: &notice{Kind: "bad", Icon: "x", Title: "One thing is not right", Text: "Nothing was saved."}}},
		{"number-plan-judged", "numbers.yaml, looked at", "number-plan", false, false, numberPlanView{Text: newNumberPlanText, May: true, Judged: true, Lines: []string{"Pool berlin is new", "+493012340000 to +493012340099 come to pool berlin (100 numbers)"}}},
		{"number-import", "Import of numbers, looked at", "number-import", false, false, numberImportView{Name: "n.csv", Text: "number,person\n+493012340017,sarah.chen@company.com\n", Columns: numberColumnsText, Would: []pair{{Name: "Lines", Value: "1"}, {Name: "Changed", Value: "1"}}}},
		{"number-import-wrong", "Import of numbers, a line is wrong", "number-import", false, false, numberImportView{Columns: numberColumnsText, Text: "number,person,state\n+493012340017,sarah.chen@company.com,assigned\n+493012340018,,asigned\n", Faults: numberFaults(unread)}},
		{"number-audit", "Audit of numbers", "number-audit", false, false, books},
		{"number-platform", "Telephone system, findings", "number-platform", false, false, newPlatformPage(view, phones, url.Values{})},
		{"number-platform-adopt", "Telephone system, before it is adopted", "number-platform", false, false, before},
		{"number-platform-thousand", "Telephone system, a page of many findings", "number-platform", false, false, newPlatformPage(view, thousand, url.Values{"after": {"200"}})},
		{"number-platform-none", "Telephone system, not read yet", "number-platform", false, false, newPlatformPage(view, flow.PlatformAudit{System: "cucm-eu", Title: "Cisco Unified CM"}, url.Values{})},
		{"number-platform-reading", "Telephone system, being read", "number-platform", false, false, reading},
		{"number-platform-broken", "Telephone system, the reading broke off", "number-platform", false, false, newPlatformPage(view, broken, url.Values{})},
		{"number-platform-fine", "Telephone system, nothing wrong", "number-platform", false, false, newPlatformPage(view, flow.PlatformAudit{System: "cucm-eu", Title: "Cisco Unified CM", Read: now, Compared: now, Has: phones.Has}, url.Values{})},
		{"number-audit-none", "Audit of numbers, nothing wrong", "number-audit", false, false, newNumberAudit(view, flow.NumberAudit{Numbers: 12})},
	}
}

// samplePhones are a telephone system, one that is about to be adopted, one with many findings, and one that could not be read.
func samplePhones(view viewer) (phones flow.PlatformAudit, before platformPage, thousand, broken flow.PlatformAudit) {
	now := view.now
	finding := func(kind flow.PlatformKind, thing, name, text, next string) flow.PlatformFindingView {
		return flow.PlatformFindingView{PlatformFinding: flow.PlatformFinding{Kind: kind, Thing: thing, Name: name, Text: text, Next: next}}
	}
	line := finding("leaver-line", "line", `\+493012340216@DN_BER`, "somebody who left has it (sure: own number of hblaine, login); 1 device of others shows it, too", "Name an heir among those who show it, or take it off there first; it is theirs to go on with.")
	line.Number, line.Pool, line.Person, line.PersonName = "+493012340216", "berlin", samplePerson, "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine"
	phones = flow.PlatformAudit{
		System: "cucm-eu", Title: "Cisco Unified CM", Read: now.Add(-3 * time.Hour), Compared: now, Unread: 1, Takes: 41_204, Total: 4,
		Has:   []flow.PlatformCount{{Kind: dayone.PlatformLines, N: 100_000}, {Kind: dayone.PlatformPatterns, N: 104_112}, {Kind: dayone.PlatformUsers, N: 38_411}, {Kind: dayone.PlatformDevices, N: 61_502}},
		Users: [5]int{211, 40, 1_160, 12_000, 25_000}, Lines: [5]int{1_202, 2, 0, 98_796, 0},
		Counts: map[flow.PlatformKind]int{"leaver-line": 1, "pattern": 1, "orphan-line": 1, "nobody-user": 1},
		Leads:  []flow.PlatformLead{{Pool: "berlin", Pattern: "21XX", Partition: "PSTN_IN", Kind: "Translation", Numbers: 100}},
		Findings: []flow.PlatformFindingView{
			line, finding("pattern", "pattern", `\+4930123400[1-3]X@DN_BER`, "Call Park answers 30 of the 1000 numbers of the pool, the first is +493012340010", "Adopt it: these numbers are then held. Or change the pattern on the platform."),
			finding("orphan-line", "line", "2101@DN_BER", `nothing shows it; its description is "was jdoe"`, "Remove it, or see to it that nothing of its last holder is left on it before it is given."),
			finding("nobody-user", "user", "ghost", "nobody is like it", "Find out whose it is; close it if it is nobody's."),
		},
	}
	before = newPlatformPage(view, phones, url.Values{})
	before.Adopt.did(view, &flow.PlatformAdoption{Assigned: 40_000, Held: 1_202, Shown: 310, Same: 58_796, Left: 2, More: 41_201, Lines: []flow.AdoptedNumber{
		{Number: "+493012340016", Person: samplePerson, Name: "Nour الزهراني", Does: "assigned", Confidence: "sure", Why: "own number of nour, login"},
		{Number: "+493012340018", Does: "held", Confidence: "certain", Why: "the route plan has it"},
		{Number: "+493012340019", Does: "left", Confidence: "possible", Why: "it is not sure enough whose it is (possible: name)"},
	}}, "sure")
	thousand = phones
	thousand.Findings, thousand.Total, thousand.Counts = nil, 1_000, map[flow.PlatformKind]int{"orphan-line": 1_000}
	for i := range platformPageSize {
		thousand.Findings = append(thousand.Findings, finding("orphan-line", "line", fmt.Sprintf("%d@DN_BER", 3000+i), "nothing shows it", "Remove it, or see to it that nothing of its last holder is left on it before it is given."))
	}
	broken = phones
	broken.Problem, broken.Failed = "it does not answer (while reading phone); it broke off after 100000 lines, 38411 users, 12 devices, and nothing of them is taken", now
	return phones, before, thousand, broken
}

// sampleBelongings are numbers and devices of somebody: all kinds of them, and what could not be read.
func sampleBelongings(view viewer) (many, unread flow.Belongings) {
	now := view.now
	pool := flow.NumberPool{Name: "berlin", Title: "Berlin direct dial", Class: "national", Emergency: "ERL-BER-1"}
	of := func(id dayone.NumberID, is dayone.NumberState) flow.PersonNumber {
		return flow.PersonNumber{
			NumberView: flow.NumberView{Number: dayone.Number{ID: id, Pool: "berlin", State: is, Since: now.AddDate(0, -2, 0), Until: now.AddDate(0, 2, 0), Confirmed: now}, Owner: samplePerson, Name: "Sarah Chen", Pool: &pool, Location: "ERL-BER-1"},
			Service:    flow.NumberClass{Line: "CSS_BER_NAT"},
		}
	}
	own, second, rests, secret := of("+493012340017", dayone.NumberAssigned), of("+493012340018", dayone.NumberAssigned), of("+493012340019", dayone.NumberQuarantine), of("+493012340020", dayone.NumberAssigned)
	own.Since = now // as the page of the number says
	own.Devices = []string{"SEP001122334455", "CSFSCHEN"}
	own.Shown = []flow.ShownView{{Appearance: dayone.Appearance{Slot: 1, Role: dayone.ShownAssistant, Person: samplePerson, Device: "SEP00AABBCCDDEE"}, Name: "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine"}}
	second.Role, second.Name, rests.Before = dayone.ShownShared, "Nour الزهراني", true
	secret.Role, secret.Hidden, secret.Name = dayone.ShownFax, true, ""
	phone := func(name, product string, class dayone.DeviceClass) flow.PersonDevice {
		return flow.PersonDevice{System: "cucm-eu", Title: "Cisco Unified CM", Name: name, Product: product, Class: class, Sure: "sure", Seen: now.Add(-3 * time.Hour), Read: true}
	}
	desk, jabber, profile, other := phone("SEP001122334455", "Cisco 8845", dayone.DevicePhone), phone("CSFSCHEN", "Cisco Unified Client Services Framework", dayone.DevicePhone), phone("UDP-schen", "Cisco 8845", dayone.DeviceProfile), phone("SEP00AABBCCDDEE", "Cisco 8845", dayone.DevicePhone)
	desk.Registered, jabber.Registered = dayone.InTouch, dayone.OutOfTouch
	desk.MAC, desk.Lines, jabber.Sure, other.Other, other.On, other.Sure = "00:11:22:33:44:55", []string{"+493012340017", "+493012340018"}, "possible", true, true, ""
	many = flow.Belongings{
		Numbers: []flow.PersonNumber{own, second, secret, rests},
		Devices: []flow.PersonDevice{
			{System: "procurement", Title: "Procurement", Kind: "Order", Product: "macbook-pro-14", Serial: "C02XK1ABCD", State: flow.AsWanted, Tracking: "1Z999", Arrives: "2024-11-25", Seen: now},
			{System: "jamf", Title: "Jamf", Kind: "Managed Mac", Product: "MacBook Pro (14-inch, 2024, M4 Pro, 24 GB, Space Black)", Serial: "C02XK1ABCD", State: flow.ToCome},
			desk, jabber, profile, other,
		},
		Phones: []flow.PhonesRead{{System: "cucm-eu", Title: "Cisco Unified CM", Read: now.Add(-3 * time.Hour), Problem: "the publisher does not answer"}, {System: "unity", Title: "Cisco Unity Connection", Read: now.Add(-50 * time.Hour), Mailboxes: []string{"2101"}}},
	}
	unread = flow.Belongings{Phones: []flow.PhonesRead{{System: "cucm-eu", Title: "Cisco Unified CM"}, {System: "unity", Title: "Cisco Unity Connection", Problem: "it is down"}, {System: "cucm-us", Title: "Cisco Unified CM US", Reading: true}}}
	return many, unread
}

// sampleLine is the line of a text on which something stands.
func sampleLine(text, part string) int {
	before, _, found := strings.Cut(text, part)
	if !found {
		panic("web: a sample without " + part)
	}
	return strings.Count(before, "\n") + 1
}
