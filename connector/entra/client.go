package entra

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

type client struct {
	httpc.Client
	advanced httpc.Client // asks the index that lags behind, for what only that one can filter
	set      map[string]string
	lag      time.Duration
}

func newClient(cfg connector.Config) (*client, error) {
	l, err := newLogin(cfg)
	if err != nil {
		return nil, err
	}
	api := httpc.Client{
		System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now,
		Tokens: &httpc.Tokens{Now: cfg.Now, Fetch: l.fetch}, Classify: classify,
	}
	c := &client{Client: api, advanced: api, set: cfg.Settings, lag: time.Duration(cfg.Manifest.Lag)}
	c.advanced.Header = http.Header{}
	c.advanced.Header.Set("ConsistencyLevel", "eventual")
	return c, nil
}

// user as the wire has it. https://learn.microsoft.com/graph/api/resources/user
type user struct {
	ID           string    `json:"id"`
	UPN          string    `json:"userPrincipalName"`
	Mail         string    `json:"mail"`
	Enabled      *bool     `json:"accountEnabled"`
	Display      string    `json:"displayName"`
	Given        string    `json:"givenName"`
	Surname      string    `json:"surname"`
	Title        string    `json:"jobTitle"`
	Department   string    `json:"department"`
	Office       string    `json:"officeLocation"`
	Company      string    `json:"companyName"`
	Country      string    `json:"country"`
	Usage        string    `json:"usageLocation"`
	EmployeeID   string    `json:"employeeId"`
	EmployeeType string    `json:"employeeType"`
	HireDate     string    `json:"employeeHireDate"`
	LeaveDate    string    `json:"employeeLeaveDateTime"`
	Mobile       string    `json:"mobilePhone"`
	Language     string    `json:"preferredLanguage"`
	Synced       bool      `json:"onPremisesSyncEnabled"`
	Created      time.Time `json:"createdDateTime"`
	Manager      *user     `json:"manager"`
	Org          struct {
		CostCenter string `json:"costCenter"`
		Division   string `json:"division"`
	} `json:"employeeOrgData"`
}

// accountFields are those that an account shows, personFields those of which a source tells.
const (
	accountFields = "id,userPrincipalName,mail,accountEnabled,displayName,givenName,surname,jobTitle,department,officeLocation,companyName,usageLocation," +
		"employeeId,employeeHireDate,onPremisesSyncEnabled,createdDateTime"
	personFields = accountFields + ",country,employeeType,mobilePhone,preferredLanguage,employeeOrgData"
	withManager  = "manager($select=id,userPrincipalName,mail)"
)

// group as the wire has it; other directory objects have fewer of these. https://learn.microsoft.com/graph/api/resources/group
type group struct {
	Type        string   `json:"@odata.type"`
	ID          string   `json:"id"`
	Name        string   `json:"displayName"`
	Description string   `json:"description"`
	Types       []string `json:"groupTypes"`
	Mail        bool     `json:"mailEnabled"`
	Synced      bool     `json:"onPremisesSyncEnabled"`
}

const groupFields = "id,displayName,description,groupTypes,mailEnabled,onPremisesSyncEnabled"

// dynamic groups have a rule that says who is in them.
func (g group) dynamic() bool { return slices.Contains(g.Types, "DynamicMembership") }

// exchange groups are distribution lists and mail-enabled security groups, which Graph only reads.
func (g group) exchange() bool { return g.Mail && !slices.Contains(g.Types, "Unified") }

// permission that a call needs, for the administrator who has not given it.
func permission(q httpc.Request) string {
	for _, p := range []struct{ part, name string }{
		{"/temporaryAccessPassMethods", "UserAuthenticationMethod.ReadWrite.All"},
		{"/sendMail", "Mail.Send"},
		{"/events", "Calendars.ReadWrite"},
		{"/assignLicense", "LicenseAssignment.ReadWrite.All"},
		{"/subscribedSkus", "LicenseAssignment.ReadWrite.All"},
		{"/members/", "GroupMember.ReadWrite.All"},
		{"/groups", "GroupMember.ReadWrite.All"},
		{"oauth2PermissionGrants", "DelegatedPermissionGrant.ReadWrite.All"},
		{"/ownedObjects", "Directory.Read.All"},
		{"/memberOf", "Directory.Read.All"},
	} {
		if strings.Contains(q.Path, p.part) {
			return p.name
		}
	}
	return "User.ReadWrite.All"
}

func (c *client) call(ctx context.Context, via *httpc.Client, q httpc.Request, out any) error {
	_, err := via.Do(ctx, q, out)
	return advised(err, permission(q))
}

