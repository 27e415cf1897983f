package sim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	account = "dayone@dayone-sim.iam.gserviceaccount.com"
	admin   = "admin@company.com"
	life    = 5 * time.Second // of a token: an hour at Google
)

// login is the token endpoint, with the one service account that it knows.
type login struct {
	opt     sim.Options
	ids     sim.IDs
	private *rsa.PrivateKey

	mu         sync.Mutex
	knows      func(mail string) bool // whether somebody may be acted for, beside the administrator
	authorised []string
	tokens     map[string]grant
}

type grant struct {
	scopes []string
	until  time.Time
	as     string // in whose name
}

// newLogin makes a key of 1024 bits: it guards nothing, and each test makes one.
func newLogin(o sim.Options) *login {
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic("google/sim: no RSA key: " + err.Error())
	}
	return &login{opt: o, private: private, tokens: map[string]grant{}, authorised: []string{userScope, groupScope, memberScope, licenseScope, securityScope, mailScope}}
}

// credentials is the JSON key that an administrator downloads.
func (l *login) credentials(base string) string {
	der, err := x509.MarshalPKCS8PrivateKey(l.private)
	if err != nil {
		panic("google/sim: " + err.Error())
	}
	b, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "dayone-sim", "private_key_id": "5f3c0ffee", "client_id": "100000000000000000042", "client_email": account,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": base + "/token",
	})
	if err != nil {
		panic("google/sim: " + err.Error())
	}
	return string(b)
}

func (l *login) withdraw(scope string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.authorised = slices.DeleteFunc(l.authorised, func(s string) bool { return s == scope })
}

// token judges an assertion: signature, issuer, subject, audience, scopes and times.
func (l *login) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code, why string) {
		sim.JSON(w, status, map[string]string{"error": code, "error_description": why})
	}
	if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		refuse(400, "unsupported_grant_type", "Invalid grant_type: "+r.FormValue("grant_type"))
		return
	}
	var head struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Iss, Sub, Aud, Scope string
		Iat, Exp             int64
	}
	parts := strings.Split(r.FormValue("assertion"), ".")
	if len(parts) != 3 || !decode(parts[0], &head) || !decode(parts[1], &claims) || head.Alg != "RS256" {
		refuse(400, "invalid_grant", "Bad Request")
		return
	}
	now, sum := l.opt.Time(), sha256.Sum256([]byte(parts[0]+"."+parts[1]))
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	scopes := strings.Fields(claims.Scope)
	of := claims.Sub == admin || claims.Scope == mailScope && l.knows(claims.Sub)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case claims.Iss != account:
		refuse(400, "invalid_grant", "Invalid grant: account not found")
	case err != nil || rsa.VerifyPKCS1v15(&l.private.PublicKey, crypto.SHA256, sum[:], sig) != nil:
		refuse(400, "invalid_grant", "Invalid JWT Signature.")
	case !strings.HasSuffix(claims.Aud, "://"+r.Host+r.URL.Path):
		refuse(400, "invalid_grant", "Invalid JWT: Failed audience check.")
	case claims.Exp-claims.Iat > 3600 || claims.Exp <= now.Unix() || claims.Iat > now.Unix()+60:
		refuse(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	case !of:
		refuse(400, "invalid_grant", "Invalid email or User ID")
	case len(scopes) == 0 || slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(l.authorised, s) }):
		refuse(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.")
	default:
		token := l.ids.Next("ya29.sim-", 24)
		l.tokens[token] = grant{scopes, now.Add(life), claims.Sub}
		sim.JSON(w, 200, map[string]any{"access_token": token, "expires_in": int(life.Seconds()), "token_type": "Bearer"})
	}
}

func decode(part string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, into) == nil
}

// scopes of the token in an Authorization header.
func (l *login) scopes(header string) ([]string, bool) {
	g, ok := l.grantOf(header)
	return g.scopes, ok
}

// grantOf is what a token in an Authorization header stands for.
func (l *login) grantOf(header string) (grant, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	token, ok := strings.CutPrefix(header, "Bearer ")
	g, known := l.tokens[token]
	if !ok || !known || !l.opt.Time().Before(g.until) {
		return grant{}, false
	}
	return g, true
}
