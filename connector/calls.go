package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// The requests of a step are noted where all of them leave, so that no connector can forget one. What is noted is what a stranger
// may read: a part of an address, the name of a parameter or of a field stands there only if the connector's own source has that
// word and it is no value of this step. Headers, values, bodies and answers are never noted.

// notedKey is where the notes of a step are in its context.
type notedKey struct{}

// notes are the requests of one step. Connectors may make several at the same time.
type notes struct {
	words  map[string]bool // of the connector's source
	values map[string]bool // of this step, in lower case
	hide   []hidden        // secrets: what has one of them in it is not noted
	now    func() time.Time

	mu    sync.Mutex
	began int // requests so far
	calls []dayone.Call
	order []int // of each call, when it began among them
	left  int
	last  map[string]string // by method and address, why it may be made again
}

// Bounds of what is noted of one request.
const (
	notedNames = 40
	notedBody  = 256 << 10
	notedDepth = 3
)

// noting starts to note the requests of an act.
func (g *Guard) noting(ctx context.Context, a dayone.Act) (context.Context, *notes) {
	n := &notes{words: g.words, values: valuesOf(a), hide: g.hiding(a.Secrets), now: g.now, last: map[string]string{}}
	return context.WithValue(ctx, notedKey{}, n), n
}

// valuesOf are all values of an act: a word that is one of them is not noted, whatever else it is.
func valuesOf(a dayone.Act) map[string]bool {
	out := map[string]bool{}
	add := func(texts ...string) {
		for _, t := range texts {
			if t = strings.ToLower(strings.TrimSpace(t)); len(t) > 1 {
				out[t] = true
			}
		}
	}
	add(a.Account, a.Key.Name, a.Subject.Ref, a.Once)
	for _, v := range a.Subject.Keys {
		add(v)
	}
	for _, it := range []*dayone.Item{a.Have, a.Want} {
		if it == nil {
			continue
		}
		add(it.Ref, it.Role)
		for _, v := range it.Attrs {
			add(v.Text)
			add(v.Items()...)
			add(strings.FieldsFunc(v.Text, func(r rune) bool { return r == '@' || r == ' ' || r == '.' || r == '-' })...)
		}
	}
	return out
}

// word is one as it may be noted: as it is, or {}.
func (n *notes) word(w string) string {
	plain, err := url.PathUnescape(w)
	if err != nil || !n.known(plain) || n.values[strings.ToLower(plain)] || n.secret(plain) {
		return "{}"
	}
	return plain
}

// verbs stand before the kind of an object in the names of operations: addPhone.
var verbs = []string{"add", "update", "remove", "get", "list", "do", "apply"}

// version of an interface, as addresses have it.
var version = regexp.MustCompile(`^v[0-9]{1,3}(\.[0-9]{1,2})?$`)

// known says that a word is one of the source, or an operation made of two of them.
func (n *notes) known(w string) bool {
	if n.words[w] || len(w) == 1 || version.MatchString(w) || n.words[strings.TrimSuffix(w, "s")] {
		return true
	}
	for _, v := range verbs {
		if rest, ok := strings.CutPrefix(w, v); ok && len(rest) > 1 && (n.words[rest] || n.words[strings.ToLower(rest[:1])+rest[1:]]) {
			return true
		}
	}
	return false
}

func (n *notes) secret(text string) bool {
	return slices.ContainsFunc(n.hide, func(h hidden) bool { return h.in(text) })
}

// path is an address without what stands in it.
func (n *notes) path(p string) string {
	parts := strings.Split(p, "/")
	for i, w := range parts {
		if w != "" {
			parts[i] = n.word(w)
		}
	}
	return strings.Join(parts, "/")
}

var hostWord = regexp.MustCompile(`^[A-Za-z0-9.:\[\]_-]+$`)

// host is where a request goes. It is no secret, unless somebody wrote one there.
func (n *notes) host(h string) string {
	if len(h) > 100 || !hostWord.MatchString(h) || n.secret(h) {
		return "{}"
	}
	for _, label := range strings.Split(strings.ToLower(h), ".") {
		if n.values[label] && !n.words[label] && len(label) > 3 {
			return "{}"
		}
	}
	return h
}

// names are some as they may be noted, each once, and how many are not.
func (n *notes) names(list []string) (out []string, more int) {
	for _, name := range list {
		parts := strings.Split(name, ".")
		for i := range parts {
			parts[i] = n.word(strings.ReplaceAll(parts[i], "\x00", "."))
		}
		name = strings.Join(parts, ".")
		switch {
		case slices.Contains(out, name):
		case len(out) == notedNames:
			more++
		default:
			out = append(out, name)
		}
	}
	return out, more
}

// noted is when a request began: by the clock of the system, by the machine's, and among the others.
type noted struct {
	at, real time.Time
	turn     int
}

func (n *notes) begin() noted {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.began++
	return noted{n.now(), time.Now(), n.began}
}

// operation is what a request asks for where all go to one address: the name of it that SOAP and AWS put into a header.
func (n *notes) operation(h http.Header) string {
	for _, name := range []string{"X-Amz-Target", "Soapaction"} {
		at := h.Get(name)
		if i := strings.LastIndexAny(at, ". #/:"); i >= 0 {
			at = at[i+1:]
		}
		if op := n.word(strings.Trim(at, `"`)); at != "" && op != "{}" {
			return op
		}
	}
	return ""
}

