package web

import (
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Samples of somebody's leaving, for the gallery.

var sampleLeft = dayone.Person{Status: dayone.Left, Stopped: true}

var sampleCut = flow.Closing{
	ByUs: []dayone.Step{
		{Key: dayone.Key{System: "okta", Kind: "account"}, Action: dayone.AccountDisable},
		{Key: dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}, Action: dayone.EntitlementRemove},
	},
	ByPeople: []dayone.Step{{Key: dayone.Key{System: "badge", Kind: "account"}, Action: dayone.AccountDisable}},
	Stays:    sampleStays,
	Tasks:    1,
}

var sampleStays = []flow.Staying{{
	Key: dayone.Key{System: "webex", Kind: "account"}, Title: "Webex", Legal: true,
	Why: "webex/account stays under a legal hold: the account would have to be deleted, since its system has no closed ones; close it by hand without losing what it holds",
}, {
	Key: dayone.Key{System: "notion", Kind: "account"}, Title: "Notion", Ended: true, Why: "notion/account stays: Dayone does not manage Notion any more",
}}

func sampleLegal(now time.Time) []dayone.LegalHold {
	return []dayone.LegalHold{{ID: "lgl_01jd9x0000000000000000000a", Reason: "Case 12/24, Company v. Chen", By: "counsel@company.com", From: now.AddDate(0, -1, 0)}}
}

func sampleCertificates(now time.Time) []dayone.Certificate {
	chain := "9f2c41d07be85a3366f0c8e92b17d45aa0e3719c5d284fb6801ce79ab3d6f254"
	return []dayone.Certificate{
		{
			ID: "crt_01jd9x0000000000000000000b", Person: samplePerson, Made: now.Add(-time.Hour), By: "administrator", Name: "Sarah Chen", Left: now.AddDate(0, 0, -1), Policy: "3f2a91", Seq: 81240, Chain: chain, Lines: 112,
			Systems: []dayone.ReadBack{
				{System: "aws", Title: "AWS", Verdict: dayone.Unreadable, Findings: []dayone.Remain{{Class: dayone.Unread, Name: "group", Note: "reading user: unavailable", Act: "an administrator looks there by hand"}}},
				{System: "gitlab", Title: "GitLab", Verdict: dayone.Closed, Accounts: []string{"emp_789"}, Unchecked: []string{"kept token", "mail forward"}},
				{System: "google", Title: "Google Workspace", Verdict: dayone.StillOpen, Accounts: []string{"100000000000000000042"}, Findings: []dayone.Remain{
					{Class: dayone.KeptOwnership, Name: "customer-success-emea-and-professional-services-announcements@company.com", Ref: "03g1", Note: "they own this group", Act: "another owner is named, then they are taken out"},
				}},
				{System: "procurement", Title: "Procurement", Verdict: dayone.ByHand, Findings: []dayone.Remain{{Class: dayone.OpenTask, Name: "Take the laptop back", Act: "it waits for the group it-operations"}}},
			},
			Others: []dayone.Remain{{Class: dayone.OpenTask, Name: "Decide about a hold", Act: "it waits for whoever takes it"}},
		},
		{
			ID: "crt_01jd9x0000000000000000000a", Person: samplePerson, Made: now.AddDate(0, 0, -1), Name: "Sarah Chen", Left: now.AddDate(0, 0, -1), Policy: "3f2a91", Seq: 81200, Chain: chain, Lines: 111,
			Systems: []dayone.ReadBack{{System: "okta", Title: "Okta", Verdict: dayone.Closed, Accounts: []string{"00u00000000000000042"}}, {System: "slack", Title: "Slack", Verdict: dayone.Closed}},
		},
	}
}

func sampleHeir(now time.Time) dayone.Succession {
	return dayone.Succession{
		Person: samplePerson, Left: now.AddDate(0, 0, -1), Made: now, Done: now, To: "maximiliane.von-habsburg-lothringen@company.com", Why: "manager of john.doe@company.com", Task: "tsk_01jd9x0000000000000000000a",
		Items: []dayone.Handed{
			{Kind: dayone.HandedTask, Ref: "tsk_01jd9x0000000000000000000b", Name: "Take the laptop of Łucja Đặng back", To: "maximiliane.von-habsburg-lothringen@company.com"},
			{Kind: dayone.HandedDelegation, Ref: "dlg_1", Name: "they decided for Raj Patel", Over: true},
			{Kind: dayone.HandedReport, Ref: string(samplePerson), Name: "Raj Patel", Act: "HR gives them another manager"},
			{Kind: dayone.HandedPolicy, Ref: "sales-engineer", Name: "sales-engineer", Act: "another owner is named in policies/sales.yaml:12:1"},
		},
	}
}

// sampleHeldBack is an order that a legal hold keeps from being given, as its page leads to the way out.
func sampleHeldBack(v orderView) orderView {
	v.Refused.Act = &link{"Release the legal hold", "/people/" + samplePerson + "/release"}
	return v
}

// everything may be done by whoever looks at a sample.
func everything(string) bool { return true }
