package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestNoStoredNameMovesTheCursor(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Łucja\tĐặng 張偉 \n":            "Łucja\tĐặng 張偉 \n",
		"a\x1b[31mred\x1b[0m":          "a" + mark + "[31mred" + mark + "[0m",
		"over\rwritten\b\x07":          "over" + mark + "written" + mark + mark,
		"c1 \u009b2J, bidi \u202egnp.": "c1 " + mark + "2J, bidi " + mark + "gnp.",
		"no text \xff.":                "no text " + mark + ".",
	} {
		for _, cut := range []int{len(in), 1, 2, 3} { // characters may come in parts
			var got bytes.Buffer
			w := &tame{w: &got}
			for rest := in; rest != ""; {
				n := min(cut, len(rest))
				if m, err := w.Write([]byte(rest[:n])); err != nil || m != n {
					t.Fatalf("%d, %v", m, err)
				}
				rest = rest[n:]
			}
			if got.String() != want {
				t.Errorf("%q by %d: got %q, want %q", in, cut, got.String(), want)
			}
		}
	}
}

func TestCommandsWriteTame(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := Main([]string{"people", "list", "--\x1b[2Jx"}, &out, &errs); code != exitUsage {
		t.Errorf("it ends with %d", code)
	}
	if !strings.Contains(errs.String(), mark) || strings.Contains(errs.String(), "\x1b") {
		t.Errorf("it says %q", errs.String())
	}
	if untamed(&tame{w: io.Discard}) != io.Discard {
		t.Error("files are written tame")
	}
}
