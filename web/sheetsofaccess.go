package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

func (p *portal) poolsSheet(r *http.Request, zone *time.Location) (sheet, error) {
	view := p.viewerOf(r)
	list, err := p.flow.NumberPools(r.Context())
	if err != nil {
		return sheet{}, err
	}
	type row = flow.PoolView
	count := func(head string, of func(row) int) column[row] {
		return column[row]{head, func(x row) string { return strconv.Itoa(of(x)) }}
	}
	columns := []column[row]{
		{"Pool", func(x row) string { return x.Name }},
		{"Title", func(x row) string { return x.Title }},
		{"Platform", func(x row) string { return x.Platform }},
		{"Partition", func(x row) string { return x.Partition }},
		{"Site", func(x row) string { return x.Site }},
		{"Class", func(x row) string { return x.Class }},
		count("Numbers", func(x row) int { return x.Total }), count("Can be given", func(x row) int { return x.Given }),
	}
	for _, w := range numberWords {
		columns = append(columns, count(numberState(w.state).Text, func(x row) int { return x.Count[w.state] }))
	}
	columns = append(columns, count("People to come", func(x row) int { return x.Outlook.Needs }), count("Too few by", func(x row) int { return x.Outlook.Short }),
		column[row]{"Exhausted", func(x row) string { return dayIn(x.Outlook.Exhausted, zone) }}, column[row]{"Outlook", func(x row) string { s, _ := outlook(view, x); return view.label(s.Text) }})
	return sheetOf("pools", whole(list), columns...), nil
}

// sessionsSheet are the sessions that whoever asks may see. What opens one is not known here, only its id.
func (p *portal) sessionsSheet(r *http.Request, zone *time.Location) (sheet, error) {
	z := inZone{zone}
	list, here := p.access.in(r, me(r))
	type row = session
	return sheetOf("sessions", whole(list),
		column[row]{"Id", func(x row) string { return x.id }}, column[row]{"Login", func(x row) string { return x.who.Name }}, column[row]{"Role", func(x row) string { return string(x.who.Role) }},
		column[row]{"From", func(x row) string { return x.from }}, column[row]{"Browser", func(x row) string { return x.agent }},
		column[row]{z.head("Began"), func(x row) string { return z.at(x.began) }}, column[row]{z.head("Seen"), func(x row) string { return z.at(x.seen) }},
		column[row]{"This one", func(x row) string { return yesNo(x.id == here) }},
	), nil
}

// tokensSheet are the tokens of programs, without what opens with them, which nobody has but who was given it.
func (p *portal) tokensSheet(r *http.Request, zone *time.Location) (sheet, error) {
	z := inZone{zone}
	list, err := p.flow.Tokens(r.Context())
	if err != nil {
		return sheet{}, err
	}
	left, err := p.makersGone(r.Context(), list)
	if err != nil {
		return sheet{}, err
	}
	type row = dayone.APIToken
	return sheetOf("tokens", whole(list),
		column[row]{"Id", func(x row) string { return x.ID }}, column[row]{"Name", func(x row) string { return x.Name }}, column[row]{"Role", func(x row) string { return string(x.Role) }},
		column[row]{"Countries", func(x row) string { return strings.Join(x.Reach.Countries, ", ") }}, column[row]{"Companies", func(x row) string { return strings.Join(x.Reach.Companies, ", ") }}, column[row]{"Systems", func(x row) string { return strings.Join(x.Reach.Systems, ", ") }},
		column[row]{"Made by", func(x row) string { return x.By }}, column[row]{"Who made it has left", func(x row) string { return yesNo(left[x.By]) }},
		column[row]{z.head("Made"), func(x row) string { return z.at(x.Made) }}, column[row]{z.head("Expires"), func(x row) string { return z.at(x.Expires) }}, column[row]{z.head("Used"), func(x row) string { return z.at(x.Used) }},
		column[row]{z.head("Ended"), func(x row) string { return z.at(x.Ended) }}, column[row]{"Ended by", func(x row) string { return x.EndedBy }},
	), nil
}
