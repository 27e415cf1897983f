package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// decode reads JSON, with numbers as they are written. Errors say line:column.
func decode(body []byte) (any, error) {
	if !utf8.Valid(body) {
		n := 0
		for n < len(body) {
			r, size := utf8.DecodeRune(body[n:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			n += size
		}
		return nil, fmt.Errorf("%s: this is no UTF-8", position(body, n))
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) == nil && len(bytes.TrimSpace(body[dec.InputOffset():])) == 0 {
		return v, nil
	}
	var raw json.RawMessage // says where it is wrong, behind the first value as well
	err := json.Unmarshal(body, &raw)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return v, err
	}
	n := int(syntax.Offset) - 1 // of the byte that is wrong
	if n = max(n, 0); strings.HasPrefix(syntax.Error(), "unexpected end") {
		n = len(body)
	}
	return nil, fmt.Errorf("%s: %s", position(body, n), syntax.Error())
}

// position is line:column of a byte, both from 1, columns in characters.
func position(body []byte, n int) string {
	before := body[:min(n, len(body))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("%d:%d", line, column)
}

// at follows a path of names with dots between; without a path it stays. nil: there is nothing.
func at(v any, path string) any {
	if path == "" {
		return v
	}
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// word is an id or a name: text, or a number as it is written.
func word(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		v = strings.TrimSpace(v)
		return v, v != ""
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// flatten names inner fields with dots. What is null is there, and empty.
func flatten(prefix string, m map[string]any, each func(name string, v any)) {
	for k, v := range m {
		if inner, ok := v.(map[string]any); ok {
			flatten(prefix+k+".", inner, each)
			each(prefix+k, []any{nil}) // where one value was asked for
			continue
		}
		each(prefix+k, v)
	}
}

// value is a field in our types. What has none there becomes a text that whoever judges values will refuse: a fraction
// as it is written, a list as [...], since what stands in it was not asked for.
func value(v any) dayone.Value {
	switch v := v.(type) {
	case string:
		return dayone.Text(v)
	case bool:
		return dayone.Bool(v)
	case json.Number:
		if n, ok := whole(v); ok {
			return dayone.Int(n)
		}
		return dayone.Text(v.String())
	case []any:
		list := make([]string, 0, len(v))
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return dayone.Text("[...]")
			}
			list = append(list, s)
		}
		return dayone.List(list...)
	}
	return dayone.Value{}
}

// whole reads 4, and 4.0 and 1e3 as some senders write whole numbers.
func whole(n json.Number) (int64, bool) {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return i, true
	}
	f, err := n.Float64()
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// instant reads RFC 3339, with or without a zone, and Unix seconds or milliseconds.
func instant(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n > 1e11 {
			return time.UnixMilli(n).UTC(), true
		}
		return time.Unix(n, 0).UTC(), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} { // fractions of seconds are read by both
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
