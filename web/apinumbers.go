package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type apiNumber struct {
	ID        dayone.NumberID    `json:"id"`
	Pool      string             `json:"pool,omitempty"`
	Range     string             `json:"range,omitempty"`
	Platform  string             `json:"platform,omitempty"`
	Partition string             `json:"partition,omitempty"`
	Pattern   string             `json:"pattern"`
	E164      string             `json:"e164,omitempty"`
	State     dayone.NumberState `json:"state"`
	Since     *time.Time         `json:"since,omitempty"`
	Used      *time.Time         `json:"used,omitempty"`
	Until     *time.Time         `json:"until,omitempty"`
	Person    dayone.PersonID    `json:"person,omitempty"`
	Name      string             `json:"name,omitempty"`
	Hidden    bool               `json:"hidden,omitempty"`
	Last      dayone.PersonID    `json:"last,omitempty"`
	Vanity    bool               `json:"vanity,omitempty"`
	Confirmed *time.Time         `json:"confirmed,omitempty"`
	For       string             `json:"for,omitempty"`
	Ref       string             `json:"ref,omitempty"`
	Reason    string             `json:"reason,omitempty"`
	Emergency string             `json:"emergency,omitempty"`
	Why       string             `json:"why,omitempty"`
}

func newAPINumber(v flow.NumberView) apiNumber {
	n := v.Number
	return apiNumber{
		n.ID, n.Pool, n.Range, n.Platform, n.Partition, n.Pattern, n.E164, n.State, moment(n.Since), moment(n.Used), moment(n.Until), v.Owner, v.Name, v.Hidden, n.Last, n.Vanity,
		moment(n.Confirmed), n.For.Name, n.For.Ref, n.For.Reason, v.Location, "",
	}
}

type apiShown struct {
	Slot   int               `json:"slot"`
	Role   dayone.NumberRole `json:"role"`
	Person dayone.PersonID   `json:"person,omitempty"`
	Name   string            `json:"name,omitempty"`
	Device string            `json:"device,omitempty"`
	Since  *time.Time        `json:"since"`
}

type apiNumberEvent struct {
	Seq    int                `json:"seq"`
	At     *time.Time         `json:"at"`
	What   string             `json:"what"`
	From   dayone.NumberState `json:"from,omitempty"`
	To     dayone.NumberState `json:"to"`
	Person dayone.PersonID    `json:"person,omitempty"`
	Name   string             `json:"name,omitempty"`
	By     string             `json:"by,omitempty"`
	Note   string             `json:"note,omitempty"`
}

type apiNumberDetail struct {
	apiNumber
	Shown   []apiShown       `json:"shown"`
	History []apiNumberEvent `json:"history"`
}

type apiRange struct {
	First     string         `json:"first,omitempty"`
	Last      string         `json:"last,omitempty"`
	Carrier   string         `json:"carrier,omitempty"`
	Contract  string         `json:"contract,omitempty"`
	Trunk     string         `json:"trunk,omitempty"`
	Port      string         `json:"port,omitempty"`
	From      string         `json:"from,omitempty"`
	Until     string         `json:"until,omitempty"`
	Emergency string         `json:"emergency,omitempty"`
	Shut      string         `json:"shut,omitempty"`
	Total     int            `json:"total"`
	Count     map[string]int `json:"count"`
	Map       []apiCell      `json:"map,omitempty"`
}

type apiCell struct {
	First dayone.NumberID `json:"first"`
	Last  dayone.NumberID `json:"last"`
	Count map[string]int  `json:"count"`
}

