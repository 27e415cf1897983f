package web_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// lines is a log.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Whoever guesses tokens at the API, or sends what nobody signed, is slowed down, fills no log, and keeps nobody out.
func TestGuessesAtTheAPIAreCounted(t *testing.T) {
	t.Parallel()
	now := newStill()
	log := &lines{}
	b := newBench(t, func(o *web.Options, d *flow.Deps) {
		withRoles(o, d)
		d.Clock = now
		o.Log = slog.New(slog.NewTextHandler(log, nil))
	})
	const guesser = "203.0.113.7:1"
	guess := func(i int) int {
		return b.from(guesser, "GET", "/api/v1/people", "Authorization", fmt.Sprint("Bearer a-guess-", i)).StatusCode
	}
	for i := range 20 {
		if status := guess(i); status != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d", i, status)
		}
	}
	for i := range 30 {
		if status := guess(100 + i); status != http.StatusTooManyRequests {
			t.Fatalf("guess %d: %d", 100+i, status)
		}
	}
	if res := b.from(guesser, "GET", "/api/v1/people", "Authorization", "Bearer "+tokenOf(dayone.HR)); res.StatusCode != http.StatusOK {
		t.Errorf("a right token from there: %s", res.Status)
	}
	for range 50 {
		b.from(guesser, "POST", "/hooks/hr")
	}
	if n := strings.Count(log.String(), "request failed"); n == 0 || n > 15 {
		t.Errorf("the log has %d lines of 100 refusals", n)
	}
	now.moves(61 * time.Second)
	for i := range 10 {
		guess(200 + i)
	}
	if n := strings.Count(log.String(), "does not name one by one"); n != 1 {
		t.Errorf("%d lines count the others:\n%s", n, log)
	}
}

// A body that is too large is not called one that is no JSON.
func TestALargeBodyIsSaidToBe(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles)
	body := `{"name":"` + strings.Repeat("a", 3<<20) + `"}`
	req, err := http.NewRequestWithContext(t.Context(), "POST", b.url+"/api/v1/tokens", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tokenOf(dayone.Administrator))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	said := text(t, res)
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("it is answered %s", res.Status)
	}
	want(t, "a large body", said, "bytes that this address takes")
}
