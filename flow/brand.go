package flow

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// How the company looks. It is kept as versions, of which the latest counts: to go back is to keep an older one again.

const (
	mostBrands = 20 // versions that are shown
	maxFooter  = 600
	maxCompany = 80
)

// Brand is how the company looks now.
func (f *Flow) Brand(ctx context.Context) (dayone.Brand, error) {
	b, err := f.Store.Brand(ctx)
	if err == nil {
		f.looks.Store(&b)
	}
	return b, err
}

// Brands are the latest ways it looked, the newest first.
func (f *Flow) Brands(ctx context.Context) ([]dayone.Brand, error) {
	return f.Store.Brands(ctx, mostBrands)
}

// Looks is Brand as it was last read: what every page and every mail asks.
func (f *Flow) Looks(ctx context.Context) dayone.Brand {
	if b := f.looks.Load(); b != nil {
		return *b
	}
	b, err := f.Brand(ctx)
	if err != nil {
		f.Log.Warn("how the company looks cannot be read; it looks like ours", "error", err)
		return dayone.Brand{}
	}
	return b
}

// CompanyName is how the company is called.
func (f *Flow) CompanyName(ctx context.Context) string {
	return cmp.Or(f.Looks(ctx).Company, f.Company)
}

// underMail puts below a mail what the company says below each.
func (f *Flow) underMail(ctx context.Context, text string) string {
	footer := f.Looks(ctx).Footer
	if footer == "" {
		return text
	}
	return strings.TrimRight(text, "\n") + "\n\n-- \n" + footer + "\n"
}

// helpFacts are the facts of a site, with the company's help where the site has none.
func (f *Flow) helpFacts(ctx context.Context, facts map[string]string) map[string]string {
	help := f.Looks(ctx).Help
	if help == "" || facts["help"] != "" {
		return facts
	}
	out := map[string]string{"help": help}
	for k, v := range facts {
		out[k] = v
	}
	return out
}

// SetBrand keeps how the company looks from now on. With dry it is only judged. b.Seq is that of what was changed: if somebody
// else was faster, nothing is kept. The result is what counts then.
func (f *Flow) SetBrand(ctx context.Context, b dayone.Brand, by string, dry bool) (dayone.Brand, error) {
	if err := checkBrand(&b); err != nil || dry {
		return b, err
	}
	was, err := f.Brand(ctx)
	if err != nil {
		return b, err
	}
	if b.Seq != was.Seq {
		return b, fmt.Errorf("somebody else has changed it meanwhile; look at it again: %w", dayone.ErrConflict)
	}
	return f.keepBrand(ctx, was, b, by)
}

// BrandBack makes count again how the company looked before.
func (f *Flow) BrandBack(ctx context.Context, seq int64, by string) (dayone.Brand, error) {
	was, err := f.Brand(ctx)
	if err != nil {
		return was, err
	}
	b := dayone.Brand{}
	if seq != 0 { // 0: as it was before anybody said how
		if b, err = f.Store.BrandOf(ctx, seq); err != nil {
			return b, err
		}
	}
	return f.keepBrand(ctx, was, b, by)
}

func (f *Flow) keepBrand(ctx context.Context, was, b dayone.Brand, by string) (dayone.Brand, error) {
	b.Note = brandChange(was, b)
	if b.Note == "" {
		return was, fmt.Errorf("this is how it looks already: %w", dayone.ErrInvalid)
	}
	b.Seq, b.At, b.By = was.Seq+1, f.Clock.Now(), by
	rec := dayone.Record{At: b.At, What: "branding changed", By: by, Detail: &dayone.Detail{Note: fmt.Sprintf("version %d: %s", b.Seq, b.Note)}}
	if err := f.Store.AddBrand(ctx, b, rec); err != nil {
		return b, err
	}
	f.looks.Store(&b)
	return b, nil
}

// brandChange says what differs.
func brandChange(was, b dayone.Brand) string {
	var out []string
	for _, x := range []struct{ name, was, is string }{
		{"company name", was.Company, b.Company},
		{"accent", was.Accent + was.Night, b.Accent + b.Night},
		{"mail footer", was.Footer, b.Footer},
		{"help", was.Help, b.Help},
		{"logo", was.LogoType + string(was.Logo), b.LogoType + string(b.Logo)},
	} {
		if x.was != x.is {
			out = append(out, x.name)
		}
	}
	return strings.Join(out, ", ")
}

// checkBrand gives Faulty: what is wrong, by field.
func checkBrand(b *dayone.Brand) error {
	faults := Faulty{}
	bad := func(field, format string, args ...any) { faults[field] = fmt.Sprintf(format, args...) }
	b.Company, b.Footer, b.Help = strings.TrimSpace(b.Company), strings.TrimSpace(strings.ReplaceAll(b.Footer, "\r\n", "\n")), strings.TrimSpace(b.Help)
	b.Accent, b.Night = strings.ToLower(strings.TrimSpace(b.Accent)), strings.ToLower(strings.TrimSpace(b.Night))
	switch {
	case utf8.RuneCountInString(b.Company) > maxCompany:
		bad("company", "the name has more than %d characters", maxCompany)
	case strings.ContainsFunc(b.Company, unicode.IsControl), !dayone.Legible(b.Company):
		bad("company", "the name has characters that cannot be shown")
	}
	switch {
	case utf8.RuneCountInString(b.Footer) > maxFooter:
		bad("footer", "the mail footer has more than %d characters", maxFooter)
	case strings.ContainsFunc(b.Footer, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }), !dayone.Legible(b.Footer):
		bad("footer", "the mail footer has characters that cannot be sent")
	}
	if b.Help != "" && !helpAddress(b.Help) {
		bad("help", "help is %q; write it@company.com or https://help.company.com", b.Help)
	}
	checkColours(b, bad)
	if err := checkLogo(b); err != nil {
		bad("logo", "%v", err)
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}
