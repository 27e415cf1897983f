package paper_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/paper"
)

var certificate = dayone.Certificate{
	ID: "crt_01jd9x0000000000000000000a", Person: "per_01jd9x0000000000000000000a", Made: time.Date(2024, 11, 22, 12, 0, 0, 0, time.UTC), Name: "Łucja Đặng 山田 太郎 김민수",
	Left: time.Date(2024, 11, 21, 23, 0, 0, 0, time.UTC), Policy: "3f2a", Seq: 812, Chain: strings.Repeat("ab", 32), Lines: 44,
	Systems: []dayone.ReadBack{
		{System: "okta", Title: "Okta", Verdict: dayone.Closed, Accounts: []string{"00u1"}, Unchecked: []string{"mail forward"}},
		{System: "gitlab", Title: "GitLab", Verdict: dayone.Unreadable, Findings: []dayone.Remain{{Class: dayone.Unread, Name: "GitLab", Note: strings.Repeat("does not answer ", 30), Act: "an administrator looks there"}}},
		{System: "google", Title: "Google", Verdict: dayone.StillOpen, Findings: []dayone.Remain{{Class: dayone.KeptOwnership, Name: strings.Repeat("長", 200) + "\x00\u202e😀", Act: "another owner is named"}}},
	},
}

func set(t *testing.T, c dayone.Certificate) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := paper.Certificate(&b, c, time.UTC, paper.Letterhead{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every sign stands in the text of a page, by its number in Unicode: a reader finds and copies it, whatever its script.
func TestNamesOfEveryScriptAreInTheCertificate(t *testing.T) {
	t.Parallel()
	text := pages(t, set(t, certificate))
	for _, want := range []string{"Łucja Đặng ", "山田", "太郎", "김민수", "Okta: closed", "GitLab: could not be read", "another owner is named", "mail forward"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, bad := range []string{"\u202e", "\x00\u202e"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q reached the page", bad)
		}
	}
}

// pages are the texts of a PDF: strings of its content streams, in UTF-16.
func pages(t *testing.T, pdf []byte) string {
	t.Helper()
	var out strings.Builder
	for _, part := range bytes.Split(pdf, []byte("stream\n"))[1:] {
		r, err := zlib.NewReader(bytes.NewReader(part))
		if err != nil {
			continue
		}
		raw, err := io.ReadAll(r)
		if err != nil || !bytes.Contains(raw, []byte("Tj ET")) {
			continue
		}
		for _, line := range bytes.Split(raw, []byte(" Td"))[1:] {
			line, _, _ = bytes.Cut(line, []byte("Tj ET"))
			line = bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(line), []byte("(")), []byte(")"))
			for _, esc := range []string{"\\", "(", ")"} {
				line = bytes.ReplaceAll(line, []byte("\\"+esc), []byte(esc))
			}
			line = bytes.ReplaceAll(line, []byte("\\r"), []byte("\r"))
			for i := 0; i+1 < len(line); i += 2 {
				out.WriteRune(rune(line[i])<<8 | rune(line[i+1]))
			}
			out.WriteByte('\n')
		}
	}
	return out.String()
}

func TestTheSameCertificateIsTheSamePaper(t *testing.T) {
	t.Parallel()
	one, other := set(t, certificate), set(t, certificate)
	if !bytes.Equal(one, other) || !bytes.HasPrefix(one, []byte("%PDF-")) {
		t.Errorf("%d bytes and %d bytes differ, or are no PDF", len(one), len(other))
	}
}
