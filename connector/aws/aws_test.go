package aws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/aws"
	awssim "github.com/dayone-hq/dayone/connector/aws/sim"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
)

func person() dayone.Attrs {
	return dayone.Attrs{
		"user_name": dayone.Text("sarah.chen@company.com"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"),
		"display_name": dayone.Text("Sarah Chen"), "title": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales"), "employee_number": dayone.Text("emp_789"),
	}
}

func suite() connectortest.Suite {
	return connectortest.Suite{
		Factory: aws.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return awssim.New(o) },
		Person:  person(),
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "permission-set", Name: "demo-sandbox"}, Attrs: dayone.Attrs{"session_hours": dayone.Int(8)}},
			{Key: dayone.Key{Kind: "permission-set", Name: "prod-readonly"}},
		},
		CreateMethod:  "POST",
		CreatePath:    "/AWSIdentityStore.CreateUser",
		ReadPath:      "/AWSIdentityStore.",
		Specification: smithy,
	}
}

func TestAWS(t *testing.T) { connectortest.Run(t, suite()) }

// bench is an instance with a connector to it.
type bench struct {
	t     *testing.T
	sim   *awssim.Sim
	guard *connector.Guard
}

func open(t *testing.T, o sim.Options, settings ...string) *bench {
	t.Helper()
	s := awssim.New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.Door().Validate(smithy(t).Validate)
	t.Cleanup(func() {
		for _, err := range s.Door().Invalid() {
			t.Errorf("against the vendor's specification: %v", err)
		}
	})
	all := s.Settings(server.URL)
	for _, kv := range settings {
		k, v, _ := strings.Cut(kv, "=")
		all[k] = v
	}
	g, err := connector.Open(aws.Factory, "aws", time.Now, connector.Options{Settings: all, PerMinute: map[string]int{"default": 600_000}})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, s, g}
}

func account(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{Action: action, Key: dayone.Key{System: "aws", Kind: "account"}, Want: want, Subject: dayone.Subject{Ref: ref}, Since: time.Now(), Attempt: 1}
	if ref == "" {
		a.Subject.Keys = map[string]string{"employee_number": want.Attrs.Text("employee_number"), "user_name": want.Attrs.Text("user_name"), "email": want.Attrs.Text("email")}
	}
	return a
}

func (b *bench) made() string {
	b.t.Helper()
	r, err := b.guard.Apply(b.t.Context(), account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: person()}))
	if err != nil {
		b.t.Fatal(err)
	}
	return r.Now.Ref
}

func give(user, name string, attrs dayone.Attrs) dayone.Act {
	key := dayone.Key{System: "aws", Kind: "permission-set", Name: name}
	return dayone.Act{Action: dayone.EntitlementAdd, Key: key, Account: user, Want: &dayone.Item{Key: key, State: dayone.Active, Attrs: attrs}, Since: time.Now(), Attempt: 1}
}

func take(user string, has dayone.Item) dayone.Act {
	return dayone.Act{Action: dayone.EntitlementRemove, Key: has.Key, Account: user, Have: &has, Since: time.Now(), Attempt: 1}
}

// again calls as the engine does, until the system has caught up with itself.
func (b *bench) again(a dayone.Act) (dayone.Result, error) {
	for {
		r, err := b.guard.Apply(b.t.Context(), a)
		if !errors.Is(err, dayone.ErrNotYet) || a.Attempt > 20 {
			return r, err
		}
		a.Attempt++
	}
}

// An assignment is begun once, is "not yet" until it shows, and what comes by a group is not mistaken for it.
func TestAssignmentInTheBackground(t *testing.T) {
	t.Parallel()
	b := open(t, sim.Options{Lag: 3})
	user := b.made()
	a := give(user, "demo-sandbox", nil)
	if _, err := b.guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrNotYet) {
		t.Fatalf("while the assignment is under way it says %v", err)
	}
	r, err := b.again(a)
	if err != nil || r.Now == nil || r.Now.Attrs["session_hours"] != dayone.Int(8) {
		t.Fatalf("in the end it says %+v, %v", r.Now, err)
	}
	if r, err := b.again(take(user, *r.Now)); err != nil || r.Now != nil {
		t.Errorf("the removal says %+v, %v", r.Now, err)
	}
	if got := b.sim.Accounts()[0].Entitlements; len(got) > 0 {
		t.Errorf("after the removal the user has %v", got)
	}
}

