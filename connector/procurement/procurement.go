// Package procurement orders devices from a reseller, by a signed webhook or by mail, and waits until their serial and
// tracking numbers are known: from the reseller's answer, from its callback, or from a human.
package procurement

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/mailc"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes connectors to resellers.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one reseller.
func New(cfg connector.Config) (connector.Connector, error) {
	o := orders{system: cfg.System, now: cfg.Now}
	t := &connector.Target{System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now}
	missing := func(setting string) (connector.Connector, error) {
		return nil, fmt.Errorf("mode %s needs the setting %s: %w", cfg.Settings["mode"], setting, dayone.ErrInvalid)
	}
	switch cfg.Settings["mode"] {
	case "mail":
		if cfg.Settings["order_to"] == "" {
			return missing("order_to")
		}
		m, err := mailc.New(cfg)
		if err != nil {
			return nil, err
		}
		t.Ping, o.place = m.Check, letter{m, cfg.Settings["order_to"]}.place
	default:
		switch {
		case cfg.Settings["url"] == "":
			return missing("url")
		case cfg.Secrets["secret"].IsZero():
			return missing("secret")
		}
		c, err := newClient(cfg)
		if err != nil {
			return nil, err
		}
		t.Ping, o.place = c.check, c.place
		if cfg.Settings["poll"] == "true" {
			o.find = c.find
		}
	}
	t.Things = map[string]connector.Things{"order": o}
	return &reseller{t, cfg.Secrets["secret"]}, nil
}

// reseller is a target that calls back.
type reseller struct {
	*connector.Target
	secret dayone.Secret
}

// Callback is an order that ships: our reference, and what is known of it now.
func (r *reseller) Callback(header http.Header, body []byte, now time.Time) (connector.Callback, error) {
	if r.secret.IsZero() {
		return connector.Callback{}, fmt.Errorf("orders go by mail: there is no key for callbacks: %w", dayone.ErrAuth)
	}
	if err := Verify(r.secret, header, body, now); err != nil {
		return connector.Callback{}, err
	}
	var said struct {
		Reference string `json:"reference"`
		placed
	}
	if err := json.Unmarshal(body, &said); err != nil || said.Reference == "" {
		return connector.Callback{}, fmt.Errorf("the callback names no order of ours: %w", dayone.ErrInvalid)
	}
	return connector.Callback{Once: said.Reference, Attrs: said.attrs()}, nil
}

// order as it is placed. Its key makes it one, however often it is placed.
type order struct {
	key       string
	Reference string `json:"reference"`
	Model     string `json:"model"`
	ShipTo    string `json:"ship_to,omitempty"`
	ArriveBy  string `json:"arrive_by,omitempty"`
	Name      string `json:"name,omitempty"`
	Email     string `json:"email,omitempty"`
}

// placed is what a reseller tells of an order; each may still be unknown.
type placed struct {
	Number   text `json:"order_number"`
	Serial   text `json:"serial"`
	Tracking text `json:"tracking"`
	Carrier  text `json:"carrier"`
	Arrives  text `json:"arrives"`
}

func (p placed) attrs() dayone.Attrs {
	if at, err := time.Parse(time.RFC3339, string(p.Arrives)); err == nil {
		p.Arrives = text(at.Format(time.DateOnly))
	}
	out := dayone.Attrs{}
	for name, v := range map[string]text{"order_number": p.Number, "serial": p.Serial, "tracking": p.Tracking, "carrier": p.Carrier, "arrives": p.Arrives} {
		if v != "" {
			out[name] = dayone.Text(string(v))
		}
	}
	return out
}

// told are the attributes that come from the reseller, in the order in which people are asked for them.
var told = []string{"order_number", "serial", "tracking", "carrier", "arrives"}

// pollEvery is how often a reseller that can be asked is asked.
const pollEvery = time.Minute

type orders struct {
	system string
	now    func() time.Time
	place  func(context.Context, order) (placed, error)
	find   func(ctx context.Context, key string) (placed, error) // nil: the reseller cannot be asked
}

// Look asks the reseller, if it can be asked; else the books. An order that it does not know any more was still placed.
func (o orders) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	if o.find != nil {
		p, err := o.find(ctx, a.Once)
		if err == nil {
			it := item(p, a)
			return &it, nil
		}
		if !errors.Is(err, dayone.ErrNotFound) {
			return nil, err
		}
	}
	if a.Have == nil {
		return nil, nil
	}
	is := *a.Have
	return &is, nil
}

