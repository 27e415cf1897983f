package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// What somebody enters is text, wherever it comes from: an address, a form or the body of a call. Files that come with a form
// are read by whoever takes them.

// legible says which field of what was entered holds what is no text.
func legible(entered map[string][]string) error {
	for _, name := range slices.Sorted(maps.Keys(entered)) {
		if illegible(name) || slices.ContainsFunc(entered[name], illegible) {
			return refuse(dayone.ErrInvalid, fmt.Sprintf(textNoText, name))
		}
	}
	return nil
}

func illegible(s string) bool { return !dayone.Legible(s) }

// readForm reads the form that a page was sent.
func readForm(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if err := r.ParseForm(); err != nil { // what comes next would not say it
		return badForm(err)
	}
	if err := r.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return badForm(err)
	}
	if err := legible(r.PostForm); err != nil || r.MultipartForm == nil {
		return err
	}
	for name, files := range r.MultipartForm.File {
		for _, f := range files {
			if illegible(f.Filename) {
				return refuse(dayone.ErrInvalid, fmt.Sprintf(textNoText, name))
			}
		}
	}
	return nil
}

// legibleJSON says which field of a body holds what is no text.
func legibleJSON(body []byte) error {
	if !utf8.Valid(body) {
		return refuse(dayone.ErrInvalid, textNoUTF8)
	}
	var all any
	if err := json.Unmarshal(body, &all); err != nil {
		return said(fmt.Errorf("%w: %w", err, dayone.ErrInvalid), textBadJSON)
	}
	if field, bad := illegibleIn(all, "body"); bad {
		return refuse(dayone.ErrInvalid, fmt.Sprintf(textNoText, field))
	}
	return nil
}

// illegibleIn is the first field of a JSON value that holds what is no text; at is what the value itself is called.
func illegibleIn(v any, at string) (string, bool) {
	switch v := v.(type) {
	case string:
		return at, illegible(v)
	case []any:
		for _, x := range v {
			if field, bad := illegibleIn(x, at); bad {
				return field, true
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if illegible(name) {
				return at, true
			}
			if field, bad := illegibleIn(v[name], name); bad {
				return field, true
			}
		}
	}
	return "", false
}
