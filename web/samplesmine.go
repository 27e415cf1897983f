package web

import (
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sampleMine are the pages of whoever signs in: her own, her people's, and what lets in.
func sampleMine(view viewer, row flow.Row, progress flow.Progress, connectors map[string]string) []sample {
	asks := []item{
		{State: &state{Icon: "hand", Class: "s-wait", Text: "Waits for an answer"}, Title: link{"Raj Patel: Salesforce permission set deal-desk", "#"}, Meta: view.label("Due"), At: view.at(view.now.Add(96 * time.Hour)), Next: view.say("Needed for: %s", "the quarter's end")},
		{State: &state{Icon: "task", Class: "s-wait", Text: "Due today"}, Title: link{"Hand over the badge", "#"}, Meta: "Ben Cole"},
	}
	progress.Code = ""
	own := newProgress(view, time.UTC, progress, connectors).herself()
	has, unread := sampleBelongings(view)
	phones, _ := ownThings(view, has)
	_, unknown := ownThings(view, unread)
	long := row
	long.Status, long.Name = dayone.Working, "Prof. Dr. Maximiliane-Charlotte Wolfeschlegelsteinhausenbergerdorff"
	theirs := slices.Clone(asks)
	theirs[0].Title.Text, theirs[1].Title.Text, theirs[1].Meta = row.Name+": Salesforce permission set deal-desk", "Send the headset", row.Name
	people := teamView{Sentence: view.plural(2, "1 person has you as manager.", "%d people have you as manager."), Asks: theirs, Rows: []item{teamItem(view, row, true), teamItem(view, long, false)}}
	token := dayone.APIToken{ID: "tok_01jd9x0000000000000000000a", Name: "ticket-system", Role: dayone.Operator, Made: view.now.AddDate(0, 0, -80), By: "kim@company.com", Expires: view.now.AddDate(0, 0, 10), Used: view.now.Add(-time.Hour)}
	over, ended, left, fresh := token, token, token, token
	left.Name, left.By, left.Expires = "badge-printer", "lee@company.com", view.now.AddDate(0, 0, 100)
	fresh.Name, fresh.Made, fresh.Expires, fresh.Used = "change-calendar", view.now, view.now.AddDate(0, 0, 90), time.Time{}
	over.Name, over.Expires, over.Used = "grafana", view.now.AddDate(0, 0, -1), view.now.AddDate(0, 0, -2)
	ended.Name, ended.Ended, ended.EndedBy, ended.Used = "old-script", view.now.AddDate(0, 0, -3), "kim@company.com", view.now.AddDate(0, 0, -4)
	form := tokenFields(view, "", "", "")
	browser := session{
		who: who{Name: "kim@company.com", Role: dayone.Operator}, began: view.now.Add(-2 * time.Hour), seen: view.now, from: "10.1.2.3",
		agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
	}
	phone := browser
	phone.who, phone.began, phone.seen, phone.from = who{Name: "priya.patel@company.com", Role: dayone.Auditor}, view.now.Add(-26*time.Hour), view.now.Add(-40*time.Minute), "10.4.7.19"
	phone.agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
	return []sample{
		{"me", "You", "me", true, true, mineView{progressView: own, Login: row.Email, Known: true, Asks: asks, Team: true, Role: true, Phones: phones}},
		{"me-unread", "You, the telephone system was not read", "me", true, true, mineView{progressView: own, Login: row.Email, Known: true, Unknown: unknown}},
		{"me-new", "You, nothing is known", "me", true, true, mineView{Login: "kim@company.com"}},
		{"me-bare", "You, by a login without an address", "me", true, true, mineView{Login: "administrator", Bare: true, Role: true}},
		{"team", "Your people", "team", true, true, people},
		{"team-none", "Your people, none", "team", true, true, teamView{Empty: &empty{Icon: "people", Title: "Nobody has you as manager", Text: "Who reports to you stands here as soon as HR says so, also before their first day."}}},
		{"sessions", "Sessions", "sessions", false, false, sessionsView{All: true, Rows: []item{sessionItem(view, browser, true), sessionItem(view, phone, false)}}},
		{"sessions-none", "Sessions, none", "sessions", false, false, sessionsView{All: true, Empty: &empty{Icon: "lock", Title: "Nobody is signed in with a browser", Text: "The demo has no login, and programs with a token have no session."}}},
		{"tokens", "API tokens", "tokens", false, false, tokensView{Rows: []item{tokenItem(view, token, false), tokenItem(view, left, true), tokenItem(view, over, false), tokenItem(view, ended, false)}, Fields: form}},
		{"tokens-made", "API tokens, one was made", "tokens", false, false, tokensView{Rows: []item{tokenItem(view, fresh, false), tokenItem(view, token, false)}, Fields: form, Name: fresh.Name, Made: "dayone_EXAMPLEEXAMPLEEXAMPLEEXAM"}},
		{"tokens-none", "API tokens, none", "tokens", false, false, tokensView{Fields: form, Empty: &empty{Icon: "lock", Title: "No tokens yet", Text: "Programs that call the API need one each: then records tell them apart, and one can be taken back without the others."}}},
	}
}
