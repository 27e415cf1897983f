package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const policyID = "43e16996-57c6-46c4-86c0-f37d2edf0385"

// keys are the two credentials of a user.
type keys struct{ pin, web *key }

func (k *keys) of(door string) *key {
	switch door {
	case "pin":
		return k.pin
	case "password":
		return k.web
	}
	return nil
}

// key is one credential: a PIN or a web password.
type key struct {
	id         string
	secret     string
	before     []string // what it was, latest last
	locked     bool
	fixed      bool // its owner cannot change it
	mustChange bool
	hacks      int
	changed    time.Time
}

func (s *Sim) showKey(r *http.Request) (any, error) {
	k, err := s.key(r)
	if err != nil {
		return nil, err
	}
	return object{
		"URI": r.URL.Path, "ObjectId": k.id, "UserObjectId": r.PathValue("id"), "CredentialType": map[string]string{"pin": "4", "password": "3"}[r.PathValue("door")], "Locked": strconv.FormatBool(k.locked),
		"CantChange": strconv.FormatBool(k.fixed), "CredMustChange": strconv.FormatBool(k.mustChange), "HackCount": strconv.Itoa(k.hacks), "CredentialPolicyObjectId": policyID,
		"TimeChanged": k.changed.In(s.zone).Format("2006-01-02 15:04:05.000"),
	}, nil
}

func (s *Sim) key(r *http.Request) (*key, error) {
	if _, err := s.one("users", r.PathValue("id")); err != nil {
		return nil, err
	}
	k := s.creds[r.PathValue("id")].of(r.PathValue("door"))
	if k == nil {
		return nil, errNone
	}
	return k, nil
}

func (s *Sim) setKey(r *http.Request) (any, error) {
	k, err := s.key(r)
	if err != nil {
		return nil, err
	}
	b, err := body(r, "Credentials", "Locked", "CantChange", "CredMustChange", "DoesntExpire", "HackCount", "TimeHacked")
	if err != nil {
		return nil, err
	}
	u, door := s.row("users", "ObjectId", r.PathValue("id")), r.PathValue("door")
	if door == "password" && u["LdapType"] == "3" && s.strictWeb {
		return nil, refuse("READ_ONLY", "the password of a user of the directory cannot be changed")
	}
	for name, v := range b {
		if slices.Contains([]string{"Locked", "CantChange", "CredMustChange", "DoesntExpire"}, name) && v != "true" && v != "false" {
			return nil, refuse("INVALID_PARAMETER", "%s is neither true nor false", name)
		}
	}
	if secret, ok := b["Credentials"]; ok {
		if err := s.judge(u, door, k, secret); err != nil {
			return nil, err
		}
		if door == "pin" && s.native && s.apart {
			return nil, refuse("PIN_SYNC_FAILED", "the PIN was not changed: it could not be synchronized with Unified CM")
		}
		k.set(secret, s.now(), s.history())
	}
	set := func(name string, to *bool) {
		if v, ok := b[name]; ok {
			*to = v == "true"
		}
	}
	set("Locked", &k.locked)
	set("CantChange", &k.fixed)
	set("CredMustChange", &k.mustChange)
	if b["HackCount"] == "0" {
		k.hacks = 0
	}
	return nil, nil
}

func (k *key) set(secret string, at time.Time, keep int) {
	k.before = append(k.before, k.secret)
	k.before = k.before[max(0, len(k.before)-keep):]
	k.secret, k.changed, k.hacks = secret, at, 0
}

func (s *Sim) history() int {
	n, _ := strconv.Atoi(s.row("credentialpolicies", "ObjectId", policyID)["PrevCredCount"])
	return n
}

// judge refuses what the policy does not take.
func (s *Sim) judge(u object, door string, k *key, secret string) error {
	policy := s.row("credentialpolicies", "ObjectId", policyID)
	least, _ := strconv.Atoi(policy["MinLength"])
	if k.secret == secret || slices.Contains(k.before, secret) {
		return refuse("CREDENTIAL_HISTORY", "the credential was used before")
	}
	if door == "password" {
		if len(secret) < 8 || strings.Contains(strings.ToLower(secret), strings.ToLower(u["Alias"])) {
			return refuse("CREDENTIAL_POLICY", "the password is too short or holds the alias")
		}
		return nil
	}
	for _, c := range secret {
		if c < '0' || c > '9' {
			return refuse("CREDENTIAL_POLICY", "the PIN holds what is no digit")
		}
	}
	if len(secret) < least {
		return refuse("CREDENTIAL_POLICY", "the PIN has fewer than %d digits", least)
	}
	if policy["TrivialCredChecking"] == "true" && trivial(secret, u["DtmfAccessId"]) {
		return refuse("CREDENTIAL_TRIVIAL", "the PIN is trivial")
	}
	return nil
}

// trivial are the vendor's rules: no digit three times in a row, no straight line, not two digits in turn, no group repeated,
// and not the extension, forwards or backwards.
func trivial(pin, extension string) bool {
	up, down := true, true
	for i := range pin {
		if i >= 2 && pin[i] == pin[i-1] && pin[i] == pin[i-2] {
			return true
		}
		if i > 0 {
			up, down = up && pin[i] == pin[i-1]+1, down && pin[i] == pin[i-1]-1
		}
	}
	for n := 1; n <= len(pin)/2; n++ {
		if strings.Repeat(pin[:n], len(pin)/n+1)[:len(pin)] == pin {
			return true
		}
	}
	b := []byte(extension)
	slices.Reverse(b)
	return up || down || len(extension) > 2 && (strings.Contains(pin, extension) || strings.Contains(pin, string(b)))
}

// Policy sets a rule of the credential policy.
func (s *Sim) Policy(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.row("credentialpolicies", "ObjectId", policyID)[name] = value
}

// SignIn tries somebody's PIN ("pin") or web password ("password"), as its owner would. Three wrong ones lock it.
func (s *Sim) SignIn(login, door, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.row("users", "Alias", login)
	if u == nil || u["Inactive"] == "true" {
		return false
	}
	k := s.creds[u["ObjectId"]].of(door)
	limit, _ := strconv.Atoi(s.row("credentialpolicies", "ObjectId", policyID)["MaxHacks"])
	if k.locked || k.hacks >= limit {
		return false
	}
	if k.secret != secret {
		k.hacks++
		return false
	}
	k.hacks = 0
	return true
}

// MustChange says whether somebody has to change it at the next sign-in.
func (s *Sim) MustChange(login, door string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creds[s.row("users", "Alias", login)["ObjectId"]].of(door).mustChange
}

// Native lets the server and its cluster keep one PIN by themselves; answers says whether the cluster is there for it.
func (s *Sim) Native(on, answers bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.native, s.apart = on, !answers
}

// FromCluster is a PIN that was set at the cluster: it arrives if the two keep one, and the way is open.
func (s *Sim) FromCluster(login, pin string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.native || s.apart {
		return false
	}
	k := s.creds[s.row("users", "Alias", login)["ObjectId"]].pin
	k.set(pin, s.now(), s.history())
	k.mustChange = false
	return true
}
