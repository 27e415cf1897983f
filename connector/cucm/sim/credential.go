package sim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// The policy of PINs that every user has.
const (
	pinLength  = 6
	pinHistory = 5
	pinHacks   = 3 // wrong ones in a row lock the account
)

// credentials refuse a PIN that the policy does not take: too short, trivial, one of the last few.
func (s *Sim) credentials(was, is *object, op *node) error {
	pin := op.value("pin")
	if pin == "" {
		return nil
	}
	switch {
	case len(pin) < pinLength:
		return refuse(-1, "the PIN does not meet the credential policy: it has less than %d digits", pinLength)
	case strings.Count(pin, pin[:1]) == len(pin) || strings.Contains("0123456789876543210", pin):
		return refuse(-1, "the PIN does not meet the credential policy: %s is trivial", pin) // a server that repeats what it was sent
	case was != nil && slices.Contains(s.pins[was.uuid], pin):
		return refuse(-1, "the PIN does not meet the credential policy: it is one of the last %d", pinHistory)
	}
	return nil
}

// settlePIN keeps when a PIN was set and what it was, and opens what too many wrong ones had locked.
func (s *Sim) settlePIN(o *object, op *node) {
	if pin := op.value("pin"); pin != "" {
		last := append(s.pins[o.uuid], pin)
		s.pins[o.uuid] = last[max(0, len(last)-pinHistory):]
		s.changedPIN[o.uuid] = s.opt.Time().Truncate(time.Second)
	}
	if op.yes("pinCredentials/pinResetHackCount") {
		delete(s.hacks, o.uuid)
		o.node.get("pinCredentials").set(leaf("pinResetHackCount", "false"))
	}
}

// authenticate says whether a PIN is right. A wrong one counts, and too many lock the user out.
func (s *Sim) authenticate(op *node) ([]*node, error) {
	o := s.object("user", op.value("userid"))
	if o == nil {
		return nil, refuse(5007, "Item not valid: The specified User was not found")
	}
	ok := op.get("pin") != nil && op.value("pin") == o.node.value("pin") || op.get("password") != nil && op.value("password") == o.node.value("password")
	if s.hacks[o.uuid] >= pinHacks || o.node.yes("pinCredentials/pinCredLockedByAdministrator") {
		ok = false
	}
	code := 0
	if !ok {
		s.hacks[o.uuid]++
		code = 1
	}
	return []*node{group("return", leaf("userAuthenticated", strconv.FormatBool(ok)), leaf("code", strconv.Itoa(code)))}, nil
}
