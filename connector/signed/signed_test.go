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

// The headers are those of Standard Webhooks; the right answer is written out from its specification.
func TestStandardWebhooksAreSigned(t *testing.T) {
	t.Parallel()
	var got http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer srv.Close()
	s := &signed.Sender{
		URL: srv.URL, Secret: dayone.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Standard: true, Place: "webhooks.tickets",
		Now: func() time.Time { return time.Unix(1614265330, 0) },
	}
	if err := s.Post(t.Context(), "msg_p5jXN8AQM9LWM0D4loKWxJek", "run.ready", []byte(`{"test": 2432232314}`)); err != nil {
		t.Fatal(err)
	}
	if got.Get("Webhook-Id") != "msg_p5jXN8AQM9LWM0D4loKWxJek" || got.Get("Webhook-Timestamp") != "1614265330" || got.Get("Webhook-Signature") != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("headers %v", got)
	}
	if got.Get("Dayone-Signature") != "" {
		t.Error("it is signed twice")
	}
}

// Whatever a name says, what is within our own network is not called.
func TestOutsideIsOutside(t *testing.T) {
	t.Parallel()
	called := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer srv.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "10.1.2.3", "100.64.1.1", "[fd00::1]", "[::1]"} {
		s := &signed.Sender{URL: "http://" + host + ":" + port, Secret: dayone.NewSecret("hush-hush-hush"), Now: time.Now, HTTP: signed.Outside(), Place: "webhooks.tickets"}
		err := s.Post(t.Context(), "msg_1", "run.ready", nil)
		if !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "internal: true") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if called {
		t.Error("it was called")
	}
}
