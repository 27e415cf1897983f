package unity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// credential is what is told of a PIN or a web password. The thing itself is never shown.
type credential struct {
	object
	now time.Time // the server's clock when it was read
}

// credential reads a PIN ("pin") or a web password ("password").
// https://www.cisco.com/c/en/us/td/docs/voice_ip_comm/connection/REST-API/CUPI_API/b_CUPI-API.html (User Password PIN Settings)
func (u users) credential(ctx context.Context, ref, door string) (credential, error) {
	o, a, err := u.get(ctx, "reading "+door, user(ref)+"/credential/"+door)
	if err != nil {
		return credential{}, err
	}
	c := credential{object: o, now: u.Now()}
	if at, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		c.now = at
	}
	return c, nil
}

// put changes what a credential is, or how it may be used.
func (u users) put(ctx context.Context, op, ref, door string, what object) error {
	_, err := u.write(ctx, op, "PUT", user(ref)+"/credential/"+door, nil, what)
	return err
}

// unset says that nobody was given this credential yet: it is the random one of a new mailbox, which its owner cannot change.
func (c credential) unset() bool { return c.yes("CantChange") }

// changed is when it was changed last, by the server's clock.
func (c credential) changed(zone *time.Location) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05.999", time.RFC3339} {
		if at, err := time.ParseInLocation(layout, c.object["TimeChanged"], zone); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// slack is how far two looks at one clock may be apart.
const slack = 2 * time.Second

// since says whether it was changed after an instant of ours, by the server's clock set right.
func (c credential) since(s *server, at time.Time) (bool, error) {
	changed, told := c.changed(s.zone)
	if !told {
		return false, nil
	}
	if changed.After(c.now.Add(time.Minute)) {
		return false, s.Fault("reading credential", dayone.ErrInvalid, "", "it was changed in the future: the setting time_zone is not the zone in which the server writes times")
	}
	skew := c.now.Sub(s.Now())
	return !changed.Add(-skew).Before(at.Add(-slack)), nil
}

// harden gives a new mailbox a PIN and a web password that nobody knows, where it still has those of its template, and closes it
// in the same breath if it is not to be open yet.
func (u users) harden(ctx context.Context, ref string, synced, shut bool) error {
	for _, door := range []string{"pin", "password"} {
		if door == "pin" && u.native || door == "password" && synced && !u.web {
			continue
		}
		c, err := u.credential(ctx, ref, door)
		if err != nil {
			return err
		}
		if c.unset() {
			continue
		}
		secret, err := nobodys(door)
		if err != nil {
			return err
		}
		body := object{"Credentials": secret, "CantChange": "true", "CredMustChange": "false"}
		if shut {
			body["Locked"] = "true"
		}
		if err := u.put(ctx, "closing the template's "+door, ref, door, body); err != nil {
			return u.webAdvice(u.hide(err, secret), door, synced)
		}
	}
	return nil
}

// hide takes a secret of our own making out of what the server says.
func (u users) hide(err error, secret string) error {
	var f *dayone.Fault
	if !errors.As(err, &f) {
		return err
	}
	out := *f
	out.Detail, out.Code = strings.ReplaceAll(f.Detail, secret, "[redacted]"), strings.ReplaceAll(f.Code, secret, "[redacted]")
	return &out
}

// nobodys is a credential that is forgotten as soon as it is set. No digit follows itself, so that no policy calls it trivial.
func nobodys(door string) (string, error) {
	alphabets := []string{"0123456789"}
	size := 16
	if door == "password" {
		alphabets, size = []string{"abcdefghijkmnopqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-_!+=?"}, 24
	}
	var b strings.Builder
	last := byte(0)
	for b.Len() < size {
		set := alphabets[b.Len()%len(alphabets)]
		i, err := rand.Int(rand.Reader, big.NewInt(int64(len(set))))
		if err != nil {
			return "", err
		}
		if c := set[i.Int64()]; c != last {
			b.WriteByte(c)
			last = c
		}
	}
	return b.String(), nil
}

