package flow_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Links open what somebody has; who has one system passes on the links to that, and renews nothing else.
func TestLinksAreForThoseWhoHaveTheSystem(t *testing.T) {
	t.Parallel()
	h, _ := network(t)
	p, _, _ := h.joiner()
	at := dayone.Reach{Systems: []string{networkCode.System}}
	slack := dayone.Reach{Systems: []string{"slack"}}
	abroad := dayone.Reach{Countries: []string{"US"}, Systems: []string{networkCode.System}}
	for _, c := range []struct {
		reach []dayone.Reach
		want  int
	}{{nil, 1}, {[]dayone.Reach{at}, 1}, {[]dayone.Reach{slack}, 0}, {[]dayone.Reach{german}, 1}, {[]dayone.Reach{slack, german}, 1}, {[]dayone.Reach{{Countries: []string{"DE"}, Systems: []string{"slack"}}}, 0}} {
		links, err := h.Links(of(dayone.Operator, c.reach...), p)
		is(t, err, nil)
		same(t, "links for "+dayone.Scope(c.reach).String(), len(links), c.want)
	}
	is(t, errOf(h.Links(of(dayone.Operator, abroad), p)), dayone.ErrNotFound)
	rows, err := h.PeopleOf(of(dayone.Operator, abroad), []dayone.PersonID{p})
	is(t, err, nil)
	same(t, "among several, abroad", len(rows), 0)

	row, err := h.Person(ctx, p)
	is(t, err, nil)
	l, err := h.Preview(ctx, p)
	is(t, err, nil)
	for _, x := range l.Have {
		if x.Key == networkCode {
			same(t, "renewed by whoever has it", h.Renewable(of(dayone.Operator, at), row, x), true)
			same(t, "renewed by whoever has it not", h.Renewable(of(dayone.Operator, slack), row, x), false)
		}
	}
	is(t, errOf(h.Renew(of(dayone.Operator, slack), p, networkCode, "kim", "lost")), dayone.ErrForbidden)
}

// Whether somebody works here is no answer to who may not see them.
func TestAnAddressOutOfScopeIsNobodys(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	h.hires(employee("7", "first_name", "Sam", "email", "sam@company.com", "location", "San Francisco", "start_date", "2024-10-08"))
	john, err := h.Named(ctx, "john.doe@company.com")
	is(t, err, nil)
	hr := of(dayone.HR, german)
	_, there := h.Terminate(hr, john.ID, "kim", "gone", "sam@company.com")
	_, nobody := h.Terminate(hr, john.ID, "kim", "gone", "abc@company.com")
	is(t, there, dayone.ErrInvalid)
	same(t, "what is said", there.Error(), "nobody here has the address sam@company.com; name a successor who works here: "+dayone.ErrInvalid.Error())
	is(t, nobody, dayone.ErrInvalid)

	said := func(sponsor string) string {
		o := ngozi()
		o.Sponsor = sponsor
		_, err := h.AddOutsider(hr, o)
		is(t, err, dayone.ErrInvalid)
		return err.Error()
	}
	same(t, "a sponsor out of scope", said("sam@company.com"), said("abc@company.com"))
	if _, err := h.AddOutsider(hr, ngozi()); err != nil {
		t.Errorf("a sponsor in scope: %v", err)
	}
}