// item is an order as it stands: what the reseller tells goes over what the books know, and that over what was asked.
func item(p placed, a dayone.Act) dayone.Item {
	it := dayone.Item{State: dayone.Pending, Attrs: dayone.Attrs{}}
	if a.Want != nil {
		for _, name := range []string{"model", "ship_to"} {
			if v, ok := a.Want.Attrs[name]; ok {
				it.Attrs[name] = v
			}
		}
	}
	if a.Have != nil {
		it.Attrs = it.Attrs.With(a.Have.Attrs)
	}
	it.Attrs = it.Attrs.With(p.attrs())
	it.Ref = cmp.Or(it.Attrs.Text("order_number"), a.Once)
	if it.Attrs.Text("serial") != "" && it.Attrs.Text("tracking") != "" {
		it.State = dayone.Active
	}
	return it
}

// Put places an order, once. One that is there is left as it is: a change is a matter between people.
func (o orders) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	want := a.Want.Attrs
	if a.Have != nil {
		is := *a.Have
		model := is.Attrs.Text("model")
		other := model != "" && want.Text("model") != "" && model != want.Text("model")
		if other && is.State == dayone.Active {
			return dayone.Result{}, &dayone.Fault{
				System: o.system, Op: "placing order", Err: dayone.ErrUnsupported,
				Detail: fmt.Sprintf("order %s brought a %s, and now a %s is wanted; exchange it with the reseller", is.Ref, model, want.Text("model")),
			}
		}
		r := o.waiting(is)
		if other && r.Wait != nil {
			r.Wait.Note += fmt.Sprintf(" By now a %s is wanted instead: have the reseller change it.", want.Text("model"))
		}
		return r, nil
	}
	if want.Text("model") == "" {
		return dayone.Result{}, &dayone.Fault{System: o.system, Op: "placing order", Err: dayone.ErrInvalid, Detail: "no model is named"}
	}
	p, err := o.place(ctx, order{
		key: a.Once, Reference: cmp.Or(want.Text("reference"), a.Once), Model: want.Text("model"), ShipTo: want.Text("ship_to"),
		ArriveBy: ahead(want.Text("arrive_by"), a.Since), Name: want.Text("name"), Email: want.Text("email"),
	})
	if err != nil {
		return dayone.Result{}, err
	}
	return o.waiting(item(p, a)), nil
}

// ahead is a day by which it should be there, unless that is past: then it is wanted as soon as can be.
func ahead(day string, now time.Time) string {
	if !now.IsZero() && day != "" && day < now.UTC().Format(time.DateOnly) {
		return ""
	}
	return day
}

// waiting asks a human for what the reseller has not told; whoever tells it first, ends it.
func (o orders) waiting(is dayone.Item) dayone.Result {
	r := dayone.Result{Now: &is}
	if is.State == dayone.Active {
		return r
	}
	r.Wait = &dayone.Wait{Kind: dayone.WaitTask, Ask: slices.DeleteFunc(slices.Clone(told), func(name string) bool { return is.Attrs.Text(name) != "" })}
	number := ""
	if n := is.Attrs.Text("order_number"); n != "" {
		number = " " + n
	}
	r.Wait.Note = fmt.Sprintf("Order%s for a %s is placed. Once the reseller ships it, enter its serial and tracking number, the carrier and the date on which it arrives.", number, is.Attrs.Text("model"))
	if o.find != nil {
		r.Wait.Note += " Or leave it: the reseller is asked every minute."
		r.Wait.Check = o.now().Add(pollEvery)
	}
	return r
}

// Drop cannot be had.
func (o orders) Drop(_ context.Context, a dayone.Act) error {
	return &dayone.Fault{System: o.system, Op: "cancelling order", Err: dayone.ErrUnsupported, Detail: "cancel order " + a.Have.Ref + " with the reseller"}
}

// Of cannot be had: a reseller knows orders, not people.
func (orders) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}

// letter is the reseller's mailbox.
type letter struct {
	*mailc.Client
	to string
}

// place writes the order as people read it. The answer comes to people, too.
func (l letter) place(ctx context.Context, o order) (placed, error) {
	body := "Please deliver:\n\n"
	for _, line := range []struct{ name, value string }{
		{"1 x", o.Model}, {"For", o.Name}, {"Contact", o.Email}, {"Ship to", o.ShipTo}, {"Arrive by", o.ArriveBy}, {"Reference", o.Reference},
	} {
		if line.value != "" {
			body += fmt.Sprintf("%-10s %s\n", line.name, mailc.Line(line.value))
		}
	}
	body += "\nPlease answer with your order number, and with serial number, tracking number, carrier and date of arrival when it ships." +
		"\nA second mail with the same reference is the same order.\n"
	_, err := l.Send(ctx, mailc.Message{Op: "placing order", ID: o.key, To: []string{l.to}, Subject: fmt.Sprintf("Order: %s (%s)", o.Model, o.Reference), Text: body})
	return placed{}, err
}
