package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/dayone-hq/dayone"
)

// SignOn lets in whom the company's identity provider knows: OpenID Connect, code flow with PKCE. What somebody may do
// follows from her groups there. https://openid.net/specs/openid-connect-core-1_0.html
type SignOn struct {
	Title    string // on the button: "Company login"; "": the provider's host
	Issuer   string
	ClientID string
	Secret   dayone.Secret // zero: a public client
	Scopes   []string      // beside openid
	Name     string        // the claim that goes into records: email
	Groups   string        // the claim that holds groups: groups
	Roles    map[string]dayone.Role
	Reaches  map[string]dayone.Reach // how far the role of a group reaches; none: everywhere
	Everyone bool                    // who has no role is let in, too: to herself, her people, and what she is asked
	Trusted  bool                    // an address counts of which the provider says nothing: nobody there chooses their own
	Client   *http.Client            // calls the provider; nil: ten seconds a call
}

// signOn is a SignOn at work.
type signOn struct {
	SignOn
	to    string // where the provider sends people back
	now   func() time.Time
	knows []dayone.Role

	mu       sync.Mutex
	provider *oidc.Provider // nil: it was not reached yet
	asking   *asking        // nil: nobody asks for it now
	open     map[[sha256.Size]byte]attempt
}

// asking is one question to the provider, for all who wait for its answer.
type asking struct {
	done  chan struct{}
	found *oidc.Provider
	err   error
}

// attempt is a sign-in that has begun here and goes on at the provider.
type attempt struct {
	browser         [sha256.Size]byte // of the cookie of whoever began it
	nonce, verifier string
	next            string
	until           time.Time
}

// A sign-in has to be over in this time, and so many may be under way at once: one more, and the oldest has to begin again.
const (
	attemptFor  = 10 * time.Minute
	maxAttempts = 10_000
)

func newSignOn(o Options, base *url.URL, now func() time.Time, knows []dayone.Role) *signOn {
	if o.SignOn == nil {
		return nil
	}
	s := &signOn{SignOn: *o.SignOn, to: strings.TrimSuffix(base.String(), "/") + "/login/done", now: now, knows: knows, open: map[[sha256.Size]byte]attempt{}}
	s.Name, s.Groups = cmp.Or(s.Name, "email"), cmp.Or(s.Groups, "groups")
	if s.Client == nil {
		s.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if s.Title == "" {
		if u, err := url.Parse(s.Issuer); err == nil {
			s.Title = u.Host
		}
	}
	return s
}

// reach finds the provider's addresses and keys, once. What is found outlives the request that asked. One question is under
// way at a time; whoever waits for its answer waits as long as their own request, and keeps nobody else waiting.
func (s *signOn) reach(ctx context.Context) (*oidc.Provider, error) {
	s.mu.Lock()
	if found := s.provider; found != nil {
		s.mu.Unlock()
		return found, nil
	}
	a := s.asking
	if a == nil {
		a = &asking{done: make(chan struct{})}
		s.asking = a
		go s.ask(context.WithoutCancel(ctx), a)
	}
	s.mu.Unlock()
	select {
	case <-a.done:
		return a.found, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("asking the identity provider where it is: %w: %w", ctx.Err(), dayone.ErrUnavailable)
	}
}

func (s *signOn) ask(ctx context.Context, a *asking) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, s.Client), s.Issuer)
	if err != nil {
		a.err = fmt.Errorf("asking the identity provider where it is: %w: %w", err, dayone.ErrUnavailable)
	} else {
		a.found = found
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.provider, s.asking = a.found, nil
	close(a.done)
}

func (s *signOn) config(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: s.ClientID, ClientSecret: s.Secret.Reveal(), Endpoint: p.Endpoint(), RedirectURL: s.to, Scopes: append([]string{oidc.ScopeOpenID}, s.Scopes...),
	}
}

// begin notes a sign-in, and says where it goes on and what the browser keeps meanwhile.
func (s *signOn) begin(p *oidc.Provider, next string) (to, cookie string) {
	state, cookie := rand.Text(), rand.Text()
	a := attempt{sha256.Sum256([]byte(cookie)), rand.Text(), oauth2.GenerateVerifier(), next, s.now().Add(attemptFor)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxAttempts { // anybody can begin them, and must not keep others out by it
		dropOld(s.open, func(a attempt) time.Time { return a.until }, s.now())
	}
	s.open[sha256.Sum256([]byte(state))] = a
	return s.config(p).AuthCodeURL(state, oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier)), cookie
}

