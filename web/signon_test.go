package web_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/internal/lab"
	"github.com/dayone-hq/dayone/web"
)

const clientSecret = "the-secret-of-the-portal-at-its-provider"

func signOnAt(issuer string) *web.SignOn {
	return &web.SignOn{
		Title: "the company", Issuer: issuer, ClientID: "dayone", Secret: dayone.NewSecret(clientSecret), Scopes: []string{"email", "groups"},
		Roles: map[string]dayone.Role{"it-admins": dayone.Administrator, "helpdesk": dayone.Operator},
	}
}

// realProvider starts testdata/oidc, which sends people back to a portal.
func realProvider(t *testing.T, portal string) string {
	t.Helper()
	port := lab.Port(t)
	lab.Node(t, "oidc", "oidc-provider", filepath.Join("testdata", "oidc", "server.mjs"), "ready", "PORT="+port, "SECRET="+clientSecret, "REDIRECT="+portal+"/login/done")
	return "http://127.0.0.1:" + port
}

var (
	formAction = regexp.MustCompile(`action="([^"]+)"`)
	formPrompt = regexp.MustCompile(`name="prompt" value="([^"]+)"`)
)

// browser is a new one, without any cookie.
func browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar}
}

// signsInAs goes through the provider's pages like somebody at a browser, and gives what the portal says in the end.
func (b *bench) signsInAs(c *http.Client, who, next string) (*http.Response, string) {
	b.t.Helper()
	res, err := c.Get(b.url + "/login/start?next=" + url.QueryEscape(next))
	for range 4 {
		if err != nil {
			b.t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if "http://"+res.Request.URL.Host == b.url {
			return res, string(body)
		}
		action, prompt := formAction.FindSubmatch(body), formPrompt.FindSubmatch(body)
		if action == nil || prompt == nil {
			b.t.Fatalf("the provider shows %s", body)
		}
		res, err = c.PostForm(html.UnescapeString(string(action[1])), url.Values{"prompt": {string(prompt[1])}, "login": {who}, "password": {"x"}})
	}
	b.t.Fatal("the sign-in does not end")
	return nil, ""
}

// TestSignOn: people sign in at a provider that we did not write, and their groups say what they may.
func TestSignOn(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *web.Options, _ *flow.Deps) {
		o.Open, o.SignOn = false, signOnAt(realProvider(t, o.Base))
	})
	if page := b.page("/login"); !strings.Contains(page, "Sign in with the company") || strings.Contains(page, "Access token") {
		t.Errorf("the login page is %s", page)
	}
	ada := browser()
	res, page := b.signsInAs(ada, "ada", "/systems?x=1")
	if res.StatusCode != http.StatusOK || res.Request.URL.RequestURI() != "/systems?x=1" || !strings.Contains(page, "ada@corp.test") {
		t.Errorf("Ada ends at %s with %s", res.Request.URL, res.Status)
	}
	if res, err := ada.Get(b.url + "/api/v1/sessions"); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the administrator's API says %v, %v", res, err)
	}
	if res, page := b.signsInAs(browser(), "bob", "/"); res.StatusCode != http.StatusForbidden || !strings.Contains(page, "You are bob@corp.test there") {
		t.Errorf("Bob, who has no role, sees %s: %s", res.Status, page)
	}
	if res, _ := b.signsInAs(browser(), "eve", "/"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("Eve, who only says that she is Ada, sees %s", res.Status)
	}
	if strings.Contains(b.log.String(), clientSecret) {
		t.Error("the log holds the secret")
	}
}

// provider answers as it is told: for what one that we did not write never says.
type provider struct {
	key    *rsa.PrivateKey
	url    string
	claims map[string]any // of the next token, over right ones
	info   map[string]any // of userinfo; nil: there is none
	sign   *rsa.PrivateKey
	alg    string
	code   int // of the token endpoint; 0: 200
	nonce  string
}

func ownProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key}
	mux := http.NewServeMux()
	say := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		say(w, map[string]any{
			"issuer": p.url, "authorization_endpoint": p.url + "/auth", "token_endpoint": p.url + "/token", "jwks_uri": p.url + "/keys", "userinfo_endpoint": p.url + "/me",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /auth", func(w http.ResponseWriter, r *http.Request) { // it knows who sits there, and asks nothing
		q := r.URL.Query()
		p.nonce = q.Get("nonce")
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"state": {q.Get("state")}, "code": {"a-code-of-the-provider"}}.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		say(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, _ *http.Request) { say(w, p.info) })
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if p.code != 0 {
			w.WriteHeader(p.code)
			say(w, map[string]any{"error": "invalid_grant", "error_description": "the code " + r.FormValue("code") + " is used"})
			return
		}
		if r.FormValue("code_verifier") == "" {
			t.Error("the code comes without its verifier")
		}
		now := time.Now().Unix()
		claims := map[string]any{
			"iss": p.url, "aud": "dayone", "sub": "1", "iat": now, "exp": now + 300, "nonce": p.nonce, "email": "kim@corp.test", "email_verified": true, "groups": []string{"helpdesk"},
		}
		for name, v := range p.claims {
			if claims[name] = v; v == nil {
				delete(claims, name)
			}
		}
		say(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": p.token(t, claims)})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *provider) token(t *testing.T, claims map[string]any) string {
	alg := "RS256"
	if p.alg != "" {
		alg = p.alg
	}
	head, _ := json.Marshal(map[string]string{"alg": alg, "kid": "1", "typ": "JWT"})
	body, _ := json.Marshal(claims)
	text := b64(head) + "." + b64(body)
	if alg == "none" {
		return text + "."
	}
	key := p.key
	if p.sign != nil {
		key = p.sign
	}
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(sig)
}

// comesBack begins a sign-in and comes back from the provider, whose pages nobody needs to see.
func (b *bench) comesBack(c *http.Client, p *provider, change func(q url.Values)) *http.Response {
	b.t.Helper()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := c.Get(b.url + "/login/start")
	if err != nil || res.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%v, %v", res, err)
	}
	to, _ := res.Location()
	if to.Query().Get("code_challenge_method") != "S256" || to.Query().Get("redirect_uri") != b.url+"/login/done" {
		b.t.Errorf("the provider is asked by %s", to)
	}
	p.nonce = to.Query().Get("nonce")
	q := url.Values{"state": {to.Query().Get("state")}, "code": {"a-code-of-the-provider"}}
	if change != nil {
		change(q)
	}
	res, err = c.Get(b.url + "/login/done?" + q.Encode())
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

// TestForgedSignOns: only what the provider signed for us, now, in answer to this browser's question, lets anybody in.
func TestForgedSignOns(t *testing.T) {
	t.Parallel()
	p := ownProvider(t)
	b := newBench(t, func(o *web.Options, _ *flow.Deps) { o.Open, o.SignOn = false, signOnAt(p.url) })
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func()
		query  func(url.Values)
		status int
	}{
		{"as it should be", func() {}, nil, http.StatusSeeOther},
		{"groups only by userinfo", func() {
			p.claims, p.info = map[string]any{"groups": nil}, map[string]any{"sub": "1", "groups": []string{"it-admins"}}
		}, nil, http.StatusSeeOther},
		{"userinfo of somebody else", func() {
			p.claims, p.info = map[string]any{"groups": nil}, map[string]any{"sub": "2", "groups": []string{"it-admins"}}
		}, nil, http.StatusUnauthorized},
		{"for another application", func() { p.claims = map[string]any{"aud": "payroll"} }, nil, http.StatusUnauthorized},
		{"given to another application", func() { p.claims = map[string]any{"aud": []string{"dayone", "payroll"}, "azp": "payroll"} }, nil, http.StatusUnauthorized},
		{"of nobody", func() { p.claims = map[string]any{"sub": ""} }, nil, http.StatusUnauthorized},
		{"of another provider", func() { p.claims = map[string]any{"iss": "https://evil.test"} }, nil, http.StatusUnauthorized},
		{"expired", func() { p.claims = map[string]any{"exp": time.Now().Add(-time.Hour).Unix()} }, nil, http.StatusUnauthorized},
		{"of another sign-in", func() { p.claims = map[string]any{"nonce": "another"} }, nil, http.StatusUnauthorized},
		{"without an address", func() { p.claims = map[string]any{"email": "kim"} }, nil, http.StatusUnauthorized},
		{"with an address that nobody verified", func() { p.claims = map[string]any{"email_verified": false} }, nil, http.StatusUnauthorized},
		{"with an address that nobody verified, as text", func() { p.claims = map[string]any{"email_verified": "false"} }, nil, http.StatusUnauthorized},
		{"with an address that may be verified", func() { p.claims = map[string]any{"email_verified": 1} }, nil, http.StatusUnauthorized},
		{"with an address of which the provider says nothing", func() { p.claims = map[string]any{"email_verified": nil} }, nil, http.StatusUnauthorized},
		{"with a verified address, as text", func() { p.claims = map[string]any{"email_verified": "true"} }, nil, http.StatusSeeOther},
		{"without a role", func() { p.claims = map[string]any{"groups": []string{"everybody"}} }, nil, http.StatusForbidden},
		{"signed by somebody else", func() { p.sign = other }, nil, http.StatusUnauthorized},
		{"signed by nobody", func() { p.alg = "none" }, nil, http.StatusUnauthorized},
		{"a code that is used", func() { p.code = http.StatusBadRequest }, nil, http.StatusUnauthorized},
		{"a provider in trouble", func() { p.code = http.StatusBadGateway }, nil, http.StatusServiceUnavailable},
		{"a state that nobody gave", func() {}, func(q url.Values) { q.Set("state", "made-up") }, http.StatusUnauthorized},
		{"the provider's own no", func() {}, func(q url.Values) { q.Set("error", "access_denied") }, http.StatusUnauthorized},
	} {
		p.claims, p.info, p.sign, p.alg, p.code = nil, nil, nil, "", 0
		c.change()
		who := browser()
		res := b.comesBack(who, p, c.query)
		if res.StatusCode != c.status {
			body, _ := io.ReadAll(res.Body)
			t.Errorf("%s: %s, want %d\n%s", c.name, res.Status, c.status, body)
		}
		in, err := who.Get(b.url + "/api/v1/sessions")
		if err != nil || (in.StatusCode == http.StatusOK) != (c.status == http.StatusSeeOther) {
			t.Errorf("%s: afterwards the API says %v, %v", c.name, in.Status, err)
		}
	}
	if said := b.log.String(); strings.Contains(said, "a-code-of-the-provider") || strings.Contains(said, clientSecret) {
		t.Error("the log holds a code or the secret")
	}
}

