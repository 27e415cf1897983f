package sim

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// Permission sets, and who has them in which account.

func (s *Sim) listInstances(w http.ResponseWriter, r *http.Request) {
	var in struct{ paging }
	if !read(w, r, &in) {
		return
	}
	part, next, ok := page(s, w, r, in.paging, []map[string]any{{"InstanceArn": instance, "IdentityStoreId": storeID, "OwnerAccountId": account, "Status": "ACTIVE"}})
	if ok {
		answer(w, 200, map[string]any{"Instances": part, "NextToken": next})
	}
}

func (s *Sim) listSets(w http.ResponseWriter, r *http.Request) {
	var in struct {
		inInstance
		paging
	}
	if !read(w, r, &in) {
		return
	}
	part, next, ok := page(s, w, r, in.paging, s.sets)
	if !ok {
		return
	}
	out := []string{}
	for _, p := range part {
		out = append(out, p.arn)
	}
	answer(w, 200, map[string]any{"PermissionSets": out, "NextToken": next})
}

func (s *Sim) set(arn string) (set, bool) {
	i := slices.IndexFunc(s.sets, func(p set) bool { return p.arn == arn })
	if i < 0 {
		return set{}, false
	}
	return s.sets[i], true
}

func (s *Sim) describeSet(w http.ResponseWriter, r *http.Request) {
	var in struct {
		inInstance
		PermissionSetArn string
	}
	if !read(w, r, &in) {
		return
	}
	p, ok := s.set(in.PermissionSetArn)
	if !ok {
		missing(w, "PERMISSION_SET", in.PermissionSetArn)
		return
	}
	answer(w, 200, map[string]any{"PermissionSet": map[string]any{"PermissionSetArn": p.arn, "Name": p.name, "SessionDuration": p.duration, "CreatedDate": epoch(s.opt.Time())}})
}

// tick brings what is under way a step further; every look does.
func (s *Sim) tick() {
	for _, q := range s.requests {
		if q.status != "IN_PROGRESS" {
			continue
		}
		if q.left--; q.left > 0 {
			continue
		}
		switch {
		case q.reason != "":
			q.status = "FAILED"
			continue
		case q.remove:
			delete(s.assigned, q.assignment)
		default:
			s.assigned[q.assignment] = true
		}
		q.status = "SUCCEEDED"
	}
}

func (s *Sim) listAssignments(w http.ResponseWriter, r *http.Request) {
	var in struct {
		inInstance
		paging
		PrincipalID   string `json:"PrincipalId"`
		PrincipalType string
	}
	if !read(w, r, &in) {
		return
	}
	if in.PrincipalType != "USER" || in.PrincipalID == "" {
		invalid(w, "PrincipalId and PrincipalType are required")
		return
	}
	if in.NextToken == "" {
		s.tick()
	}
	all := []map[string]string{}
	for a := range s.assigned {
		if a.user == in.PrincipalID {
			all = append(all, map[string]string{"AccountId": a.account, "PermissionSetArn": a.set, "PrincipalId": a.user, "PrincipalType": "USER"})
		}
	}
	slices.SortFunc(all, func(a, b map[string]string) int {
		return cmp.Or(cmp.Compare(a["AccountId"], b["AccountId"]), cmp.Compare(a["PermissionSetArn"], b["PermissionSetArn"]))
	})
	// everybody has something by a group
	all = append(all, map[string]string{"AccountId": account, "PermissionSetArn": s.sets[0].arn, "PrincipalId": "9067aabbcc-99999999-0000-4000-8000-000000000000", "PrincipalType": "GROUP"})
	part, next, ok := page(s, w, r, in.paging, all)
	if ok {
		answer(w, 200, map[string]any{"AccountAssignments": part, "NextToken": next})
	}
}

// begin accepts an assignment or a removal.
func (s *Sim) begin(remove bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			inInstance
			TargetID         string `json:"TargetId"`
			TargetType       string
			PermissionSetArn string
			PrincipalType    string
			PrincipalID      string `json:"PrincipalId"`
		}
		if !read(w, r, &in) {
			return
		}
		a := assignment{in.PrincipalID, in.PermissionSetArn, in.TargetID}
		_, known := s.set(a.set)
		switch {
		case in.TargetType != "AWS_ACCOUNT" || in.PrincipalType != "USER":
			invalid(w, "TargetType must be AWS_ACCOUNT and PrincipalType USER or GROUP")
		case a.account != account && a.account != other:
			missing(w, "ACCOUNT", a.account)
		case !known:
			missing(w, "PERMISSION_SET", a.set)
		case !remove && s.user(a.user) == nil:
			missing(w, "USER", a.user)
		case remove && !s.assigned[a]:
			missing(w, "ASSIGNMENT", a.user)
		case slices.ContainsFunc(s.requests, func(q *request) bool { return q.assignment == a && q.status == "IN_PROGRESS" }):
			fail(w, "ConflictException", "There is an operation in progress for this assignment", nil)
		default:
			q := &request{id: s.ids.Next("00000000-0000-4000-8000-", 12), remove: remove, status: "IN_PROGRESS", left: s.opt.Lag + 2, created: s.opt.Time(), assignment: a}
			if len(s.failing) > 0 {
				q.reason, s.failing = s.failing[0], s.failing[1:]
			}
			s.requests = append(s.requests, q)
			answer(w, 200, map[string]any{statusName(remove): q.show()})
		}
	}
}

func statusName(remove bool) string {
	if remove {
		return "AccountAssignmentDeletionStatus"
	}
	return "AccountAssignmentCreationStatus"
}

func (q *request) show() map[string]any {
	out := map[string]any{
		"Status": q.status, "RequestId": q.id, "CreatedDate": epoch(q.created), "TargetId": q.account, "TargetType": "AWS_ACCOUNT",
		"PermissionSetArn": q.set, "PrincipalId": q.user, "PrincipalType": "USER",
	}
	if q.status == "FAILED" {
		out["FailureReason"] = q.reason
	}
	return out
}

func (s *Sim) listStatus(remove bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			inInstance
			paging
			Filter struct{ Status string }
		}
		if !read(w, r, &in) {
			return
		}
		all := []map[string]any{}
		for _, q := range s.requests {
			if q.remove == remove && (in.Filter.Status == "" || q.status == in.Filter.Status) {
				all = append(all, map[string]any{"Status": q.status, "RequestId": q.id, "CreatedDate": epoch(q.created)})
			}
		}
		part, next, ok := page(s, w, r, in.paging, all)
		if ok {
			list := strings.Replace(statusName(remove), "Assignment", "Assignments", 1)
			answer(w, 200, map[string]any{list: part, "NextToken": next})
		}
	}
}

func (s *Sim) describeStatus(remove bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			inInstance
			Creation string `json:"AccountAssignmentCreationRequestId"`
			Deletion string `json:"AccountAssignmentDeletionRequestId"`
		}
		if !read(w, r, &in) {
			return
		}
		s.tick()
		id := in.Creation
		if remove {
			id = in.Deletion
		}
		for _, q := range s.requests {
			if q.id == id && q.remove == remove {
				answer(w, 200, map[string]any{statusName(remove): q.show()})
				return
			}
		}
		missing(w, "REQUEST", id)
	}
}