// note keeps one request and what came of it.
func (n *notes) note(r *http.Request, resp *http.Response, err error, start noted) {
	c := dayone.Call{At: start.at, Op: n.operation(r.Header), Method: r.Method, Host: n.host(r.URL.Host), Path: n.path(r.URL.EscapedPath()), Bytes: max(0, r.ContentLength), Took: time.Since(start.real).Round(100 * time.Microsecond)}
	query := make([]string, 0, len(r.URL.Query()))
	for name := range r.URL.Query() {
		query = append(query, name)
	}
	slices.Sort(query)
	c.Query, c.More = n.names(query)
	keys, more := n.names(bodyNames(r))
	c.Keys, c.More = keys, c.More+more
	why := ""
	switch {
	case err != nil:
		c.Fault = faultWord(err)
		why = c.Fault
	default:
		c.Status, c.ID = resp.StatusCode, n.id(resp.Header)
		switch {
		case c.Status == http.StatusUnauthorized:
			why = "its token was refused"
		case c.Status == http.StatusTooManyRequests:
			why = "too many requests"
		case c.Status >= 500:
			why = "the system had a fault"
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	same := r.Method + " " + r.URL.String() // not kept longer than the step is under way
	c.Again, n.last[same] = n.last[same], why
	if len(n.calls) == dayone.CallsKept { // the first say how it began, and the last what came of it
		const middle = dayone.CallsKept / 2
		n.calls, n.order = slices.Delete(n.calls, middle, middle+1), slices.Delete(n.order, middle, middle+1)
		n.left++
	}
	at, _ := slices.BinarySearch(n.order, start.turn)
	n.calls, n.order = slices.Insert(n.calls, at, c), slices.Insert(n.order, at, start.turn)
}

// faultWord is why there is no answer.
func faultWord(err error) string {
	var f *dayone.Fault
	switch {
	case errors.As(err, &f) && errors.Is(f.Err, dayone.ErrThrottled):
		return "not sent: the limit of requests is used up"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "cut short"
	default:
		return "no answer"
	}
}

// idHeaders are those in which vendors say by what they find a request in their own log.
var idHeaders = []string{
	"X-Request-Id", "Request-Id", "X-Okta-Request-Id", "X-Amzn-Requestid", "X-Amzn-Request-Id", "X-Ms-Request-Id", "X-Github-Request-Id", "X-Slack-Req-Id", "Trackingid", "X-Gitlab-Request-Id", "Client-Request-Id",
	"X-Arequestid", "X-Correlation-Id", "X-Trace-Id", "Cf-Ray",
}

var idWord = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]+$`)

var idEnds = regexp.MustCompile(`[^a-z0-9]+`)

// id is by what a vendor finds a request again: the first that tells nothing of the step, as it is or decoded.
func (n *notes) id(h http.Header) string {
	for _, name := range idHeaders {
		v := h.Get(name)
		if len(v) < 4 || len(v) > 80 || !idWord.MatchString(v) || n.secret(v) || n.holds(v) {
			continue
		}
		if !slices.ContainsFunc(decoded(v), func(in string) bool { return n.secret(in) || n.has(strings.ToLower(in)) }) {
			return v
		}
	}
	return ""
}

// holds says that a value of the step stands in a word, or is a part of it.
func (n *notes) holds(word string) bool {
	low := strings.ToLower(word)
	return n.has(low) || slices.ContainsFunc(idEnds.Split(low, -1), func(part string) bool { return len(part) > 2 && n.values[part] })
}

func (n *notes) has(low string) bool {
	for value := range n.values {
		if len(value) > 3 && strings.Contains(low, value) {
			return true
		}
	}
	return false
}

// bodyNames are the names of fields in a body, as they stand there: of what is too long, or of no form that we know, none.
func bodyNames(r *http.Request) []string {
	if r.GetBody == nil || r.ContentLength <= 0 || r.ContentLength > notedBody {
		return nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil
	}
	raw, err := io.ReadAll(body)
	_ = body.Close()
	if err != nil {
		return nil
	}
	typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case typ == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			return nil
		}
		var out []string
		for name := range form {
			out = append(out, name)
		}
		slices.Sort(out)
		return out
	case strings.HasSuffix(typ, "xml"):
		return xmlNames(raw)
	case strings.Contains(typ, "json"):
		var tree any
		if json.Unmarshal(raw, &tree) != nil {
			return nil
		}
		return jsonNames(nil, "", tree, 1)
	}
	return nil
}

func jsonNames(out []string, before string, tree any, depth int) []string {
	switch t := tree.(type) {
	case []any:
		for _, x := range t {
			out = jsonNames(out, before, x, depth)
		}
	case map[string]any:
		names := make([]string, 0, len(t))
		for name := range t {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			at := strings.ReplaceAll(name, ".", "\x00") // a dot of its own does not part it
			if before != "" {
				at = before + "." + at
			}
			if !slices.Contains(out, at) {
				out = append(out, at)
			}
			if depth < notedDepth {
				out = jsonNames(out, at, t[name], depth+1)
			}
		}
	}
	return out
}

func xmlNames(raw []byte) (out []string) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := d.Token()
		if err != nil {
			return out
		}
		if start, ok := token.(xml.StartElement); ok {
			if name := strings.ReplaceAll(start.Name.Local, ".", "\x00"); name != "Envelope" && name != "Body" && name != "Header" && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
}

// wordsOf are the words of a connector's source, from the text that the registry has of them.
func wordsOf(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[w] = true
	}
	return out
}

// done puts what was noted into a result.
func (n *notes) done(r *dayone.Result) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	r.Calls, r.Left = n.calls, n.left
}
