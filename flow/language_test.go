package flow_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/flow"
)

// Each reads a message in her own language: the new hire the one that HR knows of her, her manager hers, and everybody else the
// company's.
func TestEachReadsHerOwnLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) {
		d.PreHire = flow.PreHireSettings{Ask: []string{"mobile"}}
		d.Language = "de"
	}
	h := w.open()
	h.judged(h.hears(h.hr.Put(employee("9", "locale", "en-US")))[0].ID)
	h.hears(h.hr.Put(employee("1", "personal_email", "erin@home.example", "start_date", "2024-12-02")))
	h.hears(h.hr.Put(employee("2", "personal_email", "lee@home.example", "locale", "en", "start_date", "2024-12-02")))
	h.hires(employee("3", "manager_email", "e9@company.com", "start_date", "2024-11-16"))
	h.hires(employee("4", "manager_email", "stranger@company.com", "start_date", "2024-11-16"))
	for _, c := range []struct{ to, subject, text string }{
		{"erin@home.example", "Bevor Sie bei Company anfangen", "Montag, 2. Dezember"},
		{"lee@home.example", "Before you start at Company", "Monday, Dec 2"},
		{"e9@company.com", "starts Saturday", "Access provisioned"},
		{"stranger@company.com", "beginnt am Samstag", "Zugänge sind vergeben"},
	} {
		until(h, c.to+" reads "+c.subject, func() (bool, bool) {
			for _, m := range h.mail.Messages() {
				if slices.Contains(m.To, c.to) && strings.Contains(m.Subject, c.subject) {
					if !strings.Contains(m.Text, c.text) {
						t.Errorf("%s reads\n%s", c.to, m.Text)
					}
					return true, true
				}
			}
			return false, false
		})
	}
}
