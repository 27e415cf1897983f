package jamf

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// computer of https://developer.jamf.com/jamf-pro/reference/get_v4-computers-inventory, as far as its sections are asked for.
type computer struct {
	ID       string `json:"id"`
	Hardware struct {
		SerialNumber string `json:"serialNumber"`
		Model        string `json:"model"`
	} `json:"hardware"`
	User   assignee     `json:"userAndLocation"`
	Groups []membership `json:"groupMemberships"`
}

// assignee is userAndLocation; what is not set is null.
type assignee map[string]any

func (u assignee) get(field string) string {
	s, _ := u[field].(string)
	return s
}

type membership struct {
	ID    string `json:"groupId"`
	Name  string `json:"groupName"`
	Smart bool   `json:"smartGroup"`
}

// location is what is changed of userAndLocation; what is not named stays.
type location map[string]string

// configProfile of https://developer.jamf.com/jamf-pro/reference/findosxconfigurationprofilesbyname. Only what we set.
type configProfile struct {
	XMLName xml.Name `xml:"os_x_configuration_profile"`
	General general  `xml:"general"`
	Scope   *scope   `xml:"scope"` // never sent for a profile that is there: it would replace the whole scope
}

type general struct {
	ID                 int    `xml:"id,omitempty"`
	Name               string `xml:"name"`
	Description        string `xml:"description"`
	DistributionMethod string `xml:"distribution_method"`
	UserRemovable      bool   `xml:"user_removable"`
	Level              string `xml:"level"`
	RedeployOnUpdate   string `xml:"redeploy_on_update"`
	Payloads           string `xml:"payloads"`
}

type scope struct {
	AllComputers bool    `xml:"all_computers"`
	Groups       []group `xml:"computer_groups>computer_group"`
}

type group struct {
	ID string `xml:"id"`
}

// change adds computers to a static group or takes them out; the others in it stay.
type change struct {
	XMLName xml.Name `xml:"computer_group"`
	Add     []string `xml:"computer_additions>computer>id,omitempty"`
	Delete  []string `xml:"computer_deletions>computer>id,omitempty"`
}

type client struct{ httpc.Client }

// newClient keeps the cookies of a clustered server: what was written on one node is read there.
func newClient(cfg connector.Config) (*client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	h := *cfg.HTTP
	h.Jar = jar
	open := httpc.Client{System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: &h, Now: cfg.Now, Classify: classify}
	c := &client{Client: open}
	c.Tokens = &httpc.Tokens{Now: cfg.Now, Fetch: func(ctx context.Context) (dayone.Secret, time.Duration, error) {
		return fetchToken(ctx, &open, cfg.Settings["client_id"], cfg.Secrets["client_secret"])
	}}
	return c, nil
}

// fetchToken gets an access token. https://developer.jamf.com/jamf-pro/docs/client-credentials
func fetchToken(ctx context.Context, c *httpc.Client, id string, secret dayone.Secret) (dayone.Secret, time.Duration, error) {
	var out struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	_, err := c.Do(ctx, httpc.Request{Op: "getting token", Method: "POST", Path: "/api/v1/oauth/token", Form: url.Values{
		"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret.Reveal()},
	}}, &out)
	return dayone.NewSecret(out.AccessToken), time.Duration(out.ExpiresIn) * time.Second, err
}

var paragraph = regexp.MustCompile(`(?s)<p[^>]*>(.*?)</p>`)

