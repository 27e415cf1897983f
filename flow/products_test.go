package flow_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

const houseProducts = `
products:
  - id: directory
    title: Okta
    domain: security
    owner: it@company.com
    grant:
      - {to: okta/account}
      - {to: okta/group:base-employee}
  - id: code
    title: GitLab for customers
    domain: business
    owner: it@company.com
    prerequisites: [directory]
    grant:
      - {to: okta/account}
      - {to: gitlab/account}
      - {to: gitlab/group:customer-solutions, role: reporter}
  - id: sales-kit
    title: Sales kit
    domain: business
    owner: it@company.com
    prerequisites: [code]
    grant:
      - {to: okta/group:sales-team}
  - id: half
    title: Half of it
    domain: business
    owner: it@company.com
    grant:
      - {to: gitlab/account}
      - {to: gitlab/group:platform, role: owner}
`

const houseOffers = housePolicy + `
  - id: may-ask
    owner: it@company.com
    match: {department: Sales}
    offer:
      - {product: code}
  - id: engineers-may-ask
    owner: it@company.com
    match: {department: Engineering}
    offer:
      - {product: code}
      - {product: sales-kit, for: 30d}
`

// withProducts is a policy folder with products in it.
func withProducts(folder fs.FS, products string) fs.FS {
	f := folder.(fstest.MapFS)
	f["products/house.yaml"] = &fstest.MapFile{Data: []byte(products)}
	return f
}

// product is how one stands for somebody.
func (h *house) product(p dayone.PersonID, id string) flow.PersonProduct {
	h.t.Helper()
	_, all, err := h.ProductsOf(ctx, p)
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(x flow.PersonProduct) bool { return x.ID == id })
	if i < 0 {
		h.t.Fatalf("there is no product %s", id)
	}
	return all[i]
}

func TestAProductIsAskedForWholeAndTakenBackWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = withProducts(w.folder(houseOffers), houseProducts)
	h := w.open()
	in := h.judged(h.hears(h.hr.Put(employee("1", "department", "Sales")))[0].ID)
	p := in.Person

	// ahead of her start it can be seen, and asked for
	for id, want := range map[string]flow.ProductState{"directory": flow.ProductGiven, "code": flow.ProductOffered, "sales-kit": flow.ProductGiven, "half": flow.ProductNone} {
		same(t, id, h.product(p, id).State, want)
	}
	if got := h.product(p, "directory"); len(got.Policies) != 1 || got.Policies[0].Policy != "everyone" {
		t.Errorf("the directory is given by %+v", got.Policies)
	}
	pick := flow.Pick{Person: p, Products: []string{"code", "directory"}, By: "lead@company.com", Reason: "a customer's repository"}
	v, err := h.PreviewPick(ctx, pick)
	if err != nil || len(v.Picked) != 1 || len(v.Already) != 1 || len(v.Gained) != 2 || len(v.Pending)+len(v.Needs)+len(v.Findings) != 0 {
		t.Fatalf("the preview: %+v, %v", v, err)
	}
	for _, bad := range []struct {
		pick flow.Pick
		is   error
	}{
		{flow.Pick{Person: p, Products: []string{"code"}, By: "lead@company.com"}, dayone.ErrInvalid},
		{flow.Pick{Person: p, Products: []string{"code", "half"}, By: "lead@company.com", Reason: "x"}, dayone.ErrForbidden},
		{flow.Pick{Person: p, Products: []string{"code", "fax"}, By: "lead@company.com", Reason: "x"}, dayone.ErrNotFound},
		{flow.Pick{Person: p, Products: []string{"directory"}, By: "lead@company.com", Reason: "x"}, dayone.ErrConflict},
		{flow.Pick{Person: p, Products: []string{"code"}, By: "lead@company.com", Reason: "x", Plan: "another"}, dayone.ErrConflict},
		{flow.Pick{Person: "per_none", Products: []string{"code"}, By: "lead@company.com", Reason: "x"}, dayone.ErrNotFound},
	} {
		_, err := h.PickProducts(ctx, bad.pick)
		is(t, err, bad.is)
	}
	if rs, err := h.Requests(ctx, p); err != nil || len(rs) != 0 {
		t.Fatalf("something was asked for: %+v, %v", rs, err)
	}
	pick.Plan = v.Hash
	rs, err := h.PickProducts(ctx, pick)
	if err != nil || len(rs) != 1 || rs[0].Product != "code" {
		t.Fatalf("picked: %+v, %v", rs, err)
	}
	pick.Plan = ""
	_, err = h.PickProducts(ctx, pick)
	is(t, err, dayone.ErrConflict) // she has it already

	// it survives the process, and comes with everything else
	h.stop()
	h = w.open()
	same(t, "code", h.product(p, "code").State, flow.ProductRequested)
	h.clock.Jump(at(t, "2024-11-25T09:00:00Z"))
	last := h.rests(p, "")
	h.gitlab.Login("e1@company.com")
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:customer-solutions=reporter")
	why, err := h.Explain(ctx, p, dayone.Key{System: "gitlab", Kind: "account"})
	if err != nil || why.Answer != "given" || why.Asked == nil || why.Asked.Reason != "a customer's repository" {
		t.Errorf("explained as %+v, %v", why, err)
	}

	// ended, what only it gave goes, and what a policy gives stays
	h.clock.Jump(h.clock.Now().Add(20 * time.Minute))
	h.settledAt(p)
	last = h.rests(p, "")
	if _, err := h.EndProduct(ctx, p, "code", "lead@company.com", "the customer left"); err != nil {
		t.Fatal(err)
	}
	h.rests(p, last.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	h.shows(h.gitlab, "e1@company.com", dayone.Disabled)
	same(t, "code", h.product(p, "code").State, flow.ProductOffered)
	_, err = h.EndProduct(ctx, p, "code", "lead@company.com", "")
	is(t, err, dayone.ErrNotFound)
}

