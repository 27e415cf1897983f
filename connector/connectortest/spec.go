package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Validator checks one request against a vendor's specification. sim.ErrUnspecified: it says nothing of such a request.
type Validator interface {
	Validate(r *http.Request, body []byte) error
}

// SpecificationFile finds a vendor's specification: in $DAYONE_SPECS, or in a folder shared/vendors/specs beside the
// project. They are the vendors' own and not part of the project: "" says that they are not here.
func SpecificationFile(name string) string {
	if dir := os.Getenv("DAYONE_SPECS"); dir != "" {
		return filepath.Join(dir, name)
	}
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		f := filepath.Join(dir, "shared", "vendors", "specs", name)
		if _, err := os.Stat(f); err == nil {
			return f
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

var loaded sync.Map // file name: loads are slow, and many tests share them

// OpenAPI validates each request against an OpenAPI 3 or Swagger 2 file. without drops the prefix under which the
// specification's own paths stand at the vendor.
func OpenAPI(file, without string) func(t *testing.T) Validator {
	return func(t *testing.T) Validator {
		t.Helper()
		path := SpecificationFile(file)
		if path == "" {
			t.Logf("requests are not validated: %s is not here; set DAYONE_SPECS to the folder that has it", file)
			return nothing{}
		}
		once, _ := loaded.LoadOrStore(path, sync.OnceValues(func() (routers.Router, error) { return load(path) }))
		router, err := once.(func() (routers.Router, error))()
		if err != nil {
			t.Fatalf("loading %s: %v", file, err)
		}
		return &openAPI{router, without}
	}
}

type nothing struct{}

func (nothing) Validate(*http.Request, []byte) error { return sim.ErrUnspecified }

func load(path string) (routers.Router, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err == nil && doc.OpenAPI == "" {
		var two openapi2.T
		if err = json.Unmarshal(raw, &two); err == nil {
			doc, err = openapi2conv.ToV3(&two)
		}
	}
	if err != nil {
		return nil, err
	}
	doc.Servers = nil
	for _, item := range doc.Paths.Map() {
		item.Servers = nil
		for _, op := range item.Operations() {
			op.Servers, op.OperationID = nil, "" // some vendors give two operations one id
		}
	}
	return legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaPatternValidation(), openapi3.DisableSchemaDefaultsValidation(),
		openapi3.AllowExtraSiblingFields("description", "nullable", "example", "type", "default", "format", "title", "readOnly"))
}

type openAPI struct {
	router  routers.Router
	without string
}

func (o *openAPI) Validate(r *http.Request, body []byte) error {
	q := r.Clone(context.Background())
	if o.without != "" {
		rest := q.URL.Path[min(len(q.URL.Path), len(o.without)):]
		u := *q.URL
		u.Path, u.RawPath = rest, ""
		q.URL = &u
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := o.router.FindRoute(q)
	if err != nil {
		return fmt.Errorf("no such call: %w", err)
	}
	in := &openapi3filter.RequestValidationInput{Request: q, PathParams: params, Route: route, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
	}}
	return openapi3filter.ValidateRequest(context.Background(), in)
}
