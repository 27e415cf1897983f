package sim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	// Tenant is the one that is here.
	Tenant      = "company.onmicrosoft.com"
	application = "6731de76-14a6-49ae-97bc-6eba6914391e"
	life        = 5 * time.Second // of a token: an hour at Microsoft
)

// login is the token endpoint, with the one application that it knows.
type login struct {
	opt     sim.Options
	ids     sim.IDs
	secret  string
	private *rsa.PrivateKey
	print   string // of the certificate
	bundle  string // certificate and key in PEM

	mu      sync.Mutex
	ended   bool // the secret's life is over
	granted []string
	tokens  map[string]token
	used    map[string]bool // ids of assertions
}

type token struct {
	roles []string
	until time.Time
}

// newLogin makes a key of 1024 bits: it guards nothing, and each test makes one.
func newLogin(o sim.Options) *login {
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic("entra/sim: no RSA key: " + err.Error())
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "dayone"}, NotBefore: o.Time().Add(-time.Hour), NotAfter: o.Time().Add(365 * 24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		panic("entra/sim: no certificate: " + err.Error())
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic("entra/sim: " + err.Error())
	}
	sum := sha256.Sum256(cert)
	return &login{
		opt: o, secret: "sim8Q~entra-client-secret", private: private, tokens: map[string]token{}, used: map[string]bool{},
		print:  base64.RawURLEncoding.EncodeToString(sum[:]),
		bundle: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		granted: []string{
			"User.ReadWrite.All", "GroupMember.ReadWrite.All", "LicenseAssignment.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All", "Mail.Send",
			"Calendars.ReadWrite", "Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All",
		},
	}
}

// Withdraw takes a permission from the application; tokens end with it, so that nobody has to wait.
func (s *Sim) Withdraw(role string) {
	s.login.mu.Lock()
	defer s.login.mu.Unlock()
	s.login.granted = slices.DeleteFunc(s.login.granted, func(r string) bool { return r == role })
	clear(s.login.tokens)
}

// Grant gives the application a permission.
func (s *Sim) Grant(role string) {
	s.login.mu.Lock()
	defer s.login.mu.Unlock()
	s.login.granted = append(s.login.granted, role)
	clear(s.login.tokens)
}

// EndTokens ends every token before its time.
func (s *Sim) EndTokens() {
	s.login.mu.Lock()
	defer s.login.mu.Unlock()
	clear(s.login.tokens)
}

// EndSecret ends the client secret's life; certificates stay good.
func (s *Sim) EndSecret() {
	s.login.mu.Lock()
	defer s.login.mu.Unlock()
	s.login.ended = true
	clear(s.login.tokens)
}

func (l *login) token(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	refuse := func(status int, kind string, code int, why string) {
		sim.JSON(w, status, map[string]any{
			"error": kind, "error_description": "AADSTS" + strconv.Itoa(code) + ": " + why + "\r\nTrace ID: 0f1a\r\nTimestamp: 2026-01-01 00:00:00Z", "error_codes": []int{code},
		})
	}
	switch {
	case r.PathValue("tenant") != Tenant:
		refuse(400, "invalid_request", 90002, "Tenant '"+r.PathValue("tenant")+"' not found.")
	case r.FormValue("grant_type") != "client_credentials":
		refuse(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
	case r.FormValue("client_id") != application:
		refuse(400, "unauthorized_client", 700016, "Application with identifier '"+r.FormValue("client_id")+"' was not found in the directory.")
	case !strings.HasSuffix(r.FormValue("scope"), "://"+r.Host+"/.default"):
		refuse(400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.")
	case r.FormValue("client_assertion") != "":
		if code, why := l.judge(r); code != 0 {
			refuse(401, "invalid_client", code, why)
			return
		}
		l.give(w)
	case r.FormValue("client_secret") != l.secret:
		refuse(401, "invalid_client", 7000215, "Invalid client secret provided.")
	case l.ended:
		refuse(401, "invalid_client", 7000222, "The provided client secret keys for app are expired.")
	default:
		l.give(w)
	}
}

func (l *login) give(w http.ResponseWriter) {
	t := l.ids.Next("eyJ0eXAi.sim.", 24)
	l.tokens[t] = token{slices.Clone(l.granted), l.opt.Time().Add(life)}
	sim.JSON(w, 200, map[string]any{"token_type": "Bearer", "expires_in": int(life.Seconds()), "ext_expires_in": int(life.Seconds()), "access_token": t})
}

// judge looks at an assertion: algorithm, certificate, signature, audience, issuer, times, and that it comes once.
func (l *login) judge(r *http.Request) (code int, why string) {
	var head struct {
		Alg   string `json:"alg"`
		Print string `json:"x5t#S256"`
	}
	var claims struct {
		Aud, Iss, Sub, Jti string
		Nbf, Exp           int64
	}
	parts := strings.Split(r.FormValue("client_assertion"), ".")
	if len(parts) != 3 || !decode(parts[0], &head) || !decode(parts[1], &claims) {
		return 50027, "JWT token is invalid or malformed."
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum, now := sha256.Sum256([]byte(parts[0]+"."+parts[1])), l.opt.Time()
	switch {
	case err != nil || head.Print != l.print:
		return 700027, "The certificate with identifier used to sign the client assertion is not registered on application."
	case head.Alg == "PS256":
		err = rsa.VerifyPSS(&l.private.PublicKey, crypto.SHA256, sum[:], sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case head.Alg == "RS256":
		err = rsa.VerifyPKCS1v15(&l.private.PublicKey, crypto.SHA256, sum[:], sig)
	default:
		return 5002738, "Invalid JWT token. Unsupported signature algorithm."
	}
	switch {
	case err != nil:
		return 700027, "Client assertion failed signature validation."
	case r.FormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || claims.Iss != application || claims.Sub != application:
		return 700021, "Client assertion application identifier doesn't match 'client_id' parameter."
	case !strings.HasSuffix(claims.Aud, "://"+r.Host+r.URL.Path):
		return 700023, "Client assertion audience claim does not match Realm issuer."
	case claims.Exp <= now.Unix() || claims.Nbf > now.Unix()+60 || claims.Exp-claims.Nbf > 24*3600:
		return 700024, "Client assertion is not within its valid time range."
	case claims.Jti == "" || l.used[claims.Jti]:
		return 700025, "Client assertion was used before."
	}
	l.used[claims.Jti] = true
	return 0, ""
}

func decode(part string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, into) == nil
}

// roles of the token in an Authorization header.
func (l *login) roles(header string) ([]string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name, ok := strings.CutPrefix(header, "Bearer ")
	t, known := l.tokens[name]
	return t.roles, ok && known && l.opt.Time().Before(t.until)
}
