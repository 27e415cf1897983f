package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

type client struct{ httpc.Client }

// page of GET /employees: {"employees": [...], "next_page": 2}.
type page struct {
	employees []any
	next      int // 0: this is the last
}

// classify reads {"error":"not_found","message":"..."}: the status decides.
func classify(_ int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &e) != nil {
		return "", "", nil
	}
	return e.Error, e.Message, nil
}

// get reads JSON with numbers as they are written.
func (c *client) get(ctx context.Context, op, path string, query url.Values) (any, error) {
	a, err := c.Do(ctx, httpc.Request{Op: op, Method: "GET", Path: path, Query: query}, nil)
	if err != nil {
		return nil, err
	}
	v, err := decode(a.Body)
	if err != nil {
		return nil, c.Fault(op, dayone.ErrUnavailable, "HTTP "+strconv.Itoa(a.Status), "the answer is no JSON: "+err.Error())
	}
	return v, nil
}

// getEmployee reads one record.
func (c *client) getEmployee(ctx context.Context, id string) (any, error) {
	return c.get(ctx, "reading employee", "/employees/"+url.PathEscape(id), nil)
}

// listEmployees reads one page; pages count from 1.
func (c *client) listEmployees(ctx context.Context, n int) (page, error) {
	const op = "listing employees"
	v, err := c.get(ctx, op, "/employees", url.Values{"page": {strconv.Itoa(n)}})
	if err != nil {
		return page{}, err
	}
	list, ok := at(v, "employees").([]any)
	if !ok { // never an empty company
		return page{}, c.Fault(op, dayone.ErrInvalid, "", "the answer has no list employees")
	}
	next, _ := word(at(v, "next_page"))
	following, err := strconv.Atoi(next)
	if next != "" && err != nil {
		return page{}, c.Fault(op, dayone.ErrInvalid, "", "next_page is no number")
	}
	return page{list, following}, nil
}
