package flow_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/connector/meraki"
	merakisim "github.com/dayone-hq/dayone/connector/meraki/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
)

const networkPolicy = `
policies:
  - id: everyone
    title: Everyone
    owner: it@company.com
    when: "true"
    grant:
      - {to: "meraki/code:HQ/Corp", params: {group_policy: Staff}}
    notify:
      - {on: ready, to: new-hire, template: welcome}
      - {on: new_code, to: person, template: new-code}
      - {on: new_code, to: manager, template: new-code-manager}
  - id: sales
    title: Sales
    owner: it@company.com
    match: {department: Sales}
    grant:
      - {to: "meraki/code:Berlin/Corp", params: {group_policy: Staff}}
`

var networkCode = dayone.Key{System: "meraki", Kind: "code", Name: "HQ/Corp"}

// network is a world whose people have a code of their own for the network.
func network(t *testing.T) (*house, *merakisim.Sim) {
	w := newWorld(t)
	net := merakisim.New(sim.Options{Now: w.clock.Now, Page: 50})
	return w.with("meraki", meraki.Factory, net, networkPolicy, "{account: {}, code: {names: [HQ/Corp, Berlin/Corp]}}"), net
}

// joiner is somebody at work with a code, and the token of the link in her welcome.
func (h *house) joiner() (dayone.PersonID, dayone.Run, string) {
	h.t.Helper()
	p, r := h.hires(employee("1", "start_date", "2024-11-11"))
	return p, r, h.token("e1@company.com", "Welcome")
}

var secretLink = regexp.MustCompile(`/secret/([A-Za-z0-9_-]+)`)

// token is that of the only link in the newest mail to somebody with such a subject.
func (h *house) token(to, subject string) string {
	h.t.Helper()
	return until(h, "a mail "+subject, func() (string, bool) {
		mails := slices.DeleteFunc(h.mail.Messages(), func(m mailsim.Message) bool {
			return !slices.Contains(m.To, to) || !strings.Contains(m.Subject, subject)
		})
		if len(mails) == 0 {
			return "", false
		}
		found := secretLink.FindAllStringSubmatch(mails[len(mails)-1].Text, -1)
		if len(found) != 1 {
			h.t.Fatalf("the mail has %d links:\n%s", len(found), mails[len(mails)-1].Text)
		}
		return found[0][1], true
	})
}

// opens is the code behind a link.
func (h *house) opens(p dayone.PersonID, token string) string {
	h.t.Helper()
	code, err := h.OpenLink(h.t.Context(), token, h.Keeper.Code(string(p)))
	if err != nil {
		h.t.Fatal(err)
	}
	return code.Reveal()
}

// Everybody has a code of her own for the network: behind a link, once, and nowhere else. One that was lost is renewed, over
// an outage and a restart; from then on the old one opens nothing, and neither does its link. Whoever leaves has none.
func TestTheCodeForTheNetwork(t *testing.T) {
	t.Parallel()
	h, net := network(t)
	p, run, first := h.joiner()
	ctx := t.Context()
	if links, err := h.Links(ctx, p); err != nil || len(links) != 1 || !strings.HasSuffix(links[0].URL, first) || links[0].Thing != "Network code" || links[0].Waits {
		t.Errorf("the links that nobody has opened are %+v, %v", links, err)
	}
	old := h.opens(p, first)
	if who := net.Joins("HQ/Corp", old); who != "e1@company.com" || !regexp.MustCompile(`^[a-z2-9]{4}(-[a-z2-9]{4}){3}$`).MatchString(old) {
		t.Fatalf("%q lets in %q", old, who)
	}
	for _, m := range h.mail.Messages() {
		if strings.Contains(m.Text, old) {
			t.Errorf("a mail tells the code:\n%s", m.Text)
		}
	}
	if links, err := h.Links(ctx, p); err != nil || len(links) != 0 {
		t.Errorf("what was opened is still a link: %+v, %v", links, err)
	}

	net.Door().Inject(sim.Fault{Method: "PUT", Status: 503, Times: -1})
	asked, err := h.Renew(ctx, p, networkCode, "kim", "phone stolen")
	if err != nil || !asked.Waits {
		t.Fatalf("it is %+v, %v", asked, err)
	}
	_, err = h.Renew(ctx, p, networkCode, "kim", "phone stolen")
	is(t, err, dayone.ErrConflict)
	next := asked.URL[strings.LastIndex(asked.URL, "/")+1:]
	until(h, "it is tried", func() (bool, bool) {
		link, err := h.Link(ctx, next) // its secret is sealed with the intent
		return true, err == nil && link.Waits
	})
	_, err = h.OpenLink(ctx, next, h.Keeper.Code(string(p)))
	is(t, err, dayone.ErrForbidden)
	if net.Joins("HQ/Corp", old) == "" {
		t.Error("the old code ended before there is a new one")
	}
	h.stop()
	net.Door().Heal()
	h = h.world.open()
	if got := h.token("e1@company.com", "new code"); got != next {
		t.Errorf("the mail has another link: %s, not %s", got, next)
	}
	told := until(h, "the manager is told", func() (string, bool) {
		for _, m := range h.mail.Messages() {
			if slices.Contains(m.To, "john.doe@company.com") && strings.Contains(m.Subject, "hand-over") {
				return m.Text, true
			}
		}
		return "", false
	})
	if !strings.Contains(told, "/progress/"+string(p)+"/") || secretLink.MatchString(told) {
		t.Errorf("the manager is told:\n%s", told)
	}
	renewal := h.rests(p, run.ID)
	if s := renewal.Step("meraki/code:HQ/Corp entitlement.add"); renewal.State != dayone.RunDone || s == nil || s.Step.Undo.Possible() || !s.Result.Changed() {
		t.Errorf("the renewal is %s: %+v", renewal.State, s)
	}
	renewed := h.opens(p, next)
	if renewed == old || net.Joins("HQ/Corp", old) != "" || net.Joins("HQ/Corp", renewed) != "e1@company.com" || net.Policy("HQ/Corp", "e1@company.com") != "101" {
		t.Errorf("the old code lets in %q, the new one %q", net.Joins("HQ/Corp", old), net.Joins("HQ/Corp", renewed))
	}
	if l, err := h.Preview(ctx, p); err != nil || len(l.Plan.Steps) != 0 {
		t.Errorf("it is planned again: %+v, %v", l.Plan.Steps, err)
	}

	if _, err := h.Terminate(ctx, p, "kim", "for cause", ""); err != nil {
		t.Fatal(err)
	}
	until(h, "the code is gone", func() (bool, bool) { return true, net.Joins("HQ/Corp", renewed) == "" })
	h.rests(p, renewal.ID)
	_, err = h.Renew(ctx, p, networkCode, "kim", "she asks")
	is(t, err, dayone.ErrInvalid)
}

