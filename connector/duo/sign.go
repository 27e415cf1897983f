package duo

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// signer puts Duo's signature on requests. Version 2 signs parameters, in the query or in a form; version 5 signs the query
// and the hash of a JSON body. https://duo.com/docs/adminapi#authentication
type signer struct {
	key    string // integration key
	secret dayone.Secret
	json   bool // version 5
	now    func() time.Time

	mu   sync.Mutex
	skew time.Duration // how far Duo's clock is ahead of ours
}

// sign fits httpc.Client.Auth.
func (s *signer) sign(_ context.Context, r *http.Request) error {
	var body []byte
	if r.GetBody != nil {
		b, err := r.GetBody()
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(b); err != nil {
			return err
		}
	}
	s.mu.Lock()
	date := s.now().Add(s.skew).UTC().Format(time.RFC1123Z)
	s.mu.Unlock()
	text := canonical(date, r, body)
	if s.json {
		text = canonicalJSON(date, r, body)
	}
	mac := hmac.New(sha512.New, []byte(s.secret.Reveal()))
	mac.Write([]byte(text))
	r.Header.Set("Date", date)
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(s.key+":"+hex.EncodeToString(mac.Sum(nil)))))
	return nil
}

// head are the lines with which both versions begin.
func head(date string, r *http.Request) string {
	return strings.Join([]string{date, strings.ToUpper(r.Method), strings.ToLower(r.URL.Host), r.URL.EscapedPath()}, "\n") + "\n"
}

// canonical is what version 2 signs.
func canonical(date string, r *http.Request, body []byte) string {
	params := r.URL.Query()
	if form, err := url.ParseQuery(string(body)); err == nil {
		for k, vs := range form {
			params[k] = append(params[k], vs...)
		}
	}
	return head(date, r) + encode(params)
}

// canonicalJSON is what version 5 signs. We send none of the X-Duo headers, whose hash comes last.
func canonicalJSON(date string, r *http.Request, body []byte) string {
	return head(date, r) + encode(r.URL.Query()) + "\n" + hash(body) + "\n" + hash(nil)
}

func hash(b []byte) string {
	sum := sha512.Sum512(b)
	return hex.EncodeToString(sum[:])
}

// encode sorts parameters and writes a space as %20.
func encode(v url.Values) string { return strings.ReplaceAll(v.Encode(), "+", "%20") }

// learn takes Duo's clock from an answer, and says whether that changes anything.
func (s *signer) learn(header http.Header) bool {
	at, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	is := at.Sub(s.now()).Round(time.Second)
	if d := is - s.skew; d > -time.Minute && d < time.Minute {
		return false
	}
	s.skew = is
	return true
}
