// Package sim is a reseller: it takes signed orders, one for each key, refuses what it does not sell or understand, ships
// when told or after a while, and calls back.
package sim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

const secret = "whsec_c2ltLXJlc2VsbGVyLXNlY3JldA=="

// window within which a signature is of this moment.
const window = 5 * time.Minute

// Order as the reseller's people see it.
type Order struct {
	Key       string    `json:"-"`
	Number    string    `json:"order_number"`
	Reference string    `json:"reference"`
	Status    string    `json:"status"` // accepted, shipped
	Model     string    `json:"model"`
	ShipTo    string    `json:"ship_to"`
	ArriveBy  string    `json:"arrive_by,omitempty"`
	Name      string    `json:"name,omitempty"`
	Email     string    `json:"email,omitempty"`
	Serial    string    `json:"serial,omitempty"`
	Tracking  string    `json:"tracking,omitempty"`
	Carrier   string    `json:"carrier,omitempty"`
	Arrives   string    `json:"arrives,omitempty"`
	Ordered   time.Time `json:"ordered"`
	body      string
}

// Sim is the reseller.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	mux  http.Handler

	mu       sync.Mutex
	models   []string
	orders   []*Order
	after    time.Duration // 0: ships when told
	callback string
	calls    sync.WaitGroup
}

// New makes a reseller that sells the models of the examples, or those of o.Names["model"]. o.Seats are what it has in
// stock.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, models: o.Names["model"]}
	if s.models == nil {
		s.models = []string{"macbook-pro-14", "macbook-air-13", "thinkpad-x1"}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("HEAD /orders", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /orders", s.place)
	mux.HandleFunc("GET /orders/{key}", s.show)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fail(w, 404, "not_found", "there is nothing here") })
	s.mux = s.door.Wrap(s.auth(mux))
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Accounts are none: a reseller knows orders.
func (s *Sim) Accounts() []sim.Account { return nil }
func (s *Sim) Seed(sim.Account) string { return "" }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"mode": "webhook", "url": base + "/orders", "secret": secret, "poll": "true"}
}

// ShipAfter lets every order ship so long after it was placed. It is looked at with each request, and by Tick.
func (s *Sim) ShipAfter(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = d
}

// CallBack posts to this URL whatever ships from now on: after a replay, or what shipped long ago is told again.
func (s *Sim) CallBack(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callback = url
}

// Orders in order of arrival.
func (s *Sim) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Order
	for _, o := range s.orders {
		out = append(out, *o)
	}
	return out
}

// Ship sends an order on its way, and says whether there was one to send.
func (s *Sim) Ship(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.find(key)
	if o == nil || o.Status == "shipped" {
		return false
	}
	s.ship(o)
	return true
}

// Tick ships what is due.
func (s *Sim) Tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due()
}

// Wait until every callback under way has ended.
func (s *Sim) Wait() { s.calls.Wait() }

func (s *Sim) find(key string) *Order {
	i := slices.IndexFunc(s.orders, func(o *Order) bool { return o.Key == key })
	if i < 0 {
		return nil
	}
	return s.orders[i]
}

func (s *Sim) due() {
	for _, o := range s.orders {
		if s.after > 0 && o.Status != "shipped" && !s.opt.Time().Before(o.Ordered.Add(s.after)) {
			s.ship(o)
		}
	}
}

func (s *Sim) ship(o *Order) {
	n := slices.Index(s.orders, o) + 1
	o.Status, o.Carrier = "shipped", "UPS"
	o.Serial = Serial(n)
	o.Tracking = tracking(2345677 + n)
	o.Arrives = o.ArriveBy
	if o.Arrives == "" {
		today := s.opt.Time()
		days := (int(time.Saturday-today.Weekday())+6)%7 + 1 // 1 to 7: never today
		o.Arrives = today.AddDate(0, 0, days).Format(time.DateOnly)
	}
	if s.callback == "" {
		return
	}
	body, err := json.Marshal(map[string]string{"order_number": o.Number, "reference": o.Reference, "serial": o.Serial, "tracking": o.Tracking, "carrier": o.Carrier, "arrives": o.Arrives})
	if err != nil {
		return
	}
	url, id, at := s.callback, "shipped-"+o.Number, strconv.FormatInt(s.opt.Time().Unix(), 10)
	s.calls.Go(func() { post(url, id, at, body) })
}

