package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

// Only where nobody listens there is no server. One that breaks off, or takes too long, may have done what it was asked.
func TestAServerThatBreaksOffIsThere(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/late") {
			<-gone
		}
		panic(http.ErrAbortHandler)
	}))
	defer srv.Close()
	defer close(gone)
	for _, x := range []struct{ method, path, says string }{
		{http.MethodPost, "/broken", "broke off before it answered; what was asked may have been done all the same: dayone record"},
		{http.MethodGet, "/broken", "broke off before it answered: "},
		{http.MethodPost, "/late", "did not answer in time; what was asked may have been done all the same: dayone record"},
	} {
		cl := &client{base: srv.URL, http: &http.Client{Timeout: 200 * time.Millisecond}}
		err := cl.call(t.Context(), x.method, x.path, nil, nil, nil)
		if !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), x.says) || strings.Contains(err.Error(), "no server") {
			t.Errorf("%s %s: %v", x.method, x.path, err)
		}
	}
	cl := &client{base: "http://127.0.0.1:1", http: &http.Client{}}
	if err := cl.call(t.Context(), http.MethodPost, "/broken", nil, nil, nil); err == nil || !strings.Contains(err.Error(), "no server answers") {
		t.Errorf("nobody listens: %v", err)
	}
}