// secrets are a kind that opens a mailbox: its PIN, or its web password. What was set cannot be read, so that the time of the last
// change tells whether it was ours, and nobody tries one out.
type secrets struct {
	users
	door       string
	mustChange bool
	judged     bool   // the policies are read before anything is written
	pins       beside // the cluster that is to have the same PIN
}

var _ connector.Things = secrets{}

// account is whose it is.
func account(a dayone.Act) string {
	if a.Account != "" {
		return a.Account
	}
	return a.Subject.Ref
}

func (k secrets) item(c credential) *dayone.Item {
	return &dayone.Item{Ref: c.id(), State: dayone.Active}
}

// Look says whether it was given. A locked one opens nothing, so that it counts as taken.
func (k secrets) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	c, err := k.credential(ctx, account(a), k.door)
	switch {
	case errors.Is(err, dayone.ErrNotFound) && a.Want == nil:
		return nil, nil // with its mailbox it is gone, too
	case err != nil:
		return nil, err
	case a.Want == nil && c.yes("Locked"):
		return nil, nil
	}
	it := k.item(c)
	if a.Want == nil || a.Secrets[k.door].IsZero() {
		return it, nil
	}
	if c.unset() {
		return nil, nil
	}
	if a.Have != nil && a.Attempt <= 1 { // it is renewed, and nobody has called for that yet
		it.State = dayone.Pending
		return it, nil
	}
	set, err := c.since(k.server, a.Since)
	if err != nil {
		return nil, err
	}
	if !set || k.judged && a.Attempt > 1 { // the cluster beside it may not have it yet, and which PIN it became Put says again
		it.State = dayone.Pending
	}
	return it, nil
}

// Put sets it. A mailbox that is closed stays closed.
func (k secrets) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	op, ref, secret := "setting "+k.door, account(a), a.Secrets[k.door]
	is, err := k.full(ctx, ref)
	if err != nil {
		return dayone.Result{}, err
	}
	if k.door == "password" && synced(is) {
		return dayone.Result{}, k.Fault(op, dayone.ErrUnsupported, "", "the directory masters the web password of this user: it is the one that they have there")
	}
	if secret.IsZero() {
		return dayone.Result{}, k.advise(k.Fault(op, dayone.ErrInvalid, "", "it is locked, and there is no new one to set"), "renew it: dayone people renew")
	}
	before, err := k.credential(ctx, ref, k.door)
	if err != nil {
		return dayone.Result{}, err
	}
	if !k.judged {
		now, err := k.set(ctx, a, is, before, secret.Reveal())
		return dayone.Result{Now: now}, err
	}
	return k.one(ctx, a, is, before, secret.Reveal())
}

// one sets a PIN that the server and the cluster beside it take, first here, then there. A retry
// writes it again, at both: what refuses it for its history has it from an earlier attempt, and no clock has to say so. A person's
// retry forgets when the first attempt was, and what the rules make of the PIN by then may be another one than that attempt wrote.
func (k secrets) one(ctx context.Context, a dayone.Act, is object, before credential, made string) (dayone.Result, error) {
	const op = "setting pin"
	var pins connector.Pins
	if k.pins.name != "" {
		var err error
		if pins, err = k.pins.find(k.pins.name); err != nil {
			return dayone.Result{}, k.Fault(op, dayone.ErrInvalid, "", err.Error()+"; see the setting cluster. No PIN was changed")
		}
	}
	rules, err := k.rules(ctx, op, before, is, pins)
	if err != nil {
		return dayone.Result{}, err
	}
	pin, ok := meet(made, rules)
	if !ok {
		return dayone.Result{}, k.Fault(op, dayone.ErrInvalid, "", fmt.Sprintf("the policies want %d digits, and no PIN was found that both take; nothing was written", rules.Least))
	}
	now, from := k.item(before), a.Since
	set, err := k.set(ctx, a, is, before, pin)
	switch {
	case err == nil:
		now = set
	case a.Attempt > 1 && k.had(ctx, is, before, err, pin == made, a.Since):
		if at, told := before.changed(k.zone); told {
			from = at.Add(k.Now().Sub(before.now))
		}
	default:
		return dayone.Result{}, k.hide(err, pin)
	}
	if pins != nil {
		if err := k.follow(ctx, a, pins, is["Alias"], pin, from); err != nil {
			return dayone.Result{}, err
		}
	}
	r := dayone.Result{Now: now}
	if pin != made {
		r.Secrets = map[string]dayone.Secret{k.door: dayone.NewSecret(pin)}
	}
	return r, nil
}

