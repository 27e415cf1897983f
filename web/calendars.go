package web

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

type calendarsView struct {
	Calendars []calendarView
	Empty     *empty
	Uses      []pair
	Problem   *notice
	Country   string
	Text      string
	May       bool // import
}

type calendarView struct {
	Country, Name, Sites string
	Count                string
	Next                 string
	Years                []calendarYear
}

type calendarYear struct {
	Year string
	Days []pair
}

func (p *portal) calendars(w http.ResponseWriter, r *http.Request) error {
	return p.showCalendars(w, r, http.StatusOK, calendarsView{})
}

func (p *portal) showCalendars(w http.ResponseWriter, r *http.Request, status int, v calendarsView) error {
	v.Calendars = newCalendars(p.viewerOf(r), p.flow.Calendars(), p.now())
	v.Uses, v.May = calendarUses(p.viewerOf(r)), p.shows(r, "POST /settings/calendars")
	if len(v.Calendars) == 0 {
		v.Empty = &empty{Icon: "calendar", Title: "No calendars yet", Text: textCalendarsNone}
	}
	return p.show(w, r, status, page{Template: "calendars", Title: "Calendars", Nav: "settings", Crumbs: []link{{"Settings", "/settings"}, {"Calendars", ""}}, Main: v})
}

func newCalendars(view viewer, list []flow.Calendar, now time.Time) []calendarView {
	var out []calendarView
	today := now.Format(time.DateOnly)
	for _, c := range list {
		v := calendarView{Country: c.Country, Name: cmp.Or(view.in.Country(c.Country), textNoCountry), Sites: strings.Join(c.Sites, ", "), Count: plural(len(c.Days), "1 holiday", "%d holidays")}
		for _, d := range c.Days {
			day, err := time.Parse(time.DateOnly, d.Day)
			if err != nil {
				continue
			}
			name := cmp.Or(d.Name, view.label("Holiday"))
			if d.Site != "" {
				name = view.say(textOnlyAt, name, d.Site)
			}
			if v.Next == "" && d.Day >= today {
				v.Next = view.say(textNextHoliday, name, view.in.Time(day, "Mon 2 Jan 2006"))
			}
			if n := len(v.Years); n == 0 || v.Years[n-1].Year != d.Day[:4] {
				v.Years = append(v.Years, calendarYear{Year: d.Day[:4]})
			}
			y := &v.Years[len(v.Years)-1]
			y.Days = append(y.Days, pair{Name: view.in.Time(day, "Mon 2 Jan"), Value: name})
		}
		if v.Next == "" {
			v.Next = textNoHolidays
		}
		out = append(out, v)
	}
	return out
}

// bringCalendar shows what a calendar makes of the file of holidays, in the editor in which it is proposed.
func (p *portal) bringCalendar(w http.ResponseWriter, r *http.Request) error {
	name, raw, err := upload(r, "file", "text")
	if err != nil {
		return err
	}
	country := r.PostFormValue("country")
	got, err := p.flow.BringCalendar(country, name, raw)
	if err == nil && got.Same {
		err = fmt.Errorf("this is what stands there already: %w", dayone.ErrInvalid)
	}
	if err != nil {
		if dayone.KindOf(err) == nil {
			return err
		}
		return p.showCalendars(w, r, http.StatusUnprocessableEntity, calendarsView{
			Problem: &notice{Kind: "bad", Icon: "x", Title: "Nothing was brought in", Text: plainError(err)}, Country: country, Text: string(raw),
		})
	}
	d, err := p.flow.JudgeFile(r.Context(), policy.HolidaysFile, got.Text)
	if err != nil {
		return err
	}
	v := editorView{File: policy.HolidaysFile, Text: got.Text, Note: calendarNote(got), Judged: newJudgement(d, policy.HolidaysFile)}
	v.Judged.Summary = calendarSays(got) + " " + v.Judged.Summary
	return p.showEditor(w, r, http.StatusOK, v, nil)
}

func calendarNote(c flow.NewCalendar) string {
	return fmt.Sprintf(textCalendarNote, c.Country, strings.Join(c.Years, ", "))
}

func calendarSays(c flow.NewCalendar) string {
	return fmt.Sprintf(textCalendarSays, c.Country, plural(c.Days, "1 day", "%d days"), len(c.New), len(c.Gone))
}

type apiCalendar struct {
	Country string       `json:"country"`
	Sites   []string     `json:"sites"`
	Days    []apiHoliday `json:"days"`
}

type apiHoliday struct {
	Day  string `json:"day"`
	Name string `json:"name,omitempty"`
	Site string `json:"site,omitempty"`
}

func (p *portal) apiCalendars(w http.ResponseWriter, _ *http.Request) error {
	out := apiPage[apiCalendar]{Items: []apiCalendar{}}
	for _, c := range p.flow.Calendars() {
		row := apiCalendar{Country: c.Country, Sites: append([]string{}, c.Sites...), Days: []apiHoliday{}}
		for _, d := range c.Days {
			row.Days = append(row.Days, apiHoliday{d.Day, d.Name, d.Site})
		}
		out.Items = append(out.Items, row)
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiBringCalendar(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Country string `json:"country"`
		Name    string `json:"name"`
		Text    string `json:"text"`
		Note    string `json:"note"`
		DryRun  bool   `json:"dry_run"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	got, err := p.flow.BringCalendar(in.Country, in.Name, []byte(in.Text))
	if err != nil {
		return refuse(dayone.KindOf(err), plainError(err))
	}
	out := struct {
		Country string   `json:"country"`
		Years   []string `json:"years"`
		Days    int      `json:"days"`
		New     []string `json:"new"`
		Gone    []string `json:"gone"`
		Text    string   `json:"text"`
		Summary string   `json:"summary"`
		Version string   `json:"version,omitempty"`
	}{got.Country, got.Years, got.Days, append([]string{}, got.New...), append([]string{}, got.Gone...), got.Text, calendarSays(got), ""}
	status := http.StatusOK
	if !in.DryRun && !got.Same {
		v, err := p.flow.Propose(r.Context(), policy.HolidaysFile, got.Text, me(r).Name, cmp.Or(strings.TrimSpace(in.Note), calendarNote(got)))
		if err != nil {
			return err
		}
		out.Version, status = v.ID, http.StatusCreated
	}
	return answerJSON(w, status, out)
}
