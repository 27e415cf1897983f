package flow_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// What the company says below each mail stands below each, under its name, also in the life after.
func TestMailsCarryTheCompanysNameAndFooter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(talkative)
	h := w.open()
	if _, err := h.SetBrand(ctx, dayone.Brand{Company: "Ærø & Söhne", Footer: "Torstr. 1, Berlin"}, "kim@company.com", false); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h = w.open()
	p, r := h.atWork("1")
	h.clock.Jump(h.clock.Now().Add(time.Hour))
	h.changes(p, r.ID, employee("1", "department", "Sales", "team", "Looms"))
	h.tells("john.doe@company.com", 2)
	h.clock.Jump(at(t, "2024-11-26T10:00:00Z"))
	if got := h.tells("board@company.com", 1); !strings.HasPrefix(got[0], "Ærø & Söhne: ") {
		t.Errorf("the board reads %q", got)
	}
	for _, m := range h.mail.Messages() { // those of a run, and the digest, which holds messages within it
		if n := strings.Count(m.Text, "Torstr. 1, Berlin"); n != 1 || !strings.HasSuffix(strings.TrimSpace(m.Text), "-- \nTorstr. 1, Berlin") && !strings.HasSuffix(strings.TrimSpace(strings.ReplaceAll(m.Text, "\r\n", "\n")), "-- \nTorstr. 1, Berlin") {
			t.Errorf("%s has %d footers:\n%s", m.Subject, n, m.Text)
		}
	}
	if h.recorded("branding changed") != 1 {
		t.Error("the change is in no record")
	}
}

