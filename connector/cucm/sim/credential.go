package sim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// What every policy has, and the name of the one that users have who are given no other.
const (
	pinHistory = 5
	pinHacks   = 3 // wrong ones in a row lock the account
	ownPolicy  = "Default Credential Policy"
)

// policy is what a PIN has to meet.
type policy struct {
	name    string
	length  int
	trivial bool
}

// Policy makes a credential policy, or changes it.
func (s *Sim) Policy(name string, length int, trivial bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.policies, func(p policy) bool { return p.name == name })
	if i < 0 {
		i, s.policies = len(s.policies), append(s.policies, policy{})
	}
	s.policies[i] = policy{name, length, trivial}
}

// Obeys puts a user's PIN under a policy; "": under its own one, which the cluster does not name.
func (s *Sim) Obeys(user, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policyOf[s.object("user", user).uuid] = name
}

// policy is that of a user's PIN.
func (s *Sim) policy(o *object) policy {
	name := ownPolicy
	if o != nil && s.policyOf[o.uuid] != "" {
		name = s.policyOf[o.uuid]
	}
	return s.policies[max(0, slices.IndexFunc(s.policies, func(p policy) bool { return p.name == name }))]
}

// policyShown is what a user's PIN names.
func (s *Sim) policyShown(o *object) string {
	if name, said := s.policyOf[o.uuid]; said && name == "" {
		return ""
	}
	return s.policy(o).name
}

func (s *Sim) listPolicies(op *node) ([]*node, error) {
	ret := group("return")
	for _, p := range s.policies {
		n := group("credentialPolicy", leaf("name", p.name), leaf("minCredLength", strconv.Itoa(p.length)), leaf("prevCredStoredNum", strconv.Itoa(pinHistory)), leaf("trivialCredCheck", strconv.FormatBool(p.trivial)))
		if fits(op.get("searchCriteria"), n) {
			ret.kids = append(ret.kids, n)
		}
	}
	return []*node{ret}, nil
}

// credentials refuse a PIN that the policy does not take: too short, trivial, one of the last few.
func (s *Sim) credentials(was, is *object, op *node) error {
	pin := op.value("pin")
	if pin == "" {
		return nil
	}
	p := s.policy(was)
	switch {
	case len(pin) < p.length:
		return refuse(-1, "the PIN does not meet the credential policy: it has less than %d digits", p.length)
	case p.trivial && trivial(pin, is.node):
		return refuse(-1, "the PIN does not meet the credential policy: %s is trivial", pin) // a server that repeats what it was sent
	case was != nil && slices.Contains(s.pins[was.uuid], pin):
		return refuse(-1, "the PIN does not meet the credential policy: it is one of the last %d", pinHistory)
	}
	return nil
}

// trivial are the vendor's rules: one digit three times in a row, fewer than three digits in all, a group that repeats itself, a
// straight line, of digits or on the keys, the extension or a name of the user, forwards or backwards.
func trivial(pin string, user *node) bool {
	if strings.Contains("0123456789876543210", pin) {
		return true
	}
	seen := map[byte]bool{}
	for i := range len(pin) {
		seen[pin[i]] = true
		if i > 1 && pin[i] == pin[i-1] && pin[i] == pin[i-2] {
			return true
		}
	}
	for n := 1; n <= len(pin)/2; n++ {
		if strings.Repeat(pin[:n], len(pin)/n) == pin {
			return true
		}
	}
	b := []byte(pin)
	slices.Reverse(b)
	never := []string{"2580", "159", "753"}
	if ext := user.value("primaryExtension/pattern"); len(ext) >= 4 {
		never = append(never, ext[len(ext)-4:])
	}
	for _, name := range []string{"firstName", "lastName"} {
		keys := ""
		for _, r := range strings.ToLower(user.value(name)) {
			if i := strings.IndexRune("abcdefghijklmnopqrstuvwxyz", r); i >= 0 {
				keys += "22233344455566677778889999"[i : i+1]
			}
		}
		if len(keys) > 2 {
			never = append(never, keys)
		}
	}
	return len(seen) < 3 || slices.ContainsFunc(never, func(n string) bool { return strings.Contains(pin, n) || strings.Contains(string(b), n) })
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
