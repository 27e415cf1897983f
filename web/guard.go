package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// handler is a page or an answer. Its error becomes words by the table in errors.go.
type handler func(w http.ResponseWriter, r *http.Request) error

// The most that a form or an API call may send; the editor sends a whole policy file, and webhooks may send flow.MaxBody.
const (
	maxForm       = 64 << 10
	maxPolicyForm = 2 << 20
	maxListForm   = 16 << 20
	maxNumbers    = 32 << 20 // a file of a quarter of a million numbers
)

// contentPolicy: nothing inline, nothing from elsewhere, nobody may frame us.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guard is what every request passes: headers, host, cross-site writes, size, panics, and addresses that are not there.
func (p *portal) guard(next *http.ServeMux) http.Handler {
	crossSite := http.NewCrossOriginProtection()
	if err := crossSite.AddTrustedOrigin(p.base.Scheme + "://" + p.base.Host); err != nil {
		p.log.Error("the portal's address is no origin", "error", err)
	}
	return packed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &sent{ResponseWriter: w}
		defer p.recover(rec, r)
		headers(rec.Header())
		if p.access.secure {
			rec.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !isProbe(r) {
			if err := p.rightHost(r); err != nil {
				p.fail(rec, r, err)
				return
			}
		}
		if err := p.paced(rec, r); err != nil {
			p.fail(rec, r, err)
			return
		}
		if err := crossSite.Check(r); err != nil {
			p.fail(rec, r, refuse(dayone.ErrForbidden, textCrossSite))
			return
		}
		if !dayone.Legible(r.URL.Path) { // nothing is called so
			p.fail(rec, r, dayone.ErrNotFound)
			return
		}
		if err := legible(r.URL.Query()); err != nil { // what cannot be parsed is not looked for
			p.fail(rec, r, err)
			return
		}
		if err := once(r.URL.Path, r.URL.Query()); err != nil {
			p.fail(rec, r, err)
			return
		}
		if r.Body != http.NoBody {
			r.Body = p.within(rec, r.Body)
		}
		switch {
		case strings.HasPrefix(r.URL.Path, "/hooks/"):
		case strings.HasPrefix(r.URL.Path, "/policies/"), strings.HasPrefix(r.URL.Path, "/settings/"), strings.HasPrefix(r.URL.Path, "/api/v1/settings/"):
			r.Body = http.MaxBytesReader(rec, r.Body, maxPolicyForm)
		case strings.HasSuffix(r.URL.Path, "/list") && strings.Contains(r.URL.Path, "/systems/"):
			r.Body = http.MaxBytesReader(rec, r.Body, maxListForm)
		case r.URL.Path == "/api/v1/plans":
			r.Body = http.MaxBytesReader(rec, r.Body, maxPlanned)
		case strings.HasPrefix(r.URL.Path, "/numbers/"), strings.HasPrefix(r.URL.Path, "/api/v1/numbers/"):
			r.Body = http.MaxBytesReader(rec, r.Body, maxNumbers)
		default:
			r.Body = http.MaxBytesReader(rec, r.Body, maxForm)
		}
		if _, pattern := next.Handler(r); pattern == "" {
			p.missing(rec, r, next)
			return
		}
		next.ServeHTTP(rec, r)
	}))
}

// packed makes what is only looked at smaller on its way. A stream goes as it is, and so does whatever shows a secret: beside
// what the visitor sent, its length would tell of it.
func packed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1400), gzhttp.EnableZstd(false), gzhttp.ContentTypes([]string{
		"text/html", "text/css", "text/csv", "text/plain", "text/javascript", "application/javascript", "application/json", "image/svg+xml",
	}))
	if err != nil {
		panic("packing answers: " + err.Error()) // a fault of the program
	}
	small := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || live(r) || showsSecret(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		small.ServeHTTP(w, r)
	})
}

// showsSecret says that what is at a path holds codes, links that open something, or tokens.
func showsSecret(path string) bool {
	path = strings.TrimPrefix(path, "/api/v1")
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "secret", "prehire", "progress", "team", "tokens", "mailbox", "setup":
		return true
	case "people":
		_, what, _ := strings.Cut(rest, "/")
		what, _, _ = strings.Cut(what, "/")
		return what == "codes" || what == "code" || what == "links" || what == "renew"
	}
	return false
}

// bodyWithin is how long a body may take, so that nobody holds a connection by sending a byte now and then.
const bodyWithin = 15 * time.Second

// within gives a body an end in time.
func (p *portal) within(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(cmp.Or(p.opt.BodyWithin, bodyWithin)))
	return &timely{body, rc}
}

type timely struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (t *timely) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	switch {
	case timedOut(err):
		err = errTooSlow
	case errors.Is(err, io.EOF): // from here on the server only listens whether the client is there: the answer may take longer
		_ = t.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

func headers(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // for scanners and proxies that do not read the policy
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store") // nearly every answer has personal data; static files say otherwise
}

// isProbe: those who ask for health ask by address, not by name, and learn nothing; metrics ask who is there themselves.
func isProbe(r *http.Request) bool {
	return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" || r.URL.Path == "/metrics"
}

// rightHost keeps away pages whose name was pointed at us: a browser would take us for theirs.
func (p *portal) rightHost(r *http.Request) error {
	if p.opt.Open && !loopback(hostOf(r.RemoteAddr)) {
		return refuse(dayone.ErrForbidden, textOnlyHere)
	}
	if strings.EqualFold(r.Host, p.base.Host) {
		return nil
	}
	if here(r) && (strings.HasPrefix(r.URL.Path, "/setup/") || strings.HasPrefix(r.URL.Path, "/static/")) { // before there is a name
		return nil
	}
	// the three names of this machine are one
	if loopback(p.base.Hostname()) && loopback(hostOf(r.Host)) && portOf(r.Host) == p.base.Port() {
		return nil
	}
	return fmt.Errorf("host %q is not %q: %w", r.Host, p.base.Host, errMisdirected)
}

func hostOf(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		return h
	}
	return strings.Trim(hostport, "[]")
}