// Of a number that is named, whoever has a scope learns nothing but whether it can be had.
func TestANamedNumberTellsNothingOutOfScope(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	if _, err := h.SaveNumberPlan(few, houseNumbers+`
  US-geo:
    platform: cucm-us
    partition: DN_SFO
    country: US
    site: San Francisco
    emergency: ERL-SFO-1
    ranges:
      - {first: +14155550100, last: +14155550105}
`, 0, "kim"); err != nil {
		t.Fatal(err)
	}
	berlin, other, sam := h.known("emp_1"), h.known("emp_2"), h.known("emp_3", "location", "San Francisco")
	hers := h.gives(flow.NumberWish{Person: sam, Number: "+14155550101", By: "kim"})
	stray := h.gives(flow.NumberWish{Person: sam, Number: "+493012340003", Another: true, By: "kim"})
	near := h.gives(flow.NumberWish{Person: other, Number: "+493012340005", By: "kim"})
	hr := of(dayone.HR, german)
	for _, id := range []dayone.NumberID{hers.ID, stray.ID, "+14155550102", "+14155559999"} {
		_, err := h.AssignNumber(hr, flow.NumberWish{Person: berlin, Number: id, By: "lee"})
		if err == nil {
			t.Fatalf("%s is given", id)
		}
		is(t, err, dayone.ErrConflict)
		same(t, "what is said", err.Error(), string(id)+" is not given out for them; leave it open which: "+dayone.ErrConflict.Error())
	}
	_, err := h.AssignNumber(hr, flow.NumberWish{Person: berlin, Number: near.ID, By: "lee"})
	is(t, err, dayone.ErrConflict)
	got, err := h.AssignNumber(hr, flow.NumberWish{Person: berlin, Number: "+493012340004", By: "lee"})
	is(t, err, nil)
	same(t, "one of her site", got.ID, "+493012340004")
}

// Of somebody out of scope who may be the same nobody hears a name: neither from the form, nor from the rehearsal of an event.
func TestWhoMayBeTheSameIsNamedOnlyInScope(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	sam, _ := h.hires(employee("7", "first_name", "Sam", "last_name", "Hill", "email", "sam@company.com", "location", "San Francisco", "start_date", "2024-10-08"))
	o := ngozi()
	o.Fields["email"] = "sam@company.com"
	_, all, err := h.CheckOutsider(ctx, o)
	is(t, err, nil)
	if len(all) != 1 || all[0].Person != sam {
		t.Fatalf("who may be meant: %+v", all)
	}
	_, some, err := h.CheckOutsider(of(dayone.HR, german), o)
	is(t, err, nil)
	if len(some) != 1 || some[0].Person != "" || !slices.Equal(some[0].Why, []string{flow.BeyondRole}) {
		t.Errorf("what is told: %+v", some)
	}
}

// Whoever has a scope corrects nobody out of it. Of an address she hears only that it is another's, and leaves a trace by that.
func TestACorrectionStaysInScope(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	h.hires(employee("7", "first_name", "Sam", "last_name", "Hill", "email", "sam@company.com", "location", "San Francisco", "start_date", "2024-10-08"))
	john, err := h.Named(ctx, "john.doe@company.com")
	is(t, err, nil)
	hr := of(dayone.HR, german)
	to := func(ctx context.Context, attr, value string) error {
		_, err := h.Correct(ctx, john.ID, flow.Correction{Values: map[string]string{attr: value}, Until: "2024-12-10", By: "kim@company.com", Reason: "x"})
		return err
	}
	err = to(hr, "location", "San Francisco")
	is(t, err, dayone.ErrForbidden)
	want := "your role is for country DE, and this would take them out of it; ask a colleague whose role reaches there, or let HR say it: " + dayone.ErrForbidden.Error()
	same(t, "what is said", err.Error(), want)
	same(t, "where they are", h.attribute(john.ID, "location").Value.Text, "Berlin")
	is(t, to(hr, "job_title", "Accountant"), nil)
	is(t, to(ctx, "location", "San Francisco"), nil)

	mia, err := h.Named(ctx, "mia@company.com")
	is(t, err, nil)
	_, err = h.Correct(hr, mia.ID, flow.Correction{Values: map[string]string{"email": "sam@company.com"}, Until: "2024-12-10", By: "kim@company.com", Reason: "x"})
	is(t, err, dayone.ErrConflict)
	if strings.Contains(err.Error(), "Sam") || strings.Contains(err.Error(), "per_") {
		t.Errorf("it tells whose it is: %v", err)
	}
	records, err := h.Records(ctx, flow.RecordFilter{Person: mia.ID})
	is(t, err, nil)
	if !slices.ContainsFunc(records, func(r flow.Line) bool {
		return r.What == "correction refused" && strings.Contains(r.Leaf, "kim@company.com")
	}) {
		t.Error("that she asked leaves no trace")
	}
}
