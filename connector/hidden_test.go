package connector_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

const planted = `OKTA+pl/anted=="q&\ABCDEF`

// formsOf are the ways in which vendors echo what they were sent.
func formsOf(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(secret)
	twice, _ := json.Marshal(string(quoted))
	out := map[string]string{
		"as it is": secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "query twice": url.QueryEscape(url.QueryEscape(secret)),
		"small query": strings.NewReplacer("%2B", "%2b", "%2F", "%2f", "%3D", "%3d", "%5C", "%5c").Replace(url.QueryEscape(secret)),
		"json":        string(quoted), "json without html": plain.String(), "json twice": string(twice), "json with slashes": strings.ReplaceAll(string(quoted), "/", `\/`),
		"html": html.EscapeString(secret), "html by name": strings.ReplaceAll(html.EscapeString(secret), "&#34;", "&quot;"),
		"hex": hex.EncodeToString([]byte(secret)), "large hex": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for i := range 3 {
		for name, c := range map[string]*base64.Encoding{"std": base64.StdEncoding, "url": base64.URLEncoding, "raw": base64.RawURLEncoding} {
			text := c.EncodeToString([]byte("xyz"[:i] + secret + ":after"))
			out[fmt.Sprint("base64 ", name, i)] = text
			out[fmt.Sprint("base64 in a query ", name, i)] = url.QueryEscape(text)
		}
	}
	return out
}

// tells says which part of the secret may still be read in a text: a piece of it, or of what one of its forms is made of.
func tells(text, secret string) string {
	text = strings.ToLower(text)
	pieces := []string{secret[:4], "anted", secret[len(secret)-5:], hex.EncodeToString([]byte(secret[:4])), hex.EncodeToString([]byte(secret[len(secret)-4:]))}
	for i := range 3 {
		for _, part := range []string{secret[:9], secret[len(secret)-9:]} {
			code := base64.RawURLEncoding.EncodeToString([]byte("xyz"[:i] + part))
			pieces = append(pieces, code[3:len(code)-2])
		}
	}
	for _, p := range pieces {
		if strings.Contains(text, strings.ToLower(p)) {
			return p
		}
	}
	return ""
}

// A vendor echoes the token, and the password of a step, in whatever form: no error, no answer of a check and no log has it.
func TestASecretIsHiddenInWhateverForm(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{planted, "pässwörd \U0001F511\nanted", "-----BEGIN KEY-----\nanted+/" + strings.Repeat("x", 1700) + "\n-----END KEY-----"} {
		for name, form := range formsOf(secret) {
			if len(secret) > 256 && (strings.Contains(name, "html") || strings.Contains(name, "twice") || name == "small query") {
				continue // of a key in a file only what is escaped as a whole
			}
			body := `{"error":"the token ` + form + ` is not known"}`
			fault := func() error {
				return &dayone.Fault{Op: "asking " + form, Code: form, Detail: body, Next: form, Err: fmt.Errorf("%s: %w", form, dayone.ErrAuth)}
			}
			for at, o := range map[string]struct{ token, password string }{"token": {secret, "other-password"}, "password": {"other-token", secret}} {
				g := open(t, "https://acme.example", time.Now, func(context.Context, dayone.Act) (dayone.Result, error) { return dayone.Result{}, fault() },
					func(opt *connector.Options) {
						opt.Settings["token"] = o.token
						opt.Transport = answers(body)
					})
				var log bytes.Buffer
				_, err := g.Apply(t.Context(), dayone.Act{Action: dayone.AccountCreate, Secrets: map[string]dayone.Secret{"password": dayone.NewSecret(o.password)}})
				slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "error", err)
				if !errors.Is(err, dayone.ErrAuth) || !strings.Contains(err.Error(), "is not known") {
					t.Errorf("%s, %s: it says only %v", at, name, err)
				}
				if p := tells(log.String(), secret); p != "" {
					t.Errorf("%s, %s: %q is told in %s", at, name, p, log.String())
				}
				if at == "password" {
					continue
				}
				if err := g.Check(t.Context()); err == nil || tells(err.Error(), secret) != "" {
					t.Errorf("%s: the check answers %v", name, err)
				}
			}
		}
	}
}

// answers is a network that fails with a text, as one does that names the address it was asked for.
type answers string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New(string(a)) }

// What has nothing of a secret stays as it is, and a short one is only looked for as it is written.
func TestWhatIsNoSecretStays(t *testing.T) {
	t.Parallel()
	for token, text := range map[string]string{planted: `user "q&\ABC" is not in group OKTA+pl, 4f4b5441, T0tUQQ==`, "abcde": "6162636465 and YWJjZGU= are numbers"} {
		g := open(t, "https://acme.example", time.Now, func(context.Context, dayone.Act) (dayone.Result, error) {
			return dayone.Result{}, &dayone.Fault{Op: "asking", Err: dayone.ErrConflict, Detail: text}
		}, func(o *connector.Options) { o.Settings["token"] = token })
		if _, err := g.Apply(t.Context(), dayone.Act{}); !strings.HasSuffix(err.Error(), text) {
			t.Errorf("%q became %v", text, err)
		}
	}
}

// The id by which a vendor finds a request again is its own text: one that is the token or a value of the step, in whatever
// form, is not noted; the next header is.
func TestTheIDOfARequestTellsNothing(t *testing.T) {
	t.Parallel()
	const token = "s3cret-token"
	kept := "2f1c7b1e-9a34-4a61-8a6e-5f0f3c1f7d20"
	bad := map[string]string{"long": strings.Repeat("a1", 65)}
	for _, hides := range []string{token, "hunter22", "ada.doe@company.com"} {
		for i := range 3 {
			bad[fmt.Sprint("base64 ", i, hides)] = base64.StdEncoding.EncodeToString([]byte("xyz"[:i] + hides))
			bad[fmt.Sprint("url base64 ", i, hides)] = "req-" + base64.RawURLEncoding.EncodeToString([]byte("xyz"[:i]+hides+"?"))
		}
		bad["hex "+hides] = hex.EncodeToString([]byte(hides))
		bad["odd hex "+hides] = "req:f" + strings.ToUpper(hex.EncodeToString([]byte(hides)))
		bad["as it is "+hides] = "x" + strings.ReplaceAll(hides, "@", "-at-")
	}
	for name, id := range bad {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", id)
			w.Header().Set("Cf-Ray", kept)
			_, _ = io.WriteString(w, "{}")
		}))
		g := noting(t, srv.URL, func(ctx context.Context, c *http.Client) { send(ctx, t, c, "GET", srv.URL+"/api/users", "", "") })
		r, _ := g.Apply(t.Context(), dayone.Act{
			Action: dayone.AccountCreate, Want: &dayone.Item{Attrs: dayone.Attrs{"login": dayone.Text("ada.doe@company.com")}},
			Secrets: map[string]dayone.Secret{"password": dayone.NewSecret("hunter22")},
		})
		srv.Close()
		if len(r.Calls) != 1 || r.Calls[0].ID != kept {
			t.Errorf("%s: %q is noted as %+v", name, id, r.Calls)
		}
	}
}