func portOf(hostport string) string {
	_, port, _ := net.SplitHostPort(hostport)
	return port
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sent remembers whether an answer has begun: then a late error can only be logged.
type sent struct {
	http.ResponseWriter
	begun bool
}

func (s *sent) WriteHeader(status int) {
	s.begun = true
	s.ResponseWriter.WriteHeader(status)
}

func (s *sent) Write(b []byte) (int, error) {
	s.begun = true
	return s.ResponseWriter.Write(b)
}

func (s *sent) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// recover turns a panic into a page with an id that stands in the log, too.
func (p *portal) recover(w *sent, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	err := fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	if w.begun {
		p.log.Error("a page broke after it had begun", "path", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler)
	}
	p.fail(w, r, err)
}

// missing answers where no address is, or not for this method.
func (p *portal) missing(w http.ResponseWriter, r *http.Request, next *http.ServeMux) {
	probe := &headOnly{header: http.Header{}}
	next.ServeHTTP(probe, r)
	if allow := probe.header.Get("Allow"); probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", allow)
		p.fail(w, r, errMethod)
		return
	}
	p.fail(w, r, dayone.ErrNotFound)
}

type headOnly struct {
	header http.Header
	status int
}

func (h *headOnly) Header() http.Header { return h.header }
func (h *headOnly) WriteHeader(s int) {
	if h.status == 0 {
		h.status = s
	}
}

func (h *headOnly) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return len(b), nil
}

// anyone is a page or an answer without login.
func (p *portal) anyone(h handler) http.HandlerFunc {
	return p.answering(func(w http.ResponseWriter, r *http.Request) error {
		if !isAPI(r) { // what is signed is read as it was sent
			if err := readForm(r); err != nil {
				return err
			}
		}
		return h(w, r)
	})
}

func (p *portal) answering(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			p.fail(w, r, err)
		}
	}
}

// concerns finds whom an address is about. Somebody of whom nobody may know is not there, whatever is asked or ordered. Who
// was merged into another is found there: true says that the answer leads to it.
func (p *portal) concerns(w http.ResponseWriter, r *http.Request) (bool, error) {
	id := dayone.PersonID(r.PathValue("id"))
	if !strings.Contains(r.Pattern, "/people/{id}") || !dayone.ValidID("per", string(id)) {
		return false, nil
	}
	to, err := p.flow.MergedInto(r.Context(), id)
	if err != nil {
		return false, err
	}
	if _, err := p.flow.Person(r.Context(), cmp.Or(to, id)); err != nil || to == "" {
		return false, err
	}
	there := *r.URL
	there.Path = strings.Replace(there.Path, "/people/"+string(id), "/people/"+string(to), 1)
	there.RawPath = ""
	http.Redirect(w, r, there.RequestURI(), http.StatusTemporaryRedirect) // not for ever: a merge can be taken back
	return true, nil
}

// page is for those who are in; others are shown the door and come back after it.
func (p *portal) page(h handler) http.HandlerFunc {
	return p.answering(func(w http.ResponseWriter, r *http.Request) error {
		me, ok := p.access.session(r)
		if !ok {
			return p.toLogin(w, r)
		}
		p.known(r)
		if me.Role == dayone.Employee && r.Pattern == "GET /{$}" { // the dashboard is for those who run it
			http.Redirect(w, r, "/me", http.StatusSeeOther)
			return nil
		}
		if err := p.may(me, r.Pattern); err != nil {
			return err
		}
		me, err := p.reaches(r, me)
		if err != nil {
			return err
		}
		r = r.WithContext(with(r.Context(), me))
		if elsewhere, err := p.concerns(w, r); err != nil || elsewhere {
			return err
		}
		if r.Method == http.MethodGet {
			if err := fits(r); err != nil {
				return err
			}
		}
		if done, err := p.tabled(w, r); done {
			return err
		}
		if err := readForm(r); err != nil { // only now: a stranger's is not even read
			return err
		}
		return p.takenUp(w, r, h)
	})
}

// api is a JSON answer for those who are in, by session or by token.
func (p *portal) api(h handler) http.HandlerFunc {
	return p.answering(func(w http.ResponseWriter, r *http.Request) error {
		me, ok := p.access.caller(r)
		if !ok {
			return p.unknown(w, r)
		}
		p.known(r)
		if err := p.may(me, r.Pattern); err != nil {
			return err
		}
		me, err := p.reaches(r, me)
		if err != nil {
			return err
		}
		r = r.WithContext(with(r.Context(), me))
		if elsewhere, err := p.concerns(w, r); err != nil || elsewhere {
			return err
		}
		if err := narrowed(r); err != nil {
			return err
		}
		if done, err := p.tabled(w, r); done {
			return err
		}
		return h(w, r)
	})
}

type whoKey struct{}

// with says who asks: to handlers, and to flow, which shows nobody more than they may know.
func with(ctx context.Context, w who) context.Context {
	return flow.As(context.WithValue(ctx, whoKey{}, w), dayone.Viewer{Login: w.Name, Role: w.Role, Confidential: w.Knows, Scope: w.Scope})
}

// me is who asks; nobody on pages without login.
func me(r *http.Request) who {
	w, _ := r.Context().Value(whoKey{}).(who)
	return w
}

func robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("User-agent: *\nDisallow: /\n"))
}

// timedOut says that a deadline has passed on the way to the caller.
func timedOut(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
