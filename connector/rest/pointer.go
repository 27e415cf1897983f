package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// pointer is a JSON pointer (RFC 6901): "" is the whole, /data/0/id a value inside.
type pointer string

func (p pointer) valid() bool { return p == "" || strings.HasPrefix(string(p), "/") }

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// in finds what it points to.
func (p pointer) in(v any) (any, bool) {
	if p == "" {
		return v, true
	}
	for _, token := range strings.Split(string(p)[1:], "/") {
		token = unescape.Replace(token)
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[token]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// text is what it points to in words; false: nothing that could be said in words stands there.
func (p pointer) text(v any) (string, bool) {
	at, ok := p.in(v)
	if !ok {
		return "", false
	}
	switch x := at.(type) {
	case nil:
		return "", true
	case string:
		return x, true
	case bool:
		return strconv.FormatBool(x), true
	case json.Number:
		return x.String(), true
	}
	return "", false
}

// decode reads JSON and keeps numbers as they are written: an id may have more digits than a float holds.
func decode(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the answer is more than one JSON value")
	}
	return out, nil
}
