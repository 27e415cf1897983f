package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// A list that goes on is read to its end, or says that there are more and where.
func TestListsSayThatTheyGoOn(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch name := strings.TrimPrefix(r.URL.Path, "/api/v1/"); {
		case q.Get("after") != "" || q.Get("before") != "":
			fmt.Fprintf(w, `{"items": [{"id": "second of %s"}]}`, name)
		case q.Get("state") == "open":
			fmt.Fprintf(w, `{"items": [{"id": "first of %s"}], "next": "/api/v1/%s?after=1.x&state=open"}`, name, name)
		default:
			fmt.Fprintf(w, `{"items": [{"id": "first of %s"}], "next": "/api/v1/%s?before=x"}`, name, name)
		}
	}))
	defer srv.Close()
	for _, c := range []struct {
		args, out string
		more      string
	}{
		{"approvals list", "second of approvals", ""},
		{"approvals list --json", "second of approvals", ""},
		{"approvals list --all", "first of approvals", "dayone api GET '/api/v1/approvals?before=x'"},
		{"people matches --all", "first of matches", "dayone api GET '/api/v1/matches?before=x'"},
		{"brake list --all", "first of brakes", "dayone api GET '/api/v1/brakes?before=x'"},
		{"run list", "first of runs", "dayone api GET '/api/v1/runs?before=x'"},
		{"run list --json", "first of runs", "dayone api GET '/api/v1/runs?before=x'"},
	} {
		var out, errs bytes.Buffer
		if code := Main(append(strings.Fields(c.args), "--portal", srv.URL, "--config", filepath.Join(t.TempDir(), "none.yaml")), &out, &errs); code != 0 {
			t.Errorf("%s ends with %d: %s", c.args, code, errs.String())
		}
		if !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.more) || c.more == "" && errs.Len() > 0 {
			t.Errorf("%s says %s%s", c.args, out.String(), errs.String())
		}
	}
	var out, errs bytes.Buffer
	Main([]string{"api", "GET", "/api/v1/runs?before=x", "--portal", srv.URL, "--config", filepath.Join(t.TempDir(), "none.yaml")}, &out, &errs)
	if !strings.Contains(out.String(), "second of runs") {
		t.Errorf("where it goes on is %s%s", out.String(), errs.String())
	}
}

// The list of people is sorted as the server is asked to, and says the days by which it can be.
func TestPeopleAreListedSorted(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"items": [{"id": "per_1", "name": "sorted by %s", "status": "active", "first_day": "2024-01-01", "last_day": "2025-03-31"}]}`, r.URL.Query().Get("sort"))
	}))
	defer srv.Close()
	var out, errs bytes.Buffer
	if code := Main([]string{"people", "list", "--sort", "-ends", "--portal", srv.URL, "--config", filepath.Join(t.TempDir(), "none.yaml")}, &out, &errs); code != 0 {
		t.Fatalf("it ends with %d: %s", code, errs.String())
	}
	if got := out.String(); !strings.Contains(got, "sorted by -ends") || !strings.Contains(got, "since 2024-01-01 until 2025-03-31") {
		t.Errorf("it says %s", got)
	}
}
