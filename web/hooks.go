package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// hook takes what a source says: read at most 1 MiB, let flow check the signature, answer when it is durable.
func (p *portal) hook(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	receipts, err := p.flow.Receive(r.Context(), r.PathValue("source"), r.Header, body)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return said(err, textNoSource)
	case errors.Is(err, dayone.ErrAuth):
		return said(err, textHookAuth)
	case errors.Is(err, dayone.ErrInvalid):
		return said(err, notJSON(body))
	case err != nil:
		return err
	}
	return answerJSON(w, http.StatusAccepted, struct {
		Receipts []flow.Receipt `json:"receipts"`
	}{receipts})
}

// callback takes what a system says by itself about a step that waits for it.
func (p *portal) callback(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := p.flow.Callback(r.Context(), r.PathValue("system"), r.Header, body); err != nil {
		if errors.Is(err, dayone.ErrAuth) {
			return said(err, textHookAuth)
		}
		return err
	}
	return answerJSON(w, http.StatusAccepted, struct{}{})
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, flow.MaxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, said(err, textHookLarge)
	}
	if err != nil { // whoever sent it has gone, or is too slow
		return nil, fmt.Errorf("reading the body: %w: %w", err, dayone.ErrInvalid)
	}
	return body, nil
}

// said keeps an error for the log and its kind, and gives its reader words of the catalogue.
func said(err error, text string) error { return &worded{err, refusal{err, text}} }

type worded struct {
	error
	words refusal
}

func (w *worded) Unwrap() []error { return []error{w.error, &w.words} }

// notJSON says where a body stops being JSON; one that is JSON was not what its source sends.
func notJSON(body []byte) string {
	var any json.RawMessage
	err := json.Unmarshal(body, &any)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return textBadHook
	}
	before := body[:min(int(syntax.Offset), len(body))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Sprintf("The body is no JSON: line %d, column %d.", line, max(column, 1))
}

func (p *portal) healthz(w http.ResponseWriter, _ *http.Request) {
	_ = answerJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": p.opt.Version})
}

// readyz says whether requests make sense now: the database answers, and takes writes.
func (p *portal) readyz(w http.ResponseWriter, r *http.Request) {
	if err := p.flow.Ready(r.Context()); err != nil {
		p.log.Error("not ready", "error", err)
		out := map[string]string{"status": "not ready"}
		switch {
		case flow.NoRoom(err):
			out["reason"] = textNoRoom
		case flow.NoDisk(err):
			out["reason"] = textNoDisk
		}
		_ = answerJSON(w, http.StatusServiceUnavailable, out)
		return
	}
	_ = answerJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

func answerJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
	return nil
}
