package flow

import (
	"context"
	"errors"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/locale"
	"github.com/dayone-hq/dayone/people"
)

// localeAttr is where people.yaml keeps which language somebody reads.
const localeAttr = "locale"

// reads is the language of those to whom a message goes: their own, if all of them read the same one; "": nobody knows, or it
// is none that there is, so the company's counts. p is whom it is about, who may be one of them.
func (f *Flow) reads(ctx context.Context, to []string, p dayone.Person) (string, error) {
	tag := ""
	for i, mail := range to {
		one, err := f.readsOne(ctx, mail, p)
		if err != nil {
			return "", err
		}
		if i > 0 && one != tag {
			return "", nil
		}
		tag = one
	}
	return tag, nil
}

func (f *Flow) readsOne(ctx context.Context, mail string, p dayone.Person) (string, error) {
	if mail == "" || !strings.EqualFold(mail, p.Attrs.Text("email")) && !strings.EqualFold(mail, p.Attrs.Text("personal_email")) {
		row, err := f.Store.PersonByEmail(ctx, mail)
		if errors.Is(err, dayone.ErrNotFound) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		t, err := f.Store.Timeline(ctx, row.ID)
		if errors.Is(err, dayone.ErrNotFound) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		now := f.Clock.Now()
		p = people.At(&t, now, now, f.Active())
	}
	tag := p.Attrs.Text(localeAttr)
	if l := locale.Of(tag); l != nil {
		return l.Tag(), nil
	}
	if strings.HasPrefix(strings.ToLower(tag), locale.Source) {
		return locale.Source, nil
	}
	return "", nil
}
