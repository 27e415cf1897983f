// Package sim is an IAM Identity Center instance: awsJson 1.1 by X-Amz-Target with signed requests, errors that are 400 with
// their __type, NextToken paging, a directory that knows no disable, assignments that are made in the background and may
// fail, and the small part of SCIM that can disable.
//
// Both APIs have one URL only. The door sees each call's target in its place: "/AWSIdentityStore.CreateUser".
package sim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	region     = "eu-central-1"
	accessKey  = "AKIASIMDAYONE0000001"
	secretKey  = "sim/secret+access/key0000000000000000001"
	scimToken  = "sim-scim-token"
	storeID    = "d-9067aabbcc"
	instance   = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
	account    = "111122223333"
	other      = "444455556666" // another account of the organisation
	enterprise = "aws:identitystore:enterprise"
)

type email struct {
	Value   string
	Type    string `json:",omitempty"`
	Primary bool
}

type name struct {
	GivenName, FamilyName                                   string
	Formatted, MiddleName, HonorificPrefix, HonorificSuffix string `json:",omitempty"`
}

type user struct {
	UserID      string `json:"UserId"`
	UserName    string
	DisplayName string
	Name        name
	Title       string  `json:",omitempty"`
	Emails      []email `json:",omitempty"`

	more    map[string]any // the enterprise extension
	off     bool
	created time.Time
}

type set struct{ arn, name, duration string }

type assignment struct{ user, set, account string }

// request is an assignment or a removal under way.
type request struct {
	id      string
	remove  bool
	status  string
	reason  string // of a failure to come, or that came
	left    int    // reads until it is finished
	created time.Time
	assignment
}

// Sim is the instance.
type Sim struct {
	door  *sim.Door
	opt   sim.Options
	ids   sim.IDs
	pages sim.IDs // of page tokens: reading must not change what is made next
	mux   http.Handler

	mu       sync.Mutex
	users    []*user
	sets     []set
	assigned map[assignment]bool
	requests []*request
	tokens   map[string]int // NextToken and the call it belongs to: where it goes on
	failing  []string       // reasons for which the next requests fail
}

// New makes an instance with the permission sets of the examples, or those of o.Names.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, assigned: map[assignment]bool{}, tokens: map[string]int{}}
	names := o.Names
	if names == nil {
		names = map[string][]string{"permission-set": {"demo-sandbox", "prod-readonly"}}
	}
	for _, n := range names["permission-set"] {
		p := set{arn: s.ids.Next("arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-", 16), name: n, duration: "PT1H"}
		if n == "demo-sandbox" {
			p.duration = "PT8H"
		}
		s.sets = append(s.sets, p)
	}
	mux := http.NewServeMux()
	for target, h := range map[string]http.HandlerFunc{
		"AWSIdentityStore.CreateUser":   s.createUser,
		"AWSIdentityStore.DescribeUser": s.describeUser,
		"AWSIdentityStore.GetUserId":    s.getUserID,
		"AWSIdentityStore.ListUsers":    s.listUsers,
		"AWSIdentityStore.UpdateUser":   s.updateUser,
		"AWSIdentityStore.DeleteUser":   s.deleteUser,

		"SWBExternalService.ListInstances":                           s.listInstances,
		"SWBExternalService.ListPermissionSets":                      s.listSets,
		"SWBExternalService.DescribePermissionSet":                   s.describeSet,
		"SWBExternalService.ListAccountAssignmentsForPrincipal":      s.listAssignments,
		"SWBExternalService.CreateAccountAssignment":                 s.begin(false),
		"SWBExternalService.DeleteAccountAssignment":                 s.begin(true),
		"SWBExternalService.ListAccountAssignmentCreationStatus":     s.listStatus(false),
		"SWBExternalService.ListAccountAssignmentDeletionStatus":     s.listStatus(true),
		"SWBExternalService.DescribeAccountAssignmentCreationStatus": s.describeStatus(false),
		"SWBExternalService.DescribeAccountAssignmentDeletionStatus": s.describeStatus(true),
	} {
		mux.Handle("POST /"+target, s.signed(h))
	}
	mux.HandleFunc("GET /scim/v2/ServiceProviderConfig", s.bearer(func(w http.ResponseWriter, _ *http.Request) {
		sim.JSON(w, 200, map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}, "patch": map[string]bool{"supported": true}})
	}))
	mux.HandleFunc("PATCH /scim/v2/Users/{id}", s.bearer(s.patchUser))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fail(w, "UnknownOperationException", "", nil) })
	s.mux = s.door.Wrap(mux)
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if target := r.Header.Get("X-Amz-Target"); target != "" && r.URL.Path == "/" {
		q := *r
		u := *r.URL
		u.Path = "/" + target
		q.URL = &u
		r = &q
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Sim) Door() *sim.Door { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{
		"url": base, "region": region, "instance_arn": instance, "identity_store_id": storeID, "account_id": account,
		"access_key_id": accessKey, "secret_access_key": secretKey, "scim_url": base + "/scim/v2", "scim_token": scimToken,
	}
}

