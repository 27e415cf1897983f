package main

import (
	"bytes"
	"io"
	"unicode"
	"unicode/utf8"
)

// tame is where commands write. Names and notes are other people's: what of them would move the cursor, colour the screen or
// turn the reading direction arrives as a mark instead. What we draw ourselves goes by untamed.
type tame struct {
	w    io.Writer
	rest []byte // the beginning of a character that was cut by the end of a write
}

// mark stands for a character that is not shown.
const mark = "\uFFFD"

func hostile(r rune) bool {
	switch {
	case r == '\n', r == '\t':
		return false
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069: // these turn what follows around
		return true
	}
	return unicode.IsControl(r)
}

func (t *tame) Write(p []byte) (int, error) {
	in := p
	if len(t.rest) > 0 {
		in = append(bytes.Clone(t.rest), p...)
		t.rest = nil
	}
	out := make([]byte, 0, len(in))
	for len(in) > 0 {
		if !utf8.FullRune(in) {
			t.rest = bytes.Clone(in)
			break
		}
		r, n := utf8.DecodeRune(in)
		if r == utf8.RuneError && n == 1 || hostile(r) {
			out = append(out, mark...)
		} else {
			out = append(out, in[:n]...)
		}
		in = in[n:]
	}
	if _, err := t.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// untamed is what a writer of a command writes to, for files and for what we draw ourselves.
func untamed(w io.Writer) io.Writer {
	if t, ok := w.(*tame); ok {
		return t.w
	}
	return w
}
