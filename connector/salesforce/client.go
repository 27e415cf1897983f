package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
	"github.com/dayone-hq/dayone/connector/scim"
)

// client has two doors with one token: REST with SOQL, and SCIM to make users.
type client struct {
	rest httpc.Client
	scim *scim.Client
	data string // path of the REST API
	now  func() time.Time
}

func newClient(cfg connector.Config) *client {
	base := strings.TrimSuffix(cfg.Settings["url"], "/")
	tokens := login(cfg, base)
	c := &client{data: "/services/data/" + cfg.Settings["version"], now: cfg.Now}
	c.rest = httpc.Client{System: cfg.System, Base: base, HTTP: cfg.HTTP, Now: cfg.Now, Tokens: tokens, Classify: classify}
	c.scim = scim.NewClient(cfg, base+"/services/scim/v2", nil, scim.Quirks{})
	c.scim.Tokens, c.scim.Classify = tokens, classify
	return c
}

// login gets tokens by the client credentials flow. The answer does not say how long they live.
// https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_client_credentials_flow.htm
func login(cfg connector.Config, base string) *httpc.Tokens {
	door := httpc.Client{System: cfg.System, Base: base, HTTP: cfg.HTTP, Now: cfg.Now, Classify: classifyLogin}
	return &httpc.Tokens{Now: cfg.Now, Fetch: func(ctx context.Context) (dayone.Secret, time.Duration, error) {
		var t struct {
			Token string `json:"access_token"`
		}
		_, err := door.Do(ctx, httpc.Request{Op: "logging in", Method: "POST", Path: "/services/oauth2/token", Form: url.Values{
			"grant_type": {"client_credentials"}, "client_id": {cfg.Settings["client_id"]}, "client_secret": {cfg.Secrets["client_secret"].Reveal()},
		}}, &t)
		if err == nil && t.Token == "" {
			err = door.Fault("logging in", dayone.ErrUnavailable, "", "the answer holds no token")
		}
		return dayone.NewSecret(t.Token), 0, err
	}}
}

// classifyLogin reads {"error":"invalid_client_id","error_description":"..."}, which comes with 400.
func classifyLogin(status int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Error  string `json:"error"`
		Detail string `json:"error_description"`
	}
	if json.Unmarshal(body, &e) != nil || e.Error == "" {
		return "", "", nil
	}
	if status == http.StatusBadRequest {
		return e.Error, e.Detail, dayone.ErrAuth
	}
	return e.Error, e.Detail, nil
}

// kinds of error codes. https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
var kinds = map[string]error{
	"INVALID_SESSION_ID": dayone.ErrAuth, // that of a new token, too
	"DUPLICATE_USERNAME": dayone.ErrConflict, "DUPLICATE_VALUE": dayone.ErrConflict, "DUPLICATE_COMM_NICKNAME": dayone.ErrConflict,
	"LICENSE_LIMIT_EXCEEDED": dayone.ErrNoSeat,
	"NOT_FOUND":              dayone.ErrNotFound, "ENTITY_IS_DELETED": dayone.ErrNotFound,
	"UNABLE_TO_LOCK_ROW": dayone.ErrUnavailable, "SERVER_UNAVAILABLE": dayone.ErrUnavailable, "UNKNOWN_EXCEPTION": dayone.ErrUnavailable,
	"API_DISABLED_FOR_ORG": dayone.ErrForbidden, "API_CURRENTLY_DISABLED": dayone.ErrForbidden, "INSUFFICIENT_ACCESS": dayone.ErrForbidden,
	"INSUFFICIENT_ACCESS_OR_READONLY": dayone.ErrForbidden, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": dayone.ErrForbidden,
}

const limit = "REQUEST_LIMIT_EXCEEDED"

// classify reads [{"message":"...","errorCode":"DUPLICATE_USERNAME","fields":["Username"]}]: the first one counts. SCIM
// has the standard's body, of which we know no codes; there Salesforce's own may begin the detail.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
func classify(status int, header http.Header, body []byte) (string, string, error) {
	var es []struct {
		Code    string   `json:"errorCode"`
		Message string   `json:"message"`
		Fields  []string `json:"fields"`
	}
	if json.Unmarshal(body, &es) != nil || len(es) == 0 {
		code, detail, kind := scim.Classify(status, header, body)
		if word, rest, ok := strings.Cut(detail, ":"); ok && kinds[word] != nil {
			code, detail, kind = word, rest, kinds[word]
		}
		return code, detail, kind
	}
	e := es[0]
	detail := strings.ReplaceAll(e.Message, "<br>", " ")
	if len(e.Fields) > 0 {
		detail += " (" + strings.Join(e.Fields, ", ") + ")"
	}
	if e.Code == limit {
		// of the day, or of calls at the same time: only the message tells
		if used := header.Get("Sforce-Limit-Info"); strings.HasPrefix(e.Message, "TotalRequests") {
			return e.Code, strings.TrimSpace(detail + " " + used), dayone.ErrThrottled
		}
		return e.Code, detail, dayone.ErrUnavailable
	}
	return e.Code, detail, kinds[e.Code]
}

// dayLimit is how long to wait when the requests of the last 24 hours are used up.
const dayLimit = 15 * time.Minute

// explained adds what Salesforce does not say: when to come back, and what to do.
func (c *client) explained(err error) error {
	var f *dayone.Fault
	if !errors.As(err, &f) {
		return err
	}
	switch {
	case f.Code == limit && errors.Is(err, dayone.ErrThrottled):
		f.RetryAt = c.now().Add(dayLimit)
	case f.Code == "DUPLICATE_USERNAME":
		f.Next = "if no user here has it, one of another org does; give the attribute login another suffix"
	}
	return err
}