// take finds a sign-in by what the provider sends back. It is good once, and only in the browser that began it.
func (s *signOn) take(state, cookie string) (attempt, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, browser := sha256.Sum256([]byte(state)), sha256.Sum256([]byte(cookie))
	a, ok := s.open[key]
	if !ok || subtle.ConstantTimeCompare(a.browser[:], browser[:]) != 1 {
		return attempt{}, false
	}
	delete(s.open, key)
	return a, s.now().Before(a.until)
}

// errNoRole: the provider knows her, and we have nothing for her to do.
var errNoRole = errors.New("no role")

// who turns the provider's code into somebody with a role. Only what the provider signed for us, in answer to this sign-in,
// counts.
func (s *signOn) who(ctx context.Context, p *oidc.Provider, a attempt, code string) (who, error) {
	ctx = oidc.ClientContext(ctx, s.Client)
	token, err := s.config(p).Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < 500 {
			return who{}, fmt.Errorf("the identity provider refuses the code (%s): %w", refused.ErrorCode, dayone.ErrAuth) // its text may hold the code
		}
		return who{}, fmt.Errorf("changing the code for a token: %w", dayone.ErrUnavailable)
	}
	raw, _ := token.Extra("id_token").(string)
	signed, err := p.Verifier(&oidc.Config{ClientID: s.ClientID, Now: s.now}).Verify(ctx, raw)
	if err != nil {
		return who{}, fmt.Errorf("the identity provider's token: %w: %w", err, dayone.ErrAuth)
	}
	if subtle.ConstantTimeCompare([]byte(signed.Nonce), []byte(a.nonce)) != 1 {
		return who{}, fmt.Errorf("the identity provider's token belongs to another sign-in: %w", dayone.ErrAuth)
	}
	claims := map[string]any{}
	if err := signed.Claims(&claims); err != nil {
		return who{}, fmt.Errorf("reading the claims: %w: %w", err, dayone.ErrAuth)
	}
	if azp, said := claims["azp"]; said && azp != s.ClientID || signed.Subject == "" { // OpenID Connect Core 1.0, 3.1.3.7
		return who{}, fmt.Errorf("the identity provider's token is for another application, or of nobody: %w", dayone.ErrAuth)
	}
	if claims[s.Groups] == nil || claims[s.Name] == nil {
		if err := s.more(ctx, p, token, signed.Subject, claims); err != nil {
			return who{}, err
		}
	}
	name, _ := claims[s.Name].(string)
	if name = strings.TrimSpace(name); !strings.Contains(name, "@") || len(name) > 200 {
		return who{}, fmt.Errorf("the claim %s holds no mail address: %w", s.Name, dayone.ErrAuth)
	}
	if s.Name == "email" {
		if err := s.verified(claims["email_verified"]); err != nil {
			return who{}, err
		}
	}
	role, scope, ok := s.role(groupsIn(claims[s.Groups]))
	if !ok && s.Everyone {
		return who{Name: name, Role: dayone.Employee}, nil
	}
	if !ok {
		return who{Name: name}, errNoRole
	}
	return who{name, role, role.In(s.knows), scope, false}, nil
}

// verified judges what a provider says of an address, some as text. Of one that says nothing it is not known whether people
// write their addresses themselves, and by an address somebody is taken for a person here: whoever configures us has to know.
func (s *signOn) verified(claim any) error {
	switch {
	case claim == true || claim == "true" || claim == nil && s.Trusted:
		return nil
	case claim == nil:
		return fmt.Errorf("the identity provider does not say whether it has verified the mail address (email_verified): if nobody can choose their own address there, write trust_addresses: true at portal.sign_on: %w", dayone.ErrAuth)
	}
	return fmt.Errorf("the identity provider has not verified the mail address: %w", dayone.ErrAuth)
}

// more asks the provider for claims that it left out of the token. It must speak of the same person.
func (s *signOn) more(ctx context.Context, p *oidc.Provider, token *oauth2.Token, subject string, claims map[string]any) error {
	if p.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("asking the identity provider for more: %w", dayone.ErrUnavailable)
	}
	if info.Subject != subject {
		return fmt.Errorf("the identity provider speaks of somebody else: %w", dayone.ErrAuth)
	}
	also := map[string]any{}
	if err := info.Claims(&also); err != nil {
		return fmt.Errorf("reading more claims: %w: %w", err, dayone.ErrAuth)
	}
	for name, v := range also {
		if _, there := claims[name]; !there { // what was signed counts
			claims[name] = v
		}
	}
	return nil
}

