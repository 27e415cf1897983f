package web

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// brandView is how the company looks at the head of each page.
type brandView struct {
	Name string
	Href string // of the head
	Logo string // address; "": the sun
	CSS  string // address of its colours; "": ours
	Help *link
}

const ourName = "Dayone"

// brand is what every page has; where nobody can be asked, ours.
func (p *portal) brand(r *http.Request) brandView {
	if p.flow == nil {
		return brandView{Name: ourName}
	}
	return newBrand(p.flow.Looks(r.Context()))
}

func newBrand(b dayone.Brand) brandView {
	v := brandView{Name: cmp.Or(b.Company, ourName)}
	seq := strconv.FormatInt(b.Seq, 10)
	if len(b.Logo) > 0 {
		v.Logo = "/brand/logo?v=" + seq
	}
	if _, ok := flow.PaletteOf(b); ok {
		v.CSS = "/brand/colours.css?v=" + seq
	}
	if b.Help != "" {
		v.Help = &link{b.Help, b.Help}
		if !strings.HasPrefix(b.Help, "https://") {
			v.Help.Href = "mailto:" + b.Help
		}
	}
	return v
}

// logoPolicy: an image that was uploaded is an image, wherever it is opened.
const logoPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

func (p *portal) logo(w http.ResponseWriter, r *http.Request) error {
	b := p.flow.Looks(r.Context())
	if len(b.Logo) == 0 {
		return dayone.ErrNotFound
	}
	h := w.Header()
	h.Set("Content-Security-Policy", logoPolicy)
	h.Set("Content-Type", b.LogoType)
	h.Set("Content-Disposition", "inline; filename=logo"+map[string]string{"image/png": ".png"}[b.LogoType])
	lasting(h, r, b)
	_, err := w.Write(b.Logo)
	return err
}

// colours are the tokens of the stylesheet that the accent changes.
func (p *portal) colours(w http.ResponseWriter, r *http.Request) error {
	b := p.flow.Looks(r.Context())
	c, ok := flow.PaletteOf(b)
	if !ok {
		return dayone.ErrNotFound
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	lasting(w.Header(), r, b)
	_, err := fmt.Fprintf(w, ":root {\n  --accent: light-dark(%s, %s);\n  --accent-fill: light-dark(%s, %s);\n  --accent-fill-hover: light-dark(%s, %s);\n  --accent-tint: light-dark(%s, %s);\n}\n",
		c.Accent[0], c.Accent[1], c.Fill[0], c.Fill[1], c.FillHover[0], c.FillHover[1], c.Tint[0], c.Tint[1])
	return err
}

// lasting: an address with the version in it never shows anything else.
func lasting(h http.Header, r *http.Request, b dayone.Brand) {
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == strconv.FormatInt(b.Seq, 10) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
}

type brandingView struct {
	Seq     int64
	Fields  []field
	Logo    string // address of what there is
	Faults  string // of the logo
	Problem *notice
	Colours []swatch
	Past    []item
}

// swatch is the accent where it stands.
type swatch struct{ Name, Value string }

func (p *portal) branding(w http.ResponseWriter, r *http.Request) error {
	b, err := p.flow.Brand(r.Context())
	if err != nil {
		return err
	}
	return p.showBranding(w, r, http.StatusOK, b, nil)
}

func (p *portal) showBranding(w http.ResponseWriter, r *http.Request, status int, b dayone.Brand, wrong error) error {
	past, err := p.flow.Brands(r.Context())
	if err != nil {
		return err
	}
	v := newBranding(p.viewerOf(r), b, past, wrong, p.flow.Company)
	return p.show(w, r, status, page{Template: "branding", Title: "Branding", Nav: "settings", Crumbs: []link{{"Settings", "/settings"}, {"Branding", ""}}, Main: v})
}

func newBranding(view viewer, b dayone.Brand, past []dayone.Brand, wrong error, configured string) brandingView {
	faults := map[string]string{}
	var which flow.Faulty
	errors.As(wrong, &which)
	for name, why := range which {
		faults[name] = sentence(why) + "."
	}
	v := brandingView{Seq: b.Seq, Faults: faults["logo"], Fields: []field{
		{ID: "company", Name: "company", Label: "Company name", Hint: fmt.Sprintf(textBrandCompany, configured), Type: "text", Value: b.Company, Error: faults["company"], Autocomplete: "organization"},
		{ID: "accent", Name: "accent", Label: "Accent colour", Hint: textBrandAccent, Type: "text", Mono: true, Value: b.Accent, Error: faults["accent"]},
		{ID: "night", Name: "night", Label: "Accent colour by night", Hint: textBrandNight, Type: "text", Mono: true, Value: b.Night, Error: faults["night"]},
		{ID: "help", Name: "help", Label: "Where people find help", Hint: textBrandHelp, Type: "text", Value: b.Help, Error: faults["help"]},
		{ID: "footer", Name: "footer", Label: "Below each mail", Hint: textBrandFooter, Area: true, Value: b.Footer, Error: faults["footer"]},
	}}
	if len(b.Logo) > 0 && len(past) > 0 && wrong == nil {
		v.Logo = newBrand(b).Logo
	}
	if c, ok := flow.PaletteOf(b); ok && wrong == nil {
		v.Colours = []swatch{{"By day", c.Accent[0]}, {"By night", c.Accent[1]}}
	}
	if wrong != nil {
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: "It was not saved", Text: textBrandWrong}
		if len(faults) == 0 {
			v.Problem.Text = view.problem(wrong) + "."
		}
	}
	for i, x := range past {
		it := item{State: &state{Icon: "clock", Class: "s-skip", Text: fmt.Sprintf("Version %d", x.Seq)}, Title: link{Text: sentence(view.heard(x.Note))}, Meta: view.say("By %s, %s", x.By, view.at(x.At).Text)}
		if i == 0 {
			it.State = &state{Icon: "check", Class: "s-done", Text: fmt.Sprintf("Version %d", x.Seq)}
			it.Acts = []act{{Text: "Undo", Action: "/settings/branding/back", Hidden: []link{{"seq", strconv.FormatInt(x.Seq-1, 10)}}}}
		} else {
			it.Acts = []act{{Text: "Go back to it", Action: "/settings/branding/back", Hidden: []link{{"seq", strconv.FormatInt(x.Seq, 10)}}}}
		}
		v.Past = append(v.Past, it)
	}
	return v
}