// Serial is that of the n-th laptop, from 1: a device management that is to know them can be told beforehand.
func Serial(n int) string { return "C02XK" + strings.ToUpper(strconv.FormatInt(int64(n), 36)) + "ABCD" }

// tracking is a number of UPS with its check digit.
func tracking(parcel int) string {
	number := fmt.Sprintf("999AA101%07d", parcel)
	sum := 0
	for i, r := range number {
		v := int(r - '0')
		if r >= 'A' {
			v = int(r-'A'+2) % 10
		}
		sum += v * (1 + i%2)
	}
	return "1Z" + number + strconv.Itoa((10-sum%10)%10)
}

// post calls back once: a reseller that is not heard is asked, or a human enters it.
func post(url, id, at string, body []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", sign(id, at, body))
	if resp, err := http.DefaultClient.Do(r); err == nil {
		_ = resp.Body.Close()
	}
}

func sign(id, at string, body []byte) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func fail(w http.ResponseWriter, status int, code, message string) {
	sim.JSON(w, status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

func (s *Sim) auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		id, at := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
		seconds, err := strconv.ParseInt(at, 10, 64)
		switch {
		case sim.Replaying(r): // it was let in when it came
		case id == "" || err != nil:
			fail(w, 400, "unsigned", "webhook-id, webhook-timestamp and webhook-signature are required")
			return
		case s.opt.Time().Sub(time.Unix(seconds, 0)).Abs() > window:
			fail(w, 401, "stale_signature", "webhook-timestamp is too far from now")
			return
		case !hmac.Equal([]byte(r.Header.Get("Webhook-Signature")), []byte(sign(id, at, body.Bytes()))):
			fail(w, 401, "bad_signature", "the signature does not match")
			return
		}
		r.Body = io.NopCloser(&body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.due()
		next.ServeHTTP(w, r)
	})
}

func (s *Sim) place(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || key != r.Header.Get("Webhook-Id") {
		fail(w, 400, "no_key", "Idempotency-Key is required, and is the webhook-id")
		return
	}
	var raw bytes.Buffer
	_, _ = raw.ReadFrom(r.Body)
	var in struct {
		Reference, Model, Name, Email string
		ShipTo                        string `json:"ship_to"`
		ArriveBy                      string `json:"arrive_by"`
	}
	dec := json.NewDecoder(bytes.NewReader(raw.Bytes()))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		fail(w, 400, "malformed", err.Error())
		return
	}
	if o := s.find(key); o != nil {
		if o.body != raw.String() {
			fail(w, 422, "key_reused", "this Idempotency-Key belongs to order "+o.Number+", which is another")
			return
		}
		sim.JSON(w, http.StatusOK, o)
		return
	}
	for name, v := range map[string]string{"reference": in.Reference, "model": in.Model, "ship_to": in.ShipTo} {
		if strings.TrimSpace(v) == "" {
			fail(w, 422, "required", name+" is required")
			return
		}
	}
	if len(in.ShipTo) > 500 || len(in.Reference) > 100 || len(in.Name) > 500 {
		fail(w, 422, "too_long", "ship_to and name have at most 500 octets, reference 100")
		return
	}
	if !slices.Contains(s.models, in.Model) {
		fail(w, 422, "unknown_model", "we do not sell "+in.Model+"; we sell "+strings.Join(s.models, ", "))
		return
	}
	if in.ArriveBy != "" {
		if _, err := time.Parse(time.DateOnly, in.ArriveBy); err != nil {
			fail(w, 422, "bad_date", "arrive_by is no date such as 2024-11-23")
			return
		}
	}
	if s.opt.Seats > 0 && len(s.orders) >= s.opt.Seats {
		fail(w, 409, "out_of_stock", in.Model+" is sold out")
		return
	}
	o := &Order{
		Key: key, Number: strconv.Itoa(10042 + len(s.orders)), Status: "accepted", Reference: in.Reference, Model: in.Model, ShipTo: in.ShipTo,
		ArriveBy: in.ArriveBy, Name: in.Name, Email: in.Email, Ordered: s.opt.Time(), body: raw.String(),
	}
	s.orders = append(s.orders, o)
	sim.JSON(w, http.StatusCreated, o)
}

func (s *Sim) show(w http.ResponseWriter, r *http.Request) {
	o := s.find(r.PathValue("key"))
	if o == nil {
		fail(w, 404, "not_found", "there is no order with this key")
		return
	}
	sim.JSON(w, http.StatusOK, o)
}