// A link to a code that nobody opened is dead once the code was renewed, and the message has the newest one only.
func TestARenewedCodeHasOneLink(t *testing.T) {
	t.Parallel()
	h, net := network(t)
	p, run, first := h.joiner()
	ctx := t.Context()
	if _, err := h.Renew(ctx, p, networkCode, "kim", "she never got the mail"); err != nil {
		t.Fatal(err)
	}
	second := h.token("e1@company.com", "new code")
	run = h.rests(p, run.ID)
	if link, err := h.Link(ctx, first); err != nil || !link.Over || second == first {
		t.Errorf("the first link is %+v, %v", link, err)
	}
	_, err := h.OpenLink(ctx, first, h.Keeper.Code(string(p)))
	is(t, err, dayone.ErrConflict)
	asked, err := h.Renew(ctx, p, networkCode, "kim", "and once more")
	if err != nil {
		t.Fatal(err)
	}
	h.rests(p, run.ID)
	third := until(h, "the third link", func() (string, bool) {
		token := h.token("e1@company.com", "new code")
		return token, token != second
	})
	if !strings.HasSuffix(asked.URL, third) {
		t.Errorf("the mail has %s, the answer said %s", third, asked.URL)
	}
	if code := h.opens(p, third); net.Joins("HQ/Corp", code) != "e1@company.com" {
		t.Error("the third code lets nobody in")
	}
	if records, err := h.Records(ctx, flow.RecordFilter{Person: p, Limit: 100}); err != nil || len(slices.DeleteFunc(records, func(r flow.Line) bool { return r.What != "renewal asked for: meraki/code:HQ/Corp" })) != 2 {
		t.Errorf("the records do not say who asked: %v", err)
	}
}

// What cannot be renewed says why.
func TestNothingToRenew(t *testing.T) {
	t.Parallel()
	h, _ := network(t)
	p, _, _ := h.joiner()
	ctx := t.Context()
	_, err := h.Renew(ctx, p, networkCode, "kim", " ")
	is(t, err, dayone.ErrInvalid)
	_, err = h.Renew(ctx, p, dayone.Key{System: "meraki", Kind: "code", Name: "HQ/Other"}, "kim", "lost")
	is(t, err, dayone.ErrInvalid)
	_, err = h.Renew(ctx, "per_01jd9x0000000000000000000a", networkCode, "kim", "lost")
	is(t, err, dayone.ErrNotFound)
	future := h.judged(h.hears(h.hr.Put(employee("2", "start_date", "2025-06-02")))[0].ID).Person
	_, err = h.Renew(ctx, future, networkCode, "kim", "lost")
	is(t, err, dayone.ErrInvalid) // before its time there is none
}

// Whoever is given a code when her first day is long over is told of it, as the welcome told her of the first.
func TestACodeThatComesLaterIsTold(t *testing.T) {
	t.Parallel()
	h, net := network(t)
	p, run, first := h.joiner()
	code := h.opens(p, first)
	h.changes(p, run.ID, employee("1", "start_date", "2024-11-11", "department", "Sales"))
	later := h.token("e1@company.com", "new code")
	if got := h.opens(p, later); net.Joins("Berlin/Corp", got) != "e1@company.com" || net.Joins("HQ/Corp", code) != "e1@company.com" {
		t.Errorf("the code for Berlin lets in %q, the one for HQ %q", net.Joins("Berlin/Corp", got), net.Joins("HQ/Corp", code))
	}
}