// TestAddressesOfAProviderThatSaysNothing: whoever configures us may know that nobody chooses an address there. What the
// provider itself does not stand for lets nobody in even then.
func TestAddressesOfAProviderThatSaysNothing(t *testing.T) {
	t.Parallel()
	p := ownProvider(t)
	b := newBench(t, func(o *web.Options, _ *flow.Deps) {
		o.Open, o.SignOn = false, signOnAt(p.url)
		o.SignOn.Trusted = true
	})
	for said, want := range map[any]int{nil: http.StatusSeeOther, true: http.StatusSeeOther, false: http.StatusUnauthorized, "false": http.StatusUnauthorized} {
		p.claims = map[string]any{"email_verified": said}
		if res := b.comesBack(browser(), p, nil); res.StatusCode != want {
			t.Errorf("email_verified %v: %s, want %d", said, res.Status, want)
		}
	}
}

// TestASignOnBelongsToItsBrowser: what somebody else began, or what was used, lets nobody in.
func TestASignOnBelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	p := ownProvider(t)
	b := newBench(t, func(o *web.Options, _ *flow.Deps) { o.Open, o.SignOn = false, signOnAt(p.url) })
	var state string
	first := browser()
	if res := b.comesBack(first, p, func(q url.Values) { state = q.Get("state") }); res.StatusCode != http.StatusSeeOther {
		t.Fatal(res.Status)
	}
	if res, _ := first.Get(b.url + "/login/done?code=x&state=" + state); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the same answer twice says %s", res.Status)
	}
	var stolen url.Values
	b.comesBack(browser(), p, func(q url.Values) { stolen = maps.Clone(q); q.Set("state", "") })
	victim := browser()
	b.comesBack(victim, p, func(q url.Values) { q.Set("state", stolen.Get("state")) })
	if res, _ := victim.Get(b.url + "/api/v1/sessions"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("an answer to somebody else's sign-in lets in: %s", res.Status)
	}
	if to := b.get("/login/start?next=" + url.QueryEscape("//evil.test")).Header.Get("Location"); !strings.HasPrefix(to, p.url) {
		t.Errorf("a sign-in begins at %s", to)
	}
}