// pages follows @odata.nextLink, which is a whole URL. https://learn.microsoft.com/graph/paging
func pages[T any](ctx context.Context, c *client, via *httpc.Client, q httpc.Request, each func(T) bool) error {
	for later := false; ; later = true {
		var page struct {
			Value *[]T   `json:"value"`
			Next  string `json:"@odata.nextLink"`
		}
		err := c.call(ctx, via, q, &page)
		if later {
			err = httpc.BrokeOff(err)
		}
		if err != nil {
			return err
		}
		if page.Value == nil { // never an empty tenant
			return c.Fault(q.Op, dayone.ErrUnavailable, "", "the answer has no list")
		}
		for _, v := range *page.Value {
			if !each(v) {
				return nil
			}
		}
		switch page.Next {
		case "":
			return nil
		case q.Path:
			return c.Fault(q.Op, dayone.ErrInvalid, "", "after this page comes the same page")
		}
		q.Path, q.Query = page.Next, nil
	}
}

// quoted is a text of a filter.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func userPath(ref string) string { return "/users/" + url.PathEscape(ref) }

// getUser reads by id or login. https://learn.microsoft.com/graph/api/user-get
func (c *client) getUser(ctx context.Context, key string) (user, error) {
	var u user
	err := c.call(ctx, &c.Client, httpc.Request{
		Op: "reading user", Method: "GET", Path: userPath(key), Query: url.Values{"$select": {accountFields}, "$expand": {withManager}},
	}, &u)
	if err == nil && u.ID == "" {
		err = c.Fault("reading user", dayone.ErrUnavailable, "", "the answer names no user")
	}
	return u, err
}

// listUsers streams users. https://learn.microsoft.com/graph/api/user-list
func (c *client) listUsers(ctx context.Context, filter, fields string, each func(user) bool) error {
	q := url.Values{"$select": {fields}, "$expand": {withManager}, "$top": {"999"}}
	if filter != "" {
		q.Set("$filter", filter)
	}
	return pages(ctx, c, &c.Client, httpc.Request{Op: "listing users", Method: "GET", Path: "/users", Query: q}, each)
}

// patchUser changes what body names. https://learn.microsoft.com/graph/api/user-update
func (c *client) patchUser(ctx context.Context, ref string, body map[string]any) error {
	return c.call(ctx, &c.Client, httpc.Request{Op: "updating user", Method: "PATCH", Path: userPath(ref), JSON: body}, nil)
}

// reference names an object in a link to it.
func (c *client) reference(collection, id string) map[string]string {
	return map[string]string{"@odata.id": c.Base + "/" + collection + "/" + url.PathEscape(id)}
}

// classify reads {"error":{"code":"Request_BadRequest","message":"...","details":[{"code":"ObjectConflict"}]}}: conflicts, used-up
// licences and what Active Directory masters are all 400. https://learn.microsoft.com/graph/errors
func classify(status int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Details []struct {
				Code string `json:"code"`
			} `json:"details"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil || e.Error.Code == "" {
		return "", "", nil
	}
	code, detail := e.Error.Code, e.Error.Message
	for _, d := range e.Error.Details {
		if d.Code == "ObjectConflict" || d.Code == "ConflictingObjects" {
			return d.Code, detail, dayone.ErrConflict
		}
	}
	if status == http.StatusTooManyRequests || status >= 500 {
		return code, detail, nil
	}
	for _, x := range []struct {
		words string
		kind  error
	}{
		{"already exist", dayone.ErrConflict}, // an object of this name, or a member
		{"does not have any available licenses", dayone.ErrNoSeat},
		{"CountViolation", dayone.ErrNoSeat},
		{"inherited from a group", dayone.ErrUnsupported},
		{"authoritative source", dayone.ErrUnsupported},
		{"on-premises", dayone.ErrUnsupported},
		{"mail-enabled security groups", dayone.ErrUnsupported},
		{"dynamic", dayone.ErrUnsupported},
	} {
		if strings.Contains(detail, x.words) {
			return code, detail, x.kind
		}
	}
	kinds := map[string]error{
		"Request_ResourceNotFound": dayone.ErrNotFound, "ErrorItemNotFound": dayone.ErrNotFound, "resourceNotFound": dayone.ErrNotFound,
		"syncStateNotFound": dayone.ErrNotFound, "resyncRequired": dayone.ErrNotFound,
		"MailboxNotEnabledForRESTAPI": dayone.ErrNotYet, "Request_ConcurrencyViolation": dayone.ErrNotYet, "ConcurrencyViolation": dayone.ErrNotYet,
		"Directory_QuotaExceeded": dayone.ErrNoSeat, "Authorization_RequestDenied": dayone.ErrForbidden, "ErrorAccessDenied": dayone.ErrForbidden,
		"InvalidAuthenticationToken": dayone.ErrAuth, "TooManyRequests": dayone.ErrThrottled, "activityLimitReached": dayone.ErrThrottled,
	}
	return code, detail, kinds[code]
}

// day is the date in a time as Graph writes it.
func day(at string) string {
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		return t.UTC().Format(time.DateOnly)
	}
	return at
}
