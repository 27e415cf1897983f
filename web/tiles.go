package web

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// tileRow is one number of a system, with how old it is.
type tileRow struct {
	Title, System string
	Value, Small  string
	Href          string // in the vendor's console
	State         *state
	At            *stamp
	Note          string
}

// shown are the tiles of the dashboard; there are none if they cannot be had now: the rest of the page is worth more.
func (p *portal) shown(r *http.Request) []tileRow {
	list, err := p.flow.Tiles(r.Context())
	if err != nil {
		p.log.Warn("no tiles", "error", err)
		return nil
	}
	return newTiles(p.viewerOf(r), list, p.titles())
}

func newTiles(view viewer, list []flow.Shown, titles map[string]string) []tileRow {
	var out []tileRow
	for _, s := range list {
		system := cmp.Or(s.Title, systemTitle(titles, s.System))
		if len(s.Tiles) == 0 && s.Problem != "" {
			out = append(out, tileRow{Title: system, Value: view.label("unknown"), State: &state{Icon: "warn", Class: "s-wait", Text: "Not readable"}, Note: sentence(view.heard(s.Problem)) + "."})
		}
		for _, t := range s.Tiles {
			row := tileRow{Title: t.Title, System: system, Value: view.in.Number(t.Value), Small: view.label(t.Unit), At: view.at(s.Read)}
			if t.AtLeast {
				row.Value += "+"
			}
			if t.Of > 0 {
				row.Small = view.say("of %s %s", view.in.Number(t.Of), view.label(t.Unit))
			}
			if strings.HasPrefix(t.Link, "https://") || strings.HasPrefix(t.Link, "/numbers/") {
				row.Href = t.Link
			}
			switch {
			case s.Problem == "" && view.now.Sub(s.Read) > flow.TilesOld:
				row.State = &state{Icon: "clock", Text: "As it was then"}
			case s.Problem != "":
				row.State, row.Note = &state{Icon: "warn", Class: "s-wait", Text: "Not readable since"}, sentence(view.heard(s.Problem))+"."
			case t.State == dayone.TileNone:
				row.State = &state{Icon: "x", Class: "s-fail", Text: "None left"}
			case t.State == dayone.TileLow:
				row.State = &state{Icon: "warn", Class: "s-wait", Text: "Few left"}
			}
			out = append(out, row)
		}
	}
	return out
}

// The API's own words.

type apiTile struct {
	System  string           `json:"system"`
	Title   string           `json:"title"`
	Value   int              `json:"value"`
	AtLeast bool             `json:"at_least,omitempty"`
	Of      int              `json:"of,omitempty"`
	Unit    string           `json:"unit"`
	State   dayone.TileState `json:"state,omitempty"`
	Link    string           `json:"link,omitempty"`
	Read    *time.Time       `json:"read,omitempty"`
	Problem string           `json:"problem,omitempty"`
}

func (p *portal) apiTiles(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Tiles(r.Context())
	if err != nil {
		return err
	}
	out := struct {
		Items      []apiTile         `json:"items"`
		Unreadable map[string]string `json:"unreadable"` // systems of which nothing was read yet, and why
	}{[]apiTile{}, map[string]string{}}
	for _, s := range list {
		if len(s.Tiles) == 0 && s.Problem != "" {
			out.Unreadable[s.System] = s.Problem
		}
		for _, t := range s.Tiles {
			out.Items = append(out.Items, apiTile{s.System, t.Title, t.Value, t.AtLeast, t.Of, t.Unit, t.State, t.Link, moment(s.Read), s.Problem})
		}
	}
	return answerJSON(w, http.StatusOK, out)
}

func sampleTiles(now time.Time) []flow.Shown {
	return []flow.Shown{
		{System: "duo", Title: "Duo", Read: now.Add(-3 * time.Hour), Problem: "unavailable", Tiles: []dayone.Tile{{Title: "Duo users", Value: 1306, Unit: "users", Link: "https://admin.duosecurity.com/users"}}},
		{System: "meraki", Title: "Meraki", Problem: "not allowed in: check the key"},
		{System: "webex", Title: "Webex", Read: now.Add(-2 * time.Minute), Tiles: []dayone.Tile{
			{Title: "Webex users", Value: 98765, Unit: "users", Link: "https://admin.webex.com/users"},
			{Title: "Webex devices", Value: 2000, AtLeast: true, Unit: "devices"},
			{Title: "Webex Calling - Professional", Value: 3, Of: 50, Unit: "seats left", State: dayone.TileLow},
			{Title: "Messaging", Of: 50, Unit: "seats left", State: dayone.TileNone},
		}},
	}
}