// TestSessionsEnd: by hand, by age, and when nobody uses them.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles, func(o *web.Options, _ *flow.Deps) { o.IdleFor = time.Hour })
	hr, admin := b.signIn(dayone.HR), b.signIn(dayone.Administrator)
	list := func(cookie string) (out struct {
		Sessions []struct {
			ID, Login string
			Here      bool
		}
	},
	) {
		t.Helper()
		req, _ := http.NewRequest("GET", b.url+"/api/v1/sessions", nil)
		req.Header.Set("Cookie", cookie)
		res, err := http.DefaultClient.Do(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%v, %v", res, err)
		}
		_ = json.NewDecoder(res.Body).Decode(&out)
		return out
	}
	own := list(hr).Sessions
	if len(own) != 1 || own[0].Login != "hr@company.com" || !own[0].Here {
		t.Errorf("hr sees %+v", own)
	}
	all := list(admin).Sessions
	if len(all) != 2 {
		t.Errorf("the administrator sees %+v", all)
	}
	end := func(cookie, id string) int {
		t.Helper()
		req, _ := http.NewRequest("DELETE", b.url+"/api/v1/sessions/"+id, nil)
		req.Header.Set("Cookie", cookie)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	for _, s := range all {
		if s.Here {
			if got := end(hr, s.ID); got != http.StatusNotFound {
				t.Errorf("hr ends the administrator's session: %d", got)
			}
		}
	}
	if got := end(admin, own[0].ID); got != http.StatusNoContent {
		t.Errorf("the administrator ends hr's session: %d", got)
	}
	if lines, err := b.flow.Records(t.Context(), flow.RecordFilter{Limit: 50}); err != nil || !slices.ContainsFunc(lines, func(l flow.Line) bool { return strings.Contains(fmt.Sprint(l), "session ended") }) {
		t.Errorf("ending somebody else's session is no record: %+v, %v", lines, err)
	}
	if res := b.as(dayone.HR, hr, "GET", "/people"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("an ended session shows %s", res.Status)
	}
	if page := b.as(dayone.Administrator, admin, "GET", "/sessions"); page.StatusCode != http.StatusOK {
		t.Errorf("the page says %s", page.Status)
	}
}

// TestAnIdleSessionEnds: a page that listens by itself does not keep it.
func TestAnIdleSessionEnds(t *testing.T) {
	t.Parallel()
	now := clock.NewMoved(time.Now())
	b := newBench(t, withRoles, func(o *web.Options, d *flow.Deps) { d.Clock, o.IdleFor, o.SessionFor = now, time.Hour, 3*time.Hour })
	hr := b.signIn(dayone.HR)
	status := func() int { return b.as(dayone.HR, hr, "GET", "/people").StatusCode }
	for range 3 {
		now.Jump(now.Now().Add(50 * time.Minute))
		if got := status(); got != http.StatusOK {
			t.Fatalf("after 50 minutes: %d", got)
		}
	}
	now.Jump(now.Now().Add(40 * time.Minute))
	if got := status(); got != http.StatusSeeOther {
		t.Errorf("after more than three hours in all: %d", got)
	}
	hr = b.signIn(dayone.HR)
	now.Jump(now.Now().Add(61 * time.Minute))
	if got := status(); got != http.StatusSeeOther {
		t.Errorf("after an hour in which nobody did anything: %d", got)
	}
}

// TestGuessingWaits: after twenty wrong tokens from an address no wrong one from there gets an answer for ten seconds.
func TestGuessingWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken)
	for i := range 20 {
		if res := b.post("/login", url.Values{"token": {fmt.Sprint("guess ", i)}}); res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("guess %d: %s", i, res.Status)
		}
	}
	if res := b.post("/login", url.Values{"token": {"one more"}}); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "10" {
		t.Errorf("after twenty guesses: %s", res.Status)
	}
	if res := b.post("/login", url.Values{"token": {token}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("who has the token is locked out by who guesses: %s", res.Status)
	}
}

// TestWhatAnybodyAddsIsDropped: sign-ins that nobody ends, and wrong tokens from everywhere, keep nobody out and hide nobody.
func TestWhatAnybodyAddsIsDropped(t *testing.T) {
	t.Parallel()
	first, last := web.Begun(10_001)
	if first || !last {
		t.Errorf("after too many sign-ins the first goes on %t, the last %t", first, last)
	}
	if may, counted := web.Tried(30_000); may || counted > 20_000 {
		t.Errorf("after wrong tokens from many addresses a guesser may go on %t, and %d are counted", may, counted)
	}
}
