package web_test

import (
	"crypto/rand"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/web"
)

// Whoever watches us sends nobody here while the database is away, and is told nothing of why; the log is. It is no reason to start
// the program again.
func TestWithoutItsDatabaseNobodyIsReady(t *testing.T) {
	t.Parallel()
	var deps flow.Deps
	b := newBench(t, withToken, func(_ *web.Options, d *flow.Deps) { deps = *d })
	file := filepath.Join(t.TempDir(), "dayone.db")
	db, err := store.Open(t.Context(), "sqlite:"+file, flow.Sealer{Keeper: b.keeper, Random: rand.Reader}, time.Now, dayone.NewIDs(time.Now, rand.Reader))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	deps.Store = db
	at := web.New(flow.New(deps), web.Options{Base: b.url, Token: dayone.NewSecret(token), Log: deps.Log})
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		at.ServeHTTP(w, httptest.NewRequest("GET", b.url+path, nil))
		return w.Code, w.Body.String()
	}
	if status, body := ask("/readyz"); status != 200 || body != "{\"status\":\"ready\"}\n" {
		t.Fatalf("%d %s", status, body)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if status, body := ask("/readyz"); status != 503 || body != "{\"status\":\"not ready\"}\n" {
		t.Errorf("%d %s", status, body)
	}
	if status, body := ask("/healthz"); status != 200 || !strings.Contains(body, "ok") {
		t.Errorf("it is said to be dead: %d %s", status, body)
	}
	if log := b.log.String(); !strings.Contains(log, "not ready") || !strings.Contains(log, file) {
		t.Error("the log does not say why")
	}
}
