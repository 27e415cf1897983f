package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
)

// schemas validates requests against the schemas of RFC 7643, section 8.7, as files that we did not write.
func schemas(t *testing.T) connectortest.Validator {
	t.Helper()
	v := validator{}
	for _, name := range []string{"schemas-users.json", "schemas-groups.json", "schemas-enterprise-user.json", "request-patch-request.json"} {
		file := connectortest.SpecificationFile("scim/" + name)
		if file == "" {
			t.Logf("requests are not validated: scim/%s is not here; set DAYONE_SPECS to the folder that has it", name)
			return validator{}
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s struct {
			ID         string      `json:"id"`
			Attributes []attribute `json:"attributes"`
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		v[s.ID] = s.Attributes
	}
	return v
}

type attribute struct {
	Name       string      `json:"name"`
	Type       string      `json:"type"`
	Many       bool        `json:"multiValued"`
	Required   bool        `json:"required"`
	Mutability string      `json:"mutability"`
	Canonical  []string    `json:"canonicalValues"`
	Sub        []attribute `json:"subAttributes"`
}

// validator is attributes by schema: it judges bodies, and what is written without one it cannot.
type validator map[string][]attribute

func (v validator) Validate(r *http.Request, body []byte) error {
	switch {
	case len(v) == 0, len(body) == 0 && r.Method != http.MethodGet:
		return sim.ErrUnspecified
	case len(body) == 0:
		return nil
	}
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		return err
	}
	known := []attribute{{Name: "schemas", Type: "reference", Many: true, Required: true}, {Name: "externalId", Type: "string"}}
	declared, _ := in["schemas"].([]any)
	for _, d := range declared {
		urn := fmt.Sprint(d)
		as, ok := v[urn]
		switch {
		case !ok:
			return fmt.Errorf("there is no schema %s", urn)
		case strings.Contains(urn, ":extension:"):
			known = append(known, attribute{Name: urn, Type: "complex", Sub: as})
		default:
			known = append(known, as...)
		}
	}
	return object(in, known)
}

func object(in map[string]any, known []attribute) error {
	for name, x := range in {
		i := slices.IndexFunc(known, func(a attribute) bool { return a.Name == name })
		if i < 0 {
			return fmt.Errorf("attribute %s is in no schema that is declared", name)
		}
		a := known[i]
		if a.Mutability == "readOnly" {
			return fmt.Errorf("attribute %s is read-only", name)
		}
		vs := []any{x}
		if a.Many && a.Type != "any" {
			var ok bool
			if vs, ok = x.([]any); !ok {
				return fmt.Errorf("attribute %s is multi-valued", name)
			}
		}
		for _, one := range vs {
			if err := a.fits(one); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for _, a := range known {
		if _, ok := in[a.Name]; a.Required && a.Mutability != "readOnly" && !ok {
			return fmt.Errorf("attribute %s is required", a.Name)
		}
	}
	return nil
}

func (a attribute) fits(v any) error {
	ok := true
	switch a.Type {
	case "string", "reference", "binary", "dateTime":
		var s string
		if s, ok = v.(string); ok && len(a.Canonical) > 0 && a.Name == "op" {
			ok = slices.Contains(a.Canonical, s)
		}
	case "boolean":
		_, ok = v.(bool)
	case "complex":
		m, is := v.(map[string]any)
		if !is {
			return fmt.Errorf("%v is no object", v)
		}
		return object(m, a.Sub)
	}
	if !ok {
		return fmt.Errorf("%v is no %s", v, a.Type)
	}
	return nil
}