func TestAProductNeedsItsPrerequisitesAndEndsWithItsOffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = withProducts(w.folder(houseOffers), houseProducts)
	h := w.open()
	p, _ := h.hires(employee("1", "start_date", "2024-11-11"))
	h.gitlab.Login("e1@company.com")
	h.clock.Jump(h.clock.Now().Add(20 * time.Minute))
	h.settledAt(p)
	pick := flow.Pick{Person: p, Products: []string{"sales-kit"}, By: "lead@company.com", Reason: "covers for Max"}
	v, err := h.PreviewPick(ctx, pick)
	if err != nil || len(v.Needs) != 1 || v.Needs[0] != (flow.Prerequisite{Product: "code", For: "sales-kit"}) {
		t.Fatalf("it needs %+v, %v", v.Needs, err)
	}
	_, err = h.PickProducts(ctx, pick)
	is(t, err, dayone.ErrConflict)
	last := h.rests(p, "")
	pick.Products = []string{"sales-kit", "code"}
	if rs, err := h.PickProducts(ctx, pick); err != nil || len(rs) != 2 {
		t.Fatalf("picked: %+v, %v", rs, err)
	}
	last = h.rests(p, last.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	_, err = h.EndProduct(ctx, p, "code", "lead@company.com", "")
	is(t, err, dayone.ErrConflict) // the other one needs it

	h.settledAt(p)
	h.clock.Jump(h.clock.Now().AddDate(0, 0, 31))
	last = h.rests(p, last.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	h.settledAt(p)
	same(t, "sales kit", h.product(p, "sales-kit").State, flow.ProductOffered)
	if _, err = h.EndProduct(ctx, p, "code", "lead@company.com", ""); err != nil {
		t.Error(err)
	}
	h.rests(p, last.ID)
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:platform=developer") // an engineer has it anyway
}

// A product is part of a policy version: what it gains or loses is planned for everybody who asked for it, and applied.
func TestAChangedProductIsPlannedForWhoeverAskedForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = withProducts(w.folder(houseOffers), houseProducts)
	h := w.open()
	p, _ := h.hires(employee("1", "start_date", "2024-11-11"))
	h.hires(employee("2", "start_date", "2024-11-11"))
	h.gitlab.Login("e1@company.com")
	h.gitlab.Login("e2@company.com")
	h.clock.Jump(h.clock.Now().Add(20 * time.Minute))
	h.settledAt(p)
	last := h.rests(p, "")
	if _, err := h.PickProducts(ctx, flow.Pick{Person: p, Products: []string{"code"}, By: "lead@company.com", Reason: "a customer"}); err != nil {
		t.Fatal(err)
	}
	last = h.rests(p, last.ID)
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:customer-solutions=reporter", "group:platform=developer")

	files := withProducts(h.folder(strings.Replace(houseOffers, "- {product: sales-kit, for: 30d}", "- {to: okta/group:sales-team}", 1)),
		strings.Replace(houseProducts, "- {to: gitlab/group:customer-solutions, role: reporter}", "- {to: okta/group:sales-team}", 1))
	set, diags := h.Load(files)
	if set == nil {
		t.Fatal(diags)
	}
	pr := flow.Proposal{Set: set, Files: files, Author: "kim@company.com"}
	e := h.everybody(pr)
	if len(e.Changes) != 1 || e.Changes[0].Person != p || len(e.Changes[0].Gained) != 1 || len(e.Changes[0].Lost) != 1 || !slices.Equal(e.Files, []string{"~ products/house.yaml"}) {
		t.Fatalf("the plan: %+v, files %v", e.Changes, e.Files)
	}
	if _, err := h.Apply(ctx, pr, e, "priya@company.com", "CHG-1", ""); err != nil {
		t.Fatal(err)
	}
	last = h.rests(p, last.ID)
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:platform=developer")
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	h.shows(h.okta, "e2@company.com", dayone.Active, "group:base-employee")

	// taken out, it takes along what only it gave; the request can still be ended
	files = withProducts(h.folder(housePolicy), "products: []\n")
	if set, diags = h.Load(files); set == nil {
		t.Fatal(diags)
	}
	pr = flow.Proposal{Set: set, Files: files, Author: "kim@company.com"}
	if _, err := h.Apply(ctx, pr, h.everybody(pr), "priya@company.com", "CHG-2", ""); err != nil {
		t.Fatal(err)
	}
	h.rests(p, last.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	if _, err := h.EndProduct(ctx, p, "code", "kim@company.com", ""); err != nil {
		t.Error(err)
	}
}