func (c *client) do(ctx context.Context, q httpc.Request, out any) error {
	_, err := c.rest.Do(ctx, q, out)
	return c.explained(err)
}

// quote writes text as SOQL takes it, whatever is in it.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + "'"
}

// query pages through what a SOQL query finds. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
func query[T any](ctx context.Context, c *client, op, soql string, each func(T) bool) error {
	q := httpc.Request{Op: op, Method: "GET", Path: c.data + "/query", Query: url.Values{"q": {soql}}}
	for {
		var page struct {
			Records []T    `json:"records"`
			Next    string `json:"nextRecordsUrl"`
		}
		if err := c.do(ctx, q, &page); err != nil {
			return err
		}
		for _, r := range page.Records {
			if !each(r) {
				return nil
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Path, q.Query = page.Next, nil
	}
}

// row is what a query finds: fields by name, and rows that it refers to.
type row map[string]any

func (r row) text(field string) string {
	s, _ := r[field].(string)
	return s
}

func (r row) of(object string) row {
	other, _ := r[object].(map[string]any)
	return other
}

func (r row) created() time.Time {
	t, _ := time.Parse("2006-01-02T15:04:05.000-0700", r.text("CreatedDate"))
	return t.UTC()
}

// users finds people. https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_user.htm
func (c *client) users(ctx context.Context, where string, each func(row) bool) error {
	names := strings.Join(slices.Sorted(maps.Values(fields)), ", ")
	return query(ctx, c, "reading users", "SELECT Id, IsActive, CreatedDate, ProfileId, Profile.Name, "+names+" FROM User WHERE "+where+" ORDER BY Id", each)
}

// source is an object that can be given to users: profiles, queues, permission sets.
type source struct {
	object, label string
	only          string // which of them; "": all
}

var profileSource = source{"Profile", "Name", ""}

// list shows what there is. more narrows it down; "" does not.
func (c *client) list(ctx context.Context, s source, more string, each func(id, name string) bool) error {
	soql := "SELECT Id, " + s.label + " FROM " + s.object
	if where := strings.Join(slices.DeleteFunc([]string{s.only, more}, func(w string) bool { return w == "" }), " AND "); where != "" {
		soql += " WHERE " + where
	}
	return query(ctx, c, "listing "+s.object, soql+" ORDER BY "+s.label, func(r row) bool { return each(r.text("Id"), r.text(s.label)) })
}

// seats shows profiles with the licences that their users take.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userlicense.htm
func (c *client) seats(ctx context.Context, each func(dayone.Offer) bool) error {
	const soql = "SELECT Id, Name, UserLicense.Name, UserLicense.TotalLicenses, UserLicense.UsedLicenses FROM Profile ORDER BY Name"
	return query(ctx, c, "listing Profile", soql, func(r row) bool {
		o := dayone.Offer{Key: dayone.Key{Name: r.text("Name")}, Ref: r.text("Id")}
		total, some := r.of("UserLicense")["TotalLicenses"].(float64)
		used, more := r.of("UserLicense")["UsedLicenses"].(float64)
		if some && more && total >= 0 { // -1 is as many as one likes
			o.Seats = &dayone.Seats{Pool: r.of("UserLicense").text("Name"), Total: int(total), Used: int(used)}
		}
		return each(o)
	})
}

// link is an object whose rows tie a user to a source.
type link struct {
	rows, user, to string
	source
}

var (
	// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_groupmember.htm
	queues = link{"GroupMember", "UserOrGroupId", "GroupId", source{"Group", "Name", "Type = 'Queue'"}}
	// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionsetassignment.htm
	permsets = link{"PermissionSetAssignment", "AssigneeId", "PermissionSetId", source{"PermissionSet", "Label", "IsOwnedByProfile = false"}}
)

// links are the rows of one user: their id, where they lead, and what that is called.
func (c *client) links(ctx context.Context, l link, account string, each func(id, to, name string) bool) error {
	soql := "SELECT Id, " + l.to + ", " + l.object + "." + l.label + " FROM " + l.rows + " WHERE " + l.user + " = " + quote(account) + " AND " + l.object + "." + l.only
	return query(ctx, c, "reading "+l.rows, soql, func(r row) bool { return each(r.text("Id"), r.text(l.to), r.of(l.object).text(l.label)) })
}

func (c *client) link(ctx context.Context, l link, account, to string) error {
	return c.do(ctx, httpc.Request{Op: "creating " + l.rows, Method: "POST", Path: c.data + "/sobjects/" + l.rows, JSON: map[string]string{l.user: account, l.to: to}}, nil)
}

func (c *client) remove(ctx context.Context, object, id string) error {
	return c.do(ctx, httpc.Request{Op: "deleting " + object, Method: "DELETE", Path: c.data + "/sobjects/" + object + "/" + url.PathEscape(id)}, nil)
}

// update sets fields. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_retrieve_patch.htm
func (c *client) update(ctx context.Context, object, id string, set map[string]any) error {
	return c.do(ctx, httpc.Request{Op: "updating " + object, Method: "PATCH", Path: c.data + "/sobjects/" + object + "/" + url.PathEscape(id), JSON: set}, nil)
}

// freeze shuts or opens sign-in, if it is not so already.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userlogin.htm
func (c *client) freeze(ctx context.Context, account string, frozen bool) error {
	var rows []string
	if err := query(ctx, c, "reading UserLogin", "SELECT Id, IsFrozen FROM UserLogin WHERE UserId = "+quote(account), func(r row) bool {
		if (r["IsFrozen"] == true) != frozen {
			rows = append(rows, r.text("Id"))
		}
		return true
	}); err != nil {
		return err
	}
	for _, id := range rows {
		if err := c.update(ctx, "UserLogin", id, map[string]any{"IsFrozen": frozen}); err != nil {
			return err
		}
	}
	return nil
}