type apiPool struct {
	Name       string         `json:"name"`
	Title      string         `json:"title,omitempty"`
	Platform   string         `json:"platform"`
	Partition  string         `json:"partition,omitempty"`
	Country    string         `json:"country,omitempty"`
	Site       string         `json:"site,omitempty"`
	Class      string         `json:"class,omitempty"`
	Line       string         `json:"line_class,omitempty"`
	Emergency  string         `json:"emergency"`
	When       string         `json:"when,omitempty"`
	Total      int            `json:"total"`
	Free       int            `json:"free"`
	Low        int            `json:"low"`
	Count      map[string]int `json:"count"`
	Needs      int            `json:"needs"`
	Short      int            `json:"short"`
	ShortFrom  *time.Time     `json:"short_from,omitempty"`
	PerMonth   float64        `json:"per_month"`
	Exhausted  *time.Time     `json:"exhausted,omitempty"`
	Quarantine string         `json:"quarantine"`
	Ranges     []apiRange     `json:"ranges"`
}

func countsOf(m map[dayone.NumberState]int) map[string]int {
	out := map[string]int{}
	for s, n := range m {
		out[string(s)] = n
	}
	return out
}

func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func newAPIPool(v flow.PoolView) apiPool {
	o := v.Outlook
	out := apiPool{
		v.Name, v.Title, v.Platform, v.Partition, v.Country, v.Site, v.Class, v.Service.Line, v.Emergency, v.When, v.Total, v.Given, v.Low, countsOf(v.Count), o.Needs, o.Short, moment(o.ShortAt),
		o.PerMonth, moment(o.Exhausted), daysOf(v.Quarantine),
		[]apiRange{},
	}
	for _, r := range v.Ranges {
		x := apiRange{First: r.First, Last: r.Last, Carrier: r.Carrier, Contract: r.Contract, Trunk: r.Trunk, Port: string(r.Port), From: dayText(r.From), Until: dayText(r.Until), Emergency: v.Location(r.First), Shut: r.Shut, Total: r.Total, Count: countsOf(r.Count)}
		out.Ranges = append(out.Ranges, x)
	}
	return out
}

// daysOf writes a length as numbers.yaml does.
func daysOf(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	return strconv.Itoa(int(d/time.Hour)) + "h"
}

// numberSaid puts an error about numbers into the answer: all of them are written for whoever asked. The log gets only its
// kind, since a number is somebody's.
func numberSaid(err error) error {
	if numberRefused(err) {
		return said(fmt.Errorf("about a number: %w", dayone.KindOf(err)), sentence(flow.Problem(err))+".")
	}
	return err
}

func (p *portal) apiPools(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.NumberPools(r.Context())
	if err != nil {
		return err
	}
	out := apiPage[apiPool]{Items: []apiPool{}}
	for _, v := range list {
		out.Items = append(out.Items, newAPIPool(v))
	}
	return answerJSON(w, http.StatusOK, out)
}

// cellsInMap is in how many cells at most a range is laid out.
const cellsInMap = 100

func (p *portal) apiPool(w http.ResponseWriter, r *http.Request) error {
	v, err := p.flow.NumberPool(r.Context(), r.PathValue("pool"))
	if err != nil {
		return numberSaid(err)
	}
	out := newAPIPool(v)
	for i := range out.Ranges {
		cells, err := p.flow.NumberMap(r.Context(), v.Name, out.Ranges[i].First, cellsInMap)
		if err != nil {
			return err
		}
		for _, c := range cells {
			out.Ranges[i].Map = append(out.Ranges[i].Map, apiCell{c.First, c.Last, countsOf(c.Count)})
		}
	}
	return answerJSON(w, http.StatusOK, out)
}

// numberFilter is which numbers are asked for.
func (p *portal) numberFilter(ctx context.Context, q url.Values, limit int) (flow.NumberFilter, error) {
	f := flow.NumberFilter{Pool: q.Get("pool"), Range: q.Get("range"), State: dayone.NumberState(q.Get("state")), Text: strings.TrimSpace(q.Get("q")), After: dayone.NumberID(q.Get("after")), Limit: limit}
	if len(f.Text) > 64 {
		return f, refuse(dayone.ErrInvalid, textLongNumber)
	}
	if who := q.Get("person"); who != "" {
		row, err := p.flow.Named(ctx, who)
		if err != nil {
			return f, numberSaid(err)
		}
		f.Owner = row.ID
	}
	return f, nil
}