func TestABrandIsOneThatCanBeReadAndRunsNothing(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	billion := "<rect id='s0'/>"
	for i := range 9 {
		billion += fmt.Sprintf("<g id='s%d'>", i+1) + strings.Repeat(fmt.Sprintf("<use href='#s%d'/>", i), 10) + "</g>"
	}
	svg := func(inner string) []byte {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">` + inner + `</svg>`)
	}
	var dot bytes.Buffer
	img := image.NewRGBA(image.Rect(0, 0, 2, 2))
	img.Set(0, 0, color.White)
	if err := png.Encode(&dot, img); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		b     dayone.Brand
		fault string // "": it is right
	}{
		"ours":                 {b: dayone.Brand{Accent: "#1555b3", Night: "#8ab8ff"}},
		"made by itself":       {b: dayone.Brand{Accent: "#1555B3"}},
		"pale by day":          {b: dayone.Brand{Accent: "#8ab8ff"}, fault: "cannot be read by day"},
		"dark by night":        {b: dayone.Brand{Accent: "#1555b3", Night: "#1555b3"}, fault: "cannot be read by night"},
		"a word":               {b: dayone.Brand{Accent: "red"}, fault: "is no colour"},
		"a style":              {b: dayone.Brand{Accent: "#fff;}*{"}, fault: "is no colour"},
		"night alone":          {b: dayone.Brand{Night: "#8ab8ff"}, fault: "one for the day"},
		"help by mail":         {b: dayone.Brand{Help: "it@company.com"}},
		"help by page":         {b: dayone.Brand{Help: "https://help.company.com/it?x=1"}},
		"help by script":       {b: dayone.Brand{Help: "javascript:alert(1)"}, fault: "write it@company.com"},
		"help in the clear":    {b: dayone.Brand{Help: "http://help.company.com"}, fault: "write it@company.com"},
		"a name of two lines":  {b: dayone.Brand{Company: "a\nb"}, fault: "cannot be shown"},
		"a long name":          {b: dayone.Brand{Company: strings.Repeat("é", 81)}, fault: "more than 80"},
		"a long footer":        {b: dayone.Brand{Footer: strings.Repeat("é", 601)}, fault: "more than 600"},
		"a drawing":            {b: dayone.Brand{Logo: svg(`<defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs><rect fill="url(#a)" width="1"/><use xlink:href="#a"/>`)}},
		"a picture":            {b: dayone.Brand{Logo: dot.Bytes()}},
		"half a picture":       {b: dayone.Brand{Logo: dot.Bytes()[:40]}, fault: "does not read as a PNG"},
		"a text":               {b: dayone.Brand{Logo: []byte("hello")}, fault: "neither SVG nor PNG"},
		"a page":               {b: dayone.Brand{Logo: []byte("<html><svg/></html>")}, fault: "neither SVG nor PNG"},
		"too large":            {b: dayone.Brand{Logo: svg(strings.Repeat(" ", flow.MaxLogo))}, fault: "may have 128"},
		"a script":             {b: dayone.Brand{Logo: svg("\n<script>alert(1)</script>")}, fault: "line 2 of the logo"},
		"an event":             {b: dayone.Brand{Logo: svg(`<rect onload="alert(1)"/>`)}, fault: "would run something"},
		"a page within":        {b: dayone.Brand{Logo: svg(`<foreignObject/>`)}, fault: "may only draw"},
		"a picture elsewhere":  {b: dayone.Brand{Logo: svg(`<image href="https://evil.example/x.png"/>`)}, fault: "may only draw"},
		"a use elsewhere":      {b: dayone.Brand{Logo: svg(`<use xlink:href="https://evil.example/x.svg#a"/>`)}, fault: "leads out of the file"},
		"a fill elsewhere":     {b: dayone.Brand{Logo: svg(`<rect fill="url(https://evil.example/x)"/>`)}, fault: "would load something"},
		"a style elsewhere":    {b: dayone.Brand{Logo: svg(`<style>@import "https://evil.example/x.css"</style>`)}, fault: "may load nothing"},
		"a hidden style":       {b: dayone.Brand{Logo: svg(`<style>a{fill:u\72l(https://evil.example)}</style>`)}, fault: "may load nothing"},
		"an animation":         {b: dayone.Brand{Logo: svg(`<a href="#x"><set attributeName="href" to="javascript:alert(1)"/></a>`)}, fault: "may only draw"},
		"shapes of shapes":     {b: dayone.Brand{Logo: svg(billion)}, fault: "more than 20000 shapes"},
		"patterns of patterns": {b: dayone.Brand{Logo: svg(strings.NewReplacer("<use href=", "<rect fill=", "'#", "'url(#", "'/>", ")'/>", "<g ", "<pattern ", "</g>", "</pattern>").Replace(billion))}, fault: "more than 20000 shapes"},
		"a shape of itself":    {b: dayone.Brand{Logo: svg(`<g id="a"><use href="#a"/></g>`)}, fault: "shows itself"},
		"a shape twice":        {b: dayone.Brand{Logo: svg(`<g id="a"><rect fill="url(#b)"/></g><linearGradient id="b"/><style>.x{fill:url(#b)}</style><use href="#a"/><use href="#a"/>`)}},
		"a style of shapes":    {b: dayone.Brand{Logo: svg(`<pattern id="a"/><style>rect{fill:url(#a)}</style>`)}, fault: "may show gradients only"},
		"a set of pictures":    {b: dayone.Brand{Logo: svg(`<style>a{background:image-set("http://evil.example/x" 1x)}</style>`)}, fault: "may load nothing"},
		"a source":             {b: dayone.Brand{Logo: svg(`<rect style="fill:SRC('http://evil.example/x')"/>`)}, fault: "would load something"},
		"a style in parts":     {b: dayone.Brand{Logo: svg(`<style>a{fill:ur<!-- -->l(http://evil.example)}</style>`)}, fault: "may load nothing"},
		"an entity":            {b: dayone.Brand{Logo: append([]byte(`<!DOCTYPE svg [<!ENTITY a "b">]>`), svg(`<text>&a;</text>`)...)}, fault: "may define nothing"},
		"a foreign script":     {b: dayone.Brand{Logo: svg(`<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>`)}, fault: "may only draw"},
		"no end":               {b: dayone.Brand{Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg"><g>`)}, fault: "it is no XML"},
	} {
		_, err := h.SetBrand(ctx, c.b, "kim", true)
		switch {
		case c.fault == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.fault != "" && (dayone.KindOf(err) != dayone.ErrInvalid || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%s: %v", name, err)
		}
	}
	if b, err := h.Brand(ctx); err != nil || b.Seq != 0 {
		t.Errorf("judging has kept something: %+v, %v", b, err)
	}
}

// Whatever colour is given by day, that of the night which is made of it can be read, as we ask of one that is given.
func TestTheNightIsMadeSoThatItCanBeRead(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	for _, day := range []string{"#000000", "#1555b3", "#b00020", "#0b5d4e", "#5b2d8e", "#333300"} {
		p, ok := flow.PaletteOf(dayone.Brand{Accent: day})
		if !ok || p.Accent[0] != day {
			t.Fatalf("%s: %+v", day, p)
		}
		if _, err := h.SetBrand(ctx, dayone.Brand{Accent: day, Night: p.Accent[1]}, "kim", true); err != nil {
			t.Errorf("%s: %v", day, err)
		}
	}
}
