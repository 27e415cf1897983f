package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/people"
)

// Whoever answers for somebody who is in no HR system hears of her last day beforehand, some times, each of them once. After a
// time in which nothing ran only the latest of them is sent.

// viaPeople is the way of letters about one person: to who answers for her, and to herself before she begins.
const viaPeople = "people"

// Kinds of such letters.
const (
	letterSponsor = "sponsor"
	letterPreHire = "prehire"
)

// sponsorDays are how many days before the end a sponsor is told of it, the first one first.
var sponsorDays = []int{30, 14, 3}

// personLetter is what such a letter is about. It names ids alone; who is meant, and who gets it, is looked up when it is sent.
type personLetter struct {
	Person     dayone.PersonID     `json:"person"`
	Engagement dayone.EngagementID `json:"engagement"`
	LastDay    string              `json:"last_day,omitempty"`
}

// remindSponsors posts the reminder that is due, and says when the next one is. An end that changes nothing, since another
// employment goes on, is told to nobody.
func (f *Flow) remindSponsors(ctx context.Context, l *Look) error {
	now := l.Person.At
	if l.Person.Status == dayone.Left || l.Person.End.IsZero() || !f.Mails() {
		return nil
	}
	var letters []dayone.Letter
	for _, e := range l.Person.Engagements {
		zone, _ := l.Person.Location()
		day, err := time.ParseInLocation(time.DateOnly, e.LastDay, zone)
		if err != nil || e.Source != dayone.Portal || e.Sponsor == "" || day.AddDate(0, 0, 1).Before(l.Person.End) || !now.Before(day.AddDate(0, 0, 1)) {
			continue
		}
		due := 0
		for _, n := range sponsorDays {
			at := day.AddDate(0, 0, -n).Add(digestHour * time.Hour)
			switch {
			case at.After(now):
				l.Want.Next = soon(l.Want.Next, at)
			case at.After(e.EndKnown): // who set the day knows it
				due = n
			}
		}
		if due == 0 {
			continue
		}
		body, err := json.Marshal(personLetter{l.Person.ID, e.ID, e.LastDay})
		if err != nil {
			return err
		}
		letters = append(letters, dayone.Letter{
			Once: fmt.Sprintf("sponsor.%s.%s.%d", e.ID, e.LastDay, due), Via: viaPeople, Kind: letterSponsor, About: string(e.ID), Body: string(body), Made: now,
		})
	}
	if len(letters) == 0 {
		return nil
	}
	return f.woken(f.Store.SaveAlerts(ctx, nil, letters))
}

// sendPersonal sends a letter about one person. What is no longer so is not sent.
func (f *Flow) sendPersonal(ctx context.Context, l dayone.Letter) error {
	var b personLetter
	if err := json.Unmarshal([]byte(l.Body), &b); err != nil {
		return fmt.Errorf("a letter does not read: %w: %w", err, dayone.ErrInvalid)
	}
	t, err := f.Store.Timeline(ctx, b.Person)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	if l.Kind == letterPreHire {
		return f.sayPreHire(ctx, l, p, b)
	}
	return f.saySponsor(ctx, l, p, b)
}

// saySponsor tells who answers for somebody that her last day comes.
func (f *Flow) saySponsor(ctx context.Context, l dayone.Letter, p dayone.Person, b personLetter) error {
	o, err := f.OutsideOf(ctx, p)
	if errors.Is(err, dayone.ErrNotFound) || err == nil && (o.Over || o.Engagement.ID != b.Engagement || o.Engagement.LastDay != b.LastDay) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(o.Answer) == 0 {
		f.Log.Warn("nobody answers for somebody whose last day comes; name somebody in approvals.fallback", "person", p.ID)
		return fmt.Errorf("nobody is found who answers for person %s; name somebody in approvals.fallback: %w", p.ID, dayone.ErrUnavailable)
	}
	v, err := f.viewOf(ctx, p.ID)
	if err != nil {
		return err
	}
	zone, _ := p.Location()
	v.Now, v.LastDay = v.Now.In(zone), o.Ends.Add(-time.Second).In(zone)
	for _, d := range o.Answer {
		v.Sponsor = &message.Sponsor{Why: d.Why, Sponsor: d.Why == "sponsor", Link: f.Base + "/people/" + string(p.ID) + "/extend"}
		if err := f.mail(ctx, dayone.Person{}, "sponsor", l.Once, d.Mail, v); err != nil {
			return err
		}
	}
	return nil
}
