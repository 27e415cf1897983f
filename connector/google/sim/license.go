package sim

import (
	"net/http"

	"github.com/dayone-hq/dayone/connector/sim"
)

// sku checks product and SKU of the path.
func (s *Sim) sku(w http.ResponseWriter, r *http.Request) (product, sku string, ok bool) {
	product, sku = r.PathValue("product"), r.PathValue("sku")
	if s.products[product][sku] == "" {
		fail(w, 400, "invalid", "SKU or product does not exist.")
		return "", "", false
	}
	if s.seats[product] == nil {
		s.seats[product] = map[string]string{}
	}
	return product, sku, true
}

func (s *Sim) assigned(u *user, product string) map[string]any {
	sku := s.seats[product][u.id]
	return map[string]any{"kind": "licensing#licenseAssignment", "userId": u.email(), "productId": product, "skuId": sku, "skuName": s.products[product][sku], "productName": "Google Workspace"}
}

func (s *Sim) getLicense(w http.ResponseWriter, r *http.Request) {
	product, sku, ok := s.sku(w, r)
	if !ok {
		return
	}
	u := s.user(r.PathValue("key"))
	if u == nil || s.seats[product][u.id] != sku {
		fail(w, 404, "notFound", "User does not have the license.")
		return
	}
	sim.JSON(w, 200, s.assigned(u, product))
}

// take gives a seat, if one is left.
func (s *Sim) take(w http.ResponseWriter, u *user, product, sku string) {
	used := 0
	for _, held := range s.seats[product] {
		if held == sku {
			used++
		}
	}
	if s.opt.Seats > 0 && used >= s.opt.Seats {
		fail(w, 412, "conditionNotMet", "There aren't enough available licenses for the specified product-SKU pair")
		return
	}
	s.seats[product][u.id] = sku
	sim.JSON(w, 200, s.assigned(u, product))
}

func (s *Sim) insertLicense(w http.ResponseWriter, r *http.Request) {
	product, sku, ok := s.sku(w, r)
	if !ok {
		return
	}
	var in struct {
		UserID string `json:"userId"`
	}
	if sim.Read(r, &in) != nil || in.UserID == "" {
		fail(w, 400, "required", "Missing required field: userId")
		return
	}
	u := s.seen(in.UserID)
	switch {
	case u == nil:
		fail(w, 404, "notFound", "User not found.")
	case s.seats[product][u.id] == sku:
		fail(w, 412, "conditionNotMet", "User already has a license for the specified product and SKU")
	case s.seats[product][u.id] != "":
		fail(w, 412, "conditionNotMet", `User already has a license of the product, but with a different SKU. To reassign a new SKU for this product, use the "update" operation.`)
	default:
		s.take(w, u, product, sku)
	}
}

func (s *Sim) updateLicense(w http.ResponseWriter, r *http.Request) {
	product, sku, ok := s.sku(w, r)
	if !ok {
		return
	}
	var in struct {
		UserID  string `json:"userId"`
		Product string `json:"productId"`
		SKU     string `json:"skuId"`
	}
	u := s.user(r.PathValue("key"))
	switch {
	case sim.Read(r, &in) != nil || in.UserID == "" || in.Product == "" || in.SKU == "":
		fail(w, 400, "required", "Missing required field")
	case u == nil || s.seats[product][u.id] != sku:
		fail(w, 404, "notFound", "User does not have the license.")
	case in.Product != product:
		fail(w, 412, "conditionNotMet", "Reassign operation can't be performed on different products: "+product+", "+in.Product)
	case in.SKU == sku:
		fail(w, 412, "conditionNotMet", "For reassign operations, the new SKU should be different from the old SKU: "+sku)
	case s.products[product][in.SKU] == "":
		fail(w, 400, "invalid", "SKU or product does not exist.")
	default:
		s.take(w, u, product, in.SKU)
	}
}

func (s *Sim) deleteLicense(w http.ResponseWriter, r *http.Request) {
	product, sku, ok := s.sku(w, r)
	if !ok {
		return
	}
	u := s.user(r.PathValue("key"))
	if u == nil || s.seats[product][u.id] != sku {
		fail(w, 404, "notFound", "User does not have the license.")
		return
	}
	delete(s.seats[product], u.id)
	sim.JSON(w, 200, map[string]any{})
}

func (s *Sim) listLicenses(w http.ResponseWriter, r *http.Request) {
	product := r.PathValue("product")
	if r.URL.Query().Get("customerId") != customer || s.products[product] == nil {
		fail(w, 400, "invalid", "Invalid Input")
		return
	}
	var out []any
	for _, u := range s.users {
		if s.seats[product][u.id] != "" {
			out = append(out, s.assigned(u, product))
		}
	}
	s.page(w, r, "items", 1000, out)
}
