// Package sim is what simulators share: a door for faults, latency and the clock, a request log, and a neutral view of
// what is in them, read without any connector. A simulator must not import the connector it stands for: two people who
// read the same page wrong would never notice.
package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// Simulator is one vendor's system.
type Simulator interface {
	http.Handler
	// Door is where tests reach in from the side.
	Door() *Door
	// Settings are what a connector needs to reach it at base.
	Settings(base string) map[string]string
	// Accounts shows every account, ordered by login: not through the connector's eyes.
	Accounts() []Account
	// Seed puts an account there as another administrator would, and returns its vendor id.
	Seed(a Account) string
}

// Account in words that all vendors share.
type Account struct {
	Ref            string
	Login          string
	Email          string
	EmployeeNumber string
	FirstName      string
	LastName       string
	State          dayone.State
	Created        time.Time
	Entitlements   []string // "group:base-employee", "channel:#general=guest", sorted
}

// Options of a simulator.
type Options struct {
	Now     func() time.Time    // the clock it lives on; nil: time.Now
	Latency time.Duration       // of every call
	Page    int                 // size of a page, small so that paging is exercised; 0: 2
	Names   map[string][]string // what it offers by kind; nil: what the examples use
	Seats   int                 // licences; 0: plenty
	Lag     int                 // how many reads after a create still miss it, where the vendor is that way
}

// Time is the simulator's now.
func (o Options) Time() time.Time {
	if o.Now == nil {
		return time.Now().UTC()
	}
	return o.Now().UTC()
}

// PageSize is Page or 2.
func (o Options) PageSize() int {
	if o.Page <= 0 {
		return 2
	}
	return o.Page
}

// Request as it arrived.
type Request struct {
	Seq    int
	At     time.Time
	Method string
	Path   string
	Query  string
	Header http.Header
	Body   []byte
	Status int // what was answered; 0 while it is under way, or cut
}

func (r Request) String() string { return r.Method + " " + r.Path }

// Fault is one thing that goes wrong, once unless Times says otherwise.
type Fault struct {
	Method string // "": any
	Path   string // prefix; "": any
	Skip   int    // let so many matching requests pass first
	Times  int    // 0: once; -1: for ever
	// What happens, first match:
	Cut    bool          // carry it out, then cut the connection before the answer
	Drop   bool          // cut the connection without carrying it out
	Hang   time.Duration // wait before answering
	Status int           // answer with this instead of carrying it out
	Header map[string]string
	Body   string
	// Before is called when the fault strikes: a place for a test to kill or to look.
	Before func(r *http.Request)
}

// Door is the side entrance of a simulator.
type Door struct {
	opt Options

	mu       sync.Mutex
	latency  time.Duration
	faults   []*Fault
	log      []Request
	validate func(*http.Request, []byte) error
	invalid  []error
	judged   int // requests that a check had something to hold against
	loose    int // and others
	journal  *journal
}

// NewDoor opens one.
func NewDoor(o Options) *Door { return &Door{opt: o, latency: o.Latency} }

// Inject adds a fault.
func (d *Door) Inject(f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	d.faults = append(d.faults, &f)
}

// Heal takes all faults out.
func (d *Door) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = nil
}

// SetLatency gives every call this latency from now on.
func (d *Door) SetLatency(l time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.latency = l
}

// ErrUnspecified is the answer of a check that has nothing to hold a request against: it is neither right nor wrong.
var ErrUnspecified = errors.New("no specification says anything of this request")

// Validate checks every request from now on; Invalid returns what was wrong.
func (d *Door) Validate(check func(r *http.Request, body []byte) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.validate = check
}

// Invalid are the requests that broke the vendor's specification.
func (d *Door) Invalid() []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.invalid)
}

// Judged counts the requests that a check had something to hold against, and the others.
func (d *Door) Judged() (judged, loose int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.judged, d.loose
}

// Requests in the order of arrival.
func (d *Door) Requests() []Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.log)
}

// Forget empties the request log.
func (d *Door) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = nil
}

// Wrap puts the door before a handler: log, latency, faults, then the vendor's own behaviour.
func (d *Door) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if Replaying(r) {
			next.ServeHTTP(w, r)
			return
		}
		d.mu.Lock()
		n := len(d.log)
		d.log = append(d.log, Request{
			Seq: n, At: d.opt.Time(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: body,
		})
		f := d.strike(r)
		latency, kept := d.latency, d.journal
		err = ErrUnspecified
		if d.validate != nil {
			err = d.validate(r, body)
		}
		switch {
		case errors.Is(err, ErrUnspecified):
			d.loose++
		case err != nil:
			d.invalid = append(d.invalid, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err))
			fallthrough
		default:
			d.judged++
		}
		d.mu.Unlock()
		if latency > 0 {
			pause(r, latency)
		}
		rec, serve := &recorder{ResponseWriter: w}, next
		if kept != nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
			serve = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { kept.keep(w, r, body, d.opt.Time(), next) })
		}
		if f == nil {
			serve.ServeHTTP(rec, r)
		} else {
			d.suffer(rec, r, f, serve)
		}
		d.mu.Lock()
		if n < len(d.log) {
			d.log[n].Status = rec.status
		}
		d.mu.Unlock()
	})
}

// strike finds the fault that this request meets.
func (d *Door) strike(r *http.Request) *Fault {
	for i, f := range d.faults {
		if f.Method != "" && f.Method != r.Method || !strings.HasPrefix(r.URL.Path, f.Path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				d.faults = slices.Delete(d.faults, i, i+1)
			}
		}
		return f
	}
	return nil
}

func (d *Door) suffer(w *recorder, r *http.Request, f *Fault, next http.Handler) {
	if f.Before != nil {
		f.Before(r)
	}
	if f.Hang > 0 {
		pause(r, f.Hang)
	}
	switch {
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Cut:
		next.ServeHTTP(&recorder{ResponseWriter: &discard{h: http.Header{}}}, r)
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		for k, v := range f.Header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
	default:
		next.ServeHTTP(w, r)
	}
}

func pause(r *http.Request, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(s int) {
	if r.status == 0 {
		r.status = s
	}
	r.ResponseWriter.WriteHeader(s)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// JSON answers.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Read decodes a JSON request strictly enough: unknown fields pass, as vendors let them.
func Read(r *http.Request, v any) error {
	return json.NewDecoder(r.Body).Decode(v)
}

// IDs makes vendor ids that look like the vendor's: a prefix and a number of a width.
type IDs struct {
	mu sync.Mutex
	n  int
}

// Next is prefix + zero-padded number.
func (i *IDs) Next(prefix string, width int) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.n++
	return fmt.Sprintf("%s%0*d", prefix, width, i.n)
}