func (p *portal) apiNumbers(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), apiLimit(r)
	f, err := p.numberFilter(r.Context(), q, limit+1)
	if err != nil {
		return err
	}
	list, err := p.flow.Numbers(r.Context(), f)
	if err != nil {
		return numberSaid(err)
	}
	out := apiPage[apiNumber]{Items: []apiNumber{}}
	if len(list) > limit {
		list = list[:limit]
		out.Next = numbersAfter("/api/v1/numbers", q, limit, list[limit-1].ID)
	}
	for _, v := range list {
		out.Items = append(out.Items, newAPINumber(v))
	}
	return answerJSON(w, http.StatusOK, out)
}

// numbersAfter is where a list of numbers goes on.
func numbersAfter(path string, q url.Values, limit int, last dayone.NumberID) string {
	next := url.Values{"after": {string(last)}, "limit": {strconv.Itoa(limit)}}
	for _, k := range []string{"q", "pool", "range", "state", "person"} {
		if v := q.Get(k); v != "" {
			next.Set(k, v)
		}
	}
	return address(path, next)
}

func (p *portal) apiNumber(w http.ResponseWriter, r *http.Request) error {
	id, err := p.flow.NumberID(r.Context(), r.PathValue("number"))
	if err != nil {
		return numberSaid(err)
	}
	return p.answerNumber(w, r, http.StatusOK, id)
}

// answerNumber answers with a number as it stands.
func (p *portal) answerNumber(w http.ResponseWriter, r *http.Request, status int, id dayone.NumberID) error {
	v, lines, err := p.flow.Number(r.Context(), id)
	if err != nil {
		return numberSaid(err)
	}
	out := apiNumberDetail{apiNumber: newAPINumber(v), Shown: []apiShown{}, History: []apiNumberEvent{}}
	for _, s := range v.Shown {
		out.Shown = append(out.Shown, apiShown{s.Slot, s.Role, s.Person, s.Name, s.Device, moment(s.Since)})
	}
	for _, e := range lines {
		out.History = append(out.History, apiNumberEvent{e.Seq, moment(e.At), e.What, e.From, e.To, e.Person, e.Name, e.By, e.Note})
	}
	return answerJSON(w, status, out)
}

// numberWish is what somebody asks for, as API and pages have it.
type numberWish struct {
	Person  string `json:"person"` // id, mail address or name
	Name    string `json:"name"`
	Ref     string `json:"ref"`
	Pool    string `json:"pool"`
	Number  string `json:"number"`
	Like    string `json:"like"`
	Another bool   `json:"another"`
	From    string `json:"from"`
	Until   string `json:"until"`
	Reason  string `json:"reason"`
}

// give reserves or assigns what a wish names.
func (p *portal) give(r *http.Request, in numberWish, assign bool) (flow.NumberGiven, error) {
	ctx := r.Context()
	w := flow.NumberWish{For: dayone.NumberNote{Name: in.Name, Ref: in.Ref}, Pool: strings.TrimSpace(in.Pool), Like: in.Like, Another: in.Another, By: me(r).Name, Reason: strings.TrimSpace(in.Reason)}
	zone := p.zoneOf("")
	for _, d := range []struct {
		text string
		to   *time.Time
		days int
	}{{in.From, &w.At, 0}, {in.Until, &w.Until, 1}} {
		if d.text = strings.TrimSpace(d.text); d.text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, d.text, zone)
		if err != nil {
			return flow.NumberGiven{}, fmt.Errorf("%q is no day; write 2025-01-31: %w", d.text, dayone.ErrInvalid)
		}
		*d.to = day.AddDate(0, 0, d.days)
	}
	if in.Number = strings.TrimSpace(in.Number); in.Number != "" {
		id, err := p.flow.NumberID(ctx, in.Number)
		if err != nil {
			return flow.NumberGiven{}, err
		}
		w.Number = id
	}
	if in.Person = strings.TrimSpace(in.Person); in.Person != "" {
		row, err := p.flow.Named(ctx, in.Person)
		if err != nil {
			return flow.NumberGiven{}, err
		}
		w.Person = row.ID
	}
	if assign {
		return p.flow.AssignNumber(ctx, w)
	}
	return p.flow.ReserveNumber(ctx, w)
}

