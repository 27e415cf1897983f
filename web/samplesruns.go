package web

import (
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sampleCalls are the requests of a step that was tried twice.
func sampleCalls(now time.Time) []flow.CallLog {
	at := now.Add(-time.Minute)
	token := dayone.Call{At: at, Method: "POST", Host: "company.okta.com", Path: "/oauth2/v1/token", Keys: []string{"client_assertion", "client_assertion_type", "grant_type", "scope"}, Bytes: 812, Status: 200, Took: 88 * time.Millisecond, ID: "Zxy3kQ0AAAE"}
	find := dayone.Call{At: at, Method: "GET", Host: "company.okta.com", Path: "/api/v1/users/{}", Query: []string{"expand"}, Status: 404, Took: 3400 * time.Microsecond, ID: "Zxy3kQ0AAAF"}
	shut := dayone.Call{At: at, Method: "POST", Host: "company.okta.com", Path: "/api/v1/users", Query: []string{"activate"}, Keys: []string{"profile", "profile.email", "profile.firstName", "profile.{}"}, More: 12, Bytes: 1204, Status: 429, Took: 21 * time.Millisecond}
	lost, made := shut, shut
	lost.Status, lost.Fault, lost.Took, lost.Again = 0, "no answer in time", 30*time.Second, "too many requests"
	made.Status, made.ID, made.Again = 201, "Zxy3kQ0AAAG", "no answer in time"
	return []flow.CallLog{
		{CallLog: dayone.CallLog{Attempt: 2, System: "okta", At: now, Calls: []dayone.Call{find, made}}, After: "unavailable"},
		{CallLog: dayone.CallLog{Attempt: 1, System: "okta", At: at, Kind: "unavailable", Calls: []dayone.Call{token, find, shut, lost}, Left: 3}},
	}
}
