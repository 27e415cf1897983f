package procurement_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/connector/procurement"
	procsim "github.com/dayone-hq/dayone/connector/procurement/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/internal/lab"
)

const once = "0123456789abcdef0123456789abcdef"

var laptop = dayone.Attrs{
	"model": dayone.Text("macbook-pro-14"), "ship_to": dayone.Text("1 Main St, San Francisco"), "arrive_by": {Kind: dayone.DateValue, Text: "2024-11-23"},
	"name": dayone.Text("Sarah Chen"), "email": dayone.Text("sarah.chen@company.com"),
}

func TestProcurement(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: procurement.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return procsim.New(o) },
		Grants:  []dayone.Grant{{Key: dayone.Key{Kind: "order"}, Attrs: laptop}},
	})
}

// bench is a reseller on a clock that stands still until it is moved.
type bench struct {
	*procsim.Sim
	guard *connector.Guard

	mu  sync.Mutex
	now time.Time
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func setup(t *testing.T, o sim.Options, change map[string]string) *bench {
	t.Helper()
	b := &bench{now: time.Date(2024, 11, 20, 15, 1, 0, 0, time.UTC)} // a Wednesday
	o.Now = b.clock
	b.Sim = procsim.New(o)
	server := httptest.NewServer(b.Sim)
	t.Cleanup(server.Close)
	settings := b.Settings(server.URL)
	maps.Copy(settings, change)
	b.guard = open(t, b.clock, settings)
	return b
}

func open(t *testing.T, now func() time.Time, settings map[string]string) *connector.Guard {
	t.Helper()
	return openWith(t, now, connector.Options{Settings: settings})
}

func openWith(t *testing.T, now func() time.Time, o connector.Options) *connector.Guard {
	t.Helper()
	g, err := connector.Open(procurement.Factory, "procurement", now, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func order(change dayone.Attrs) dayone.Act {
	key := dayone.Key{System: "procurement", Kind: "order"}
	return dayone.Act{Once: once, Action: dayone.EntitlementAdd, Key: key, Attempt: 1, Want: &dayone.Item{Key: key, State: dayone.Active, Attrs: laptop.With(change)}}
}

func apply(t *testing.T, g *connector.Guard, a dayone.Act) dayone.Result {
	t.Helper()
	r, err := g.Apply(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// From the order to the parcel: pending with a task, asked every minute, done without anybody's help.
func TestPolled(t *testing.T) {
	t.Parallel()
	b := setup(t, sim.Options{}, nil)
	b.ShipAfter(90 * time.Second)
	a := order(nil)
	r := apply(t, b.guard, a)
	if r.Before != nil || r.Now.State != dayone.Pending || r.Now.Ref != "10042" || r.Now.Attrs.Text("order_number") != "10042" || r.Now.Attrs.Text("model") != "macbook-pro-14" {
		t.Errorf("the order is %+v", r.Now)
	}
	w := r.Wait
	if w == nil || w.Kind != dayone.WaitTask || !slices.Equal(w.Ask, []string{"serial", "tracking", "carrier", "arrives"}) || !w.Check.Equal(b.clock().Add(time.Minute)) || !w.Until.IsZero() {
		t.Fatalf("it waits for %+v", w)
	}
	for _, personal := range []string{"Main St", "Sarah", "sarah.chen"} {
		if strings.Contains(w.Note, personal) {
			t.Errorf("the note tells %s: %s", personal, w.Note)
		}
	}
	for _, name := range []string{"name", "email", "arrive_by", "reference"} {
		if _, kept := r.Now.Attrs[name]; kept {
			t.Errorf("%s is kept", name)
		}
	}

	b.pass(time.Minute)
	a.Attempt = 2
	again := apply(t, b.guard, a)
	if again.Wait == nil || again.Wait.Note != w.Note || again.Now.Ref != r.Now.Ref {
		t.Errorf("a minute later it is %+v, waiting for %+v", again.Now, again.Wait)
	}

	b.pass(time.Minute)
	a.Attempt = 3
	shipped := apply(t, b.guard, a)
	if shipped.Wait != nil || shipped.Now.State != dayone.Active {
		t.Fatalf("after it shipped it waits for %+v", shipped.Wait)
	}
	for name, want := range map[string]string{"serial": "C02XK1ABCD", "tracking": "1Z999AA10123456784", "carrier": "UPS", "arrives": "2024-11-23", "order_number": "10042", "model": "macbook-pro-14"} {
		if got := shipped.Now.Attrs.Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	posts := 0
	for _, q := range b.Door().Requests() {
		if q.Method == "POST" {
			posts++
		}
	}
	if posts != 1 || len(b.Orders()) != 1 || b.Orders()[0].Email != "sarah.chen@company.com" || b.Orders()[0].Reference != once {
		t.Errorf("%d orders in %d posts: %+v", len(b.Orders()), posts, b.Orders())
	}
}

// The answer is lost, the next try finds the order: by asking, or by the key alone.
func TestCutAnswer(t *testing.T) {
	t.Parallel()
	for _, poll := range []string{"true", "false"} {
		b := setup(t, sim.Options{}, map[string]string{"poll": poll})
		b.Door().Inject(sim.Fault{Method: "POST", Cut: true})
		a := order(nil)
		if _, err := b.guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnavailable) || len(b.Orders()) != 1 {
			t.Fatalf("a cut answer says %v", err)
		}
		a.Attempt = 2
		if r := apply(t, b.guard, a); r.Now.Ref != "10042" || r.Wait == nil || len(b.Orders()) != 1 || r.Wait.Check.IsZero() != (poll == "false") {
			t.Errorf("then it is %+v, waiting for %+v, of %d orders", r.Now, r.Wait, len(b.Orders()))
		}
	}
}

// A later run finds the order pending in the books: nothing is ordered again, however the wish has changed.
func TestKnownOrders(t *testing.T) {
	t.Parallel()
	for _, poll := range []string{"true", "false"} {
		b := setup(t, sim.Options{}, map[string]string{"poll": poll})
		a := order(nil)
		a.Have = apply(t, b.guard, a).Now
		a.Action, a.Want.Attrs = dayone.EntitlementConfirm, laptop.With(dayone.Attrs{"ship_to": dayone.Text("2 Side St"), "model": dayone.Text("thinkpad-x1")})
		r := apply(t, b.guard, a)
		if r.Wait == nil || r.Wait.Kind != dayone.WaitTask || !strings.Contains(r.Wait.Note, "thinkpad-x1 is wanted instead") || r.Now.Attrs.Text("model") != "macbook-pro-14" {
			t.Errorf("a pending order with another wish is %+v, waiting for %+v", r.Now, r.Wait)
		}
		if poll == "true" {
			b.Ship(once)
			a.Want.Attrs = laptop
			if r := apply(t, b.guard, a); r.Wait != nil || r.Now.State != dayone.Active || r.Now.Attrs.Text("serial") == "" {
				t.Errorf("a shipped order is %+v, waiting for %+v", r.Now, r.Wait)
			}
		}
		known := *a.Have // as a human completed it
		known.State = dayone.Active
		a.Have, a.Action = &known, dayone.EntitlementAdd
		a.Want.Attrs = laptop.With(dayone.Attrs{"ship_to": dayone.Text("2 Side St")})
		if r, err := b.guard.Apply(t.Context(), a); err != nil || r.Changed() || r.Wait != nil {
			t.Errorf("a finished order to another address says %+v, %v", r, err)
		}
		a.Want.Attrs = laptop.With(dayone.Attrs{"model": dayone.Text("thinkpad-x1")})
		if _, err := b.guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnsupported) {
			t.Errorf("a finished order of another model says %v", err)
		}
		a.Want = nil
		if _, err := b.guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnsupported) || !strings.Contains(err.Error(), "10042") {
			t.Errorf("taking an order back says %v", err)
		}
		if len(b.Orders()) != 1 {
			t.Errorf("there are %d orders", len(b.Orders()))
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t, sim.Options{Seats: 1}, map[string]string{"poll": "false"})
	for name, c := range map[string]struct {
		change dayone.Attrs
		want   error
	}{
		"no model":      {dayone.Attrs{"model": dayone.Text("")}, dayone.ErrInvalid},
		"unknown model": {dayone.Attrs{"model": dayone.Text("amiga-500")}, dayone.ErrInvalid},
		"no address":    {dayone.Attrs{"ship_to": dayone.Text("")}, dayone.ErrInvalid},
		"bad date":      {dayone.Attrs{"arrive_by": dayone.Text("soon")}, dayone.ErrInvalid},
		"too long":      {dayone.Attrs{"name": dayone.Text(strings.Repeat("Wolfeschlegelstein", 40))}, dayone.ErrInvalid},
	} {
		if _, err := b.guard.Apply(t.Context(), order(c.change)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	apply(t, b.guard, order(dayone.Attrs{"name": dayone.Text("Zoë \"山田\"\r\nX-Evil: 1 نور"), "reference": dayone.Text("PO 4711")}))
	if o := b.Orders()[0]; o.Name != "Zoë \"山田\"\r\nX-Evil: 1 نور" || o.Reference != "PO 4711" {
		t.Errorf("the order is %+v", o)
	}
	if _, err := b.guard.Apply(t.Context(), order(nil)); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "key_reused") {
		t.Errorf("another order under the same key says %v", err)
	}
	a := order(nil)
	a.Once = "fedcba98"
	if _, err := b.guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrNoSeat) {
		t.Errorf("sold out says %v", err)
	}
	for _, f := range []struct {
		status int
		want   error
	}{{503, dayone.ErrUnavailable}, {429, dayone.ErrThrottled}, {409, dayone.ErrNotYet}, {401, dayone.ErrAuth}, {403, dayone.ErrForbidden}} {
		b := setup(t, sim.Options{}, nil)
		key := b.Settings("")["secret"]
		b.Door().Inject(sim.Fault{Status: f.status, Header: map[string]string{"Retry-After": "7"}, Body: fmt.Sprintf(`{"error":%q,"code":17}`, "no: "+key)})
		_, err := b.guard.Apply(t.Context(), order(nil))
		if !errors.Is(err, f.want) || strings.Contains(fmt.Sprintf("%v %+v", err, err), key) {
			t.Errorf("%d says %v", f.status, err)
		}
	}
}

// Resellers answer as they like.
func TestTolerance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body  string
		ref   string
		state dayone.State
		err   error
	}{
		{`{"order_number":10042,"unknown":{"x":[1]},"serial":null}`, "10042", dayone.Pending, nil},
		{`{"order_number":" A-1 ","serial":"S","tracking":9007199254740993,"arrives":"2024-11-23T17:00:00-08:00"}`, "A-1", dayone.Active, nil},
		{`{"order_number":{"value":1},"serial":"S"}`, once, dayone.Pending, nil},
		{``, once, dayone.Pending, nil},
		{`ok`, once, dayone.Pending, nil},
		{`[]`, once, dayone.Pending, nil},
		{`{"order_number":"A-`, "", "", dayone.ErrUnavailable},
	} {
		b := setup(t, sim.Options{}, map[string]string{"poll": "false"})
		b.Door().Inject(sim.Fault{Method: "POST", Status: 202, Body: c.body})
		r, err := b.guard.Apply(t.Context(), order(nil))
		if c.err != nil {
			if !errors.Is(err, c.err) {
				t.Errorf("%s says %v", c.body, err)
			}
			continue
		}
		if err != nil || r.Now.Ref != c.ref || r.Now.State != c.state || (r.Wait == nil) != (c.state == dayone.Active) {
			t.Errorf("%s is read as %+v, %+v, %v", c.body, r.Now, r.Wait, err)
		}
		if c.ref == "A-1" && (r.Now.Attrs.Text("tracking") != "9007199254740993" || r.Now.Attrs.Text("arrives") != "2024-11-23") {
			t.Errorf("%s is read as %v", c.body, r.Now.Attrs)
		}
		if c.ref == once && !slices.Contains(r.Wait.Ask, "order_number") {
			t.Errorf("%s: nobody is asked for the order's number: %v", c.body, r.Wait.Ask)
		}
	}
	b := setup(t, sim.Options{}, nil)
	b.Door().Inject(sim.Fault{Method: "GET", Status: 200, Body: "ok"}) // a hook that cannot be asked
	if _, err := b.guard.Apply(t.Context(), order(nil)); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "poll") || len(b.Orders()) != 0 {
		t.Errorf("a hook that says ok to everything says %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{404: nil, 405: nil, 401: dayone.ErrAuth, 403: dayone.ErrForbidden, 500: dayone.ErrUnavailable, 302: dayone.ErrInvalid} {
		b := setup(t, sim.Options{}, nil)
		b.Door().Inject(sim.Fault{Status: status})
		if err := b.guard.Check(t.Context()); !errors.Is(err, want) {
			t.Errorf("%d says %v", status, err)
		}
	}
	for name, settings := range map[string]map[string]string{
		"no url":            {"secret": "x"},
		"no secret":         {"url": "https://reseller.example/orders"},
		"broken secret":     {"url": "https://reseller.example/orders", "secret": "whsec_%"},
		"no order_to":       {"mode": "mail", "host": "smtp.company.com", "from": "it@company.com"},
		"no mail server":    {"mode": "mail", "order_to": "orders@reseller.example", "from": "it@company.com"},
		"mail in the clear": {"mode": "mail", "order_to": "orders@reseller.example", "from": "it@company.com", "host": "smtp.company.com", "tls": "none"},
	} {
		if _, err := connector.Open(procurement.Factory, "procurement", time.Now, connector.Options{Settings: settings}); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What ships is called back, signed as our own requests are.
func TestCallback(t *testing.T) {
	t.Parallel()
	b := setup(t, sim.Options{}, nil)
	type call struct {
		header http.Header
		body   []byte
	}
	calls := make(chan call, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- call{r.Header, body}
	}))
	t.Cleanup(server.Close)
	b.CallBack(server.URL)
	apply(t, b.guard, order(dayone.Attrs{"arrive_by": dayone.Text("")}))
	if !b.Ship(once) || b.Ship(once) || b.Ship("nothing") {
		t.Error("an order ships once")
	}
	b.Wait()
	c := <-calls
	want := `{"arrives":"2024-11-23","carrier":"UPS","order_number":"10042","reference":"` + once + `","serial":"C02XK1ABCD","tracking":"1Z999AA10123456784"}` // a Saturday
	if string(c.body) != want {
		t.Errorf("it says %s\nwant    %s", c.body, want)
	}
	key := dayone.NewSecret(b.Settings("")["secret"])
	if err := procurement.Verify(key, c.header, c.body, b.clock()); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another body": procurement.Verify(key, c.header, append(c.body, ' '), b.clock()),
		"another key":  procurement.Verify(dayone.NewSecret("x"), c.header, c.body, b.clock()),
		"an hour late": procurement.Verify(key, c.header, c.body, b.clock().Add(time.Hour)),
		"no signature": procurement.Verify(key, http.Header{}, c.body, b.clock()),
	} {
		if !errors.Is(err, dayone.ErrAuth) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// the example of the specification's own libraries
	h := http.Header{}
	h.Set("Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set("Webhook-Timestamp", "1614265330")
	h.Set("Webhook-Signature", "v1,bm90IHRoaXM= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	if err := procurement.Verify(dayone.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), h, []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0)); err != nil {
		t.Error(err)
	}
}

// By mail: the order is a letter, and everything else is a human's.
func TestMail(t *testing.T) {
	t.Parallel()
	s := mailsim.New(sim.Options{})
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	settings := s.Settings(addr)
	settings["mode"], settings["order_to"] = "mail", "orders@reseller.example"
	g := open(t, time.Now, settings)
	if err := g.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Inject(mailsim.Fault{Verb: ".", Cut: true})
	a := order(dayone.Attrs{"name": dayone.Text("Zoë 山田\r\nShip to: somewhere else")})
	if _, err := g.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("a cut answer says %v", err)
	}
	a.Attempt = 2
	r := apply(t, g, a)
	if r.Now.State != dayone.Pending || r.Now.Ref != once || r.Wait == nil || !slices.Equal(r.Wait.Ask, []string{"order_number", "serial", "tracking", "carrier", "arrives"}) || !r.Wait.Check.IsZero() {
		t.Errorf("the order is %+v, waiting for %+v", r.Now, r.Wait)
	}
	ms := s.Messages()
	if len(ms) != 2 || ms[0].ID != ms[1].ID || ms[0].To[0] != "orders@reseller.example" || ms[0].Subject != "Order: macbook-pro-14 ("+once+")" {
		t.Fatalf("the letters are %+v", ms)
	}
	for _, line := range []string{"1 x        macbook-pro-14\n", "For        Zoë 山田 Ship to: somewhere else\n", "Ship to    1 Main St, San Francisco\n", "Arrive by  2024-11-23\n", "Reference  " + once + "\n"} {
		if !strings.Contains(ms[0].Text, line) {
			t.Errorf("%q is not in\n%s", line, ms[0].Text)
		}
	}
	a.Have, a.Action = r.Now, dayone.EntitlementConfirm
	if again := apply(t, g, a); again.Wait == nil || len(s.Messages()) != 2 {
		t.Errorf("a known order was mailed again: %+v", again)
	}
}

func TestRealMail(t *testing.T) {
	t.Parallel()
	server := lab.Mail(t)
	settings := server.Settings("onboarding")
	settings["mode"], settings["order_to"] = "mail", "orders@"+server.Domain
	apply(t, openWith(t, time.Now, connector.Options{Settings: settings, Observe: connectortest.Real(t, procurement.Factory)}), order(nil))
	if raw := server.Read(t, "orders", once+"@"+server.Domain); !strings.Contains(raw, "Subject: Order: macbook-pro-14") {
		t.Errorf("the reseller got\n%s", raw)
	}
}
