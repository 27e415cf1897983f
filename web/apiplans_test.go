package web_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dayone-hq/dayone/flow"
)

func TestTheAPIPlansForEverybody(t *testing.T) {
	t.Parallel()
	b := newBench(t, versioned)
	if err := b.flow.OpenPolicies(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	files, err := b.flow.PolicyFiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pack := func(old, new string) []byte {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for name, text := range files {
			w, err := z.Create(name)
			if err == nil {
				_, err = w.Write([]byte(strings.ReplaceAll(text, old, new)))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	ask := func(in flow.Sent, status int) string {
		t.Helper()
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPost, b.url+"/api/v1/plans", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res := b.do(req)
		answer := text(t, res)
		if res.StatusCode != status {
			t.Fatalf("%s, want %d\n%s", res.Status, status, answer)
		}
		return answer
	}
	other := pack("okta/group:sales-team", "okta/group:base-employee")
	raw := ask(flow.Sent{Files: other}, http.StatusOK)
	said, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(raw), "\n")[:2] {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		name := []string{"PlanHead", "PlanChange"}[i]
		if err := said.Components.Schemas[name].Value.VisitJSON(v); err != nil {
			t.Errorf("a %s that its document does not allow: %v", name, err)
		}
	}
	plan, err := flow.ReadPlan(strings.NewReader(raw))
	if err != nil || len(plan.Changes) != 1 || plan.Changes[0].Name != "Ada Lovelace" || plan.Active != b.flow.Active().Hash {
		t.Errorf("%+v, %v", plan, err)
	}
	plan, err = flow.ReadPlan(strings.NewReader(ask(flow.Sent{Files: other, Against: other}, http.StatusOK)))
	if err != nil || len(plan.Changes) != 0 || plan.Active != plan.Proposed {
		t.Errorf("against itself: %+v, %v", plan, err)
	}
	plan, err = flow.ReadPlan(strings.NewReader(ask(flow.Sent{Files: other, Only: map[string]string{"department": "IT"}}, http.StatusOK)))
	if err != nil || len(plan.Changes) != 0 || plan.People != 1 {
		t.Errorf("for others: %+v, %v", plan, err)
	}
	plan, err = flow.ReadPlan(strings.NewReader(ask(flow.Sent{Version: b.flow.Active().Hash}, http.StatusOK)))
	if err != nil || len(plan.Changes) != 0 {
		t.Errorf("what is in force: %+v, %v", plan, err)
	}
	for _, c := range []struct {
		in     flow.Sent
		status int
		says   string
	}{
		{flow.Sent{}, http.StatusBadRequest, "one of them"},
		{flow.Sent{Files: other, Version: "aa"}, http.StatusBadRequest, "one of them"},
		{flow.Sent{Files: []byte("no zip")}, http.StatusBadRequest, "no zip of a policy folder"},
		{flow.Sent{Files: other, Against: other[:len(other)/2]}, http.StatusBadRequest, "no zip of a policy folder"},
		{flow.Sent{Files: pack("when:", "whenn:")}, http.StatusBadRequest, "errors"},
		{flow.Sent{Files: other, Only: map[string]string{"shoe_size": "9"}}, http.StatusBadRequest, "shoe_size"},
		{flow.Sent{Version: "0000"}, http.StatusNotFound, ""},
		{flow.Sent{Files: make([]byte, 17<<20)}, http.StatusRequestEntityTooLarge, ""},
	} {
		want(t, "a refusal", ask(c.in, c.status), c.says)
	}
}
