package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
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
	if err := legible(r.PostForm); err != nil {
		return err
	}
	if err := once(r.URL.Path, r.PostForm); err != nil || r.MultipartForm == nil {
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

// once refuses what is given twice where one is meant: of two that differ, whoever sent them would not know which counted.
func once(path string, entered map[string][]string) error {
	for _, name := range slices.Sorted(maps.Keys(entered)) {
		if len(entered[name]) > 1 && !several(path, name) {
			return refuse(dayone.ErrInvalid, fmt.Sprintf(textTwice, name))
		}
	}
	return nil
}

// several says what takes several values: products and steps that are chosen, groups of steps that stand open, states of runs.
func several(path, name string) bool {
	return name == "product" || name == "step" || name == "open" || name == "state" && strings.HasSuffix(path, "/runs")
}

// twiceIn is the first name that an object of a JSON value has twice. Fields of the body itself are the same in any case of letters,
// since they are read so.
func twiceIn(body []byte) (string, bool) {
	type level struct {
		names map[string]bool // nil: of an array
		named bool            // the value of a name comes next
	}
	var at []level
	for dec := json.NewDecoder(bytes.NewReader(body)); ; {
		token, err := dec.Token()
		if err != nil { // its end, since it was read before
			return "", false
		}
		if n := len(at); n > 0 && at[n-1].names != nil && !at[n-1].named {
			if name, is := token.(string); is {
				same := name
				if n == 1 {
					same = strings.ToLower(name)
				}
				if at[n-1].names[same] {
					return name, true
				}
				at[n-1].names[same], at[n-1].named = true, true
				continue
			}
		}
		switch token {
		case json.Delim('{'):
			at = append(at, level{names: map[string]bool{}})
			continue
		case json.Delim('['):
			at = append(at, level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			at = at[:len(at)-1]
		}
		if n := len(at); n > 0 {
			at[n-1].named = false
		}
	}
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
	if name, twice := twiceIn(body); twice {
		return refuse(dayone.ErrInvalid, fmt.Sprintf(textTwice, name))
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
