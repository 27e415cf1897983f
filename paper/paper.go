// Package paper sets a leaver's certificate as a PDF that reads like the page: with the names of people in whatever script
// they are written. It must not look anything up, and knows neither clock nor network: a certificate is all it gets, and the same
// one gives the same bytes.
package paper

import (
	"bytes"
	_ "embed"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"strings"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"

	"github.com/dayone-hq/dayone"
)

//go:embed font/DejaVuSansCondensed.ttf
var plain []byte

//go:embed font/DejaVuSansCondensed-Bold.ttf
var bold []byte

//go:embed font/DroidSansFallbackFull.ttf
var eastern []byte

const (
	margin = 18.0 // mm
	width  = 210 - 2*margin
)

// sheet is a PDF with a pen.
type sheet struct {
	*fpdf.Fpdf
	widths map[string]map[rune]float64 // of a rune at 1000 points, by font
}

// Letterhead is whose certificate it is. Whatever is empty is left out.
type Letterhead struct {
	Company string
	Logo    []byte // PNG; another kind is left out
}

// Certificate writes one. zone is the reader's.
func Certificate(w io.Writer, c dayone.Certificate, zone *time.Location, of Letterhead) error {
	s := &sheet{fpdf.New("P", "mm", "A4", ""), map[string]map[rune]float64{}}
	s.SetMargins(margin, margin, margin)
	s.SetAutoPageBreak(true, margin)
	s.SetCreationDate(c.Made.UTC())
	s.SetModificationDate(c.Made.UTC())
	s.SetCatalogSort(true)
	s.SetLang("en")
	s.SetTitle("Leaver certificate: "+shown(c.Name), true)
	s.SetCreator("Dayone", true)
	s.AddUTF8FontFromBytes("text", "", plain)
	s.AddUTF8FontFromBytes("text", "B", bold)
	s.AddUTF8FontFromBytes("east", "", eastern)
	s.AddUTF8FontFromBytes("east", "B", eastern)
	s.SetFooterFunc(func() {
		s.SetY(-margin + 4)
		s.line("", 8, 0, fmt.Sprintf("%s, page %d", c.ID, s.PageNo()))
	})
	s.AddPage()
	s.letterhead(of)
	s.head(c, zone)
	for _, r := range c.Systems {
		s.system(r)
	}
	if len(c.Others) > 0 {
		s.Ln(3)
		s.text("B", 12, 0, "In our own books")
		s.remains(c.Others)
	}
	s.foot(c)
	var b bytes.Buffer
	if err := s.Output(&b); err != nil {
		return fmt.Errorf("setting the certificate: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Summary says in a sentence how a certificate stands.
func Summary(c dayone.Certificate) string {
	n := c.Counts()
	if c.Clean() {
		return fmt.Sprintf("All %d systems were read, and nothing is open.", len(c.Systems))
	}
	out := fmt.Sprintf("%d systems: %d closed, %d open, %d not readable, %d waiting for a human.", len(c.Systems), n[dayone.Closed], n[dayone.StillOpen], n[dayone.Unreadable], n[dayone.ByHand])
	if len(c.Others) > 0 {
		out += fmt.Sprintf(" In our own books: %d to be done.", len(c.Others))
	}
	return out
}

const (
	logoHigh = 10.0 // mm
	logoWide = 60.0
)

// letterhead sets logo and name. A logo is drawn anew in the one kind of PNG that every reader of PDF takes; one that cannot be
// is left out: the certificate matters more.
func (s *sheet) letterhead(of Letterhead) {
	if img, err := png.Decode(bytes.NewReader(of.Logo)); err == nil {
		flat := image.NewNRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
		draw.Draw(flat, flat.Bounds(), img, img.Bounds().Min, draw.Src)
		var b bytes.Buffer
		if err := png.Encode(&b, flat); err == nil {
			wide, high := logoHigh*float64(flat.Rect.Dx())/float64(flat.Rect.Dy()), logoHigh
			if wide > logoWide {
				wide, high = logoWide, logoWide*float64(flat.Rect.Dy())/float64(flat.Rect.Dx())
			}
			opt := fpdf.ImageOptions{ImageType: "PNG"}
			s.RegisterImageOptionsReader("logo", opt, &b)
			s.ImageOptions("logo", margin, s.GetY(), wide, high, false, opt, 0, "")
			s.Ln(high + 3)
		}
	}
	if of.Company != "" {
		s.text("", 10, 0, of.Company)
		s.Ln(2)
	}
}

func (s *sheet) head(c dayone.Certificate, zone *time.Location) {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "unknown"
		}
		return t.In(zone).Format("2 January 2006 15:04 MST")
	}
	s.text("", 10, 0, "Leaver certificate")
	s.text("B", 20, 0, c.Name)
	s.Ln(1)
	s.text("B", 11, 0, Summary(c))
	s.Ln(1)
	by := c.By
	if by == "" {
		by = "Dayone by itself"
	}
	for _, row := range []string{
		"Person " + string(c.Person), "Left " + at(c.Left), "Read back " + at(c.Made) + ", by " + by, "Policies in force: version " + c.Policy,
	} {
		s.text("", 9, 0, row)
	}
	s.Ln(3)
}

func (s *sheet) system(r dayone.ReadBack) {
	s.Ln(2)
	s.text("B", 12, 0, r.Title+": "+Verdict(r.Verdict))
	switch {
	case len(r.Accounts) > 0:
		s.text("", 9, 0, "Looked at by id: "+strings.Join(r.Accounts, ", "))
	case r.Verdict == dayone.Closed:
		s.text("", 9, 0, "It shows nothing of theirs.")
	}
	s.remains(r.Findings)
	if len(r.Unchecked) > 0 {
		s.text("", 9, 0, "Not told by this system, so not checked: "+strings.Join(r.Unchecked, ", ")+".")
	}
}

// Verdict is how a system stands, in words.
func Verdict(v dayone.SystemVerdict) string {
	switch v {
	case dayone.Closed:
		return "closed"
	case dayone.StillOpen:
		return "open"
	case dayone.ByHand:
		return "closed, and a human has something to do"
	}
	return "could not be read, so nothing is known"
}

func (s *sheet) remains(list []dayone.Remain) {
	for _, m := range list {
		line := string(m.Class) + ": " + m.Name
		if m.Note != "" {
			line += ", " + m.Note
		}
		s.text("", 10, 4, "- "+line)
		if m.Act != "" {
			s.text("", 9, 7, "To do: "+m.Act)
		}
	}
}

func (s *sheet) foot(c dayone.Certificate) {
	s.Ln(4)
	s.text("", 8, 0, fmt.Sprintf("It rests upon the ledger up to line %d, whose chain is %s; %d of its lines are about this person.", c.Seq, c.Chain, c.Lines))
}

// text sets a paragraph, broken at blanks, or within a word that is longer than a line.
func (s *sheet) text(style string, size, indent float64, text string) {
	rs := []rune(shown(text))
	for len(rs) > 0 {
		end, blank, used := 0, -1, 0.0
		for end < len(rs) {
			if used += s.wide(style, size, rs[end]); used > width-indent && end > 0 {
				break
			}
			if rs[end] == ' ' {
				blank = end
			}
			end++
		}
		cut := end
		if end < len(rs) && blank > 0 {
			cut = blank
		}
		s.line(style, size, indent, string(rs[:cut]))
		rs = []rune(strings.TrimLeft(string(rs[cut:]), " "))
	}
}

// line sets one line, each script in the font that has it.
func (s *sheet) line(style string, size, indent float64, text string) {
	high := size * 0.5
	s.SetX(margin + indent)
	rs := []rune(text)
	for from := 0; from < len(rs); {
		to := from + 1
		for to < len(rs) && face(rs[to]) == face(rs[from]) {
			to++
		}
		part := string(rs[from:to])
		s.SetFont(face(rs[from]), style, size)
		s.CellFormat(s.GetStringWidth(part), high, part, "", 0, "L", false, 0, "")
		from = to
	}
	s.Ln(high)
}

// wide is how much room a rune takes, in mm.
func (s *sheet) wide(style string, size float64, r rune) float64 {
	font := face(r) + style
	if s.widths[font] == nil {
		s.widths[font] = map[rune]float64{}
	}
	w, known := s.widths[font][r]
	if !known {
		s.SetFont(face(r), style, 1000)
		w = s.GetStringWidth(string(r))
		s.widths[font][r] = w
	}
	return w * size / 1000
}

// face is the font that has a rune.
func face(r rune) string {
	if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef {
		return "east"
	}
	return "text"
}

// shown is text as a font can set it: what is no sign, or lies beyond the plane that fonts of this kind have, is shown to
// be there.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r > 0xffff || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