// Fail lets the next assignment or removal fail for this reason, after its call was accepted.
func (s *Sim) Fail(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = append(s.failing, reason)
}

// Assign gives a permission set in an account as another administrator would, at once.
func (s *Sim) Assign(user, name, account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assigned[assignment{user, s.arn(name), account}] = true
}

func (s *Sim) arn(name string) string {
	for _, p := range s.sets {
		if p.name == name {
			return p.arn
		}
	}
	return ""
}

var credential = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=[0-9a-f]{64}$`)

// signed looks whether a request was signed by the right key for the right service. It does not compute the signature.
func (s *Sim) signed(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service := "sso"
		if strings.HasPrefix(r.URL.Path, "/AWSIdentityStore.") {
			service = "identitystore"
		}
		m := credential.FindStringSubmatch(r.Header.Get("Authorization"))
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		switch {
		case m == nil || err != nil:
			fail(w, "MissingAuthenticationTokenException", "Missing Authentication Token", nil)
		case m[1] != accessKey:
			fail(w, "UnrecognizedClientException", "The security token included in the request is invalid.", nil)
		case m[3] != region || m[4] != service || !strings.HasPrefix(r.Header.Get("X-Amz-Date"), m[2]):
			fail(w, "InvalidSignatureException", "Credential should be scoped to a valid region and to correct service: '"+service+"'.", nil)
		case time.Since(at).Abs() > 15*time.Minute && !sim.Replaying(r): // who signs reads the real clock, whatever the simulated one shows
			fail(w, "InvalidSignatureException", "Signature not yet current or expired", nil)
		case !strings.Contains(m[5], "host") || !strings.Contains(m[5], "x-amz-date") || !strings.Contains(m[5], "x-amz-target"):
			fail(w, "InvalidSignatureException", "'Host' and every 'X-AMZ-' header must be signed", nil)
		case r.Header.Get("Content-Type") != "application/x-amz-json-1.1":
			fail(w, "UnknownOperationException", "", nil)
		default:
			s.mu.Lock()
			defer s.mu.Unlock()
			next(w, r)
		}
	})
}

// fail answers an error as awsJson services do: the status tells no more than whose fault it is.
func fail(w http.ResponseWriter, kind, message string, more map[string]any) {
	body := map[string]any{"__type": kind, "Message": message, "RequestId": "2b2ba07b-0d1b-4b1c-9a57-3f4d1a1c0001"}
	for k, v := range more {
		body[k] = v
	}
	status := 400
	if kind == "InternalServerException" {
		status = 500
	}
	w.Header().Set("x-amzn-ErrorType", kind)
	answer(w, status, body)
}

func invalid(w http.ResponseWriter, format string, args ...any) {
	fail(w, "ValidationException", fmt.Sprintf(format, args...), nil)
}

func missing(w http.ResponseWriter, kind, id string) {
	fail(w, "ResourceNotFoundException", kind+" not found.", map[string]any{"ResourceType": kind, "ResourceId": id})
}

func duplicate(w http.ResponseWriter, what string) {
	fail(w, "ConflictException", "Duplicate "+what, map[string]any{"Reason": "UNIQUENESS_CONSTRAINT_VIOLATION"})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// read decodes strictly, and looks whether the call is for this directory or instance.
func read(w http.ResponseWriter, r *http.Request, in any) bool {
	raw, err := io.ReadAll(r.Body)
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var where struct{ IdentityStoreId, InstanceArn *string }
	if err != nil || dec.Decode(in) != nil || json.Unmarshal(raw, &where) != nil {
		fail(w, "SerializationException", "", nil)
		return false
	}
	switch {
	case where.IdentityStoreId != nil && *where.IdentityStoreId != storeID:
		missing(w, "IDENTITY_STORE", *where.IdentityStoreId)
	case where.InstanceArn != nil && *where.InstanceArn != instance:
		fail(w, "AccessDeniedException", "User is not authorized to perform this action on the instance", nil)
	default:
		return true
	}
	return false
}

// inStore and inInstance are the members that tell for whom a call is; read looks at them.
type (
	inStore    struct{ IdentityStoreId string }
	inInstance struct{ InstanceArn string }
)

type paging struct {
	MaxResults *int
	NextToken  string
}

// page is a part of a list; ok is false after an answer that refused the token.
func page[T any](s *Sim, w http.ResponseWriter, r *http.Request, p paging, all []T) (part []T, next *string, ok bool) {
	size, from := s.opt.PageSize(), 0
	if p.MaxResults != nil {
		if *p.MaxResults < 1 || *p.MaxResults > 100 {
			invalid(w, "MaxResults must be between 1 and 100")
			return nil, nil, false
		}
		size = min(size, *p.MaxResults)
	}
	if p.NextToken != "" {
		at, known := s.tokens[p.NextToken+r.URL.Path]
		if !known {
			invalid(w, "Invalid NextToken")
			return nil, nil, false
		}
		from = min(at, len(all))
	}
	to := min(from+size, len(all))
	if to < len(all) {
		token := s.pages.Next("AAMA-", 20)
		s.tokens[token+r.URL.Path] = to
		next = &token
	}
	return append([]T{}, all[from:to]...), next, true
}

// bearer guards SCIM, which has a token of its own.
func (s *Sim) bearer(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+scimToken {
			scimFail(w, 401, "UnauthorizedException: the token is invalid")
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		next(w, r)
	}
}

func scimFail(w http.ResponseWriter, status int, detail string) {
	sim.JSON(w, status, map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "detail": detail, "status": fmt.Sprint(status)})
}

// patchUser knows one operation: replace active.
func (s *Sim) patchUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Schemas    []string `json:"schemas"`
		Operations []struct {
			Op    string `json:"op"`
			Path  string `json:"path"`
			Value any    `json:"value"`
		} `json:"Operations"`
	}
	u := s.user(r.PathValue("id"))
	switch {
	case sim.Read(r, &in) != nil || !slices.Equal(in.Schemas, []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}) || len(in.Operations) != 1 ||
		in.Operations[0].Op != "replace" || in.Operations[0].Path != "active":
		scimFail(w, 400, "ValidationException: the operation is not supported")
	case u == nil:
		scimFail(w, 404, "ResourceNotFoundException: the user does not exist")
	default:
		active, ok := in.Operations[0].Value.(bool)
		if !ok {
			scimFail(w, 400, "ValidationException: active is a boolean")
			return
		}
		u.off = !active
		sim.JSON(w, 200, map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "id": u.UserID, "userName": u.UserName, "active": active})
	}
}

// Accounts shows every user.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.users {
		number, _ := u.more["employeeNumber"].(string)
		a := sim.Account{Ref: u.UserID, Login: u.UserName, Email: u.email(), EmployeeNumber: number, FirstName: u.Name.GivenName, LastName: u.Name.FamilyName, State: dayone.Active, Created: u.created}
		if u.off {
			a.State = dayone.Disabled
		}
		for x := range s.assigned {
			p, _ := s.set(x.set)
			switch {
			case x.user != u.UserID:
			case x.account == account:
				a.Entitlements = append(a.Entitlements, "permission-set:"+p.name)
			default:
				a.Entitlements = append(a.Entitlements, "permission-set:"+p.name+"@"+x.account)
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts a user there.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &user{
		UserID: s.ids.Next("9067aabbcc-00000000-0000-4000-8000-", 12), UserName: a.Login, Name: name{GivenName: cmp.Or(a.FirstName, "Some"), FamilyName: cmp.Or(a.LastName, "Body")},
		more: map[string]any{}, off: a.State == dayone.Disabled, created: cmp.Or(a.Created, s.opt.Time()),
	}
	u.DisplayName = u.Name.GivenName + " " + u.Name.FamilyName
	if a.Email != "" {
		u.Emails = []email{{Value: a.Email, Type: "work", Primary: true}}
	}
	if a.EmployeeNumber != "" {
		u.more["employeeNumber"] = a.EmployeeNumber
	}
	s.users = append(s.users, u)
	for _, e := range a.Entitlements {
		if name, ok := strings.CutPrefix(e, "permission-set:"); ok {
			name, where, _ := strings.Cut(name, "@")
			s.assigned[assignment{u.UserID, s.arn(name), cmp.Or(where, account)}] = true
		}
	}
	return u.UserID
}