func (p *portal) apiGive(assign bool) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var in numberWish
		if err := readJSON(r.Body, &in); err != nil {
			return err
		}
		got, err := p.give(r, in, assign)
		if err != nil {
			return numberSaid(err)
		}
		v, _, err := p.flow.Number(r.Context(), got.ID)
		if err != nil {
			return err
		}
		out := newAPINumber(v)
		out.Why = got.Why
		return answerJSON(w, http.StatusCreated, out)
	}
}

// numberOrder is what somebody says about one number, as API and pages have it.
type numberOrder struct {
	Reason string `json:"reason"`
	Heir   string `json:"heir"`
}

func (p *portal) orderNumber(r *http.Request, id dayone.NumberID, verb string, in numberOrder) error {
	o := flow.NumberOrder{By: me(r).Name, Reason: in.Reason}
	if err := o.Say(verb); err != nil {
		return err
	}
	if in.Heir = strings.TrimSpace(in.Heir); in.Heir != "" {
		row, err := p.flow.Named(r.Context(), in.Heir)
		if err != nil {
			return err
		}
		o.Heir = row.ID
	}
	_, err := p.flow.OrderNumber(r.Context(), id, o)
	return err
}

func (p *portal) apiOrderNumber(w http.ResponseWriter, r *http.Request) error {
	var in numberOrder
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	id, err := p.flow.NumberID(r.Context(), r.PathValue("number"))
	if err == nil {
		err = p.orderNumber(r, id, r.PathValue("verb"), in)
	}
	if err != nil {
		return numberSaid(err)
	}
	return p.answerNumber(w, r, http.StatusOK, id)
}

// showNumber says where a number rings besides at its owner's.
func (p *portal) showNumber(r *http.Request, id dayone.NumberID, role, person, device string) error {
	a := dayone.Appearance{Number: id, Role: dayone.NumberRole(role), Device: device}
	if person = strings.TrimSpace(person); person != "" {
		row, err := p.flow.Named(r.Context(), person)
		if err != nil {
			return err
		}
		a.Person = row.ID
	}
	_, err := p.flow.ShowNumber(r.Context(), a, me(r).Name)
	return err
}

func (p *portal) apiShowNumber(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Role   string `json:"role"`
		Person string `json:"person"`
		Device string `json:"device"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	id, err := p.flow.NumberID(r.Context(), r.PathValue("number"))
	if err == nil {
		err = p.showNumber(r, id, in.Role, in.Person, in.Device)
	}
	if err != nil {
		return numberSaid(err)
	}
	return p.answerNumber(w, r, http.StatusCreated, id)
}

func (p *portal) apiHideNumber(w http.ResponseWriter, r *http.Request) error {
	slot, err := strconv.Atoi(r.PathValue("slot"))
	if err != nil {
		return dayone.ErrNotFound
	}
	id, err := p.flow.NumberID(r.Context(), r.PathValue("number"))
	if err == nil {
		err = p.flow.HideNumber(r.Context(), id, slot, me(r).Name)
	}
	if err != nil {
		return numberSaid(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type apiNumberPlan struct {
	Seq  int        `json:"seq"`
	At   *time.Time `json:"at,omitempty"`
	By   string     `json:"by,omitempty"`
	Text string     `json:"text"`
}

func (p *portal) apiNumberPlan(w http.ResponseWriter, r *http.Request) error {
	plan, err := p.flow.NumberPlan(r.Context())
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, apiNumberPlan{plan.Seq, moment(plan.At), plan.By, plan.Text})
}

type apiPlanDraft struct {
	Saved  bool               `json:"saved"`
	Added  int                `json:"added"`
	Gone   int                `json:"gone"`
	Lines  []string           `json:"changes"`
	Faults []flow.NumberFault `json:"faults"`
}

func (p *portal) apiSaveNumberPlan(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Text  string `json:"text"`
		Seq   int    `json:"seq"`
		Check bool   `json:"check"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	var d flow.NumberPlanDraft
	var err error
	if in.Check {
		d, err = p.flow.JudgeNumberPlan(r.Context(), in.Text)
	} else {
		d, err = p.flow.SaveNumberPlan(r.Context(), in.Text, in.Seq, me(r).Name)
	}
	if err != nil && len(d.Faults) == 0 {
		return numberSaid(err)
	}
	out := apiPlanDraft{err == nil && !in.Check, d.Added, d.Gone, append([]string{}, d.Lines...), append([]flow.NumberFault{}, d.Faults...)}
	return answerJSON(w, faultStatus(len(d.Faults)), out)
}

