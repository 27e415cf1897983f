package connector

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// Shorter secrets are not looked for at all, and somewhat longer ones only as they are written: in other forms they would be
// found in whatever text there is.
const (
	leastHidden  = 4
	leastEncoded = 6
	mostMixed    = 256 // of longer ones, which are keys in files, no mixture is looked for, only what is escaped as a whole
)

// hidden is a secret that nobody may read: as it is written, escaped for a query, a path, JSON or HTML, in any mixture, or in
// hex or base64, with whatever stands before and after it. Vendors echo what they were sent in all of these.
type hidden struct {
	plain string
	forms func() *regexp.Regexp // made when they are first wanted; nil: only as it is written
}

// hiding makes secrets ready to be looked for, the longest first, since one may be a part of another.
func hiding(secrets []string) []hidden {
	var out []hidden
	for _, s := range secrets {
		if len(s) < leastHidden || slices.ContainsFunc(out, func(h hidden) bool { return h.plain == s }) {
			continue
		}
		h := hidden{plain: s}
		if len(s) >= leastEncoded {
			escaped := escapedForms
			if len(s) > mostMixed {
				escaped = escapedWhole
			}
			h.forms = sync.OnceValue(func() *regexp.Regexp {
				return regexp.MustCompile(escaped(s) + "|" + hexForm(s) + "|" + base64Forms(s))
			})
		}
		out = append(out, h)
	}
	slices.SortStableFunc(out, func(a, b hidden) int { return len(b.plain) - len(a.plain) })
	return out
}

// in says that a text has the secret in it. No form is shorter than the secret.
func (h hidden) in(text string) bool {
	return len(text) >= len(h.plain) && (strings.Contains(text, h.plain) || h.forms != nil && h.forms().MatchString(text))
}

// clean takes secrets out of a text.
func clean(text string, hide []hidden) string {
	for _, h := range hide {
		if len(text) < len(h.plain) {
			continue
		}
		text = strings.ReplaceAll(text, h.plain, "[redacted]")
		if h.forms != nil {
			text = h.forms().ReplaceAllLiteralString(text, "[redacted]")
		}
	}
	return text
}

// escapes that have a letter of their own in JSON.
var escapes = map[rune]string{'\n': "n", '\r': "r", '\t': "t", '\b': "b", '\f': "f"}

// escapedForms is a secret of which each character may be escaped, once or more.
func escapedForms(s string) string {
	var out strings.Builder
	for at := 0; at < len(s); {
		r, size := utf8.DecodeRuneInString(s[at:])
		bytes := s[at : at+size]
		at += size
		percent := ""
		for i := range len(bytes) {
			percent += fmt.Sprintf("%%(?:25)*(?i:%02x)", bytes[i])
		}
		if r == utf8.RuneError && size == 1 { // no text: it is echoed as the sign for that, if at all
			fmt.Fprintf(&out, "(?:%s|\uFFFD)", percent)
			continue
		}
		unit := ""
		for _, u := range utf16.Encode([]rune{r}) {
			unit += fmt.Sprintf(`\\+u(?i:%04x)`, u)
		}
		forms := []string{regexp.QuoteMeta(bytes), percent, unit, fmt.Sprintf(`&(?:amp;)*#0*%d;`, r), fmt.Sprintf(`&(?:amp;)*#[xX]0*(?i:%x);`, r)}
		switch letter, ok := escapes[r]; {
		case ok:
			forms = append(forms, `\\+`+letter)
		case r == '\\':
			forms = append(forms, `\\+`)
		case r == ' ':
			forms = append(forms, `\+`, `%(?:25)*2[Bb]`)
		case r == '"' || r == '\'' || r == '/':
			forms = append(forms, `\\+`+bytes)
		}
		if name := html.EscapeString(bytes); name != bytes {
			forms = append(forms, regexp.QuoteMeta(name))
		}
		if r == '"' {
			forms = append(forms, "&quot;")
		}
		out.WriteString("(?:" + strings.Join(forms, "|") + ")")
	}
	return out.String()
}

// escapedWhole is a secret as a query, a path or JSON has it.
func escapedWhole(s string) string {
	quoted, _ := json.Marshal(s) // a string always can be
	text := string(quoted[1 : len(quoted)-1])
	forms := []string{url.QueryEscape(s), url.PathEscape(s), text, strings.ReplaceAll(text, "/", `\/`), strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(text)}
	for i, f := range forms {
		forms[i] = regexp.QuoteMeta(f)
	}
	return strings.Join(forms, "|")
}

func hexForm(s string) string { return "(?i:" + hex.EncodeToString([]byte(s)) + ")" }

// base64Forms are what a secret becomes behind no, one or two bytes. The characters at its ends, which it shares with its
// neighbours, go with it.
func base64Forms(s string) string {
	const digit = `[A-Za-z0-9+/_-]?`
	forms := make([]string, 0, 3)
	for before := range 3 {
		whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + s))
		first := (before*8 + 5) / 6
		last := (before + len(s)) * 8 / 6
		core := strings.NewReplacer("+", `(?:[+-]|%2[Bb])`, "/", `(?:\\*/|_|%2[Ff])`).Replace(whole[first:last])
		forms = append(forms, digit+core+digit+`(?:=|%3[Dd]){0,2}`)
	}
	return strings.Join(forms, "|")
}

var (
	base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{4,}`)
	hexRun    = regexp.MustCompile(`[0-9A-Fa-f]{4,}`)
)

// decoded are the texts that a word may be the base64 or hex of, wherever in it that begins.
func decoded(word string) (out []string) {
	word = strings.ReplaceAll(word, "=", ".")
	for _, run := range base64Run.FindAllString(word, -1) {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
		for at := range min(4, len(run)) {
			part := run[at:]
			if len(part)%4 == 1 { // no whole byte ends there
				part = part[:len(part)-1]
			}
			if raw, err := base64.RawStdEncoding.DecodeString(part); err == nil {
				out = append(out, string(raw))
			}
		}
	}
	for _, run := range append(hexRun.FindAllString(word, -1), strings.NewReplacer("-", "", ":", "").Replace(word)) {
		for at := range min(2, len(run)) {
			part := run[at:]
			if raw, err := hex.DecodeString(part[:len(part)&^1]); err == nil {
				out = append(out, string(raw))
			}
		}
	}
	return out
}