func (p *portal) saveBranding(w http.ResponseWriter, r *http.Request) error {
	_, raw, err := upload(r, "logo", "")
	if err != nil {
		return err
	}
	was, err := p.flow.Brand(r.Context())
	if err != nil {
		return err
	}
	seq, _ := strconv.ParseInt(r.PostFormValue("seq"), 10, 64)
	b := dayone.Brand{
		Seq: seq, Company: r.PostFormValue("company"), Accent: r.PostFormValue("accent"), Night: r.PostFormValue("night"), Help: r.PostFormValue("help"), Footer: r.PostFormValue("footer"),
		Logo: was.Logo, LogoType: was.LogoType,
	}
	switch {
	case len(raw) > 0:
		b.Logo = raw
	case r.PostFormValue("no_logo") != "":
		b.Logo = nil
	}
	_, err = p.flow.SetBrand(r.Context(), b, me(r).Name, false)
	switch {
	case dayone.KindOf(err) == dayone.ErrConflict, dayone.KindOf(err) == dayone.ErrInvalid:
		return p.showBranding(w, r, http.StatusUnprocessableEntity, b, err)
	case err != nil:
		return err
	}
	http.Redirect(w, r, "/settings/branding?said=branding", http.StatusSeeOther)
	return nil
}

func (p *portal) brandingBack(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	seq, err := strconv.ParseInt(r.PostForm.Get("seq"), 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	if _, err := p.flow.BrandBack(r.Context(), seq, me(r).Name); err != nil && dayone.KindOf(err) != dayone.ErrInvalid {
		return err
	}
	http.Redirect(w, r, "/settings/branding?said=branding-back", http.StatusSeeOther)
	return nil
}

// upload is a file of a form, or what was typed in its place.
func upload(r *http.Request, file, text string) (name string, raw []byte, err error) {
	if err := r.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return "", nil, fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	if f, head, err := r.FormFile(file); err == nil {
		raw, err := io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return "", nil, fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
		}
		if len(raw) > 0 {
			return fileName(head.Filename), raw, nil
		}
	}
	if text == "" {
		return "", nil, nil
	}
	return "", []byte(r.PostFormValue(text)), nil
}

type apiBrand struct {
	Version  int64      `json:"version"`
	Company  string     `json:"company"`
	Accent   string     `json:"accent"`
	Night    string     `json:"night"`
	Footer   string     `json:"footer"`
	Help     string     `json:"help"`
	Logo     string     `json:"logo,omitempty"` // in base64
	LogoType string     `json:"logo_type,omitempty"`
	At       *time.Time `json:"at,omitempty"`
	By       string     `json:"by,omitempty"`
	Note     string     `json:"note,omitempty"`
}

func newAPIBrand(b dayone.Brand) apiBrand {
	return apiBrand{
		Version: b.Seq, Company: b.Company, Accent: b.Accent, Night: b.Night, Footer: b.Footer, Help: b.Help, Logo: base64.StdEncoding.EncodeToString(b.Logo), LogoType: b.LogoType,
		At: moment(b.At), By: b.By, Note: b.Note,
	}
}

func (p *portal) apiBranding(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Brands(r.Context())
	if err != nil {
		return err
	}
	out := struct {
		apiBrand
		Versions []apiBrand `json:"versions"`
	}{Versions: []apiBrand{}}
	for i, b := range list {
		row := newAPIBrand(b)
		if i == 0 {
			out.apiBrand = row
		}
		row.Logo = ""
		out.Versions = append(out.Versions, row)
	}
	return answerJSON(w, http.StatusOK, out)
}

// apiSetBranding changes what the body names; the rest stays.
func (p *portal) apiSetBranding(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Company *string `json:"company"`
		Accent  *string `json:"accent"`
		Night   *string `json:"night"`
		Footer  *string `json:"footer"`
		Help    *string `json:"help"`
		Logo    *string `json:"logo"`
		DryRun  bool    `json:"dry_run"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	b, err := p.flow.Brand(r.Context())
	if err != nil {
		return err
	}
	for to, v := range map[*string]*string{&b.Company: in.Company, &b.Accent: in.Accent, &b.Night: in.Night, &b.Footer: in.Footer, &b.Help: in.Help} {
		if v != nil {
			*to = *v
		}
	}
	if in.Logo != nil {
		if b.Logo, err = base64.StdEncoding.DecodeString(*in.Logo); err != nil {
			return refuse(dayone.ErrInvalid, textLogoBase64)
		}
	}
	out, err := p.flow.SetBrand(r.Context(), b, me(r).Name, in.DryRun)
	if err != nil {
		if kind := dayone.KindOf(err); kind == dayone.ErrInvalid || kind == dayone.ErrConflict {
			return refuse(kind, sentence(flow.Problem(err))+".")
		}
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIBrand(out))
}

func (p *portal) apiBrandingBack(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Version int64 `json:"version"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	out, err := p.flow.BrandBack(r.Context(), in.Version, me(r).Name)
	if err != nil {
		return speaking(err)
	}
	return answerJSON(w, http.StatusOK, newAPIBrand(out))
}
