package web

import (
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

const sampleTerminations = "more than 24 terminations of hr on 2024-11-22"

// sampleAlerts are what each rule finds, in the words in which flow notes it.
func sampleAlerts(now time.Time) []flow.AlertView {
	titles := map[string]string{}
	for _, r := range flow.AlertRules() {
		titles[r.Name] = r.Title
	}
	var out []flow.AlertView
	seen := map[string]time.Duration{"day-one-at-risk": 0, "source-stale": 3 * time.Hour, "brake-on": 6 * time.Hour, "task-overdue": 27 * time.Hour} // when what a note tells was so; the rest an hour ago
	for _, a := range []struct{ rule, about, note string }{
		{"day-one-at-risk", "Sarah Chen", "ready by about Mon 25 Nov 11:30 PST, after the first day has begun, without the wait for GitLab, AWS; 3 steps failed or are blocked; it waits for GitLab, AWS"},
		{"day-one-at-risk", "Zoë Łukasiewicz-Ørsted", "ready by about Mon 25 Nov 11:30 CET, after the first day has begun; 3 steps failed or are blocked; 1 access was taken back and is held"},
		{"day-one-at-risk", "Jiří Novák", "no plan can be made"},
		{"leaver-late", "Nour الزهراني", "not confirmed closed: GitLab, Okta"},
		{"breaker-open", "Okta", "Okta has not answered since Fri 22 Nov 10:56 UTC"},
		{"source-stale", "hr", "last heard or read on Thu 21 Nov 09:00 UTC"},
		{"brake-on", "hr", "the list has 812 records, and had 1204; it ends 25 employments, and 24 a day are the limit; 25 things are held"},
		{"brake-on", "hr", "one body of hr ends 25 employments, and 24 a day are the limit; 1 thing is held"},
		{"brake-on", "hr", "cost centre changed for more than 24 people of hr on 2024-11-22; 25 things are held"},
		{"brake-on", "hr", "the list has 812 records, and had 1204; it changes the job title of 300 people, and 240 a day are the limit; 300 things are held"},
		{"brake-on", "hr", sampleTerminations + "; 1 thing is held"},
		{"brake-on", "Okta", "more than 24 people would lose something there on 2024-11-22; 25 things are held"},
		{"brake-on", "Okta", "okta/group:sales would be left without anybody on 2024-11-22; 25 things are held"},
		{"brake-on", "Okta", "the list of accounts has 12, and had 1204; 1 thing is held"},
		{"task-overdue", "Ewa Wiśniewska", "in GitLab, due on Thu 21 Nov 09:00 UTC"},
		{"task-overdue", "", "due on Thu 21 Nov 09:00 UTC"},
		{"approval-overdue", "Raj Patel", "GitLab, counts as refused from Sat 23 Nov 09:00 UTC"},
		{"run-incomplete", "Tomáš Dvořák", "it ended incomplete"},
		{"run-incomplete", "Sarah Chen", "its undo ended incomplete"},
		{"disk-low", "", "too little room is left on the volume of the database, and without any nothing can be stored"},
		{"clock-back", "", "it is behind what was recorded; from there time goes on at half its pace until it is right"},
		{"ledger-broken", "", "from line 4711 on it is not as it was written, and dayone record verify says why"},
		{"policies-broken", "", "1 fault in the folder, and what is in force stays"},
		{"policies-broken", "", "12 faults in the folder, and what is in force stays"},
		{"policies-announced", "", "version 4711 for 1 person, in force from Sat 23 Nov 09:00 UTC unless somebody withdraws it"},
		{"policies-announced", "", "version 4711 for 24 people, in force from Sat 23 Nov 09:00 UTC unless somebody withdraws it"},
		{"day-one-at-risk", "Ben Cole", "ready by about Mon 9 Dec 11:30 GMT, after the first day has begun; 24 accesses were taken back and are held"},
	} {
		ago, ok := seen[a.rule]
		if !ok {
			ago = time.Hour
		}
		out = append(out, flow.AlertView{Alert: dayone.Alert{Rule: a.rule, Note: a.note, Opened: now.Add(-ago)}, Title: titles[a.rule], About: a.about, Path: "/people/" + samplePerson})
	}
	return out
}