func TestAssignmentFails(t *testing.T) {
	t.Parallel()
	b := open(t, sim.Options{})
	user := b.made()
	const reason = "Received a 404 status error: The policy sales-demo does not exist in the account."
	b.sim.Fail(reason)
	if _, err := b.again(give(user, "demo-sandbox", nil)); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), reason) {
		t.Errorf("an assignment that failed says %v", err)
	}
	r, err := b.again(give(user, "prod-readonly", nil)) // another set is not concerned
	if err != nil {
		t.Fatal(err)
	}
	b.sim.Fail(reason)
	if _, err := b.again(take(user, *r.Now)); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), reason) {
		t.Errorf("a removal that failed says %v", err)
	}
}

// The session's length is everybody's: it is compared, never changed, and nothing is given that lasts otherwise.
func TestSessionHours(t *testing.T) {
	t.Parallel()
	b := open(t, sim.Options{})
	user := b.made()
	_, err := b.again(give(user, "demo-sandbox", dayone.Attrs{"session_hours": dayone.Int(4)}))
	if !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "PT8H") {
		t.Errorf("other hours than the set has say %v", err)
	}
	if got := b.sim.Accounts()[0].Entitlements; len(got) > 0 {
		t.Errorf("all the same the user has %v", got)
	}
}

// Each set has its account; one that somebody assigned elsewhere is shown as such, and a leaver loses it.
func TestAccounts(t *testing.T) {
	t.Parallel()
	b := open(t, sim.Options{}, "accounts=prod-readonly=444455556666")
	user := b.made()
	if _, err := b.again(give(user, "prod-readonly", nil)); err != nil {
		t.Fatal(err)
	}
	b.sim.Assign(user, "prod-readonly", "111122223333")
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: user})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, it := range seen.Items[1:] {
		names = append(names, it.Key.Name)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"prod-readonly", "prod-readonly@111122223333"}) {
		t.Fatalf("it shows %v", names)
	}
	for _, it := range seen.Items[1:] {
		if _, err := b.again(take(user, it)); err != nil {
			t.Errorf("taking %s: %v", it.Key, err)
		}
	}
	if got := b.sim.Accounts()[0].Entitlements; len(got) > 0 {
		t.Errorf("the leaver still has %v", got)
	}
}

