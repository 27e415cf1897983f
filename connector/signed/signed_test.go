package signed_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/signed"
)

func TestWhatIsPostedIsSigned(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)
	status, header := http.StatusOK, http.Header{}
	var got *http.Request
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		for k, v := range header {
			w.Header()[k] = v
		}
		w.WriteHeader(status)
	}))
	defer srv.Close()
	s := &signed.Sender{URL: srv.URL + "/key-in-path", Secret: dayone.NewSecret("hush-hush-hush"), Now: func() time.Time { return at }}
	if err := s.Post(t.Context(), "ltr_1", "alert.opened", []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte("hush-hush-hush"))
	mac.Write([]byte(got.Header.Get("Dayone-Timestamp") + "." + string(body)))
	if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); got.Header.Get("Dayone-Signature") != want {
		t.Errorf("signature %q, want %q", got.Header.Get("Dayone-Signature"), want)
	}
	if got.Header.Get("Dayone-Id") != "ltr_1" || got.Header.Get("Dayone-Kind") != "alert.opened" || got.Header.Get("Dayone-Timestamp") != "1732287660" {
		t.Errorf("headers %v", got.Header)
	}
	for _, c := range []struct {
		status int
		kind   error
	}{
		{http.StatusFound, dayone.ErrInvalid},
		{http.StatusUnauthorized, dayone.ErrAuth},
		{http.StatusGone, dayone.ErrInvalid},
		{http.StatusTooManyRequests, dayone.ErrThrottled},
		{http.StatusBadGateway, dayone.ErrUnavailable},
	} {
		status, header = c.status, http.Header{"Location": {"/elsewhere"}, "Retry-After": {"120"}}
		err := s.Post(t.Context(), "ltr_1", "alert.opened", nil)
		if !errors.Is(err, c.kind) {
			t.Errorf("%d: %v", c.status, err)
		}
		if strings.Contains(err.Error(), "key-in-path") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%d tells a secret: %v", c.status, err)
		}
		var f *dayone.Fault
		if c.status == http.StatusTooManyRequests && (!errors.As(err, &f) || !f.RetryAt.Equal(at.Add(2*time.Minute))) {
			t.Errorf("it comes back at %v", f.RetryAt)
		}
	}
	srv.Close()
	if err := s.Post(t.Context(), "ltr_1", "alert.opened", nil); !errors.Is(err, dayone.ErrUnavailable) || strings.Contains(err.Error(), "key-in-path") {
		t.Errorf("nobody there: %v", err)
	}
}