// groupsIn reads a claim that is one text or a list of them.
func groupsIn(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// role is the first of dayone.Roles that one of these groups has, as far as those groups together that have it reach.
func (s *signOn) role(groups []string) (dayone.Role, dayone.Scope, bool) {
	for _, r := range dayone.Roles {
		var scope dayone.Scope
		has, whole := false, false
		for _, g := range groups {
			if s.Roles[g] != r {
				continue
			}
			has = true
			if reach := s.Reaches[g]; reach.Whole() {
				whole = true
			} else {
				scope = append(scope, reach)
			}
		}
		switch {
		case has && whole:
			return r, nil, true
		case has:
			return r, scope, true
		}
	}
	return "", nil, false
}

// attemptCookie is what the browser keeps while it is at the provider.
func (a access) attemptCookie() string {
	if a.secure {
		return "__Host-dayone-signin"
	}
	return "dayone-signin"
}

func (a access) keep(w http.ResponseWriter, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: a.attemptCookie(), Value: value, Path: "/", MaxAge: int(age / time.Second), HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteLaxMode})
}

// startSignOn sends a browser to the identity provider.
func (p *portal) startSignOn(w http.ResponseWriter, r *http.Request) error {
	if p.signOn == nil {
		return dayone.ErrNotFound
	}
	provider, err := p.signOn.reach(r.Context())
	if err != nil {
		p.log.Error("the identity provider is not reached", "issuer", p.signOn.Issuer, "error", err)
		return p.loginAgain(w, r, http.StatusServiceUnavailable, textNoProvider)
	}
	to, cookie := p.signOn.begin(provider, back(r.URL.Query().Get("next")))
	p.access.keep(w, cookie, attemptFor)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// endSignOn is where the identity provider sends a browser back.
func (p *portal) endSignOn(w http.ResponseWriter, r *http.Request) error {
	if p.signOn == nil {
		return dayone.ErrNotFound
	}
	q := r.URL.Query()
	cookie := ""
	if c, err := r.Cookie(p.access.attemptCookie()); err == nil {
		cookie = c.Value
	}
	a, ok := p.signOn.take(q.Get("state"), cookie)
	if !ok {
		return p.loginAgain(w, r, http.StatusUnauthorized, textStaleSignIn)
	}
	p.access.keep(w, "", -1)
	if said := q.Get("error"); said != "" {
		p.log.Warn("the identity provider lets nobody in", "said", cut(said, 60), "from", p.from(r))
		return p.loginAgain(w, r, http.StatusUnauthorized, textRefusedSignIn)
	}
	provider, err := p.signOn.reach(r.Context())
	if err != nil {
		return p.loginAgain(w, r, http.StatusServiceUnavailable, textNoProvider)
	}
	is, err := p.signOn.who(r.Context(), provider, a, q.Get("code"))
	switch {
	case errors.Is(err, errNoRole):
		p.log.Warn("somebody without a role wanted in", "login", is.Name, "from", p.from(r))
		return p.loginAgain(w, r, http.StatusForbidden, p.viewerOf(r).say(textSignInNoRole, is.Name))
	case errors.Is(err, dayone.ErrUnavailable):
		p.log.Error("a sign-in failed", "error", err)
		return p.loginAgain(w, r, http.StatusServiceUnavailable, textNoProvider)
	case err != nil:
		p.log.Warn("a sign-in failed", "from", p.from(r), "error", err)
		return p.loginAgain(w, r, http.StatusUnauthorized, textRefusedSignIn)
	}
	switch gone, err := p.flow.Gone(r.Context(), is.Name); {
	case err != nil:
		return err
	case gone:
		p.log.Warn("somebody who has left wanted in", "login", is.Name, "from", p.from(r))
		return p.loginAgain(w, r, http.StatusForbidden, p.viewerOf(r).say(textSignInLeft, is.Name))
	}
	p.log.Info("signed in", "login", is.Name, "role", is.Role, "from", p.from(r), "by", "identity provider")
	p.access.begin(w, r, is, p.from(r).String())
	http.Redirect(w, r, a.next, http.StatusSeeOther)
	return nil
}

// cut shortens what somebody else wrote.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