// faultStatus is that of a text with faults: they are the answer.
func faultStatus(faults int) int {
	if faults > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

type apiNumberImport struct {
	Imported bool               `json:"imported"`
	Rows     int                `json:"rows"`
	Numbers  int                `json:"numbers"`
	New      int                `json:"new"`
	Changed  int                `json:"changed"`
	Assigned int                `json:"assigned"`
	Faults   []flow.NumberFault `json:"faults"`
}

func (p *portal) apiImportNumbers(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name  string `json:"name"`
		CSV   string `json:"csv"`
		Check bool   `json:"check"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	im, err := p.flow.ImportNumbers(r.Context(), fileName(in.Name), in.CSV, me(r).Name, in.Check)
	if err != nil && len(im.Faults) == 0 {
		return numberSaid(err)
	}
	return answerJSON(w, faultStatus(len(im.Faults)), apiNumberImport{err == nil && !in.Check, im.Rows, im.Numbers, im.New, im.Changed, im.Assigned, append([]flow.NumberFault{}, im.Faults...)})
}

// fileName is what a file is called in faults and records.
func fileName(name string) string {
	name = strings.TrimSpace(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	if name == "" || len(name) > 100 {
		return "numbers.csv"
	}
	return name
}

type apiFinding struct {
	Kind   string          `json:"kind"`
	Pool   string          `json:"pool,omitempty"`
	Number dayone.NumberID `json:"number,omitempty"`
	Person dayone.PersonID `json:"person,omitempty"`
	Name   string          `json:"name,omitempty"`
	Text   string          `json:"text"`
	Next   string          `json:"next"`
}

type apiAudit struct {
	At       *time.Time   `json:"at"`
	Numbers  int          `json:"numbers"`
	People   int          `json:"people"`
	Unread   int          `json:"unread"`
	Findings []apiFinding `json:"findings"`
	Systems  []apiAudited `json:"systems"`
}

// apiAudited is a telephone system that has an audit of its own.
type apiAudited struct {
	System  string     `json:"system"`
	Title   string     `json:"title"`
	Reading bool       `json:"reading"`
	Read    *time.Time `json:"read,omitempty"`
	Total   int        `json:"total"`
}

func (p *portal) apiAuditNumbers(w http.ResponseWriter, r *http.Request) error {
	a, err := p.flow.AuditNumbers(r.Context())
	if err != nil {
		return err
	}
	out := apiAudit{moment(a.At), a.Numbers, a.People, a.Unread, []apiFinding{}, []apiAudited{}}
	for _, name := range p.flow.PhoneSystems() {
		x, err := p.flow.PlatformAudit(r.Context(), name, flow.PlatformFilter{Limit: 1})
		if err != nil {
			return err
		}
		out.Systems = append(out.Systems, apiAudited{x.System, x.Title, x.Reading, moment(x.Read), x.Total})
	}
	for _, f := range a.Findings {
		out.Findings = append(out.Findings, apiFinding{string(f.Kind), f.Pool, f.Number, f.Person, f.Name, f.Text, f.Next})
	}
	return answerJSON(w, http.StatusOK, out)
}
