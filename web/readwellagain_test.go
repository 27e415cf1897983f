package web

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
)

// A pool is called by its title wherever somebody reads of it, and by its id only where it has none.
func TestAPoolIsCalledByItsTitle(t *testing.T) {
	t.Parallel()
	view := viewer{zone: time.UTC, now: noon}
	for title, want := range map[string]string{"Berlin direct dial": "Berlin direct dial", "": "Pool berlin"} {
		if got := nextNumber(view, flow.NumberGiven{Number: dayone.Number{ID: "+493012340017", Pool: "berlin"}, Title: title}); got.Meta != want {
			t.Errorf("the next number is one of %q, want %q", got.Meta, want)
		}
		low := flow.FindingView{Title: title}
		low.Kind, low.Pool = "low", "berlin"
		if got := newNumberAudit(view, flow.NumberAudit{Findings: []flow.FindingView{low}}).Groups[0].Rows[0].Title.Text; got != want {
			t.Errorf("a finding is about %q, want %q", got, want)
		}
	}
}

// A line of its own begins with a capital, whatever made it.
func TestLinesBeginWithACapital(t *testing.T) {
	t.Parallel()
	things, _ := ownThings(viewer{zone: time.UTC, now: noon}, flow.Belongings{
		Numbers: []flow.PersonNumber{{NumberView: flow.NumberView{Number: dayone.Number{ID: "+493012340017", State: dayone.NumberReserved}}}},
		Devices: []flow.PersonDevice{{Name: "SEP001", Serial: "C02XK1"}, {Name: "SEP002", On: true}},
	})
	for _, x := range things {
		if x.Note != sentence(x.Note) {
			t.Errorf("it is noted %q", x.Note)
		}
	}
	in := dayone.Intake{Event: dayone.Event{ID: "evt_01jd9x0000000000000000000a", Type: dayone.Hired}, State: dayone.EventApplied, Note: "planned termination"}
	none := func(dayone.Intake) link { return link{} }
	for tag, want := range map[string]string{"en": "Planned termination", "de": "Geplanter Austritt"} {
		view := viewer{zone: time.UTC, now: noon, in: locale.Of(tag)}
		if got := newEvents(view, []dayone.Intake{in}, nil, "", func(dayone.PersonID) flow.Row { return flow.Row{} }, none).Rows[0].Note; got != want {
			t.Errorf("%s: an event is noted %q, want %q", tag, got, want)
		}
	}
}

// Whoever starts nobody is told so once, and a message that cannot be written is read by nobody.
func TestNothingIsSaidTwice(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"onboard-empty", "onboard-none"} {
		reads(t, name, pageOf(t, name), `<p class="vh" role="status">`)
	}
	reads(t, "onboard", pageOf(t, "onboard"), `<p class="muted small after" role="status">`)
	readsNot(t, "a message that cannot be written", pageOf(t, "message-broken"), "As it reads for")
	reads(t, "a message", pageOf(t, "message"), "As it reads for")
	readsNot(t, "a telephone system of which nothing is to be adopted", pageOf(t, "number-platform-fine"), `class="btn btn-primary" name="do" value="check"`)
	reads(t, "a telephone system", pageOf(t, "number-platform"), `class="btn btn-primary" name="do" value="check"`)
	reads(t, "no number", pageOf(t, "numbers-none"), `href="/numbers/all"`, "Show all numbers")
}

// The page of a pool has its facts below the ranges, and its days as other pages; the text that a plan begins with is as wide as
// its editor.
func TestAPoolReadsWell(t *testing.T) {
	t.Parallel()
	page := pageOf(t, "number-pool")
	if facts, give := strings.Index(page, `id="h-facts"`), strings.Index(page, `id="h-give"`); facts < 0 || give < facts {
		t.Errorf("the facts stand at %d, the form at %d", facts, give)
	}
	if day := regexp.MustCompile(`, from \d`).FindString(page); day != "" {
		t.Errorf("a range is ours%s", day)
	}
	for line := range strings.Lines(newNumberPlanText) {
		if len(line) > 80 {
			t.Errorf("too wide: %s", line)
		}
	}
	german := viewer{zone: time.UTC, now: noon, in: locale.Of("de")}
	for text, want := range map[string]string{
		"somebody who left has it (sure: own number of hblaine, mail address); 1 device of others shows it, too": "jemand Ausgeschiedenes hat sie (sicher: eigene Nummer von hblaine, E-Mail-Adresse); 1 Gerät anderer zeigt sie auch",
		"somebody who left has it (sure: own number of hblaine, mail address); 3 devices of others show it, too": "jemand Ausgeschiedenes hat sie (sicher: eigene Nummer von hblaine, E-Mail-Adresse); 3 Geräte anderer zeigen sie auch",
	} {
		if got := german.heard(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