// classify reads {"httpStatus":403,"errors":[{"code":"INVALID_PRIVILEGE","description":"..."}]}, the token endpoint's
// {"error":"invalid_client"} and the classic interface's HTML, whose first paragraphs say what is wrong.
func classify(status int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Errors []struct {
			Code        string `json:"code"`
			Field       string `json:"field"`
			Description string `json:"description"`
		} `json:"errors"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &e) != nil {
		var words []string
		for _, m := range paragraph.FindAllSubmatch(body, 2) {
			words = append(words, string(m[1]))
		}
		return "", strings.Join(words, ": "), nil
	}
	switch e.Error {
	case "invalid_client", "invalid_grant":
		return e.Error, e.Description, dayone.ErrAuth
	case "invalid_scope", "unauthorized_client":
		return e.Error, e.Description, dayone.ErrForbidden
	}
	if len(e.Errors) == 0 {
		return e.Error, e.Description, nil
	}
	code, detail := e.Errors[0].Code, e.Errors[0].Description
	if f := e.Errors[0].Field; f != "" {
		detail = f + ": " + detail
	}
	switch code {
	case "INVALID_TOKEN":
		return code, detail, dayone.ErrAuth
	case "INVALID_PRIVILEGE":
		return code, detail, dayone.ErrForbidden
	case "DUPLICATE_FIELD":
		return code, detail, dayone.ErrConflict
	case "OPTIMISTIC_LOCK_FAILED":
		return code, detail, dayone.ErrUnavailable
	}
	return code, detail, nil
}

// quote is a text in RSQL.
func quote(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

// pages follows page and page-size until totalCount is read.
func pages[T any](ctx context.Context, c *client, q httpc.Request) ([]T, error) {
	var all []T
	q.Query.Set("page-size", "100")
	for n := 0; ; n++ {
		q.Query.Set("page", strconv.Itoa(n))
		var page struct {
			TotalCount int `json:"totalCount"`
			Results    []T `json:"results"`
		}
		if _, err := c.Do(ctx, q, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Results...)
		if len(page.Results) == 0 || len(all) >= page.TotalCount {
			return all, nil
		}
	}
}

// findComputers lists the inventory. https://developer.jamf.com/jamf-pro/reference/get_v4-computers-inventory
func (c *client) findComputers(ctx context.Context, filter string, sections ...string) ([]computer, error) {
	return pages[computer](ctx, c, httpc.Request{
		Op: "finding computers", Method: "GET", Path: "/api/v4/computers-inventory",
		Query: url.Values{"section": sections, "filter": {filter}, "sort": {"id:asc"}},
	})
}

// getComputer reads one. https://developer.jamf.com/jamf-pro/reference/get_v4-computers-inventory-id
func (c *client) getComputer(ctx context.Context, id string) (computer, error) {
	var out computer
	_, err := c.Do(ctx, httpc.Request{
		Op: "reading computer", Method: "GET", Path: "/api/v4/computers-inventory/" + url.PathEscape(id),
		Query: url.Values{"section": {"HARDWARE", "USER_AND_LOCATION", "GROUP_MEMBERSHIPS"}},
	}, &out)
	return out, err
}

// updateUser changes the user of a computer. https://developer.jamf.com/jamf-pro/reference/patch_v4-computers-inventory-detail-id
func (c *client) updateUser(ctx context.Context, id string, to location) error {
	_, err := c.Do(ctx, httpc.Request{
		Op: "changing user of computer", Method: "PATCH", Path: "/api/v4/computers-inventory-detail/" + url.PathEscape(id),
		JSON: map[string]any{"userAndLocation": to},
	}, nil)
	return err
}

// named is a department or a static group.
type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// departmentID finds a department by name. https://developer.jamf.com/jamf-pro/reference/get_v1-departments
func (c *client) departmentID(ctx context.Context, name string) (string, error) {
	found, err := pages[named](ctx, c, httpc.Request{
		Op: "finding department", Method: "GET", Path: "/api/v1/departments",
		Query: url.Values{"filter": {"name==" + quote(name)}},
	})
	if err != nil {
		return "", err
	}
	for _, d := range found {
		if d.Name == name {
			return d.ID, nil
		}
	}
	return "", &dayone.Fault{
		System: c.System, Op: "finding department", Err: dayone.ErrInvalid, Detail: "Jamf has no department " + name,
		Next: "add it at Jamf under Network Organization, or take department out of the attributes",
	}
}

// departmentName reads one. https://developer.jamf.com/jamf-pro/reference/get_v1-departments-id
func (c *client) departmentName(ctx context.Context, id string) (string, error) {
	var d named
	_, err := c.Do(ctx, httpc.Request{Op: "reading department", Method: "GET", Path: "/api/v1/departments/" + url.PathEscape(id)}, &d)
	return d.Name, err
}

// findGroup is the id of a static group, or "". https://developer.jamf.com/jamf-pro/reference/get_v3-computer-groups-static-groups
func (c *client) findGroup(ctx context.Context, name string) (string, error) {
	found, err := pages[named](ctx, c, httpc.Request{
		Op: "finding static group", Method: "GET", Path: "/api/v3/computer-groups/static-groups",
		Query: url.Values{"filter": {"name==" + quote(name)}},
	})
	if err != nil {
		return "", err
	}
	for _, g := range found {
		if g.Name == name {
			return g.ID, nil
		}
	}
	return "", nil
}

// createGroup makes an empty one. 422 is a name that is taken. https://developer.jamf.com/jamf-pro/reference/post_v3-computer-groups-static-groups
func (c *client) createGroup(ctx context.Context, name string) (string, error) {
	var out struct {
		ID string `json:"id"`
	}
	a, err := c.Do(ctx, httpc.Request{
		Op: "creating static group", Method: "POST", Path: "/api/v3/computer-groups/static-groups",
		JSON: map[string]any{"name": name, "description": "Laptops with this profile. Dayone adds and removes them.", "siteId": "-1", "assignments": []string{}},
	}, &out)
	if a != nil && a.Status == http.StatusUnprocessableEntity {
		return "", c.Fault("creating static group", dayone.ErrConflict, "HTTP 422", "there is a group "+name)
	}
	return out.ID, err
}

// changeMembers adds to a static group or takes out. https://developer.jamf.com/jamf-pro/reference/updatecomputergroupbyid
func (c *client) changeMembers(ctx context.Context, id string, ch change) error {
	return c.send(ctx, "changing static group", "PUT", "/JSSResource/computergroups/id/"+url.PathEscape(id), ch)
}

// findProfile reads a configuration profile by name, or nil. https://developer.jamf.com/jamf-pro/reference/findosxconfigurationprofilesbyname
func (c *client) findProfile(ctx context.Context, name string) (*configProfile, error) {
	const op = "reading configuration profile"
	a, err := c.Do(ctx, httpc.Request{Op: op, Method: "GET", Path: "/JSSResource/osxconfigurationprofiles/name/" + url.PathEscape(name), Accept: "application/xml"}, nil)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	var p configProfile
	if err := xml.Unmarshal(a.Body, &p); err != nil {
		return nil, c.Fault(op, dayone.ErrUnavailable, "HTTP 200", "the answer is no XML that we understand: "+err.Error())
	}
	return &p, nil
}

// createProfile makes one, scoped to one group. https://developer.jamf.com/jamf-pro/reference/createosxconfigurationprofilebyid
func (c *client) createProfile(ctx context.Context, g general, groupID string) error {
	return c.send(ctx, "creating configuration profile", "POST", "/JSSResource/osxconfigurationprofiles/id/0",
		configProfile{General: g, Scope: &scope{Groups: []group{{groupID}}}})
}

// updateProfile changes one and leaves its scope. https://developer.jamf.com/jamf-pro/reference/updateosxconfigurationprofilebyid
func (c *client) updateProfile(ctx context.Context, id int, g general) error {
	return c.send(ctx, "updating configuration profile", "PUT", "/JSSResource/osxconfigurationprofiles/id/"+strconv.Itoa(id), configProfile{General: g})
}

// send writes XML, which is all that the classic interface takes.
func (c *client) send(ctx context.Context, op, method, path string, body any) error {
	b, err := xml.Marshal(body)
	if err != nil {
		return c.Fault(op, dayone.ErrInvalid, "", err.Error())
	}
	_, err = c.Do(ctx, httpc.Request{Op: op, Method: method, Path: path, Body: b, Type: "application/xml", Accept: "application/xml"}, nil)
	return err
}
