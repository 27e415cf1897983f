package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

type announcedRow struct {
	Item item
}

type announceForm struct {
	Sources                        []option
	Count, From, Until, By, Reason field
	Says                           string // from when on it counts
}

// announcedLayOff is an announcement, and what is to be done about it.
type announcedLayOff struct {
	dayone.Announcement
	Waits, Two bool // it lets nobody pass yet, and no notice will change that
	Mine       bool // whoever looks may be who announced it, and confirms nothing
}

// layOffs are announcements as whoever asks can see to them.
func (p *portal) layOffs(r *http.Request, list []dayone.Announcement) ([]announcedLayOff, error) {
	var out []announcedLayOff
	for _, a := range list {
		x := announcedLayOff{Announcement: a, Waits: p.flow.Waits(a), Two: p.flow.TwoPersons}
		if x.Waits {
			mine, err := p.flow.Announces(r.Context(), a)
			if err != nil {
				return nil, err
			}
			x.Mine = mine
		}
		out = append(out, x)
	}
	return out, nil
}

func (a announcedLayOff) item(view viewer) item {
	by := a.By
	if a.Second != "" {
		by = view.list([]string{a.By, a.Second})
	}
	it := item{
		Title: link{view.say("%s: %s, %d of them so far", a.Source, view.plural(a.Count, "1 more may leave", "%d more may leave"), a.Used), ""},
		Meta:  view.say("%s to %s; %s: %s", view.at(a.From).Text, view.at(a.Until).Text, by, a.Reason),
	}
	if a.Waits {
		waits := state{Icon: "hand", Class: "s-wait", Text: "Waits for a second person"}
		switch {
		case a.Two || a.Counts.IsZero():
			it.Next = view.label("Nobody passes by it before somebody else with a login of their own confirms it.")
		case !a.Counts.Before(a.Until):
			it.Next = view.label("Its days are over before it counts by itself: somebody else has to confirm it.")
		default:
			waits.Icon, waits.Text = "clock", "Waits for its notice"
			it.Next = view.say("It counts from %s on unless somebody takes it back, and at once if somebody else confirms it.", view.at(a.Counts).Text)
		}
		if it.State = &waits; !a.Mine {
			it.Acts = append(it.Acts, act{Text: "Confirm", Action: "/brakes/announcements/" + a.ID + "/confirm"})
		}
	}
	it.Acts = append(it.Acts, act{Text: "Take back", Action: "/brakes/announcements/" + a.ID + "/end"})
	return it
}

// saysAlone is what becomes of what one person announces.
func saysAlone(view viewer, notice time.Duration) string {
	return view.say("It counts after %s; until then everybody sees it and can take it back. Once somebody else confirms it, it counts at once.", view.hours(notice))
}

// layOff is an announcement as somebody typed it.
type layOff struct {
	Source string `json:"source"`
	Count  int    `json:"count"`
	From   string `json:"from"`
	Until  string `json:"until"`
	Reason string `json:"reason"`
	By     string `json:"by"`
}

func (p *portal) layOff(r *http.Request, in layOff) (dayone.Announcement, error) {
	a := dayone.Announcement{Source: in.Source, Count: in.Count, Reason: in.Reason, By: in.By}
	zone := p.zoneOf("")
	for _, d := range []struct {
		text string
		to   *time.Time
		days int
	}{{in.From, &a.From, 0}, {in.Until, &a.Until, 1}} { // a last day counts to its end
		day, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(d.text), zone)
		if err != nil {
			return a, fmt.Errorf("%q is no day; write 2025-01-31: %w", d.text, dayone.ErrInvalid)
		}
		*d.to = day.AddDate(0, 0, d.days)
	}
	return p.flow.Announce(r.Context(), a)
}

func (p *portal) announce(w http.ResponseWriter, r *http.Request) error {
	in := layOff{Source: r.PostFormValue("source"), From: r.PostFormValue("from"), Until: r.PostFormValue("until"), Reason: r.PostFormValue("reason"), By: r.PostFormValue("by")}
	_, _ = fmt.Sscan(r.PostFormValue("count"), &in.Count) // none is refused below
	a, err := p.layOff(r, in)
	if refused(err) {
		return p.showBrakes(w, r, http.StatusConflict, notDone(p.viewerOf(r), err))
	}
	if err != nil {
		return err
	}
	p.said(w, r, "/brakes", "layoff", &takeBack{Action: "/brakes/announcements/" + a.ID + "/end"})
	return nil
}

func (p *portal) endAnnouncement(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.EndAnnouncement(r.Context(), r.PathValue("id"), me(r).Name); err != nil {
		return err
	}
	http.Redirect(w, r, "/brakes?said=layoff+ended", http.StatusSeeOther)
	return nil
}

func (p *portal) confirmAnnouncement(w http.ResponseWriter, r *http.Request) error {
	_, err := p.flow.ConfirmAnnouncement(r.Context(), r.PathValue("id"), "")
	if refused(err) {
		return p.showBrakes(w, r, http.StatusConflict, notDone(p.viewerOf(r), err))
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/brakes?said=layoff+confirmed", http.StatusSeeOther)
	return nil
}
