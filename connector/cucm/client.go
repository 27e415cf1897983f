package cucm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// Cluster is one Unified CM cluster as AXL shows it. At most two read at the same time, and one writes: the vendor refuses
// a third large query, and every write waits in one queue of the publisher.
// https://developer.cisco.com/docs/axl/#!axl-developer-guide
type Cluster struct {
	httpc.Client
	version string // of the schema: 12.5, 14.0, 15.0; "auto": the newest that the cluster has
	changes bool   // the change list is read, to see who else writes
	writer  chan struct{}
	readers chan struct{}

	mu      sync.Mutex
	session string        // JSESSIONIDSSO: without it every call is a new session of the server
	found   string        // the version that was found, where it is to be
	skew    time.Duration // how far our clock is ahead of the cluster's
}

const sessionCookie = "JSESSIONIDSSO"

// pageRows is how many rows one list asks for at first; the server says if that is too much for its 8 MB.
const pageRows = 1000

// pause is how long a writer stays away after the server shed a write; it says only "several seconds".
const pause = 5 * time.Second

type operationKey struct{}

// versions are those of the schema that are spoken, the newest first.
var versions = []string{"15.0", "14.0", "12.5"}

// speaks is the version of a request: the setting, or the newest that the cluster answers to. Which one it is is asked once.
func (c *Cluster) speaks(ctx context.Context) (string, error) {
	if c.version != "auto" {
		return c.version, nil
	}
	c.mu.Lock()
	found := c.found
	c.mu.Unlock()
	if found != "" {
		return found, nil
	}
	var last error
	for _, v := range versions {
		_, err := c.send(ctx, v, "reading the release", "getCCMVersion", nil)
		if err == nil {
			c.mu.Lock()
			c.found = v
			c.mu.Unlock()
			return v, nil
		}
		if last = err; !errors.Is(err, dayone.ErrInvalid) {
			return "", err
		}
	}
	return "", last
}

