package httpc

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// Bearer puts a fixed token on each request, with its scheme: "Bearer", "SSWS".
func Bearer(scheme string, token dayone.Secret) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", scheme+" "+token.Reveal())
		return nil
	}
}

// Tokens keeps an access token until it expires.
type Tokens struct {
	// Fetch asks for a token and says how long it lives; zero: until it is refused.
	Fetch func(ctx context.Context) (token dayone.Secret, life time.Duration, err error)
	Now   func() time.Time

	mu    sync.Mutex
	token dayone.Secret
	until time.Time
}

// put puts the token on a request.
func (t *Tokens) put(ctx context.Context, r *http.Request) (dayone.Secret, error) {
	tok, err := t.get(ctx)
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+tok.Reveal())
	}
	return tok, err
}

func (t *Tokens) get(ctx context.Context) (dayone.Secret, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.token.IsZero() && (t.until.IsZero() || t.Now().Before(t.until)) {
		return t.token, nil
	}
	tok, life, err := t.Fetch(ctx)
	if err != nil {
		return dayone.Secret{}, err
	}
	t.token, t.until = tok, time.Time{}
	if life > 0 {
		t.until = t.Now().Add(life - life/10) // a little early: clocks differ
	}
	return tok, nil
}

// refused drops a token, unless another call has fetched a new one meanwhile.
func (t *Tokens) refused(token dayone.Secret) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = dayone.Secret{}
	}
}