// had says that the server refused a PIN because it has it, from an attempt before. Where the refusal does not say why, the time of
// the last change does, and only for the PIN as it was made: another one may follow from it by now than did then.
func (k secrets) had(ctx context.Context, is object, before credential, refusal error, asMade bool, at time.Time) bool {
	if !errors.Is(refusal, dayone.ErrInvalid) || before.unset() {
		return false
	}
	if closed, err := k.closed(ctx, is, before); err != nil || before.yes("Locked") && !closed {
		return false // it would not be opened by that
	}
	var f *dayone.Fault
	if errors.As(refusal, &f) && strings.Contains(f.Code, "HISTORY") {
		return true
	}
	set, err := before.since(k.server, at)
	return err == nil && set && asMade
}

// set writes it here, and sees that it was.
func (k secrets) set(ctx context.Context, a dayone.Act, is object, before credential, secret string) (*dayone.Item, error) {
	op, ref := "setting "+k.door, is.id()
	body := object{"Credentials": secret, "CantChange": "false", "CredMustChange": strconv.FormatBool(k.mustChange), "HackCount": "0", "TimeHacked": ""}
	closed, err := k.closed(ctx, is, before)
	if err != nil {
		return nil, err
	}
	if before.yes("Locked") && !closed {
		body["Locked"] = "false"
	}
	if err := k.put(ctx, op, ref, k.door, body); err != nil {
		if errors.Is(err, dayone.ErrInvalid) {
			err = k.advise(err, "the server refused it: see the authentication rule of this user (System Settings > Authentication Rules) and the setting pin_digits; a server that keeps one PIN with its cluster wants pin_sync: native")
		}
		return nil, err
	}
	now, err := k.credential(ctx, ref, k.door)
	if err != nil {
		return nil, err
	}
	set, err := now.since(k.server, a.Since)
	switch {
	case err != nil:
		return nil, err
	case !set && now.object["TimeChanged"] == before.object["TimeChanged"]:
		return nil, k.Fault(op, dayone.ErrNotYet, "", "the server took it and shows no change")
	case !set:
		return nil, k.Fault(op, dayone.ErrInvalid, "", "it is set, and the server shows a change of long ago: the setting time_zone is not the zone in which it writes times")
	}
	return k.item(now), nil
}

// closed says that the mailbox is, and not this door of it alone.
func (k secrets) closed(ctx context.Context, is object, this credential) (bool, error) {
	if !this.yes("Locked") || is.yes("Inactive") {
		return this.yes("Locked"), nil
	}
	other := "password"
	if k.door == other {
		other = "pin"
	}
	c, err := k.credential(ctx, is.id(), other)
	return c.yes("Locked"), err
}

// Drop locks it, so that nobody has to know what it was.
func (k secrets) Drop(ctx context.Context, a dayone.Act) error {
	err := k.put(ctx, "locking "+k.door, account(a), k.door, object{"Locked": "true"})
	if k.door == "password" && errors.Is(err, dayone.ErrInvalid) {
		if is, again := k.full(ctx, account(a)); again == nil {
			return k.webAdvice(err, k.door, synced(is))
		}
	}
	return err
}

// Of tells nothing: every mailbox has one, and whose it is shows nowhere.
func (k secrets) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}
