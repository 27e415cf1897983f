package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// client speaks to the running server, for commands about what only that may change: its runs, and what its ledger says.
type client struct {
	base  string
	token string
	http  *http.Client
}

// portalFlag lets a command name another server than the configuration's.
const (
	portalFlag = "portal"
	portalHelp = "address of the server, if it is not portal.url of the configuration (--server is the same)"
)

// serverOf is the server that a command means: the configuration's with its token, or the one that --portal names, which
// asks for none if it is the demo's.
func serverOf(c *cobra.Command) (*client, error) {
	at, err := c.Flags().GetString(portalFlag)
	if err != nil {
		return nil, err
	}
	cl := &client{base: strings.TrimSuffix(at, "/"), http: &http.Client{
		Timeout: time.Minute,
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			if len(via) == 1 && to.URL.Host == via[0].URL.Host && to.URL.Scheme == via[0].URL.Scheme { // somebody who was merged
				return nil
			}
			return http.ErrUseLastResponse // the token goes nowhere else
		},
	}}
	cfg, err := configured(c)
	switch {
	case err != nil && at != "" && errors.Is(err, dayone.ErrNotFound):
		return cl, nil
	case err != nil:
		return nil, err
	case at == "":
		cl.base = cfg.Portal.URL
	case cl.base != cfg.Portal.URL:
		return cl, nil // the token is for the configuration's own server
	}
	if _, err := cfg.token(); err != nil {
		return nil, err
	}
	cl.token, err = cfg.fill("portal.token", cfg.Portal.Token)
	return cl, err
}

// kindNamed is the kind of an error by the word that the API has for it.
func kindNamed(name string) error {
	for _, k := range dayone.Kinds {
		if k.Error() == name {
			return k
		}
	}
	return nil
}

// listed says, of something that is not there, which command lists what is.
func listed(err error, what, id, command string) error {
	if !errors.Is(err, dayone.ErrNotFound) {
		return err
	}
	return fmt.Errorf("there is no %s %q; %s shows them: %w", what, id, command, dayone.ErrNotFound)
}

// call asks the API. in and out may be nil.
func (cl *client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	body, err := cl.ask(ctx, method, path, query, in)
	if err != nil {
		return err
	}
	defer body.Close()
	raw, err := io.ReadAll(io.LimitReader(body, 64<<20))
	if err != nil {
		return fmt.Errorf("the server at %s broke off: %w", cl.base, dayone.ErrUnavailable)
	}
	if out == nil || len(raw) == 0 {
		return nil
	}
	if file, is := out.(*[]byte); is { // as it came: a file
		*file = raw
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("what the server at %s says cannot be read; is it another version? %w", cl.base, dayone.ErrInvalid)
	}
	return nil
}

// ask gives away what the API answers, if it is no error. Whoever asks closes it.
func (cl *client) ask(ctx context.Context, method, path string, query url.Values, in any) (io.ReadCloser, error) {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	at := cl.base + "/api/v1" + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, &usageError{fmt.Errorf("%q is no address of a server; write http://127.0.0.1:8080", cl.base)}
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if cl.token != "" {
		req.Header.Set("Authorization", "Bearer "+cl.token)
	}
	resp, err := cl.http.Do(req)
	if err != nil {
		return nil, cl.unanswered(ctx, method, err)
	}
	if resp.StatusCode < http.StatusBadRequest || resp.StatusCode == http.StatusUnprocessableEntity { // the faults of a file are the answer
		return resp.Body, nil
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("the server at %s broke off: %w", cl.base, dayone.ErrUnavailable)
	}
	return nil, cl.refused(resp.Status, raw)
}

// unanswered says why there is no answer: nobody was there to ask, or whoever was asked may have done it without saying so.
func (cl *client) unanswered(ctx context.Context, method string, err error) error {
	var (
		dial   *net.OpError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		late   net.Error
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &dial) && dial.Op == "dial", errors.As(err, &cert), errors.As(err, &record):
		return fmt.Errorf("no server answers at %s; dayone serve starts it, --portal names another: %w", cl.base, dayone.ErrUnavailable)
	}
	what := "broke off before it answered"
	if errors.As(err, &late) && late.Timeout() {
		what = "did not answer in time"
	}
	if method != http.MethodGet {
		what += "; what was asked may have been done all the same: dayone record shows what was"
	}
	return fmt.Errorf("the server at %s %s: %w", cl.base, what, dayone.ErrUnavailable)
}

// refused is the error that the API answered.
func (cl *client) refused(status string, raw []byte) error {
	var e struct {
		Error struct{ Kind, Message, ID string }
	}
	if json.Unmarshal(raw, &e) != nil || e.Error.Message == "" {
		return fmt.Errorf("the server at %s says %s: %w", cl.base, status, dayone.ErrUnavailable)
	}
	text := strings.TrimSuffix(e.Error.Message, ".")
	switch {
	case e.Error.Kind != dayone.ErrAuth.Error():
	case cl.token == "":
		text = fmt.Sprintf("the server at %s wants a token, and none was sent: --config has to name the configuration whose portal.url is this address", cl.base)
	default:
		text = fmt.Sprintf("the server at %s does not know this token; portal.token of the configuration that --config names has to be its own", cl.base)
	}
	if kind := kindNamed(e.Error.Kind); kind != nil {
		return fmt.Errorf("%s: %w", text, kind)
	}
	return fmt.Errorf("%s (%s)", text, e.Error.ID)
}
