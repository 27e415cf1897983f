package entra

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// Changes asks for the users that changed since a mark, which is the link that the last answer gave. A delta tells neither
// managers nor who passes the filter: those who changed are read again, many in one call.
// https://learn.microsoft.com/graph/delta-query-users
func (s source) Changes(ctx context.Context, since string) ([]dayone.Event, string, error) {
	const op = "asking for changes"
	q := httpc.Request{Op: op, Method: "GET", Path: since}
	if since == "" {
		q.Path, q.Query = "/users/delta", url.Values{"$select": {deltaFields}, "$deltatoken": {"latest"}}
	}
	var ids []string
	for {
		var page struct {
			Value *[]struct {
				ID      string          `json:"id"`
				Removed json.RawMessage `json:"@removed"`
			} `json:"value"`
			Next  string `json:"@odata.nextLink"`
			Delta string `json:"@odata.deltaLink"`
		}
		if err := s.api.call(ctx, &s.api.Client, q, &page); err != nil {
			return nil, "", err
		}
		if page.Value == nil || page.Next == "" && page.Delta == "" || page.Next == q.Path {
			return nil, "", s.api.Fault(op, dayone.ErrUnavailable, "", "the answer has no list, or nothing that leads on")
		}
		for _, u := range *page.Value {
			if u.Removed == nil { // who is missing is the whole list's to show
				ids = append(ids, u.ID)
			}
		}
		if page.Delta != "" {
			slices.Sort(ids)
			events, err := s.again(ctx, slices.Compact(ids))
			return events, page.Delta, err
		}
		q.Path, q.Query = page.Next, nil
	}
}

// deltaFields are those whose change is told: a delta knows no manager's mail address, and no date of leaving.
const deltaFields = "id,userPrincipalName,mail,accountEnabled,displayName,givenName,surname,jobTitle,department,officeLocation,companyName,usageLocation," +
	"employeeId,employeeHireDate,country,employeeType,mobilePhone,preferredLanguage,employeeOrgData,userType,manager"

// batchSize is how many calls go into one. https://learn.microsoft.com/graph/json-batching
const batchSize = 20

// inner is one call of a batch, and answered what came of it.
type inner struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	URL    string `json:"url"`
}

type answered struct {
	ID     string            `json:"id"`
	Status int               `json:"status"`
	Header map[string]string `json:"headers"`
	Body   json.RawMessage   `json:"body"`
}

// batch makes calls together, and gives their answers in their order. The first that was refused is an error, but for one
// that says that something is not there: that answer is nil.
func (c *client) batch(ctx context.Context, op string, calls []string) ([]json.RawMessage, error) {
	out := make([]json.RawMessage, 0, len(calls))
	for some := range slices.Chunk(calls, batchSize) {
		var body struct {
			Requests []inner `json:"requests"`
		}
		for i, u := range some {
			body.Requests = append(body.Requests, inner{strconv.Itoa(i + 1), http.MethodGet, u})
		}
		var got struct {
			Responses []answered `json:"responses"`
		}
		if err := c.call(ctx, &c.Client, httpc.Request{Op: op, Method: "POST", Path: "/$batch", JSON: body}, &got); err != nil {
			return nil, err
		}
		for i, q := range body.Requests {
			at := slices.IndexFunc(got.Responses, func(a answered) bool { return a.ID == q.ID })
			if at < 0 {
				return nil, c.Fault(op, dayone.ErrUnavailable, "", "one of the calls has no answer")
			}
			switch err := c.judge(op, got.Responses[at]); {
			case errors.Is(err, dayone.ErrNotFound):
				out = append(out, nil)
			case err != nil:
				path, _, _ := strings.Cut(some[i], "?")
				return nil, advised(err, permission(httpc.Request{Path: path}))
			default:
				out = append(out, got.Responses[at].Body)
			}
		}
	}
	return out, nil
}

// judge reads one answer of a batch as the client reads one that comes alone.
func (c *client) judge(op string, a answered) error {
	if a.Status >= 200 && a.Status < 300 {
		return nil
	}
	h := http.Header{}
	for name, v := range a.Header {
		h.Set(name, v)
	}
	code, detail, kind := classify(a.Status, h, a.Body)
	if kind == nil {
		kind = httpc.KindOf(a.Status)
	}
	err := c.Fault(op, kind, code, detail)
	var f *dayone.Fault
	if errors.As(err, &f) && errors.Is(kind, dayone.ErrThrottled) {
		f.RetryAt = connector.RetryAt(h, c.Now())
	}
	return err
}

// again reads the records of users, those that are people.
func (s source) again(ctx context.Context, ids []string) ([]dayone.Event, error) {
	const op = "reading people who changed"
	calls := make([]string, 0, len(ids))
	for _, id := range ids {
		filter := "id eq " + quoted(id)
		if f := s.api.set["filter"]; f != "" {
			filter = "(" + f + ") and " + filter
		}
		calls = append(calls, "/users?"+url.Values{"$select": {s.fields()}, "$expand": {withManager}, "$filter": {filter}}.Encode())
	}
	answers, err := s.api.batch(ctx, op, calls)
	if err != nil {
		return nil, err
	}
	var out []dayone.Event
	for _, raw := range answers {
		var page struct {
			Value *[]user `json:"value"`
		}
		if raw == nil {
			continue
		}
		if err := json.Unmarshal(raw, &page); err != nil || page.Value == nil {
			return nil, s.api.Fault(op, dayone.ErrUnavailable, "", "one of the answers has no list")
		}
		for _, u := range *page.Value {
			if e := s.event(u); e.Subject != "" {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// Search finds people by the beginnings of the words of their name, and by mail address and login. Only the index that lags
// behind can. https://learn.microsoft.com/graph/search-query-parameter
func (s source) Search(ctx context.Context, text string, limit int) ([]dayone.Event, error) {
	text = strings.Join(strings.Fields(strings.NewReplacer(`"`, " ", `\`, " ").Replace(text)), " ")
	if text == "" {
		return nil, nil
	}
	var terms []string
	for _, field := range []string{"displayName", "mail", "userPrincipalName"} {
		terms = append(terms, `"`+field+":"+text+`"`)
	}
	limit = min(max(limit, 1), 100)
	q := url.Values{
		"$search": {strings.Join(terms, " OR ")}, "$count": {"true"}, "$select": {s.fields()}, "$expand": {withManager}, "$top": {strconv.Itoa(limit)},
	}
	if f := s.api.set["filter"]; f != "" {
		q.Set("$filter", f)
	}
	var out []dayone.Event
	err := pages(ctx, s.api, &s.api.advanced, httpc.Request{Op: "searching people", Method: "GET", Path: "/users", Query: q}, func(u user) bool {
		if e := s.event(u); e.Subject != "" {
			out = append(out, e)
		}
		return len(out) < limit
	})
	return out, err
}
