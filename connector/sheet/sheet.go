// Package sheet is what connectors share that know a system by lists in CSV files: a strict reader that says where a list
// is wrong, a writer that leaves alone what it does not know, files that are replaced whole or not at all, and accounts
// with their entitlements as rows.
package sheet

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// The most that a list may be.
const (
	MostBytes = 64 << 20
	mostRows  = 1_000_000
	mostSaid  = 20 // faults
)

// Sheet is a table with a head.
type Sheet struct {
	Head []string
	Rows [][]string
	line []int // of each row, in the file it was read from

	comma         rune
	bom, crlf     bool
	foreignScript bool // it was not UTF-8
}

// Fault is one thing that is wrong with a list, and where: lines as an editor counts them. It shows nothing of anybody that
// stands there, since it is logged.
type Fault struct {
	Line   int
	Column string // by its head; "": the whole line
	Text   string
}

func (f Fault) String() string {
	at := fmt.Sprintf("line %d", f.Line)
	if f.Column != "" {
		at += fmt.Sprintf(", column %q", f.Column)
	}
	return at + ": " + f.Text
}

// Faults are all that are wrong with a list, the first of them. It is an ErrInvalid.
type Faults []Fault

func (fs Faults) Error() string {
	var b strings.Builder
	for i, f := range fs {
		if i == mostSaid {
			fmt.Fprintf(&b, "; and %d more", len(fs)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.String())
	}
	return b.String()
}

func (fs Faults) Unwrap() error { return dayone.ErrInvalid }

var byteOrder = []byte{0xEF, 0xBB, 0xBF}

// Parse reads a list. The separator is what the head is separated by: a comma, a semicolon, a tab or a bar.
func Parse(raw []byte) (*Sheet, error) {
	if len(raw) > MostBytes {
		return nil, Faults{{Line: 1, Text: fmt.Sprintf("the list has more than %d MiB", MostBytes>>20)}}
	}
	s := &Sheet{bom: bytes.HasPrefix(raw, byteOrder)}
	text, err := s.decode(bytes.TrimPrefix(raw, byteOrder))
	if err != nil {
		return nil, err
	}
	s.comma, s.crlf = separator(text), strings.Contains(text, "\r\n")
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = s.comma, -1, false
	var faults Faults
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) { // what follows may be read wrongly
			return nil, append(faults, Fault{Line: bad.Line, Text: fmt.Sprintf("character %d: %v; put a text with quotes into quotes, and write each of its own twice", bad.Column, bad.Err)})
		}
		if err != nil {
			return nil, fmt.Errorf("reading the list: %w: %w", err, dayone.ErrInvalid)
		}
		line, _ := r.FieldPos(0)
		switch {
		case s.Head == nil:
			s.Head = row
			faults = append(faults, s.checkHead(line)...)
		case len(row) != len(s.Head):
			faults = append(faults, Fault{Line: line, Text: fmt.Sprintf("it has %d fields, and the head has %d", len(row), len(s.Head))})
		case len(s.Rows) == mostRows:
			return nil, append(faults, Fault{Line: line, Text: fmt.Sprintf("the list has more than %d lines", mostRows)})
		default:
			s.Rows, s.line = append(s.Rows, row), append(s.line, line)
		}
	}
	if s.Head == nil {
		return nil, append(faults, Fault{Line: 1, Text: "the list is empty; its first line has to name the columns"})
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return s, nil
}

// Legible says that all of a list is text, whatever columns it has: what somebody brings is kept, and shown, as it is.
func Legible(raw []byte) error {
	text, err := new(Sheet).decode(bytes.TrimPrefix(raw, byteOrder))
	if err != nil {
		return err
	}
	if line := dayone.IllegibleLine(text); line > 0 {
		return Faults{{Line: line, Text: "it holds a control character, which nobody can read; take it out"}}
	}
	return nil
}

func (s *Sheet) decode(raw []byte) (string, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	case !utf8.Valid(raw):
		for i, line := range bytes.Split(raw, []byte("\n")) {
			if !utf8.Valid(line) {
				return "", Faults{{Line: i + 1, Text: "it is not UTF-8; save the list as CSV UTF-8"}}
			}
		}
	default:
		return string(raw), nil
	}
	s.foreignScript = true
	if len(raw)%2 != 0 {
		return "", Faults{{Line: 1, Text: "it ends within a character; save the list as CSV UTF-8"}}
	}
	units := make([]uint16, 0, len(raw)/2)
	for i := 2; i < len(raw); i += 2 {
		units = append(units, order.Uint16(raw[i:]))
	}
	return string(utf16.Decode(units)), nil
}

// separator is the one that the head has most of, outside quotes.
func separator(text string) rune {
	counts, quoted := map[rune]int{}, false
	for _, c := range text {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[c]++
		}
	}
	best := ','
	for _, c := range ";\t|" {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

func (s *Sheet) checkHead(line int) (faults Faults) {
	seen := map[string]bool{}
	for i, name := range s.Head {
		switch n := Folded(name); {
		case n == "":
			faults = append(faults, Fault{Line: line, Text: fmt.Sprintf("column %d has no name", i+1)})
		case seen[n]:
			faults = append(faults, Fault{Line: line, Column: name, Text: "there are two of this name"})
		default:
			seen[n] = true
		}
	}
	return faults
}

// Folded is the name of a column as it is compared: "Employee Number" is employee_number.
func Folded(name string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(name, func(c rune) bool { return c == ' ' || c == '_' || c == '-' || c == '.' || c == '\u00a0' }), "_"))
}

// Column is the place of a column, or -1.
func (s *Sheet) Column(name string) int {
	want := Folded(name)
	return slices.IndexFunc(s.Head, func(h string) bool { return Folded(h) == want })
}

// Line is where a row stood in the file.
func (s *Sheet) Line(row int) int {
	if row < len(s.line) {
		return s.line[row]
	}
	return 0
}

// Append puts a row at the end.
func (s *Sheet) Append(row []string) { s.Rows = append(s.Rows, row) }

// Delete takes a row out.
func (s *Sheet) Delete(row int) {
	s.Rows = slices.Delete(s.Rows, row, row+1)
	if row < len(s.line) {
		s.line = slices.Delete(s.line, row, row+1)
	}
}

// Bytes is the list as it was written: its separator, its line ends, and every column that we know nothing of.
func (s *Sheet) Bytes() ([]byte, error) {
	if s.foreignScript {
		return nil, fmt.Errorf("it is not UTF-8, and is written by nobody else; let the program that owns it save it as UTF-8: %w", dayone.ErrInvalid)
	}
	var b bytes.Buffer
	if s.bom {
		b.Write(byteOrder)
	}
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = s.comma, s.crlf
	if s.comma == 0 {
		w.Comma = ','
	}
	if err := w.Write(s.Head); err != nil {
		return nil, err
	}
	if err := w.WriteAll(s.Rows); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// harmless is what begins as a formula and is none: a telephone number, an amount.
var harmless = regexp.MustCompile(`^[+-][0-9 ()./-]*$`)

// Guarded is a value that no spreadsheet takes for a formula: an apostrophe before it makes it a text. Whoever gives
// themselves the name =HYPERLINK(...) in HR must not reach into the office that opens the list.
func Guarded(v string) string {
	if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) && !harmless.MatchString(v) || unguarded(v) != v {
		return "'" + v
	}
	return v
}

// unguarded is a value without the apostrophe that Guarded put before it.
func unguarded(v string) string {
	if rest, ok := strings.CutPrefix(v, "'"); ok && rest != "" && strings.ContainsRune("=+-@\t\r'", rune(rest[0])) {
		return rest
	}
	return v
}
