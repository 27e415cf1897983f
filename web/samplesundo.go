package web

import (
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/planner"
)

// sampleWhys are why something stays, goes otherwise or is not there, each in the words in which the planner finds it.
var sampleWhys = []struct{ kind, why string }{
	{planner.Stays, "it is part of its account, which stays"},
	{planner.Stays, "the run never came to it, so there is nothing to take back"},
	{planner.Stays, "the run only looked at it"},
	{planner.Stays, "the run changed nothing of it: it was so already"},
	{planner.Stays, "its account is protected and never written"},
	{planner.Stays, "when the meeting is was not kept, so it is not called off; do that by hand"},
	{planner.Stays, "the meeting has begun, so it is not called off any more"},
	{planner.Stays, "a message that was read stays read"},
	{planner.Stays, "policy on-call gives it now, for another reason than this run had"},
	{planner.Stays, "another one has taken its place since"},
	{planner.Stays, "another one has taken its place since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "another account has taken its place since"},
	{planner.Stays, "another account has taken its place since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "its role was changed from none to owner since"},
	{planner.Stays, "its role was changed from none to owner since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "its role was changed from owner to none since"},
	{planner.Stays, "its role was changed from owner to none since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "its role was changed from owner to operator since"},
	{planner.Stays, "its role was changed from owner to operator since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "it cannot be empty, and nothing stood there before"},
	{planner.Stays, "nothing is known of how it was before"},
	{planner.Stays, "it is there again since"},
	{planner.Stays, "it is there again since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "the account that it hung on was deleted since"},
	{planner.Stays, "the account can neither be closed nor deleted by us; close it by hand"},
	{planner.Stays, "the account comes and goes with okta/app:slack, which stays"},
	{planner.Stays, "the account would have to be deleted, and a legal hold stands; close it by hand without losing what it holds"},
	{planner.Stays, "what hangs on it stays: okta/group:on-call"},
	{planner.Stays, "title changed again since"},
	{planner.Stays, "title changed again since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "the account is active since"},
	{planner.Stays, "the account is active since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "the account is staged since"},
	{planner.Stays, "the account is staged since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "the account is pending since"},
	{planner.Stays, "the account is pending since, by run run_01jd9x0000000000000000000b"},
	{planner.Stays, "its system does not go back to disabled"},
	{planner.Stays, "its system does not go back to staged"},
	{planner.Stays, "its system does not go back to how it was before"},
	{planner.Stays, "what was ordered is called off by hand"},
	{planner.Stays, "what was renewed does not come back"},
	{planner.Stays, "a deleted account is built anew, without what it held"},
	{planner.Absent, "nothing of it is left to take back"},
	{planner.Absent, "it is part of its account, which is closed"},
	{planner.Absent, "it is not there any more"},
	{planner.Absent, "the account is not there any more; it is built anew when policies ask for it, without what it held"},
	{planner.Absent, "the account is disabled since"},
	{planner.Absent, "the account is disabled since, by run run_01jd9x0000000000000000000b"},
	{planner.Absent, "the account is closed and stays so, and is not deleted: its system cannot delete accounts"},
	{planner.Instead, "a cancellation goes to sarah.chen@company.com"},
	{planner.Instead, "the account is deleted: GitLab has no closed ones"},
	{planner.Instead, "the account is deleted, since nobody ever signed in and nothing else is on it"},
	{planner.Instead, "the account is closed, not deleted: a legal hold stands"},
	{planner.Instead, "the account is closed, not deleted: another system makes it"},
	{planner.Instead, "the account is closed, not deleted: it was there before"},
	{planner.Instead, "the account is closed, not deleted: its system could not be asked whether anybody signed in"},
	{planner.Instead, "the account is closed, not deleted: somebody signed in on 22 November 2024"},
	{planner.Instead, "the account is closed, not deleted: its system does not tell whether anybody signed in"},
	{planner.Instead, "the account is closed, not deleted: what is on it could not be read: okta/app, okta/group"},
	{planner.Instead, "the account is closed, not deleted: okta/group:on-call is on it, which this run did not give"},
	{planner.Instead, "its system did not show it any more on 22 November 2024; this makes sure of that and puts the books right"},
	{planner.Instead, "its system showed it closed already on 22 November 2024; this makes sure of that and puts the books right"},
}

// sampleAlong is what goes with what is taken back.
const sampleAlong = "it is part of its account, and goes with it"

// sampleOf is what a reason may be about.
func sampleOf(why string, n int) (dayone.Key, dayone.Action) {
	accounts := []string{"okta", "slack", "salesforce", "google", "jamf", "aws", "webex", "zoom", "github", "entra"}
	switch {
	case strings.HasPrefix(why, "the account is deleted, since"):
		return dayone.Key{System: "notion", Kind: dayone.AccountKindName}, dayone.AccountDelete
	case strings.HasPrefix(why, "the account is deleted"): // GitLab has no closed ones
		return dayone.Key{System: "gitlab", Kind: dayone.AccountKindName}, dayone.AccountDelete
	case strings.Contains(why, "meeting") || strings.Contains(why, "cancellation"):
		return sampleKey("calendar/invitation:team-standup"), dayone.EntitlementRemove
	case strings.Contains(why, "message"):
		return sampleKey("mail/message:welcome"), dayone.EntitlementRemove
	case strings.Contains(why, "ordered"):
		return sampleKey("procurement/order"), dayone.EntitlementRemove
	case strings.Contains(why, "account that") || strings.Contains(why, "its account") || strings.Contains(why, "role") || strings.HasPrefix(why, "policy"):
		return sampleKey("gitlab/group:customer-solutions"), dayone.EntitlementRemove
	}
	return dayone.Key{System: accounts[n%len(accounts)], Kind: dayone.AccountKindName}, dayone.AccountDisable
}

// sampleUndoWhys is an undo with every reason there is.
func sampleUndoWhys(b *board) undoView {
	u := sampleUndoing(b)
	u.Plan.Findings, u.Handed = nil, map[dayone.StepID]flow.Handed{}
	u.Along = []planner.Along{{Step: u.Plan.Steps[1], Why: sampleAlong}}
	u.Plan.Steps, u.Keys = nil, nil
	for i, x := range sampleWhys {
		if strings.Contains(x.why, ", by run ") { // the same without it stands above
			continue
		}
		key, action := sampleOf(x.why, i)
		if x.kind == planner.Instead {
			u.Plan.Steps = append(u.Plan.Steps, dayone.Step{ID: dayone.StepID(key.String() + " (undo)"), Key: key, Action: action})
			u.Keys = append(u.Keys, key)
		}
		u.Plan.Findings = append(u.Plan.Findings, dayone.Finding{Kind: x.kind, Key: key, Text: x.why})
	}
	u.Held = len(u.Keys)
	return newUndo(b, u, nil)
}
