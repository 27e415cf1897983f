package flow

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
)

// What a brand may be: colours on which text can be read, a logo that runs nothing, an address that leads to people.

// Limits of a logo, and how far a colour has to stand from its ground: WCAG 2.2, AA.
const (
	MaxLogo    = 128 << 10
	mostPixels = 2048 // of a PNG, in each direction
	minRatio   = 4.5
)

// The grounds on which the accent stands, as dayone.css has them. White text stands on the accent of the day in both.
var (
	dayGrounds   = []string{"#ffffff", "#f5f6f8", "#eef0f3"}
	nightGrounds = []string{"#15191c", "#0e1113", "#1c2125"}
)

// colour is red, green and blue, 0 to 1.
type colour [3]float64

func parseColour(s string) (colour, bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if err != nil || len(s) != 7 || s[0] != '#' {
		return colour{}, false
	}
	return colour{float64(n>>16&255) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}, true
}

func (c colour) String() string {
	out := "#"
	for _, v := range c {
		out += fmt.Sprintf("%02x", int(math.Round(v*255)))
	}
	return out
}

// light is the relative luminance.
func (c colour) light() float64 {
	var l [3]float64
	for i, v := range c {
		if l[i] = v / 12.92; v > 0.04045 {
			l[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*l[0] + 0.7152*l[1] + 0.0722*l[2]
}

// ratio is the contrast of two colours.
func ratio(a, b colour) float64 {
	x, y := a.light(), b.light()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// mix is so much of b in a.
func mix(a, b colour, much float64) (out colour) {
	for i := range a {
		out[i] = a[i]*(1-much) + b[i]*much
	}
	return out
}

var white, black = colour{1, 1, 1}, colour{}

// tintOf is the ground of what is marked in the accent's colour.
func tintOf(accent, ground colour) colour { return mix(ground, accent, 0.1) }

// worst is the least contrast that a colour has with what it stands on, its own tint among it.
func worst(c colour, on []string) float64 {
	least := math.Inf(1)
	for _, g := range on {
		ground, _ := parseColour(g)
		least = min(least, ratio(c, ground))
	}
	ground, _ := parseColour(on[0])
	return min(least, ratio(c, tintOf(c, ground)))
}

// toward is a colour made darker or lighter until it can be read; it is always found, since black and white can.
func toward(c, end colour, on []string) colour {
	for i := range 101 {
		if m := mix(c, end, float64(i)/100); worst(roundColour(m), on) >= minRatio {
			return roundColour(m)
		}
	}
	return end
}

func roundColour(c colour) colour { out, _ := parseColour(c.String()); return out }

// Palette is what the accent makes of the portal's colours, by day and by night.
type Palette struct{ Accent, Fill, FillHover, Tint [2]string }

// PaletteOf is none if the brand has no accent.
func PaletteOf(b dayone.Brand) (Palette, bool) {
	day, ok := parseColour(b.Accent)
	if !ok {
		return Palette{}, false
	}
	night, ok := parseColour(b.Night)
	if !ok {
		night = toward(day, white, nightGrounds)
	}
	paper, _ := parseColour(dayGrounds[0])
	dark, _ := parseColour(nightGrounds[0])
	hover := mix(day, black, 0.15).String()
	return Palette{
		Accent: [2]string{day.String(), night.String()}, Fill: [2]string{day.String(), day.String()}, FillHover: [2]string{hover, hover},
		Tint: [2]string{tintOf(day, paper).String(), tintOf(night, dark).String()},
	}, true
}

func checkColours(b *dayone.Brand, bad func(field, format string, args ...any)) {
	for _, x := range []struct {
		field, value, when string
		on                 []string
		end                colour
		better             string
	}{
		{"accent", b.Accent, "by day", dayGrounds, black, "darker"}, {"night", b.Night, "by night", nightGrounds, white, "lighter"},
	} {
		if x.value == "" {
			continue
		}
		c, ok := parseColour(x.value)
		if !ok {
			bad(x.field, "%q is no colour; write it as #1555b3", x.value)
			continue
		}
		if r := worst(c, x.on); r < minRatio {
			bad(x.field, "%s cannot be read %s: its contrast is %.1f to 1, and text needs 4.5; %s is the nearest %s colour that can", x.value, x.when, math.Floor(r*10)/10, toward(c, x.end, x.on), x.better)
		}
	}
	if b.Night != "" && b.Accent == "" {
		bad("accent", "a colour for the night needs one for the day")
	}
}

func helpAddress(s string) bool {
	if a, err := mail.ParseAddress(s); err == nil && a.Address == s {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && len(s) <= 300
}

// checkLogo finds out by its content what a logo is; what somebody says of it does not count.
func checkLogo(b *dayone.Brand) error {
	switch {
	case len(b.Logo) == 0:
		b.Logo, b.LogoType = nil, ""
		return nil
	case len(b.Logo) > MaxLogo:
		return fmt.Errorf("the logo has %d KB, and may have %d", (len(b.Logo)+1023)>>10, MaxLogo>>10)
	case bytes.HasPrefix(b.Logo, []byte("\x89PNG\r\n\x1a\n")):
		c, err := png.DecodeConfig(bytes.NewReader(b.Logo))
		if err == nil && (c.Width > mostPixels || c.Height > mostPixels) {
			return fmt.Errorf("the logo is %d by %d pixels, and may be %d by %d", c.Width, c.Height, mostPixels, mostPixels)
		}
		if err == nil {
			_, err = png.Decode(bytes.NewReader(b.Logo))
		}
		if err != nil {
			return fmt.Errorf("the logo does not read as a PNG: %v", err)
		}
		b.LogoType = "image/png"
		return nil
	}
	if err := checkSVG(b.Logo); err != nil {
		return err
	}
	b.LogoType = "image/svg+xml"
	return nil
}

// What an SVG may be made of: shapes, text and colours. Whatever could run, load or link is not among it, nor what we do not
// know.
var svgElements = strings.Fields(`svg g path rect circle ellipse line polyline polygon text tspan title desc defs linearGradient radialGradient stop clipPath mask
	pattern symbol use style metadata`)

// checkSVG reads it whole: what is wrong is said with its line.
func checkSVG(raw []byte) error {
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.Strict = true
	root := true
	var shapes drawing
	var text strings.Builder // also around comments: they part it in the file only
	fault := func(format string, args ...any) error {
		line, _ := d.InputPos()
		return fmt.Errorf("line %d of the logo: "+format, append([]any{line}, args...)...)
	}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			if root {
				return errors.New("the logo is neither SVG nor PNG")
			}
			return shapes.judge()
		}
		if err != nil {
			if root {
				return errors.New("the logo is neither SVG nor PNG")
			}
			return fault("it is no XML: %v", err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			if bytes.ContainsAny(t, "[&") || bytes.HasPrefix(bytes.ToUpper(t), []byte("ENTITY")) {
				return fault("it may define nothing of its own")
			}
		case xml.ProcInst:
			if t.Target != "xml" {
				return fault("it may have no instructions but the one for XML")
			}
		case xml.StartElement:
			if root && t.Name.Local != "svg" {
				return errors.New("the logo is neither SVG nor PNG")
			}
			root = false
			if err := svgElement(t); err != nil {
				return fault("%w", err)
			}
			if err := shapes.begin(t); err != nil {
				return fault("%w", err)
			}
			text.Reset()
		case xml.EndElement:
			shapes.end(text.String())
			text.Reset()
		case xml.CharData:
			text.Write(t)
			if loads(text.String()) {
				return fault("its styles may load nothing")
			}
		}
	}
}

func svgElement(t xml.StartElement) error {
	if !slices.Contains(svgElements, t.Name.Local) && !foreignSVG(t.Name.Space) {
		return fmt.Errorf("a logo has no <%s>: it may only draw", shortly(t.Name.Local))
	}
	for _, a := range t.Attr {
		name := strings.ToLower(a.Name.Local)
		switch {
		case strings.HasPrefix(name, "on"):
			return fmt.Errorf("%s would run something", shortly(a.Name.Local))
		case name == "href" && !strings.HasPrefix(strings.TrimSpace(a.Value), "#"):
			return fmt.Errorf("%s leads out of the file", shortly(a.Name.Local))
		case loads(a.Value):
			return fmt.Errorf("%s would load something", shortly(a.Name.Local))
		}
	}
	return nil
}

// foreignSVG: drawing programs leave words of their own, in name spaces of their own, which browsers do not read.
func foreignSVG(space string) bool {
	return strings.Contains(space, "sodipodi") || strings.Contains(space, "inkscape") || strings.Contains(space, "w3.org/1999/02/22-rdf") ||
		strings.Contains(space, "purl.org/dc") || strings.Contains(space, "creativecommons.org")
}

func shortly(s string) string { return s[:min(len(s), 40)] }

// fetching are functions of styles that take an address without url().
var fetching = regexp.MustCompile(`(?:image-set|\bimage|\bsrc|cross-fade|\belement|\bpaint)\(`)

// loads says whether a style or a value would fetch something: only references within the file are left.
func loads(text string) bool {
	low := strings.ToLower(text)
	if fetching.MatchString(low) {
		return true
	}
	if strings.Contains(low, "@import") || strings.Contains(low, "javascript:") || strings.Contains(low, `\`) {
		return true
	}
	for rest := low; ; {
		_, after, ok := strings.Cut(rest, "url(")
		if !ok {
			return false
		}
		if !strings.HasPrefix(strings.TrimLeft(after, " \t\n\"'"), "#") {
			return true
		}
		rest = after
	}
}