func TestDisableWithoutSCIM(t *testing.T) {
	t.Parallel()
	b := open(t, sim.Options{}, "scim_url=", "scim_token=")
	if err := b.guard.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	user := b.made()
	_, err := b.guard.Apply(t.Context(), account(dayone.AccountDisable, user, &dayone.Item{State: dayone.Disabled}))
	if !errors.Is(err, dayone.ErrUnsupported) || !strings.Contains(err.Error(), "console") {
		t.Errorf("a disable without SCIM says %v", err)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	b := open(t, sim.Options{})
	user := b.made()
	update := func(as dayone.Attrs) (dayone.Attrs, error) {
		r, err := b.guard.Apply(t.Context(), account(dayone.AccountUpdate, user, &dayone.Item{Attrs: as}))
		if err != nil {
			return nil, err
		}
		return r.Now.Attrs, nil
	}
	want := dayone.Attrs{"email": dayone.Text("sarah@company.com"), "department": dayone.Text("Finance"), "employee_number": dayone.Text("emp_790"), "title": dayone.Text("")}
	got, err := update(want)
	if err != nil || len(got.Differ(want)) > 0 || got.Text("display_name") != "Sarah Chen" {
		t.Errorf("after the update it shows %v, %v", got, err)
	}
	_, err = update(dayone.Attrs{"user_name": dayone.Text("sarah@company.com"), "title": dayone.Text("CFO")})
	if !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("a new user name says %v", err)
	}
	if it, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: user}); err != nil || it.Account().Attrs.Text("title") != "CFO" {
		t.Errorf("what can be changed beside a user name was not: %v, %v", it, err)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		kind, more string
		want       error
	}{
		{"ConflictException", `,"Reason":"UNIQUENESS_CONSTRAINT_VIOLATION"`, dayone.ErrConflict},
		{"ConflictException", `,"Reason":"CONCURRENT_MODIFICATION"`, dayone.ErrNotYet},
		{"ThrottlingException", `,"RetryAfterSeconds":30`, dayone.ErrThrottled},
		{"ServiceQuotaExceededException", ``, dayone.ErrNoSeat},
		{"AccessDeniedException", ``, dayone.ErrForbidden},
		{"ValidationException", ``, dayone.ErrInvalid},
		{"InternalServerException", ``, dayone.ErrUnavailable},
		{"ExpiredTokenException", ``, dayone.ErrAuth},
		{"SomethingNew", ``, dayone.ErrInvalid}, // the status decides
	} {
		t.Run(c.kind+c.more, func(t *testing.T) {
			t.Parallel()
			b := open(t, sim.Options{})
			b.sim.Door().Inject(sim.Fault{Path: "/AWSIdentityStore.CreateUser", Status: 400, Body: `{"__type":"` + c.kind + `","Message":"no"` + c.more + `}`})
			_, err := b.guard.Apply(t.Context(), account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: person()}))
			var f *dayone.Fault
			if !errors.Is(err, c.want) || !errors.As(err, &f) {
				t.Fatalf("says %v, want %v", err, c.want)
			}
			if c.want == dayone.ErrThrottled && time.Until(f.RetryAt) < 25*time.Second {
				t.Errorf("may be called again at %s", f.RetryAt)
			}
			creates := 0
			for _, r := range b.sim.Door().Requests() {
				if r.Path == "/AWSIdentityStore.CreateUser" {
					creates++
				}
			}
			if creates != 1 {
				t.Errorf("it was tried %d times; retries are the engine's", creates)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"account_id=12", "accounts=prod-readonly", "secret_access_key=", "scim_token="} {
		all := awssim.New(sim.Options{}).Settings("http://127.0.0.1:1")
		k, v, _ := strings.Cut(setting, "=")
		all[k] = v
		if _, err := connector.Open(aws.Factory, "aws", time.Now, connector.Options{Settings: all}); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s says %v", setting, err)
		}
	}
	b := open(t, sim.Options{}, "identity_store_id=d-0000000000")
	if err := b.guard.Check(t.Context()); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "d-9067aabbcc") {
		t.Errorf("a directory that is not the instance's says %v", err)
	}
	b = open(t, sim.Options{}, "scim_token=old")
	if err := b.guard.Check(t.Context()); !errors.Is(err, dayone.ErrAuth) {
		t.Errorf("a SCIM token that ended says %v", err)
	}
}

// Without keys the machine's own credentials are used, and their absence is told.
func TestCredentialChain(t *testing.T) {
	for k, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_PROFILE": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
	} {
		t.Setenv(k, v)
	}
	none := open(t, sim.Options{}, "access_key_id=", "secret_access_key=")
	var f *dayone.Fault
	if err := none.guard.Check(t.Context()); !errors.Is(err, dayone.ErrAuth) || !errors.As(err, &f) || f.Next == "" {
		t.Errorf("without any credentials it says %v", err)
	}
	all := awssim.New(sim.Options{}).Settings("")
	t.Setenv("AWS_ACCESS_KEY_ID", all["access_key_id"])
	t.Setenv("AWS_SECRET_ACCESS_KEY", all["secret_access_key"])
	if b := open(t, sim.Options{}, "access_key_id=", "secret_access_key="); b.guard.Check(t.Context()) != nil {
		t.Errorf("with credentials of the machine it says %v", b.guard.Check(t.Context()))
	}
}

// smithy validates requests against AWS's Smithy models: the operation, and its members with their types, lengths and
// patterns.
func smithy(t *testing.T) connectortest.Validator {
	t.Helper()
	m, err := models()
	if err != nil {
		t.Fatal(err)
	}
	if len(m) == 0 {
		t.Log("requests are not validated: the Smithy models are not here; set DAYONE_SPECS to the folder that has them")
	}
	return m
}

