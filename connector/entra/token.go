package entra

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// login is how the application proves who it is: by a secret, or by what its certificate signs.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
type login struct {
	client  httpc.Client
	path    string
	id      string
	scope   string
	secret  dayone.Secret
	cert    *x509.Certificate
	private *rsa.PrivateKey
	alg     string
	now     func() time.Time
}

func newLogin(cfg connector.Config) (*login, error) {
	set := cfg.Settings
	api, err := url.Parse(set["url"])
	if err != nil {
		return nil, fmt.Errorf("setting url is no URL: %w", dayone.ErrInvalid)
	}
	l := &login{
		client: httpc.Client{System: cfg.System, Base: strings.TrimSuffix(set["login_url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now, Classify: classifyToken},
		path:   "/" + url.PathEscape(set["tenant"]) + "/oauth2/v2.0/token", id: set["client_id"], scope: api.Scheme + "://" + api.Host + "/.default",
		secret: cfg.Secrets["client_secret"], alg: set["algorithm"], now: cfg.Now,
	}
	bundle := cfg.Secrets["certificate"]
	if l.secret.IsZero() == bundle.IsZero() {
		return nil, fmt.Errorf("give either client_secret or certificate: %w", dayone.ErrInvalid)
	}
	if !bundle.IsZero() {
		err = l.read(bundle)
	}
	return l, err
}

// read takes certificate and key out of a bundle.
func (l *login) read(bundle dayone.Secret) error {
	bad := func(why string) error { return fmt.Errorf("setting certificate: %s: %w", why, dayone.ErrInvalid) }
	rest := []byte(bundle.Reveal())
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch {
		case block.Type == "CERTIFICATE" && l.cert == nil:
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return bad("the certificate cannot be read")
			}
			l.cert = cert
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
			}
			var ok bool
			if l.private, ok = key.(*rsa.PrivateKey); err != nil || !ok {
				return bad("the private key is not RSA in PKCS 8 or PKCS 1, or it has a passphrase")
			}
		}
	}
	switch {
	case l.cert == nil:
		return bad("there is no certificate in it")
	case l.private == nil:
		return bad("there is no private key in it")
	case !l.private.PublicKey.Equal(l.cert.PublicKey):
		return bad("the private key is not that of the certificate")
	}
	return nil
}

// fetch trades the proof for an access token.
func (l *login) fetch(ctx context.Context) (dayone.Secret, time.Duration, error) {
	form := url.Values{"client_id": {l.id}, "scope": {l.scope}, "grant_type": {"client_credentials"}}
	if l.cert == nil {
		form.Set("client_secret", l.secret.Reveal())
	} else {
		assertion, err := l.assertion()
		if err != nil {
			return dayone.Secret{}, 0, err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	}
	var out struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	_, err := l.client.Do(ctx, httpc.Request{Op: "signing in", Method: "POST", Path: l.path, Form: form}, &out)
	if err == nil && out.Token == "" {
		err = l.client.Fault("signing in", dayone.ErrUnavailable, "", "the answer has no token")
	}
	return dayone.NewSecret(out.Token), time.Duration(out.Seconds) * time.Second, advised(err, "")
}

// assertion is a JSON web token that says who we are for ten minutes.
// https://learn.microsoft.com/entra/identity-platform/certificate-credentials
func (l *login) assertion() (string, error) {
	const op = "signing in"
	now := l.now()
	if now.After(l.cert.NotAfter) {
		f := l.client.Fault(op, dayone.ErrAuth, "", "the certificate ended on "+l.cert.NotAfter.Format(time.DateOnly))
		return "", withNext(f, "upload a new certificate to the app registration and put it, with its key, into the setting certificate")
	}
	print := sha256.Sum256(l.cert.Raw)
	header, err := json.Marshal(map[string]string{"alg": l.alg, "typ": "JWT", "x5t#S256": base64.RawURLEncoding.EncodeToString(print[:])})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"aud": l.client.Base + l.path, "iss": l.id, "sub": l.id, "jti": rand.Text(), "nbf": now.Unix(), "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	var sig []byte
	if l.alg == "RS256" {
		sig, err = rsa.SignPKCS1v15(rand.Reader, l.private, crypto.SHA256, sum[:])
	} else {
		sig, err = rsa.SignPSS(rand.Reader, l.private, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	if err != nil {
		return "", l.client.Fault(op, dayone.ErrAuth, "", "the certificate's key does not sign: "+err.Error())
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// classifyToken reads {"error":"invalid_client","error_description":"AADSTS7000215: ...","error_codes":[7000215]}.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
func classifyToken(status int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Error  string `json:"error"`
		Detail string `json:"error_description"`
		Codes  []int  `json:"error_codes"`
	}
	if json.Unmarshal(body, &e) != nil || e.Error == "" || status == http.StatusTooManyRequests || status >= 500 {
		return "", "", nil
	}
	code := e.Error
	if len(e.Codes) > 0 {
		code = fmt.Sprintf("AADSTS%d", e.Codes[0])
	}
	detail, _, _ := strings.Cut(e.Detail, "\r\n") // then follow trace ids
	if e.Error == "temporarily_unavailable" {
		return code, detail, dayone.ErrUnavailable
	}
	return code, detail, dayone.ErrAuth
}

// nextOf says what an administrator has to do, by the code of a refused sign-in.
var nextOf = map[string]string{
	"AADSTS7000215": "the client secret is wrong: copy the secret's value, not its id, from Certificates & secrets of the app registration",
	"AADSTS7000222": "the client secret has ended: add a new one under Certificates & secrets of the app registration and put it into the setting client_secret",
	"AADSTS700016":  "this tenant does not know the application: check client_id and tenant, and grant admin consent there",
	"AADSTS90002":   "there is no such tenant: check the setting tenant",
	"AADSTS700027":  "the certificate is not one of the app registration: upload it under Certificates & secrets",
	"AADSTS7000112": "the application is disabled in this tenant: enable it under Enterprise applications",
}

// withNext adds to an error what has to be done about it.
func withNext(err error, next string) error {
	var f *dayone.Fault
	if next == "" || !errors.As(err, &f) || f.Next != "" {
		return err
	}
	out := *f
	out.Next = next
	return &out
}

// advised adds what an administrator has to do. permission is the one that the call needs.
func advised(err error, permission string) error {
	var f *dayone.Fault
	if !errors.As(err, &f) {
		return err
	}
	switch {
	case nextOf[f.Code] != "":
		return withNext(err, nextOf[f.Code])
	case errors.Is(f.Err, dayone.ErrForbidden) && permission != "":
		return withNext(err, "give the app registration the application permission "+permission+" and grant admin consent; if the user holds an administrator role, the application needs that directory role as well")
	case strings.Contains(f.Detail, "usage location"):
		return withNext(err, "give the account a usage_location of two letters, such as US")
	case strings.Contains(f.Detail, "verified domain"):
		return withNext(err, "verify the login's domain in this tenant under Custom domain names, or check the setting tenant")
	}
	return err
}
