package unity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// beside is the system that the setting cluster names: the Unified CM cluster whose users are to have the same PIN, where nobody but
// us keeps them alike. It is written by its own connector, which is the cluster's one writer.
type beside struct {
	name string // "": none
	find func(string) (connector.Pins, error)
}

// newBeside is the one that settings name.
func newBeside(cfg connector.Config) (beside, error) {
	b := beside{cfg.Settings["cluster"], cfg.Beside}
	if b.name != "" && cfg.Settings["pin_sync"] != "dayone" {
		return b, &connector.SettingError{Setting: "cluster", Text: "setting cluster names a system, and pin_sync does not say that its PINs are ours to write", Hint: "pin_sync: dayone, or take it out"}
	}
	return b, nil
}

// Leans says whether that system is there, and keeps PINs.
func (t *target) Leans() error {
	if t.pins.name == "" {
		return nil
	}
	if _, err := t.pins.find(t.pins.name); err != nil {
		return &connector.SettingError{Setting: "cluster", Text: "setting cluster: " + strings.TrimSuffix(err.Error(), ": "+dayone.ErrInvalid.Error()), Hint: "the name of the system of this configuration that is the Unified CM"}
	}
	return nil
}

// rules are what a PIN has to meet at the server, and at the cluster beside it, read before anything is written anywhere: what
// one of them refuses would leave the two apart.
func (k secrets) rules(ctx context.Context, op string, c credential, is object, pins connector.Pins) (connector.PinRules, error) {
	id := c.object["CredentialPolicyObjectId"]
	if id == "" {
		return connector.PinRules{}, k.Fault(op, dayone.ErrInvalid, "", "the server does not say which policy this PIN has to meet; pin_sync: none leaves the judgement to it")
	}
	p, _, err := k.get(ctx, "reading policy", "/vmrest/credentialpolicies/"+id)
	if err != nil {
		return connector.PinRules{}, err
	}
	out := connector.PinRules{Trivial: p.yes("TrivialCredChecking"), Never: []string{is["DtmfAccessId"]}}
	out.Least, _ = strconv.Atoi(p["MinLength"]) // none: any length will do
	if pins == nil {
		return out, nil
	}
	theirs, err := pins.PinRules(ctx, is["Alias"])
	if errors.Is(err, dayone.ErrNotFound) {
		return out, k.advise(err, "the cluster "+k.pins.name+" has no end user with the mailbox's alias; give them an account there first. No PIN was changed")
	}
	return connector.PinRules{Least: max(out.Least, theirs.Least), Trivial: out.Trivial || theirs.Trivial, Never: append(out.Never, theirs.Never...)}, err
}

// longest is how many digits a PIN has at most that is made here.
const longest = 32

// meet is the PIN that was made, if it meets the rules, else the first that does of those that follow from it. A retry comes to the
// same one, so that what a call whose answer was lost has written is what is handed over.
func meet(made string, r connector.PinRules) (string, bool) {
	pin := made
	for n := 0; n < 1000 && r.Least <= longest; n++ {
		if len(pin) >= r.Least && !(r.Trivial && guessed(pin, r.Never)) {
			return pin, true
		}
		pin = following(made, n, max(len(made), r.Least))
	}
	return "", false
}

// following is the nth number of so many digits that follows from another one, and tells nothing of it.
func following(made string, n, size int) string {
	h := hmac.New(sha256.New, []byte(made))
	fmt.Fprintf(h, "pin %d", n)
	out := h.Sum(nil)[:min(size, longest)]
	for i, b := range out {
		out[i] = "23456789"[b&7]
	}
	return string(out)
}

// lines are those on the keys of a telephone.
var lines = []string{"2580", "0852", "159", "951", "753", "357"}

// guessed says that a policy may call a PIN trivial. It is stricter than either server is known to be: another one is made soon.
func guessed(pin string, never []string) bool {
	digits := slices.Sorted(slices.Values([]byte(pin)))
	if len(slices.Compact(digits)) < 3 {
		return true
	}
	up, down := true, true
	for i := 1; i < len(pin); i++ {
		up, down = up && pin[i] == pin[i-1]+1, down && pin[i] == pin[i-1]-1
		if i > 1 && pin[i] == pin[i-1] && pin[i] == pin[i-2] {
			return true
		}
	}
	for n := 1; n <= len(pin)/2; n++ {
		if strings.HasPrefix(strings.Repeat(pin[:n], len(pin)/n+1), pin) {
			return true
		}
	}
	holds := func(text string) bool { return strings.Contains(pin, text) || strings.Contains(backwards(pin), text) }
	return up || down || slices.ContainsFunc(lines, holds) || slices.ContainsFunc(never, func(text string) bool { return len(text) > 2 && holds(text) })
}

func backwards(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// follow has the cluster take the PIN that the server has. A retry sets it there again: a change that somebody else made, or that a
// wrong zone moved, is never taken for ours. Only where the cluster refuses it, and its PIN was changed after the server's, it has
// it from an attempt before.
func (k secrets) follow(ctx context.Context, a dayone.Act, pins connector.Pins, login, pin string, from time.Time) error {
	refusal := pins.SetPin(ctx, login, dayone.NewSecret(pin), k.mustChange)
	if a.Attempt > 1 && errors.Is(refusal, dayone.ErrInvalid) {
		switch set, err := pins.PinSince(ctx, login, from); {
		case err != nil:
			return k.apart(err, pin)
		case set:
			return nil
		}
	}
	return k.apart(refusal, pin)
}

// apart says which PIN holds where, once the server has the new one and the cluster has not.
func (k secrets) apart(err error, pin string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, dayone.ErrInvalid) || errors.Is(err, dayone.ErrNotFound):
		return k.advise(k.hide(err, pin), "voice mail has the new PIN, and the cluster "+k.pins.name+" refused it and has the one of before: see its credential policy and the setting time_zone there, then renew it: dayone people renew")
	}
	return k.advise(k.hide(err, pin), "voice mail has the new PIN, and the cluster "+k.pins.name+" the one of before until a retry gets there")
}