type shape struct {
	Type    string            `json:"type"`
	Input   *member           `json:"input"`
	Member  *member           `json:"member"`
	Key     *member           `json:"key"`
	Value   *member           `json:"value"`
	Members map[string]member `json:"members"`
	Traits  traits            `json:"traits"`
}

type member struct {
	Target string `json:"target"`
	Traits traits `json:"traits"`
}

type traits struct {
	Required *struct{}               `json:"smithy.api#required"`
	Pattern  string                  `json:"smithy.api#pattern"`
	Length   *struct{ Min, Max int } `json:"smithy.api#length"`
	Range    *struct{ Min, Max int } `json:"smithy.api#range"`
	Value    string                  `json:"smithy.api#enumValue"`
}

type model map[string]shape // by the whole name: com.amazonaws.identitystore#CreateUser

// namespaces of the services, as X-Amz-Target names them.
var namespaces = map[string]string{"AWSIdentityStore": "com.amazonaws.identitystore#", "SWBExternalService": "com.amazonaws.ssoadmin#"}

var models = sync.OnceValues(func() (model, error) {
	m := model{}
	for _, name := range []string{"aws-identity-center/identitystore-2020-06-15.smithy.json", "aws-identity-center/sso-admin-2020-07-20.smithy.json"} {
		file := connectortest.SpecificationFile(name)
		if file == "" {
			return nil, nil
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var doc struct{ Shapes model }
		if err := json.Unmarshal(raw, &doc); err != nil {
			return nil, err
		}
		for k, s := range doc.Shapes {
			m[k] = s
		}
	}
	m.renew()
	return m, nil
})

// renew adds what the API reference has and the model of April 2025 has not: the enterprise extension.
// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateUser.html
func (m model) renew() {
	const ns = "com.amazonaws.identitystore#"
	name := shape{Type: "string", Traits: traits{Pattern: `^aws:identitystore:[a-z]{1,20}$`}}
	m[ns+"ExtensionName"] = name
	m[ns+"ExtensionNames"] = shape{Type: "list", Member: &member{Target: ns + "ExtensionName"}}
	m[ns+"Extensions"] = shape{Type: "map", Key: &member{Target: ns + "ExtensionName"}, Value: &member{Target: ns + "AttributeValue"}}
	for op, target := range map[string]string{"CreateUserRequest": "Extensions", "DescribeUserRequest": "ExtensionNames", "ListUsersRequest": "ExtensionNames"} {
		m[ns+op].Members["Extensions"] = member{Target: ns + target}
	}
	path := m[ns+"AttributePath"]
	path.Traits.Pattern = `^(?:\p{L}+:\p{L}+:\p{L}+(?:\.\p{L}+){0,3}|\p{L}+(?:\.\p{L}+){0,2})$`
	m[ns+"AttributePath"] = path
}

func (m model) Validate(r *http.Request, body []byte) error {
	if len(m) == 0 || strings.HasPrefix(r.URL.Path, "/scim/") {
		return sim.ErrUnspecified
	}
	service, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	s, ok := m[namespaces[service]+op]
	if !ok || s.Type != "operation" {
		return fmt.Errorf("there is no operation %s.%s", service, op)
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	return m.check(s.Input.Target, op, v)
}

func (m model) check(target, at string, v any) error {
	s, ok := m[target]
	if !ok { // smithy.api#String and the like
		s.Type = strings.ToLower(strings.TrimPrefix(target, "smithy.api#"))
	}
	bad := func(format string, args ...any) error {
		return fmt.Errorf(at+" "+format, args...)
	}
	switch s.Type {
	case "structure", "union":
		object, ok := v.(map[string]any)
		if !ok {
			return bad("is no object")
		}
		if s.Type == "union" && len(object) != 1 {
			return bad("has %d members, want one", len(object))
		}
		for name, v := range object {
			known, ok := s.Members[name]
			if !ok {
				return bad("has no member %q", name)
			}
			if err := m.check(known.Target, at+"."+name, v); err != nil {
				return err
			}
		}
		for name, x := range s.Members {
			if _, has := object[name]; !has && x.Traits.Required != nil {
				return bad("lacks %q", name)
			}
		}
	case "list":
		list, ok := v.([]any)
		if l := s.Traits.Length; !ok || l != nil && (len(list) < l.Min || l.Max > 0 && len(list) > l.Max) {
			return bad("is no list of that length")
		}
		for i, e := range list {
			if err := m.check(s.Member.Target, fmt.Sprintf("%s[%d]", at, i), e); err != nil {
				return err
			}
		}
	case "map":
		object, ok := v.(map[string]any)
		if !ok {
			return bad("is no map")
		}
		for k, e := range object {
			if err := errors.Join(m.check(s.Key.Target, at+" key", k), m.check(s.Value.Target, at+"."+k, e)); err != nil {
				return err
			}
		}
	case "string":
		text, ok := v.(string)
		n := len([]rune(text))
		switch l := s.Traits.Length; {
		case !ok:
			return bad("is %T, want a text", v)
		case l != nil && (n < l.Min || l.Max > 0 && n > l.Max):
			return bad("has %d letters, want %d to %d", n, l.Min, l.Max)
		case s.Traits.Pattern != "" && !regexp.MustCompile(s.Traits.Pattern).MatchString(text):
			return bad("is %q, which does not match %s", text, s.Traits.Pattern)
		}
	case "enum":
		for _, x := range s.Members {
			if x.Traits.Value == v {
				return nil
			}
		}
		return bad("is %v, which is none of the enum", v)
	case "integer":
		n, ok := v.(float64)
		if l := s.Traits.Range; !ok || l != nil && (int(n) < l.Min || int(n) > l.Max) {
			return bad("is no integer in its range")
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return bad("is no truth")
		}
	case "document":
	default:
		return bad("has the type %q, which this test does not know", s.Type)
	}
	return nil
}

func TestSmithyIsStrict(t *testing.T) {
	v := smithy(t)
	if len(v.(model)) == 0 {
		t.Skip("the Smithy models are not here; set DAYONE_SPECS to the folder that has the vendors' specifications")
	}
	const store, id = `"IdentityStoreId":"d-1234567890"`, `"UserId":"1234567890-00000000-0000-4000-8000-000000000001"`
	for _, c := range []struct{ target, body, want string }{
		{"AWSIdentityStore.CreateUser", `{` + store + `,"UserName":"a","Emails":[{"Value":"a@b.c","Primary":true}]}`, ""},
		{"AWSIdentityStore.CreateUser", `{"UserName":"a"}`, "lacks"},
		{"AWSIdentityStore.CreateUser", `{` + store + `,"EmployeeNumber":"1"}`, "no member"},
		{"AWSIdentityStore.CreateUser", `{` + store + `,"UserName":"a b"}`, "does not match"},
		{"AWSIdentityStore.CreateUser", `{` + store + `,"Title":""}`, "letters"},
		{"AWSIdentityStore.CreateUser", `{` + store + `,"Emails":[]}`, "length"},
		{"AWSIdentityStore.DescribeUser", `{` + store + `,` + id + `,"Extensions":["aws:identitystore:enterprise"]}`, ""},
		{"AWSIdentityStore.UpdateUser", `{` + store + `,` + id + `,"Operations":[{"AttributePath":"emails[0].value"}]}`, "does not match"},
		{"AWSIdentityStore.ListUsers", `{` + store + `,"MaxResults":500}`, "range"},
		{"AWSIdentityStore.DisableUser", `{}`, "no operation"},
		{"SWBExternalService.ListInstances", `{}`, ""},
		{"SWBExternalService.CreateAccountAssignment", `{"TargetType":"ACCOUNT"}`, "enum"},
	} {
		r, err := http.NewRequest("POST", "http://x/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", c.target)
		got := v.Validate(r, []byte(c.body))
		if (got == nil) != (c.want == "") || got != nil && !strings.Contains(got.Error(), c.want) {
			t.Errorf("%s %s says %v, want %q", c.target, c.body, got, c.want)
		}
	}
}