// authorize signs a request in: by the session where there is one, and always by name, since sessions end.
func (c *Cluster) authorize(user string, password dayone.Secret) func(context.Context, *http.Request) error {
	return func(ctx context.Context, r *http.Request) error {
		r.SetBasicAuth(user, password.Reveal())
		if action, ok := ctx.Value(operationKey{}).(string); ok {
			r.Header.Set("SOAPAction", `"CUCM:DB ver=`+action+`"`)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.session != "" {
			r.AddCookie(&http.Cookie{Name: sessionCookie, Value: c.session})
		}
		return nil
	}
}

func (c *Cluster) keepSession(h http.Header) {
	for _, k := range (&http.Response{Header: h}).Cookies() {
		if k.Name == sessionCookie {
			c.mu.Lock()
			c.session = k.Value
			c.mu.Unlock()
		}
	}
}

// envelope is a whole request.
func envelope(version, op string, args []*Element) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:axl="http://www.cisco.com/AXL/API/` + version + `"><soapenv:Header/><soapenv:Body>`)
	Group("axl:"+op, args...).write(&b)
	b.WriteString(`</soapenv:Body></soapenv:Envelope>`)
	return b.Bytes()
}

// read makes a call that changes nothing.
func (c *Cluster) read(ctx context.Context, doing, op string, args ...*Element) (*Element, error) {
	if err := enter(ctx, c.readers); err != nil {
		return nil, err
	}
	defer func() { <-c.readers }()
	return c.call(ctx, doing, op, args)
}

// write makes a call that may change something. Whoever writes holds the writer.
func (c *Cluster) write(ctx context.Context, doing, op string, args ...*Element) (*Element, error) {
	out, err := c.call(ctx, doing, op, args)
	var f *dayone.Fault
	if errors.As(err, &f) && f.Code == "HTTP 503" {
		shed := *f
		shed.Err, shed.RetryAt, shed.Detail = dayone.ErrThrottled, c.Now().Add(pause), "the publisher's queue of writes is full"
		return nil, &shed
	}
	return out, err
}

// enter takes a place at one of a cluster's doors.
func enter(ctx context.Context, door chan struct{}) error {
	select {
	case door <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call sends one request in the cluster's version and returns its response.
func (c *Cluster) call(ctx context.Context, doing, op string, args []*Element) (*Element, error) {
	version, err := c.speaks(ctx)
	if err != nil {
		return nil, err
	}
	return c.send(ctx, version, doing, op, args)
}

func (c *Cluster) send(ctx context.Context, version, doing, op string, args []*Element) (*Element, error) {
	a, err := c.Do(context.WithValue(ctx, operationKey{}, version+" "+op), httpc.Request{
		Op: doing, Method: "POST", Path: "/axl/", Type: "text/xml; charset=utf-8", Accept: "text/xml", Body: envelope(version, op, args),
	}, nil)
	if a != nil {
		c.keepSession(a.Header)
		c.keepClock(a.Header)
	}
	if err != nil {
		return nil, err
	}
	root, err := parse(bytes.NewReader(a.Body))
	if err != nil {
		return nil, c.Fault(doing, dayone.ErrUnavailable, fmt.Sprintf("HTTP %d", a.Status), "the answer is no XML that we understand: "+err.Error())
	}
	out := root.At("Body/" + op + "Response")
	if out == nil {
		return nil, c.Fault(doing, dayone.ErrUnavailable, "", "the answer is not one to "+op)
	}
	return out, nil
}

// classify reads a SOAP fault: data errors come as 500, so that the status alone says nothing.
func classify(status int, _ http.Header, body []byte) (code, detail string, kind error) {
	switch status {
	case http.StatusUnauthorized:
		return "", "the application user's name or password is wrong, or it is locked; see Cisco Unified CM Administration > User Management > Application User", nil
	case http.StatusForbidden:
		return "", `the application user lacks the role "Standard AXL API Access"; put it into a group that has it`, nil
	case http.StatusNotFound:
		return "", "nothing answers at /axl/: the Cisco AXL Web Service is not activated on this node (Serviceability > Service Activation)", dayone.ErrUnavailable
	case 599: // the status that is told of a version which the cluster does not have
		return "", "the cluster does not have this version of AXL; set version to one that it has, or to auto", dayone.ErrInvalid
	}
	root, err := parse(bytes.NewReader(body))
	if err != nil {
		return "", "", nil
	}
	f := root.At("Body/Fault")
	if f == nil {
		return "", "", nil
	}
	code, detail = f.Value("detail/axlError/axlcode"), f.Value("detail/axlError/axlmessage")
	if detail == "" {
		detail = f.Value("faultstring")
	}
	switch code {
	case "5007", "5003":
		return code, detail, dayone.ErrNotFound
	case "-239":
		return code, detail, dayone.ErrConflict
	case "-691":
		return code, detail + "; it names what the cluster does not have (a partition, a search space, a pool), or is still used", dayone.ErrInvalid
	case "":
		if strings.Contains(detail, "version") {
			return "", detail + "; set version to one that the cluster has", dayone.ErrInvalid
		}
		return "", detail, nil
	}
	return code, detail, dayone.ErrInvalid
}

var suggestive = regexp.MustCompile(`Suggestive Row Fetch: less than (\d+) rows`)

// tooLarge is how many rows the server suggests for an answer that is over its limit; 0: the error is another one.
func tooLarge(err error) int {
	var f *dayone.Fault
	if !errors.As(err, &f) || f.Code != "-1" {
		return 0
	}
	m := suggestive.FindStringSubmatch(f.Detail)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return max(1, n-1)
}

// list pages through a list: searchCriteria as the kind has it, and the tags that are wanted. Where the server calls an
// answer too large, smaller pages are asked for. A list that fails in the middle ends with its error.
func (c *Cluster) list(ctx context.Context, what, object string, criteria, tags []*Element, each func(*Element) bool) error {
	rows := pageRows
	for skip := 0; ; {
		ret, err := c.read(ctx, "listing "+what, "list"+object,
			Group("searchCriteria", criteria...), Group("returnedTags", tags...), Leaf("skip", strconv.Itoa(skip)), Leaf("first", strconv.Itoa(rows)))
		if n := tooLarge(err); n > 0 && n < rows {
			rows = n
			continue
		}
		if err != nil {
			return err
		}
		got := ret.All("return")
		if len(got) == 0 {
			return c.Fault("listing "+what, dayone.ErrUnavailable, "", "the answer holds no list")
		}
		for _, e := range got[0].Kids {
			if !each(e) {
				return nil
			}
		}
		if len(got[0].Kids) < rows {
			return nil
		}
		skip += len(got[0].Kids)
	}
}

// Get reads one object, whole. ErrNotFound.
func (c *Cluster) Get(ctx context.Context, kind *Kind, key Key) (*Object, error) {
	ret, err := c.read(ctx, "reading "+kind.Name, "get"+kind.title(), key.elements(kind)...)
	if err != nil {
		return nil, err
	}
	e := ret.At("return/" + kind.Name)
	if e == nil {
		return nil, c.Fault("reading "+kind.Name, dayone.ErrUnavailable, "", "the answer holds none")
	}
	return kind.Of(e), nil
}

// Tags are the empty elements that say what a list should show. A true-or-false tag must hold a value, which means nothing.
func (k *Kind) Tags(names ...string) []*Element {
	var out []*Element
	for _, f := range k.root.kids {
		for _, n := range names {
			if f.name != n {
				continue
			}
			text := ""
			if f.is('b') {
				text = "false"
			}
			out = append(out, Leaf(n, text))
		}
	}
	return out
}

// List streams what a list shows of a kind: only some elements, and no lists.
func (c *Cluster) List(ctx context.Context, kind *Kind, by string, tags []string, each func(*Object) bool) error {
	return c.list(ctx, kind.Name+"s", kind.title(), []*Element{Leaf(by, "%")}, kind.Tags(tags...), func(e *Element) bool { return each(kind.Of(e)) })
}
